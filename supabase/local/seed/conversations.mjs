import { CLOSINGS, HANDOVER, OPENINGS, SCENARIOS } from "./scenarios.mjs";

const weightsOf = (direction) =>
  Object.fromEntries(Object.entries(SCENARIOS).map(([name, it]) => [name, direction === "outbound" ? (it.outbound ?? 0) : it.weight]));
const WEIGHTS = { inbound: weightsOf("inbound"), outbound: weightsOf("outbound") };
const MOODS = { "+": "positive", "-": "negative", "": "neutral" };
const CLOSING_MOOD = { positive: "+", negative: "-", neutral: "" };
const RANK = { positive: 0, neutral: 1, negative: 2 };
const WORDS_PER_SECOND = 2.6;

/** What a call is about: a name of SCENARIOS. */
export function pickScenario(random, outbound, books) {
  if (books) return outbound ? "bookback" : "booking";
  return random.weighted(outbound ? WEIGHTS.outbound : WEIGHTS.inbound);
}

/** The mood that the caller ends in: positive, neutral or negative. */
export const pickMood = (random, scenario) => random.weighted(SCENARIOS[scenario].moods);

/** `text` with every {name} replaced from `words`. */
export const fill = (text, words) => (text.includes("{") ? text.replace(/\{(\w+)\}/g, (_, name) => words[name]) : text);

/**
 * The turns of a call as transcript segments {speaker, text, timestamp (epoch ms), sentiment}, spread over `seconds` from
 * `start`. A transferred call ends with the handover, and a failed one breaks off in the middle.
 */
export function transcribe(random, { scenario, outbound, mood, status, seconds, words }, start) {
  const lines = [["v", "", OPENINGS[outbound ? "outbound" : "inbound"]]];
  for (const [speaker, feeling, ...wordings] of SCENARIOS[scenario].turns) lines.push([speaker, feeling, wordings]);
  if (status === "failed") lines.length = Math.min(lines.length, random.int(1, 3));
  else if (status === "transferred") lines.push(["v", "", HANDOVER]);
  else if (lines.at(-1)[0] === "v") lines.push(["c", CLOSING_MOOD[mood], CLOSINGS[mood]]);
  return timed(lines.map(([speaker, feeling, wordings]) => segment(random, speaker, feeling, wordings, mood, words)), start, seconds);
}

function segment(random, speaker, feeling, wordings, mood, words) {
  const wording = feeling === "?" ? wordings[RANK[mood]] : random.pick(wordings);
  const sentiment = feeling === "?" ? mood : MOODS[feeling];
  return { speaker: speaker === "v" ? "voxanne" : "caller", text: fill(wording, words), timestamp: 0, sentiment };
}

/** Each turn gets time by its length, so that the last one ends with the call. */
function timed(segments, start, seconds) {
  const lengths = segments.map(({ text }) => 1 + text.length / 6 / WORDS_PER_SECOND);
  const stretch = (seconds * 1000) / lengths.reduce((sum, length) => sum + length, 0);
  let at = start;
  segments.forEach((it, index) => {
    it.timestamp = Math.round(at);
    at += lengths[index] * stretch;
  });
  return segments;
}
