import { localMidnight } from "./schedule.mjs";

const DAY = 86_400_000;
const SLOT = 1_800_000;
const OPENS = 9;
const SLOTS = 18; // half hours from 9:00 to 18:00
const AHEAD = 28;
const SEARCH = 60;

/**
 * A clinic's appointment book of half-hour slots on weekdays. Days gone by have as many rooms as a clinic of that size
 * needs; from today on there is one, since the schema refuses overlaps of live appointments within an organisation.
 */
export class Diary {
  constructor(timezone, now, days, expected) {
    const today = localMidnight(timezone, now);
    this.starts = [...days.map(({ start }) => start)];
    for (let ahead = 1; ahead <= AHEAD; ahead++) this.starts.push(localMidnight(timezone, today + ahead * DAY + DAY / 2));
    this.open = this.starts.map((start) => ![0, 6].includes(new Date(start + DAY / 2).getUTCDay()));
    this.today = days.length - 1;
    this.rooms = Math.min(250, Math.ceil(expected / (days.length * 6)));
    this.taken = new Uint8Array(this.starts.length * SLOTS);
  }

  /** Takes the first free slot for `minutes` not before `earliest` and `offset` slots; epoch ms, or 0 if there is none near. */
  book(earliest, offset, minutes) {
    const needed = Math.ceil(minutes / 30);
    const from = this.slotAfter(earliest) + offset;
    for (let slot = from; slot < from + SEARCH; slot++) {
      if (this.isFree(slot, needed)) return this.take(slot, needed);
    }
    return 0;
  }

  slotAfter(instant) {
    const day = Math.ceil((instant - this.starts[0]) / DAY);
    return Math.max(day, 0) * SLOTS;
  }

  isFree(slot, needed) {
    const day = Math.floor(slot / SLOTS);
    if (day >= this.starts.length || !this.open[day] || (slot % SLOTS) + needed > SLOTS) return false;
    const rooms = day < this.today ? this.rooms : 1;
    for (let next = slot; next < slot + needed; next++) if (this.taken[next] >= rooms) return false;
    return true;
  }

  take(slot, needed) {
    for (let next = slot; next < slot + needed; next++) this.taken[next]++;
    return this.starts[Math.floor(slot / SLOTS)] + OPENS * 3_600_000 + (slot % SLOTS) * SLOT;
  }
}
