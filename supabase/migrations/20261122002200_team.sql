-- The team: who belongs to an organisation, who is asked to join it, and what joining takes.

-- Invitations go to an address, whether or not there is an account for it: so inviting tells nobody who is registered.
-- They give no right. Only the person who has that address confirmed can turn one into a membership.
create table public.team_invitations (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organizations (id) on delete cascade,
  email text not null check (email = lower(btrim(email)) and email like '%_@_%' and length(email) <= 320),
  role text not null check (role in ('owner', 'admin', 'manager', 'agent', 'viewer')),
  invited_by uuid default auth.uid() references auth.users (id) on delete set null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (org_id, email)
);
create index idx_team_invitations_email on public.team_invitations (email);
create index idx_team_invitations_invited_by on public.team_invitations (invited_by) where invited_by is not null;

-- After the row, not before it: policies are checked in between, so only who may invite learns that somebody is a member already.
create function public.refuse_member_invitation() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  if exists (
    select from public.user_org_roles as membership join auth.users as account on account.id = membership.user_id
    where membership.org_id = new.org_id and lower(account.email) = new.email and membership.accepted_at is not null
  ) then
    raise exception 'already a member' using errcode = 'unique_violation';
  end if;
  return null;
end
$$;
revoke execute on function public.refuse_member_invitation() from public, anon, authenticated;

create trigger touch before update on public.team_invitations for each row execute function public.touch_updated_at();
create trigger identity before update on public.team_invitations for each row execute function public.keep_identity();
create trigger refuse_member after insert on public.team_invitations
  for each row execute function public.refuse_member_invitation();

alter table public.team_invitations enable row level security;
revoke all on public.team_invitations from public, anon, authenticated;
grant all on public.team_invitations to service_role;
grant select, insert (org_id, email, role), update (role), delete on public.team_invitations to authenticated;
create policy "members read" on public.team_invitations for select to authenticated
  using (org_id = (select public.auth_org_id()));
create policy "admins add" on public.team_invitations for insert to authenticated
  with check (org_id = (select public.auth_org_id()) and invited_by = (select auth.uid())
    and (select public.auth_role_rank()) >= 3 and public.role_rank(role) <= (select public.auth_role_rank()));
create policy "admins change" on public.team_invitations for update to authenticated
  using (org_id = (select public.auth_org_id())
    and (select public.auth_role_rank()) >= 3 and public.role_rank(role) <= (select public.auth_role_rank()))
  with check (org_id = (select public.auth_org_id()) and public.role_rank(role) <= (select public.auth_role_rank()));
create policy "admins remove" on public.team_invitations for delete to authenticated
  using (org_id = (select public.auth_org_id())
    and (select public.auth_role_rank()) >= 3 and public.role_rank(role) <= (select public.auth_role_rank()));

-- GET /api/team/members: members and those still asked, newest first, as one value, so that no cap on rows cuts it short.
-- Runs as its owner because it reads auth.users. Addresses show for accepted members, and where the address is what was asked.
create function public.team_members(p_org_id uuid) returns jsonb
language sql stable security definer set search_path = ''
as $$
  with people as (
    select membership.id, membership.user_id, membership.org_id, membership.role, membership.invited_by,
      membership.invited_at, membership.accepted_at, membership.created_at, membership.updated_at,
      case when membership.accepted_at is not null then account.email::text end as email,
      case when membership.accepted_at is not null
        then jsonb_build_object('id', account.id, 'email', account.email, 'created_at', account.created_at) end as "user"
    from public.user_org_roles as membership join auth.users as account on account.id = membership.user_id
    where membership.org_id = p_org_id
    union all
    select invitation.id, null, invitation.org_id, invitation.role, invitation.invited_by,
      invitation.created_at, null, invitation.created_at, invitation.updated_at, invitation.email, null
    from public.team_invitations as invitation
    where invitation.org_id = p_org_id
  )
  select coalesce(jsonb_agg(to_jsonb(people) || jsonb_build_object('pending', accepted_at is null)
    order by created_at desc, id desc), '[]')
  from people
  where (select auth.role()) = 'service_role' or p_org_id = (select public.auth_org_id())
$$;

-- POST /api/team/members: asks an address to join, or asks again with another role; the member as in the list. Breaks a unique
-- constraint if the person is a member already.
create function public.invite_member(p_org_id uuid, p_email text, p_role text) returns jsonb
language plpgsql set search_path = ''
as $$
declare
  invitation uuid;
begin
  insert into public.team_invitations as asked (org_id, email, role) values (p_org_id, p_email, p_role)
    on conflict (org_id, email) do update set role = excluded.role
    returning asked.id into invitation;
  return (select listed from jsonb_array_elements(public.team_members(p_org_id)) as listed where listed ->> 'id' = invitation::text);
end
$$;

-- What stands in the way of changing this member or invitation, or null; `p_id` is the row's id or the member's user id.
create function public.team_obstacle(p_org_id uuid, p_id uuid) returns text
language sql stable set search_path = ''
as $$
  select case
    when target.role is null then 'missing'
    when target.user_id = (select auth.uid()) then 'self'
    when (select auth.role()) <> 'service_role' and public.role_rank(target.role) > (select public.auth_role_rank()) then 'above'
  end
  from (select) as always
  left join (
    select user_id, role from public.user_org_roles where org_id = p_org_id and p_id in (id, user_id)
    union all
    select null, role from public.team_invitations where org_id = p_org_id and id = p_id
  ) as target on true
$$;

-- PATCH /api/team/members/:id/role, as {"outcome", "user_id", "member"}: done, missing, self, above, or last (owner or admin).
create function public.set_member_role(p_org_id uuid, p_id uuid, p_role text) returns jsonb
language plpgsql set search_path = ''
as $$
declare
  outcome text := public.team_obstacle(p_org_id, p_id);
  changed uuid;
  member jsonb;
begin
  if outcome is not null then
    return jsonb_build_object('outcome', outcome);
  end if;
  update public.user_org_roles set role = p_role where org_id = p_org_id and p_id in (id, user_id) returning id into changed;
  if changed is null then
    update public.team_invitations set role = p_role where org_id = p_org_id and id = p_id returning id into changed;
  end if;
  if changed is null then
    return jsonb_build_object('outcome', 'above');
  end if;
  select listed into member from jsonb_array_elements(public.team_members(p_org_id)) as listed where listed ->> 'id' = changed::text;
  return jsonb_build_object('outcome', 'done', 'user_id', member ->> 'user_id', 'member', member);
exception when check_violation then
  return jsonb_build_object('outcome', 'last');
end
$$;

-- DELETE /api/team/members/:id, with the same outcomes: ends a membership or withdraws an invitation.
create function public.remove_member(p_org_id uuid, p_id uuid) returns jsonb
language plpgsql set search_path = ''
as $$
declare
  outcome text := public.team_obstacle(p_org_id, p_id);
  member uuid;
begin
  if outcome is not null then
    return jsonb_build_object('outcome', outcome);
  end if;
  delete from public.user_org_roles where org_id = p_org_id and p_id in (id, user_id) returning user_id into member;
  if not found then
    delete from public.team_invitations where org_id = p_org_id and id = p_id;
  end if;
  return jsonb_build_object('outcome', case when found then 'done' else 'above' end, 'user_id', member);
exception when check_violation then
  return jsonb_build_object('outcome', 'last');
end
$$;

revoke execute on function public.team_members(uuid), public.invite_member(uuid, text, text), public.team_obstacle(uuid, uuid),
  public.set_member_role(uuid, uuid, text), public.remove_member(uuid, uuid) from public, anon;
grant execute on function public.team_members(uuid), public.invite_member(uuid, text, text), public.team_obstacle(uuid, uuid),
  public.set_member_role(uuid, uuid, text), public.remove_member(uuid, uuid) to authenticated, service_role;
