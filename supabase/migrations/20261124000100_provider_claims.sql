-- An id of the voice provider, and a dialled number, belongs to one organisation, whichever table names it: the provider's
-- account may be shared, so an id alone would let one clinic change another's line or have its calls routed to itself.

-- What each organisation names, by kind.
create view public.provider_claims with (security_invoker = true) as
  select org_id, 'assistant' as kind, vapi_assistant_id as value, 'agents' as source from public.agents
  union all select org_id, 'assistant', vapi_assistant_id, 'inbound_agent_config' from public.inbound_agent_config
  union all select org_id, 'assistant', vapi_assistant_id, 'outbound_agent_config' from public.outbound_agent_config
  union all select org_id, 'assistant', vapi_assistant_id, 'integration_settings' from public.integration_settings
  union all select org_id, 'assistant', vapi_assistant_id, 'assistant_org_mapping' from public.assistant_org_mapping
  union all select org_id, 'phone', vapi_phone_number_id, 'agents' from public.agents
  union all select org_id, 'phone', vapi_phone_number_id, 'inbound_agent_config' from public.inbound_agent_config
  union all select org_id, 'phone', vapi_phone_number_id, 'outbound_agent_config' from public.outbound_agent_config
  union all select org_id, 'phone', vapi_phone_number_id, 'integration_settings' from public.integration_settings
  union all select org_id, 'phone', vapi_phone_number_id, 'phone_number_mapping' from public.phone_number_mapping where is_active
  union all select org_id, 'number', twilio_phone_number, 'inbound_agent_config' from public.inbound_agent_config
  union all select org_id, 'number', twilio_from_number, 'integration_settings' from public.integration_settings
  union all select org_id, 'number', inbound_phone_number, 'phone_number_mapping' from public.phone_number_mapping where is_active;
revoke all on public.provider_claims from public, anon, authenticated;
grant select on public.provider_claims to service_role;

-- Its argument is a JSON object of columns and their kinds. Before the row it locks what is named, so that two organisations
-- that name the same thing take turns, and do so before they wait for each other at a unique index. After the row it looks for
-- others: policies are checked in between, so only who may write learns that something is taken.
create function public.refuse_foreign_claims() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  written jsonb := to_jsonb(new);
  former jsonb := case when tg_op = 'UPDATE' then to_jsonb(old) else '{}' end;
  claim record;
begin
  if tg_table_name = 'phone_number_mapping' then
    if not new.is_active then
      return new;
    elsif former -> 'is_active' = 'false' then
      former := '{}'; -- brought back: everything in it is claimed anew
    end if;
  end if;
  for claim in
    select given.kind, written ->> given.name as value
    from jsonb_each_text(tg_argv[0]::jsonb) as given (name, kind)
    where written ->> given.name is not null and written ->> given.name is distinct from former ->> given.name
    order by 1, 2
  loop
    if tg_when = 'BEFORE' then
      perform pg_advisory_xact_lock(hashtextextended(claim.kind || ':' || claim.value, 0));
    elsif exists (
      select from public.provider_claims
      where kind = claim.kind and value = claim.value and org_id <> new.org_id
    ) then
      raise exception 'this % is in use elsewhere', claim.kind using errcode = 'unique_violation';
    end if;
  end loop;
  return new;
end
$$;
revoke execute on function public.refuse_foreign_claims() from public, anon, authenticated;

-- These lock the tables against writers, so nothing can slip in before what follows has looked at all of them.
do $$
declare
  named record;
begin
  for named in select * from (values
    ('agents', '{"vapi_assistant_id": "assistant", "vapi_phone_number_id": "phone"}'),
    ('inbound_agent_config', '{"vapi_assistant_id": "assistant", "vapi_phone_number_id": "phone", "twilio_phone_number": "number"}'),
    ('outbound_agent_config', '{"vapi_assistant_id": "assistant", "vapi_phone_number_id": "phone"}'),
    ('integration_settings', '{"vapi_assistant_id": "assistant", "vapi_phone_number_id": "phone", "twilio_from_number": "number"}'),
    ('assistant_org_mapping', '{"vapi_assistant_id": "assistant"}'),
    ('phone_number_mapping', '{"vapi_phone_number_id": "phone", "inbound_phone_number": "number"}')
  ) as triggers (table_name, kinds) loop
    execute format('create trigger claims_turn before insert or update on public.%I for each row '
      'execute function public.refuse_foreign_claims(%L)', named.table_name, named.kinds);
    execute format('create trigger claims after insert or update on public.%I for each row '
      'execute function public.refuse_foreign_claims(%L)', named.table_name, named.kinds);
  end loop;
end
$$;

-- An id that several organisations name already stays with the one that the mapping tables name, by which calls are routed
-- today; else with the one that is here longest. The others lose it, have to save again, and find in their audit log what went.
-- Numbers stay: two branches may send texts from one, and calls follow the mapping, where a number is one organisation's.
do $$
declare
  lost record;
begin
  for lost in
    select ranked.org_id, ranked.kind, ranked.value from (
      select claim.org_id, claim.kind, claim.value, row_number() over (
        partition by claim.kind, claim.value
        order by bool_or(claim.source in ('assistant_org_mapping', 'phone_number_mapping')) desc, organization.created_at, organization.id
      ) as place
      from public.provider_claims as claim join public.organizations as organization on organization.id = claim.org_id
      where claim.kind <> 'number' and claim.value is not null
      group by claim.org_id, claim.kind, claim.value, organization.created_at, organization.id
    ) as ranked
    where ranked.place > 1
  loop
    if lost.kind = 'assistant' then
      update public.agents set vapi_assistant_id = null, prompt_synced_at = null, sync_error = 'id in use elsewhere'
        where org_id = lost.org_id and vapi_assistant_id = lost.value;
      update public.inbound_agent_config set vapi_assistant_id = null where org_id = lost.org_id and vapi_assistant_id = lost.value;
      update public.outbound_agent_config set vapi_assistant_id = null where org_id = lost.org_id and vapi_assistant_id = lost.value;
      update public.integration_settings set vapi_assistant_id = null where org_id = lost.org_id and vapi_assistant_id = lost.value;
    else
      update public.agents set vapi_phone_number_id = null where org_id = lost.org_id and vapi_phone_number_id = lost.value;
      update public.inbound_agent_config set vapi_phone_number_id = null
        where org_id = lost.org_id and vapi_phone_number_id = lost.value;
      update public.outbound_agent_config set vapi_phone_number_id = null
        where org_id = lost.org_id and vapi_phone_number_id = lost.value;
      update public.integration_settings set vapi_phone_number_id = null
        where org_id = lost.org_id and vapi_phone_number_id = lost.value;
    end if;
    insert into public.audit_logs (org_id, action, entity_type, entity_id)
      values (lost.org_id, 'provider_id.cleared', lost.kind, lost.value);
  end loop;
end
$$;

-- From now on the settings and the mapping of a number are written together; these were written without. A number that two
-- organisations name waits until one of them saves. The id goes along unless the organisation has mapped it to another number.
insert into public.phone_number_mapping as mapping (org_id, inbound_phone_number, vapi_phone_number_id)
select settings.org_id, settings.twilio_from_number,
  case when not exists (
    select from public.phone_number_mapping as kept
    where kept.org_id = settings.org_id and kept.vapi_phone_number_id = settings.vapi_phone_number_id
      and kept.inbound_phone_number <> settings.twilio_from_number
  ) then settings.vapi_phone_number_id end
from public.integration_settings as settings
where settings.twilio_from_number is not null and not exists (
  select from public.provider_claims as claim
  where claim.kind = 'number' and claim.value = settings.twilio_from_number and claim.org_id <> settings.org_id
)
on conflict (org_id, inbound_phone_number) do update set
  vapi_phone_number_id = coalesce(mapping.vapi_phone_number_id, excluded.vapi_phone_number_id)
where mapping.is_active;

-- The ids, and what tells of telling the provider, are written by the functions of the next file only.
revoke insert, update on public.agents, public.inbound_agent_config, public.outbound_agent_config, public.integration_settings
  from authenticated;
revoke insert, update, delete on public.assistant_org_mapping from authenticated;
drop policy "admins add" on public.assistant_org_mapping;
drop policy "admins change" on public.assistant_org_mapping;
drop policy "admins remove" on public.assistant_org_mapping;

grant
  insert (org_id, role, name, system_prompt, first_message, voice, voice_provider, language, max_call_duration, active),
  update (name, system_prompt, first_message, voice, voice_provider, language, max_call_duration, active)
  on public.agents to authenticated;
grant
  insert (org_id, twilio_account_sid, system_prompt, first_message, voice_id, language, max_call_duration, is_active),
  update (twilio_account_sid, system_prompt, first_message, voice_id, language, max_call_duration, is_active)
  on public.inbound_agent_config, public.outbound_agent_config to authenticated;
grant
  insert (org_id, vapi_public_key, twilio_account_sid, test_destination_number, hot_lead_alert_phone, transfer_phone_number,
    transfer_sip_uri, transfer_departments, redact_transcripts),
  update (vapi_public_key, twilio_account_sid, test_destination_number, hot_lead_alert_phone, transfer_phone_number,
    transfer_sip_uri, transfer_departments, redact_transcripts)
  on public.integration_settings to authenticated;
