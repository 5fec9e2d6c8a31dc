-- What the clinic's own people are told: notifications, and alerts about callers worth calling back at once.
create table public.notifications (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organizations (id) on delete cascade,
  user_id uuid, -- null: for everybody in the organisation
  type text not null check (type in
    ('hot_lead', 'appointment_booked', 'appointment_reminder', 'missed_call', 'system_alert', 'voicemail')),
  title text not null check (length(btrim(title)) between 1 and 200),
  message text not null check (length(message) <= 5000),
  priority text not null default 'normal' check (priority in ('low', 'normal', 'high', 'urgent')),
  status text not null default 'unread' check (status in ('unread', 'read', 'archived')),
  is_read boolean not null default false,
  read_at timestamptz,
  related_entity_type text check (length(related_entity_type) <= 50),
  related_entity_id text check (length(related_entity_id) <= 200),
  action_url text check (length(action_url) <= 2000),
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  expires_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  foreign key (user_id, org_id) references public.user_org_roles (user_id, org_id) on delete cascade,
  constraint is_read_agrees check (is_read = (status <> 'unread'))
);
create index idx_notifications_user on public.notifications (user_id, org_id) where user_id is not null;
create index idx_notifications_org_created on public.notifications (org_id, created_at desc, id desc);
create index idx_notifications_org_unread on public.notifications (org_id, created_at desc, id desc) where not is_read;

-- Either of the two may be written; the other follows.
create function public.agree_on_read() returns trigger
language plpgsql set search_path = ''
as $$
begin
  if tg_op = 'UPDATE' and new.status <> old.status then
    new.is_read := new.status <> 'unread';
  elsif tg_op = 'UPDATE' and new.is_read <> old.is_read then
    new.status := case when new.is_read then 'read' else 'unread' end;
  elsif new.status <> 'unread' then
    new.is_read := true;
  elsif new.is_read then
    new.status := 'read';
  end if;
  new.read_at := case when new.is_read then coalesce(new.read_at, now()) end;
  return new;
end
$$;
revoke execute on function public.agree_on_read() from public, anon, authenticated;
create trigger agree_on_read before insert or update on public.notifications
  for each row execute function public.agree_on_read();
create trigger touch before update on public.notifications for each row execute function public.touch_updated_at();
create trigger identity before update on public.notifications for each row execute function public.keep_identity();

alter table public.notifications enable row level security;
revoke all on public.notifications from public, anon, authenticated;
grant all on public.notifications to service_role;
grant select, insert, delete, update (is_read, status, read_at) on public.notifications to authenticated;
create policy "addressees read" on public.notifications for select to authenticated
  using (org_id = (select public.auth_org_id()) and (user_id is null or user_id = (select auth.uid())));
create policy "agents add" on public.notifications for insert to authenticated
  with check (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 1);
create policy "addressees change" on public.notifications for update to authenticated
  using (org_id = (select public.auth_org_id()) and (user_id is null or user_id = (select auth.uid())))
  with check (org_id = (select public.auth_org_id()));
create policy "addressees remove" on public.notifications for delete to authenticated
  using (org_id = (select public.auth_org_id())
    and (user_id = (select auth.uid()) or (user_id is null and (select public.auth_role_rank()) >= 1)));

create table public.hot_lead_alerts (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organizations (id) on delete cascade,
  call_id uuid not null, -- a row of either call table
  contact_id uuid,
  lead_name text not null check (length(lead_name) between 1 and 200),
  lead_phone text check (lead_phone ~ '^\+[1-9][0-9]{1,14}$'),
  service_interest text check (length(service_interest) <= 200),
  urgency_level text not null default 'high' check (urgency_level in ('high', 'medium', 'low')),
  summary text,
  lead_score int check (lead_score between 0 and 100),
  sms_message_id text check (length(sms_message_id) <= 200),
  alert_sent_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (org_id, call_id),
  foreign key (org_id, contact_id) references public.contacts (org_id, id) on delete set null (contact_id)
);
create index idx_hot_lead_alerts_org_created on public.hot_lead_alerts (org_id, created_at desc, id desc);
create index idx_hot_lead_alerts_org_contact on public.hot_lead_alerts (org_id, contact_id) where contact_id is not null;

create trigger touch before update on public.hot_lead_alerts for each row execute function public.touch_updated_at();
create trigger identity before update on public.hot_lead_alerts for each row execute function public.keep_identity();
alter table public.hot_lead_alerts enable row level security;
revoke all on public.hot_lead_alerts from public, anon, authenticated;
grant all on public.hot_lead_alerts to service_role;
grant select, insert, update, delete on public.hot_lead_alerts to authenticated;
create policy "members read" on public.hot_lead_alerts for select to authenticated
  using (org_id = (select public.auth_org_id()));
create policy "agents add" on public.hot_lead_alerts for insert to authenticated
  with check (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 1);
create policy "agents change" on public.hot_lead_alerts for update to authenticated
  using (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 1)
  with check (org_id = (select public.auth_org_id()));
create policy "agents remove" on public.hot_lead_alerts for delete to authenticated
  using (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 1);
