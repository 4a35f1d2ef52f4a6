"""Claims about what a Future is: who makes it, who completes it, and how one asks it."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aioflags.futures_lab.lab import Claim, Facts
from aioflags.futures_lab.tools import Gate, kind_of, listen, state_of, try_await, try_call

__all__ = ["CLAIMS"]


def stands_for_work_concurrent() -> Facts:
    with ThreadPoolExecutor(1) as executor, Gate() as gate:
        future = executor.submit(gate.wait)
        gate.reached.wait()
        at_first = state_of(future)
        gate.open()
        return {
            "state at first": at_first,
            "result in the end": future.result(),
            "state in the end": state_of(future),
        }


async def stands_for_work_asyncio() -> Facts:
    gate = asyncio.Event()
    future = asyncio.create_task(gate.wait())
    at_first = state_of(future)
    gate.set()
    return {
        "state at first": at_first,
        "result in the end": await future,
        "state in the end": state_of(future),
    }


STANDS_FOR_WORK = Claim(
    name="stands-for-unfinished-work",
    sentence="A Future stands for a computation that may not have finished yet.",
    lesson="Hold it, pass it on, keep many in a list: the value comes later, the handle is here now.",
    probes=(stands_for_work_concurrent, stands_for_work_asyncio),
    expected={
        "state at first": ("running", "pending"),
        "result in the end": ("passed", True),
        "state in the end": ("finished", "finished"),
    },
)


def made_by_concurrent() -> Facts:
    by_hand: concurrent.futures.Future[int] = concurrent.futures.Future()
    with ThreadPoolExecutor(1) as executor, Gate() as gate:
        future = executor.submit(gate.wait)
        at_once = state_of(future) != "finished"
    return {
        "scheduling gives a Future of": kind_of(future),
        "before the work is done": at_once,
        "one made by hand stays": state_of(by_hand),
    }


async def made_by_asyncio() -> Facts:
    by_hand: asyncio.Future[int] = asyncio.Future()
    future = asyncio.create_task(asyncio.sleep(0))
    at_once = state_of(future) != "finished"
    await future
    return {
        "scheduling gives a Future of": kind_of(future),
        "before the work is done": at_once,
        "one made by hand stays": state_of(by_hand),
    }


MADE_BY = Claim(
    name="made-by-the-framework",
    sentence="A Future is made by the framework, when work is scheduled; its caller receives it.",
    lesson="Call submit() or create_task(). Behind a Future made by hand nobody works, so nobody completes it.",
    probes=(made_by_concurrent, made_by_asyncio),
    expected={
        "scheduling gives a Future of": ("concurrent.futures", "asyncio"),
        "before the work is done": (True, True),
        "one made by hand stays": ("pending", "pending"),
    },
)


def completed_by_concurrent() -> Facts:
    with listen() as heard, ThreadPoolExecutor(1) as executor:
        worker = executor.submit(threading.current_thread).result()
        with Gate() as gate:
            future = executor.submit(gate.wait)
            gate.reached.wait()
            forging = try_call(future.set_result, "forged")
            again = try_call(future.set_result, "again")
        worker.join(timeout=1)
        following = executor.submit(pow, 2, 5)
        concurrent.futures.wait([following], timeout=0.05)
        return {
            "set_result() from outside": forging,
            "set_result() once more": again,
            "result()": future.result(),
            "said by the worker thread": ", ".join(heard),
            "work scheduled next is": state_of(following),
        }


async def completed_by_asyncio() -> Facts:
    by_hand: asyncio.Future[str] = asyncio.Future()
    by_hand.set_result("first")
    task = asyncio.create_task(asyncio.sleep(0, "passed"))
    forging = try_call(task.set_result, "forged")
    result = await task
    following = asyncio.create_task(asyncio.sleep(0))
    await asyncio.wait([following], timeout=1)
    return {
        "set_result() from outside": forging,
        "set_result() once more": try_call(by_hand.set_result, "again"),
        "result()": result,
        "said by the worker thread": "",
        "work scheduled next is": state_of(following),
    }


COMPLETED_BY = Claim(
    name="only-the-framework-completes",
    sentence="Only the framework completes a Future, and once: set_result() from outside forges the result and breaks "
    "the worker, or is refused by asyncio's Task.",
    lesson="Never call it on a Future that you were given. The worker thread finds its Future taken and dies of "
    "InvalidStateError; this pool of one thread will never work again.",
    probes=(completed_by_concurrent, completed_by_asyncio),
    expected={
        "set_result() from outside": (None, "raises RuntimeError"),
        "set_result() once more": ("raises InvalidStateError", "raises InvalidStateError"),
        "result()": ("forged", "passed"),
        "said by the worker thread": ("Exception in worker", ""),
        "work scheduled next is": ("pending", "finished"),
    },
)


def done_concurrent() -> Facts:
    with ThreadPoolExecutor(1) as executor, Gate() as gate:
        future = executor.submit(gate.wait)
        while_it_works = [future.done() for _ in range(1000)]
        gate.open()
        future.result()
        return {
            "yes in 1000 calls at work": sum(while_it_works),
            "done() afterwards": future.done(),
        }


async def done_asyncio() -> Facts:
    gate = asyncio.Event()
    future = asyncio.create_task(gate.wait())
    while_it_works = [future.done() for _ in range(1000)]
    gate.set()
    await future
    return {
        "yes in 1000 calls at work": sum(while_it_works),
        "done() afterwards": future.done(),
    }


DONE = Claim(
    name="done-does-not-block",
    sentence="done() answers at once, whether or not the work has finished.",
    lesson="It is there to look, not to wait: if it blocked, the thousand calls here would never have ended, for the "
    "work could go on only after them.",
    probes=(done_concurrent, done_asyncio),
    expected={"yes in 1000 calls at work": (0, 0), "done() afterwards": (True, True)},
)


def result_concurrent() -> Facts:
    with ThreadPoolExecutor(2) as executor, Gate() as gate:
        future = executor.submit(gate.wait)
        in_time = try_call(future.result, timeout=0.01)
        waiting = executor.submit(future.result)
        concurrent.futures.wait([waiting], timeout=0.05)
        waits = not waiting.done()
        gate.open()
        return {
            "result(timeout=0.01)": in_time,
            "result() when not done": "waits" if waits else "gives up",
            "result() in the end": waiting.result(),
        }


async def result_asyncio() -> Facts:
    gate = asyncio.Event()
    future = asyncio.create_task(gate.wait())
    in_time = try_call(future.result, timeout=0.01)
    not_done = try_call(future.result)
    gate.set()
    await future
    return {
        "result(timeout=0.01)": in_time,
        "result() when not done": not_done,
        "result() in the end": future.result(),
    }


RESULT = Claim(
    name="result-waits-or-refuses",
    sentence="result() blocks a thread until the work is done, or for a timeout; that of asyncio never waits, "
    "raises InvalidStateError when not done, and takes no timeout.",
    lesson="With asyncio, await the Future, inside asyncio.timeout() if it must not take for ever: a loop that blocked "
    "in result() could never run what it waits for.",
    probes=(result_concurrent, result_asyncio),
    expected={
        "result(timeout=0.01)": ("raises TimeoutError", "raises TypeError"),
        "result() when not done": ("waits", "raises InvalidStateError"),
        "result() in the end": ("passed", True),
    },
)


async def await_concurrent() -> Facts:
    with ThreadPoolExecutor(1) as executor:
        future: Any = executor.submit(pow, 2, 5)
        return {
            "has __await__": hasattr(future, "__await__"),
            "await gives": await try_await(future),
            "result() gives": future.result(),
        }


async def await_asyncio() -> Facts:
    with ThreadPoolExecutor(1) as executor:
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(executor, pow, 2, 5)
        return {
            "has __await__": hasattr(future, "__await__"),
            "await gives": await try_await(future),
            "result() gives": future.result(),
        }


AWAIT = Claim(
    name="await-works-on-one",
    sentence="await works on an asyncio.Future and not on one of concurrent.futures.",
    lesson="In a coroutine, wrap the other kind first: await asyncio.wrap_future(future).",
    probes=(await_concurrent, await_asyncio),
    expected={
        "has __await__": (False, True),
        "await gives": ("raises TypeError", 32),
        "result() gives": (32, 32),
    },
)

CLAIMS = (STANDS_FOR_WORK, MADE_BY, COMPLETED_BY, DONE, RESULT, AWAIT)
