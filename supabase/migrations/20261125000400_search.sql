-- Search at any length of a history: what a search reads of the indexes is bounded by some months' calls where matches are
-- frequent, and by the matches where they are rare.

-- Whether a literal pattern has a trigram by which the search indexes can be read: three letters or digits in a row, or fewer beside
-- something else, so that a word is known to begin or end there.
create function public.has_trigrams(p_pattern text) returns boolean
language sql immutable set search_path = ''
as $$
  select regexp_replace(p_pattern, '\\(.)', '\1', 'g') ~ '[[:alnum:]]{3}|[^[:alnum:]][[:alnum:]]|[[:alnum:]]{2}[^[:alnum:]]'
$$;

-- A search for a number of eight digits and more asks the search indexes for its last five digits only, and matches the whole of it
-- against the few calls found. The indexes are read by trigrams, each of which every hundredth call has, so that ten of them cost
-- several times what three cost and find hardly fewer calls. Not so for a name, whose parts are much more frequent than the whole, nor for
-- digits that repeat themselves. A pattern without a trigram would make them be read whole, which takes seconds.
create or replace function public.call_list_source(
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
    -- A joined text is what the search indexes do not hold.
    case when p_pattern is null then null
      when p_pattern ~ '^(\\\+)?[0-9]{8,}$'
        and (select count(distinct digit) from regexp_split_to_table(right(p_pattern, 5), '') as digit) >= 3
      then format('search_text operator(pg_catalog.~*) %L and (search_text || '''') operator(pg_catalog.~*) %L',
        right(p_pattern, 5), p_pattern)
      when public.has_trigrams(p_pattern) then format('search_text operator(pg_catalog.~*) %L', p_pattern)
      else format('(search_text || '''') operator(pg_catalog.~*) %L', p_pattern) end)
$$;

-- The statement that gathers up to p_most matches and gives their number, and the keys of one page of them as JSON.
create function public.gather_sql(p_source text, p_order text, p_after jsonb, p_limit int, p_offset bigint, p_most int) returns text
language sql immutable set search_path = ''
as $$
  select format(
    'with found as materialized (select id, call_date, sort_duration, sort_name %s limit %s) '
    'select (select count(*) from found), (%s)',
    p_source, p_most, public.call_page_sql('id, call_date', 'from found where true', p_order, p_after, p_limit, p_offset))
$$;

-- The newest months of a list that hold p_window calls together, as the search indexes know them, and how many calls they hold. None
-- where the whole list has no more.
create function public.newest_months(
  p_org_id uuid, p_call_type text, p_status text, p_since timestamptz, p_until timestamptz, p_include_test boolean, p_window bigint,
  out months text[], out calls bigint
)
language plpgsql stable set search_path = '' set plan_cache_mode = 'force_generic_plan'
as $$
declare
  since timestamptz;
begin
  select array_agg(p_org_id::text || ((bucket at time zone 'UTC')::date - date '2000-01-01')::text), sum(held), min(bucket)
  into months, calls, since
  from (
    select bucket, sum(kept.calls) as held, sum(sum(kept.calls)) over (order by bucket desc) as running,
      sum(sum(kept.calls)) over () as total
    from public.span_buckets(p_org_id, p_include_test, 'month',
      coalesce(date_trunc('month', p_since, 'UTC'), '-infinity'), coalesce(p_until, 'infinity')) as kept
    where (p_call_type is null or call_type = p_call_type) and (p_status is null or status = p_status)
    group by bucket
  ) as buckets
  where total > p_window and running - held < p_window;
  if months is not null and (p_since is not null or p_until is not null) then
    calls := public.count_calls(p_org_id, p_call_type, p_status, greatest(p_since, since), p_until, p_include_test);
  end if;
end
$$;

-- How many of those calls match, no more than p_most; and the keys of a page in order of the date, null if it may reach further back.
-- Never by reading the table from its beginning: the planner takes matches to lie anywhere in it, and the newest lie at its end.
-- Its statistics often miss a name, which then seems so rare that months need not be asked for, and all clinics' matches are read: as
-- the result of a select the pattern is none that it could look up.
create function public.newest_matches(
  p_org_id uuid, p_pattern text, p_limit int, p_offset bigint, p_after jsonb, p_call_type text, p_status text, p_since timestamptz,
  p_until timestamptz, p_include_test boolean, p_window bigint, p_most int, out calls bigint, out matches bigint, out page json
)
language plpgsql stable set search_path = '' set enable_seqscan = off
as $$
declare
  months text[];
begin
  select * into months, calls
  from public.newest_months(p_org_id, p_call_type, p_status, p_since, p_until, p_include_test, p_window);
  if months is null then
    return;
  end if;
  execute public.gather_sql(
    public.call_list_source(p_org_id, null, p_call_type, p_status, p_since, p_until, p_include_test)
      || case when public.has_trigrams(p_pattern) then format(' and search_text operator(pg_catalog.~*) (select %L)', p_pattern)
        else format(' and (search_text || '''') operator(pg_catalog.~*) %L', p_pattern) end
      || ' and (org_id::text || (date_trunc(''month'', call_date at time zone ''UTC'')::date - date ''2000-01-01'')::text)'
      || format(' = any (%L::text[])', months),
    'date', p_after, p_limit, p_offset, p_most) into matches, page;
  if matches = p_most or json_array_length(page) < p_limit then
    page := null;
  end if;
end
$$;

-- One page of a search: {rows, total, total_is_estimate}. Up to p_bound matches are counted exactly, unless the newest months, as many
-- as hold p_window calls, have more than p_few of them already. Other totals are estimated from those months, or where they have
-- more than p_bound, from the newest p_bound calls; but a total is never less than what has been shown.
--
-- The operator of a search is not leakproof: under row-level security Postgres must not let an index serve it, and reads the
-- organisation's whole history. So this function runs as its owner and checks the organisation itself.
-- squawk-ignore ban-drop-function -- replaced at once, and called by list_calls only
drop function public.search_calls(
  uuid, text, text[], text, int, bigint, jsonb, text, text, timestamptz, timestamptz, boolean, int);
create function public.search_calls(
  p_org_id uuid, p_pattern text, p_columns text[], p_order text, p_limit int, p_offset bigint, p_after jsonb,
  p_call_type text, p_status text, p_since timestamptz, p_until timestamptz, p_include_test boolean, p_bound int default 1000,
  p_few int default 200, p_window bigint default 30000
) returns json
language plpgsql stable security definer set search_path = ''
as $$
declare
  source text := public.call_list_source(p_org_id, p_pattern, p_call_type, p_status, p_since, p_until, p_include_test);
  everything text := public.call_list_source(p_org_id, null, p_call_type, p_status, p_since, p_until, p_include_test);
  columns text := public.column_list(p_columns);
  after_moment timestamptz := (p_after ->> 'call_date')::timestamptz + interval '1 microsecond';
  history bigint;
  calls bigint;
  newest record;
  matches bigint;
  share double precision;
  exact boolean := false;
  found json; -- the keys of the page's rows
  page json;
begin
  if (select auth.role()) is distinct from 'service_role' and p_org_id is distinct from (select public.auth_org_id()) then
    raise exception 'this organisation is not the caller''s' using errcode = 'insufficient_privilege';
  end if;
  select coalesce(sum(kept.calls), 0), coalesce(sum(kept.calls) filter (where (p_include_test or not is_test_call)
    and (p_call_type is null or call_type = p_call_type) and (p_status is null or status = p_status)), 0)
  into history, calls from public.call_rollups as kept
  where org_id = p_org_id and is_test_call = any ('{f,t}') and grain = 'month';

  -- In a long history the newest months show whether matches are frequent. Those of a number hardly are.
  if history > p_window and p_pattern !~ '^(\\\+)?[0-9]{6,}$' then
    select * into newest from public.newest_matches(p_org_id, p_pattern, p_limit, p_offset, p_after,
      p_call_type, p_status, p_since, p_until, p_include_test, p_window, p_bound + 1);
    matches := newest.matches;
    share := case when matches <= p_bound then matches / nullif(newest.calls, 0)::double precision end;
    if matches > p_few and p_order = 'date' and p_after is not null and newest.page is null then
      select * into newest from public.newest_matches(p_org_id, p_pattern, p_limit, p_offset, p_after,
        p_call_type, p_status, p_since, least(p_until, after_moment), p_include_test, p_window, p_bound + 1);
    end if;
    found := case when p_order = 'date' then newest.page end;
  end if;

  -- The list of all calls of an organisation, which the search indexes have, is worth reading where most calls are another's.
  if public.has_trigrams(p_pattern) and 4 * history < (
      select sum(reltuples) from pg_catalog.pg_class where oid in ('public.call_logs'::regclass, 'public.calls'::regclass)) then
    source := source || format(' and org_id::text = %L', p_org_id);
  end if;
  if coalesce(matches, 0) <= p_few then
    -- Few matches are gathered, since reading the list in order until a page is full could mean reading all of it; their keys
    -- only, since of the rows no more than a page is wanted.
    execute public.gather_sql(source, p_order, p_after, p_limit, p_offset, p_bound + 1) into matches, page;
    exact := matches <= p_bound;
    found := case when exact then page else found end;
  end if;
  if not exact and share is null then
    execute format(
      'select avg((search_text operator(pg_catalog.~*) %L)::int) from (select search_text %s order by %s limit %s) as newest',
      p_pattern, everything, public.call_list_order('date'), p_bound) into share;
  end if;
  if not exact and (p_since is not null or p_until is not null) then
    calls := public.count_calls(p_org_id, p_call_type, p_status, p_since, p_until, p_include_test);
  end if;

  -- The planner can't tell how many match: where that is fewer rows, the list is read in order until the page is full. By name,
  -- those who match may stand together at the end of it, so that must be worth nearly all of it.
  execute case
    when found is not null
      then public.call_page_sql(columns, format('from public.calls_feed where org_id = %L and id = any (%L::uuid[])', p_org_id,
        array(select (key ->> 'id')::uuid from json_array_elements(found) as key)), p_order, null, p_limit, 0)
    when share * share * calls >= p_offset + p_limit and (p_order <> 'name' or share > 0.1)
      then public.call_page_sql(columns, everything, p_order, p_after, p_limit, p_offset, p_pattern)
    else public.call_page_sql(columns, source, p_order, p_after, p_limit, p_offset) end into page;
  return json_build_object('rows', page, 'total_is_estimate', not exact, 'total', case when exact then matches
    else greatest(matches, round(share * calls), p_offset + nullif(json_array_length(page), 0)) end);
end
$$;

revoke execute on function
  public.has_trigrams(text), public.gather_sql(text, text, jsonb, int, bigint, int),
  public.newest_months(uuid, text, text, timestamptz, timestamptz, boolean, bigint),
  public.newest_matches(uuid, text, int, bigint, jsonb, text, text, timestamptz, timestamptz, boolean, bigint, int),
  public.search_calls(uuid, text, text[], text, int, bigint, jsonb, text, text, timestamptz, timestamptz, boolean, int, int, bigint)
  from public, anon;
grant execute on function
  public.has_trigrams(text), public.gather_sql(text, text, jsonb, int, bigint, int),
  public.newest_months(uuid, text, text, timestamptz, timestamptz, boolean, bigint),
  public.newest_matches(uuid, text, int, bigint, jsonb, text, text, timestamptz, timestamptz, boolean, bigint, int),
  public.search_calls(uuid, text, text[], text, int, bigint, jsonb, text, text, timestamptz, timestamptz, boolean, int, int, bigint)
  to authenticated, service_role;
