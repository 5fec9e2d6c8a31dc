import { json, list, plain, text, time } from "./copy.mjs";

const dates = { created_at: time, updated_at: time };
const agentConfig = {
  id: plain, org_id: plain, vapi_assistant_id: plain, vapi_phone_number_id: plain, twilio_phone_number: plain, system_prompt: text,
  first_message: text, voice_id: text, language: plain, max_call_duration: plain, is_active: plain, last_synced_at: time, ...dates,
};
const call = {
  id: plain, org_id: plain, vapi_call_id: plain, contact_id: plain, phone_number: plain, from_number: plain, to_number: plain,
  caller_name: text, status: plain, started_at: time, ended_at: time, created_at: time, updated_at: time, duration_seconds: plain,
  recording_storage_path: plain, recording_status: plain, recording_error: text, transcript: json, sentiment_score: plain,
  sentiment_label: plain, sentiment_summary: text, sentiment_urgency: plain, action_items: json, outcome: plain,
  outcome_summary: text, ended_reason: plain, cost_cents: plain, tools_used: list, lead_temp: plain, lead_score: plain,
  financial_value: plain, procedure_intent: text, booking_confirmed: plain, is_test_call: plain, transfer_to: plain,
  transfer_time: time, transfer_reason: text, metadata: json,
};

/** The columns that the seed writes, table by table, in an order that satisfies the foreign keys; generated columns are left out. */
export const TABLES = {
  services: { id: plain, org_id: plain, name: text, price: plain, keywords: list, ...dates },
  agents: {
    id: plain, org_id: plain, role: plain, name: text, system_prompt: text, first_message: text, voice: text, voice_provider: plain,
    language: plain, max_call_duration: plain, active: plain, vapi_assistant_id: plain, vapi_phone_number_id: plain,
    prompt_synced_at: time, ...dates,
  },
  inbound_agent_config: agentConfig,
  outbound_agent_config: agentConfig,
  assistant_org_mapping: {
    id: plain, org_id: plain, vapi_assistant_id: plain, assistant_role: plain, assistant_name: text, ...dates,
  },
  phone_number_mapping: {
    id: plain, org_id: plain, inbound_phone_number: plain, clinic_name: text, vapi_phone_number_id: plain, is_active: plain, ...dates,
  },
  integration_settings: {
    id: plain, org_id: plain, vapi_assistant_id: plain, vapi_phone_number_id: plain, twilio_from_number: plain,
    hot_lead_alert_phone: plain, transfer_phone_number: plain, transfer_departments: json, ...dates,
  },
  escalation_rules: {
    id: plain, org_id: plain, agent_id: plain, name: text, description: text, trigger_type: plain, trigger_value: json,
    transfer_number: plain, transfer_type: plain, enabled: plain, priority: plain, ...dates,
  },
  contacts: {
    id: plain, org_id: plain, name: text, phone: plain, email: text, lead_status: plain, pipeline_status: plain, lead_score: plain,
    service_interests: list, booking_source: plain, notes: text, last_contacted_at: time, ...dates,
  },
  call_logs: call,
  calls: { ...call, call_date: time },
  appointments: {
    id: plain, org_id: plain, contact_id: plain, call_id: plain, service_type: text, scheduled_at: time, duration_minutes: plain,
    status: plain, customer_name: text, contact_phone: plain, confirmation_sent: plain, notes: text, ...dates,
  },
  messages: {
    id: plain, org_id: plain, contact_id: plain, appointment_id: plain, call_id: plain, direction: plain, method: plain,
    recipient: text, subject: text, content: text, status: plain, error_message: text, service_provider: plain,
    external_message_id: plain, sent_at: time, ...dates,
  },
  hot_lead_alerts: {
    id: plain, org_id: plain, call_id: plain, contact_id: plain, lead_name: text, lead_phone: plain, service_interest: text,
    urgency_level: plain, summary: text, lead_score: plain, alert_sent_at: time, ...dates,
  },
  notifications: {
    id: plain, org_id: plain, type: plain, title: text, message: text, priority: plain, status: plain, is_read: plain, read_at: time,
    related_entity_type: plain, related_entity_id: plain, metadata: json, ...dates,
  },
};
