"""When this system was started: what was written before may never have reached the disk. Blocking."""

from __future__ import annotations

import time

__all__ = ["boot_id", "boot_time"]

_BOOT_ID = "/proc/sys/kernel/random/boot_id"
_STATISTICS = "/proc/stat"


def boot_id() -> str | None:
    """Name the life of this system since it was started; `None` where it does not tell."""
    try:
        with open(_BOOT_ID, encoding="ascii") as file:
            return file.read().strip() or None
    except (OSError, ValueError):
        return None


def boot_time() -> float:
    """Tell when this system was started, in seconds since the epoch.

    True to the second; where the system does not tell, too late by the time that it has slept since.
    """
    try:
        with open(_STATISTICS, encoding="ascii") as file:
            return next(float(line.split()[1]) for line in file if line.startswith("btime "))
    except (OSError, ValueError, StopIteration):
        return time.time() - time.monotonic()
