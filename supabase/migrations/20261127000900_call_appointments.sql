-- What became of a call: the appointment that was made during it, for the list of calls and for a call's detail.

-- The appointments of calls, by the call's id. Of several the newest counts, one that was cancelled only if there is no other.
-- Not in SQL, since plpgsql keeps the plan, which takes longer to make than to carry out.
create function public.call_appointments(p_org_id uuid, p_calls uuid[]) returns json
language plpgsql stable set search_path = ''
as $$
begin
  return (
    select coalesce(json_object_agg(call_id, json_build_object(
      'id', id, 'scheduled_at', scheduled_at, 'service_type', service_type, 'status', status)), '{}')
    from (
      select distinct on (call_id) call_id, id, scheduled_at, service_type, status
      from public.appointments
      where org_id = p_org_id and call_id = any (p_calls) and deleted_at is null
      order by call_id, status = 'cancelled', created_at desc, id desc
    ) as booked);
end
$$;

-- GET /api/calls-dashboard: what list_calls gives as `list`, whole, since taking it apart would mean reading it anew for each part; and
-- the `appointments` of its calls.
create function public.list_calls_with_appointments(
  p_org_id uuid, p_columns text[], p_order text, p_limit int, p_offset bigint default 0, p_after jsonb default null,
  p_pattern text default null, p_call_type text default null, p_status text default null, p_since timestamptz default null,
  p_until timestamptz default null, p_include_test boolean default false, p_deep bigint default 1000
) returns json
language plpgsql stable set search_path = ''
as $$
declare
  listed json := public.list_calls(p_org_id, p_columns, p_order, p_limit, p_offset, p_after, p_pattern, p_call_type, p_status,
    p_since, p_until, p_include_test, p_deep);
  calls uuid[] := array(select (call ->> 'id')::uuid from json_array_elements(listed -> 'rows') as call);
begin
  return json_build_object('list', listed,
    'appointments', case when calls = '{}' then '{}' else public.call_appointments(p_org_id, calls) end);
end
$$;

-- A column of calls_feed for PostgREST (a computed field), which the view itself would work out for every row that a page passes over.
create function public.appointment(public.calls_feed) returns json
language sql stable set search_path = ''
as $$
  select public.call_appointments($1.org_id, array[$1.id]) -> $1.id::text
$$;

revoke execute on function
  public.call_appointments(uuid, uuid[]), public.appointment(public.calls_feed),
  public.list_calls_with_appointments(
    uuid, text[], text, int, bigint, jsonb, text, text, text, timestamptz, timestamptz, boolean, bigint)
  from public, anon;
grant execute on function
  public.call_appointments(uuid, uuid[]), public.appointment(public.calls_feed),
  public.list_calls_with_appointments(
    uuid, text[], text, int, bigint, jsonb, text, text, text, timestamptz, timestamptz, boolean, bigint)
  to authenticated, service_role;
