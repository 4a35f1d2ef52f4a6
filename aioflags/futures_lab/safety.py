"""Claims about threads that touch one Future: what is safe for one kind, and what happens with the other."""

from __future__ import annotations

import asyncio
import concurrent.futures
import selectors
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from aioflags.futures_lab.lab import Claim, Facts
from aioflags.futures_lab.tools import try_call

__all__ = ["CLAIMS"]


class Watched(selectors.SelectSelector):
    """What a loop sleeps in; `asleep` is set as soon as it can be woken only from outside."""

    def __init__(self) -> None:
        super().__init__()
        self.asleep = threading.Event()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait for something to happen, `timeout` seconds at most."""
        if timeout is None:
            self.asleep.set()
        return super().select(timeout)


@contextmanager
def sleeping_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop in a thread of its own that has nothing to do."""
    selector = Watched()
    loop = asyncio.SelectorEventLoop(selector)
    loop.set_debug(False)
    with ThreadPoolExecutor(1) as executor:
        running = executor.submit(loop.run_forever)
        selector.asleep.wait()
        try:
            yield loop
        finally:
            loop.call_soon_threadsafe(loop.stop)
            running.result()
            loop.close()
