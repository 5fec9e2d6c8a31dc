-- A search for a number of eight digits and more asks the search indexes for its last six digits only, and matches the whole of it
-- against the few calls found. The indexes are read by trigrams, each of which every hundredth call has, so that ten of them cost
-- twice of what four cost and find hardly fewer calls. Not so for a name, whose parts are much more frequent than the whole, nor for
-- digits that repeat themselves.
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
    -- The organisation as text is what the search indexes begin with; a joined text is what they do not hold.
    case when p_pattern ~ '^(\\\+)?[0-9]{8,}$'
        and (select count(distinct digit) from regexp_split_to_table(right(p_pattern, 6), '') as digit) >= 4
      then format('org_id::text = %L and search_text operator(pg_catalog.~*) %L and (search_text || '''') operator(pg_catalog.~*) %L',
        p_org_id, right(p_pattern, 6), p_pattern)
      when p_pattern is not null
      then format('org_id::text = %L and search_text operator(pg_catalog.~*) %L', p_org_id, p_pattern) end)
$$;
