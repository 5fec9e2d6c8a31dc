-- Organisations, the people in them, and their roles.
create table public.organizations (
  id uuid primary key default gen_random_uuid(),
  name text not null check (length(btrim(name)) between 1 and 200),
  email text check (email like '%_@_%'),
  status text not null default 'active' check (status in ('active', 'inactive', 'suspended', 'deleted')),
  timezone text not null default 'UTC',
  telephony_country text not null default 'US' check (telephony_country ~ '^[A-Z]{2}$'),
  settings jsonb not null default '{}' check (jsonb_typeof(settings) = 'object'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table public.profiles (
  id uuid primary key references auth.users (id) on delete cascade,
  org_id uuid references public.organizations (id) on delete cascade,
  email text,
  full_name text check (length(full_name) <= 200),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index idx_profiles_org on public.profiles (org_id);

-- The one membership table. A row whose accepted_at is null is an invitation and gives no right.
create table public.user_org_roles (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references auth.users (id) on delete cascade,
  org_id uuid not null references public.organizations (id) on delete cascade,
  role text not null check (role in ('owner', 'admin', 'manager', 'agent', 'viewer')),
  invited_by uuid references auth.users (id) on delete set null,
  invited_at timestamptz not null default now(),
  accepted_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (user_id, org_id)
);
create index idx_user_org_roles_org_role on public.user_org_roles (org_id, role, created_at);
create index idx_user_org_roles_invited_by on public.user_org_roles (invited_by) where invited_by is not null;

-- What the browser keeps for a person, read and written by it directly.
create table public.user_settings (
  user_id uuid primary key references auth.users (id) on delete cascade,
  settings jsonb not null default '{}' check (jsonb_typeof(settings) = 'object'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create trigger touch before update on public.organizations for each row execute function public.touch_updated_at();
create trigger touch before update on public.profiles for each row execute function public.touch_updated_at();
create trigger touch before update on public.user_org_roles for each row execute function public.touch_updated_at();
create trigger touch before update on public.user_settings for each row execute function public.touch_updated_at();
create trigger identity before update on public.user_org_roles for each row execute function public.keep_identity();
create trigger timezone before insert or update of timezone on public.organizations
  for each row execute function public.check_timezone();

-- Own rows of user_org_roles are always visible, so this needs no more rights than the caller has.
create function public.auth_role_rank() returns int
language sql stable set search_path = ''
as $$
  select coalesce(max(public.role_rank(role)), 0)
  from public.user_org_roles
  where user_id = (select auth.uid()) and org_id = (select public.auth_org_id()) and accepted_at is not null
$$;
revoke execute on function public.auth_role_rank() from public, anon;
grant execute on function public.auth_role_rank() to authenticated, service_role;

-- An organisation keeps at least one owner or admin. The lock makes two administrators who remove each other at once take turns.
create function public.keep_an_admin() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  if public.role_rank(old.role) < 3 or old.accepted_at is null then
    return null;
  end if;
  perform from public.organizations where id = old.org_id for no key update;
  if not found or not exists (select from auth.users where id = old.user_id) then
    return null; -- the organisation or the account itself is being deleted
  end if;
  if not exists (
    select from public.user_org_roles
    where org_id = old.org_id and role in ('owner', 'admin') and accepted_at is not null
  ) then
    raise exception 'the last owner or admin of an organisation cannot be removed or demoted' using errcode = 'check_violation';
  end if;
  return null;
end
$$;
revoke execute on function public.keep_an_admin() from public, anon, authenticated;
create trigger keep_an_admin after update or delete on public.user_org_roles
  for each row execute function public.keep_an_admin();

alter table public.organizations enable row level security;
alter table public.profiles enable row level security;
alter table public.user_org_roles enable row level security;
alter table public.user_settings enable row level security;
revoke all on public.organizations, public.profiles, public.user_org_roles, public.user_settings from public, anon, authenticated;
grant all on public.organizations, public.profiles, public.user_org_roles, public.user_settings to service_role;
grant select on public.organizations, public.profiles, public.user_org_roles, public.user_settings to authenticated;
grant update (name, email, timezone, telephony_country, settings, updated_at) on public.organizations to authenticated;
grant update (full_name) on public.profiles to authenticated;
grant insert (user_id, org_id, role, invited_by), update (role), delete on public.user_org_roles to authenticated;
grant insert, update, delete on public.user_settings to authenticated;

create policy "members read" on public.organizations for select to authenticated
  using (id = (select public.auth_org_id()));
create policy "admins change" on public.organizations for update to authenticated
  using (id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 3)
  with check (id = (select public.auth_org_id()));

create policy "members read" on public.profiles for select to authenticated
  using (org_id = (select public.auth_org_id()) or id = (select auth.uid()));
create policy "own change" on public.profiles for update to authenticated
  using (id = (select auth.uid())) with check (id = (select auth.uid()));

create policy "members read" on public.user_org_roles for select to authenticated
  using (org_id = (select public.auth_org_id()) or user_id = (select auth.uid()));
-- Nobody gives, changes or takes away a role above their own.
create policy "admins invite" on public.user_org_roles for insert to authenticated
  with check (org_id = (select public.auth_org_id()) and accepted_at is null
    and (select public.auth_role_rank()) >= 3 and public.role_rank(role) <= (select public.auth_role_rank()));
create policy "admins change" on public.user_org_roles for update to authenticated
  using (org_id = (select public.auth_org_id())
    and (select public.auth_role_rank()) >= 3 and public.role_rank(role) <= (select public.auth_role_rank()))
  with check (org_id = (select public.auth_org_id()) and public.role_rank(role) <= (select public.auth_role_rank()));
create policy "admins remove" on public.user_org_roles for delete to authenticated
  using (org_id = (select public.auth_org_id())
    and (select public.auth_role_rank()) >= 3 and public.role_rank(role) <= (select public.auth_role_rank()));

create policy "own read" on public.user_settings for select to authenticated using (user_id = (select auth.uid()));
create policy "own add" on public.user_settings for insert to authenticated with check (user_id = (select auth.uid()));
create policy "own change" on public.user_settings for update to authenticated
  using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()));
create policy "own remove" on public.user_settings for delete to authenticated using (user_id = (select auth.uid()));
