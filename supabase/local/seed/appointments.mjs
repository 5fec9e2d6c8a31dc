import { treatmentOf } from "./bookings.mjs";
import { uuidOf } from "./random.mjs";

const PAST = { completed: 84, no_show: 7, cancelled: 9 };
const FUTURE = { confirmed: 62, scheduled: 20, pending: 8, cancelled: 10 };
const NOTES = ["Bring previous records", "First visit", "Asked for a quiet room"];
const AFTER_CALL = 150_000;

/** The rows of `appointments`: what each contact agreed to in the first call, and the check-up of some of them. */
export function* appointmentRows(clinic, people, plan, now) {
  const random = clinic.stream("appointments");
  for (let contact = 0; contact < people.contacts; contact++) {
    const { name, minutes } = treatmentOf(clinic, contact);
    const first = { contact, key: contact * 2, at: plan.visits[contact], service: name, minutes };
    const second = { contact, key: contact * 2 + 1, at: plan.seconds[contact], service: "Check-up", minutes: 30 };
    if (first.at) yield appointmentRow(clinic, people, plan, now, random, first);
    if (second.at) yield appointmentRow(clinic, people, plan, now, random, second);
  }
}

function appointmentRow(clinic, people, plan, now, random, { contact, key, at, service, minutes }) {
  const isCheckUp = key % 2 === 1;
  const created = Math.min(now, isCheckUp ? plan.visits[contact] + 3_600_000 : plan.history.first[contact] + AFTER_CALL);
  return {
    id: uuidOf(plan.appointmentSeed, key), org_id: clinic.orgId, contact_id: uuidOf(plan.contactSeed, contact),
    call_id: isCheckUp ? null : uuidOf(plan.callSeed, plan.history.firstCall[contact]), service_type: service, scheduled_at: at,
    duration_minutes: minutes, status: statusAt(random, at, minutes, now), customer_name: people.name(contact),
    contact_phone: people.phone(contact), confirmation_sent: random.chance(0.8), notes: random.chance(0.1) ? random.pick(NOTES) : null,
    created_at: created, updated_at: created,
  };
}

function statusAt(random, at, minutes, now) {
  if (at > now) return random.weighted(FUTURE);
  return at + minutes * 60_000 > now ? "in_progress" : random.weighted(PAST);
}
