-- GET /api/calls-dashboard: one page of calls with its total, in one request.
--
-- The statement is put together from what was asked, so that each order and filter gets the plan of its own index; every value
-- goes through %L or %I. Rows come with sort_duration and sort_name, from which the next page's cursor is made.

-- Everything but the select list: the calls of an organisation that the filters let through and a pattern matches.
create function public.call_list_source(
  p_org_id uuid, p_pattern text, p_call_type text, p_status text, p_since timestamptz, p_until timestamptz, p_include_test boolean
) returns text
language sql stable set search_path = ''
as $$
  select concat_ws(' and ', format('from public.calls_feed where org_id = %L', p_org_id),
    case when not p_include_test then 'is_test_call = false' end,
    case when p_call_type is not null then format('call_type = %L', p_call_type) end,
    case when p_status is not null then format('status = %L', p_status) end,
    case when p_since is not null then format('call_date >= %L', p_since) end,
    case when p_until is not null then format('call_date < %L', p_until) end,
    -- The organisation as text is what the search indexes begin with.
    case when p_pattern is not null
      then format('org_id::text = %L and search_text operator(pg_catalog.~*) %L', p_org_id, p_pattern) end)
$$;

-- The conditions for the rows after a given one, whose call_date, id, sort_duration and sort_name p_after holds: one for each
-- stretch of the index in which they lie. The order by name has two, since names go up and dates go down; as one condition they
-- would make every page among the callers without a name read all of those before it.
create function public.after_row(p_order text, p_after jsonb) returns text[]
language sql immutable set search_path = ''
as $$
  select case when p_after is null then '{true}' else case p_order
    when 'duration' then array[
      format('(sort_duration, call_date, id) < (%L, %L, %L)', p_after ->> 'sort_duration', p_after ->> 'call_date', p_after ->> 'id')]
    when 'name' then array[
      format('sort_name = %L and %s', p_after ->> 'sort_name', older), format('sort_name > %L', p_after ->> 'sort_name')]
    else array[older] end end
  from (select format('(call_date, id) < (%L, %L)', p_after ->> 'call_date', p_after ->> 'id') as older) as compared
$$;

create function public.call_list_order(p_order text) returns text
language sql immutable set search_path = ''
as $$
  select case p_order when 'duration' then 'sort_duration desc, ' when 'name' then 'sort_name, ' else '' end
    || 'call_date desc, id desc'
$$;

create function public.column_list(p_columns text[]) returns text
language sql immutable set search_path = ''
as $$
  select string_agg(format('%I', name), ', ') from unnest(p_columns) as name
$$;

-- The statement that gives the rows of one page as JSON, from a source as above. The columns must include id and call_date.
--
-- With p_pattern the list is read in order and matched until the page is full. "offset 0" keeps the match out of the merge of the
-- two tables: inside it, a table without any match would be read to its end for its first row.
create function public.call_page_sql(
  p_columns text, p_source text, p_order text, p_after jsonb, p_limit int, p_offset bigint, p_pattern text default null
) returns text
language sql immutable set search_path = ''
as $$
  select format('select coalesce(json_agg(page), ''[]'') from (%s) as page',
    case when count(*) = 1 then min(stretch) else format('select * from (%s) as stretches order by %s limit %s',
      string_agg(stretch, ' union all '), public.call_list_order(p_order), p_limit) end)
  from (
    select format('(select %s, sort_duration, sort_name %s limit %s offset %s)', p_columns,
      case when p_pattern is null then listed
        else format('from (select * %s offset 0) as listed where search_text operator(pg_catalog.~*) %L', listed, p_pattern) end,
      p_limit, p_offset) as stretch
    from unnest(public.after_row(p_order, p_after)) as condition,
      format('%s and %s order by %s', p_source, condition, public.call_list_order(p_order)) as listed
  ) as stretches
$$;

-- One page of a search: {rows, total, total_is_estimate}. Up to p_bound matches are counted exactly. Beyond that matches are
-- frequent, and the total is estimated from the newest p_bound calls.
--
-- The operator of a search is not leakproof: under row-level security Postgres must not let an index serve it, and reads the
-- organisation's whole history. So this function runs as its owner and checks the organisation itself.
create function public.search_calls(
  p_org_id uuid, p_pattern text, p_columns text[], p_order text, p_limit int, p_offset bigint, p_after jsonb,
  p_call_type text, p_status text, p_since timestamptz, p_until timestamptz, p_include_test boolean, p_bound int default 1000
) returns json
language plpgsql stable security definer set search_path = ''
as $$
declare
  source text := public.call_list_source(p_org_id, p_pattern, p_call_type, p_status, p_since, p_until, p_include_test);
  everything text := public.call_list_source(p_org_id, null, p_call_type, p_status, p_since, p_until, p_include_test);
  columns text := public.column_list(p_columns);
  matches bigint;
  found json;
  share double precision;
  page json;
begin
  if (select auth.role()) is distinct from 'service_role' and p_org_id is distinct from (select public.auth_org_id()) then
    raise exception 'this organisation is not the caller''s' using errcode = 'insufficient_privilege';
  end if;
  -- Few matches are gathered, since reading the list in order until a page is full could mean reading all of it; their keys
  -- only, since of the rows no more than a page is wanted.
  execute format(
    'with found as materialized (select id, call_date, sort_duration, sort_name %s limit %s) '
    'select (select count(*) from found), (%s)',
    source, p_bound + 1, public.call_page_sql('id, call_date', 'from found where true', p_order, p_after, p_limit, p_offset)
  ) into matches, found;
  if matches <= p_bound then
    source := format('from public.calls_feed where org_id = %L and id = any (%L::uuid[])', p_org_id,
      array(select (key ->> 'id')::uuid from json_array_elements(found) as key));
    execute public.call_page_sql(columns, source, p_order, null, p_limit, 0) into page;
    return json_build_object('rows', page, 'total', matches, 'total_is_estimate', false);
  end if;
  execute format(
    'select avg((search_text operator(pg_catalog.~*) %L)::int) from (select search_text %s order by %s limit %s) as newest',
    p_pattern, everything, public.call_list_order('date'), p_bound) into share;
  -- The planner can't tell how many match: where they lie close together, the list is read in order until the page is full.
  execute case when share > 0.005
    then public.call_page_sql(columns, everything, p_order, p_after, p_limit, p_offset, p_pattern)
    else public.call_page_sql(columns, source, p_order, p_after, p_limit, p_offset) end into page;
  matches := greatest(matches,
    round(share * public.count_calls(p_org_id, p_call_type, p_status, p_since, p_until, p_include_test)));
  return json_build_object('rows', page, 'total', matches, 'total_is_estimate', true);
end
$$;

-- One page of the list: {rows, total, total_is_estimate}. p_columns is what the rows consist of,
-- id and call_date among it; p_order is "date", "duration" or "name". The page begins after p_offset rows or, where p_after is given, after the row with those keys. From p_deep rows on, a
-- page in order of the date is found through the rollups.
create function public.list_calls(
  p_org_id uuid, p_columns text[], p_order text, p_limit int, p_offset bigint default 0, p_after jsonb default null,
  p_pattern text default null, p_call_type text default null, p_status text default null, p_since timestamptz default null,
  p_until timestamptz default null, p_include_test boolean default false, p_deep bigint default 1000
) returns json
language plpgsql stable set search_path = ''
as $$
declare
  total bigint;
  start record;
  until timestamptz := p_until;
  skip bigint := case when p_after is null then p_offset else 0 end;
  page json := '[]';
begin
  if p_pattern is not null then
    return public.search_calls(p_org_id, p_pattern, p_columns, p_order, p_limit, skip, p_after, p_call_type, p_status,
      p_since, p_until, p_include_test);
  end if;
  total := public.count_calls(p_org_id, p_call_type, p_status, p_since, p_until, p_include_test);
  if skip < total then
    if skip >= p_deep and p_order = 'date' then
      select * into start
      from public.call_page_start(p_org_id, skip, p_call_type, p_status, p_since, p_until, p_include_test);
      until := start.before;
      skip := skip - start.skipped;
    end if;
    execute public.call_page_sql(public.column_list(p_columns),
      public.call_list_source(p_org_id, null, p_call_type, p_status, p_since, until, p_include_test),
      p_order, p_after, p_limit, skip) into page;
  end if;
  return json_build_object('rows', page, 'total', total, 'total_is_estimate', false);
end
$$;

revoke execute on function
  public.call_list_source(uuid, text, text, text, timestamptz, timestamptz, boolean), public.after_row(text, jsonb),
  public.call_list_order(text), public.column_list(text[]), public.call_page_sql(text, text, text, jsonb, int, bigint, text),
  public.search_calls(uuid, text, text[], text, int, bigint, jsonb, text, text, timestamptz, timestamptz, boolean, int),
  public.list_calls(uuid, text[], text, int, bigint, jsonb, text, text, text, timestamptz, timestamptz, boolean, bigint)
  from public, anon;
grant execute on function
  public.call_list_source(uuid, text, text, text, timestamptz, timestamptz, boolean), public.after_row(text, jsonb),
  public.call_list_order(text), public.column_list(text[]), public.call_page_sql(text, text, text, jsonb, int, bigint, text),
  public.search_calls(uuid, text, text[], text, int, bigint, jsonb, text, text, timestamptz, timestamptz, boolean, int),
  public.list_calls(uuid, text[], text, int, bigint, jsonb, text, text, text, timestamptz, timestamptz, boolean, bigint)
  to authenticated, service_role;
