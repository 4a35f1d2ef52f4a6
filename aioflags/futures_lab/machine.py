"""What this machine and this interpreter can do at once."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

__all__ = ["count_cores", "describe", "has_gil"]

_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def has_gil() -> bool:
    """Tell whether a global interpreter lock is at work; a free-threaded build can run with or without it.

    Source: PEP 703.
    """
    return bool(getattr(sys, "_is_gil_enabled", lambda: True)())


def count_cores(quota: Path = _QUOTA) -> int:
    """Count the cores that this process may use: less than all where it is bound to some or has a quota of time.

    Args:
        quota: The file by which a control group limits CPU time: microseconds or "max", and the period.

    Source: the kernel's documentation of control groups, version 2, `cpu.max`.
    """
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        limit, period = quota.read_text(encoding="ascii").split()
        return bound if limit == "max" else max(1, min(bound, int(limit) // int(period)))
    except (OSError, ValueError):
        return bound


def describe() -> str:
    """Say in words what was measured on."""
    gil = "with a GIL" if has_gil() else "without a GIL"
    cores = count_cores()
    return f"{platform.python_implementation()} {platform.python_version()} {gil}, {cores} core{'s' * (cores != 1)}"
