-- Search by part of a name or number, a page at a time.
--
-- The operator of a search is not leakproof: under row-level security Postgres must not let an index serve it, and reads the
-- organisation's whole history. So these functions run as their owner and check the organisation themselves.
drop function public.search_calls(uuid, text);

-- The query of a search without its select list: every call of an organisation that the filters let through and, where there is
-- a pattern, that it matches.
create function public.search_source(
  p_org_id uuid, p_pattern text, p_call_type text, p_status text, p_since timestamptz, p_until timestamptz, p_include_test boolean
) returns text
language sql immutable set search_path = ''
as $$
  select concat_ws(' and ', format('from public.calls_feed where org_id = %L', p_org_id),
    case when not p_include_test then 'is_test_call = false' end,
    case when p_call_type is not null then format('call_type = %L', p_call_type) end,
    case when p_status is not null then format('status = %L', p_status) end,
    case when p_since is not null then format('call_date >= %L', p_since) end,
    case when p_until is not null then format('call_date < %L', p_until) end,
    case when p_pattern is not null then format('search_text operator(pg_catalog.~*) %L', p_pattern) end)
$$;

-- The rows after a given one, in an order of the list; p_after holds that row's call_date, id, sort_duration and sort_name.
create function public.after_row(p_order text, p_after jsonb) returns text
language sql immutable set search_path = ''
as $$
  select case when p_after is null then '' else ' and ' || case p_order
    when 'duration' then format('(sort_duration <= %1$L and (sort_duration < %1$L or %2$s))', p_after ->> 'sort_duration', older)
    when 'name' then format('(sort_name >= %1$L and (sort_name > %1$L or %2$s))', p_after ->> 'sort_name', older)
    else older end end
  from (select format('(call_date, id) < (%L, %L)', p_after ->> 'call_date', p_after ->> 'id') as older) as compared
$$;

-- One page of a search: {rows, total, total_is_estimate}. p_order is "date", "duration" or "name"; the page begins after the row
-- p_after or after p_offset rows. Up to p_bound matches are counted exactly. Beyond that matches are frequent, and the total is
-- estimated from the newest p_bound calls.
create function public.search_calls(
  p_org_id uuid, p_pattern text, p_columns text[], p_order text, p_limit int, p_offset int default 0, p_after jsonb default null,
  p_call_type text default null, p_status text default null, p_since timestamptz default null,
  p_until timestamptz default null, p_include_test boolean default false, p_bound int default 1000
) returns jsonb
language plpgsql stable security definer set search_path = '' set plan_cache_mode = 'force_custom_plan'
as $$
declare
  source text := public.search_source(p_org_id, p_pattern, p_call_type, p_status, p_since, p_until, p_include_test);
  everything text := public.search_source(p_org_id, null, p_call_type, p_status, p_since, p_until, p_include_test);
  sorted text := case p_order when 'duration' then 'sort_duration desc, ' when 'name' then 'sort_name, ' else '' end
    || 'call_date desc, id desc';
  columns text := (select string_agg(format('%I', name), ', ') from unnest(p_columns) as name);
  matches bigint;
  share double precision;
  page jsonb;
begin
  if (select auth.role()) is distinct from 'service_role' and p_org_id is distinct from (select public.auth_org_id()) then
    raise exception 'this organisation is not the caller''s' using errcode = 'insufficient_privilege';
  end if;
  execute format('select count(*) from (select %s limit %s) as gathered', source, p_bound + 1) into matches;
  -- Few matches are gathered first, since reading the list in order until a page is full could mean reading all of it.
  execute format(
    'with found as %s (select %s, sort_duration, sort_name %s) '
    'select coalesce(jsonb_agg(to_jsonb(page)), ''[]'') from (select * from found where true %s order by %s limit %s offset %s) as page',
    case when matches > p_bound then 'not materialized' else 'materialized' end,
    columns, source, public.after_row(p_order, p_after), sorted, p_limit, p_offset) into page;
  if matches > p_bound then
    execute format('select avg((search_text operator(pg_catalog.~*) %L)::int) from (select search_text %s order by call_date desc, id desc limit %s) as newest',
      p_pattern, everything, p_bound) into share;
    matches := greatest(matches,
      round(share * public.count_calls(p_org_id, p_call_type, p_status, p_since, p_until, p_include_test)));
    return jsonb_build_object('rows', page, 'total', matches, 'total_is_estimate', true);
  end if;
  return jsonb_build_object('rows', page, 'total', matches, 'total_is_estimate', false);
end
$$;

revoke execute on function public.search_source(uuid, text, text, text, timestamptz, timestamptz, boolean),
  public.after_row(text, jsonb),
  public.search_calls(uuid, text, text[], text, int, int, jsonb, text, text, timestamptz, timestamptz, boolean, int)
  from public, anon, authenticated;
grant execute on function
  public.search_calls(uuid, text, text[], text, int, int, jsonb, text, text, timestamptz, timestamptz, boolean, int)
  to authenticated, service_role;
