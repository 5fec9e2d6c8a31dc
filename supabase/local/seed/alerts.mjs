const HOT = 70;
const KEPT = 60;
const UNREAD = 8;

/** Watches call rows go by and keeps the newest that the clinic's people are told about: hot leads and missed calls. */
export class Watch {
  hot = [];
  missed = [];

  see(row) {
    if (row.is_test_call || !row.phone_number) return;
    if (row.lead_score >= HOT) keepNewest(this.hot, row);
    if (row.status === "missed" && row.from_number === row.phone_number) keepNewest(this.missed, row);
  }
}

function keepNewest(rows, row) {
  rows.push(row);
  if (rows.length > KEPT) rows.shift();
}

const newestFirst = (rows) => rows.toSorted((a, b) => b.created_at - a.created_at || (a.id < b.id ? -1 : 1));

export function* alertRows(clinic, { hot }) {
  const random = clinic.stream("alerts");
  for (const call of hot) {
    yield {
      id: random.uuid(), org_id: clinic.orgId, call_id: call.id, contact_id: call.contact_id, lead_name: call.caller_name ?? "Unknown caller",
      lead_phone: call.phone_number, service_interest: call.procedure_intent, urgency_level: call.lead_score >= 80 ? "high" : "medium",
      summary: call.sentiment_summary, lead_score: call.lead_score, alert_sent_at: call.updated_at, created_at: call.updated_at,
      updated_at: call.updated_at,
    };
  }
}

/** A notification for every hot lead and missed call; the newest few are unread. */
export function* notificationRows(clinic, { hot, missed }) {
  const random = clinic.stream("notifications");
  const told = newestFirst([...hot, ...missed]);
  for (const [index, call] of told.entries()) {
    const isRead = index >= UNREAD;
    yield {
      id: random.uuid(), org_id: clinic.orgId, ...wording(call), status: isRead ? "read" : "unread", is_read: isRead,
      read_at: isRead ? call.updated_at + 600_000 : null, related_entity_type: "call", related_entity_id: call.id,
      metadata: { call_id: call.id, phone_number: call.phone_number }, created_at: call.updated_at, updated_at: call.updated_at,
    };
  }
}

function wording(call) {
  const who = call.caller_name ?? call.phone_number;
  if (call.status === "missed") return { type: "missed_call", title: `Missed call from ${who}`, message: `${who} rang and was not answered.`, priority: "normal" };
  return { type: "hot_lead", title: `Hot lead: ${who}`, message: call.sentiment_summary, priority: "high" };
}
