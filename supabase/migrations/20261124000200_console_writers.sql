-- What the console writes, now that ids of the voice provider are written by functions only. They run as their owner and ask
-- for themselves who is calling; whether an id is the organisation's own is asked here, too, since browsers can call them.
-- squawk-ignore ban-drop-function
drop function public.save_org_settings(uuid, jsonb, jsonb, jsonb, jsonb);
-- squawk-ignore ban-drop-function
drop function public.save_agents(uuid, jsonb);
-- squawk-ignore ban-drop-function
drop function public.record_provider_sync(uuid, jsonb, text, boolean);

-- The first id that an organisation names without any proof that it is its own, as {"unproven": {"kind", "id"}, "secrets"}; null
-- if there is none. Proof is that the organisation has it already, or that the server has asked the provider with the
-- organisation's own key (p_proven, which counts from the service role only).
create function public.unproven_ids(p_org_id uuid, p_assistant_id text, p_agents jsonb, p_proven text[]) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select jsonb_build_object('unproven', jsonb_build_object('kind', given.kind, 'id', given.value),
    'secrets', jsonb_build_object('vapi', public.org_secret(p_org_id, 'vapi')))
  from (
    select 'assistant' as kind, p_assistant_id as value
    union all
    select 'phone', agent ->> 'vapi_phone_number_id' from jsonb_each(p_agents) as named (role, agent)
  ) as given
  where given.value is not null
    and not ((select auth.role()) = 'service_role' and given.value = any (p_proven))
    and not exists (
      select from public.provider_claims as claim
      where claim.org_id = p_org_id and claim.kind = given.kind and claim.value = given.value
    )
  limit 1
$$;
revoke execute on function public.unproven_ids(uuid, text, jsonb, text[]) from public, anon, authenticated;

-- p_settings holds the columns to change, null to clear one; p_secrets and p_masked hold them per service, as merge_secrets takes
-- them; p_agents is as save_agents takes it. Returns what console_state does, and as `unrouted` the provider's id of a number that
-- calls must not be routed by any more; or what unproven_ids does, and then nothing is saved.
create function public.save_org_settings(
  p_org_id uuid, p_settings jsonb, p_secrets jsonb, p_masked jsonb, p_agents jsonb default '{}',
  p_proven text[] default '{}'
) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  service text;
  unproven jsonb;
  former record;
  unrouted text;
begin
  if (select auth.role()) is distinct from 'service_role'
    and (p_org_id is distinct from (select public.auth_org_id()) or (select public.auth_role_rank()) < 3) then
    raise exception 'only administrators change settings' using errcode = 'insufficient_privilege';
  end if;
  unproven := public.unproven_ids(p_org_id, p_settings ->> 'vapi_assistant_id', p_agents, p_proven);
  if unproven is not null then
    return unproven;
  end if;
  select twilio_from_number, vapi_phone_number_id into former from public.integration_settings where org_id = p_org_id for update;

  insert into public.integration_settings as kept
    (org_id, vapi_public_key, vapi_assistant_id, twilio_account_sid, twilio_from_number, test_destination_number)
  values (p_org_id, p_settings ->> 'vapi_public_key', p_settings ->> 'vapi_assistant_id', p_settings ->> 'twilio_account_sid',
    p_settings ->> 'twilio_from_number', p_settings ->> 'test_destination_number')
  on conflict (org_id) do update set
    vapi_public_key = case when p_settings ? 'vapi_public_key' then excluded.vapi_public_key else kept.vapi_public_key end,
    vapi_assistant_id = case when p_settings ? 'vapi_assistant_id' then excluded.vapi_assistant_id else kept.vapi_assistant_id end,
    twilio_account_sid = case when p_settings ? 'twilio_account_sid' then excluded.twilio_account_sid else kept.twilio_account_sid end,
    twilio_from_number = case when p_settings ? 'twilio_from_number' then excluded.twilio_from_number else kept.twilio_from_number end,
    test_destination_number = case when p_settings ? 'test_destination_number' then excluded.test_destination_number
      else kept.test_destination_number end,
    -- Another number is not known to the voice provider until it says so.
    vapi_phone_number_id = case when p_settings ? 'twilio_from_number'
      and excluded.twilio_from_number is distinct from kept.twilio_from_number then null else kept.vapi_phone_number_id end;

  if p_settings ?| array['twilio_account_sid', 'twilio_from_number'] then
    insert into public.inbound_agent_config as kept (org_id, twilio_account_sid, twilio_phone_number)
    select org_id, twilio_account_sid, twilio_from_number from public.integration_settings where org_id = p_org_id
    on conflict (org_id) do update set
      twilio_account_sid = excluded.twilio_account_sid,
      twilio_phone_number = excluded.twilio_phone_number,
      vapi_phone_number_id = case when excluded.twilio_phone_number is distinct from kept.twilio_phone_number then null
        else kept.vapi_phone_number_id end;
    insert into public.outbound_agent_config as kept (org_id, twilio_account_sid, twilio_phone_number)
    select org_id, twilio_account_sid, twilio_from_number from public.integration_settings where org_id = p_org_id
    on conflict (org_id) do update set
      twilio_account_sid = excluded.twilio_account_sid,
      twilio_phone_number = excluded.twilio_phone_number;
  end if;

  -- The mapping goes with the number; one that somebody has added by hand stays when the settings name another number.
  if p_settings ? 'twilio_from_number' then
    if former.twilio_from_number is distinct from p_settings ->> 'twilio_from_number' then
      update public.phone_number_mapping set is_active = false
        where org_id = p_org_id and inbound_phone_number = former.twilio_from_number and is_active and created_by is null
        returning vapi_phone_number_id into unrouted;
      update public.agents set vapi_phone_number_id = null
        where org_id = p_org_id and role = 'inbound' and vapi_phone_number_id = former.vapi_phone_number_id;
    end if;
    insert into public.phone_number_mapping as mapping (org_id, inbound_phone_number)
    select p_org_id, p_settings ->> 'twilio_from_number' where p_settings ->> 'twilio_from_number' is not null
    on conflict (org_id, inbound_phone_number) do update set
      is_active = true,
      vapi_phone_number_id = case when mapping.is_active then mapping.vapi_phone_number_id end;
  end if;

  for service in select jsonb_object_keys(p_secrets) loop
    perform public.merge_secrets(p_org_id, service, p_secrets -> service, coalesce(p_masked -> service, '{}'));
  end loop;
  if p_agents <> '{}' then
    perform public.save_agents(p_org_id, p_agents, p_proven);
  end if;
  return public.console_state(p_org_id) || jsonb_build_object('unrouted', unrouted);
end
$$;
revoke execute on function public.save_org_settings(uuid, jsonb, jsonb, jsonb, jsonb, text[]) from public, anon;
grant execute on function public.save_org_settings(uuid, jsonb, jsonb, jsonb, jsonb, text[]) to authenticated, service_role;

-- p_agents holds, by role, the columns to change of that assistant, which is made if it is not there. The other one stays as it is.
-- Returns what console_state does, or what unproven_ids does, and then nothing is saved.
create function public.save_agents(p_org_id uuid, p_agents jsonb, p_proven text[] default '{}') returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  unproven jsonb;
begin
  if (select auth.role()) is distinct from 'service_role'
    and (p_org_id is distinct from (select public.auth_org_id()) or (select public.auth_role_rank()) < 3) then
    raise exception 'only administrators change assistants' using errcode = 'insufficient_privilege';
  end if;
  unproven := public.unproven_ids(p_org_id, null, p_agents, p_proven);
  if unproven is not null then
    return unproven;
  end if;
  insert into public.agents as kept
    (org_id, role, name, system_prompt, first_message, voice, voice_provider, language, max_call_duration, vapi_phone_number_id)
  select p_org_id, given.role, coalesce(given.agent ->> 'name', initcap(given.role) || ' Agent'), given.agent ->> 'system_prompt',
    given.agent ->> 'first_message', given.agent ->> 'voice', given.agent ->> 'voice_provider',
    coalesce(given.agent ->> 'language', 'en-GB'), coalesce((given.agent ->> 'max_call_duration')::int, 600),
    given.agent ->> 'vapi_phone_number_id'
  from jsonb_each(p_agents) as given (role, agent)
  on conflict (org_id, role) do update set
    name = coalesce(p_agents -> kept.role ->> 'name', kept.name),
    system_prompt = coalesce(excluded.system_prompt, kept.system_prompt),
    first_message = coalesce(excluded.first_message, kept.first_message),
    voice = coalesce(excluded.voice, kept.voice),
    voice_provider = coalesce(excluded.voice_provider, kept.voice_provider),
    language = coalesce(p_agents -> kept.role ->> 'language', kept.language),
    max_call_duration = coalesce((p_agents -> kept.role ->> 'max_call_duration')::int, kept.max_call_duration),
    vapi_phone_number_id = case when p_agents -> kept.role ? 'vapi_phone_number_id' then excluded.vapi_phone_number_id
      else kept.vapi_phone_number_id end;

  if p_agents ? 'inbound' then
    insert into public.inbound_agent_config as kept
      (org_id, vapi_assistant_id, system_prompt, first_message, voice_id, language, max_call_duration)
    select org_id, vapi_assistant_id, system_prompt, first_message, voice, language, max_call_duration
    from public.agents where org_id = p_org_id and role = 'inbound'
    on conflict (org_id) do update set
      vapi_assistant_id = coalesce(excluded.vapi_assistant_id, kept.vapi_assistant_id),
      system_prompt = excluded.system_prompt,
      first_message = excluded.first_message,
      voice_id = excluded.voice_id,
      language = excluded.language,
      max_call_duration = excluded.max_call_duration;
  end if;
  if p_agents ? 'outbound' then
    insert into public.outbound_agent_config as kept
      (org_id, vapi_assistant_id, vapi_phone_number_id, system_prompt, first_message, voice_id, language, max_call_duration)
    select org_id, vapi_assistant_id, vapi_phone_number_id, system_prompt, first_message, voice, language, max_call_duration
    from public.agents where org_id = p_org_id and role = 'outbound'
    on conflict (org_id) do update set
      vapi_assistant_id = coalesce(excluded.vapi_assistant_id, kept.vapi_assistant_id),
      vapi_phone_number_id = excluded.vapi_phone_number_id,
      system_prompt = excluded.system_prompt,
      first_message = excluded.first_message,
      voice_id = excluded.voice_id,
      language = excluded.language,
      max_call_duration = excluded.max_call_duration;
  end if;
  return public.console_state(p_org_id);
end
$$;
revoke execute on function public.save_agents(uuid, jsonb, text[]) from public, anon;
grant execute on function public.save_agents(uuid, jsonb, text[]) to authenticated, service_role;

-- What became of telling the voice provider, so that what is stored and what the provider has can be told apart. p_agents is a list of
-- {role, was, vapi_assistant_id, error}; an assistant that somebody else changed since (its id is not `was` any more) is left alone.
-- p_phone_number_id is the provider's id of p_phone_number. For the server only: nobody else can say what the provider answered.
-- Returns the `agents` as they are now, and as `unrouted` the id that the number had before.
create function public.record_provider_sync(
  p_org_id uuid, p_agents jsonb, p_phone_number text default null, p_phone_number_id text default null,
  p_verified boolean default false
) returns jsonb
language plpgsql set search_path = ''
as $$
declare
  unrouted text;
begin
  update public.agents as agent set
    vapi_assistant_id = coalesce(told.vapi_assistant_id, agent.vapi_assistant_id),
    prompt_synced_at = case when told.error is null then now() else agent.prompt_synced_at end,
    sync_error = told.error
  from jsonb_to_recordset(p_agents) as told (role text, was text, vapi_assistant_id text, error text)
  where agent.org_id = p_org_id and agent.role = told.role and agent.vapi_assistant_id is not distinct from told.was;

  -- Unless another number has been saved since the provider was asked.
  if p_phone_number_id is not null and exists (
    select from public.integration_settings where org_id = p_org_id and twilio_from_number = p_phone_number for update
  ) then
    update public.integration_settings set vapi_phone_number_id = p_phone_number_id where org_id = p_org_id;
    update public.inbound_agent_config set vapi_phone_number_id = p_phone_number_id where org_id = p_org_id;
    update public.agents set vapi_phone_number_id = p_phone_number_id where org_id = p_org_id and role = 'inbound';
    select vapi_phone_number_id into unrouted from public.phone_number_mapping
      where org_id = p_org_id and inbound_phone_number = p_phone_number for update;
    update public.phone_number_mapping set vapi_phone_number_id = null
      where org_id = p_org_id and vapi_phone_number_id = p_phone_number_id and inbound_phone_number <> p_phone_number;
    insert into public.phone_number_mapping (org_id, inbound_phone_number, vapi_phone_number_id)
    values (p_org_id, p_phone_number, p_phone_number_id)
    on conflict (org_id, inbound_phone_number) do update set is_active = true, vapi_phone_number_id = excluded.vapi_phone_number_id;
  end if;
  if p_verified then
    update public.integration_settings set last_verified_at = now() where org_id = p_org_id;
    update public.org_credentials set last_verified_at = now(), verification_error = null where org_id = p_org_id and provider = 'vapi';
  end if;

  update public.inbound_agent_config as config set
    vapi_assistant_id = agent.vapi_assistant_id, last_synced_at = agent.prompt_synced_at
  from public.agents as agent
  where config.org_id = p_org_id and agent.org_id = p_org_id and agent.role = 'inbound' and agent.vapi_assistant_id is not null;
  update public.outbound_agent_config as config set
    vapi_assistant_id = agent.vapi_assistant_id, last_synced_at = agent.prompt_synced_at
  from public.agents as agent
  where config.org_id = p_org_id and agent.org_id = p_org_id and agent.role = 'outbound' and agent.vapi_assistant_id is not null;

  -- An assistant's former id keeps its row: the events of its last calls may still come.
  insert into public.assistant_org_mapping (org_id, vapi_assistant_id, assistant_role, assistant_name)
  select org_id, vapi_assistant_id, role, name from public.agents where org_id = p_org_id and vapi_assistant_id is not null
  on conflict (vapi_assistant_id) do nothing;
  update public.assistant_org_mapping as mapping set assistant_name = agent.name
  from public.agents as agent
  where mapping.org_id = p_org_id and agent.org_id = p_org_id and mapping.vapi_assistant_id = agent.vapi_assistant_id
    and mapping.assistant_name is distinct from agent.name;
  return jsonb_build_object('agents', public.console_state(p_org_id) -> 'agents', 'unrouted', unrouted);
end
$$;
revoke execute on function public.record_provider_sync(uuid, jsonb, text, text, boolean) from public, anon, authenticated;
grant execute on function public.record_provider_sync(uuid, jsonb, text, text, boolean) to service_role;
