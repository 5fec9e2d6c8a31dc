-- Counts of calls that the database keeps itself, so that a dashboard costs the same whatever an organisation's history.
--
-- Every call that is not deleted counts in three buckets: its UTC hour, day and month. Any span of time is then a few whole
-- months, days and hours and at most two pieces of an hour, which are counted off the calls themselves; so the days of any time
-- zone add up, and so does any moment. Triggers see the rows of a whole statement at once: a bulk load costs an update per
-- bucket and not one per call.
create table public.call_rollups (
  org_id uuid not null references public.organizations (id) on delete cascade,
  is_test_call boolean not null,
  grain text not null constraint grain_known check (grain in ('hour', 'day', 'month')),
  bucket timestamptz not null,
  call_type text not null,
  status text not null,
  calls bigint not null,
  timed_calls bigint not null, -- calls with a duration
  total_seconds bigint not null,
  scored_calls bigint not null, -- calls with a sentiment score
  total_sentiment numeric not null,
  total_value numeric not null,
  primary key (org_id, is_test_call, grain, bucket, call_type, status)
) with (fillfactor = 70); -- room to update the busiest rows in place
alter table public.call_rollups enable row level security;
revoke all on public.call_rollups from public, anon, authenticated;
grant all on public.call_rollups to service_role;
grant select on public.call_rollups to authenticated;
create policy "members read" on public.call_rollups for select to authenticated
  using (org_id = (select public.auth_org_id()));

-- A number that grows with every change of an organisation's calls, so that "has anything changed?" is one row to read.
create table public.call_versions (
  org_id uuid primary key references public.organizations (id) on delete cascade,
  version bigint not null default 1
) with (fillfactor = 70);
alter table public.call_versions enable row level security;
revoke all on public.call_versions from public, anon, authenticated;
grant all on public.call_versions to service_role;
grant select on public.call_versions to authenticated;
create policy "members read" on public.call_versions for select to authenticated
  using (org_id = (select public.auth_org_id()));

create function public.bump_call_versions(p_org_ids uuid[]) returns void
language sql security definer set search_path = ''
as $$
  insert into public.call_versions as kept (org_id)
  select id from public.organizations where id = any (p_org_ids) order by id
  on conflict (org_id) do update set version = kept.version + 1
$$;

-- Days begin elsewhere in another time zone, so its change is one, too.
create function public.note_timezone_change() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform public.bump_call_versions(array[new.id]);
  return null;
end
$$;
create trigger call_version after update of timezone on public.organizations
  for each row when (new.timezone is distinct from old.timezone) execute function public.note_timezone_change();

-- The query that turns calls into buckets. p_source selects org_id, is_test_call, happened, call_type, status,
-- duration_seconds, sentiment_score, financial_value and sign (1 to add a call, -1 to take it away).
create function public.call_buckets_sql(p_source text) returns text
language sql immutable set search_path = ''
as $$
  select format($sql$
    select org_id, is_test_call, grain, date_trunc(grain, happened, 'UTC') as bucket, call_type, status,
      sum(sign) as calls,
      coalesce(sum(sign) filter (where duration_seconds is not null), 0) as timed_calls,
      coalesce(sum(sign * duration_seconds), 0) as total_seconds,
      coalesce(sum(sign) filter (where sentiment_score is not null), 0) as scored_calls,
      coalesce(sum(sign * sentiment_score), 0) as total_sentiment,
      coalesce(sum(sign * financial_value), 0) as total_value
    from (%s) as change
    cross join unnest(array['hour', 'day', 'month']) as grain
    group by org_id, is_test_call, grain, bucket, call_type, status
  $sql$, p_source)
$$;

-- What one table's rows are as a source for the above.
create function public.call_source_sql(p_call_type text, p_relation text, p_sign int) returns text
language sql immutable set search_path = ''
as $$
  select format(
    'select org_id, is_test_call, %I as happened, call_type, status, duration_seconds, sentiment_score, financial_value, '
    '%s as sign from %s where deleted_at is null',
    case p_call_type when 'inbound' then 'created_at' else 'call_date' end, p_sign, p_relation)
$$;

-- Keeps the buckets in step, within the statement that changes calls. Buckets are locked in the order of their key, so that two
-- statements at once take turns. An organisation that is being deleted takes its rollups with it.
create function public.count_changed_calls() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  call_type text := case tg_table_name when 'call_logs' then 'inbound' else 'outbound' end;
  source text := concat_ws(' union all ',
    case when tg_op <> 'INSERT' then public.call_source_sql(call_type, 'old_rows', -1) end,
    case when tg_op <> 'DELETE' then public.call_source_sql(call_type, 'new_rows', 1) end);
begin
  execute format($sql$
    insert into public.call_rollups as kept
    select delta.* from (%s) as delta
    where (calls, timed_calls, total_seconds, scored_calls, total_sentiment, total_value) is distinct from (0, 0, 0, 0, 0, 0)
      and exists (select from public.organizations where id = delta.org_id)
    order by org_id, is_test_call, grain, bucket, call_type, status
    on conflict (org_id, is_test_call, grain, bucket, call_type, status) do update set
      calls = kept.calls + excluded.calls,
      timed_calls = kept.timed_calls + excluded.timed_calls,
      total_seconds = kept.total_seconds + excluded.total_seconds,
      scored_calls = kept.scored_calls + excluded.scored_calls,
      total_sentiment = kept.total_sentiment + excluded.total_sentiment,
      total_value = kept.total_value + excluded.total_value
  $sql$, public.call_buckets_sql(source));
  execute format(
    'select public.bump_call_versions(array_agg(distinct org_id)) from (%s) as changed having count(*) > 0',
    concat_ws(' union all ', case when tg_op <> 'INSERT' then 'select org_id from old_rows' end,
      case when tg_op <> 'DELETE' then 'select org_id from new_rows' end));
  return null;
end
$$;

create function public.forget_truncated_calls() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  delete from public.call_rollups
  where call_type = case tg_table_name when 'call_logs' then 'inbound' else 'outbound' end;
  return null;
end
$$;

create trigger rollup_insert after insert on public.call_logs
  referencing new table as new_rows for each statement execute function public.count_changed_calls();
create trigger rollup_update after update on public.call_logs
  referencing old table as old_rows new table as new_rows for each statement execute function public.count_changed_calls();
create trigger rollup_delete after delete on public.call_logs
  referencing old table as old_rows for each statement execute function public.count_changed_calls();
create trigger rollup_truncate after truncate on public.call_logs
  for each statement execute function public.forget_truncated_calls();
create trigger rollup_insert after insert on public.calls
  referencing new table as new_rows for each statement execute function public.count_changed_calls();
create trigger rollup_update after update on public.calls
  referencing old table as old_rows new table as new_rows for each statement execute function public.count_changed_calls();
create trigger rollup_delete after delete on public.calls
  referencing old table as old_rows for each statement execute function public.count_changed_calls();
create trigger rollup_truncate after truncate on public.calls
  for each statement execute function public.forget_truncated_calls();

-- Every bucket as it should be, counted anew off the calls.
create function public.recounted_calls(p_org_id uuid default null) returns setof public.call_rollups
language plpgsql stable security invoker set search_path = ''
as $$
declare
  belongs text := case when p_org_id is null then '' else format(' and org_id = %L', p_org_id) end;
begin
  return query execute public.call_buckets_sql(
    public.call_source_sql('inbound', 'public.call_logs', 1) || belongs || ' union all '
    || public.call_source_sql('outbound', 'public.calls', 1) || belongs);
end
$$;

-- The buckets that are not what a recount says, each with both numbers of calls; none is as it should be.
create function public.call_rollup_drift(p_org_id uuid default null)
returns table (org_id uuid, grain text, bucket timestamptz, call_type text, status text, kept_calls bigint, counted_calls bigint)
language sql stable security invoker set search_path = ''
as $$
  select coalesce(kept.org_id, counted.org_id), coalesce(kept.grain, counted.grain), coalesce(kept.bucket, counted.bucket),
    coalesce(kept.call_type, counted.call_type), coalesce(kept.status, counted.status), kept.calls, counted.calls
  from (select * from public.call_rollups where p_org_id is null or org_id = p_org_id) as kept
  full join public.recounted_calls(p_org_id) as counted
    using (org_id, is_test_call, grain, bucket, call_type, status)
  where (coalesce(kept.calls, 0), coalesce(kept.timed_calls, 0), coalesce(kept.total_seconds, 0),
      coalesce(kept.scored_calls, 0), coalesce(kept.total_sentiment, 0), coalesce(kept.total_value, 0))
    is distinct from (coalesce(counted.calls, 0), coalesce(counted.timed_calls, 0), coalesce(counted.total_seconds, 0),
      coalesce(counted.scored_calls, 0), coalesce(counted.total_sentiment, 0), coalesce(counted.total_value, 0))
$$;

-- Counts everything anew; writers of calls wait until it is done. Returns the number of buckets.
create function public.rebuild_call_rollups(p_org_id uuid default null) returns bigint
language plpgsql security invoker set search_path = ''
as $$
declare
  buckets bigint;
begin
  lock table public.call_logs, public.calls in share row exclusive mode;
  delete from public.call_rollups where p_org_id is null or org_id = p_org_id;
  insert into public.call_rollups select * from public.recounted_calls(p_org_id);
  get diagnostics buckets = row_count;
  return buckets;
end
$$;

revoke execute on function public.bump_call_versions(uuid[]), public.note_timezone_change(), public.call_buckets_sql(text), public.call_source_sql(text, text, int),
  public.count_changed_calls(), public.forget_truncated_calls(), public.recounted_calls(uuid),
  public.call_rollup_drift(uuid), public.rebuild_call_rollups(uuid) from public, anon, authenticated;
grant execute on function public.call_buckets_sql(text), public.call_source_sql(text, text, int), public.recounted_calls(uuid),
  public.call_rollup_drift(uuid), public.rebuild_call_rollups(uuid) to service_role;

select public.rebuild_call_rollups();
