"""Claims about cancelling: before the work starts, while it runs, and what a thread makes of it."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from aioflags.futures_lab.lab import Claim, Facts
from aioflags.futures_lab.tools import Gate, try_await, try_call

__all__ = ["CLAIMS"]


def before_start_concurrent() -> Facts:
    begun: list[str] = []
    with ThreadPoolExecutor(1) as executor, Gate() as gate:
        executor.submit(gate.wait)  # occupies the only thread
        future = executor.submit(begun.append, "work")
        answer = future.cancel()
    return {
        "cancel() says": answer,
        "cancelled()": future.cancelled(),
        "the work has begun": bool(begun),
    }


async def before_start_asyncio() -> Facts:
    begun: list[str] = []

    async def work() -> None:
        begun.append("work")

    future = asyncio.create_task(work())
    answer = future.cancel()
    await asyncio.wait([future])
    return {
        "cancel() says": answer,
        "cancelled()": future.cancelled(),
        "the work has begun": bool(begun),
    }


BEFORE_START = Claim(
    name="cancel-before-start",
    sentence="Work that has not begun can be cancelled, and never begins.",
    lesson="Cancelling empties a queue, in both worlds.",
    probes=(before_start_concurrent, before_start_asyncio),
    expected={
        "cancel() says": (True, True),
        "cancelled()": (True, True),
        "the work has begun": (False, False),
    },
)


def while_running_concurrent() -> Facts:
    ended: list[str] = []
    with ThreadPoolExecutor(1) as executor, Gate() as gate:
        future = executor.submit(lambda: ended.append(gate.wait()))
        gate.reached.wait()
        answer = future.cancel()
    return {
        "cancel() says": answer,
        "cancelled()": future.cancelled(),
        "the work came to its end": bool(ended),
    }


async def while_running_asyncio() -> Facts:
    ended: list[str] = []
    begun, gate = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        await gate.wait()
        ended.append("passed")

    future = asyncio.create_task(work())
    await begun.wait()
    answer = future.cancel()
    gate.set()
    await asyncio.wait([future])
    return {
        "cancel() says": answer,
        "cancelled()": future.cancelled(),
        "the work came to its end": bool(ended),
    }


WHILE_RUNNING = Claim(
    name="cancel-while-running",
    sentence="Work that runs in a thread cannot be cancelled: cancel() says no. A task can: CancelledError is raised "
    "at the await where it stands.",
    lesson="A thread must be asked to stop, by an Event that it looks at. A task can be stopped wherever it awaits, so "
    "clean up in `finally`.",
    probes=(while_running_concurrent, while_running_asyncio),
    expected={
        "cancel() says": (False, True),
        "cancelled()": (False, True),
        "the work came to its end": (True, False),
    },
)


def thread_goes_on_concurrent() -> Facts:
    ended: list[str] = []
    with ThreadPoolExecutor(1) as executor, Gate() as gate:
        future = executor.submit(lambda: ended.append(gate.wait()))
        gate.reached.wait()
        got = try_call(future.result, timeout=0.01)
        by_then = bool(ended)
    return {
        "who waited got": got,
        "the thread had ended by then": by_then,
        "the thread ended its work": bool(ended),
    }


async def thread_goes_on_asyncio() -> Facts:
    ended: list[str] = []
    with ThreadPoolExecutor(1) as executor, Gate() as gate:
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(
            executor,
            lambda: ended.append(gate.wait()),
        )
        gate.reached.wait()
        future.cancel()
        got = await try_await(future)
        by_then = bool(ended)
    return {
        "who waited got": got,
        "the thread had ended by then": by_then,
        "the thread ended its work": bool(ended),
    }


THREAD_GOES_ON = Claim(
    name="the-thread-goes-on",
    sentence="Who waits for a thread can give up, or be cancelled; the thread goes on all the same.",
    lesson="Having stopped waiting is not having stopped the work: it still holds its file, socket and lock. Wait for "
    "its end before you touch those.",
    probes=(thread_goes_on_concurrent, thread_goes_on_asyncio),
    expected={
        "who waited got": ("raises TimeoutError", "raises CancelledError"),
        "the thread had ended by then": (False, False),
        "the thread ended its work": (True, True),
    },
)

CLAIMS = (BEFORE_START, WHILE_RUNNING, THREAD_GOES_ON)
