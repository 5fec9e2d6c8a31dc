-- What the dashboard's routes ask for in one request each.

-- Marks a call of either direction as deleted; true if the organisation has or had it, so that a repeat succeeds, too.
create function public.delete_call(p_org_id uuid, p_call_id uuid) returns boolean
language sql volatile security invoker set search_path = ''
as $$
  with inbound as (
    update public.call_logs set deleted_at = coalesce(deleted_at, now())
    where org_id = p_org_id and id = p_call_id returning 1
  ), outbound as (
    update public.calls set deleted_at = coalesce(deleted_at, now())
    where org_id = p_org_id and id = p_call_id returning 1
  )
  select exists (select from inbound) or exists (select from outbound);
$$;
revoke all on function public.delete_call(uuid, uuid) from public, anon;
grant execute on function public.delete_call(uuid, uuid) to authenticated, service_role;

-- Proves that the database answers, and tells how much room it takes.
create function public.database_size_bytes() returns bigint
language sql stable security invoker set search_path = ''
as $$ select pg_catalog.pg_database_size(pg_catalog.current_database()) $$;
revoke all on function public.database_size_bytes() from public, anon, authenticated;
grant execute on function public.database_size_bytes() to service_role;
