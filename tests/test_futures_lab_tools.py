"""The tools of the probes: what they tell is what happened."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from aioflags.futures_lab.tools import Gate, kind_of, listen, state_of, try_await, try_call


def test_gate_holds_back_until_it_is_opened() -> None:
    """Whoever comes is seen to have come, and passes only then."""
    with ThreadPoolExecutor(1) as executor, Gate() as gate:
        assert not gate.reached.is_set()
        future = executor.submit(gate.wait)
        assert gate.reached.wait(10)
        assert not future.done()
        gate.open()
        assert future.result(10) == "passed"
        assert gate.wait() == "passed"


def test_gate_is_opened_when_a_probe_fails() -> None:
    """Else the executor would wait for its thread for ever."""
    with pytest.raises(ZeroDivisionError), ThreadPoolExecutor(1) as executor, Gate() as gate:
        future = executor.submit(gate.wait)
        divmod(1, 0)
    assert future.result() == "passed"


def test_call_gives_its_value_or_names_its_error() -> None:
    """Also the CancelledError of asyncio, which is no Exception; what ends the program goes through."""
    assert try_call(pow, 2, exp=5) == 32
    assert try_call(divmod, 1, 0) == "raises ZeroDivisionError"

    def cancel() -> None:
        raise asyncio.CancelledError

    def interrupt() -> None:
        raise KeyboardInterrupt

    assert try_call(cancel) == "raises CancelledError"
    with pytest.raises(KeyboardInterrupt):
        try_call(interrupt)


async def test_await_gives_its_value_or_names_its_error() -> None:
    """As a call does."""
    cancelled: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    cancelled.cancel()
    assert await try_await(asyncio.sleep(0, 32)) == 32
    assert await try_await(cancelled) == "raises CancelledError"
    assert await try_await(32) == "raises TypeError"  # type: ignore[arg-type]


async def test_kind_and_state_are_read_from_the_future() -> None:
    """Of either kind, in every state that it has."""
    ours: concurrent.futures.Future[int] = concurrent.futures.Future()
    theirs: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(asyncio.sleep(0))
    assert [kind_of(thing) for thing in (ours, theirs, task, task.get_loop)] == [
        "concurrent.futures",
        "asyncio",
        "asyncio",
        "builtins",
    ]
    assert [state_of(ours), state_of(theirs), state_of(task)] == ["pending", "pending", "pending"]
    ours.set_running_or_notify_cancel()
    theirs.cancel()
    await task
    assert [state_of(ours), state_of(theirs), state_of(task)] == ["running", "cancelled", "finished"]


def test_listener_hears_logs_threads_and_hooks_and_then_puts_them_back() -> None:
    """All that Python would have said on standard error."""
    log = logging.getLogger("concurrent.futures")
    before = log.handlers[:], log.propagate, threading.excepthook, sys.unraisablehook

    class Unruly:
        def __del__(self) -> None:
            divmod(1, 0)

    with listen() as heard:
        log.critical("Exception in %s", "worker")
        thread = threading.Thread(target=divmod, args=(1, 0))
        thread.start()
        thread.join()
        Unruly()
    assert heard == ["Exception in worker", "thread: ZeroDivisionError", "unraisable: ZeroDivisionError"]
    assert (log.handlers, log.propagate, threading.excepthook, sys.unraisablehook) == before
