-- Bookings. Two live ones of an organisation never overlap, whoever writes them.
create table public.appointments (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organizations (id) on delete cascade,
  contact_id uuid,
  call_id uuid, -- a row of either call table
  service_type text not null check (length(btrim(service_type)) between 1 and 200),
  scheduled_at timestamptz not null check (isfinite(scheduled_at)),
  duration_minutes int not null default 45 check (duration_minutes between 1 and 1440),
  -- Through UTC, where adding minutes is the same at all times; otherwise no index could hold it.
  ends_at timestamptz not null generated always as
    ((scheduled_at at time zone 'UTC' + duration_minutes * interval '1 minute') at time zone 'UTC') stored,
  status text not null default 'pending'
    check (status in ('pending', 'scheduled', 'confirmed', 'in_progress', 'completed', 'cancelled', 'no_show')),
  customer_name text check (length(customer_name) <= 200),
  contact_phone text check (contact_phone ~ '^\+[1-9][0-9]{1,14}$'),
  calendar_link text,
  confirmation_sent boolean not null default false,
  notes text check (length(notes) <= 20000),
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  unique (org_id, id),
  foreign key (org_id, contact_id) references public.contacts (org_id, id) on delete set null (contact_id),
  constraint appointments_no_overlap exclude using gist (org_id with =, tstzrange(scheduled_at, ends_at) with &&)
    where (status in ('pending', 'scheduled', 'confirmed', 'in_progress') and deleted_at is null)
);

create trigger touch before update on public.appointments for each row execute function public.touch_updated_at();
create trigger identity before update on public.appointments for each row execute function public.keep_identity();
alter table public.appointments enable row level security;
revoke all on public.appointments from public, anon, authenticated;
grant all on public.appointments to service_role;
grant select, insert, update, delete on public.appointments to authenticated;
create policy "members read" on public.appointments for select to authenticated
  using (org_id = (select public.auth_org_id()));
create policy "agents add" on public.appointments for insert to authenticated
  with check (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 1);
create policy "agents change" on public.appointments for update to authenticated
  using (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 1)
  with check (org_id = (select public.auth_org_id()));
create policy "agents remove" on public.appointments for delete to authenticated
  using (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 1);
