"""How long this process has run, and how much memory it uses."""

import os
import time
from pathlib import Path

from voxanne.observability import process

_STARTED = time.monotonic()
_MEGABYTE = 1024 * 1024
_CGROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def uptime_seconds() -> float:
    """Return for how long this process has run."""
    return round(time.monotonic() - _STARTED, 1)


def memory_used_mb() -> int:
    """Return the memory that this process holds, or its peak where the system tells no more."""
    return round(process.memory_used_bytes() / _MEGABYTE)


def memory_total_mb() -> int:
    """Return the memory of the machine, or the container's limit where that is less."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for path in _CGROUP_LIMITS:
        try:
            limits.append(int(path.read_text()))
        except (OSError, ValueError):  # no such group, or "max"
            continue
    return round(min(limits) / _MEGABYTE)
