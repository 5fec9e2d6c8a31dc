-- What the voice assistant can do while somebody is on the line. A tool call has one effect and one answer, however often it comes:
-- the answer is kept in the ledger, under the call's id too, since some models' ids of tool calls are short enough to meet.

-- When the organisation is open on a day, in its own time: settings -> business_hours -> monday ... sunday, each
-- ["09:00", "17:00"] or null for closed; a day that is not named, or is unreadable, is 09:00 to 17:00.
create function public.opening_hours(p_org_id uuid, p_day date, out zone text, out opens timestamp, out closes timestamp)
language plpgsql stable set search_path = ''
as $$
declare
  hours jsonb;
begin
  select timezone, settings -> 'business_hours' -> to_char(p_day::timestamp, 'FMday') into zone, hours
  from public.organizations where id = p_org_id;
  if hours = 'null' then
    return;
  end if;
  if jsonb_typeof(hours) is distinct from 'array' or not coalesce(hours ->> 0 ~ '^([01]\d|2[0-3]):[0-5]\d$', false)
    or not coalesce(hours ->> 1 ~ '^(([01]\d|2[0-3]):[0-5]\d|24:00)$', false) then
    hours := '["09:00", "17:00"]';
  end if;
  opens := p_day + (hours ->> 0)::time;
  closes := p_day + (hours ->> 1)::time;
end
$$;

-- The starts on a day, a quarter of an hour apart, from which the organisation is free for so long. Times that the clock skips
-- when it goes forward are none; of those that come twice the later one counts.
create function public.free_slots(p_org_id uuid, p_day date, p_minutes int) returns table (starts_at timestamptz, local_time timestamp, zone text)
language sql stable set search_path = ''
as $$
  with asked as materialized (
    select zone, opens, closes, closes at time zone zone as until,
      least(greatest(p_minutes, 1), 1440) * interval '1 minute' as lasts
    from public.opening_hours(p_org_id, p_day) where opens < closes
  ), busy as materialized (
    select tstzrange(booked.scheduled_at, booked.ends_at) as span
    from asked, public.appointments as booked
    where booked.org_id = p_org_id and booked.deleted_at is null and booked.status in ('pending', 'scheduled', 'confirmed', 'in_progress')
      and tstzrange(booked.scheduled_at, booked.ends_at) && tstzrange(opens at time zone zone, until)
  )
  select slot.starts, wall, zone
  from asked, generate_series(opens, closes, interval '15 minutes') as wall, lateral (select wall at time zone zone as starts) as slot
  where slot.starts at time zone zone = wall and slot.starts > now() and slot.starts + lasts <= until
    and not exists (select from busy where span && tstzrange(slot.starts, slot.starts + lasts))
  order by slot.starts
$$;

create function public.tool_available_slots(p_org_id uuid, p_day date, p_minutes int) returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object('date', p_day, 'timezone', public.org_timezone(p_org_id), 'minutes', p_minutes,
    'slots', coalesce(jsonb_agg(jsonb_build_object('starts_at', starts_at, 'local', to_char(local_time, 'YYYY-MM-DD"T"HH24:MI')) order by starts_at), '[]'))
  from public.free_slots(p_org_id, p_day, p_minutes)
$$;

-- The three free starts within a week that are nearest to a wanted one.
create function public.nearest_slots(p_org_id uuid, p_wanted timestamptz, p_minutes int) returns jsonb
language sql stable set search_path = ''
as $$
  select coalesce(jsonb_agg(jsonb_build_object('starts_at', starts_at, 'local', to_char(local_time, 'YYYY-MM-DD"T"HH24:MI')) order by starts_at), '[]')
  from (
    select starts_at, local_time
    from (select greatest(p_wanted, now()) as wanted, (greatest(p_wanted, now()) at time zone public.org_timezone(p_org_id))::date as first_day) as asked,
      generate_series(0, 6) as later, public.free_slots(p_org_id, first_day + later, p_minutes)
    order by abs(extract(epoch from starts_at - wanted)), starts_at
    limit 3
  ) as nearest
$$;

-- A start as the assistant says it: an instant, or without an offset the organisation's own time. Null for what is none.
create function public.wanted_start(p_text text, p_zone text) returns timestamptz
language sql stable set search_path = ''
as $$
  select case
    when p_text !~ '^\d{4}-\d\d-\d\d[T ]\d\d:\d\d' or not pg_catalog.pg_input_is_valid(p_text, 'timestamptz') then null
    when p_text ~ '(Z|[+-]\d\d(:?\d\d)?)$' then p_text::timestamptz
    when (p_text::timestamp at time zone p_zone) at time zone p_zone = p_text::timestamp then p_text::timestamp at time zone p_zone
  end
$$;

-- Books an appointment for a call. p_booking is {"scheduled_at", "duration_minutes", "service_type", "name", "phone", "email",
-- "notes", "text": {"to", "body"}}; p_call as in an event. Returns, with "duplicate" and "timezone", {"booked": true,
-- "appointment_id", "scheduled_at", "local", "duration_minutes", "service_type", "contact_id", "call_id", "contact_changed",
-- "message_id"}, or one of {"taken", "closed", "past", "invalid"} as true, the first three with "alternatives".
create function public.tool_book(p_org_id uuid, p_tool_call_id text, p_call jsonb, p_booking jsonb) returns jsonb
language plpgsql set search_path = '' set timezone = 'UTC'
as $$
declare
  vapi_id text := p_call ->> 'vapi_call_id';
  event text := 'tool:' || vapi_id || ':' || p_tool_call_id;
  kept jsonb := public.lock_call(p_org_id, vapi_id);
  the_call uuid := coalesce((kept ->> 'id')::uuid, gen_random_uuid());
  zone text := public.org_timezone(p_org_id);
  wanted timestamptz := public.wanted_start(p_booking ->> 'scheduled_at', zone);
  minutes int := case when jsonb_typeof(p_booking -> 'duration_minutes') = 'number'
    then least(greatest((p_booking ->> 'duration_minutes')::numeric, 1), 1440)::int else 45 end;
  service text := coalesce(nullif(left(btrim(p_booking ->> 'service_type'), 200), ''), 'Consultation');
  named text := public.event_name(p_booking -> 'name');
  line text := coalesce(public.event_phone(p_call ->> 'phone_number'), kept ->> 'phone_number');
  phone text := coalesce(public.event_phone(p_booking ->> 'phone'), line);
  hours record;
  merge jsonb;
  vals jsonb;
  state jsonb;
  met record;
  contact public.contacts;
  appointment uuid;
  refusal text;
  answer jsonb;
begin
  if not public.claim_event(p_org_id, event, 'tool-calls', vapi_id, now(), 1) then
    select ledger.result into answer from public.processed_webhook_events as ledger
    where ledger.org_id = p_org_id and ledger.event_id = event;
    return coalesce(answer, '{}') || '{"duplicate": true}';
  end if;
  hours := public.opening_hours(p_org_id, (wanted at time zone zone)::date);
  refusal := case
    when wanted is null then 'invalid'
    when wanted <= now() then 'past'
    when (wanted >= hours.opens at time zone zone and wanted + minutes * interval '1 minute' <= hours.closes at time zone zone) is not true then 'closed'
  end;
  if refusal is null then
    -- Two bookings at once would each wait for the other in the exclusion constraint.
    perform pg_advisory_xact_lock(hashtextextended('diary:' || p_org_id, 0));
    if phone is not null then
      met := public.lock_contact(p_org_id, phone, named, true);
      contact := met.contact;
    end if;
    begin
      insert into public.appointments (org_id, contact_id, call_id, service_type, scheduled_at, duration_minutes, status, customer_name,
          contact_phone, notes, metadata)
        values (p_org_id, contact.id, the_call, service, wanted, minutes, 'confirmed', named, phone, left(p_booking ->> 'notes', 20000),
          jsonb_build_object('channel', 'voice'))
        returning id into appointment;
    exception when exclusion_violation then
      refusal := 'taken';
      -- The assistant asked again for what this call has booked.
      select id, null into appointment, refusal from public.appointments
      where org_id = p_org_id and call_id = the_call and scheduled_at = wanted and contact_id is not distinct from contact.id
        and status in ('pending', 'scheduled', 'confirmed', 'in_progress') and deleted_at is null;
      if not found then
        refusal := 'taken';
      end if;
      answer := '{}';
    end;
  end if;

  merge := public.merge_call(kept, 3, now(), p_call || '{"status": "in-progress"}');
  vals := merge -> 'values';
  state := merge -> 'state';
  if contact.id is not null then
    if phone = line then
      if met.added then
        state := state || '{"added": 1}';
      end if;
      if coalesce((state ->> 'contact')::int, 0) <= 3 then
        vals := vals || jsonb_build_object('contact_id', contact.id);
        state := state || '{"contact": 3}';
      end if;
    end if;
    update public.contacts as kept_contact set
      -- What this call's events made the name out to be gives way; the name given for a booking stays.
      name = case when named is not null and (kept_contact.name = 'Unknown Caller'
        or kept_contact.phone = line and state ? 'named' and kept_contact.name = kept ->> 'caller_name') then named else kept_contact.name end,
      email = case when kept_contact.email is null and p_booking ->> 'email' like '%_@_%' and length(p_booking ->> 'email') <= 320
        then p_booking ->> 'email' else kept_contact.email end,
      pipeline_status = case when refusal is null and pipeline_status <> 'converted' then 'booked' else pipeline_status end,
      booking_source = case when refusal is null then coalesce(booking_source, 'voice') else booking_source end
    where id = contact.id;
    if named is not null and phone = line then
      state := state - 'named';
    end if;
  end if;
  if refusal is null then
    vals := vals || '{"booking_confirmed": true}';
    if answer is null then
      insert into public.notifications (org_id, type, title, message, related_entity_type, related_entity_id)
        values (p_org_id, 'appointment_booked', left('Booked by phone: ' || service, 200),
          left(concat_ws(', ', coalesce(named, 'A caller'), to_char(wanted at time zone zone, 'FMDD FMMonth YYYY, HH24:MI')), 5000),
          'appointment', appointment);
    end if;
    answer := jsonb_build_object('booked', true, 'appointment_id', appointment, 'scheduled_at', wanted,
      'local', to_char(wanted at time zone zone, 'YYYY-MM-DD"T"HH24:MI'), 'duration_minutes', minutes, 'service_type', service,
      'contact_id', contact.id, 'call_id', the_call, 'contact_changed', contact.id is not null,
      'message_id', case when answer is null
        then public.queue_text(p_org_id, 'booking_confirmation', p_booking -> 'text', the_call, contact.id, appointment) end);
  else
    answer := jsonb_build_object(refusal, true, 'call_id', the_call, 'contact_changed', contact.id is not null)
      || case when refusal = 'invalid' then '{}' else jsonb_build_object('alternatives', public.nearest_slots(p_org_id, wanted, minutes)) end;
  end if;
  answer := answer || jsonb_build_object('timezone', zone);
  update public.processed_webhook_events as ledger set result = answer
  where ledger.org_id = p_org_id and ledger.event_id = event;
  perform public.write_call(p_org_id, vapi_id,
    coalesce(kept ->> 'relation', case p_call ->> 'call_type' when 'inbound' then 'call_logs' else 'calls' end), the_call, kept,
    vals || jsonb_build_object('event_state', state, 'event_rank', greatest((kept ->> 'event_rank')::int, 3)));
  return answer || '{"duplicate": false}';
end
$$;

-- What is known of a caller: {"contact": {"id", "name", "email", "lead_status", "pipeline_status", "service_interests"},
-- "next_appointment": {"id", "service_type", "scheduled_at", "local", "duration_minutes", "status"}, "last_call": {"at", "summary",
-- "outcome"}, "timezone"}; a part that there is not is null.
create function public.tool_find_caller(p_org_id uuid, p_phone text) returns jsonb
language sql stable set search_path = ''
as $$
  with caller as materialized (
    select id, nullif(name, 'Unknown Caller') as name, email, lead_status, pipeline_status, service_interests
    from public.contacts where org_id = p_org_id and phone = p_phone
  )
  select jsonb_build_object('timezone', zone,
    'contact', (select to_jsonb(caller) from caller),
    'next_appointment', (
      select jsonb_build_object('id', id, 'service_type', service_type, 'scheduled_at', scheduled_at, 'duration_minutes', duration_minutes,
        'status', status, 'local', to_char(scheduled_at at time zone zone, 'YYYY-MM-DD"T"HH24:MI'))
      from public.appointments
      where org_id = p_org_id and contact_id = (select id from caller) and scheduled_at > now() and deleted_at is null
        and status in ('pending', 'scheduled', 'confirmed')
      order by scheduled_at limit 1),
    'last_call', (
      select jsonb_build_object('at', at, 'summary', summary, 'outcome', outcome)
      from (
        (select created_at as at, coalesce(outcome_summary, sentiment_summary) as summary, outcome, deleted_at from public.call_logs
         where org_id = p_org_id and phone_number = p_phone order by created_at desc limit 20)
        union all
        (select call_date, coalesce(outcome_summary, sentiment_summary), outcome, deleted_at from public.calls
         where org_id = p_org_id and phone_number = p_phone order by call_date desc limit 20)
      ) as latest
      where deleted_at is null and summary is not null
      order by at desc limit 1))
  from public.org_timezone(p_org_id) as zone
$$;

-- Alerts the clinic about the caller on the line, once for each call: {"duplicate", "alerted" (by this tool call), "alert_id",
-- "call_id", "contact_id", "contact_changed", "message_id"}. p_call, p_contact and p_alert are as in an event.
create function public.tool_hot_lead(p_org_id uuid, p_tool_call_id text, p_call jsonb, p_contact jsonb, p_alert jsonb) returns jsonb
language plpgsql set search_path = ''
as $$
declare
  done jsonb := public.apply_call_event(p_org_id, jsonb_build_object(
    'event_id', 'tool:' || (p_call ->> 'vapi_call_id') || ':' || p_tool_call_id, 'event_type', 'tool-calls',
    'rank', 3, 'received_at', now(), 'call', p_call || '{"status": "in-progress"}', 'contact', p_contact, 'alert', p_alert));
begin
  return done - 'applied' - 'call_type' || jsonb_build_object('alerted', done ->> 'alert_id' is not null, 'alert_id',
    (select id from public.hot_lead_alerts where org_id = p_org_id and call_id = (done ->> 'call_id')::uuid));
end
$$;

revoke execute on function
  public.opening_hours(uuid, date), public.free_slots(uuid, date, int), public.tool_available_slots(uuid, date, int),
  public.nearest_slots(uuid, timestamptz, int), public.wanted_start(text, text), public.tool_book(uuid, text, jsonb, jsonb),
  public.tool_find_caller(uuid, text), public.tool_hot_lead(uuid, text, jsonb, jsonb, jsonb)
  from public, anon, authenticated;
grant execute on function
  public.opening_hours(uuid, date), public.free_slots(uuid, date, int), public.tool_available_slots(uuid, date, int),
  public.nearest_slots(uuid, timestamptz, int), public.wanted_start(text, text), public.tool_book(uuid, text, jsonb, jsonb),
  public.tool_find_caller(uuid, text), public.tool_hot_lead(uuid, text, jsonb, jsonb, jsonb)
  to service_role;
