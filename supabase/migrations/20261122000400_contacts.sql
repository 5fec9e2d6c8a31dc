-- The people who call. One row for each telephone number of an organisation.
create table public.contacts (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organizations (id) on delete cascade,
  name text not null check (length(btrim(name)) between 1 and 200),
  phone text not null check (phone ~ '^\+[1-9][0-9]{1,14}$'),
  email text check (email like '%_@_%' and length(email) <= 320),
  lead_status text not null default 'warm' check (lead_status in ('hot', 'warm', 'cold')),
  pipeline_status text not null default 'new'
    check (pipeline_status in ('new', 'contacted', 'qualified', 'booked', 'converted', 'lost')),
  lead_score int not null default 0 check (lead_score between 0 and 100),
  service_interests text[] not null default '{}' check (public.has_no_blank(service_interests)),
  booking_source text check (length(booking_source) <= 100),
  notes text check (length(notes) <= 20000),
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  last_contacted_at timestamptz,
  search_text text not null generated always as (name || E'\n' || phone || E'\n' || coalesce(email, '')) stored,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (org_id, id),
  unique (org_id, phone)
);

create trigger touch before update on public.contacts for each row execute function public.touch_updated_at();
create trigger identity before update on public.contacts for each row execute function public.keep_identity();
alter table public.contacts enable row level security;
revoke all on public.contacts from public, anon, authenticated;
grant all on public.contacts to service_role;
grant select, insert, update, delete on public.contacts to authenticated;
create policy "members read" on public.contacts for select to authenticated
  using (org_id = (select public.auth_org_id()));
create policy "agents add" on public.contacts for insert to authenticated
  with check (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 1);
create policy "agents change" on public.contacts for update to authenticated
  using (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 1)
  with check (org_id = (select public.auth_org_id()));
create policy "agents remove" on public.contacts for delete to authenticated
  using (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 1);
