"""The engine on threads: what a thread is doing cannot be stopped, only waited for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from aioflags.destination import Destination
from aioflags.engines.seam import Attempt, Meter
from aioflags.engines.threads_engine import ThreadsEngine
from aioflags.engines.tls import load_ssl_context
from aioflags.settings import Settings
from aioflags.urls import parse_url
from aioflags.writer import Writer
from tests.faultserver import FaultServer, Gate
from tests.hostile import BODY, Client

Open = Callable[[int], AbstractAsyncContextManager[ThreadsEngine]]


@pytest.fixture
def engine(tmp_path: Path) -> Open:
    """Open an engine with so many threads."""

    @asynccontextmanager
    async def opened(workers: int) -> AsyncIterator[ThreadsEngine]:
        destination = Destination(tmp_path)
        destination.open()
        made = ThreadsEngine(Writer(destination), Settings(), load_ssl_context(), workers=workers)
        try:
            yield made
        finally:
            await made.close()
            destination.close()

    return opened


def attempt(url: str, name: str = "file") -> Attempt:
    return Attempt(parse_url(url), name)


def workers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("aioflags-")]


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


async def test_attempts_overlap_as_far_as_there_are_threads(engine: Open, tmp_path: Path) -> None:
    """Its capacity is their number; each uses its connection again, and all end with it."""
    gate = Gate()
    with FaultServer({"gate": gate}) as server:
        async with engine(3) as threads:
            assert threads.capacity == 3
            tasks = [
                asyncio.ensure_future(threads.fetch(attempt(f"{server.url}/gate/{number}", str(number)), Meter()))
                for number in range(9)
            ]
            await until(lambda: gate.gauge.now == 3)
            gate.open()
            assert [(await task).bytes for task in tasks] == [len(BODY)] * 9
        assert (gate.gauge.most, server.connections) == (3, 3)
    assert workers() == []
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted("012345678")


async def test_meter_names_future_and_worker(engine: Open) -> None:
    """The future is the executor's, the worker is the thread; there is a time when it began and one when it ended."""
    futures: list[object] = []
    with FaultServer() as server:
        async with engine(1) as threads:
            meter = Meter(futures.append)
            await threads.fetch(attempt(f"{server.url}/saved"), meter)
    assert [type(future) for future in futures] == [Future]
    assert meter.worker.startswith("aioflags-worker")
    assert meter.started is not None
    assert meter.ended is not None
    assert meter.started <= meter.ended


@pytest.mark.parametrize("times", [1, 2])
async def test_cancelled_attempt_returns_when_its_thread_is_through(engine: Open, tmp_path: Path, times: int) -> None:
    """However often it is cancelled: the thread is free for the next, and nothing of the first appears."""

    def stall(client: Client) -> None:
        client.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
        client.hold()

    with FaultServer({"stall": stall}) as server:
        async with engine(1) as threads:
            futures: list[Future[object]] = []
            meter = Meter(futures.append)  # type: ignore[arg-type]
            task = asyncio.ensure_future(threads.fetch(attempt(f"{server.url}/stall"), meter))
            await until(lambda: meter.received)
            for _ in range(times):
                task.cancel()
                await asyncio.sleep(0)
                await asyncio.sleep(0)
            await asyncio.wait([task])
            assert (task.cancelled(), futures[0].done()) == (True, True)
            assert list(tmp_path.rglob("*.part")) == []
            assert (await threads.fetch(attempt(f"{server.url}/saved"), Meter())).bytes == len(BODY)


async def test_attempt_that_waits_for_a_thread_is_cancelled_at_once(engine: Open) -> None:
    """It has not begun, and never does."""
    gate = Gate()
    with FaultServer({"gate": gate}) as server:
        async with engine(1) as threads:
            first = asyncio.ensure_future(threads.fetch(attempt(f"{server.url}/gate"), Meter()))
            await until(lambda: gate.gauge.now)
            second = asyncio.ensure_future(threads.fetch(attempt(f"{server.url}/saved", "second"), Meter()))
            await asyncio.sleep(0)
            second.cancel()
            await asyncio.wait([second])
            assert (second.cancelled(), first.done()) == (True, False)
            gate.open()
            assert (await first).error is None
        assert server.paths == ["/gate"]


async def test_bug_is_raised(engine: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no fault of an item is not made one."""
    async with engine(1) as threads:
        monkeypatch.setattr("aioflags.engines.blocking_driver.BlockingDriver.fetch", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            await threads.fetch(attempt("http://127.0.0.1:1/"), Meter())
