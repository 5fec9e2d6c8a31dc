-- Nobody leaves an organisation without an owner or admin, by whichever way. An account is in one organisation at a time, the one
-- that app_metadata names: a membership that stayed behind when its account joined another gives no access, so it does not count.

create function public.has_other_admin(p_org_id uuid, p_user_id uuid) returns boolean
language sql stable security definer set search_path = ''
as $$
  select exists (
    select from public.user_org_roles as membership join auth.users as account on account.id = membership.user_id
    where membership.org_id = p_org_id and membership.user_id <> p_user_id
      and membership.role in ('owner', 'admin') and membership.accepted_at is not null
      and account.raw_app_meta_data ->> 'org_id' = p_org_id::text
  )
$$;
revoke execute on function public.has_other_admin(uuid, uuid) from public, anon, authenticated;

-- What signing up made and nobody has used: whoever then follows an invitation leaves nothing behind.
create function public.is_unused_organization(p_org_id uuid, p_user_id uuid) returns boolean
language sql stable security definer set search_path = ''
as $$
  select not exists (select from public.user_org_roles where org_id = p_org_id and user_id <> p_user_id)
    and not exists (select from public.contacts where org_id = p_org_id)
    and not exists (select from public.call_logs where org_id = p_org_id)
    and not exists (select from public.calls where org_id = p_org_id)
    and not exists (select from public.appointments where org_id = p_org_id)
    and not exists (select from public.services where org_id = p_org_id)
    and not exists (select from public.agents where org_id = p_org_id)
    and not exists (select from public.integration_settings where org_id = p_org_id)
    and not exists (select from public.inbound_agent_config where org_id = p_org_id)
    and not exists (select from public.org_credentials where org_id = p_org_id)
    and not exists (select from public.phone_number_mapping where org_id = p_org_id)
$$;
revoke execute on function public.is_unused_organization(uuid, uuid) from public, anon, authenticated;

-- As before, save that only accounts that are still there count. The lock makes two who leave at once take turns.
create or replace function public.keep_an_admin() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  if public.role_rank(old.role) < 3 or old.accepted_at is null then
    return null;
  elsif tg_op = 'UPDATE' and public.role_rank(new.role) >= 3 and new.accepted_at is not null then
    return null; -- still one of them
  end if;
  perform from public.organizations where id = old.org_id for no key update;
  if not found or not exists (select from auth.users where id = old.user_id) then
    return null; -- the organisation or the account itself is being deleted
  end if;
  if not public.has_other_admin(old.org_id, old.user_id) then
    raise exception 'the last owner or admin of an organisation cannot be removed or demoted' using errcode = 'check_violation';
  end if;
  return null;
end
$$;

-- POST /api/team/invitations/accept: {"org_id", "role"}, or null if there is no such invitation for the caller, or
-- {"outcome": "last"} if nobody else could run the organisation that the caller would leave, unless it was never used.
create or replace function public.accept_invitation(p_invitation_id uuid) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  caller uuid := (select auth.uid());
  invitation record;
  left_org uuid;
begin
  select * into invitation from public.invitation_for(caller, p_invitation_id);
  if invitation.org_id is null then
    return null;
  end if;
  select (raw_app_meta_data ->> 'org_id')::uuid into left_org from auth.users where id = caller;
  if left_org is not null and left_org <> invitation.org_id and exists (
    select from public.user_org_roles
    where user_id = caller and org_id = left_org and role in ('owner', 'admin') and accepted_at is not null
  ) then
    perform from public.organizations where id = left_org for no key update;
    if found and not public.has_other_admin(left_org, caller) and not public.is_unused_organization(left_org, caller) then
      return jsonb_build_object('outcome', 'last');
    end if;
  end if;
  return public.join_by_invitation(caller, p_invitation_id);
end
$$;
