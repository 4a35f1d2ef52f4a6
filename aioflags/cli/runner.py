"""The event loop and the limit on open files: what the owner of a process decides, and a library must not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

__all__ = ["choose_loop", "raise_file_limit"]

_SPARE_FILES = 64


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
