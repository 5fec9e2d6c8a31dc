import { treatmentOf } from "./bookings.mjs";
import { fill, pickMood, pickScenario, transcribe } from "./conversations.mjs";
import { scoreLead, temperatureOf } from "./leads.mjs";
import { endedReason, secondsOf, setRecording, statusOf } from "./outcomes.mjs";
import { firstName } from "./people.mjs";
import { uuidOf } from "./random.mjs";
import { SCENARIOS, TRANSFER_REASONS } from "./scenarios.mjs";
import { wallClock } from "./schedule.mjs";

const SCORES = { positive: [610, 980], neutral: [400, 600], negative: [40, 390] };
const WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"];
const CENTS_PER_MINUTE = 11;
const UNNAMED = 0.033;
const TESTS = 0.008;

/** Makes the rows of one direction of one clinic's calls; `plan` is what plan.mjs and bookings.mjs found out about the clinic. */
export class CallWriter {
  constructor(clinic, people, plan, outbound) {
    Object.assign(this, { clinic, people, plan, random: clinic.stream(outbound ? "calls" : "call_logs") });
    this.recording = `${clinic.orgId}/demo.wav`;
  }

  /** The row of call_logs or calls for a planned call {index, time, outbound, person}. */
  row(call) {
    const about = this.about(call);
    const { status, seconds } = about;
    const ended = seconds === null ? null : call.time + about.rings + seconds * 1000;
    const spoken = seconds > 0;
    const row = this.parties(call, about);
    this.setTimes(row, call, about, ended);
    this.setResult(row, call, about);
    row.transcript = spoken ? transcribe(this.random, about, call.time + about.rings) : null;
    if (spoken && status !== "failed") this.setAnalysis(row, about);
    else this.setBlank(row, about);
    if (status === "transferred") this.setTransfer(row, ended);
    return row;
  }

  /** What the call is about, how it goes, and the words for its conversation. */
  about({ index, outbound, person, time }) {
    const { random, clinic, people, plan } = this;
    const isContact = person >= 0 && person < people.contacts;
    const visit = isContact && plan.history.firstCall[person] === index ? plan.visits[person] : 0;
    const scenario = pickScenario(random, outbound, visit > 0);
    const status = statusOf(random, index, plan.total, visit > 0);
    const treatment = SCENARIOS[scenario].treatment && this.treatment(person, visit > 0);
    const isUnnamed = person < 0 || (!isContact && random.chance(UNNAMED));
    const name = isUnnamed ? null : people.name(person);
    return {
      scenario, status, outbound, treatment, name, isContact, rings: random.int(2, 9) * 1000, mood: pickMood(random, scenario),
      seconds: secondsOf(random, status, outbound), isTest: !visit && random.chance(TESTS),
      words: this.words(name, treatment, visit, time),
    };
  }

  /** Mostly what this person is interested in; what they book always is. */
  treatment(person, books) {
    if (person >= 0 && (books || this.random.chance(0.8))) return treatmentOf(this.clinic, person);
    return this.random.pick(this.clinic.services);
  }

  words(name, treatment, visit) {
    const { random, clinic } = this;
    const when = visit ? wallClock(clinic.timezone, visit) : { day: random.pick(WEEKDAYS), time: `${random.int(9, 17)}:${random.pick(["00", "30"])}` };
    return {
      ...when, clinic: clinic.spokenName, city: clinic.city, first: name ? firstName(name) : "there", who: name ?? "the caller",
      price: treatment?.quoted, service: treatment?.name, keyword: treatment && random.pick(treatment.keywords), minutes: treatment?.minutes,
    };
  }

  parties({ index, outbound, person }, { name, isContact }) {
    const phone = person < 0 ? null : this.people.phone(person);
    const own = this.clinic.phone;
    return {
      channel: outbound ? "outbound" : "inbound", id: uuidOf(this.plan.callSeed, index), org_id: this.clinic.orgId, vapi_call_id: this.random.uuid(),
      contact_id: isContact ? uuidOf(this.plan.contactSeed, person) : null, phone_number: phone, caller_name: name,
      from_number: outbound ? own : (phone ?? "anonymous"), to_number: outbound ? phone : own,
    };
  }

  /** An inbound row is made when it rings; an outbound one (`call_date`) when it is placed, a moment after it was queued. */
  setTimes(row, { time, outbound }, { status, rings }, ended) {
    row.created_at = outbound ? time - 1500 : time;
    row.call_date = time;
    row.started_at = status === "queued" ? null : time + (status === "ringing" ? 0 : rings);
    row.ended_at = ended;
    row.updated_at = ended ?? time;
  }

  setResult(row, { outbound }, { status, seconds, isTest }) {
    row.status = status;
    row.duration_seconds = seconds;
    row.ended_reason = endedReason(this.random, status, outbound);
    row.cost_cents = Math.round(((seconds ?? 0) / 60) * CENTS_PER_MINUTE);
    row.is_test_call = isTest;
    row.metadata = isTest ? { channel: row.channel, is_test_call: true } : { channel: row.channel };
    setRecording(row, this.random, this.recording);
  }

  setAnalysis(row, { scenario, mood, treatment, status, words }) {
    const kind = SCENARIOS[scenario];
    const score = scoreLead(this.random, kind, mood, treatment);
    row.sentiment_score = this.random.int(...SCORES[mood]) / 1000;
    row.sentiment_label = mood;
    row.sentiment_summary = row.outcome_summary = sentence(fill(kind.summary, words));
    row.sentiment_urgency = kind.urgent || score >= 75 ? "High" : mood === "negative" || score >= 55 ? "Medium" : "Low";
    row.action_items = kind.actions.map((action) => sentence(fill(action, words)));
    row.outcome = status === "transferred" ? "transferred" : kind.outcome;
    row.tools_used = status === "transferred" ? [...new Set([...kind.tools, "transfer_call"])] : kind.tools;
    row.lead_score = score;
    row.lead_temp = temperatureOf(score);
    row.procedure_intent = treatment?.name;
    row.financial_value = treatment?.price ?? 0;
    row.booking_confirmed = kind.outcome === "booked";
  }

  /** Of a call without a conversation there is little to say. */
  setBlank(row, { status, outbound }) {
    row.action_items = status === "missed" && !outbound ? ["Return the missed call"] : [];
    row.outcome = { missed: outbound ? "no_answer" : "abandoned", failed: "failed" }[status];
    row.tools_used = [];
    row.financial_value = 0;
    row.booking_confirmed = false;
  }

  setTransfer(row, ended) {
    row.transfer_to = this.clinic.transferPhone;
    row.transfer_time = ended;
    row.transfer_reason = this.random.pick(TRANSFER_REASONS);
  }
}

const sentence = (words) => words[0].toUpperCase() + words.slice(1);
