/**
 * Numbers that look random and are the same for the same key.
 *
 * Every part of a clinic (its calls, its contacts ...) draws from a stream of its own, named after it, so that one part can
 * change without moving another, and a clinic is the same whatever other clinics are made beside it.
 */

/** A well mixed unsigned 32-bit number for `key` under `seed`; the same pair always gives the same number. */
export function mix(seed, key) {
  let hash = (seed ^ Math.imul(key + 0x9e3779b9, 0x85ebca6b)) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x21f0aaad);
  hash = Math.imul(hash ^ (hash >>> 15), 0x735a2d97);
  return (hash ^ (hash >>> 15)) >>> 0;
}

/** A 32-bit seed for a name such as "1/clinic/7/calls". */
export function seedFor(...parts) {
  let hash = 0x811c9dc5;
  for (const character of parts.join("/")) hash = Math.imul(hash ^ character.codePointAt(0), 0x01000193);
  return mix(hash >>> 0, parts.length);
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
const hex32 = (n) => HEX[n >>> 24] + HEX[(n >>> 16) & 255] + HEX[(n >>> 8) & 255] + HEX[n & 255];

/** One stream of numbers (the sfc32 generator). */
export class Random {
  constructor(seed) {
    [this.a, this.b, this.c, this.d] = [mix(seed, 1), mix(seed, 2), mix(seed, 3), 1];
    for (let i = 0; i < 12; i++) this.uint32();
  }

  uint32() {
    const sum = (this.a + this.b + this.d++) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** From 0 (included) to 1 (excluded). */
  next() {
    return this.uint32() / 4294967296;
  }

  chance(probability) {
    return this.next() < probability;
  }

  /** A whole number from `low` to `high`, both included. */
  int(low, high) {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  pick(items) {
    return items[Math.floor(this.next() * items.length)];
  }

  /** A key of `weights` ({completed: 78, missed: 10}), as often as its weight says. */
  weighted(weights) {
    let total = 0;
    for (const key in weights) total += weights[key];
    let left = this.next() * total;
    let last;
    for (const key in weights) {
      last = key;
      if ((left -= weights[key]) < 0) return key;
    }
    return last;
  }

  /** A bell curve around 0 with deviation 1. */
  normal() {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
  }

  /** A version 4 UUID. */
  uuid() {
    return uuid(this.uint32(), this.uint32(), this.uint32(), this.uint32());
  }
}

/**
 * The UUID of item `key` under `seed`, without keeping it anywhere. Each word mixes both in another way: items of two clinics
 * that agree in one word, as some of a million do, differ in the next.
 */
export const uuidOf = (seed, key) =>
  uuid(mix(seed, key), mix(seed ^ 0x5bd1e995, key), mix(key, seed), mix(~key, seed ^ 0x2545f491));

function uuid(a, b, c, d) {
  const [first, second, third, fourth] = [hex32(a), hex32(b), hex32(c), hex32(d)];
  return `${first}-${second.slice(0, 4)}-4${second.slice(5)}-${"89ab"[c & 3]}${third.slice(1, 4)}-${third.slice(4)}${fourth}`;
}
