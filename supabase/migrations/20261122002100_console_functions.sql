-- What the founder console writes: each change in one request and one transaction. They run as the caller, so row-level
-- security decides who may; only what touches secrets runs as its owner, and asks for itself.

-- Adds to, replaces (a new ciphertext) or takes away (null) single secrets of one service. p_masked is what may be shown of each.
create function public.merge_secrets(p_org_id uuid, p_provider text, p_secrets jsonb, p_masked jsonb) returns void
language plpgsql security definer set search_path = ''
as $$
begin
  if (select auth.role()) is distinct from 'service_role'
    and (p_org_id is distinct from (select public.auth_org_id()) or (select public.auth_role_rank()) < 3) then
    raise exception 'only administrators change secrets' using errcode = 'insufficient_privilege';
  end if;
  insert into public.org_credentials as kept (org_id, provider, encrypted_config, metadata)
  values (p_org_id, p_provider, jsonb_strip_nulls(p_secrets)::text, jsonb_build_object('masked', jsonb_strip_nulls(p_masked)))
  on conflict (org_id, provider) do update set
    encrypted_config = jsonb_strip_nulls(
      case when kept.encrypted_config is json object then kept.encrypted_config::jsonb else '{}' end || p_secrets)::text,
    metadata = kept.metadata
      || jsonb_build_object('masked', jsonb_strip_nulls(coalesce(kept.metadata -> 'masked', '{}') || p_masked)),
    is_active = true,
    last_verified_at = null,
    verification_error = null;
  delete from public.org_credentials where org_id = p_org_id and provider = p_provider and encrypted_config = '{}';
end
$$;
revoke execute on function public.merge_secrets(uuid, text, jsonb, jsonb) from public, anon;
grant execute on function public.merge_secrets(uuid, text, jsonb, jsonb) to authenticated, service_role;

-- What has to be known to tell the voice provider: for administrators; others get no secrets.
create function public.console_state(p_org_id uuid) returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object(
    'settings', (
      select jsonb_build_object('twilio_account_sid', twilio_account_sid, 'twilio_from_number', twilio_from_number,
        'vapi_phone_number_id', vapi_phone_number_id)
      from public.integration_settings where org_id = p_org_id),
    'secrets', jsonb_build_object('vapi', public.org_secret(p_org_id, 'vapi'), 'twilio', public.org_secret(p_org_id, 'twilio')),
    'agents', (
      select coalesce(jsonb_agg(jsonb_build_object('id', id, 'role', role, 'name', name, 'system_prompt', system_prompt,
        'first_message', first_message, 'voice', voice, 'language', language, 'max_call_duration', max_call_duration,
        'vapi_assistant_id', vapi_assistant_id, 'vapi_phone_number_id', vapi_phone_number_id, 'sync_error', sync_error)
        order by role), '[]')
      from public.agents where org_id = p_org_id)
  )
$$;
revoke execute on function public.console_state(uuid) from public, anon;
grant execute on function public.console_state(uuid) to authenticated, service_role;

-- p_settings holds the columns to change, null to clear one; p_secrets and p_masked hold them per service, as merge_secrets takes them;
-- p_agents is as save_agents takes it.
create function public.save_org_settings(
  p_org_id uuid, p_settings jsonb, p_secrets jsonb, p_masked jsonb, p_agents jsonb default '{}'
) returns jsonb
language plpgsql set search_path = ''
as $$
declare
  service text;
begin
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

  for service in select jsonb_object_keys(p_secrets) loop
    perform public.merge_secrets(p_org_id, service, p_secrets -> service, coalesce(p_masked -> service, '{}'));
  end loop;
  if p_agents <> '{}' then
    return public.save_agents(p_org_id, p_agents);
  end if;
  return public.console_state(p_org_id);
end
$$;
revoke execute on function public.save_org_settings(uuid, jsonb, jsonb, jsonb, jsonb) from public, anon;
grant execute on function public.save_org_settings(uuid, jsonb, jsonb, jsonb, jsonb) to authenticated, service_role;

-- p_agents holds, by role, the columns to change of that assistant, which is made if it is not there. The other one stays as it is.
create function public.save_agents(p_org_id uuid, p_agents jsonb) returns jsonb
language plpgsql set search_path = ''
as $$
begin
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
revoke execute on function public.save_agents(uuid, jsonb) from public, anon;
grant execute on function public.save_agents(uuid, jsonb) to authenticated, service_role;

-- What became of telling the voice provider, so that what is stored and what the provider has can be told apart. p_agents is a list of
-- {role, was, vapi_assistant_id, error}; an assistant that somebody else changed since (its id is not `was` any more) is left alone.
create function public.record_provider_sync(
  p_org_id uuid, p_agents jsonb, p_phone_number_id text default null, p_verified boolean default false
) returns jsonb
language plpgsql set search_path = ''
as $$
begin
  update public.agents as agent set
    vapi_assistant_id = coalesce(told.vapi_assistant_id, agent.vapi_assistant_id),
    prompt_synced_at = case when told.error is null then now() else agent.prompt_synced_at end,
    sync_error = told.error
  from jsonb_to_recordset(p_agents) as told (role text, was text, vapi_assistant_id text, error text)
  where agent.org_id = p_org_id and agent.role = told.role and agent.vapi_assistant_id is not distinct from told.was;

  if p_phone_number_id is not null then
    update public.integration_settings set vapi_phone_number_id = p_phone_number_id where org_id = p_org_id;
    update public.inbound_agent_config set vapi_phone_number_id = p_phone_number_id where org_id = p_org_id;
    update public.agents set vapi_phone_number_id = p_phone_number_id where org_id = p_org_id and role = 'inbound';
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
  return public.console_state(p_org_id) -> 'agents';
end
$$;
revoke execute on function public.record_provider_sync(uuid, jsonb, text, boolean) from public, anon;
grant execute on function public.record_provider_sync(uuid, jsonb, text, boolean) to authenticated, service_role;

-- For the rotation of the encryption keys: replaces ciphertexts that nobody has changed since they were read. p_rows is a list of
-- {id, old, new}; returns the ids that were replaced.
create function public.replace_ciphertexts(p_rows jsonb) returns setof uuid
language sql set search_path = ''
as $$
  update public.org_credentials as kept set encrypted_config = fresh.new
  from jsonb_to_recordset(p_rows) as fresh (id uuid, old text, new text)
  where kept.id = fresh.id and kept.encrypted_config = fresh.old
  returning kept.id
$$;
revoke execute on function public.replace_ciphertexts(jsonb) from public, anon, authenticated;
grant execute on function public.replace_ciphertexts(jsonb) to service_role;
