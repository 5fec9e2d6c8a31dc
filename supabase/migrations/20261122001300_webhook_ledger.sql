-- What came from outside and what was done about it. Only the service role sees the first three.

-- Each event takes effect once: its row is written in the transaction of its effects.
create table public.processed_webhook_events (
  id bigint generated always as identity primary key,
  org_id uuid not null references public.organizations (id) on delete cascade,
  event_id text not null check (length(event_id) between 1 and 500),
  event_type text not null check (length(event_type) between 1 and 100),
  call_id text check (length(call_id) <= 200), -- the provider's id
  result jsonb, -- what was answered, for a tool call that comes twice
  received_at timestamptz not null default now(),
  unique (org_id, event_id)
);
create index idx_processed_webhook_events_received on public.processed_webhook_events (received_at);

create table public.webhook_delivery_log (
  id bigint generated always as identity primary key,
  org_id uuid not null references public.organizations (id) on delete cascade,
  event_id text not null check (length(event_id) between 1 and 500),
  event_type text not null check (length(event_type) between 1 and 100),
  status text not null default 'pending' check (status in ('pending', 'processing', 'completed', 'failed', 'dead_letter')),
  attempts int not null default 0 check (attempts >= 0),
  received_at timestamptz not null default now(),
  last_attempt_at timestamptz,
  completed_at timestamptz,
  error_message text check (length(error_message) <= 2000),
  unique (org_id, event_id)
);
create index idx_webhook_delivery_log_received on public.webhook_delivery_log (received_at);

-- Events that cannot be applied, kept whole so that they can be played again; the organisation may be unknown.
create table public.webhook_dead_letters (
  id uuid primary key default gen_random_uuid(),
  org_id uuid references public.organizations (id) on delete cascade,
  source text not null check (source in ('vapi', 'twilio')),
  event_id text check (length(event_id) <= 500),
  event_type text check (length(event_type) <= 100),
  payload jsonb not null,
  reason text not null check (length(reason) between 1 and 2000),
  attempts int not null default 1 check (attempts >= 1),
  received_at timestamptz not null default now(),
  replayed_at timestamptz
);
create index idx_webhook_dead_letters_org on public.webhook_dead_letters (org_id, received_at);
create index idx_webhook_dead_letters_waiting on public.webhook_dead_letters (received_at) where replayed_at is null;

create trigger identity before update on public.processed_webhook_events for each row execute function public.keep_identity();
create trigger identity before update on public.webhook_delivery_log for each row execute function public.keep_identity();
create trigger identity before update on public.webhook_dead_letters for each row execute function public.keep_identity();
alter table public.processed_webhook_events enable row level security;
alter table public.webhook_delivery_log enable row level security;
alter table public.webhook_dead_letters enable row level security;
revoke all on public.processed_webhook_events, public.webhook_delivery_log, public.webhook_dead_letters
  from public, anon, authenticated;
grant all on public.processed_webhook_events, public.webhook_delivery_log, public.webhook_dead_letters to service_role;

-- Who did what, for what must be accounted for. Written once, read by administrators.
create table public.audit_logs (
  id bigint generated always as identity primary key,
  org_id uuid not null references public.organizations (id) on delete cascade,
  user_id uuid, -- no foreign key: the trail outlives the account
  action text not null check (length(action) between 1 and 100),
  entity_type text check (length(entity_type) <= 100),
  entity_id text check (length(entity_id) <= 200),
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  request_id text check (length(request_id) <= 200),
  created_at timestamptz not null default now()
);
create index idx_audit_logs_org_created on public.audit_logs (org_id, created_at desc, id desc);
create trigger identity before update on public.audit_logs for each row execute function public.keep_identity();
alter table public.audit_logs enable row level security;
revoke all on public.audit_logs from public, anon, authenticated;
grant all on public.audit_logs to service_role;
grant select, insert (org_id, user_id, action, entity_type, entity_id, metadata, request_id) on public.audit_logs to authenticated;
create policy "admins read" on public.audit_logs for select to authenticated
  using (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 3);
create policy "members add" on public.audit_logs for insert to authenticated
  with check (org_id = (select public.auth_org_id()) and user_id = (select auth.uid()));

revoke all on all sequences in schema public from public, anon, authenticated;
grant usage, select on all sequences in schema public to service_role;
