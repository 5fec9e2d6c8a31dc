import { treatmentOf } from "./bookings.mjs";
import { temperatureOf } from "./leads.mjs";
import { mix, uuidOf } from "./random.mjs";

const DAY = 86_400_000;
const SOURCES = ["phone", "phone", "phone", "website", "referral"];
const NOTES = ["Prefers afternoons", "Has been with us before", "Nervous about needles", "Wants a female clinician", "Calls from work"];
const UNBOOKED = ["new", "contacted", "contacted", "qualified", "lost"];

/** The rows of `contacts`, one per person of the first `people.contacts`. */
export function* contactRows(clinic, people, plan, now) {
  for (let person = 0; person < people.contacts; person++) yield contactRow(clinic, people, plan, now, person);
}

function contactRow(clinic, people, plan, now, person) {
  const draw = mix(plan.contactSeed, ~person);
  const [first, last] = [plan.history.first[person], plan.history.last[person]];
  const created = first || now - (1 + (draw % 360)) * DAY;
  const score = scoreOf(draw, plan.visits[person] > 0);
  return {
    id: uuidOf(plan.contactSeed, person), org_id: clinic.orgId, name: people.name(person), phone: people.phone(person),
    email: draw % 10 < 7 ? people.email(person) : null, lead_score: score, lead_status: temperatureOf(score),
    pipeline_status: pipelineStatus(draw, plan.visits[person], now), service_interests: interests(clinic, person, draw),
    booking_source: first ? "phone" : SOURCES[draw % SOURCES.length], notes: draw % 12 ? null : NOTES[(draw >>> 8) % NOTES.length],
    last_contacted_at: last || null, created_at: created, updated_at: last || created,
  };
}

/** People with a visit are warm or hot, the others mostly warm or cold. */
const scoreOf = (draw, hasVisit) => (hasVisit ? 55 + ((draw >>> 5) % 44) : 12 + ((draw >>> 5) % 62));

function pipelineStatus(draw, visit, now) {
  if (!visit) return UNBOOKED[(draw >>> 11) % UNBOOKED.length];
  return visit < now ? "converted" : "booked";
}

function interests(clinic, person, draw) {
  const own = treatmentOf(clinic, person).name;
  const other = clinic.services[(draw >>> 3) % clinic.services.length].name;
  return draw % 4 || other === own ? [own] : [own, other];
}
