"""Where the monitoring listens in on the rest of the program; receivers must be quick and must not raise."""

from blinker import Namespace

_signals = Namespace()

# sent in pairs around each request to Supabase; the second one with name ("GET services", no values), status (None if
# there was no answer) and seconds
database_request_begun = _signals.signal("database-request-begun")
database_request = _signals.signal("database-request")

# sent with provider ("vapi", "twilio"), operation (a fixed word), outcome ("ok", "refused", "unreachable") and seconds
provider_call = _signals.signal("provider-call")

# sent with source ("vapi", "twilio"), event_type (a known one, else "other"), outcome ("applied", "duplicate",
# "ignored", "answered", "spooled", "refused", "unknown", "failed", "dead") and seconds; once a delivery, and once more
# for a spooled one when it is applied or given up
webhook_event = _signals.signal("webhook-event")

# sent when a text has been put into the outbox; the thread that sends them wakes up
text_queued = _signals.signal("text-queued")
