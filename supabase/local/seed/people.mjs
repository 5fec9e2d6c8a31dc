import { NAMES, REMARKABLE } from "./names.mjs";
import { CAPACITY, phoneOf } from "./phones.mjs";
import { mix } from "./random.mjs";

/**
 * The people who may call one clinic, found by index instead of being kept: name and number follow from the index alone.
 * People 0 to `contacts - 1` are the clinic's contacts, those after them have called but are in no list.
 */
export class People {
  constructor(seed, country, contacts) {
    Object.assign(this, { seed, country, contacts: Math.min(contacts, CAPACITY / 2) });
  }

  /** Index of somebody who is not a contact; after `CAPACITY` the same strangers call again. */
  stranger(index) {
    return this.contacts + (index % (CAPACITY - this.contacts));
  }

  phone(person) {
    return phoneOf(this.country, person);
  }

  name(person) {
    if (person < REMARKABLE.length) return REMARKABLE[person];
    const draw = mix(this.seed, person);
    const origin = NAMES[draw % NAMES.length];
    const married = NAMES[(draw >>> 4) % 29 === 0 ? (draw >>> 9) % NAMES.length : draw % NAMES.length];
    const second = mix(draw, 1);
    const given = origin.given[second % origin.given.length];
    return `${given} ${married.family[(second >>> 12) % married.family.length]}`;
  }

  email(person) {
    const plain = this.name(person).normalize("NFD").replace(/[^A-Za-z ]/g, "").trim().toLowerCase().replace(/ +/g, ".");
    return `${plain || "patient"}.${person}@mail.example`;
  }
}

/** What the receptionist calls somebody: the given name without title, brackets or comma. */
export function firstName(name) {
  return name.includes(", ") ? name.split(", ")[1].split(" ")[0] : name.replace(/^Dr\. /, "").split(" ")[0];
}
