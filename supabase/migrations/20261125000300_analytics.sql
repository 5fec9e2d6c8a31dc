-- What the dashboard's home page polls, in one request each. They run as the caller, so row-level security holds. "limit 1" keeps
-- the planner from reading an organisation's whole address book to find a page's contacts.

-- GET /api/analytics/dashboard-pulse.
create function public.dashboard_pulse(p_org_id uuid) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = 'force_generic_plan'
as $$
declare
  totals record;
  appointments bigint;
begin
  select coalesce(sum(calls), 0) as calls,
    coalesce(sum(calls) filter (where call_type = 'inbound'), 0) as inbound,
    round(sum(total_seconds) filter (where status = 'completed')
      / nullif(sum(timed_calls) filter (where status = 'completed'), 0)) as duration,
    coalesce(sum(booked_calls), 0) as booked, coalesce(sum(hot_calls), 0) as hot,
    round(coalesce(sum(total_value), 0)) as value,
    round(sum(total_sentiment) / nullif(sum(scored_calls), 0), 2) as sentiment
  into totals from public.call_sums(p_org_id);
  select coalesce(sum(records), 0) into appointments from public.record_counts
  where org_id = p_org_id and noun = 'appointment' and state <> 'cancelled';

  return jsonb_build_object(
    'org_id', p_org_id, 'total_calls', totals.calls, 'inbound_calls', totals.inbound,
    'outbound_calls', totals.calls - totals.inbound, 'avg_duration_seconds', coalesce(totals.duration, 0),
    -- Bookings of either direction count, as ever; but no rate goes beyond 100.
    'success_rate', least(100, coalesce(round(100 * totals.booked / nullif(totals.inbound, 0), 1), 0)),
    'pipeline_value', totals.value, 'hot_leads_count', totals.hot, 'appointments_booked', appointments,
    'avg_sentiment', coalesce(totals.sentiment, 0), 'version', public.call_version(p_org_id));
end
$$;

-- GET /api/analytics/leads: the newest calls of each warmth, hot ones first. Bounded for each, so that many hot ones leave room.
create function public.actionable_leads(p_org_id uuid, p_hot int default 100, p_warm int default 100, p_cold int default 50)
returns json
language plpgsql stable set search_path = '' set plan_cache_mode = 'force_generic_plan'
as $$
declare
  zone text := public.org_timezone(p_org_id);
  leads json;
begin
  with lead as (
    (select 1 as place, id, contact_id, caller_name, phone_number, call_date, duration_seconds, call_type, status, sentiment_score,
       sentiment_summary, lead_temp, procedure_intent, financial_value, booking_confirmed
     from public.calls_feed where org_id = p_org_id and lead_temp = 'hot' and is_test_call = false
     order by call_date desc, id desc limit p_hot)
    union all
    (select 2, id, contact_id, caller_name, phone_number, call_date, duration_seconds, call_type, status, sentiment_score,
       sentiment_summary, lead_temp, procedure_intent, financial_value, booking_confirmed
     from public.calls_feed where org_id = p_org_id and lead_temp = 'warm' and is_test_call = false
     order by call_date desc, id desc limit p_warm)
    union all
    (select 3, id, contact_id, caller_name, phone_number, call_date, duration_seconds, call_type, status, sentiment_score,
       sentiment_summary, lead_temp, procedure_intent, financial_value, booking_confirmed
     from public.calls_feed where org_id = p_org_id and lead_temp = 'cold' and is_test_call = false
     order by call_date desc, id desc limit p_cold)
  )
  select coalesce(json_agg(listed), '[]') into leads
  from (
    select lead.id, contact_id, coalesce(contact.name, nullif(btrim(caller_name), '')) as contact_name,
      coalesce(phone_number, contact.phone) as phone_number, call_date as created_at,
      to_char(call_date at time zone zone, 'Mon DD, HH24:MI') as formatted_date, coalesce(duration_seconds, 0) as duration,
      call_type as direction, status, sentiment_score, sentiment_summary as last_call_summary, lead_temp, procedure_intent,
      financial_value, booking_confirmed as is_booked
    from lead
    left join lateral (
      select name, phone from public.contacts where contacts.org_id = p_org_id and contacts.id = lead.contact_id limit 1
    ) as contact on true
    order by place, call_date desc, lead.id desc
  ) as listed;
  return json_build_object('leads', leads, 'version', public.call_version(p_org_id));
end
$$;

-- GET /api/analytics/recent-activity: the ten newest of ten calls, five hot leads and five bookings.
create function public.recent_activity(p_org_id uuid) returns json
language plpgsql stable set search_path = '' set plan_cache_mode = 'force_generic_plan'
as $$
declare
  events json;
begin
  with called as (
    select id, contact_id, caller_name, call_date, call_type, duration_seconds, sentiment_label, sentiment_summary, sentiment_urgency
    from public.calls_feed where org_id = p_org_id and is_test_call = false
    order by call_date desc, id desc limit 10
  ), detected as (
    select id, call_id, lead_name, lead_phone, service_interest, lead_score, created_at
    from public.hot_lead_alerts where org_id = p_org_id
    order by created_at desc, id desc limit 5
  ), booked as (
    select id, contact_id, customer_name, contact_phone, service_type, scheduled_at, created_at
    from public.appointments where org_id = p_org_id and deleted_at is null and status <> 'cancelled'
    order by created_at desc, id desc limit 5
  ), event as (
    select 'call_completed' as type, called.id, call_date as timestamp, json_build_object(
      'caller_name', coalesce(nullif(btrim(caller_name), ''), contact.name), 'call_direction', call_type,
      'duration_seconds', coalesce(duration_seconds, 0), 'sentiment', sentiment_label, 'sentiment_label', sentiment_label,
      'sentiment_summary', sentiment_summary, 'sentiment_urgency', sentiment_urgency) as metadata
    from called left join lateral (
      select name from public.contacts where contacts.org_id = p_org_id and contacts.id = called.contact_id limit 1
    ) as contact on true
    union all
    select 'hot_lead_detected', id, created_at, json_build_object(
      'lead_name', lead_name, 'lead_phone', lead_phone, 'service_interest', service_interest, 'lead_score', lead_score,
      'call_id', call_id)
    from detected
    union all
    select 'appointment_booked', booked.id, created_at, json_build_object(
      'customer_name', coalesce(nullif(btrim(customer_name), ''), contact.name), 'scheduled_at', scheduled_at,
      'contact_phone', coalesce(contact_phone, contact.phone), 'service_type', service_type)
    from booked left join lateral (
      select name, phone from public.contacts where contacts.org_id = p_org_id and contacts.id = booked.contact_id limit 1
    ) as contact on true
    order by timestamp desc, type, id desc limit 10
  )
  select coalesce(json_agg(event order by timestamp desc, type, id desc), '[]') into events from event;
  return json_build_object('events', events, 'version', public.call_version(p_org_id));
end
$$;

revoke execute on function public.dashboard_pulse(uuid), public.actionable_leads(uuid, int, int, int), public.recent_activity(uuid)
  from public, anon;
grant execute on function public.dashboard_pulse(uuid), public.actionable_leads(uuid, int, int, int), public.recent_activity(uuid)
  to authenticated, service_role;
