"""Where others listen in, for Server-Timing and the like."""

from blinker import Namespace

# sent with region (its name), event (a field of the counts) and, for loads, seconds; receivers must be quick
cache_event = Namespace().signal("cache-event")
