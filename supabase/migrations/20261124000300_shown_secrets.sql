-- What may be shown of a secret is a text per field, and written by merge_secrets alone: browsers could write anything there.
revoke insert, update on public.org_credentials from authenticated;
grant insert (org_id, provider, encrypted_config, is_active), update (encrypted_config, is_active)
  on public.org_credentials to authenticated;

update public.org_credentials set metadata = metadata - 'masked'
where metadata ? 'masked' and (
  jsonb_typeof(metadata -> 'masked') <> 'object' or jsonb_path_exists(metadata, 'strict $.masked.* ? (@.type() != "string")', silent => true));

alter table public.org_credentials add constraint masked_is_text check (
  not metadata ? 'masked' or (
    jsonb_typeof(metadata -> 'masked') = 'object'
    and not jsonb_path_exists(metadata, 'strict $.masked.* ? (@.type() != "string")', silent => true))
) not valid;
