import { uuidOf } from "./random.mjs";
import { wallClock } from "./schedule.mjs";

const STATUSES = { delivered: 70, sent: 24, failed: 4, bounced: 2 };
const ERRORS = { failed: "The carrier did not accept the message", bounced: "The mailbox does not exist" };

/** The rows of `messages`: a confirmation by text, or now and then by e-mail, for most appointments. */
export function* messageRows(clinic, people, plan) {
  const random = clinic.stream("messages");
  for (let contact = 0; contact < people.contacts; contact++) {
    if (plan.visits[contact] && random.chance(0.8)) yield messageRow(clinic, people, plan, random, contact);
  }
}

function messageRow(clinic, people, plan, random, contact) {
  const method = random.chance(0.85) ? "sms" : "email";
  const status = random.weighted(method === "sms" ? { ...STATUSES, bounced: 0 } : STATUSES);
  const sent = plan.history.first[contact] + random.int(170, 400) * 1000;
  const { day, time } = wallClock(clinic.timezone, plan.visits[contact]);
  return {
    id: random.uuid(), org_id: clinic.orgId, contact_id: uuidOf(plan.contactSeed, contact),
    appointment_id: uuidOf(plan.appointmentSeed, contact * 2), call_id: uuidOf(plan.callSeed, plan.history.firstCall[contact]),
    direction: "outbound", method, recipient: method === "sms" ? people.phone(contact) : people.email(contact),
    subject: method === "sms" ? null : `Your appointment at ${clinic.spokenName}`,
    content: `${clinic.spokenName}: we look forward to seeing you on ${day} at ${time}. Reply C to change it.`,
    status, error_message: ERRORS[status], service_provider: method === "sms" ? "twilio" : "resend",
    external_message_id: `demo-${random.uuid()}`, sent_at: status === "failed" ? null : sent, created_at: sent, updated_at: sent,
  };
}
