/**
 * When a clinic's calls happen: over the last 365 days, growing, heavier on weekdays and in opening hours of the clinic's own
 * time zone, in chronological order (so that COPY appends to the date indexes instead of splitting them).
 */
const DAY = 86_400_000;
export const DAYS = 365;
const WEEKDAY_WEIGHT = [0.2, 1.1, 1.05, 1, 1, 0.95, 0.45]; // Sunday first
const HOUR_WEIGHT = [1, 1, 1, 1, 1, 2, 3, 6, 20, 60, 75, 70, 55, 50, 65, 70, 60, 45, 20, 12, 9, 6, 4, 2];
const HOURS = HOUR_WEIGHT.flatMap((weight, hour) => Array(weight).fill(hour));
const BUSY_TODAY = 1.8;
const LONGEST_CALL = 1_800_000; // calls begin so long before now that they have ended by now

/** The days of the last year in `timezone`, oldest first: start of the local day as epoch ms, and how busy it is. */
export function daysOf(timezone, now) {
  const today = localMidnight(timezone, now);
  const days = [];
  for (let back = DAYS - 1; back >= 0; back--) {
    const start = localMidnight(timezone, today + DAY / 2 - back * DAY);
    const weekday = new Date(start + offsetAt(timezone, start)).getUTCDay();
    const weight = WEEKDAY_WEIGHT[weekday] * (1 + (0.6 * (DAYS - back)) / DAYS);
    days.push({ start, weekday, weight: back ? weight : Math.max(weight, 1.6) * BUSY_TODAY });
  }
  return days;
}

/** Midnight that began the local day of `instant`. */
export function localMidnight(timezone, instant) {
  const wall = instant + offsetAt(timezone, instant);
  const midnight = Math.floor(wall / DAY) * DAY;
  return midnight - offsetAt(timezone, midnight - offsetAt(timezone, instant));
}

/** How far the clocks of `timezone` are ahead of UTC at `instant`, in ms; remembered by the hour, since asking is slow. */
export function offsetAt(timezone, instant) {
  const hour = `${timezone} ${Math.floor(instant / 3_600_000)}`;
  if (!offsets.has(hour)) offsets.set(hour, lookUpOffset(timezone, instant));
  return offsets.get(hour);
}
const offsets = new Map();
const formats = new Map();

function lookUpOffset(timezone, instant) {
  if (!formats.has(timezone)) formats.set(timezone, new Intl.DateTimeFormat("en-US", { timeZone: timezone, timeZoneName: "longOffset" }));
  const zone = formats.get(timezone).formatToParts(instant).find(({ type }) => type === "timeZoneName").value;
  const [, sign, hours, minutes] = /GMT(?:([+-])(\d+):(\d+))?/.exec(zone);
  return sign ? (sign === "+" ? 1 : -1) * (Number(hours) * 60 + Number(minutes)) * 60_000 : 0;
}

/** Start times (epoch ms) of `total` calls, ascending; about one in a hundred falls on the very instant of the one before. */
export function* callTimes(random, days, total, now) {
  const sum = days.reduce((soFar, { weight }) => soFar + weight, 0);
  let reached = 0;
  let made = 0;
  for (const day of days) {
    reached += day.weight;
    const upTo = day === days.at(-1) ? total : Math.round((total * reached) / sum);
    yield* timesOfDay(random, day, upTo - made, now);
    made = upTo;
  }
}

function timesOfDay(random, day, count, now) {
  const times = Float64Array.from({ length: count }, () => timeOfDay(random, day, now)).sort();
  for (let i = 1; i < count; i++) if (random.chance(0.01)) times[i] = times[i - 1];
  return times;
}

function timeOfDay(random, day, now) {
  const time = day.start + random.pick(HOURS) * 3_600_000 + random.int(0, 3_599_999);
  const latest = now - LONGEST_CALL;
  if (time < latest) return time;
  return latest - Math.floor(random.next() * Math.max(latest - day.start, LONGEST_CALL));
}

const WEEKDAY_NAMES = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/** How people there say an instant: {day: "Tuesday", time: "14:30"}. */
export function wallClock(timezone, instant) {
  const wall = new Date(instant + offsetAt(timezone, instant));
  return { day: WEEKDAY_NAMES[wall.getUTCDay()], time: wall.toISOString().slice(11, 16) };
}
