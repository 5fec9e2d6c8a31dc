import { Watch, alertRows, notificationRows } from "./alerts.mjs";
import { appointmentRows } from "./appointments.mjs";
import { planBookings } from "./bookings.mjs";
import { CallWriter } from "./calls.mjs";
import { contactRows } from "./contacts.mjs";
import { messageRows } from "./messages.mjs";
import { People } from "./people.mjs";
import { contactCount, contactHistory, planCalls } from "./plan.mjs";
import { mix } from "./random.mjs";
import { daysOf } from "./schedule.mjs";
import { setupRows } from "./setup.mjs";

/**
 * All rows of one clinic as [table, iterable] pairs in an order that satisfies the foreign keys; each iterable is walked once
 * and makes its rows as it goes.
 */
export function* clinicRows(clinic, total, now) {
  const people = new People(clinic.seed, clinic.country, contactCount(total));
  const plan = makePlan(clinic, people, total, now);
  const watch = new Watch();
  yield* Object.entries(setupRows(clinic, now));
  yield ["contacts", contactRows(clinic, people, plan, now)];
  yield ["call_logs", callRows(clinic, people, plan, now, watch, false)];
  yield ["calls", callRows(clinic, people, plan, now, watch, true)];
  yield ["appointments", appointmentRows(clinic, people, plan, now)];
  yield ["messages", messageRows(clinic, people, plan)];
  yield ["hot_lead_alerts", alertRows(clinic, watch)];
  yield ["notifications", notificationRows(clinic, watch)];
}

function makePlan(clinic, people, total, now) {
  const history = contactHistory(clinic, people, total, now);
  const seeds = { callSeed: mix(clinic.seed, -1), contactSeed: mix(clinic.seed, -2), appointmentSeed: mix(clinic.seed, -3) };
  return { total, history, ...seeds, ...planBookings(clinic, history, daysOf(clinic.timezone, now), now) };
}

function* callRows(clinic, people, plan, now, watch, outbound) {
  const writer = new CallWriter(clinic, people, plan, outbound);
  for (const call of planCalls(clinic, people, plan.total, now)) {
    if (call.outbound !== outbound) continue;
    const row = writer.row(call);
    watch.see(row);
    yield row;
  }
}
