/**
 * Telephone numbers that nobody has.
 *
 * UK: the ranges that Ofcom keeps free for drama, about 15,000 numbers. US: 555-2000 to 555-9999 of real area codes, since
 * the few hundred 555-01xx numbers reserved for fiction cannot feed a million calls; no 555 line number is in service
 * (the directory's 555-1212 lies outside). All are valid in E.164 and to libphonenumber.
 */
const UK_DRAMA = (
  "+442079460 +441134960 +441144960 +441154960 +441164960 +441174960 +441184960 +441214960 +441314960 +441414960 +441514960 " +
  "+441614960 +441914980 +442896496 +442920180"
).split(" "); // each followed by three digits

const US_AREAS = (
  "201 202 203 205 206 207 208 209 210 212 213 214 215 216 217 218 219 224 225 228 229 231 234 239 240 248 251 252 253 254 " +
  "256 260 262 267 269 270 276 281 301 302 303 304 305 307 308 309 310 312 313 314 315 316 317 318 319 320 321 323 325 330 " +
  "331 334 336 337 339 346 347 351 352 360 361 385 386 401 402 404 405 406 407 408 409 410 412 413 414 415 417 419 423 424 " +
  "425 430 432 434 435 440 443 458 463 469 470 475 478 479 480 484 501 502 503 504 505 507 508 509 510 512 513 515 516 517 " +
  "518 520 530 531 534 539 540 541 551 559 561 562 563 567 570 571 573 574 575 580 585 586 601 602 603 605 606 607 608 609"
).split(" ");

const UK_SIZE = UK_DRAMA.length * 1000;
const LINES = 8000;
const US_SIZE = US_AREAS.length * LINES;
const STEP = 611_953; // a prime: neighbours in the count are far apart in the numbering plan, and none repeats

const ukNumber = (index) => {
  const place = (index * STEP) % UK_SIZE;
  return UK_DRAMA[place % UK_DRAMA.length] + String(Math.floor(place / UK_DRAMA.length)).padStart(3, "0");
};

const usNumber = (index) => {
  const place = (index * STEP) % US_SIZE;
  return `+1${US_AREAS[place % US_AREAS.length]}555${2000 + Math.floor(place / US_AREAS.length)}`;
};

/** How many people of one clinic can have a number of their own. */
export const CAPACITY = 1_000_000;

/** The number of person `index` of a clinic at home in `country` ("GB" or "US"): 8 of 10 people have one of that country. */
export function phoneOf(country, index) {
  const isLocal = index % 10 < 8;
  const british = (country === "GB") === isLocal;
  const place = Math.floor(index / 10) * (isLocal ? 8 : 2) + (isLocal ? index % 10 : (index % 10) - 8);
  if (british && place < UK_SIZE) return ukNumber(place);
  return usNumber(isLocal ? place : US_SIZE - 1 - place);
}

/**
 * A line of clinic `number` itself: 0 the published one, 1 the front desk. From the UK-wide and freephone drama ranges or
 * the US 555-01xx numbers for fiction, neither of which any caller has.
 */
export function officeNumber(country, number, line) {
  if (country === "GB" && number < 1000) return `${["+443069990", "+448081570"][line]}${String(number).padStart(3, "0")}`;
  const place = number * 2 + line;
  return `+1${US_AREAS[place % US_AREAS.length]}55501${String(Math.floor(place / US_AREAS.length) % 100).padStart(2, "0")}`;
}
