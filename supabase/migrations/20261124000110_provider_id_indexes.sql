-- One organisation per id, whatever the triggers do, and what they look up by. Where an organisation has a row per role, each
-- role has its index: its two assistants may share a number.
create unique index concurrently if not exists inbound_agent_config_vapi_assistant_key
  on public.inbound_agent_config (vapi_assistant_id);
create unique index concurrently if not exists inbound_agent_config_vapi_phone_key
  on public.inbound_agent_config (vapi_phone_number_id);
create unique index concurrently if not exists outbound_agent_config_vapi_assistant_key
  on public.outbound_agent_config (vapi_assistant_id);
create unique index concurrently if not exists outbound_agent_config_vapi_phone_key
  on public.outbound_agent_config (vapi_phone_number_id);
create unique index concurrently if not exists integration_settings_vapi_assistant_key
  on public.integration_settings (vapi_assistant_id);
create unique index concurrently if not exists integration_settings_vapi_phone_key
  on public.integration_settings (vapi_phone_number_id);
create unique index concurrently if not exists agents_inbound_vapi_phone_key
  on public.agents (vapi_phone_number_id) where role = 'inbound';
create unique index concurrently if not exists agents_outbound_vapi_phone_key
  on public.agents (vapi_phone_number_id) where role = 'outbound';
