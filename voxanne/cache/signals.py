"""Where others listen in, for Server-Timing and the like."""

from blinker import Namespace

_signals = Namespace()

# sent with region (its name), event (a field of the counts) and, for loads, seconds; receivers must be quick
cache_event = _signals.signal("cache-event")

# sent once a read is answered, in the thread that asked, with region and seconds, those of a load included
cache_read = _signals.signal("cache-read")
