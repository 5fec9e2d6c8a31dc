import { uuidOf } from "./random.mjs";

const VOICES = { inbound: "Savannah", outbound: "Elliot" };
const LANGUAGES = { GB: "en-GB", US: "en-US" };
const DAY = 86_400_000;

/** What a clinic has before its first call, by table: price list, assistants and their configuration, numbers, escalation rules. */
export function setupRows(clinic, now) {
  const made = now - 400 * DAY;
  const base = (key) => ({ id: uuidOf(clinic.seed, 10_000_000 + key), org_id: clinic.orgId, created_at: made, updated_at: made });
  const assistants = ["inbound", "outbound"].map((role, index) => assistantOf(clinic, role, base(index), made));
  return {
    services: clinic.services.map((service, index) => ({ ...base(0), ...service, created_at: made + index * 60_000 })),
    agents: assistants,
    inbound_agent_config: [configOf(clinic, assistants[0], base(2), made)],
    outbound_agent_config: [configOf(clinic, assistants[1], base(3), made)],
    assistant_org_mapping: assistants.map(({ vapi_assistant_id, role, name }, index) =>
      ({ ...base(4 + index), vapi_assistant_id, assistant_role: role, assistant_name: name })),
    phone_number_mapping: [{ ...base(6), inbound_phone_number: clinic.phone, clinic_name: clinic.spokenName, vapi_phone_number_id: phoneId(clinic), is_active: true }],
    integration_settings: [integrationOf(clinic, base(7))],
    escalation_rules: escalationRules(clinic, base, assistants[0].id),
  };
}

/** demo-assistant-01-inbound and so on: the ids that provider events of the demo clinics carry. */
export const assistantId = (clinic, role) => `demo-assistant-${clinic.handle.slice("clinic-".length)}-${role}`;
const phoneId = (clinic) => `demo-phone-${clinic.handle.slice("clinic-".length)}`;

const PROMPTS = {
  inbound: ({ spokenName, city }) =>
    `You are Voxanne, the receptionist of ${spokenName} in ${city}. Answer briefly and warmly, find out which treatment the caller is ` +
    "interested in, quote only prices of the price list, offer free times, and put callers through when they ask for a person. Give no medical advice.",
  outbound: ({ spokenName, city }) =>
    `You are Voxanne, calling for ${spokenName} in ${city}. Say who you are at once, ask whether it is a good moment, help the patient to find a time, ` +
    "and take no for an answer.",
};
const GREETINGS = {
  inbound: ({ spokenName }) => `Thank you for calling ${spokenName}, this is Voxanne. How can I help?`,
  outbound: ({ spokenName }) => `Hello, this is Voxanne from ${spokenName}. Is now a good moment?`,
};

function assistantOf(clinic, role, base, made) {
  return {
    ...base, role, name: `${role === "inbound" ? "Inbound" : "Outbound"} Agent`, system_prompt: PROMPTS[role](clinic),
    first_message: GREETINGS[role](clinic), voice: VOICES[role], voice_provider: "vapi", language: LANGUAGES[clinic.country],
    max_call_duration: 600, active: true, vapi_assistant_id: assistantId(clinic, role), vapi_phone_number_id: phoneId(clinic), prompt_synced_at: made,
  };
}

function configOf(clinic, assistant, base, made) {
  return {
    ...base, vapi_assistant_id: assistant.vapi_assistant_id, vapi_phone_number_id: phoneId(clinic), twilio_phone_number: clinic.phone,
    system_prompt: assistant.system_prompt, first_message: assistant.first_message, voice_id: assistant.voice, language: assistant.language,
    max_call_duration: 600, is_active: true, last_synced_at: made,
  };
}

function integrationOf(clinic, base) {
  return {
    ...base, vapi_assistant_id: assistantId(clinic, "inbound"), vapi_phone_number_id: phoneId(clinic), twilio_from_number: clinic.phone,
    hot_lead_alert_phone: clinic.transferPhone, transfer_phone_number: clinic.transferPhone,
    transfer_departments: { general: clinic.transferPhone, billing: clinic.transferPhone, medical: clinic.transferPhone },
  };
}

function escalationRules(clinic, base, agentId) {
  const rules = [
    ["Unhappy caller", "Puts callers through whose mood turns bad.", "sentiment", { sentiment_threshold: -0.5 }, 30, true, agentId],
    ["Caller asks for a person", "Puts callers through who ask for somebody.", "ai_request", null, 20, true, null],
    ["Waiting too long", "Ends a wait of five minutes.", "wait_time", { max_wait_seconds: 300 }, 10, false, null],
  ];
  return rules.map(([name, description, trigger_type, trigger_value, priority, enabled, agent_id], index) => ({
    ...base(8 + index), name, description, trigger_type, trigger_value, priority, enabled, agent_id,
    transfer_number: clinic.transferPhone, transfer_type: "external",
  }));
}
