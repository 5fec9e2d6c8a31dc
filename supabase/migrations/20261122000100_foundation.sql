-- What every later file builds on: extensions, privileges, and the functions that policies, triggers and checks call.
create schema if not exists extensions;
create extension if not exists pg_trgm with schema extensions;
create extension if not exists btree_gin with schema extensions;
create extension if not exists btree_gist with schema extensions;
create extension if not exists pg_stat_statements with schema extensions;

-- Older projects grant everything on new tables to the browser's roles; here each table says what it allows.
alter default privileges in schema public revoke all on tables from anon, authenticated;
alter default privileges in schema public revoke all on sequences from anon, authenticated;
alter default privileges in schema public revoke all on functions from anon, authenticated;

-- The organisation of the caller, from the signed part of the token only; null when there is none.
create function public.auth_org_id() returns uuid
language sql stable set search_path = ''
as $$
  select nullif(nullif(current_setting('request.jwt.claims', true), '')::jsonb -> 'app_metadata' ->> 'org_id', '')::uuid
$$;

-- Roles in order; a greater number may do all that a smaller one may.
create function public.role_rank(p_role text) returns int
language sql immutable set search_path = ''
as $$
  select case p_role when 'owner' then 4 when 'admin' then 3 when 'manager' then 2 when 'agent' then 1 else 0 end
$$;

create function public.has_no_blank(p_words text[]) returns boolean
language sql immutable set search_path = ''
as $$
  select not exists (select from unnest(p_words) as word where word is null or btrim(word) = '')
$$;

create function public.touch_updated_at() returns trigger
language plpgsql set search_path = ''
as $$
begin
  new.updated_at := now();
  return new;
end
$$;

-- Rows never change hands: neither the id nor the organisation of a row can be updated.
create function public.keep_identity() returns trigger
language plpgsql set search_path = ''
as $$
begin
  if new.id is distinct from old.id or new.org_id is distinct from old.org_id then
    raise exception 'id and org_id of % cannot be changed', tg_table_name using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end
$$;

-- Only an exact name of the time zone database will do, since Python and the browser read it as well.
create function public.check_timezone() returns trigger
language plpgsql set search_path = ''
as $$
begin
  if new.timezone <> 'UTC' and not exists (select from pg_catalog.pg_timezone_names where name = new.timezone) then
    raise exception '"%" is not a time zone', new.timezone using errcode = 'check_violation';
  end if;
  return new;
end
$$;

revoke execute on function public.auth_org_id(), public.role_rank(text), public.has_no_blank(text[]) from public, anon;
revoke execute on function public.touch_updated_at(), public.keep_identity(), public.check_timezone() from public, anon, authenticated;
grant execute on function public.auth_org_id(), public.role_rank(text), public.has_no_blank(text[]) to authenticated, service_role;
