-- GET /api/contacts/stats. Runs as the caller, so row-level security holds; counted from an index on (org_id, lead_status, ...).
create function public.contact_stats(p_org_id uuid) returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object(
    'total_leads', count(*),
    'hot_leads', count(*) filter (where lead_status = 'hot'),
    'warm_leads', count(*) filter (where lead_status = 'warm'),
    'cold_leads', count(*) filter (where lead_status = 'cold'))
  from public.contacts
  where org_id = p_org_id
$$;
revoke execute on function public.contact_stats(uuid) from public, anon;
grant execute on function public.contact_stats(uuid) to authenticated, service_role;
