-- Sending the texts of the outbox, and what Twilio says of them afterwards.

-- Takes texts that are due, for so many seconds: a sender that dies gives them back by then. "uncertain_since" is when the first
-- claim began of which nobody knows whether the text went out; whoever sends must ask Twilio first.
create function public.claim_messages(p_limit int, p_lease_seconds int) returns jsonb
language plpgsql set search_path = ''
as $$
declare
  claimed jsonb;
begin
  with due as materialized (
    select id from public.message_outbox
    where next_attempt_at <= now()
    order by next_attempt_at limit p_limit
    for update skip locked
  ), taken as (
    update public.message_outbox as waiting set
      attempts = attempts + 1, uncertain_since = coalesce(uncertain_since, claimed_at), claimed_at = now(),
      next_attempt_at = now() + p_lease_seconds * interval '1 second'
    from due where waiting.id = due.id
    returning waiting.*
  )
  select jsonb_agg(jsonb_build_object('id', message.id, 'org_id', message.org_id, 'recipient', taken.recipient,
    'content', taken.content, 'attempts', taken.attempts, 'uncertain_since', taken.uncertain_since, 'purpose', taken.purpose,
    'call_id', message.call_id) order by taken.created_at) into claimed
  from taken join public.messages as message on message.org_id = taken.org_id and message.id = taken.message_id
  where message.method = 'sms' and message.status = 'pending';
  -- What is no longer to be sent, since somebody changed the message by hand.
  delete from public.message_outbox as waiting using public.messages as message
  where message.org_id = waiting.org_id and message.id = waiting.message_id and waiting.claimed_at = now()
    and (message.method <> 'sms' or message.status <> 'pending');
  return coalesce(claimed, '[]');
end
$$;

-- How the attempt at a text ended; false if that had been settled before. p_status: "sent"; "failed" for good; "retry", when it
-- surely did not go out; "unknown", when it may have. The last two are due again after p_retry_seconds.
create function public.finish_message(p_id uuid, p_status text, p_external_id text, p_error text, p_retry_seconds int default null) returns boolean
language plpgsql set search_path = ''
as $$
declare
  message public.messages;
  told public.sms_message_tracking;
begin
  if p_status not in ('sent', 'failed', 'retry', 'unknown') or p_status = 'sent' and p_external_id is null then
    raise exception 'a text ends as sent (with its id), failed, retry or unknown' using errcode = 'invalid_parameter_value';
  end if;
  select * into message from public.messages where id = p_id for update;
  if not found or message.status <> 'pending' and not (p_status = 'sent' and message.status = 'failed' and message.external_message_id is null) then
    return false;
  end if;
  if p_status in ('retry', 'unknown') then
    update public.message_outbox set claimed_at = null,
      uncertain_since = case p_status when 'unknown' then coalesce(uncertain_since, claimed_at) end,
      next_attempt_at = now() + coalesce(p_retry_seconds, 60) * interval '1 second'
    where org_id = message.org_id and message_id = p_id;
    update public.messages set error_message = left(p_error, 2000) where id = p_id;
    return true;
  end if;
  update public.messages set status = p_status, service_provider = 'twilio', external_message_id = left(p_external_id, 200),
    sent_at = case p_status when 'sent' then now() end, error_message = left(p_error, 2000)
  where id = p_id;
  if p_status = 'sent' then -- whatever a member has made of it meanwhile: the record says what went out, and to whom
    update public.messages as noted set method = 'sms', recipient = waiting.recipient, content = waiting.content
    from public.message_outbox as waiting where noted.id = p_id and waiting.org_id = noted.org_id and waiting.message_id = noted.id;
  end if;
  if p_status = 'sent' then
    insert into public.sms_message_tracking as tracking (org_id, message_id, message_sid, status)
      values (message.org_id, p_id, left(p_external_id, 100), 'queued')
      on conflict (message_sid) do update set message_id = excluded.message_id where tracking.org_id = excluded.org_id
      returning * into told;
    if told.status is not null then -- Twilio may have told what became of it before we came to note that it was sent
      perform public.note_sms_status(told);
    end if;
    update public.hot_lead_alerts set sms_message_id = left(p_external_id, 200), alert_sent_at = now()
    where org_id = message.org_id and call_id = message.call_id
      and exists (select from public.message_outbox where org_id = message.org_id and message_id = p_id and purpose = 'hot_lead_alert');
  end if;
  delete from public.message_outbox where org_id = message.org_id and message_id = p_id;
  return true;
end
$$;

create function public.sms_status_rank(p_status text) returns int
language sql immutable set search_path = ''
as $$
  select case p_status when 'scheduled' then 1 when 'accepted' then 1 when 'queued' then 2 when 'sending' then 3 when 'sent' then 4
    when 'delivered' then 5 when 'undelivered' then 5 when 'failed' then 5 when 'canceled' then 5 when 'read' then 6 else 0 end
$$;

-- Brings the message in step with what Twilio said of its text.
create function public.note_sms_status(p_tracking public.sms_message_tracking) returns void
language sql set search_path = ''
as $$
  update public.messages set
    status = case when p_tracking.status in ('delivered', 'read') then 'delivered' else 'failed' end,
    error_message = case when p_tracking.status in ('delivered', 'read') then null
      else left(coalesce(p_tracking.error_message, 'Twilio: ' || coalesce(p_tracking.error_code, p_tracking.status)), 2000) end
  where org_id = p_tracking.org_id and id = p_tracking.message_id and public.sms_status_rank(p_tracking.status) >= 5
$$;

-- The organisation of a text: that of our record of it, else the only one with the Twilio account.
create function public.sms_owner(p_sid text, p_account_sid text) returns uuid
language sql stable set search_path = ''
as $$
  select coalesce(
    (select org_id from public.sms_message_tracking where message_sid = p_sid),
    (select org_id from public.messages where service_provider = 'twilio' and external_message_id = p_sid),
    (select min(org_id::text)::uuid from public.integration_settings where twilio_account_sid = p_account_sid having count(*) = 1))
$$;

-- What Twilio says of a text, forward only: {"known": whether we have a message of it, "applied"}. Twilio may be quicker than our
-- note that the text was sent, so with the organisation given, what it said of a text unknown as yet is kept.
create function public.apply_sms_status(p_sid text, p_status text, p_error_code text, p_error_message text, p_org_id uuid default null)
returns jsonb
language plpgsql set search_path = ''
as $$
declare
  org uuid := coalesce(p_org_id, public.sms_owner(p_sid, null));
  said text := lower(p_status);
  message uuid;
  told public.sms_message_tracking;
begin
  if org is null or public.sms_status_rank(said) = 0 then
    return '{"known": false, "applied": false}';
  end if;
  select id into message from public.messages
  where org_id = org and service_provider = 'twilio' and external_message_id = p_sid;
  insert into public.sms_message_tracking as tracking (org_id, message_id, message_sid, status, error_code, error_message)
    values (org, message, p_sid, said, left(p_error_code, 50), left(p_error_message, 2000))
    on conflict (message_sid) do update set status = excluded.status, error_code = excluded.error_code,
      error_message = excluded.error_message, message_id = coalesce(tracking.message_id, excluded.message_id)
    where tracking.org_id = excluded.org_id
      and public.sms_status_rank(excluded.status) > public.sms_status_rank(tracking.status)
    returning * into told;
  if told.message_id is not null then
    perform public.note_sms_status(told);
  end if;
  return jsonb_build_object('known', coalesce(told.message_id, message) is not null, 'applied', told.id is not null);
end
$$;

revoke execute on function
  public.claim_messages(int, int), public.finish_message(uuid, text, text, text, int), public.sms_status_rank(text),
  public.note_sms_status(public.sms_message_tracking), public.sms_owner(text, text),
  public.apply_sms_status(text, text, text, text, uuid)
  from public, anon, authenticated;
grant execute on function
  public.claim_messages(int, int), public.finish_message(uuid, text, text, text, int), public.sms_status_rank(text),
  public.note_sms_status(public.sms_message_tracking), public.sms_owner(text, text),
  public.apply_sms_status(text, text, text, text, uuid)
  to service_role;
