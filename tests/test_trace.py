"""What a tracer is told, by every engine."""

from __future__ import annotations

import asyncio
import concurrent.futures
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from aioflags.downloader import Downloader
from aioflags.flagserver.server import FlagServer, ServerThread
from aioflags.items import Outcome, Status
from aioflags.settings import EngineName
from aioflags.trace import PHASES, Attempted, Finished, Scheduled

ENGINES: tuple[EngineName, ...] = ("asyncio", "aiohttp", "threads", "processes", "sequential")
LOOP_ENGINES = frozenset({"asyncio", "aiohttp"})
Event = Scheduled | Attempted | Finished


class Notes:
    """A tracer that keeps what it is told, and whether the future was done by then."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.done: list[bool | None] = []

    def _note(self, event: Event) -> None:
        future = None if isinstance(event, Finished) else event.future
        assert future is None or isinstance(future, asyncio.Future | concurrent.futures.Future)
        self.events.append(event)
        self.done.append(None if future is None else future.done())

    def scheduled(self, event: Scheduled) -> None:
        """Keep it."""
        self._note(event)

    def attempted(self, event: Attempted) -> None:
        """Keep it."""
        self._note(event)

    def finished(self, event: Finished) -> None:
        """Keep it."""
        self._note(event)

    def attempts(self) -> list[Attempted]:
        """All that have ended."""
        return [event for event in self.events if isinstance(event, Attempted)]


async def trace(path: Path, *urls: str, engine: EngineName = "asyncio", concurrency: int = 64) -> Notes:
    """Download `urls` and give the notes."""
    notes = Notes()
    async with (
        Downloader(path, engine=engine, tracer=notes, concurrency=concurrency, retries=1) as downloader,
        downloader.outcomes(urls) as outcomes,
    ):
        async for _ in outcomes:
            pass
    return notes


def attempted(**changes: float | None) -> Attempted:
    """An attempt with times of 1 to 6 seconds but for `changes`."""
    times: dict[str, float | None] = {
        "queued": 1.0, "started": 2.0, "connected": 2.5, "sent": 3.0, "first_byte": 4.0, "last_byte": 5.0, "ended": 6.0,
    }  # fmt: skip
    return Attempted("u", "n", 1, None, "w", **{**times, **changes}, received=0, error=None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "durations"),
    [
        ({}, (1, 1, 1, 1, 1)),
        ({"first_byte": None, "last_byte": None}, (1, 1, 3, 0, 0)),
        ({"connected": None, "sent": None, "first_byte": None, "last_byte": None}, (1, 4, 0, 0, 0)),
        ({"started": 0.5}, (0, 2, 1, 1, 1)),
        ({"last_byte": 7.0}, (1, 1, 1, 2, 0)),
    ],
)
def test_phases_follow_one_another(changes: dict[str, float | None], durations: tuple[float, ...]) -> None:
    """Phases never overlap nor run backwards; the one in which an attempt failed lasts until its end."""
    event = attempted(**changes)
    assert event.durations == durations
    assert len(event.durations) == len(PHASES)
    assert sum(event.durations) == event.ended - event.queued


@pytest.mark.parametrize("engine", ENGINES)
async def test_every_engine_tells_the_whole_life(tmp_path: Path, engine: EngineName) -> None:
    """An item is scheduled with a real future, that future is done with all times in their order, then its outcome."""
    with ServerThread() as server:
        notes = await trace(tmp_path, f"{server.url}fr/fr.svg", engine=engine)
    scheduled, ended, finished = notes.events
    assert isinstance(scheduled, Scheduled)
    assert isinstance(ended, Attempted)
    assert isinstance(finished, Finished)
    assert scheduled.future is ended.future
    assert isinstance(scheduled.future, asyncio.Task if engine in LOOP_ENGINES else concurrent.futures.Future)
    # A thread may be through with it before the loop is told that it has begun; a task cannot.
    assert notes.done[1:] == [True, None]
    assert engine not in LOOP_ENGINES or notes.done[0] is False
    times = [ended.queued, ended.started, ended.connected, ended.sent, ended.first_byte, ended.last_byte, ended.ended]
    assert None not in times
    assert times == sorted(times)  # type: ignore[type-var]
    assert (ended.name, ended.received, ended.error) == ("fr.svg", finished.outcome.bytes, None)
    assert finished.outcome.status is Status.SAVED


@pytest.mark.parametrize(
    ("engine", "worker"),
    [
        ("asyncio", r"task \d+"),
        ("aiohttp", r"task \d+"),
        ("threads", r"aioflags-worker_\d+"),
        ("processes", r"process \d+"),
        ("sequential", "aioflags-worker_0"),
    ],
)
async def test_workers_have_names_and_do_one_thing_at_a_time(tmp_path: Path, engine: EngineName, worker: str) -> None:
    """Each attempt is some worker's, and no worker is at two attempts at once."""
    with ServerThread(delay=0.01) as server:
        urls = [f"{server.url}bytes/9?seed={number}" for number in range(8)]
        notes = await trace(tmp_path, *urls, engine=engine, concurrency=3)
    attempts = notes.attempts()
    assert len(attempts) == 8
    assert all(re.fullmatch(worker, attempt.worker) for attempt in attempts)
    # A file that is being written has given its slot to another, and its task is still at work.
    assert len({attempt.worker for attempt in attempts}) <= (6 if worker.startswith("task") else 3)
    for moment in (attempt.started for attempt in attempts):
        assert sum(a.started <= moment < (a.last_byte or a.ended) for a in attempts) <= 3
    for name in {attempt.worker for attempt in attempts}:
        ours = sorted((a for a in attempts if a.worker == name), key=lambda a: a.started)
        ends = [a.last_byte for a in ours]
        assert all(end <= after.started for end, after in zip(ends, ours[1:], strict=False) if end is not None)


async def test_each_try_is_an_attempt_of_its_own(tmp_path: Path) -> None:
    """A retry is a new attempt with a new future and its error told; the outcome comes after the last."""
    with ServerThread() as server:
        notes = await trace(tmp_path, f"{server.url}fr/fr.svg?status=503&times=1&retry_after=0")
    kinds = [type(event) for event in notes.events]
    assert kinds == [Scheduled, Attempted, Scheduled, Attempted, Finished]
    first, second = notes.attempts()
    assert (first.attempt, second.attempt) == (1, 2)
    assert first.future is not second.future
    assert first.error is not None
    assert first.error.kind == "http"
    assert second.queued >= first.started


async def test_reused_connection_has_its_times(tmp_path: Path) -> None:
    """An attempt on a kept connection knows when it had it."""
    with ServerThread(FlagServer()) as server:
        urls = [f"{server.url}bytes/9?seed={number}" for number in range(4)]
        for engine in ENGINES:
            notes = await trace(tmp_path / engine, *urls, engine=engine, concurrency=1)
            assert all(a.connected is not None and a.started <= a.connected for a in notes.attempts())


async def test_items_without_a_request_are_told(tmp_path: Path) -> None:
    """What needs no attempt is finished at once."""
    notes = await trace(tmp_path, "ftp://h/x")
    (event,) = notes.events
    assert isinstance(event, Finished)
    assert event.outcome.status is Status.FAILED


async def test_cancelled_attempt_is_told(tmp_path: Path) -> None:
    """A cancelled attempt ends, with its future cancelled and no outcome."""
    notes = Notes()
    with ServerThread(delay=60) as server:
        async with Downloader(tmp_path, tracer=notes) as downloader:
            future: asyncio.Future[Outcome] = downloader.submit(f"{server.url}fr/fr.svg")
            while not notes.events:
                await asyncio.sleep(0)
            future.cancel()
    scheduled, ended = notes.events
    assert isinstance(ended, Attempted)
    assert isinstance(ended.future, asyncio.Task)
    assert ended.future.cancelled()
    assert isinstance(scheduled, Scheduled)


@pytest.mark.slow
def test_worker_processes_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    """A killed program leaves no process behind that waits for work; the end of its output tells when all are gone."""
    with ServerThread(FlagServer(), delay=60) as server:
        command = [sys.executable, "-m", "aioflags", "get", f"{server.url}bytes/1", "--engine", "processes"]
        with subprocess.Popen([*command, "-d", str(tmp_path)], stdout=subprocess.PIPE) as process:
            while not server.server.requests:
                time.sleep(0.01)
            process.kill()
            assert process.communicate(timeout=30)[0] == b""
