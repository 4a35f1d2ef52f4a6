"""An answer that comes whole and at once is saved at once; any other ends as it does without such haste."""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import trustme

from aioflags.destination import Destination
from aioflags.engines.express import Express, is_plain
from aioflags.engines.reception import LostError, Reception
from aioflags.engines.seam import Attempt, AttemptResult, Meter
from aioflags.errors import DownloadError
from aioflags.journal import Half
from aioflags.storage import Saved, Storage
from aioflags.urls import parse_url
from aioflags.writer import Wanted, Writer
from tests.attempts import Bench, kind_of, open_bench
from tests.faultserver import FaultServer, server_context
from tests.hostile import BODY
from tests.leftovers import files_in
from tests.test_engines import CASES, Case
from tests.test_engines_reception import KEY, REQUEST, Scene, head, kept

URL = parse_url("http://a.example/file")
HELLO = head("Content-Length: 5", 'ETag: "x"') + b"hello"


class SlowWriter(Writer):
    """Writes when it is let, and tells that it is about to."""

    def __init__(self, destination: Destination) -> None:
        super().__init__(destination)
        self.has_begun, self.may_go_on = threading.Event(), threading.Event()
        self.may_go_on.set()

    def write_group(self, group: Any) -> Any:
        self.has_begun.set()
        self.may_go_on.wait(10)
        return super().write_group(group)


class Stage(Scene):
    """A connection, and what is on its other end; files go to a folder."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        super().__init__(**settings)
        self.folder = folder
        self.destination = Destination(folder)
        self.destination.open()
        self.writer = SlowWriter(self.destination)
        self.storage = Storage(self.writer)
        self.received_whole: list[bool] = []

    def send(self, *blocks: bytes, **details: Any) -> Express:
        """Ask for a file; the server answers in so many pieces."""
        express = Express(Attempt(URL, "file", **details), self.meter, self.gear, self.storage)
        self.meter.on_received = lambda: self.received_whole.append(True)
        express.begin(self.link, REQUEST, KEY)
        assert self.theirs.recv(1000) == REQUEST
        for block in blocks:
            self.theirs.sendall(block)
        return express

    async def leave(self) -> None:
        self.close()
        await self.storage.close()
        self.destination.close()


@pytest_asyncio.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path / "files")
    yield stage
    await stage.leave()


async def test_plain_answer_is_saved_and_its_connection_kept(stage: Stage) -> None:
    """The host is let go as soon as the body is at hand, and the verdict is there for the record."""
    express = stage.send(HELLO)
    end = await express.end
    assert isinstance(end, Saved)
    assert (end.bytes, (stage.folder / "file").read_bytes()) == (5, b"hello")
    assert express.accept is not None
    assert express.accept.etag == '"x"'
    assert stage.received_whole == [True]
    assert kept(stage)
    meter = stage.meter
    assert (meter.received, meter.total, meter.first_byte) == (5, 5, meter.last_byte)
    assert meter.connected == meter.sent
    assert (meter.sent or 0) <= (meter.last_byte or 0)


async def test_file_that_may_not_appear_fails_the_attempt(stage: Stage) -> None:
    """What the disk says is said as it is."""
    (stage.folder / "file").write_bytes(b"somebody's")
    with pytest.raises(DownloadError, match="exists"):
        await stage.send(HELLO).end
    assert (stage.folder / "file").read_bytes() == b"somebody's"


@pytest.mark.parametrize(
    "blocks",
    [
        [HELLO[:9], HELLO[9:]], [HELLO[:-2], HELLO[-2:]], [head("Connection: close", "Content-Length: 5"), b"hello"],
        [head("Transfer-Encoding: chunked") + b"5\r\nhello\r\n0\r\n\r\n"], [HELLO.replace(b"\r\n", b"\n")],
        [head("Content-Length: 5", status="203 Changed") + b"hello"], [head("X: " + "x" * 3000, "Content-Length: 5"),
        b"hello"], [head(status="103 Early") + HELLO],
    ],
)  # fmt: skip
async def test_other_answers_are_handed_over_with_what_has_come(stage: Stage, blocks: list[bytes]) -> None:
    """In pieces, chunked, long, old or odd: nothing is lost, and the reception has the link."""
    express = stage.send(blocks[0])
    reception = await express.end
    assert isinstance(reception, Reception)
    for block in blocks[1:]:
        stage.theirs.sendall(block)
    assert b"".join(await reception.read()) == b"hello"
    reception.judge()
    reception.leave()
    assert files_in(stage.folder) == []
    assert express.accept is None


@pytest.mark.parametrize("size", [4, 6])
async def test_declared_size_is_held_against_the_head(stage: Stage, size: int) -> None:
    """A body of another size is no success, however plain its answer."""
    reception = await stage.send(HELLO, expected_bytes=size).end
    assert isinstance(reception, Reception)
    assert await reception.read() == []
    reception.leave()
    assert kept(stage)
    assert isinstance(await stage.send(HELLO, expected_bytes=5).end, Saved)


async def test_connection_that_ends_is_the_receptions(stage: Stage) -> None:
    """Whether it is found when the request is sent, or later."""
    express = stage.send()
    stage.theirs.close()
    reception = await express.end
    assert isinstance(reception, Reception)
    with pytest.raises(LostError):
        await reception.read()
    reception.leave()


async def test_request_that_cannot_be_sent_is_the_receptions(stage: Stage) -> None:
    """The system says so at once."""
    stage.theirs.close()
    express = Express(Attempt(URL, "file"), Meter(), stage.gear, stage.storage)
    express.begin(stage.link, REQUEST, KEY)
    reception = await express.end
    assert isinstance(reception, Reception)
    with pytest.raises(LostError):
        await reception.read()
    reception.leave()


async def test_silence_is_the_receptions(tmp_path: Path) -> None:
    """The deadline runs from the request, whoever waits for the answer."""
    stage = Stage(tmp_path / "files", first_byte_timeout=0.2)
    express = stage.send()
    due = express.due
    reception = await express.end
    assert isinstance(reception, Reception)
    assert time.monotonic() >= due
    with pytest.raises(DownloadError, match="first-byte-timeout"):
        await reception.read()
    reception.leave()
    await stage.leave()


async def test_abandoned_before_the_answer_it_closes_the_connection(stage: Stage) -> None:
    """Even if the answer comes between the cancellation and its end, no file appears."""
    express = stage.send()
    express.end.cancel()
    stage.theirs.sendall(HELLO)
    await asyncio.sleep(0.01)
    await express.abandon()
    assert not stage.link.is_open
    assert files_in(stage.folder) == []
    assert not stage.watchdog._watched


async def test_abandoned_with_the_disk_it_is_waited_for(stage: Stage) -> None:
    """When the cancellation goes on, no thread is at work for it."""
    stage.writer.may_go_on.clear()
    express = stage.send(HELLO)
    while not stage.writer.has_begun.is_set():
        await asyncio.sleep(0)
    express.end.cancel()
    abandoning = asyncio.ensure_future(express.abandon())
    await asyncio.sleep(0.01)
    assert not abandoning.done()
    stage.writer.may_go_on.set()
    await abandoning
    assert stage.link.is_open


async def test_abandoned_before_the_disk_has_begun_its_job_is_taken_back(stage: Stage) -> None:
    """A body that waits for the group before it."""
    stage.writer.may_go_on.clear()
    other = asyncio.ensure_future(stage.storage.save(Wanted("other"), [b"other"]))
    while not stage.writer.has_begun.is_set():
        await asyncio.sleep(0)
    express = stage.send(HELLO)
    while stage.received_whole == []:
        await asyncio.sleep(0)
    express.end.cancel()
    await express.abandon()
    stage.writer.may_go_on.set()
    await other
    assert files_in(stage.folder) == ["other"]


async def test_abandoned_after_it_was_handed_over_the_reception_leaves(stage: Stage) -> None:
    """Nobody else would."""
    express = stage.send(HELLO[:9])
    await express.end
    await express.abandon()
    assert not stage.link.is_open
    assert not stage.watchdog._watched


def test_what_asks_for_more_is_not_plain() -> None:
    """A rest, a new connection, an address that is to be looked at."""
    assert is_plain(Attempt(URL, "file", expected_bytes=3, is_conditional=True))
    half = Half("part", 1, "x", "y")
    for details in ({"half": half}, {"is_fresh": True}, {"is_public_only": True}):
        assert not is_plain(Attempt(URL, "file", **details))


# Any answer at all, over a new connection and over a kept one


def _facts(result: AttemptResult) -> dict[str, Any]:
    """What has to be the same; a kept connection that ends before its answer is stale, and nobody's fault."""
    names = ("detail", "http_status", "bytes", "digests", "content_encoding", "requests", "location", "must_restart")
    return {"kind": kind_of(result), **{name: getattr(result, name) for name in names}}


async def _compare(bench: Bench, case: Case, context: ssl.SSLContext | None) -> tuple[Any, Any]:
    with FaultServer({case.name: case.fault}, context) as server:
        new = await bench.fetch(f"{server.url}/{case.name}", name="new")
        await bench.fetch(f"{server.url}/saved", name="before")
        connections = server.connections
        over_kept = await bench.fetch(f"{server.url}/{case.name}", name="kept")
        assert server.connections == connections
    body = None if case.hops else case.body
    assert bench.files == {"before": BODY, **({} if body is None else {"new": body, "kept": body})}
    return _facts(new), _facts(over_kept)


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_kept_connection_changes_nothing_about_what_an_answer_ends_as(tmp_path: Path, scheme: str) -> None:
    """Every fault of the contract: kind, status, digests, bytes on disk, requests."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = server_context(authority) if scheme == "https" else None
    limits = {"first_byte_timeout": 1.5, "idle_timeout": 1.5, "min_speed": 500, "max_bytes": 3_000_000}
    cases = [case for case in CASES if case.name != "transient"]

    async def compare(case: Case) -> tuple[str, Any, Any]:
        async with open_bench(tmp_path / case.name, "asyncio", cacert=str(tmp_path / "ca.pem"), **limits) as bench:
            return case.name, *await _compare(bench, case, context)

    for first in range(0, len(cases), 20):
        compared = await asyncio.gather(*map(compare, cases[first : first + 20]))
        assert [(name, new) for name, new, _ in compared] == [(name, over_kept) for name, _, over_kept in compared]
