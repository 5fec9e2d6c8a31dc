import { officeNumber } from "./phones.mjs";
import { Random, seedFor } from "./random.mjs";

const PLACES = [
  ["Harley Street Aesthetics", "London", "Europe/London", "GB", "GBP"],
  ["Park Avenue Dermatology", "New York", "America/New_York", "US", "USD"],
  ["Sunset Cosmetic Surgery", "Los Angeles", "America/Los_Angeles", "US", "USD"],
  ["Meridian Skin Institute", "Greenwich", "UTC", "GB", "GBP"],
  ["Lotus Plastic Surgery Centre", "Mumbai", "Asia/Kolkata", "GB", "GBP"],
  ["Deansgate Skin & Laser", "Manchester", "Europe/London", "GB", "GBP"],
  ["Lakeshore Facial Plastics", "Chicago", "America/Chicago", "US", "USD"],
  ["Liffey Cosmetic Clinic", "Dublin", "Europe/Dublin", "GB", "GBP"],
  ["Mile High Aesthetics", "Denver", "America/Denver", "US", "USD"],
  ["O'Connell & Test Valley Clinic", "Romsey", "Europe/London", "GB", "GBP"],
  ["Harbourside Cosmetic Medicine", "Sydney", "Australia/Sydney", "GB", "GBP"],
  ["Biscayne Body Contouring", "Miami", "America/New_York", "US", "USD"],
];

/** Price list: name, price, words that callers use for it, minutes of the appointment. The first seven are the contract's. */
export const TREATMENTS = [
  ["Botox", 400, ["botox", "anti-wrinkle", "wrinkle injections"], 30],
  ["Facelift", 8000, ["facelift", "face lift", "rhytidectomy"], 45],
  ["Rhinoplasty", 6000, ["rhinoplasty", "nose job", "nose surgery"], 45],
  ["Breast Augmentation", 7500, ["breast augmentation", "breast implants", "boob job"], 45],
  ["Liposuction", 5000, ["liposuction", "lipo", "fat removal"], 45],
  ["Fillers", 500, ["fillers", "filler", "lip filler", "dermal filler"], 30],
  ["Consultation", 150, ["consultation", "consult", "assessment"], 30],
  ["Tummy Tuck", 6500, ["tummy tuck", "abdominoplasty"], 45],
  ["Eyelid Surgery", 3500, ["eyelid surgery", "blepharoplasty", "hooded eyes"], 45],
  ["Chemical Peel", 200, ["chemical peel", "skin peel"], 30],
  ["Laser Hair Removal", 120, ["laser hair removal", "hair removal"], 30],
  ["Hair Transplant", 6200, ["hair transplant", "hair restoration"], 45],
];

const CURRENCY_SIGNS = { GBP: "£", USD: "$" };

/** The fixed handle of clinic `number`: clinic-01 ... clinic-99, clinic-100. */
export const handleOf = (number) => `clinic-${pad(number)}`;

/** The id of clinic `number`: a0000000-0000-0000-0000-000000000001 and so on, in decimal. */
export const orgIdOf = (number) => `a0000000-0000-0000-0000-${String(number).padStart(12, "0")}`;

const pad = (number) => String(number).padStart(2, "0");

/** Everything that is settled about clinic `number` before its first call. */
export function describeClinic(number, seed) {
  const [name, city, timezone, country, currency] = PLACES[(number - 1) % PLACES.length];
  const lap = Math.floor((number - 1) / PLACES.length);
  const handle = handleOf(number);
  const random = new Random(seedFor(seed, "clinic", number));
  return {
    number, handle, city, timezone, country, currency,
    seed: seedFor(seed, "clinic", number, "people"),
    stream: (part) => new Random(seedFor(seed, "clinic", number, part)),
    orgId: orgIdOf(number),
    domain: `${handle}.example`,
    name: `${lap ? `${name} ${lap + 1}` : name} (${handle})`,
    spokenName: name,
    phone: officeNumber(country, number, 0),
    transferPhone: officeNumber(country, number, 1),
    services: priceList(random, number, CURRENCY_SIGNS[currency]),
  };
}

/** Eight to twelve treatments; the prices of clinic 1 are the contract's, those of others differ by up to a third. */
function priceList(random, number, sign) {
  const count = number === 1 ? TREATMENTS.length : random.int(8, TREATMENTS.length);
  return TREATMENTS.slice(0, count).map(([name, price, keywords, minutes]) => {
    const factor = number === 1 ? 1 : 0.8 + random.next() * 0.5;
    const rounded = Math.round((price * factor) / 10) * 10;
    return { id: random.uuid(), name, price: rounded, quoted: sign + rounded.toLocaleString("en"), keywords, minutes };
  });
}
