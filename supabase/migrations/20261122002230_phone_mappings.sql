-- POST /api/inbound/phone-mappings: adds a number or brings it back, as {"mapping", "previous_vapi_id"}. What is null stays as it
-- was. Runs as the caller; a number or provider id that is active elsewhere breaks a unique index. The id that the mapping had
-- before goes along because callers cache by it.
create function public.save_phone_mapping(p_org_id uuid, p_number text, p_clinic_name text, p_vapi_id text) returns jsonb
language plpgsql set search_path = ''
as $$
declare
  previous text;
  saved public.phone_number_mapping;
begin
  select vapi_phone_number_id into previous from public.phone_number_mapping
    where org_id = p_org_id and inbound_phone_number = p_number for update;
  insert into public.phone_number_mapping as mapping (org_id, inbound_phone_number, clinic_name, vapi_phone_number_id, created_by)
    values (p_org_id, p_number, p_clinic_name, p_vapi_id, auth.uid())
    on conflict (org_id, inbound_phone_number) do update set
      is_active = true,
      clinic_name = coalesce(excluded.clinic_name, mapping.clinic_name),
      vapi_phone_number_id = coalesce(excluded.vapi_phone_number_id, mapping.vapi_phone_number_id)
    returning * into saved;
  return jsonb_build_object('mapping', to_jsonb(saved), 'previous_vapi_id', previous);
end
$$;
revoke execute on function public.save_phone_mapping(uuid, text, text, text) from public, anon;
grant execute on function public.save_phone_mapping(uuid, text, text, text) to authenticated, service_role;
