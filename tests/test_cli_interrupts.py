"""What the signals do."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from aioflags.cli.interrupts import Interrupts


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_first_and_second(number: int) -> None:
    """The first signal calls one thing, the second the other, and the first is remembered."""
    calls: asyncio.Queue[str] = asyncio.Queue()
    with Interrupts(lambda: calls.put_nowait("soon"), lambda: calls.put_nowait("now"), lambda: None) as interrupts:
        assert interrupts.first is None
        os.kill(os.getpid(), number)
        assert await calls.get() == "soon"
        os.kill(os.getpid(), signal.SIGTERM)
        assert await calls.get() == "now"
        assert interrupts.first == number


async def test_third_is_the_systems_own() -> None:
    """After the second signal Ctrl-C works as if nobody listened."""
    called = asyncio.Event()
    before = signal.getsignal(signal.SIGTERM)
    with Interrupts(lambda: os.kill(os.getpid(), signal.SIGTERM), called.set, lambda: None):
        os.kill(os.getpid(), signal.SIGTERM)
        await called.wait()
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    assert signal.getsignal(signal.SIGTERM) == before


async def test_question_is_answered_each_time_and_stops_nothing() -> None:
    """Before and after an interrupt; one that comes too late does not kill."""
    asked: asyncio.Queue[int] = asyncio.Queue()
    count = iter(range(9))
    called = asyncio.Event()
    with Interrupts(called.set, lambda: None, lambda: asked.put_nowait(next(count))) as interrupts:
        os.kill(os.getpid(), signal.SIGUSR1)
        assert await asked.get() == 0
        assert interrupts.first is None
        os.kill(os.getpid(), signal.SIGTERM)
        await called.wait()
        os.kill(os.getpid(), signal.SIGUSR1)
        assert await asked.get() == 1
    os.kill(os.getpid(), signal.SIGUSR1)
    await asyncio.sleep(0)
    assert asked.empty()


async def test_handlers_end_with_the_block() -> None:
    """Afterwards the signals are nobody's."""
    with Interrupts(lambda: None, lambda: None, lambda: None):
        pass
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


async def test_loop_without_signal_handlers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the loop cannot listen (Windows), the interpreter's handlers pass the signal on to it."""

    called = asyncio.Event()
    loop = _LoopWithoutSignals(asyncio.get_running_loop())
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: loop)
    with Interrupts(called.set, lambda: None, lambda: None) as interrupts:
        monkeypatch.undo()
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.wait_for(called.wait(), 10)
        assert interrupts.first == signal.SIGINT
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


class _LoopWithoutSignals:
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.call_soon_threadsafe = loop.call_soon_threadsafe

    def add_signal_handler(self, *_: object) -> None:
        raise NotImplementedError
