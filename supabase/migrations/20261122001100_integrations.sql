-- Settings of an organisation's outside services, and apart from them its secrets, which no browser can read.
create table public.integration_settings (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null unique references public.organizations (id) on delete cascade,
  vapi_public_key text check (length(vapi_public_key) <= 200),
  vapi_assistant_id text check (length(vapi_assistant_id) between 1 and 200),
  vapi_phone_number_id text check (length(vapi_phone_number_id) between 1 and 200),
  twilio_account_sid text check (length(twilio_account_sid) <= 100),
  twilio_from_number text check (twilio_from_number ~ '^\+[1-9][0-9]{1,14}$'),
  test_destination_number text check (test_destination_number ~ '^\+[1-9][0-9]{1,14}$'),
  hot_lead_alert_phone text check (hot_lead_alert_phone ~ '^\+[1-9][0-9]{1,14}$'),
  transfer_phone_number text check (transfer_phone_number ~ '^\+[1-9][0-9]{1,14}$'),
  transfer_sip_uri text check (length(transfer_sip_uri) <= 500),
  transfer_departments jsonb not null default '{}' check (jsonb_typeof(transfer_departments) = 'object'),
  redact_transcripts boolean not null default true,
  last_verified_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table public.integrations (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organizations (id) on delete cascade,
  provider text not null check (provider in ('vapi', 'twilio', 'twilio_inbound', 'google_calendar', 'resend', 'elevenlabs')),
  connected boolean not null default false,
  config jsonb not null default '{}' check (jsonb_typeof(config) = 'object'),
  last_checked_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (org_id, provider)
);

create table public.org_credentials (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organizations (id) on delete cascade,
  provider text not null check (provider in ('vapi', 'twilio', 'twilio_inbound', 'google_calendar', 'resend', 'elevenlabs')),
  encrypted_config text not null check (length(encrypted_config) between 1 and 20000),
  is_active boolean not null default true,
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'), -- what may be shown, never a secret
  last_verified_at timestamptz,
  verification_error text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (org_id, provider)
);

create trigger touch before update on public.integration_settings for each row execute function public.touch_updated_at();
create trigger identity before update on public.integration_settings for each row execute function public.keep_identity();
alter table public.integration_settings enable row level security;
revoke all on public.integration_settings from public, anon, authenticated;
grant all on public.integration_settings to service_role;
grant select, insert, update, delete on public.integration_settings to authenticated;
create policy "members read" on public.integration_settings for select to authenticated
  using (org_id = (select public.auth_org_id()));
create policy "admins add" on public.integration_settings for insert to authenticated
  with check (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 3);
create policy "admins change" on public.integration_settings for update to authenticated
  using (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 3)
  with check (org_id = (select public.auth_org_id()));
create policy "admins remove" on public.integration_settings for delete to authenticated
  using (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 3);

create trigger touch before update on public.integrations for each row execute function public.touch_updated_at();
create trigger identity before update on public.integrations for each row execute function public.keep_identity();
alter table public.integrations enable row level security;
revoke all on public.integrations from public, anon, authenticated;
grant all on public.integrations to service_role;
grant select, insert, update, delete on public.integrations to authenticated;
create policy "members read" on public.integrations for select to authenticated
  using (org_id = (select public.auth_org_id()));
create policy "admins add" on public.integrations for insert to authenticated
  with check (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 3);
create policy "admins change" on public.integrations for update to authenticated
  using (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 3)
  with check (org_id = (select public.auth_org_id()));
create policy "admins remove" on public.integrations for delete to authenticated
  using (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 3);

create trigger touch before update on public.org_credentials for each row execute function public.touch_updated_at();
create trigger identity before update on public.org_credentials for each row execute function public.keep_identity();
alter table public.org_credentials enable row level security;
revoke all on public.org_credentials from public, anon, authenticated;
grant all on public.org_credentials to service_role;
-- Column by column, so that "select *" is refused: members see whether a service is connected, not with which secret.
grant select (id, org_id, provider, is_active, metadata, last_verified_at, verification_error, created_at, updated_at)
  on public.org_credentials to authenticated;
grant insert, update, delete on public.org_credentials to authenticated;
create policy "members read" on public.org_credentials for select to authenticated
  using (org_id = (select public.auth_org_id()));
create policy "admins add" on public.org_credentials for insert to authenticated
  with check (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 3);
create policy "admins change" on public.org_credentials for update to authenticated
  using (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 3)
  with check (org_id = (select public.auth_org_id()));
create policy "admins remove" on public.org_credentials for delete to authenticated
  using (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 3);

-- The encrypted secret of one service, for administrators; others get null, as if there were none.
create function public.org_secret(p_org_id uuid, p_provider text) returns text
language sql stable security definer set search_path = ''
as $$
  select encrypted_config from public.org_credentials
  where org_id = p_org_id and provider = p_provider and is_active
    and ((select auth.role()) = 'service_role'
      or (p_org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 3))
$$;
revoke execute on function public.org_secret(uuid, text) from public, anon;
grant execute on function public.org_secret(uuid, text) to authenticated, service_role;
