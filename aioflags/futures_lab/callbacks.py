"""Claims about callbacks: in which thread they are called, and when."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

from aioflags.futures_lab.lab import Claim, Facts
from aioflags.futures_lab.tools import Gate

__all__ = ["CLAIMS"]


def where_called_concurrent() -> Facts:
    names: list[str] = []

    def note(_: object) -> None:
        names.append(threading.current_thread().name)

    with ThreadPoolExecutor(1, "worker") as executor, Gate() as gate:
        worked = executor.submit(gate.wait)
        worked.add_done_callback(note)
        cancelled = executor.submit(gate.wait)
        cancelled.add_done_callback(note)
        cancelled.cancel()
        at_once = list(names)
    return {
        "when work ended, called in": names[1],
        "when cancelled, called in": names[0],
        "before cancel() returned": at_once == ["caller"],
    }


async def where_called_asyncio() -> Facts:
    names: list[str] = []

    def note(_: object) -> None:
        names.append(threading.current_thread().name)

    with ThreadPoolExecutor(1, "worker") as executor:
        loop = asyncio.get_running_loop()
        worked = loop.run_in_executor(executor, pow, 2, 5)
        worked.add_done_callback(note)
        await worked
        cancelled = loop.create_future()
        cancelled.add_done_callback(note)
        cancelled.cancel()
        at_once = names[1:]
        await asyncio.sleep(0)
    return {
        "when work ended, called in": names[0],
        "when cancelled, called in": names[1],
        "before cancel() returned": at_once == ["loop"],
    }


WHERE_CALLED = Claim(
    name="callback-thread",
    sentence="A callback is called by the thread that completes the Future, at once; by asyncio in the thread of the "
    "loop, on its next turn.",
    lesson="The first may run in a worker's thread: let it be short, and lock what it shares. The second may touch "
    "what the loop owns, and never comes in the middle of your code.",
    probes=(where_called_concurrent, where_called_asyncio),
    expected={
        "when work ended, called in": ("worker_0", "loop"),
        "when cancelled, called in": ("caller", "loop"),
        "before cancel() returned": (True, False),
    },
)


def added_late_concurrent() -> Facts:
    names: list[str] = []

    def note(_: object) -> None:
        names.append(threading.current_thread().name)

    with ThreadPoolExecutor(1, "worker") as executor:
        future = executor.submit(pow, 2, 5)
        future.result()
    future.add_done_callback(note)
    return {
        "called before add_... returned": bool(names),
        "called in": names[0],
    }


async def added_late_asyncio() -> Facts:
    names: list[str] = []

    def note(_: object) -> None:
        names.append(threading.current_thread().name)

    future = asyncio.create_task(asyncio.sleep(0))
    await future
    future.add_done_callback(note)
    at_once = bool(names)
    await asyncio.sleep(0)
    return {
        "called before add_... returned": at_once,
        "called in": names[0],
    }


ADDED_LATE = Claim(
    name="callback-after-completion",
    sentence="A callback that is added after completion is called at once, before add_done_callback() returns; by "
    "asyncio through call_soon(), on the loop's next turn.",
    lesson="So add_done_callback() may run your callback inside itself, in your own thread: hold no lock that it "
    "needs. With asyncio it never does.",
    probes=(added_late_concurrent, added_late_asyncio),
    expected={
        "called before add_... returned": (True, False),
        "called in": ("caller", "loop"),
    },
)

CLAIMS = (WHERE_CALLED, ADDED_LATE)
