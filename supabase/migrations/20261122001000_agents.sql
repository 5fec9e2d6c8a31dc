-- The voice assistants of an organisation and how they are set up. Secrets are apart, in org_credentials.
create table public.agents (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organizations (id) on delete cascade,
  role text not null check (role in ('inbound', 'outbound')),
  name text not null check (length(btrim(name)) between 1 and 100),
  system_prompt text check (length(system_prompt) <= 100000),
  first_message text check (length(first_message) <= 5000),
  voice text check (length(voice) <= 100),
  voice_provider text check (length(voice_provider) <= 50),
  language text not null default 'en-US' check (language ~ '^[a-z]{2,3}(-[A-Z]{2})?$'),
  max_call_duration int not null default 600 check (max_call_duration between 60 and 43200),
  active boolean not null default true,
  vapi_assistant_id text unique check (length(vapi_assistant_id) between 1 and 200),
  vapi_phone_number_id text check (length(vapi_phone_number_id) between 1 and 200),
  prompt_synced_at timestamptz,
  sync_error text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (org_id, id),
  unique (org_id, role)
);

create table public.inbound_agent_config (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null unique references public.organizations (id) on delete cascade,
  vapi_assistant_id text check (length(vapi_assistant_id) between 1 and 200),
  vapi_phone_number_id text check (length(vapi_phone_number_id) between 1 and 200),
  twilio_account_sid text check (length(twilio_account_sid) <= 100),
  twilio_phone_number text unique check (twilio_phone_number ~ '^\+[1-9][0-9]{1,14}$'),
  system_prompt text check (length(system_prompt) <= 100000),
  first_message text check (length(first_message) <= 5000),
  voice_id text check (length(voice_id) <= 100),
  language text not null default 'en-US' check (language ~ '^[a-z]{2,3}(-[A-Z]{2})?$'),
  max_call_duration int not null default 600 check (max_call_duration between 60 and 43200),
  is_active boolean not null default true,
  last_synced_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

-- A clinic may call out from the number of another of its branches, so the number is not unique here.
create table public.outbound_agent_config (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null unique references public.organizations (id) on delete cascade,
  vapi_assistant_id text check (length(vapi_assistant_id) between 1 and 200),
  vapi_phone_number_id text check (length(vapi_phone_number_id) between 1 and 200),
  twilio_account_sid text check (length(twilio_account_sid) <= 100),
  twilio_phone_number text check (twilio_phone_number ~ '^\+[1-9][0-9]{1,14}$'),
  system_prompt text check (length(system_prompt) <= 100000),
  first_message text check (length(first_message) <= 5000),
  voice_id text check (length(voice_id) <= 100),
  language text not null default 'en-US' check (language ~ '^[a-z]{2,3}(-[A-Z]{2})?$'),
  max_call_duration int not null default 600 check (max_call_duration between 60 and 43200),
  is_active boolean not null default true,
  last_synced_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

-- Which organisation an event of the voice provider belongs to.
create table public.assistant_org_mapping (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organizations (id) on delete cascade,
  vapi_assistant_id text not null unique check (length(vapi_assistant_id) between 1 and 200),
  assistant_role text not null check (assistant_role in ('inbound', 'outbound')),
  assistant_name text check (length(assistant_name) <= 200),
  last_used_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index idx_assistant_org_mapping_org on public.assistant_org_mapping (org_id);

create trigger touch before update on public.agents for each row execute function public.touch_updated_at();
create trigger identity before update on public.agents for each row execute function public.keep_identity();
alter table public.agents enable row level security;
revoke all on public.agents from public, anon, authenticated;
grant all on public.agents to service_role;
grant select, insert, update, delete on public.agents to authenticated;
create policy "members read" on public.agents for select to authenticated
  using (org_id = (select public.auth_org_id()));
create policy "admins add" on public.agents for insert to authenticated
  with check (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 3);
create policy "admins change" on public.agents for update to authenticated
  using (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 3)
  with check (org_id = (select public.auth_org_id()));
create policy "admins remove" on public.agents for delete to authenticated
  using (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 3);

create trigger touch before update on public.inbound_agent_config for each row execute function public.touch_updated_at();
create trigger identity before update on public.inbound_agent_config for each row execute function public.keep_identity();
alter table public.inbound_agent_config enable row level security;
revoke all on public.inbound_agent_config from public, anon, authenticated;
grant all on public.inbound_agent_config to service_role;
grant select, insert, update, delete on public.inbound_agent_config to authenticated;
create policy "members read" on public.inbound_agent_config for select to authenticated
  using (org_id = (select public.auth_org_id()));
create policy "admins add" on public.inbound_agent_config for insert to authenticated
  with check (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 3);
create policy "admins change" on public.inbound_agent_config for update to authenticated
  using (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 3)
  with check (org_id = (select public.auth_org_id()));
create policy "admins remove" on public.inbound_agent_config for delete to authenticated
  using (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 3);

create trigger touch before update on public.outbound_agent_config for each row execute function public.touch_updated_at();
create trigger identity before update on public.outbound_agent_config for each row execute function public.keep_identity();
alter table public.outbound_agent_config enable row level security;
revoke all on public.outbound_agent_config from public, anon, authenticated;
grant all on public.outbound_agent_config to service_role;
grant select, insert, update, delete on public.outbound_agent_config to authenticated;
create policy "members read" on public.outbound_agent_config for select to authenticated
  using (org_id = (select public.auth_org_id()));
create policy "admins add" on public.outbound_agent_config for insert to authenticated
  with check (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 3);
create policy "admins change" on public.outbound_agent_config for update to authenticated
  using (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 3)
  with check (org_id = (select public.auth_org_id()));
create policy "admins remove" on public.outbound_agent_config for delete to authenticated
  using (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 3);

create trigger touch before update on public.assistant_org_mapping for each row execute function public.touch_updated_at();
create trigger identity before update on public.assistant_org_mapping for each row execute function public.keep_identity();
alter table public.assistant_org_mapping enable row level security;
revoke all on public.assistant_org_mapping from public, anon, authenticated;
grant all on public.assistant_org_mapping to service_role;
grant select, insert, update, delete on public.assistant_org_mapping to authenticated;
create policy "members read" on public.assistant_org_mapping for select to authenticated
  using (org_id = (select public.auth_org_id()));
create policy "admins add" on public.assistant_org_mapping for insert to authenticated
  with check (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 3);
create policy "admins change" on public.assistant_org_mapping for update to authenticated
  using (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 3)
  with check (org_id = (select public.auth_org_id()));
create policy "admins remove" on public.assistant_org_mapping for delete to authenticated
  using (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 3);
