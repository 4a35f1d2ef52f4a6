"""A job as a whole: signals, faults, and how it ends. Called as the program calls it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import pytest

from aioflags.cli import job
from aioflags.cli.feed import Feed
from aioflags.cli.main import run
from aioflags.cli.screen import Screen
from aioflags.errors import StorageError, UsageError
from aioflags.flagserver.server import FlagServer, ServerThread
from aioflags.items import Item, Outcome, Status
from aioflags.jobs import Waiting
from tests.leftovers import files_in


class Tripwire(list[tuple[str, str, dict[str, str]]]):
    """A log of requests that acts when one comes in."""

    def __init__(self, act: Callable[[], None]) -> None:
        self._act = act

    def append(self, entry: tuple[str, str, dict[str, str]]) -> None:
        super().append(entry)
        if len(self) == 1:
            self._act()


@pytest.fixture(autouse=True)
def empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a directory of its own."""
    monkeypatch.chdir(tmp_path)


def kill(number: int) -> Callable[[], None]:
    """Make something that sends this process a signal."""
    return lambda: os.kill(os.getpid(), number)


def test_first_signal_lets_finish_what_is_in_flight(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C starts nothing new; every request that was started ends as a file; the end tells how to carry on."""
    log = Tripwire(kill(signal.SIGINT))
    with ServerThread(FlagServer(log=log)) as server:
        urls = "".join(f"{server.url}bytes/{number}\n" for number in range(1, 3000))
        (tmp_path / "list.txt").write_text(urls)
        status = run(["get", "-i", "list.txt", "-j", "2", "--json"])
    out, err = capsys.readouterr()
    *outcomes, summary = map(json.loads, out.splitlines())
    assert status == 130
    assert 1 <= len(outcomes) < 2999
    assert {each["status"] for each in outcomes} == {"saved"}
    assert len(log) == len(outcomes) == summary["saved"] == summary["items"]
    assert err.splitlines()[-2] == "Interrupted. To carry on:"
    assert err.splitlines()[-1].endswith("get -i list.txt -j 2 --json")


def test_grace_is_limited(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What has not ended when the grace is over is cancelled, and leaves no file."""
    monkeypatch.setattr(job, "_GRACE", 0.01)
    with ServerThread(FlagServer(log=Tripwire(kill(signal.SIGTERM)))) as server:
        status = run(["get", f"{server.url}bytes/1000?stall=10", "--header", "X-Key: s3cret"])
    out, err = capsys.readouterr()
    assert status == 143
    assert out.startswith("0 files saved")
    assert "1 transfer in flight" in err
    assert "(fill in what is hidden as ***)" in err
    assert err.splitlines()[-1].endswith("--header 'X-Key: ***'")
    assert "s3cret" not in out + err
    assert files_in("downloads") == []


def test_signal_while_a_list_is_awaited(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A list that does not come holds up no interrupt: nothing is in flight, so nothing is waited for."""
    os.mkfifo("pipe")
    pipe = os.open("pipe", os.O_RDWR)
    begin = Feed.batches

    def begin_and_interrupt(feed: Feed) -> object:
        asyncio.get_running_loop().call_soon(kill(signal.SIGINT))
        return begin(feed)

    monkeypatch.setattr(Feed, "batches", begin_and_interrupt)
    try:
        assert run(["get", "-i", "pipe"]) == 130
    finally:
        os.write(pipe, b"http://h/\n")
        os.close(pipe)
    assert "waiting up to" not in capsys.readouterr().err


class FakeDownloader:
    """Yields an outcome, then raises what it was told to."""

    failure: BaseException | None = None
    batches = 0

    def __init__(self, *_: object, **__: object) -> None:
        """Take whatever a downloader takes."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave nothing behind."""

    def running(self) -> list[Any]:
        """Nothing is ever in flight."""
        return []

    def waiting(self) -> Waiting:
        """Nothing is ever waited for."""
        return Waiting()

    @asynccontextmanager
    async def outcomes(self, items: Feed, *, is_on_record: bool) -> AsyncIterator[Self]:
        """Read all items, and give what was prepared."""
        async for _ in items.batches():
            pass
        yield self

    async def next_batch(self) -> list[Outcome]:
        """Give one outcome, then fail as was told."""
        self.batches += 1
        if self.batches == 1:
            return [Outcome("http://h/a", Status.SAVED, path="a", bytes=3)]
        if self.failure is not None:
            raise self.failure
        return []


@pytest.fixture
def downloader(monkeypatch: pytest.MonkeyPatch) -> type[FakeDownloader]:
    """Put a fake in the place of the downloader."""

    class Fake(FakeDownloader):
        pass

    monkeypatch.setattr(job, "Downloader", Fake)
    return Fake


def test_fault_of_the_destination(downloader: type[FakeDownloader], capsys: pytest.CaptureFixture[str]) -> None:
    """A full disk is exit 3 with its message; what was saved before is in records and summary."""
    downloader.failure = StorageError("storage", "cannot write b: No space left on device", None)
    assert run(["get", "http://h/a", "http://h/b", "--json"]) == 3
    out, err = capsys.readouterr()
    outcome, summary = map(json.loads, out.splitlines())
    assert (outcome["path"], summary["saved"], summary["bytes"]) == ("a", 1, 3)
    assert err.splitlines()[-1] == "aioflags: error: storage: cannot write b: No space left on device"


def test_bug_is_loud(downloader: type[FakeDownloader], capsys: pytest.CaptureFixture[str]) -> None:
    """An unexpected error is exit 70, with a traceback that holds no secret; what was printed before is there."""
    downloader.failure = ExceptionGroup("bugs", [RuntimeError("at http://me:s3cret@h/")])
    assert run(["get", "http://h/a", "-v"]) == 70
    out, err = capsys.readouterr()
    assert out == ""
    assert "saved     http://h/a -> a  3 B" in err
    assert "RuntimeError: at http://***@h/" in err
    assert "bug in aioflags" in err


@pytest.mark.usefixtures("downloader")
def test_list_that_fails_midway(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A list that can be read no further is exit 3, after all that came before it."""

    async def fail(feed: Feed, _reader: object) -> list[Item]:
        feed.fault = UsageError("the list cannot be read: Input/output error")
        return []

    Path("list.txt").write_text("http://h/a\n")
    monkeypatch.setattr(Feed, "_next_batch", fail)
    assert run(["get", "-i", "list.txt"]) == 3
    out, err = capsys.readouterr()
    assert out.startswith("1 file saved")
    assert "Input/output error" in err


def test_running_transfers_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """The display is told how far the job is and what is in flight, while it runs."""
    awaited: list[Any] = []
    interrupts = iter([kill(signal.SIGINT)])

    def show(_screen: object, snapshot: Any) -> None:
        # After the interrupt it may be shown once more, and nothing is in flight.
        if snapshot.done and [each.received for each in snapshot.transfers] == [20]:
            awaited.append(snapshot)
            # Once: the third signal would be the system's own.
            next(interrupts, lambda: None)()

    monkeypatch.setattr(Screen, "show", show)
    monkeypatch.setattr(job, "_TICK", 0.001)
    monkeypatch.setattr(job, "_GRACE", 0.001)
    monkeypatch.setattr(job, "choose_transfers", list)
    with ServerThread() as server:
        assert run(["get", f"{server.url}bytes/50?stall=20", f"{server.url}bytes/7"]) == 130
    first = awaited[0]
    assert (first.total, first.is_exact, first.failed) == (2, True, 0)
    assert [(each.name, each.received, each.total) for each in first.transfers] == [("50", 20, 50)]


@pytest.fixture
def no_port() -> Iterator[int]:
    """A port of this machine that nobody listens at; taken, so that nobody begins to."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield int(taken.getsockname()[1])


def test_proxy_that_is_gone_stops_a_long_list(tmp_path: Path, no_port: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 3: the list was not through, for a fault of the run; the same command carries on."""
    (tmp_path / "list.txt").write_text("".join(f"http://h.example/{number}\n" for number in range(20_000)))
    proxy = f"http://127.0.0.1:{no_port}"
    assert run(["get", "-i", "list.txt", "--proxy", proxy, "--retries", "1", "--json"]) == 3
    out, err = capsys.readouterr()
    *outcomes, summary = map(json.loads, out.splitlines())
    assert len(outcomes) == summary["failed"] < 20_000
    assert set(summary["errors"]) == {"connect"}
    last = "aioflags: error: connect: cannot connect to the proxy: Connection refused; the run was stopped"
    assert err.splitlines()[-1] == last


def test_proxy_that_is_gone_fails_a_short_list(no_port: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 1: each item has its outcome."""
    proxy = f"http://127.0.0.1:{no_port}"
    assert run(["get", "http://h.example/a", "http://h.example/b", "--proxy", proxy, "--retries", "0"]) == 1
    assert "2 failed" in capsys.readouterr().out


@pytest.mark.slow
def test_question_is_answered_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    """SIGUSR1 prints how far the job is and what is in flight, without secrets, and the job goes on."""
    with ServerThread(FlagServer(log=Tripwire(kill(signal.SIGUSR1)))) as server:
        assert run(["get", f"{server.url}bytes/1000?delay=1&token=s3cret"]) == 0
    err = capsys.readouterr().err
    assert err.splitlines()[0] == "0/1 files, 0 B, 0 B/s"
    assert err.splitlines()[1].startswith("in flight: ")
    assert f"({server.url.split('/')[2]})" in err
    assert "s3cret" not in err
