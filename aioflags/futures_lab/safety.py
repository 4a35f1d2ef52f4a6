"""Claims about threads that touch one Future: what is safe for one kind, and what happens with the other."""

from __future__ import annotations

import asyncio
import concurrent.futures
import selectors
import threading
from collections.abc import Iterator
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


def other_thread_concurrent() -> Facts:
    future: concurrent.futures.Future[int] = concurrent.futures.Future()
    woken = threading.Event()
    future.add_done_callback(lambda _: woken.set())
    with ThreadPoolExecutor(1) as executor:
        waiting = executor.submit(future.result)
        answer = try_call(future.set_result, 32)
        concurrent.futures.wait([waiting])
        return {
            "set_result() by another thread": answer,
            "wakes who waits": woken.is_set() and waiting.result() == 32,
        }


def other_thread_asyncio() -> Facts:
    woken = threading.Event()
    with sleeping_loop() as loop:
        future = loop.create_future()
        future.add_done_callback(lambda _: woken.set())
        answer = try_call(future.set_result, 32)
        wakes = woken.wait(0.1)
        loop.call_soon_threadsafe(lambda: None)
        wakes_at_last = woken.wait(5)
        loop.set_debug(True)
        debugged = loop.create_future()
        debugged.add_done_callback(lambda _: None)
        return {
            "set_result() by another thread": answer,
            "wakes who waits": wakes,
            "after call_soon_threadsafe()": wakes_at_last,
            "the same in debug mode": try_call(debugged.set_result, 32),
        }


OTHER_THREAD = Claim(
    name="thread-safe-or-not",
    sentence="One Future may be touched by any thread. That of asyncio belongs to the thread of its loop: from "
    "elsewhere a sleeping loop is not woken, and debug mode raises RuntimeError.",
    lesson="From another thread call loop.call_soon_threadsafe(future.set_result, value), and try your program with "
    "PYTHONASYNCIODEBUG=1.",
    probes=(other_thread_concurrent, other_thread_asyncio),
    helpers=(sleeping_loop,),
    expected={
        "set_result() by another thread": (None, None),
        "wakes who waits": (True, False),
        "after call_soon_threadsafe()": (..., True),
        "the same in debug mode": (..., "raises RuntimeError"),
    },
)


CLAIMS = (OTHER_THREAD,)
