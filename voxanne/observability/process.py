"""What this process uses of its machine."""

import os
import resource
import sys
import time
from pathlib import Path

STARTED_AT = time.time()
_STATM = Path("/proc/self/statm")
_DESCRIPTORS = Path("/proc/self/fd")


def memory_used_bytes() -> int:
    """Return the memory that this process holds; where the system tells only the most it ever held, that."""
    try:
        pages = int(_STATM.read_text().split()[1])
    except (OSError, ValueError, IndexError):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak * (1 if sys.platform == "darwin" else 1024)
    return pages * os.sysconf("SC_PAGE_SIZE")


def open_files() -> int:
    """Return how many files and connections are open; 0 where the system does not tell."""
    try:
        return sum(1 for _ in _DESCRIPTORS.iterdir())
    except OSError:
        return 0
