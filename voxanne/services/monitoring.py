"""What this process uses of its machine, in megabytes."""

import os
import time
from pathlib import Path

from voxanne.observability import process

_STARTED = time.monotonic()
_MEGABYTE = 1024 * 1024
_CGROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def uptime_seconds() -> float:
    """Return for how long this process has served."""
    return round(time.monotonic() - _STARTED, 1)


def memory_used_mb() -> int:
    """Return the memory that this process holds; where the system tells only the most it ever held, that."""
    return round(process.memory_used_bytes() / _MEGABYTE)


def memory_total_mb() -> int:
    """Return the memory that there is to hold: the machine's, or the container's where that is less."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for path in _CGROUP_LIMITS:
        try:
            limits.append(int(path.read_text()))
        except (OSError, ValueError):  # no such group, or "max"
            continue
    return round(min(limits) / _MEGABYTE)
