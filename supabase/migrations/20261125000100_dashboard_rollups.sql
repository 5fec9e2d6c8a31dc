-- What the rest of the dashboard counts, kept as calls are: bookings and hot leads among calls, contacts by lead status,
-- appointments by status. And one version for all that a dashboard shows.

-- First of all, so that no writer holds one of these and waits for the rollups while this file does the opposite.
do $$
begin
  lock table public.call_logs, public.calls, public.contacts, public.appointments, public.hot_lead_alerts
    in share row exclusive mode;
end
$$;

alter table public.call_rollups
  add column booked_calls bigint not null default 0,
  add column hot_calls bigint not null default 0;

create table public.record_counts (
  org_id uuid not null references public.organizations (id) on delete cascade,
  noun text not null constraint noun_known check (noun in ('contact', 'appointment')),
  state text not null, -- a contact's lead_status, an appointment's status
  records bigint not null,
  primary key (org_id, noun, state)
) with (fillfactor = 70);
alter table public.record_counts enable row level security;
revoke all on public.record_counts from public, anon, authenticated;
grant all on public.record_counts to service_role;
grant select on public.record_counts to authenticated;
create policy "members read" on public.record_counts for select to authenticated
  using (org_id = (select public.auth_org_id()));

comment on table public.call_versions is
  'Grows with every change of an organisation''s calls, contacts, appointments, hot leads and time zone.';

create or replace function public.call_buckets_sql(p_source text) returns text
language sql immutable set search_path = ''
as $$
  select format($sql$
    select org_id, is_test_call, grain, date_trunc(grain, happened, 'UTC') as bucket, call_type, status,
      sum(sign) as calls,
      coalesce(sum(sign) filter (where duration_seconds is not null), 0) as timed_calls,
      coalesce(sum(sign * duration_seconds), 0) as total_seconds,
      coalesce(sum(sign) filter (where sentiment_score is not null), 0) as scored_calls,
      coalesce(sum(sign * sentiment_score), 0) as total_sentiment,
      coalesce(sum(sign * financial_value), 0) as total_value,
      coalesce(sum(sign) filter (where booking_confirmed), 0) as booked_calls,
      coalesce(sum(sign) filter (where lead_temp = 'hot'), 0) as hot_calls
    from (%s) as change
    cross join unnest(array['hour', 'day', 'month']) as grain
    group by org_id, is_test_call, grain, bucket, call_type, status
  $sql$, p_source)
$$;

create or replace function public.call_source_sql(p_call_type text, p_relation text, p_sign int) returns text
language sql immutable set search_path = ''
as $$
  select format(
    'select org_id, is_test_call, %I as happened, call_type, status, duration_seconds, sentiment_score, financial_value, '
    'booking_confirmed, lead_temp, %s as sign from %s where deleted_at is null',
    case p_call_type when 'inbound' then 'created_at' else 'call_date' end, p_sign, p_relation)
$$;

-- In plpgsql, which plans it once a session: every writer comes by.
create or replace function public.bump_call_versions(p_org_ids uuid[]) returns void
language plpgsql security definer set search_path = ''
as $$
begin
  insert into public.call_versions as kept (org_id)
  select id from public.organizations where id = any (p_org_ids) order by id
  on conflict (org_id) do update set version = kept.version + 1;
end
$$;

-- What a trigger that keeps counts does after one operation on one table. Such functions are written out by this when they are made,
-- not when they run: to put their statement together and plan it anew for each insert took longer than the insert.
--
-- The version comes before the counts: a transaction that changes several tables for one organisation then waits at this one row
-- for another such transaction, whatever their orders. Two can still wait for each other where they write the very same row: one
-- has it and waits for the version, the other has the version from an earlier statement. Such a request is sent again
-- (voxanne/database.py); a function that writes several rows locks those that others write first.
create function public.counting_branch_sql(p_table text, p_operation text, p_statement text) returns text
language sql immutable set search_path = ''
as $$
  select format($branch$
    when %L then
      insert into public.call_versions as kept (org_id)
      select id from public.organizations where id in (select org_id from %s) order by id
      on conflict (org_id) do update set version = kept.version + 1;
      %s;$branch$,
    p_table || ' ' || p_operation, case p_operation when 'DELETE' then 'old_rows' else 'new_rows' end, p_statement)
$$;

create function public.counting_function_sql(p_name text, p_branches text) returns text
language sql immutable set search_path = ''
as $$
  select format($function$
    create or replace function public.%I() returns trigger language plpgsql security definer set search_path = '' as $body$
    begin
      case tg_table_name || ' ' || tg_op %s
      end case;
      return null;
    end
    $body$ $function$, p_name, p_branches)
$$;

do $$
declare
  counted record;
  branches text := '';
begin
  for counted in
    select called, call_type, operation, concat_ws(' union all ',
      case when operation <> 'INSERT' then public.call_source_sql(call_type, 'old_rows', -1) end,
      case when operation <> 'DELETE' then public.call_source_sql(call_type, 'new_rows', 1) end) as source
    from (values ('call_logs', 'inbound'), ('calls', 'outbound')) as calls (called, call_type),
      unnest(array['INSERT', 'UPDATE', 'DELETE']) as operation
  loop
    branches := branches || public.counting_branch_sql(counted.called, counted.operation, format($sql$
      insert into public.call_rollups as kept
      select delta.* from (%s) as delta
      where (calls, timed_calls, total_seconds, scored_calls, total_sentiment, total_value, booked_calls, hot_calls)
          is distinct from (0, 0, 0, 0, 0, 0, 0, 0)
        and exists (select from public.organizations where id = delta.org_id)
      order by org_id, is_test_call, grain, bucket, call_type, status
      on conflict (org_id, is_test_call, grain, bucket, call_type, status) do update set
        calls = kept.calls + excluded.calls,
        timed_calls = kept.timed_calls + excluded.timed_calls,
        total_seconds = kept.total_seconds + excluded.total_seconds,
        scored_calls = kept.scored_calls + excluded.scored_calls,
        total_sentiment = kept.total_sentiment + excluded.total_sentiment,
        total_value = kept.total_value + excluded.total_value,
        booked_calls = kept.booked_calls + excluded.booked_calls,
        hot_calls = kept.hot_calls + excluded.hot_calls$sql$, public.call_buckets_sql(counted.source)));
  end loop;
  execute public.counting_function_sql('count_changed_calls', branches);
end
$$;

create or replace function public.forget_truncated_calls() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  update public.call_versions set version = version + 1 where true;
  delete from public.call_rollups
  where call_type = case tg_table_name when 'call_logs' then 'inbound' else 'outbound' end;
  return null;
end
$$;

create or replace function public.span_buckets(p_org_id uuid, p_include_test boolean, p_grain text, p_starts timestamptz, p_ends timestamptz)
returns setof public.call_rollups
language plpgsql stable rows 300 set search_path = '' set plan_cache_mode = 'force_generic_plan' -- the keys' order fits any values
as $$
begin
  if p_grain = 'call' then
    return query
    select p_org_id, is_test_call, p_grain, p_starts, call_type, feed.status, count(*), count(duration_seconds),
      coalesce(sum(duration_seconds), 0), count(sentiment_score), coalesce(sum(sentiment_score), 0), sum(financial_value),
      count(*) filter (where booking_confirmed), count(*) filter (where lead_temp = 'hot')
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

create or replace function public.call_rollup_drift(p_org_id uuid default null)
returns table (org_id uuid, grain text, bucket timestamptz, call_type text, status text, kept_calls bigint, counted_calls bigint)
language sql stable security invoker set search_path = ''
as $$
  select coalesce(kept.org_id, counted.org_id), coalesce(kept.grain, counted.grain), coalesce(kept.bucket, counted.bucket),
    coalesce(kept.call_type, counted.call_type), coalesce(kept.status, counted.status), kept.calls, counted.calls
  from (select * from public.call_rollups where p_org_id is null or org_id = p_org_id) as kept
  full join public.recounted_calls(p_org_id) as counted
    using (org_id, is_test_call, grain, bucket, call_type, status)
  where (coalesce(kept.calls, 0), coalesce(kept.timed_calls, 0), coalesce(kept.total_seconds, 0),
      coalesce(kept.scored_calls, 0), coalesce(kept.total_sentiment, 0), coalesce(kept.total_value, 0),
      coalesce(kept.booked_calls, 0), coalesce(kept.hot_calls, 0))
    is distinct from (coalesce(counted.calls, 0), coalesce(counted.timed_calls, 0), coalesce(counted.total_seconds, 0),
      coalesce(counted.scored_calls, 0), coalesce(counted.total_sentiment, 0), coalesce(counted.total_value, 0),
      coalesce(counted.booked_calls, 0), coalesce(counted.hot_calls, 0))
$$;

-- What one table's rows are as a source of counts: org_id, state and sign (1 to add a record, -1 to take it away).
create function public.record_source_sql(p_noun text, p_relation text, p_sign int) returns text
language sql immutable set search_path = ''
as $$
  select format(case p_noun
    when 'contact' then 'select org_id, lead_status as state, %s as sign from %s where true'
    else 'select org_id, status as state, %s as sign from %s where deleted_at is null' end, p_sign, p_relation)
$$;

do $$
declare
  counted record;
  branches text := '';
begin
  for counted in
    select recorded, noun, operation, concat_ws(' union all ',
      case when operation <> 'INSERT' then public.record_source_sql(noun, 'old_rows', -1) end,
      case when operation <> 'DELETE' then public.record_source_sql(noun, 'new_rows', 1) end) as source
    from (values ('contacts', 'contact'), ('appointments', 'appointment')) as nouns (recorded, noun),
      unnest(array['INSERT', 'UPDATE', 'DELETE']) as operation
  loop
    branches := branches || public.counting_branch_sql(counted.recorded, counted.operation, format($sql$
      insert into public.record_counts as kept
      select org_id, %L, state, sum(sign) from (%s) as change
      where exists (select from public.organizations where id = change.org_id)
      group by org_id, state having sum(sign) <> 0
      order by org_id, state
      on conflict (org_id, noun, state) do update set records = kept.records + excluded.records$sql$, counted.noun, counted.source));
  end loop;
  execute public.counting_function_sql('count_changed_records', branches);
end
$$;

-- Hot leads are not counted; what is shown of them changes all the same.
create function public.note_changed_alerts() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  if tg_op = 'DELETE' then
    perform public.bump_call_versions(array_agg(distinct org_id)) from old_rows having count(*) > 0;
  else
    perform public.bump_call_versions(array_agg(distinct org_id)) from new_rows having count(*) > 0;
  end if;
  return null;
end
$$;

create function public.forget_truncated_records() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  update public.call_versions set version = version + 1 where true;
  delete from public.record_counts
  where noun = case tg_table_name when 'contacts' then 'contact' when 'appointments' then 'appointment' end;
  return null;
end
$$;

create trigger rollup_insert after insert on public.contacts
  referencing new table as new_rows for each statement execute function public.count_changed_records();
create trigger rollup_update after update on public.contacts
  referencing old table as old_rows new table as new_rows for each statement execute function public.count_changed_records();
create trigger rollup_delete after delete on public.contacts
  referencing old table as old_rows for each statement execute function public.count_changed_records();
create trigger rollup_truncate after truncate on public.contacts
  for each statement execute function public.forget_truncated_records();
create trigger rollup_insert after insert on public.appointments
  referencing new table as new_rows for each statement execute function public.count_changed_records();
create trigger rollup_update after update on public.appointments
  referencing old table as old_rows new table as new_rows for each statement execute function public.count_changed_records();
create trigger rollup_delete after delete on public.appointments
  referencing old table as old_rows for each statement execute function public.count_changed_records();
create trigger rollup_truncate after truncate on public.appointments
  for each statement execute function public.forget_truncated_records();
create trigger version_insert after insert on public.hot_lead_alerts
  referencing new table as new_rows for each statement execute function public.note_changed_alerts();
create trigger version_update after update on public.hot_lead_alerts
  referencing new table as new_rows for each statement execute function public.note_changed_alerts();
create trigger version_delete after delete on public.hot_lead_alerts
  referencing old table as old_rows for each statement execute function public.note_changed_alerts();
create trigger version_truncate after truncate on public.hot_lead_alerts
  for each statement execute function public.forget_truncated_records();

create function public.recounted_records(p_org_id uuid default null) returns setof public.record_counts
language sql stable security invoker set search_path = ''
as $$
  select org_id, 'contact', lead_status, count(*) from public.contacts
  where p_org_id is null or org_id = p_org_id group by org_id, lead_status
  union all
  select org_id, 'appointment', status, count(*) from public.appointments
  where deleted_at is null and (p_org_id is null or org_id = p_org_id) group by org_id, status
$$;

-- The counts that are not what a recount says; none is as it should be.
create function public.record_count_drift(p_org_id uuid default null)
returns table (org_id uuid, noun text, state text, kept_records bigint, counted_records bigint)
language sql stable security invoker set search_path = ''
as $$
  select org_id, noun, state, kept.records, counted.records
  from (select * from public.record_counts where p_org_id is null or org_id = p_org_id) as kept
  full join public.recounted_records(p_org_id) as counted using (org_id, noun, state)
  where coalesce(kept.records, 0) <> coalesce(counted.records, 0)
$$;

-- Counts one organisation anew, as one of its writers: whoever has changed something has its version until they commit, and
-- whoever does so meanwhile adds to the new counts afterwards. A table's lock would stop all organisations, and meet in a circle
-- with whoever writes one table and then another.
create function public.rebuild_rollups_of(p_org_id uuid) returns bigint
language plpgsql security invoker set search_path = ''
as $$
declare
  buckets bigint;
  counts bigint;
begin
  perform public.bump_call_versions(array[p_org_id]);
  delete from public.call_rollups where org_id = p_org_id;
  insert into public.call_rollups select * from public.recounted_calls(p_org_id);
  get diagnostics buckets = row_count;
  delete from public.record_counts where org_id = p_org_id;
  insert into public.record_counts select * from public.recounted_records(p_org_id);
  get diagnostics counts = row_count;
  return buckets + counts;
end
$$;

-- Everything that the database keeps counted, in one table: what drifted, by its key.
create function public.rollup_drift(p_org_id uuid default null)
returns table (org_id uuid, rollup text, counted_by jsonb, kept bigint, counted bigint)
language sql stable security invoker set search_path = ''
as $$
  select org_id, 'call_rollups',
    jsonb_build_object('grain', grain, 'bucket', bucket, 'call_type', call_type, 'status', status), kept_calls, counted_calls
  from public.call_rollup_drift(p_org_id)
  union all
  select org_id, 'record_counts', jsonb_build_object('noun', noun, 'state', state), kept_records, counted_records
  from public.record_count_drift(p_org_id)
$$;

-- Counts everything anew; an organisation's writers wait until it is done, all of them in the order of their versions. Returns the
-- number of buckets and counts.
create function public.rebuild_rollups(p_org_id uuid default null) returns bigint
language plpgsql security invoker set search_path = ''
as $$
begin
  return (
    select coalesce(sum(public.rebuild_rollups_of(id)), 0)
    from (select id from public.organizations where p_org_id is null or id = p_org_id order by id offset 0) as organization);
end
$$;

-- The name of before.
create or replace function public.rebuild_call_rollups(p_org_id uuid default null) returns bigint
language sql security invoker set search_path = ''
as $$
  select public.rebuild_rollups(p_org_id)
$$;

-- GET /api/contacts/stats.
create or replace function public.contact_stats(p_org_id uuid) returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object(
    'total_leads', coalesce(sum(records), 0),
    'hot_leads', coalesce(sum(records) filter (where state = 'hot'), 0),
    'warm_leads', coalesce(sum(records) filter (where state = 'warm'), 0),
    'cold_leads', coalesce(sum(records) filter (where state = 'cold'), 0),
    'version', public.call_version(p_org_id))
  from public.record_counts
  where org_id = p_org_id and noun = 'contact'
$$;

revoke execute on function public.counting_branch_sql(text, text, text), public.counting_function_sql(text, text),
  public.record_source_sql(text, text, int), public.count_changed_records(),
  public.note_changed_alerts(), public.forget_truncated_records(), public.recounted_records(uuid),
  public.record_count_drift(uuid), public.rebuild_rollups_of(uuid), public.rollup_drift(uuid), public.rebuild_rollups(uuid)
  from public, anon, authenticated;
grant execute on function public.record_source_sql(text, text, int), public.recounted_records(uuid),
  public.record_count_drift(uuid), public.rebuild_rollups_of(uuid), public.rollup_drift(uuid), public.rebuild_rollups(uuid),
  public.bump_call_versions(uuid[])
  to service_role;

select public.rebuild_rollups();
