import { activeCalls } from "./outcomes.mjs";
import { callTimes, daysOf } from "./schedule.mjs";

const CONTACTS_PER_CALL = 0.18;
const FROM_CONTACT = { inbound: 0.25, outbound: 0.75 }; // 35 % of all calls
const NOBODY = -1;

/** How many contacts a clinic with `calls` calls has. */
export const contactCount = (calls) => Math.max(24, Math.round(calls * CONTACTS_PER_CALL));

/**
 * Who calls whom when: {index, time, outbound, person} for every call, oldest first; `person` is -1 for a withheld number.
 * The calls under way at the end come from strangers, since what a contact's first call led to is already known.
 * Cheap and repeatable, so it is walked twice: once to learn each contact's history, once to write the calls.
 */
export function* planCalls(clinic, people, total, now) {
  const random = clinic.stream("plan");
  const times = callTimes(clinic.stream("times"), daysOf(clinic.timezone, now), total, now);
  let index = 0;
  const firstActive = total - activeCalls(total);
  for (const finished of times) {
    const time = index < firstActive ? finished : now - (total - index) * 70_000;
    const outbound = random.chance(0.2);
    const known = random.chance(FROM_CONTACT[outbound ? "outbound" : "inbound"]) && index < firstActive;
    const person = known ? pickContact(random, people.contacts, index / total) : pickStranger(random, people, total, outbound);
    yield { index: index++, time, outbound, person };
  }
}

/** Somebody of those who have become contacts by now: the circle grows with the year. */
function pickContact(random, contacts, elapsed) {
  const circle = Math.max(Math.min(16, contacts), Math.ceil(contacts * elapsed));
  return Math.floor(random.next() ** 0.8 * circle);
}

function pickStranger(random, people, total, outbound) {
  const withheld = !outbound && random.chance(0.033);
  const stranger = random.int(0, total - 1);
  return withheld ? NOBODY : people.stranger(stranger);
}

/** What the calls mean for the contacts: first and last call (epoch ms, 0 = never) and which call was the first. */
export function contactHistory(clinic, people, total, now) {
  const history = {
    first: new Float64Array(people.contacts),
    last: new Float64Array(people.contacts),
    firstCall: new Int32Array(people.contacts).fill(-1),
  };
  for (const { index, time, person } of planCalls(clinic, people, total, now)) {
    if (person < 0 || person >= people.contacts) continue;
    history.last[person] = time;
    if (history.firstCall[person] >= 0) continue;
    history.first[person] = time;
    history.firstCall[person] = index;
  }
  return history;
}
