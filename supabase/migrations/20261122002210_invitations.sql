-- Turning an invitation into a membership: always the invited person's own act, never the inviter's.

-- An invitation by address needs that address confirmed; a pending membership is addressed to an account and needs nothing more.
create function public.invitation_for(p_user_id uuid, p_invitation_id uuid)
returns table (org_id uuid, role text)
language sql stable set search_path = ''
as $$
  select invitation.org_id, invitation.role
  from public.team_invitations as invitation
  join auth.users as account on lower(account.email) = invitation.email and account.email_confirmed_at is not null
  where invitation.id = p_invitation_id and account.id = p_user_id
  union all
  select membership.org_id, membership.role
  from public.user_org_roles as membership
  where membership.id = p_invitation_id and membership.user_id = p_user_id and membership.accepted_at is null
  limit 1
$$;

-- Naming the organisation in app_metadata is what makes the account join it (follow_org_change does the rest).
create function public.join_by_invitation(p_user_id uuid, p_invitation_id uuid) returns jsonb
language plpgsql set search_path = ''
as $$
declare
  invitation record;
begin
  select * into invitation from public.invitation_for(p_user_id, p_invitation_id);
  if invitation.org_id is null then
    return null;
  end if;
  update auth.users
    set raw_app_meta_data = coalesce(raw_app_meta_data, '{}') || jsonb_build_object('org_id', invitation.org_id, 'role', invitation.role)
    where id = p_user_id;
  -- Where app_metadata named the organisation already nothing has changed there, so the membership is accepted here.
  perform public.join_organization(p_user_id, (select email from auth.users where id = p_user_id), invitation.org_id, invitation.role);
  delete from public.team_invitations where id = p_invitation_id;
  return jsonb_build_object('org_id', invitation.org_id, 'role', (select membership.role from public.user_org_roles as membership
    where membership.user_id = p_user_id and membership.org_id = invitation.org_id));
end
$$;

-- GET /api/team/invitations: what the caller is asked to join.
create function public.my_invitations() returns jsonb
language sql stable security definer set search_path = ''
as $$
  with waiting as (
    select invitation.id, invitation.org_id, invitation.role, invitation.created_at as invited_at
    from public.team_invitations as invitation
    join auth.users as account on lower(account.email) = invitation.email and account.email_confirmed_at is not null
    where account.id = (select auth.uid())
    union all
    select membership.id, membership.org_id, membership.role, membership.invited_at
    from public.user_org_roles as membership
    where membership.user_id = (select auth.uid()) and membership.accepted_at is null
  )
  select coalesce(jsonb_agg(to_jsonb(waiting) || jsonb_build_object('organization_name', organization.name)
    order by waiting.invited_at desc, waiting.id desc), '[]')
  from waiting join public.organizations as organization on organization.id = waiting.org_id
$$;

-- POST /api/team/invitations/accept: {"org_id", "role"}, or null if there is no such invitation for the caller.
create function public.accept_invitation(p_invitation_id uuid) returns jsonb
language sql volatile security definer set search_path = ''
as $$
  select public.join_by_invitation((select auth.uid()), p_invitation_id)
$$;

-- Somebody who signs up with an invitation at hand says so (user_metadata.invitation_id) and joins when the address is confirmed.
-- Auth confirms in a second statement, in the same transaction where no mail is sent; the organisation founded there is then dropped.
create function public.join_when_confirmed() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  if new.raw_user_meta_data ->> 'invitation_id' ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
    perform public.join_by_invitation(new.id, (new.raw_user_meta_data ->> 'invitation_id')::uuid);
  end if;
  return null;
end
$$;

revoke execute on function public.invitation_for(uuid, uuid), public.join_by_invitation(uuid, uuid),
  public.join_when_confirmed() from public, anon, authenticated;
revoke execute on function public.my_invitations(), public.accept_invitation(uuid) from public, anon;
grant execute on function public.my_invitations(), public.accept_invitation(uuid) to authenticated, service_role;

-- Named to fire after on_auth_user_created, which founds the organisation.
create trigger on_auth_user_invited after insert on auth.users
  for each row when (new.email_confirmed_at is not null and new.raw_user_meta_data ? 'invitation_id')
  execute function public.join_when_confirmed();
create trigger on_auth_user_invited_confirmed after update of email_confirmed_at on auth.users
  for each row when (old.email_confirmed_at is null and new.email_confirmed_at is not null
    and new.raw_user_meta_data ? 'invitation_id')
  execute function public.join_when_confirmed();
