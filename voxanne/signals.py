"""Signals by which the program tells its monitoring what happens; receivers must be quick and must not raise."""

from blinker import Namespace

_signals = Namespace()

# Sent before and after each request to Supabase; the second one with name ("GET services", never a value), status (None
# without an answer) and seconds.
database_request_begun = _signals.signal("database-request-begun")
database_request = _signals.signal("database-request")

# Sent after each request to an outside provider, with provider ("vapi", "twilio"), operation (a fixed word), outcome
# ("ok", "refused", "unreachable") and seconds.
provider_call = _signals.signal("provider-call")

# Sent once for each delivery of a provider's event, and again for a spooled one when it is applied or given up; with
# source ("vapi", "twilio"), event_type (a known one, else "other"), seconds and outcome ("applied", "duplicate",
# "ignored", "answered", "spooled", "refused", "unknown", "failed", "dead").
webhook_event = _signals.signal("webhook-event")

# Sent when a text has been put into the outbox, to wake the thread that sends texts.
text_queued = _signals.signal("text-queued")
