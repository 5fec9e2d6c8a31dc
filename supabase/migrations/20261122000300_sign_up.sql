-- Sign-up: an account, its organisation, profile and role come into being together or not at all.

-- The dashboard shows its organisation forms to app_metadata.role "admin" only.
create function public.token_role(p_role text) returns text
language sql immutable set search_path = ''
as $$
  select case when p_role in ('owner', 'admin') then 'admin' else p_role end
$$;

create function public.join_organization(p_user_id uuid, p_email text, p_org_id uuid, p_role text) returns void
language plpgsql set search_path = ''
as $$
begin
  insert into public.profiles as profile (id, org_id, email) values (p_user_id, p_org_id, p_email)
    on conflict (id) do update set org_id = excluded.org_id;
  insert into public.user_org_roles as membership (user_id, org_id, role, accepted_at)
    values (p_user_id, p_org_id, p_role, now())
    on conflict (user_id, org_id) do update set accepted_at = coalesce(membership.accepted_at, now());
  update auth.users
    set raw_app_meta_data = raw_app_meta_data || jsonb_build_object('org_id', p_org_id, 'role', public.token_role(
      (select role from public.user_org_roles where user_id = p_user_id and org_id = p_org_id)))
    where id = p_user_id;
end
$$;

-- With an organisation in app_metadata (which only the service role can write) the account joins it; else it founds one.
create function public.provision_user() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  app_data jsonb := coalesce(new.raw_app_meta_data, '{}');
  organization uuid := (app_data ->> 'org_id')::uuid;
begin
  if new.raw_app_meta_data is null then
    update auth.users set raw_app_meta_data = app_data where id = new.id;
  end if;
  if organization is not null then
    perform public.join_organization(new.id, new.email, organization, coalesce(app_data ->> 'role', 'viewer'));
    return null;
  end if;
  insert into public.organizations (name, email)
    values (left(coalesce(nullif(btrim(new.raw_user_meta_data ->> 'business_name'), ''), new.email, 'New organisation'), 200), new.email)
    returning id into organization;
  perform public.join_organization(new.id, new.email, organization, 'owner');
  return null;
end
$$;

-- True while the transaction that created the account is still open.
create function public.is_signing_up(p_user_id uuid) returns boolean
language sql stable set search_path = ''
as $$
  select exists (select from public.profiles where id = p_user_id and created_at = now())
$$;

-- Auth writes app_metadata a second time within a sign-up, from what it had in memory: keep what the trigger above put there.
create function public.keep_signed_up_org() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  if old.raw_app_meta_data ->> 'org_id' is not null and new.raw_app_meta_data ->> 'org_id' is null
     and public.is_signing_up(new.id)
     and exists (select from public.user_org_roles
       where user_id = new.id and org_id = (old.raw_app_meta_data ->> 'org_id')::uuid) then
    new.raw_app_meta_data := coalesce(new.raw_app_meta_data, '{}')
      || jsonb_build_object('org_id', old.raw_app_meta_data -> 'org_id', 'role', old.raw_app_meta_data -> 'role');
  end if;
  return new;
end
$$;

-- The service role may name the organisation only in that second write: the one founded a moment ago is then dropped again.
create function public.follow_org_change() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  left_org uuid := (old.raw_app_meta_data ->> 'org_id')::uuid;
  joined_org uuid := (new.raw_app_meta_data ->> 'org_id')::uuid;
begin
  if exists (select from public.user_org_roles where user_id = new.id and org_id = joined_org and accepted_at is not null)
     and exists (select from public.profiles where id = new.id and org_id = joined_org) then
    return null;
  end if;
  perform public.join_organization(new.id, new.email, joined_org, coalesce(new.raw_app_meta_data ->> 'role', 'viewer'));
  if public.is_signing_up(new.id) then
    delete from public.organizations where id = left_org and created_at = now();
  end if;
  return null;
end
$$;

create function public.follow_email_change() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  update public.profiles set email = new.email where id = new.id;
  return null;
end
$$;

-- What the token says follows the membership: a new role shows at the next refresh, and a removed member loses the organisation.
create function public.follow_membership() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  if tg_op = 'UPDATE' then
    update auth.users
      set raw_app_meta_data = raw_app_meta_data || jsonb_build_object('role', public.token_role(new.role))
      where id = new.user_id and raw_app_meta_data ->> 'org_id' = new.org_id::text and new.accepted_at is not null;
    return null;
  end if;
  update auth.users set raw_app_meta_data = raw_app_meta_data - 'org_id' - 'role'
    where id = old.user_id and raw_app_meta_data ->> 'org_id' = old.org_id::text;
  update public.profiles set org_id = null where id = old.user_id and org_id = old.org_id;
  return null;
end
$$;

revoke execute on function public.token_role(text), public.join_organization(uuid, text, uuid, text), public.provision_user(),
  public.is_signing_up(uuid), public.keep_signed_up_org(), public.follow_org_change(), public.follow_email_change(),
  public.follow_membership() from public, anon, authenticated;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.provision_user();
create trigger on_auth_user_metadata before update of raw_app_meta_data on auth.users
  for each row execute function public.keep_signed_up_org();
create trigger on_auth_user_org_changed after update of raw_app_meta_data on auth.users
  for each row when (new.raw_app_meta_data ->> 'org_id' is not null
    and new.raw_app_meta_data ->> 'org_id' is distinct from old.raw_app_meta_data ->> 'org_id')
  execute function public.follow_org_change();
create trigger on_auth_user_email_changed after update of email on auth.users
  for each row execute function public.follow_email_change();
create trigger follow_membership after update of role, accepted_at or delete on public.user_org_roles
  for each row execute function public.follow_membership();
