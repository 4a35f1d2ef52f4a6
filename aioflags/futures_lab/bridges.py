"""Claims about the three bridges between threads and a loop: what lies at either end of each."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aioflags.futures_lab.lab import Claim, Facts
from aioflags.futures_lab.tools import Gate, kind_of

__all__ = ["CLAIMS"]


async def wrap_future_concurrent() -> Facts:
    with ThreadPoolExecutor(1) as executor, Gate() as gate:
        executor.submit(gate.wait)  # occupies the only thread
        future = executor.submit(pow, 2, 5)
        cancelled = executor.submit(pow, 2, 5)
        wrapper = asyncio.wrap_future(cancelled)
        wrapper.cancel()
        await asyncio.wait([wrapper])
        gate.open()
        return {
            "at this end, a Future of": kind_of(future),
            "its result": future.result(),
            "cancelled from the other end": cancelled.cancelled(),
        }


async def wrap_future_asyncio() -> Facts:
    with ThreadPoolExecutor(1) as executor, Gate() as gate:
        executor.submit(gate.wait)  # occupies the only thread
        future = asyncio.wrap_future(executor.submit(pow, 2, 5))
        wrapped = executor.submit(pow, 2, 5)
        cancelled = asyncio.wrap_future(wrapped)
        wrapped.cancel()
        await asyncio.wait([cancelled])
        gate.open()
        return {
            "at this end, a Future of": kind_of(future),
            "its result": await future,
            "cancelled from the other end": cancelled.cancelled(),
        }


WRAP_FUTURE = Claim(
    name="bridge-wrap-future",
    sentence="asyncio.wrap_future() makes of a concurrent.futures.Future one that can be awaited; result and "
    "cancelling cross over.",
    lesson="Use it where somebody hands you the other kind. Cancelling reaches the work only before it has begun.",
    probes=(wrap_future_concurrent, wrap_future_asyncio),
    expected={
        "at this end, a Future of": ("concurrent.futures", "asyncio"),
        "its result": (32, 32),
        "cancelled from the other end": (True, True),
    },
)


class Recorder(ThreadPoolExecutor):
    """An executor that remembers what its last submit() gave."""

    def submit(self, *args: Any, **options: Any) -> Any:
        self.given = super().submit(*args, **options)
        return self.given


async def run_in_executor_concurrent() -> Facts:
    with Recorder(1, "worker") as executor:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(executor, threading.current_thread)
        return {
            "at this end, a Future of": kind_of(executor.given),
            "the work ran in": executor.given.result().name,
        }


async def run_in_executor_asyncio() -> Facts:
    with ThreadPoolExecutor(1, "worker") as executor:
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(executor, threading.current_thread)
        return {
            "at this end, a Future of": kind_of(future),
            "the work ran in": (await future).name,
        }


RUN_IN_EXECUTOR = Claim(
    name="bridge-run-in-executor",
    sentence="loop.run_in_executor() lets a thread block for a coroutine: it is submit() and wrap_future() in one.",
    lesson="Never block the loop: give what blocks to an executor and await it.",
    probes=(run_in_executor_concurrent, run_in_executor_asyncio),
    helpers=(Recorder,),
    expected={
        "at this end, a Future of": ("concurrent.futures", "asyncio"),
        "the work ran in": ("worker_0", "worker_0"),
    },
)


async def name_thread_and_kind() -> tuple[str, str]:
    kind = kind_of(asyncio.current_task())
    return threading.current_thread().name, kind


async def in_other_thread(function: Callable[[], Facts]) -> Facts:
    with ThreadPoolExecutor(1, "other") as executor:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(executor, function)


async def run_coroutine_concurrent() -> Facts:
    loop = asyncio.get_running_loop()

    def call_from_a_thread() -> Facts:
        coroutine = name_thread_and_kind()
        future = asyncio.run_coroutine_threadsafe(coroutine, loop)
        thread, _ = future.result()  # blocks this thread, not the loop
        return {
            "at this end, a Future of": kind_of(future),
            "the work ran in": thread,
        }

    return await in_other_thread(call_from_a_thread)


async def run_coroutine_asyncio() -> Facts:
    loop = asyncio.get_running_loop()

    def call_from_a_thread() -> Facts:
        coroutine = name_thread_and_kind()
        future = asyncio.run_coroutine_threadsafe(coroutine, loop)
        thread, kind = future.result()
        return {
            "at this end, a Future of": kind,
            "the work ran in": thread,
        }

    return await in_other_thread(call_from_a_thread)


RUN_COROUTINE = Claim(
    name="bridge-run-coroutine-threadsafe",
    sentence="asyncio.run_coroutine_threadsafe() lets the loop run a coroutine for a thread, which gets a "
    "concurrent.futures.Future.",
    lesson="result() then blocks the thread that asked. Called in the loop's own thread it would wait for ever: the "
    "loop could not run what it waits for.",
    probes=(run_coroutine_concurrent, run_coroutine_asyncio),
    helpers=(name_thread_and_kind, in_other_thread),
    expected={
        "at this end, a Future of": ("concurrent.futures", "asyncio"),
        "the work ran in": ("loop", "loop"),
    },
)

CLAIMS = (WRAP_FUTURE, RUN_IN_EXECUTOR, RUN_COROUTINE)
