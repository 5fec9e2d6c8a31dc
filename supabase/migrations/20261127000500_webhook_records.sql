-- What is kept of events: failures, dead letters, how long, and which calls are still waiting for their report.

-- An event waits once among the dead letters. Nothing has written any before this.
create unique index webhook_dead_letters_waiting_key
  on public.webhook_dead_letters (source, org_id, event_id) nulls not distinct where replayed_at is null and event_id is not null;

-- Notes that an event could not be applied; one that was stays so.
create function public.log_delivery_failure(
  p_org_id uuid, p_event_id text, p_event_type text, p_received_at timestamptz, p_attempts int, p_error text, p_dead boolean default false
) returns void
language sql set search_path = ''
as $$
  insert into public.webhook_delivery_log as log (org_id, event_id, event_type, status, attempts, received_at, last_attempt_at, error_message)
    values (p_org_id, left(p_event_id, 500), left(coalesce(nullif(p_event_type, ''), 'unknown'), 100),
      case when p_dead then 'dead_letter' else 'failed' end, greatest(p_attempts, 1), coalesce(p_received_at, now()), now(), left(p_error, 2000))
    on conflict (org_id, event_id) do update set status = excluded.status, attempts = greatest(log.attempts, excluded.attempts),
      last_attempt_at = now(), error_message = excluded.error_message
    where log.status <> 'completed'
$$;

-- Keeps an event that cannot be applied, whole, and returns the letter's id. The same event waits once; its attempts add up. Null,
-- and nothing is kept, for an organisation that is gone: what was its is gone with it, and nobody could take the letter.
create function public.record_dead_letter(
  p_org_id uuid, p_source text, p_event_id text, p_event_type text, p_payload jsonb, p_reason text, p_attempts int, p_received_at timestamptz
) returns uuid
language plpgsql set search_path = ''
as $$
declare
  letter uuid;
begin
  if p_org_id is not null and not exists (select from public.organizations where id = p_org_id) then
    return null;
  end if;
  if p_org_id is not null and p_event_id is not null then
    perform public.log_delivery_failure(p_org_id, p_event_id, p_event_type, p_received_at, p_attempts, p_reason, true);
  end if;
  insert into public.webhook_dead_letters as waiting (org_id, source, event_id, event_type, payload, reason, attempts, received_at)
    values (p_org_id, p_source, left(p_event_id, 500), left(p_event_type, 100), p_payload,
      coalesce(nullif(left(p_reason, 2000), ''), 'unknown'), greatest(coalesce(p_attempts, 1), 1), coalesce(p_received_at, now()))
    on conflict (source, org_id, event_id) where replayed_at is null and event_id is not null
    do update set reason = excluded.reason, attempts = greatest(waiting.attempts + 1, excluded.attempts)
    returning id into letter;
  return letter;
end
$$;

-- Letters that wait, oldest first, after the given one: all, an organisation's, or those with the ids.
create function public.dead_letters_waiting(
  p_limit int, p_after_received timestamptz default null, p_after_id uuid default null, p_org_id uuid default null, p_ids uuid[] default null
) returns jsonb
language sql stable set search_path = ''
as $$
  select coalesce(jsonb_agg(letter order by letter.received_at, letter.id), '[]')
  from (
    select id, org_id, source, event_id, event_type, payload, reason, attempts, received_at
    from public.webhook_dead_letters
    where replayed_at is null and (p_after_received is null or (received_at, id) > (p_after_received, p_after_id))
      and (p_org_id is null or org_id = p_org_id) and (p_ids is null or id = any (p_ids))
    order by received_at, id limit p_limit
  ) as letter
$$;

create function public.dead_letter_replayed(p_id uuid) returns boolean
language sql set search_path = ''
as $$
  with done as (update public.webhook_dead_letters set replayed_at = now() where id = p_id and replayed_at is null returning id)
  select exists (select from done)
$$;

-- Notes that a letter was tried again in vain, and why.
create function public.dead_letter_failed(p_id uuid, p_reason text) returns void
language sql set search_path = ''
as $$
  with again as (
    update public.webhook_dead_letters set attempts = attempts + 1, reason = coalesce(nullif(left(p_reason, 2000), ''), 'unknown')
    where id = p_id and replayed_at is null
    returning *
  )
  select public.log_delivery_failure(org_id, event_id, event_type, received_at, attempts, reason, true)
  from again where org_id is not null and event_id is not null
$$;

-- Deletes records from before a moment, so many of each kind at the most, and says how many: call it until all are 0. The ledger
-- is what tells a repeated event, so a week of it is always kept, far longer than the provider tries again; without it a repeated
-- event would still change nothing in a call, and raise no second alert. Dead letters that wait are never deleted.
create function public.prune_webhook_records(p_before timestamptz default now() - interval '30 days', p_limit int default 5000) returns jsonb
language plpgsql set search_path = ''
as $$
declare
  before timestamptz := least(p_before, now() - interval '7 days');
  events int;
  deliveries int;
  letters int;
begin
  delete from public.processed_webhook_events where id = any (array(
    select id from public.processed_webhook_events where received_at < before order by received_at limit p_limit for update skip locked));
  get diagnostics events = row_count;
  delete from public.webhook_delivery_log where id = any (array(
    select id from public.webhook_delivery_log where received_at < before order by received_at limit p_limit for update skip locked));
  get diagnostics deliveries = row_count;
  delete from public.webhook_dead_letters where id = any (array(
    select id from public.webhook_dead_letters where replayed_at < before order by replayed_at limit p_limit for update skip locked));
  get diagnostics letters = row_count;
  return jsonb_build_object('processed_webhook_events', events, 'webhook_delivery_log', deliveries, 'webhook_dead_letters', letters);
end
$$;

-- Calls that began before a moment and whose report has not come, oldest first, after the given one: [{"id", "org_id",
-- "vapi_call_id", "call_type", "status", "event_rank", "began"}].
create function public.unfinished_calls(
  p_before timestamptz, p_limit int, p_after_began timestamptz default null, p_after_id uuid default null
) returns jsonb
language sql stable set search_path = ''
as $$
  select coalesce(jsonb_agg(call order by call.began, call.id), '[]')
  from (
    (select id, org_id, vapi_call_id, call_type, status, event_rank, created_at as began from public.call_logs
     where vapi_call_id is not null and deleted_at is null and event_rank < 5
       and (event_rank > 0 or status in ('queued', 'ringing', 'in-progress'))
       and created_at < p_before and (p_after_began is null or (created_at, id) > (p_after_began, p_after_id))
     order by created_at, id limit p_limit)
    union all
    (select id, org_id, vapi_call_id, call_type, status, event_rank, call_date from public.calls
     where vapi_call_id is not null and deleted_at is null and event_rank < 5
       and (event_rank > 0 or status in ('queued', 'ringing', 'in-progress'))
       and call_date < p_before and (p_after_began is null or (call_date, id) > (p_after_began, p_after_id))
     order by call_date, id limit p_limit)
    order by began, id limit p_limit
  ) as call
$$;

-- Those of the provider's calls that nobody has a row of.
create function public.unknown_calls(p_vapi_call_ids text[]) returns jsonb
language sql stable set search_path = ''
as $$
  select coalesce(jsonb_agg(asked.id), '[]')
  from unnest(p_vapi_call_ids) as asked (id)
  where not exists (select from public.call_logs where vapi_call_id = asked.id)
    and not exists (select from public.calls where vapi_call_id = asked.id)
$$;

revoke execute on function
  public.log_delivery_failure(uuid, text, text, timestamptz, int, text, boolean),
  public.record_dead_letter(uuid, text, text, text, jsonb, text, int, timestamptz), public.dead_letters_waiting(int, timestamptz, uuid, uuid, uuid[]),
  public.dead_letter_replayed(uuid), public.dead_letter_failed(uuid, text), public.prune_webhook_records(timestamptz, int),
  public.unfinished_calls(timestamptz, int, timestamptz, uuid), public.unknown_calls(text[])
  from public, anon, authenticated;
grant execute on function
  public.log_delivery_failure(uuid, text, text, timestamptz, int, text, boolean),
  public.record_dead_letter(uuid, text, text, text, jsonb, text, int, timestamptz), public.dead_letters_waiting(int, timestamptz, uuid, uuid, uuid[]),
  public.dead_letter_replayed(uuid), public.dead_letter_failed(uuid, text), public.prune_webhook_records(timestamptz, int),
  public.unfinished_calls(timestamptz, int, timestamptz, uuid), public.unknown_calls(text[])
  to service_role;
