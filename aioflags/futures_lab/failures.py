"""Claims about exceptions: those of the work, and those that the two kinds raise themselves."""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aioflags.futures_lab.lab import Claim, Facts
from aioflags.futures_lab.tools import kind_of, listen, try_await, try_call

__all__ = ["CLAIMS"]


def travels_concurrent() -> Facts:
    with ThreadPoolExecutor(1) as executor:
        future = executor.submit(divmod, 1, 0)
        error = future.exception()
        try:
            future.result()
        except ZeroDivisionError as caught:
            is_same = caught is error
    return {
        "type of exception()": type(error).__name__,
        "result() raises that very one": is_same,
    }


async def travels_asyncio() -> Facts:
    with ThreadPoolExecutor(1) as executor:
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(executor, divmod, 1, 0)
        await asyncio.wait([future])
        error = future.exception()
        try:
            future.result()
        except ZeroDivisionError as caught:
            is_same = caught is error
    return {
        "type of exception()": type(error).__name__,
        "result() raises that very one": is_same,
    }


TRAVELS = Claim(
    name="exceptions-travel",
    sentence="An exception of the work is kept in its Future; exception() gives it, result() raises it.",
    lesson="It surfaces where the result is asked for, in whichever thread that is, with the traceback of the work.",
    probes=(travels_concurrent, travels_asyncio),
    expected={
        "type of exception()": ("ZeroDivisionError", "ZeroDivisionError"),
        "result() raises that very one": (True, True),
    },
)


def unretrieved_concurrent() -> Facts:
    with listen() as heard:
        with ThreadPoolExecutor(1) as executor:
            future = executor.submit(divmod, 1, 0)
        has_failed = future.done()
        del future
        gc.collect()
    return {
        "the work has failed": has_failed,
        "told of it": "; ".join(heard),
    }


async def unretrieved_asyncio() -> Facts:
    heard: list[str] = []

    def hear(_: object, context: dict[str, Any]) -> None:
        heard.append(context["message"])

    async def fail() -> None:
        divmod(1, 0)

    asyncio.get_running_loop().set_exception_handler(hear)
    task = asyncio.create_task(fail())
    await asyncio.wait([task])
    has_failed = task.done()
    del task
    gc.collect()
    return {
        "the work has failed": has_failed,
        "told of it": "; ".join(heard),
    }


UNRETRIEVED = Claim(
    name="unretrieved-exception",
    sentence="An exception that nobody retrieves is lost in silence; asyncio reports it, when the Future is "
    "garbage-collected, to the loop's exception handler.",
    lesson="Ask every Future for its result. The report of asyncio comes late, to a log: it is no safety net.",
    probes=(unretrieved_concurrent, unretrieved_asyncio),
    expected={
        "the work has failed": (True, True),
        "told of it": ("", "Task exception was never retrieved"),
    },
)


def cancelled_error_concurrent() -> Facts:
    future: concurrent.futures.Future[int] = concurrent.futures.Future()
    future.cancel()
    try:
        future.result()
    except BaseException as error:
        return {
            "CancelledError of": kind_of(error),
            "is an Exception": isinstance(error, Exception),
            "is the other's": isinstance(error, asyncio.CancelledError),
        }
    return {}


async def cancelled_error_asyncio() -> Facts:
    future: asyncio.Future[int] = asyncio.Future()
    future.cancel()
    try:
        await future
    except BaseException as error:
        other = concurrent.futures.CancelledError
        return {
            "CancelledError of": kind_of(error),
            "is an Exception": isinstance(error, Exception),
            "is the other's": isinstance(error, other),
        }
    return {}


CANCELLED_ERRORS = Claim(
    name="two-cancelled-errors",
    sentence="There are two CancelledErrors, neither of which is the other; that of asyncio is no Exception.",
    lesson="Catch the one of the Future that you wait for. `except Exception` swallows that of concurrent.futures and "
    "lets that of asyncio through, as it must: a task that eats it cannot be cancelled.",
    probes=(cancelled_error_concurrent, cancelled_error_asyncio),
    expected={
        "CancelledError of": ("concurrent", "asyncio"),
        "is an Exception": (True, False),
        "is the other's": (False, False),
    },
)


def timeout_error_concurrent() -> Facts:
    their_own = concurrent.futures.TimeoutError
    future: concurrent.futures.Future[int] = concurrent.futures.Future()
    return {
        "waiting too long": try_call(future.result, timeout=0.01),
        "TimeoutError is the built-in": their_own is TimeoutError,
        "afterwards cancelled()": future.cancelled(),
    }


async def timeout_error_asyncio() -> Facts:
    their_own = asyncio.TimeoutError
    future: asyncio.Future[int] = asyncio.Future()
    return {
        "waiting too long": await try_await(asyncio.wait_for(future, 0.01)),
        "TimeoutError is the built-in": their_own is TimeoutError,
        "afterwards cancelled()": future.cancelled(),
    }


TIMEOUT_ERROR = Claim(
    name="one-timeout-error",
    sentence="There is one TimeoutError, the built-in, for both (since Python 3.11).",
    lesson="One `except TimeoutError` serves both. But result(timeout=...) only stops waiting, while "
    "asyncio.wait_for() also cancels what it waited for.",
    probes=(timeout_error_concurrent, timeout_error_asyncio),
    expected={
        "waiting too long": ("raises TimeoutError", "raises TimeoutError"),
        "TimeoutError is the built-in": (True, True),
        "afterwards cancelled()": (False, True),
    },
)

CLAIMS = (TRAVELS, UNRETRIEVED, CANCELLED_ERRORS, TIMEOUT_ERROR)
