-- The price list, and what each price used to be.
create table public.services (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organizations (id) on delete cascade,
  name text not null check (length(btrim(name)) between 1 and 200),
  price numeric(10, 2) not null check (price between 0 and 99999999.99),
  keywords text[] not null default '{}' check (public.has_no_blank(keywords)),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

-- No foreign key to services: the history outlives the service.
create table public.service_price_history (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organizations (id) on delete cascade,
  service_id uuid not null,
  service_name text not null,
  old_price numeric(10, 2), -- null when the service was new
  new_price numeric(10, 2) not null,
  changed_by uuid,
  changed_at timestamptz not null default now()
);
create index idx_service_price_history_org_service on public.service_price_history (org_id, service_id, changed_at desc);

-- Runs as its owner, because nobody else may write the history.
create function public.record_price() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  if tg_op = 'INSERT' or new.price <> old.price then
    insert into public.service_price_history (org_id, service_id, service_name, old_price, new_price, changed_by)
      values (new.org_id, new.id, new.name, case when tg_op = 'UPDATE' then old.price end, new.price, auth.uid());
  end if;
  return null;
end
$$;
revoke execute on function public.record_price() from public, anon, authenticated;
create trigger record_price after insert or update on public.services
  for each row execute function public.record_price();

create trigger touch before update on public.services for each row execute function public.touch_updated_at();
create trigger identity before update on public.services for each row execute function public.keep_identity();
alter table public.services enable row level security;
revoke all on public.services from public, anon, authenticated;
grant all on public.services to service_role;
grant select, insert, update, delete on public.services to authenticated;
create policy "members read" on public.services for select to authenticated
  using (org_id = (select public.auth_org_id()));
create policy "managers add" on public.services for insert to authenticated
  with check (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 2);
create policy "managers change" on public.services for update to authenticated
  using (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 2)
  with check (org_id = (select public.auth_org_id()));
create policy "managers remove" on public.services for delete to authenticated
  using (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 2);

create trigger identity before update on public.service_price_history for each row execute function public.keep_identity();
alter table public.service_price_history enable row level security;
revoke all on public.service_price_history from public, anon, authenticated;
grant all on public.service_price_history to service_role;
grant select on public.service_price_history to authenticated;
create policy "members read" on public.service_price_history for select to authenticated
  using (org_id = (select public.auth_org_id()));
