-- What reads the rollups: totals of lists, statistics, summary, and the place where a deep page begins.

-- The first start of that grain (hour, day, month in UTC) at or after a moment.
create function public.next_bucket(p_grain text, p_moment timestamptz) returns timestamptz
language sql stable set search_path = ''
as $$
  select case when date_trunc(p_grain, p_moment, 'UTC') = p_moment then p_moment
    else (date_trunc(p_grain, p_moment at time zone 'UTC') + ('1 ' || p_grain)::interval) at time zone 'UTC' end
$$;

-- Cuts [p_since, p_until) into spans of whole buckets, as few as possible, and pieces of an hour (grain "call").
create function public.rollup_spans(p_since timestamptz, p_until timestamptz)
returns table (grain text, starts timestamptz, ends timestamptz)
language sql stable rows 7 set search_path = ''
as $$
  with hours as (
    select public.next_bucket('hour', p_since) as starts, date_trunc('hour', p_until, 'UTC') as ends
  ), days as (
    select public.next_bucket('day', starts) as starts, date_trunc('day', ends, 'UTC') as ends from hours
  ), months as (
    select public.next_bucket('month', starts) as starts, date_trunc('month', ends, 'UTC') as ends from days
  ), whole as (
    select hours.starts < hours.ends as hours, days.starts < days.ends as days, months.starts < months.ends as months
    from hours, days, months
  ), spans as (
    select 'call' as grain, p_since as starts, case when whole.hours then hours.starts else p_until end as ends from hours, whole
    union all select 'call', hours.ends, p_until from hours, whole where whole.hours
    union all select 'hour', hours.starts, case when whole.days then days.starts else hours.ends end
      from hours, days, whole where whole.hours
    union all select 'hour', days.ends, hours.ends from hours, days, whole where whole.days
    union all select 'day', days.starts, case when whole.months then months.starts else days.ends end
      from days, months, whole where whole.days
    union all select 'day', months.ends, days.ends from days, months, whole where whole.months
    union all select 'month', months.starts, months.ends from months, whole where whole.months
  )
  select * from spans where spans.starts < spans.ends
$$;

-- The buckets of one span; a piece of an hour is one bucket, counted off the calls. `ends` is where a bucket ends.
create function public.span_buckets(p_org_id uuid, p_include_test boolean, p_grain text, p_starts timestamptz, p_ends timestamptz)
returns setof public.call_rollups
language plpgsql stable rows 300 set search_path = '' set plan_cache_mode = 'force_generic_plan' -- the keys' order fits any values
as $$
begin
  if p_grain = 'call' then
    return query
    select p_org_id, is_test_call, p_grain, p_starts, call_type, feed.status, count(*), count(duration_seconds),
      coalesce(sum(duration_seconds), 0), count(sentiment_score), coalesce(sum(sentiment_score), 0), sum(financial_value)
    from public.calls_feed as feed
    where org_id = p_org_id and call_date >= p_starts and call_date < p_ends and (p_include_test or not is_test_call)
    group by is_test_call, call_type, feed.status;
  else
    return query
    select * from public.call_rollups
    where org_id = p_org_id and is_test_call = any (case when p_include_test then '{f,t}' else '{f}' end::boolean[])
      and grain = p_grain and bucket >= p_starts and bucket < p_ends;
  end if;
end
$$;

-- Counts and sums of the calls in [p_since, p_until) by type and status; several rows of one kind are to be added up.
create function public.call_sums(
  p_org_id uuid, p_since timestamptz default null, p_until timestamptz default null, p_include_test boolean default false
) returns setof public.call_rollups
language plpgsql stable rows 300 set search_path = '' set plan_cache_mode = 'force_generic_plan'
as $$
declare
  span record;
begin
  for span in select * from public.rollup_spans(coalesce(p_since, '-infinity'), coalesce(p_until, 'infinity')) loop
    return query select * from public.span_buckets(p_org_id, p_include_test, span.grain, span.starts, span.ends);
  end loop;
end
$$;

-- The total of a list of calls that is not searched.
create function public.count_calls(
  p_org_id uuid, p_call_type text default null, p_status text default null, p_since timestamptz default null,
  p_until timestamptz default null, p_include_test boolean default false
) returns bigint
language plpgsql stable set search_path = '' set plan_cache_mode = 'force_generic_plan'
as $$
begin
  return (
    select coalesce(sum(calls), 0) from public.call_sums(p_org_id, p_since, p_until, p_include_test)
    where (p_call_type is null or call_type = p_call_type) and (p_status is null or status = p_status));
end
$$;

-- Where a page deep in a list by date begins: `skipped` calls of the list happened at `before` or later, so the page is found
-- among the earlier ones. No row past the end. Goes from months to days to hours, so at most an hour's calls are counted off.
create function public.call_page_start(
  p_org_id uuid, p_offset bigint, p_call_type text default null, p_status text default null,
  p_since timestamptz default null, p_until timestamptz default null, p_include_test boolean default false
) returns table (before timestamptz, skipped bigint)
language plpgsql stable rows 1 set search_path = '' set plan_cache_mode = 'force_generic_plan'
as $$
declare
  remaining bigint := p_offset;
  span record;
  found_bucket record;
begin
  for span in
    select * from public.rollup_spans(coalesce(p_since, '-infinity'), coalesce(p_until, 'infinity')) order by starts desc
  loop
    loop
      select bucket, calls, running into found_bucket from (
        select bucket, sum(calls) as calls, sum(sum(calls)) over (order by bucket desc) as running
        from public.span_buckets(p_org_id, p_include_test, span.grain, span.starts, span.ends)
        where (p_call_type is null or call_type = p_call_type) and (p_status is null or status = p_status)
        group by bucket
      ) as buckets
      where running > remaining order by bucket desc limit 1;
      if found_bucket is null then
        remaining := remaining - public.count_calls(p_org_id, p_call_type, p_status, span.starts, span.ends, p_include_test);
        exit;
      end if;
      remaining := remaining - (found_bucket.running - found_bucket.calls);
      if span.grain <> 'call' then
        span.starts := found_bucket.bucket;
        span.ends := public.next_bucket(span.grain, found_bucket.bucket + interval '1 microsecond');
      end if;
      if span.grain in ('call', 'hour') then
        return query select span.ends, p_offset - remaining;
        return;
      end if;
      span.grain := case span.grain when 'month' then 'day' else 'hour' end;
    end loop;
  end loop;
end
$$;

-- Grows with every change of the calls; within one statement it belongs to what the statement counts.
create function public.call_version(p_org_id uuid) returns bigint
language sql stable set search_path = ''
as $$
  select coalesce((select version from public.call_versions where org_id = p_org_id), 0)
$$;

-- GET /api/calls-dashboard/stats. p_since bounds the totals; today and the last 30 days have bounds of their own.
create or replace function public.call_stats(p_org_id uuid, p_since timestamptz default null) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = 'force_generic_plan'
as $$
declare
  zone text := public.org_timezone(p_org_id);
  today date := (now() at time zone zone)::date;
  totals record;
  pipeline numeric;
begin
  select coalesce(sum(calls), 0) as calls,
    coalesce(sum(calls) filter (where call_type = 'inbound'), 0) as inbound,
    coalesce(sum(calls) filter (where status = 'completed'), 0) as completed,
    round(sum(total_seconds) filter (where status = 'completed')
      / nullif(sum(timed_calls) filter (where status = 'completed'), 0)) as duration
  into totals from public.call_sums(p_org_id, p_since);

  select coalesce(sum(total_value), 0) into pipeline from public.call_sums(p_org_id, now() - interval '30 days');

  return jsonb_build_object(
    'totalCalls', totals.calls, 'inboundCalls', totals.inbound, 'outboundCalls', totals.calls - totals.inbound,
    'completedCalls', totals.completed, 'avgDuration', coalesce(totals.duration, 0), 'pipelineValue', pipeline,
    'callsToday', public.count_calls(
      p_org_id, p_since => public.day_start(today, zone), p_until => public.day_start(today + 1, zone)),
    'recentCalls', public.recent_calls(p_org_id), 'version', public.call_version(p_org_id));
end
$$;

-- GET /api/calls-dashboard/analytics/summary. Days begin at midnight of the organisation's time zone.
create or replace function public.call_summary(p_org_id uuid) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = 'force_generic_plan'
as $$
declare
  zone text := public.org_timezone(p_org_id);
  today date := (now() at time zone zone)::date;
  tomorrow timestamptz := public.day_start(today + 1, zone);
  totals record;
begin
  select coalesce(sum(calls), 0) as calls,
    coalesce(sum(calls) filter (where status = 'completed'), 0) as completed,
    coalesce(sum(calls) filter (where status = 'missed'), 0) as missed,
    round(sum(total_seconds) filter (where status = 'completed')
      / nullif(sum(timed_calls) filter (where status = 'completed'), 0)) as duration,
    round(sum(total_sentiment) / nullif(sum(scored_calls), 0), 2) as sentiment
  into totals from public.call_sums(p_org_id);

  return jsonb_build_object(
    'total_calls', totals.calls, 'completed_calls', totals.completed, 'missed_calls', totals.missed,
    'average_duration', coalesce(totals.duration, 0), 'average_sentiment', coalesce(totals.sentiment, 0),
    'calls_today', public.count_calls(p_org_id, p_since => public.day_start(today, zone), p_until => tomorrow),
    'calls_this_week', public.count_calls(
      p_org_id, p_since => public.day_start(today - 7, zone), p_until => tomorrow),
    'calls_this_month', public.count_calls(
      p_org_id, p_since => public.day_start(date_trunc('month', today::timestamp)::date, zone), p_until => tomorrow),
    'version', public.call_version(p_org_id));
end
$$;

revoke execute on function public.call_version(uuid), public.next_bucket(text, timestamptz), public.rollup_spans(timestamptz, timestamptz),
  public.span_buckets(uuid, boolean, text, timestamptz, timestamptz),
  public.call_sums(uuid, timestamptz, timestamptz, boolean),
  public.count_calls(uuid, text, text, timestamptz, timestamptz, boolean),
  public.call_page_start(uuid, bigint, text, text, timestamptz, timestamptz, boolean) from public, anon;
grant execute on function public.call_version(uuid), public.next_bucket(text, timestamptz), public.rollup_spans(timestamptz, timestamptz),
  public.span_buckets(uuid, boolean, text, timestamptz, timestamptz),
  public.call_sums(uuid, timestamptz, timestamptz, boolean),
  public.count_calls(uuid, text, text, timestamptz, timestamptz, boolean),
  public.call_page_start(uuid, bigint, text, text, timestamptz, timestamptz, boolean) to authenticated, service_role;
