-- What the dashboard counts, in one request each. They run as the caller, so row-level security holds; the organisation is
-- named as well because that is what leads the planner to the index.

create function public.org_timezone(p_org_id uuid) returns text
language sql stable set search_path = ''
as $$
  select coalesce((select timezone from public.organizations where id = p_org_id), 'UTC')
$$;

-- When a day begins in a time zone. Where a clock goes back at midnight (Havana, the Azores) midnight comes twice, and
-- Postgres alone would answer with the second one.
create function public.day_start(p_day date, p_zone text) returns timestamptz
language sql stable set search_path = ''
as $$
  select case when (late - interval '1 hour') at time zone p_zone = p_day::timestamp then late - interval '1 hour' else late end
  from (select p_day::timestamp at time zone p_zone as late) as midnight
$$;

-- The five calls that began last. Calls that never began count from their date.
create function public.recent_calls(p_org_id uuid) returns jsonb
language sql stable set search_path = ''
as $$
  with newest as (
    (select id, phone_number, to_number, caller_name, call_type, created_at as call_date, started_at, duration_seconds, status,
       coalesce(started_at, created_at) as began
     from public.call_logs
     where org_id = p_org_id and deleted_at is null and not is_test_call
     order by coalesce(started_at, created_at) desc, id desc limit 5)
    union all
    (select id, phone_number, to_number, caller_name, call_type, call_date, started_at, duration_seconds, status,
       coalesce(started_at, call_date) as began
     from public.calls
     where org_id = p_org_id and deleted_at is null and not is_test_call
     order by coalesce(started_at, call_date) desc, id desc limit 5)
    order by began desc, id desc limit 5
  )
  select coalesce(jsonb_agg(jsonb_build_object(
    'id', id,
    'phone_number', coalesce(phone_number, to_number, 'Unknown'),
    'to_number', coalesce(to_number, phone_number, 'Unknown'),
    'caller_name', coalesce(nullif(btrim(caller_name), ''), 'Unknown'),
    'call_date', call_date,
    'call_type', call_type,
    'started_at', began,
    'duration_seconds', coalesce(duration_seconds, 0),
    'status', status,
    'metadata', jsonb_build_object('channel', call_type)
  ) order by began desc, id desc), '[]') from newest
$$;

-- GET /api/calls-dashboard/stats. p_since bounds the totals; today and the last 30 days have bounds of their own.
create function public.call_stats(p_org_id uuid, p_since timestamptz default null) returns jsonb
language plpgsql stable set search_path = ''
as $$
declare
  zone text := public.org_timezone(p_org_id);
  local_day date := (now() at time zone zone)::date;
  today timestamptz := public.day_start(local_day, zone);
  tomorrow timestamptz := public.day_start(local_day + 1, zone);
  since timestamptz := coalesce(p_since, '-infinity');
  totals record;
  calls_today bigint;
  pipeline numeric;
begin
  select count(*) as all_calls,
    count(*) filter (where call_type = 'inbound') as inbound,
    count(*) filter (where status = 'completed') as completed,
    round(avg(duration_seconds) filter (where status = 'completed'))::int as duration
  into totals
  from public.calls_feed
  where org_id = p_org_id and is_test_call = false and call_date >= since;

  select count(*) into calls_today
  from public.calls_feed
  where org_id = p_org_id and is_test_call = false and call_date >= today and call_date < tomorrow;

  select sum(financial_value) into pipeline
  from public.calls_feed
  where org_id = p_org_id and is_test_call = false and call_date >= now() - interval '30 days';

  return jsonb_build_object(
    'totalCalls', totals.all_calls, 'inboundCalls', totals.inbound, 'outboundCalls', totals.all_calls - totals.inbound,
    'completedCalls', totals.completed, 'callsToday', calls_today, 'avgDuration', coalesce(totals.duration, 0),
    'pipelineValue', coalesce(pipeline, 0), 'recentCalls', public.recent_calls(p_org_id));
end
$$;

-- GET /api/calls-dashboard/analytics/summary. Days begin at midnight of the organisation's time zone.
create function public.call_summary(p_org_id uuid) returns jsonb
language sql stable set search_path = ''
as $$
  with bounds as (
    select zone, (now() at time zone zone)::date as local_day
    from (select public.org_timezone(p_org_id) as zone) as organization
  ), starts as (
    select public.day_start(local_day, zone) as today,
      public.day_start(local_day + 1, zone) as tomorrow,
      public.day_start(local_day - 7, zone) as week,
      public.day_start(date_trunc('month', local_day::timestamp)::date, zone) as month
    from bounds
  )
  select jsonb_build_object(
    'total_calls', count(*),
    'completed_calls', count(*) filter (where status = 'completed'),
    'missed_calls', count(*) filter (where status = 'missed'),
    'average_duration', coalesce(round(avg(duration_seconds) filter (where status = 'completed'))::int, 0),
    'average_sentiment', coalesce(round(avg(sentiment_score), 2), 0),
    'calls_today', count(*) filter (where call_date >= (select today from starts) and call_date < (select tomorrow from starts)),
    'calls_this_week', count(*) filter (where call_date >= (select week from starts) and call_date < (select tomorrow from starts)),
    'calls_this_month', count(*) filter (where call_date >= (select month from starts) and call_date < (select tomorrow from starts)))
  from public.calls_feed
  where org_id = p_org_id and is_test_call = false
$$;

-- DELETE /api/calls-dashboard/:id, for a call of either table. True also when it was deleted before; false if there is none.
create function public.delete_call(p_org_id uuid, p_call_id uuid) returns boolean
language plpgsql set search_path = ''
as $$
begin
  update public.call_logs set deleted_at = coalesce(deleted_at, now()) where org_id = p_org_id and id = p_call_id;
  if not found then
    update public.calls set deleted_at = coalesce(deleted_at, now()) where org_id = p_org_id and id = p_call_id;
  end if;
  return found;
end
$$;

-- GET /api/agents: the members with role agent, oldest first. Runs as its owner because it reads auth.users.
create function public.list_agents(p_org_id uuid) returns table (id uuid, email text, created_at timestamptz)
language sql stable security definer set search_path = ''
as $$
  select membership.user_id, account.email::text, membership.created_at
  from public.user_org_roles as membership
  join auth.users as account on account.id = membership.user_id
  where membership.org_id = p_org_id and membership.role = 'agent' and membership.accepted_at is not null
    and ((select auth.role()) = 'service_role' or p_org_id = (select public.auth_org_id()))
  order by membership.created_at, membership.user_id
$$;

-- GET /health, for the service role only.
create function public.database_size_bytes() returns bigint
language sql volatile set search_path = ''
as $$
  select pg_catalog.pg_database_size(current_database())
$$;

revoke execute on function public.org_timezone(uuid), public.day_start(date, text), public.recent_calls(uuid),
  public.call_stats(uuid, timestamptz), public.call_summary(uuid), public.delete_call(uuid, uuid), public.list_agents(uuid)
  from public, anon;
grant execute on function public.org_timezone(uuid), public.day_start(date, text), public.recent_calls(uuid),
  public.call_stats(uuid, timestamptz), public.call_summary(uuid), public.delete_call(uuid, uuid), public.list_agents(uuid)
  to authenticated, service_role;
revoke execute on function public.database_size_bytes() from public, anon, authenticated;
grant execute on function public.database_size_bytes() to service_role;
