-- One event of the voice provider, in one transaction: the ledger, the call, its contact, appointments, alert and text.
--
-- Events come late, twice and in any order, and the rows must not depend on it. So each column of a call remembers the rank of
-- the event its value is from (event_state): a higher rank overwrites, a lower one only fills what no event has given, and of two
-- equals the greater value stays. What else changes follows from the merged call, or is a maximum, or happens once.
--
-- Locks are taken in one order, so that no two events wait for each other: the call (advisory), the ledger, the contact,
-- appointments, and last the call's row with the rollups that all calls of an organisation share. Only one statement writes a call.

-- The columns that events give, in the order of the digits in event_state: add new ones at the end only.
create function public.call_event_columns() returns table (place int, name text, kind text, most numeric, scale int, words text[])
language sql immutable set search_path = ''
as $$
  values
    (1, 'status', 'word', null::numeric, null::int, '{queued,ringing,in-progress,completed,missed,transferred,failed}'::text[]),
    (2, 'phone_number', 'phone', null, null, null),
    (3, 'from_number', 'text', 100, null, null),
    (4, 'to_number', 'text', 100, null, null),
    (5, 'caller_name', 'text', 200, null, null),
    (6, 'started_at', 'moment', null, null, null),
    (7, 'ended_at', 'moment', null, null, null),
    (8, 'duration_seconds', 'number', 2147483647, 0, null),
    (9, 'ended_reason', 'text', 500, null, null),
    (10, 'cost_cents', 'number', 2147483647, 0, null),
    (11, 'recording_url', 'text', 4000, null, null),
    (12, 'recording_status', 'word', null, null, '{pending,processing,completed,failed}'),
    (13, 'transcript', 'list', null, null, null),
    (14, 'sentiment_score', 'number', 1, 3, null),
    (15, 'sentiment_label', 'word', null, null, '{positive,neutral,negative}'),
    (16, 'sentiment_summary', 'text', 20000, null, null),
    (17, 'sentiment_urgency', 'word', null, null, '{High,Medium,Low}'),
    (18, 'action_items', 'list', null, null, null),
    (19, 'outcome', 'text', 500, null, null),
    (20, 'outcome_summary', 'text', 20000, null, null),
    (21, 'tools_used', 'words', 100, null, null),
    (22, 'lead_temp', 'word', null, null, '{hot,warm,cold}'),
    (23, 'lead_score', 'number', 100, 0, null),
    (24, 'financial_value', 'number', 9999999999.99, 2, null),
    (25, 'procedure_intent', 'text', 500, null, null),
    (26, 'transfer_to', 'text', 200, null, null),
    (27, 'transfer_time', 'moment', null, null, null),
    (28, 'transfer_reason', 'text', 2000, null, null)
$$;

-- A moment in ISO form, or null for anything else.
create function public.event_moment(p_text text) returns timestamptz
language sql stable set search_path = ''
as $$
  select case when p_text ~ '^\d{4}-\d\d-\d\d' and pg_catalog.pg_input_is_valid(p_text, 'timestamptz') then p_text::timestamptz end
$$;

create function public.event_phone(p_text text) returns text
language sql immutable set search_path = ''
as $$
  select case when p_text ~ '^\+[1-9][0-9]{1,14}$' then p_text end
$$;

-- A name, or null for anything else and for what stands in for a name.
create function public.event_name(p_name jsonb) returns text
language sql immutable set search_path = ''
as $$
  select nullif(nullif(left(btrim(p_name #>> '{}'), 200), ''), 'Unknown Caller') where jsonb_typeof(p_name) = 'string'
$$;

-- What an event adds to a call as it is kept (null: there is none yet). Values are clamped, and left out where that can't be.
-- Returns {"given": the event's values, "values": the columns to write, "now": the columns as they will be, "state", "began"}.
create function public.merge_call(p_kept jsonb, p_rank int, p_received timestamptz, p_call jsonb) returns jsonb
language plpgsql stable set search_path = '' set timezone = 'UTC'
as $$
declare
  state jsonb := coalesce(p_kept -> 'event_state', '{}');
  kept jsonb := coalesce(p_kept, '{}') || case when state ? 'ended_at' then jsonb_build_object('ended_at', state -> 'ended_at') else '{}' end;
  -- A call that was over before its first event does not begin again: its status counts as that of an ended call.
  ranks text := rpad(coalesce(state ->> 'ranks',
    case when p_kept ->> 'status' in ('completed', 'missed', 'transferred', 'failed') then '4' else '' end), 28, '0');
  given jsonb;
  vals jsonb;
  merged jsonb;
  started timestamptz;
  ended timestamptz;
  began timestamptz;
  over boolean;
  details jsonb;
  details_ranks jsonb;
begin
  select coalesce(jsonb_object_agg(name, value) filter (where value is not null), '{}'),
    coalesce(jsonb_object_agg(name, value) filter (where wins), '{}'),
    string_agg(case when wins then rank else kept_rank end::text, '' order by place)
  into given, vals, ranks
  from (
    select *, value is not null and (rank > kept_rank or rank = kept_rank and coalesce(
      case name when 'started_at' then (value #>> '{}')::timestamptz < (kept ->> name)::timestamptz else value > kept -> name end, true)
    ) as wins
    from (
      select place, name, substr(ranks, place, 1)::int as kept_rank,
        -- Of the starts that are told before the report, the earliest holds.
        case when name = 'started_at' and p_rank < 5 then 1 else p_rank end as rank,
        case kind
          when 'text' then case when jsonb_typeof(raw) = 'string' then to_jsonb(nullif(left(btrim(word), most::int), '')) end
          when 'phone' then to_jsonb(public.event_phone(word))
          when 'moment' then to_jsonb(public.event_moment(word))
          when 'number' then case when jsonb_typeof(raw) = 'number' then to_jsonb(round(least(greatest(word::numeric, 0), most), scale)) end
          when 'word' then case when word = any (words) then raw end
          when 'list' then case when jsonb_typeof(raw) = 'array' then raw end
          when 'words' then case when jsonb_typeof(raw) = 'array' then (
            select jsonb_agg(left(one, most::int) order by nth) from jsonb_array_elements_text(raw) with ordinality as part (one, nth)
            where btrim(one) <> '') end
        end as value
      from public.call_event_columns()
      cross join lateral (select p_call -> name as raw, p_call ->> name as word) as said
    ) as cleaned
  ) as compared;
  merged := kept || vals;
  started := (merged ->> 'started_at')::timestamptz;
  ended := (merged ->> 'ended_at')::timestamptz;
  state := state - 'ended_at' || jsonb_build_object('ranks', ranks);
  if ended < started then
    state := state || jsonb_build_object('ended_at', ended);
    ended := started;
  end if;
  vals := vals - 'ended_at'
    || case when ended is distinct from (p_kept ->> 'ended_at')::timestamptz then jsonb_build_object('ended_at', ended) else '{}' end;

  over := coalesce(merged ->> 'status', 'queued') in ('completed', 'transferred');
  if substr(ranks, 8, 1) = '0' and (state ? 'timed' or merged ->> 'duration_seconds' is null and over and started <= ended) then
    vals := vals || jsonb_build_object('duration_seconds', case when over and started <= ended then least(floor(extract(epoch from ended - started)), 2147483647) end);
    state := state || '{"timed": 1}';
  elsif substr(ranks, 8, 1) <> '0' then
    state := state - 'timed';
  end if;

  began := coalesce(started, least(coalesce((kept ->> 'call_date')::timestamptz, (kept ->> 'created_at')::timestamptz), p_received));
  if p_kept is null or state ? 'dated' then -- a call is listed when it began, not when we heard of it
    vals := vals || jsonb_build_object('created_at', began, 'call_date', began);
    state := state || '{"dated": 1}';
  end if;

  if p_call ->> 'is_test_call' = 'true' then
    vals := vals || '{"is_test_call": true}';
  end if;
  select jsonb_object_agg(key, value), jsonb_object_agg(key, p_rank) into details, details_ranks
  from jsonb_each(case when jsonb_typeof(p_call -> 'metadata') = 'object' then p_call -> 'metadata' end) as detail
  where not coalesce(kept -> 'metadata' ? key, false) -- a key that is not from an event is not an event's to change
    or p_rank > (state -> 'metadata' ->> key)::int
    or p_rank = (state -> 'metadata' ->> key)::int and value > kept -> 'metadata' -> key;
  if details is not null then
    vals := vals || jsonb_build_object('metadata', coalesce(kept -> 'metadata', '{}') || details);
    state := state || jsonb_build_object('metadata', coalesce(state -> 'metadata', '{}') || details_ranks);
  end if;
  return jsonb_build_object('given', given, 'values', vals, 'now', coalesce(p_kept, '{}') || vals, 'state', state, 'began', began);
end
$$;

-- The call with the provider's id, of whichever table, with its table as "relation"; null if there is none. Locks the id until
-- the transaction ends. SQLSTATE VX001: it is another organisation's.
create function public.lock_call(p_org_id uuid, p_vapi_call_id text) returns jsonb
language plpgsql set search_path = '' set timezone = 'UTC'
as $$
declare
  kept jsonb;
begin
  if coalesce(length(p_vapi_call_id), 0) not between 1 and 200 then
    raise exception 'an event of a call needs the provider''s id of it' using errcode = 'invalid_parameter_value';
  end if;
  perform pg_advisory_xact_lock(hashtextextended('vapi_call:' || p_vapi_call_id, 0));
  select to_jsonb(call) || '{"relation": "call_logs"}' into kept from public.call_logs as call where vapi_call_id = p_vapi_call_id;
  if kept is null then
    select to_jsonb(call) || '{"relation": "calls"}' into kept from public.calls as call where vapi_call_id = p_vapi_call_id;
  end if;
  if (kept ->> 'org_id')::uuid <> p_org_id then
    raise exception 'the call is another organisation''s' using errcode = 'VX001';
  end if;
  return kept;
end
$$;

-- Writes a call, if anything changes: the values that are columns of its table. One statement, because it locks the rollups.
create function public.write_call(p_org_id uuid, p_vapi_call_id text, p_relation text, p_id uuid, p_kept jsonb, p_values jsonb) returns void
language plpgsql set search_path = '' set timezone = 'UTC'
as $$
declare
  vals jsonb := case p_relation when 'calls' then p_values else p_values - 'call_date' end;
  columns text;
begin
  if p_kept is null then
    vals := vals || jsonb_build_object('id', p_id, 'org_id', p_org_id, 'vapi_call_id', p_vapi_call_id);
  end if;
  select string_agg(format('%I', key), ', ') into columns
  from jsonb_each(vals) as given where p_kept is null or value is distinct from p_kept -> key;
  if columns is not null then
    execute format(case when p_kept is null
      then 'insert into public.%1$I (%2$s) select %2$s from jsonb_populate_record(null::public.%1$I, $1)'
      else 'update public.%1$I set (%2$s) = (select %2$s from jsonb_populate_record(null::public.%1$I, $1)) where id = $2' end,
      p_relation, columns) using vals, p_id;
  end if;
end
$$;

-- The contact with a number, locked; added if there is none and p_add allows it.
create function public.lock_contact(
  p_org_id uuid, p_phone text, p_name text, p_add boolean, out contact public.contacts, out added boolean
)
language plpgsql set search_path = ''
as $$
begin
  added := false;
  select * into contact from public.contacts where org_id = p_org_id and phone = p_phone for no key update;
  if not found and p_add then
    insert into public.contacts (org_id, phone, name, lead_status, lead_score)
      values (p_org_id, p_phone, coalesce(p_name, 'Unknown Caller'), 'cold', 1)
      on conflict (org_id, phone) do nothing
      returning * into contact;
    added := found;
    if not added then -- another call of the same number was quicker
      select * into contact from public.contacts where org_id = p_org_id and phone = p_phone for no key update;
    end if;
  end if;
end
$$;

-- A message that the outbox will send; returns its id, or null where there is nobody to send it to.
create function public.queue_text(
  p_org_id uuid, p_purpose text, p_text jsonb, p_call_id uuid, p_contact_id uuid default null, p_appointment_id uuid default null
) returns uuid
language plpgsql set search_path = ''
as $$
declare
  message uuid;
begin
  if public.event_phone(p_text ->> 'to') is null or coalesce(btrim(p_text ->> 'body'), '') = '' then
    return null;
  end if;
  insert into public.messages (org_id, contact_id, appointment_id, call_id, method, recipient, content, service_provider)
    values (p_org_id, p_contact_id, p_appointment_id, p_call_id, 'sms', p_text ->> 'to', left(p_text ->> 'body', 1600), 'twilio')
    returning id into message;
  insert into public.message_outbox (org_id, message_id, purpose, recipient, content)
    values (p_org_id, message, p_purpose, p_text ->> 'to', left(p_text ->> 'body', 1600));
  return message;
end
$$;

-- Tells the clinic of a caller worth calling back at once, once for each call: alert, notification, text.
-- Returns {"alert_id", "message_id"}, both null if that had been done. The text is the clinic's own, so it names no contact.
create function public.raise_hot_lead(p_org_id uuid, p_call_id uuid, p_contact_id uuid, p_alert jsonb) returns jsonb
language plpgsql set search_path = ''
as $$
declare
  lead text := coalesce(nullif(left(btrim(p_alert ->> 'lead_name'), 200), ''), 'Unknown Caller');
  urgency text := case when lower(p_alert ->> 'urgency_level') in ('high', 'medium', 'low') then lower(p_alert ->> 'urgency_level') else 'high' end;
  said text := left(p_alert ->> 'summary', 5000);
  score int := case when jsonb_typeof(p_alert -> 'lead_score') = 'number' then least(greatest((p_alert ->> 'lead_score')::numeric, 0), 100)::int end;
  alert uuid;
begin
  insert into public.hot_lead_alerts
      (org_id, call_id, contact_id, lead_name, lead_phone, service_interest, urgency_level, summary, lead_score)
    values (p_org_id, p_call_id, p_contact_id, lead, public.event_phone(p_alert ->> 'lead_phone'),
      left(p_alert ->> 'service_interest', 200), urgency, said, score)
    on conflict (org_id, call_id) do nothing
    returning id into alert;
  if alert is null then
    return '{"alert_id": null, "message_id": null}';
  end if;
  insert into public.notifications (org_id, type, title, message, priority, related_entity_type, related_entity_id, metadata)
    values (p_org_id, 'hot_lead', left('Hot lead: ' || lead, 200), coalesce(said, 'A caller is worth calling back at once.'),
      case urgency when 'high' then 'urgent' else 'high' end, 'call', p_call_id,
      jsonb_strip_nulls(jsonb_build_object('alert_id', alert, 'contact_id', p_contact_id, 'lead_score', score)));
  return jsonb_build_object('alert_id', alert,
    'message_id', public.queue_text(p_org_id, 'hot_lead_alert', p_alert -> 'text', p_call_id));
end
$$;

-- Whether an event is new; it is in the ledger and in the delivery log from now on.
create function public.claim_event(p_org_id uuid, p_event_id text, p_event_type text, p_call_id text, p_received timestamptz, p_attempts int)
returns boolean
language plpgsql set search_path = ''
as $$
declare
  tries int := greatest(coalesce(p_attempts, 1), 1);
begin
  insert into public.processed_webhook_events (org_id, event_id, event_type, call_id, received_at)
    values (p_org_id, p_event_id, p_event_type, p_call_id, p_received)
    on conflict (org_id, event_id) do nothing;
  if not found then
    return false;
  end if;
  insert into public.webhook_delivery_log as log (org_id, event_id, event_type, status, attempts, received_at, last_attempt_at, completed_at)
    values (p_org_id, p_event_id, p_event_type, 'completed', tries, p_received, now(), now())
    on conflict (org_id, event_id) do update set status = 'completed', attempts = greatest(log.attempts, excluded.attempts),
      last_attempt_at = now(), completed_at = now(), error_message = null;
  return true;
end
$$;

-- The bookings of a contact or number made while a call lasted become the call's; returns how many.
create function public.link_appointments(
  p_org_id uuid, p_call_id uuid, p_contact_id uuid, p_phone text, p_began timestamptz, p_ended timestamptz
) returns int
language plpgsql set search_path = ''
as $$
declare
  linked int;
begin
  update public.appointments set call_id = p_call_id
  where org_id = p_org_id and (contact_id = p_contact_id or contact_phone = p_phone)
    and call_id is null and deleted_at is null and status in ('pending', 'scheduled', 'confirmed', 'in_progress', 'completed')
    and created_at >= p_began and created_at <= p_ended + interval '10 minutes';
  get diagnostics linked = row_count;
  return linked;
end
$$;

-- The contact as it is after an event of a call. A name that this call did not give is a person's, and stays; what a report found
-- out about the lead counts once; a test call or one that nobody answered says nothing about where a contact stands.
create function public.contact_after_event(
  p_contact public.contacts, p_said jsonb, p_call_name text, p_name_before text, p_state jsonb, p_moment timestamptz,
  p_inbound boolean, p_talked boolean, p_newly_booked boolean, p_first_report boolean
) returns public.contacts
language plpgsql immutable set search_path = ''
as $$
declare
  interests text[];
begin
  if p_call_name is not null and (p_contact.name = 'Unknown Caller' or p_state ? 'named' and p_contact.name = p_name_before) then
    p_contact.name := p_call_name;
  end if;
  p_contact.last_contacted_at := greatest(p_contact.last_contacted_at, p_moment);
  if p_newly_booked and p_contact.pipeline_status <> 'converted' then
    p_contact.pipeline_status := 'booked';
  end if;
  if not p_first_report then
    return p_contact;
  end if;
  if p_talked and not p_newly_booked then
    p_contact.pipeline_status := case
      when p_inbound and p_contact.pipeline_status in ('new', 'contacted') and not p_state ? 'added' then 'lost'
      when not p_inbound and p_contact.pipeline_status in ('new', 'lost') then 'contacted'
      else p_contact.pipeline_status end;
  end if;
  if p_contact.email is null and p_said ->> 'email' like '%_@_%' and length(p_said ->> 'email') <= 320 then
    p_contact.email := p_said ->> 'email';
  end if;
  if p_said ->> 'lead_status' in ('hot', 'warm', 'cold') then
    p_contact.lead_status := p_said ->> 'lead_status';
  end if;
  if jsonb_typeof(p_said -> 'lead_score') = 'number' then
    p_contact.lead_score := round(least(greatest((p_said ->> 'lead_score')::numeric, 0), 100));
  end if;
  if jsonb_typeof(p_said -> 'service_interests') = 'array' then
    select array_agg(one order by nth) into interests
    from jsonb_array_elements_text(p_said -> 'service_interests') with ordinality as part (one, nth)
    where btrim(one) <> '' and one <> all (p_contact.service_interests);
    p_contact.service_interests := p_contact.service_interests || coalesce(interests, '{}');
  end if;
  return p_contact;
end
$$;

create function public.apply_call_event_once(p_org_id uuid, p_event jsonb) returns jsonb
language plpgsql set search_path = '' set timezone = 'UTC'
as $$
declare
  ranked int := least(greatest(coalesce((p_event ->> 'rank')::int, 1), 1), 5);
  received timestamptz := coalesce(public.event_moment(p_event ->> 'received_at'), now());
  vapi_id text := p_event #>> '{call,vapi_call_id}';
  said jsonb := case when jsonb_typeof(p_event -> 'contact') = 'object' then p_event -> 'contact' end;
  heard jsonb := p_event -> 'call' || jsonb_build_object('caller_name', coalesce(
    public.event_name(p_event #> '{call,caller_name}'), public.event_name(said -> 'name')));
  kept jsonb := public.lock_call(p_org_id, vapi_id);
  the_call uuid := coalesce((kept ->> 'id')::uuid, gen_random_uuid());
  relation text := coalesce(kept ->> 'relation', case heard ->> 'call_type' when 'inbound' then 'call_logs' else 'calls' end);
  first_report boolean := ranked = 5 and coalesce((kept ->> 'event_rank')::int, 0) < 5;
  was_booked boolean := coalesce((kept ->> 'booking_confirmed')::boolean, false);
  booked boolean := was_booked;
  merge jsonb;
  vals jsonb;
  known jsonb; -- the call as it will be
  state jsonb;
  met record;
  contact public.contacts;
  wanted public.contacts;
  contact_changed boolean := false;
  alerted jsonb := '{"alert_id": null, "message_id": null}';
  result jsonb := jsonb_build_object('call_id', the_call, 'call_type', case relation when 'call_logs' then 'inbound' else 'outbound' end);
begin
  if not public.claim_event(p_org_id, p_event ->> 'event_id', p_event ->> 'event_type', vapi_id, received, (p_event ->> 'attempts')::int) then
    return result || alerted || jsonb_build_object('duplicate', true, 'applied', false, 'contact_changed', false,
      'call_id', kept -> 'id', 'call_type', kept -> 'call_type', 'contact_id', kept -> 'contact_id');
  end if;
  merge := public.merge_call(kept, ranked, received, heard);
  vals := merge -> 'values';
  known := merge -> 'now';
  state := merge -> 'state';

  if public.event_phone(said ->> 'phone') is not null and not coalesce((known ->> 'is_test_call')::boolean, false) then
    -- A contact that this call had and somebody deleted is not added again.
    met := public.lock_contact(p_org_id, said ->> 'phone', known ->> 'caller_name', not state ? 'contact');
    contact := met.contact;
    contact_changed := met.added;
    if met.added then
      state := state || case when known ->> 'caller_name' is null then '{"added": 1}' else '{"added": 1, "named": 1}' end::jsonb;
    end if;
  end if;
  if first_report then -- by the report's own times: what was heard before it must make no difference
    booked := public.link_appointments(p_org_id, the_call, contact.id, public.event_phone(known ->> 'phone_number'),
      coalesce((merge #>> '{given,started_at}')::timestamptz, received - interval '1 hour'),
      coalesce((merge #>> '{given,ended_at}')::timestamptz, received)) > 0 or booked;
  end if;
  if booked and not was_booked then
    vals := vals || '{"booking_confirmed": true}';
  end if;
  if contact.id is not null then
    wanted := public.contact_after_event(contact, said, known ->> 'caller_name', kept ->> 'caller_name', state,
      coalesce((merge #>> '{given,ended_at}')::timestamptz, (merge #>> '{given,started_at}')::timestamptz,
        case ranked when 5 then received end),
      relation = 'call_logs', known ->> 'status' in ('completed', 'transferred'), booked and (first_report or not was_booked), first_report);
    if wanted is distinct from contact then
      contact_changed := true;
      update public.contacts set
        name = wanted.name, email = wanted.email, lead_status = wanted.lead_status, lead_score = wanted.lead_score,
        pipeline_status = wanted.pipeline_status, service_interests = wanted.service_interests,
        last_contacted_at = wanted.last_contacted_at
      where id = contact.id;
    end if;
    if wanted.name <> contact.name then
      state := state || '{"named": 1}';
    end if;
    if ranked >= coalesce((state ->> 'contact')::int, 0) then
      vals := vals || jsonb_build_object('contact_id', contact.id);
      state := state || jsonb_build_object('contact', ranked);
    end if;
    if known ->> 'caller_name' is null and wanted.name <> 'Unknown Caller' then
      vals := vals || jsonb_build_object('caller_name', wanted.name);
    end if;
  end if;
  if jsonb_typeof(p_event -> 'alert') = 'object' and kept ->> 'deleted_at' is null then
    alerted := public.raise_hot_lead(p_org_id, the_call, contact.id, p_event -> 'alert');
  end if;
  perform public.write_call(p_org_id, vapi_id, relation, the_call, kept,
    vals || jsonb_build_object('event_state', state, 'event_rank', greatest((kept ->> 'event_rank')::int, ranked)));
  return result || alerted || jsonb_build_object('duplicate', false, 'applied', true,
    'contact_id', coalesce(contact.id, (kept ->> 'contact_id')::uuid), 'contact_changed', contact_changed);
end
$$;

-- Applies an event and returns {"duplicate", "applied", "call_id", "call_type", "contact_id", "contact_changed", "alert_id",
-- "message_id", "contact_stats"}; alert and message only if this event made them, and the numbers of contacts, as
-- public.contact_stats returns them, only for an event with a contact. p_event is {"event_id", "event_type", "rank" (1 queued,
-- 2 ringing, 3 in progress, 4 ended, 5 report), "received_at", "attempts", "call", "contact", "alert"}. Only a report's word on
-- the lead (e-mail, status, score, interests) is taken. Tried again once, because a call may be placed, or a row be changed by a
-- member, at the same moment.
create function public.apply_call_event(p_org_id uuid, p_event jsonb) returns jsonb
language plpgsql set search_path = ''
as $$
declare
  done jsonb;
begin
  begin
    done := public.apply_call_event_once(p_org_id, p_event);
  exception when unique_violation or deadlock_detected or foreign_key_violation then
    done := public.apply_call_event_once(p_org_id, p_event);
  end;
  if jsonb_typeof(p_event -> 'contact') = 'object' then -- a statement of its own: within the one above it would not see the change
    done := done || jsonb_build_object('contact_stats', public.contact_stats(p_org_id));
  end if;
  return done;
end
$$;

-- The organisation that an event of the provider belongs to, from what is ours: the assistant, then the number, by the
-- provider's id and as it was dialled. Null if nobody's.
create function public.route_webhook(p_assistant_id text, p_phone_number_id text, p_number text) returns uuid
language sql stable set search_path = ''
as $$
  select org.id
  from (
    select org_id, 1 as place from public.agents where vapi_assistant_id = p_assistant_id
    union all select org_id, 2 from public.assistant_org_mapping where vapi_assistant_id = p_assistant_id
    union all select org_id, 3 from public.phone_number_mapping where vapi_phone_number_id = p_phone_number_id and is_active
    union all select org_id, 4 from public.phone_number_mapping where inbound_phone_number = p_number and is_active
    union all select org_id, 5 from public.inbound_agent_config where twilio_phone_number = p_number
  ) as claim
  join public.organizations as org on org.id = claim.org_id and org.status <> 'deleted'
  order by place limit 1
$$;

revoke execute on function
  public.call_event_columns(), public.event_moment(text), public.event_phone(text), public.event_name(jsonb), public.merge_call(jsonb, int, timestamptz, jsonb),
  public.lock_call(uuid, text), public.write_call(uuid, text, text, uuid, jsonb, jsonb), public.lock_contact(uuid, text, text, boolean),
  public.queue_text(uuid, text, jsonb, uuid, uuid, uuid), public.raise_hot_lead(uuid, uuid, uuid, jsonb),
  public.claim_event(uuid, text, text, text, timestamptz, int),
  public.link_appointments(uuid, uuid, uuid, text, timestamptz, timestamptz),
  public.contact_after_event(public.contacts, jsonb, text, text, jsonb, timestamptz, boolean, boolean, boolean, boolean),
  public.apply_call_event_once(uuid, jsonb), public.apply_call_event(uuid, jsonb), public.route_webhook(text, text, text)
  from public, anon, authenticated;
grant execute on function
  public.call_event_columns(), public.event_moment(text), public.event_phone(text), public.event_name(jsonb), public.merge_call(jsonb, int, timestamptz, jsonb),
  public.lock_call(uuid, text), public.write_call(uuid, text, text, uuid, jsonb, jsonb), public.lock_contact(uuid, text, text, boolean),
  public.queue_text(uuid, text, jsonb, uuid, uuid, uuid), public.raise_hot_lead(uuid, uuid, uuid, jsonb),
  public.claim_event(uuid, text, text, text, timestamptz, int),
  public.link_appointments(uuid, uuid, uuid, text, timestamptz, timestamptz),
  public.contact_after_event(public.contacts, jsonb, text, text, jsonb, timestamptz, boolean, boolean, boolean, boolean),
  public.apply_call_event_once(uuid, jsonb), public.apply_call_event(uuid, jsonb), public.route_webhook(text, text, text)
  to service_role;
