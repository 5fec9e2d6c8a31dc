-- The whole price list, newest first, as one value: a select of rows would end at PostgREST's limit of 1,000. Runs as the caller, so
-- row-level security holds; read in order from idx_services_org_created.
create function public.price_list(p_org_id uuid) returns jsonb
language sql stable set search_path = ''
as $$
  select coalesce(
    jsonb_agg(
      jsonb_build_object('id', id, 'name', name, 'price', price, 'keywords', keywords, 'created_at', created_at)
      order by created_at desc, id desc),
    '[]')
  from public.services
  where org_id = p_org_id
$$;
revoke execute on function public.price_list(uuid) from public, anon;
grant execute on function public.price_list(uuid) to authenticated, service_role;
