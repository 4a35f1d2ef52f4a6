"""The event loop, the limit on open files: what the owner of a process decides, a library must not."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress

__all__ = ["choose_loop", "raise_file_limit", "start_loop_threads"]

_SPARE_FILES = 64
# libuv's, and two more: the system may count a thread for a moment that has ended.
_LOOP_THREADS = 6


def choose_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Give the factory of uvloop's event loops; `None` for asyncio's own where uvloop is not installed."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


async def start_loop_threads() -> None:
    """Have uvloop start its threads while it is certain that the system gives them.

    libuv starts four with the first name or address that it is given, and where one is refused it aborts the process
    without a word.

    Raises:
        RuntimeError: The system refuses.
    """
    loop = asyncio.get_running_loop()
    if not type(loop).__module__.startswith("uvloop"):
        return
    end = threading.Event()
    threads = [threading.Thread(target=end.wait, daemon=True) for _ in range(_LOOP_THREADS)]
    started = []
    try:
        for thread in threads:
            thread.start()
            started.append(thread)
    finally:
        end.set()
        for thread in started:
            thread.join()
    await loop.getaddrinfo("127.0.0.1", 80)


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
