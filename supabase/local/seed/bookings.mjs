import { Diary } from "./diary.mjs";
import { mix } from "./random.mjs";

const DAY = 86_400_000;
const BOOKS = 0.58;
const COMES_AGAIN = 0.15;

/**
 * Who has an appointment when: for each contact the time (epoch ms, 0 = none) of the visit agreed in the first call, and of a
 * second one after it.
 */
export function planBookings(clinic, history, days, now) {
  const random = clinic.stream("bookings");
  const count = history.first.length;
  const diary = new Diary(clinic.timezone, now, days, count * BOOKS);
  const [visits, seconds] = [new Float64Array(count), new Float64Array(count)];
  for (let contact = 0; contact < count; contact++) {
    const [books, returns, offset] = [random.chance(BOOKS), random.chance(COMES_AGAIN), random.int(0, 9 * 18)];
    if (!books || !history.first[contact]) continue;
    const { minutes } = treatmentOf(clinic, contact);
    visits[contact] = diary.book(history.first[contact] + DAY, offset, minutes);
    if (returns && visits[contact]) seconds[contact] = diary.book(visits[contact] + 14 * DAY, offset, 30);
  }
  return { visits, seconds };
}

/** The service that person `index` is interested in. */
export const treatmentOf = (clinic, index) => clinic.services[mix(clinic.seed, -1 - index) % clinic.services.length];
