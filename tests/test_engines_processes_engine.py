"""The engine on processes: workers that are killed, cancelled, reused, and gone at the end."""

from __future__ import annotations

import asyncio
import errno
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

import aioflags
from aioflags.cli.exits import ExitStatus
from aioflags.cli.main import run
from aioflags.destination import Destination
from aioflags.engines.processes_engine import ProcessesEngine
from aioflags.engines.seam import Attempt, AttemptResult, Meter
from aioflags.settings import Settings
from aioflags.trace import Attempted, Finished, Scheduled
from aioflags.urls import parse_url
from tests.faultserver import FaultServer, Gate, answer, keep_open, say
from tests.hostile import BODY, Client

Open = Callable[..., AbstractAsyncContextManager["Bench"]]
BIG = BODY * 1000  # 2 MB: more than is written at once


class Bench:
    """An engine over a directory of its own, and the workers that it was seen with."""

    def __init__(self, engine: ProcessesEngine) -> None:
        self.engine = engine
        self.workers: set[int] = set()

    async def fetch(self, url: str, name: str = "file", meter: Meter | None = None) -> AttemptResult:
        meter = meter or Meter()
        try:
            return await self.engine.fetch(Attempt(parse_url(url), name, may_replace=True), meter)
        finally:
            if meter.worker:
                self.workers.add(int(meter.worker.removeprefix("process ")))


@pytest.fixture
def bench(tmp_path: Path) -> Open:
    """Open an engine with so many workers, and options."""

    @asynccontextmanager
    async def opened(workers: int, **options: Any) -> AsyncIterator[Bench]:
        destination = Destination(tmp_path)
        destination.open()
        engine = ProcessesEngine(destination.path, destination.run_name, Settings(**options), workers=workers)
        try:
            yield Bench(engine)
        finally:
            await engine.close()
            destination.close()

    return opened


def stall(client: Client) -> None:
    """Send half of a body that is written as it comes, the first time; then answer well."""
    if client.count == 1:
        client.send(answer(BIG)[:1_500_000])
        client.hold()
    client.send(answer(BIG))
    keep_open(client)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.005)


async def test_workers_are_other_processes_and_end_with_the_engine(bench: Open, tmp_path: Path) -> None:
    """Each uses its connection again; files appear as with any engine, the meter is filled from over there."""
    futures: list[object] = []
    with FaultServer({"big": say(answer(BIG))}) as server:
        async with bench(1) as tool:
            meter = Meter(futures.append)
            began = time.monotonic()
            results = [await tool.fetch(f"{server.url}/saved"), await tool.fetch(f"{server.url}/big", "big", meter)]
            assert [result.bytes for result in results] == [len(BODY), len(BIG)]
            assert (tool.engine.capacity, len(tool.workers), server.connections) == (1, 1, 1)
            assert os.getpid() not in tool.workers
        assert not any(map(is_alive, tool.workers))
    assert [type(future) for future in futures] == [Future]
    moments = [meter.started, meter.connected, meter.sent, meter.first_byte, meter.last_byte, meter.ended]
    assert [began, *moments] == sorted(moment or 0.0 for moment in [began, *moments])
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"file": BODY, "big": BIG}
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("aioflags-")] == []


async def test_killed_worker_costs_its_attempts(bench: Open) -> None:
    """All that its pool had in hand; the next attempt finds a new pool, and at the end no process of either is left."""
    with FaultServer({"stall": stall}) as server:
        async with bench(3) as tool:
            await asyncio.gather(*(tool.fetch(f"{server.url}/saved", f"{number}") for number in range(3)))
            tasks = [asyncio.ensure_future(tool.fetch(f"{server.url}/stall/{n}", f"stall{n}")) for n in range(3)]
            await until(lambda: len(server.seen) == 6)
            os.kill(min(tool.workers), signal.SIGKILL)
            for task in tasks:
                result = await task
                assert result.error is not None
                assert (result.error.kind, result.requests) == ("disconnected", 1)
                assert "worker" in str(result.error)
            again = [tool.fetch(f"{server.url}/stall/{number}", f"stall{number}") for number in range(3)]
            assert [result.bytes for result in await asyncio.gather(*again)] == [len(BIG)] * 3
        assert len(tool.workers) > 1
        assert not any(map(is_alive, tool.workers))


async def test_worker_that_is_killed_while_it_idles(bench: Open) -> None:
    """Is nobody's loss."""
    with FaultServer() as server:
        async with bench(1) as tool:
            await tool.fetch(f"{server.url}/saved")
            (worker,) = tool.workers
            os.kill(worker, signal.SIGKILL)
            await until(lambda: not is_alive(worker))
            results = [await tool.fetch(f"{server.url}/saved") for _ in range(3)]
            # One may have been handed over before anybody noticed.
            assert [result.error for result in results[1:]] == [None, None]


class Workers:
    """A tracer that notes which processes were at work."""

    def __init__(self) -> None:
        self.pids: set[int] = set()

    def scheduled(self, event: Scheduled) -> None: ...

    def attempted(self, event: Attempted) -> None:
        if event.worker.startswith("process "):
            self.pids.add(int(event.worker.removeprefix("process ")))

    def finished(self, event: Finished) -> None: ...


async def test_killed_worker_does_not_end_the_run(tmp_path: Path) -> None:
    """Its item is tried again, and no part of the killed one stays."""
    workers = Workers()
    with FaultServer({"stall": stall}) as server:
        async with aioflags.Downloader(tmp_path, engine="processes", tracer=workers) as downloader:
            await downloader.download_one(f"{server.url}/saved")
            future = downloader.submit(f"{server.url}/stall")
            await until(lambda: len(server.seen) == 2)
            for pid in workers.pids:
                os.kill(pid, signal.SIGKILL)
            outcome = await future
    assert (outcome.status, outcome.attempts) == (aioflags.Status.SAVED, 2)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"saved": BODY, "stall": BIG}


@pytest.mark.parametrize("times", [1, 2])
async def test_cancelled_attempt_returns_when_its_worker_is_through(bench: Open, tmp_path: Path, times: int) -> None:
    """However often it is cancelled: the worker lives and takes the next, and nothing of the first appears."""
    with FaultServer({"stall": stall}) as server:
        async with bench(1) as tool:
            await tool.fetch(f"{server.url}/saved", "first")
            futures: list[Future[object]] = []
            meter = Meter(futures.append)  # type: ignore[arg-type]
            task = asyncio.ensure_future(tool.fetch(f"{server.url}/stall", "second", meter))
            # The worker may have asked before the loop hears that it has the attempt.
            await until(lambda: len(server.seen) == 2 and bool(futures))
            for _ in range(times):
                task.cancel()
                await asyncio.sleep(0)
                await asyncio.sleep(0)
            await asyncio.wait([task])
            assert (task.cancelled(), futures[0].done()) == (True, True)
            assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["first"]
            assert (await tool.fetch(f"{server.url}/saved", "third")).bytes == len(BODY)
            assert len(tool.workers) == 1


async def test_byte_rate_is_shared_out(bench: Open) -> None:
    """Each of two workers gets half of it."""
    with FaultServer({"file": say(answer(BODY * 100))}) as server:
        async with bench(2, limit_rate=1_000_000) as tool:
            await asyncio.gather(*(tool.fetch(f"{server.url}/saved", f"{number}") for number in range(2)))
            began = time.monotonic()
            await tool.fetch(f"{server.url}/file")
            # No more than a tenth of a second's worth comes at once.
            assert time.monotonic() - began > len(BODY) * 100 / 500_000 - 0.2


# A system that refuses


def refuse_after(monkeypatch: pytest.MonkeyPatch, started: int) -> None:
    """Let the system start so many processes and no more."""
    start, left = BaseProcess.start, iter(range(started))

    def start_or_refuse(process: BaseProcess) -> None:
        if next(left, None) is None:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        start(process)

    monkeypatch.setattr(BaseProcess, "start", start_or_refuse)


async def test_refused_worker_fails_the_attempt_and_all_that_follow(bench: Open, monkeypatch: Any) -> None:
    """Not as a bug of ours, but as what ends a run; nothing was asked for."""
    refuse_after(monkeypatch, 0)
    with FaultServer() as server:
        async with bench(2) as tool:
            results = [await tool.fetch(f"{server.url}/saved") for _ in range(3)]
            monkeypatch.undo()
            results.append(await tool.fetch(f"{server.url}/saved"))
        assert server.connections == 0
    for result in results:
        assert (result.detail, result.requests, result.error and result.error.host) == ("destination", 0, "127.0.0.1")
        assert str(result.error).startswith(f"storage: cannot start a worker process: {os.strerror(errno.EAGAIN)};")


async def test_attempt_that_was_refused_is_not_made_after_all(bench: Open, tmp_path: Path, monkeypatch: Any) -> None:
    """The pool keeps it in its queue, where the worker that it has finds it; what that had in hand comes to its end."""
    refuse_after(monkeypatch, 1)
    gate = Gate()
    with FaultServer({"gate": gate}) as server:
        async with bench(2) as tool:
            first = asyncio.ensure_future(tool.fetch(f"{server.url}/gate", "first"))
            await until(lambda: server.seen)
            refused = await tool.fetch(f"{server.url}/saved", "second")
            gate.open()
            assert (refused.detail, (await first).bytes) == ("destination", len(BODY))
        assert server.paths == ["/gate"]
    assert [path.name for path in tmp_path.iterdir()] == ["first"]


async def test_worker_that_nobody_can_watch_is_ended(bench: Open, monkeypatch: Any) -> None:
    """The last process that the system allowed leaves no room for the thread of the pool."""

    def refuse(_: ProcessPoolExecutor) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(ProcessPoolExecutor, "_start_executor_manager_thread", refuse)
    before = set(multiprocessing.active_children())
    async with bench(1) as tool:
        result = await tool.fetch("http://127.0.0.1/saved")
        assert set(multiprocessing.active_children()) == before
    assert "can't start new thread" in str(result.error)


def test_run_without_workers_ends_with_its_reason(tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    """One line and the status of a local fault, no traceback, and no file."""
    refuse_after(monkeypatch, 0)
    urls = [f"http://127.0.0.1:9/{number}" for number in range(200)]
    status = run(["get", *urls, "--engine", "processes", "--concurrency", "1", "-d", str(tmp_path)])
    told = capsys.readouterr().err.splitlines()
    assert status == ExitStatus.LOCAL_FAULT
    assert told[-1].startswith("aioflags: error: storage: cannot start a worker process: ")
    assert [line for line in told if "Traceback" in line or "bug" in line] == []
    assert [path.name for path in tmp_path.iterdir() if path.name != ".aioflags"] == []
