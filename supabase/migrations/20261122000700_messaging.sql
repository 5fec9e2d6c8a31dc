-- What was said to people outside: texts and e-mails, what became of them, and the tasks to follow up.
create table public.messages (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organizations (id) on delete cascade,
  contact_id uuid,
  appointment_id uuid,
  call_id uuid, -- a row of either call table
  direction text not null default 'outbound' check (direction in ('inbound', 'outbound')),
  method text not null check (method in ('sms', 'email')),
  recipient text not null check (length(recipient) between 1 and 320),
  subject text check (length(subject) <= 998),
  content text not null,
  status text not null default 'pending' check (status in ('pending', 'sent', 'delivered', 'failed', 'bounced')),
  error_message text,
  service_provider text check (length(service_provider) <= 50),
  external_message_id text check (length(external_message_id) <= 200),
  sent_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (org_id, id),
  foreign key (org_id, contact_id) references public.contacts (org_id, id) on delete set null (contact_id),
  foreign key (org_id, appointment_id) references public.appointments (org_id, id) on delete set null (appointment_id),
  constraint recipient_fits_method
    check (case method when 'sms' then recipient ~ '^\+[1-9][0-9]{1,14}$' else recipient like '%_@_%' end)
);
create unique index messages_external_id_key on public.messages (service_provider, external_message_id)
  where external_message_id is not null;
create index idx_messages_org_appointment on public.messages (org_id, appointment_id) where appointment_id is not null;
create index idx_messages_org_call on public.messages (org_id, call_id, created_at desc) where call_id is not null;

-- What Twilio reports of a text, by its own message id.
create table public.sms_message_tracking (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organizations (id) on delete cascade,
  message_id uuid,
  message_sid text not null unique check (length(message_sid) between 1 and 100),
  status text not null check (length(status) between 1 and 50),
  error_code text,
  error_message text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  foreign key (org_id, message_id) references public.messages (org_id, id) on delete cascade
);
create index idx_sms_message_tracking_org_message on public.sms_message_tracking (org_id, message_id);

create table public.follow_up_tasks (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organizations (id) on delete cascade,
  contact_id uuid,
  call_id uuid, -- a row of either call table
  task_type text not null check (task_type in ('sms_follow_up', 'call_back', 'email')),
  priority text not null default 'normal' check (priority in ('low', 'normal', 'high', 'urgent')),
  status text not null default 'pending' check (status in ('pending', 'in_progress', 'completed', 'failed', 'cancelled')),
  service_context jsonb not null default '{}' check (jsonb_typeof(service_context) = 'object'),
  scheduled_for timestamptz not null default now(),
  completed_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  foreign key (org_id, contact_id) references public.contacts (org_id, id) on delete cascade
);
create index idx_follow_up_tasks_org_contact on public.follow_up_tasks (org_id, contact_id);
create index idx_follow_up_tasks_org_due on public.follow_up_tasks (org_id, scheduled_for) where status = 'pending';

create trigger touch before update on public.messages for each row execute function public.touch_updated_at();
create trigger identity before update on public.messages for each row execute function public.keep_identity();
alter table public.messages enable row level security;
revoke all on public.messages from public, anon, authenticated;
grant all on public.messages to service_role;
grant select, insert, update, delete on public.messages to authenticated;
create policy "members read" on public.messages for select to authenticated
  using (org_id = (select public.auth_org_id()));
create policy "agents add" on public.messages for insert to authenticated
  with check (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 1);
create policy "agents change" on public.messages for update to authenticated
  using (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 1)
  with check (org_id = (select public.auth_org_id()));
create policy "agents remove" on public.messages for delete to authenticated
  using (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 1);

create trigger touch before update on public.sms_message_tracking for each row execute function public.touch_updated_at();
create trigger identity before update on public.sms_message_tracking for each row execute function public.keep_identity();
alter table public.sms_message_tracking enable row level security;
revoke all on public.sms_message_tracking from public, anon, authenticated;
grant all on public.sms_message_tracking to service_role;
grant select on public.sms_message_tracking to authenticated;
create policy "members read" on public.sms_message_tracking for select to authenticated
  using (org_id = (select public.auth_org_id()));

create trigger touch before update on public.follow_up_tasks for each row execute function public.touch_updated_at();
create trigger identity before update on public.follow_up_tasks for each row execute function public.keep_identity();
alter table public.follow_up_tasks enable row level security;
revoke all on public.follow_up_tasks from public, anon, authenticated;
grant all on public.follow_up_tasks to service_role;
grant select, insert, update, delete on public.follow_up_tasks to authenticated;
create policy "members read" on public.follow_up_tasks for select to authenticated
  using (org_id = (select public.auth_org_id()));
create policy "agents add" on public.follow_up_tasks for insert to authenticated
  with check (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 1);
create policy "agents change" on public.follow_up_tasks for update to authenticated
  using (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 1)
  with check (org_id = (select public.auth_org_id()));
create policy "agents remove" on public.follow_up_tasks for delete to authenticated
  using (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 1);
