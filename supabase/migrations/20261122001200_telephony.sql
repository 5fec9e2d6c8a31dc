-- Numbers, transfers to people, and the founder console's test calls.
create table public.phone_number_mapping (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organizations (id) on delete cascade,
  inbound_phone_number text not null check (inbound_phone_number ~ '^\+[1-9][0-9]{1,14}$'),
  clinic_name text check (length(clinic_name) <= 200),
  vapi_phone_number_id text check (length(vapi_phone_number_id) between 1 and 200),
  is_active boolean not null default true,
  created_by uuid references auth.users (id) on delete set null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (org_id, inbound_phone_number)
);
-- A number in use belongs to one organisation only, or another could have its calls routed to itself.
create unique index phone_number_mapping_active_number_key on public.phone_number_mapping (inbound_phone_number) where is_active;
create unique index phone_number_mapping_active_vapi_key on public.phone_number_mapping (vapi_phone_number_id) where is_active;
create index idx_phone_number_mapping_created_by on public.phone_number_mapping (created_by) where created_by is not null;

create table public.escalation_rules (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organizations (id) on delete cascade,
  agent_id uuid, -- null: for all voice assistants
  assigned_user_id uuid, -- the dashboard offers people where it means assistants
  name text not null check (length(btrim(name)) between 1 and 200),
  description text check (length(description) <= 2000),
  trigger_type text not null check (trigger_type in ('wait_time', 'sentiment', 'ai_request', 'manual')),
  trigger_value jsonb check (jsonb_typeof(trigger_value) = 'object'),
  transfer_number text not null check (transfer_number ~ '^\+[1-9][0-9]{1,14}$'),
  transfer_type text not null default 'external' check (transfer_type in ('external', 'internal')),
  enabled boolean not null default true,
  priority int not null default 0 check (priority between 0 and 1000),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (org_id, id),
  foreign key (org_id, agent_id) references public.agents (org_id, id) on delete cascade,
  foreign key (assigned_user_id, org_id) references public.user_org_roles (user_id, org_id) on delete set null (assigned_user_id)
);
create index idx_escalation_rules_org_priority on public.escalation_rules (org_id, priority desc, created_at desc);
create index idx_escalation_rules_org_agent on public.escalation_rules (org_id, agent_id) where agent_id is not null;
create index idx_escalation_rules_user on public.escalation_rules (assigned_user_id, org_id) where assigned_user_id is not null;

create table public.transfer_queue (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organizations (id) on delete cascade,
  call_id uuid, -- a row of either call table
  escalation_rule_id uuid,
  from_agent_id uuid,
  to_number text not null check (to_number ~ '^\+[1-9][0-9]{1,14}$'),
  reason text check (length(reason) <= 2000),
  trigger_data jsonb not null default '{}' check (jsonb_typeof(trigger_data) = 'object'),
  status text not null default 'pending' check (status in ('pending', 'initiated', 'completed', 'failed')),
  error_message text,
  completed_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  foreign key (org_id, escalation_rule_id) references public.escalation_rules (org_id, id) on delete set null (escalation_rule_id),
  foreign key (org_id, from_agent_id) references public.agents (org_id, id) on delete set null (from_agent_id)
);
create index idx_transfer_queue_org_created on public.transfer_queue (org_id, created_at desc, id desc);
create index idx_transfer_queue_org_status on public.transfer_queue (org_id, status, created_at desc, id desc);
create index idx_transfer_queue_org_rule on public.transfer_queue (org_id, escalation_rule_id) where escalation_rule_id is not null;
create index idx_transfer_queue_org_agent on public.transfer_queue (org_id, from_agent_id) where from_agent_id is not null;

create table public.call_tracking (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organizations (id) on delete cascade,
  agent_id uuid,
  contact_id uuid,
  created_by uuid references auth.users (id) on delete set null,
  vapi_call_id text unique check (length(vapi_call_id) between 1 and 200),
  phone text check (phone ~ '^\+[1-9][0-9]{1,14}$'),
  status text not null default 'queued' check (status in ('queued', 'ringing', 'in-progress', 'completed', 'failed')),
  call_outcome text check (length(call_outcome) <= 100),
  called_at timestamptz not null default now(),
  started_at timestamptz,
  ended_at timestamptz,
  duration_seconds int check (duration_seconds >= 0),
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (org_id, id),
  foreign key (org_id, agent_id) references public.agents (org_id, id) on delete set null (agent_id),
  foreign key (org_id, contact_id) references public.contacts (org_id, id) on delete set null (contact_id),
  constraint ended_after_start check (ended_at >= started_at)
);
create index idx_call_tracking_org_called on public.call_tracking (org_id, called_at desc, id desc);
create index idx_call_tracking_org_agent on public.call_tracking (org_id, agent_id) where agent_id is not null;
create index idx_call_tracking_org_contact on public.call_tracking (org_id, contact_id) where contact_id is not null;
create index idx_call_tracking_created_by on public.call_tracking (created_by) where created_by is not null;

create table public.call_transcripts (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organizations (id) on delete cascade,
  call_id uuid not null,
  speaker text not null check (speaker in ('agent', 'customer')),
  text text not null check (length(text) <= 20000),
  spoken_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  foreign key (org_id, call_id) references public.call_tracking (org_id, id) on delete cascade
);
create index idx_call_transcripts_org_call on public.call_transcripts (org_id, call_id, spoken_at);

create trigger touch before update on public.phone_number_mapping for each row execute function public.touch_updated_at();
create trigger identity before update on public.phone_number_mapping for each row execute function public.keep_identity();
alter table public.phone_number_mapping enable row level security;
revoke all on public.phone_number_mapping from public, anon, authenticated;
grant all on public.phone_number_mapping to service_role;
grant select, insert, update, delete on public.phone_number_mapping to authenticated;
create policy "members read" on public.phone_number_mapping for select to authenticated
  using (org_id = (select public.auth_org_id()));
create policy "managers add" on public.phone_number_mapping for insert to authenticated
  with check (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 2);
create policy "managers change" on public.phone_number_mapping for update to authenticated
  using (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 2)
  with check (org_id = (select public.auth_org_id()));
create policy "managers remove" on public.phone_number_mapping for delete to authenticated
  using (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 2);

create trigger touch before update on public.escalation_rules for each row execute function public.touch_updated_at();
create trigger identity before update on public.escalation_rules for each row execute function public.keep_identity();
alter table public.escalation_rules enable row level security;
revoke all on public.escalation_rules from public, anon, authenticated;
grant all on public.escalation_rules to service_role;
grant select, insert, update, delete on public.escalation_rules to authenticated;
create policy "members read" on public.escalation_rules for select to authenticated
  using (org_id = (select public.auth_org_id()));
create policy "managers add" on public.escalation_rules for insert to authenticated
  with check (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 2);
create policy "managers change" on public.escalation_rules for update to authenticated
  using (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 2)
  with check (org_id = (select public.auth_org_id()));
create policy "managers remove" on public.escalation_rules for delete to authenticated
  using (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 2);

create trigger touch before update on public.transfer_queue for each row execute function public.touch_updated_at();
create trigger identity before update on public.transfer_queue for each row execute function public.keep_identity();
alter table public.transfer_queue enable row level security;
revoke all on public.transfer_queue from public, anon, authenticated;
grant all on public.transfer_queue to service_role;
grant select, insert, update, delete on public.transfer_queue to authenticated;
create policy "members read" on public.transfer_queue for select to authenticated
  using (org_id = (select public.auth_org_id()));
create policy "agents add" on public.transfer_queue for insert to authenticated
  with check (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 1);
create policy "agents change" on public.transfer_queue for update to authenticated
  using (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 1)
  with check (org_id = (select public.auth_org_id()));
create policy "agents remove" on public.transfer_queue for delete to authenticated
  using (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 1);

create trigger touch before update on public.call_tracking for each row execute function public.touch_updated_at();
create trigger identity before update on public.call_tracking for each row execute function public.keep_identity();
alter table public.call_tracking enable row level security;
revoke all on public.call_tracking from public, anon, authenticated;
grant all on public.call_tracking to service_role;
grant select, insert, update, delete on public.call_tracking to authenticated;
create policy "members read" on public.call_tracking for select to authenticated
  using (org_id = (select public.auth_org_id()));
create policy "agents add" on public.call_tracking for insert to authenticated
  with check (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 1);
create policy "agents change" on public.call_tracking for update to authenticated
  using (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 1)
  with check (org_id = (select public.auth_org_id()));
create policy "agents remove" on public.call_tracking for delete to authenticated
  using (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 1);

create trigger identity before update on public.call_transcripts for each row execute function public.keep_identity();
alter table public.call_transcripts enable row level security;
revoke all on public.call_transcripts from public, anon, authenticated;
grant all on public.call_transcripts to service_role;
grant select, insert, update, delete on public.call_transcripts to authenticated;
create policy "members read" on public.call_transcripts for select to authenticated
  using (org_id = (select public.auth_org_id()));
create policy "agents add" on public.call_transcripts for insert to authenticated
  with check (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 1);
create policy "agents change" on public.call_transcripts for update to authenticated
  using (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 1)
  with check (org_id = (select public.auth_org_id()));
create policy "agents remove" on public.call_transcripts for delete to authenticated
  using (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 1);
