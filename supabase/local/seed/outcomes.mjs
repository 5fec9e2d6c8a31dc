/** How calls end. The booked ones (about 8 in 100) always complete, so the weights of the others are a little lower there. */
const STATUSES = { completed: 76.2, missed: 10.8, transferred: 7.6, failed: 5.4 };
const ENDINGS = {
  completed: { "customer-ended-call": 70, "assistant-ended-call": 30 },
  transferred: { "assistant-forwarded-call": 100 },
  failed: { "call.in-progress.error-vapifault": 30, "silence-timed-out": 45, "call.start.error-get-transport": 25 },
};
const MISSED = {
  inbound: { "customer-did-not-give-microphone-permission": 5, "customer-ended-call": 95 },
  outbound: { "customer-did-not-answer": 60, "customer-busy": 15, voicemail: 25 },
};
const RECORDING = { completed: 93, processing: 2, failed: 2, none: 3 };
const RECORDING_ERROR = "The recording could not be fetched from the voice provider";
const ACTIVE = ["ringing", "in-progress", "queued"];

/** The last calls of a clinic are under way; very small clinics have none. */
export const activeCalls = (total) => (total < 100 ? 0 : ACTIVE.length);

/** How call number `index` of `total` ended, or what it is doing now. */
export function statusOf(random, index, total, books) {
  const active = index - (total - activeCalls(total));
  if (active >= 0) return ACTIVE[active];
  return books ? "completed" : random.weighted(STATUSES);
}

/** Seconds of conversation: nothing when missed, unknown while under way, else around 115 (inbound) or 92 (outbound). */
export function secondsOf(random, status, outbound) {
  if (status === "missed") return 0;
  if (ACTIVE.includes(status)) return null;
  if (status === "failed") return random.int(3, 40);
  return Math.max(18, Math.min(1500, Math.round((outbound ? 92 : 115) * Math.exp(random.normal() * 0.5))));
}

/** The voice provider's reason for the end, or null while the call is under way. */
export function endedReason(random, status, outbound) {
  if (status === "missed") return random.weighted(outbound ? MISSED.outbound : MISSED.inbound);
  return ENDINGS[status] ? random.weighted(ENDINGS[status]) : null;
}

/** Sets the recording's columns; `path` is where the sound lies in the bucket. */
export function setRecording(row, random, path) {
  const status = row.duration_seconds > 10 ? random.weighted(RECORDING) : "none";
  if (status === "none") return;
  row.recording_status = status;
  if (status === "failed") row.recording_error = RECORDING_ERROR;
  else row.recording_storage_path = status === "processing" ? "processing" : path;
}
