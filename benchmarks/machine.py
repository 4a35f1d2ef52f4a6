"""What a run ran on: goes into the result, so that nobody compares what cannot be compared."""

from __future__ import annotations

import os
import platform
import sys
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["describe_machine"]

_LIBRARIES = ("aiohttp", "uvloop", "aiofiles", "urllib3")


def describe_machine(directory: Path) -> dict[str, str]:
    """Tell system, processor, interpreter, libraries, and the kind of file system that files go to."""
    facts = {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        "memory": _memory(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "files go to": _file_system(directory),
        "load at the start": " ".join(f"{load:.2f}" for load in os.getloadavg()),
    }
    for library in _LIBRARIES:
        with suppress(PackageNotFoundError):
            facts[library] = version(library)
    return facts


def _processor() -> str:
    with suppress(OSError), open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def _memory() -> str:
    if sys.platform == "win32":
        return "unknown"
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"


def _file_system(directory: Path) -> str:
    """Name the type of the file system, by the longest mount point that leads to the directory."""
    path = os.path.realpath(directory)
    kinds: dict[str, str] = {}
    with suppress(OSError), open("/proc/mounts", encoding="utf-8") as file:
        for line in file:
            _, mount, kind, *_ = line.split()
            if path == mount or path.startswith(mount.rstrip("/") + "/"):
                kinds[mount] = kind
    return kinds[max(kinds, key=len)] if kinds else "unknown"
