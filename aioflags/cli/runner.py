"""The event loop, the limit on open files, the collector: what the owner of a process decides, a library must not."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from contextlib import suppress

__all__ = ["choose_loop", "collect_seldom", "raise_file_limit"]

_SPARE_FILES = 64
# Objects; what a job drops is freed without the collector, but for errors and their tracebacks.
_COLLECT_AFTER = 20_000


def choose_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Give the factory of uvloop's event loops; `None` for asyncio's own where uvloop is not installed."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def raise_file_limit(concurrency: int) -> None:
    """Make sure that a socket and a file for each attempt may be open, as far as the system allows it."""
    try:
        import resource
    except ImportError:  # Windows
        return
    wanted = 2 * concurrency + _SPARE_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    with suppress(ValueError, OSError):
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard)
        )


def collect_seldom() -> None:
    """Let the garbage collector look at what is there now never again, and at what comes seldom.

    By default it took 48 of 426 microseconds of each small file (`python -m benchmarks profile small`).
    """
    gc.freeze()
    _, *older = gc.get_threshold()
    gc.set_threshold(_COLLECT_AFTER, *older)
