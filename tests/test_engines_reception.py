"""One answer taken in: what is good is given, what is not is said, and the connection goes where it belongs."""

from __future__ import annotations

import asyncio
import gc
import socket
import time
from collections.abc import AsyncIterator
from contextlib import closing
from typing import Any

import pytest
import pytest_asyncio

from aioflags.engines.bodies import BLOCK, OpenBody
from aioflags.engines.link import Link
from aioflags.engines.pool import Pool, PoolKey
from aioflags.engines.portions import Portions
from aioflags.engines.readiness import Readiness
from aioflags.engines.reception import Gear, LostError, Reception
from aioflags.engines.seam import Attempt, Meter
from aioflags.engines.watchdog import Watchdog
from aioflags.errors import DownloadError
from aioflags.pace import ByteRate
from aioflags.settings import Settings
from aioflags.transfer import Accept, Ending, Redirect, Refuse
from aioflags.urls import parse_url

KEY: PoolKey = ("http", "a.example", 80, False)
REQUEST = b"GET / HTTP/1.1\r\n\r\n"


class Scene:
    """A server's end of a connection, and the reception at ours."""

    def __init__(self, **settings: Any) -> None:
        self.settings = Settings(**{"first_byte_timeout": 20, "idle_timeout": 20, **settings})
        self.readiness, self.watchdog, self.pool = Readiness(), Watchdog(), Pool()
        rate = None if self.settings.limit_rate is None else ByteRate(self.settings.limit_rate)
        self.gear = Gear(self.settings, self.readiness, self.watchdog, self.pool, Portions(), rate)
        ours, self.theirs = socket.socketpair()
        ours.setblocking(False)
        self.link = Link(ours, self.readiness)
        self.meter = Meter()
        self.reception = self.receive()

    def receive(self, **details: Any) -> Reception:
        attempt = Attempt(parse_url("http://a.example/file"), "file", **details)
        return Reception(attempt, None, self.meter, self.gear)

    def begin(self, *blocks: bytes) -> Reception:
        self.reception.begin(self.link, REQUEST, KEY)
        assert self.theirs.recv(1000) == REQUEST
        for block in blocks:
            self.theirs.sendall(block)
        return self.reception

    def close(self) -> None:
        self.reception.leave()
        self.link.close()
        self.theirs.close()
        self.pool.close()
        self.watchdog.close()
        self.readiness.close()


@pytest_asyncio.fixture
async def scene() -> AsyncIterator[Scene]:
    scene = Scene()
    yield scene
    scene.close()


def head(*fields: str, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *fields, "", ""]).encode()


def kept(scene: Scene) -> bool:
    return scene.pool.take(KEY) is scene.link


@pytest.mark.parametrize("cut", [0, 1, 30, 45])
async def test_whole_answer_is_given_and_its_connection_kept(scene: Scene, cut: int) -> None:
    """In whatever pieces it comes."""
    data = head("Content-Length: 5") + b"hello"
    reception = scene.begin(data[:cut])
    reading = asyncio.ensure_future(reception.read())
    await asyncio.sleep(0.01)
    scene.theirs.sendall(data[cut:])
    assert b"".join(await reading) == b"hello"
    assert isinstance(reception.verdict, Accept)
    assert reception.ending is Ending.CLEAN
    reception.judge()
    assert (scene.meter.received, scene.meter.total) == (5, 5)
    assert kept(scene)


@pytest.mark.parametrize(
    ("fields", "body", "is_kept"),
    [
        (["Content-Length: 5", "Connection: close"], b"hello", False),
        (["Transfer-Encoding: chunked"], b"5\r\nhello\r\n0\r\n\r\n", True),
        (["Transfer-Encoding: chunked"], b"5\r\nhello\r\n0\r\n\r\nmore", False),
    ],
)
async def test_connection_is_kept_if_nothing_speaks_against_it(
    scene: Scene, fields: list[str], body: bytes, is_kept: bool
) -> None:
    """The server's word, and bytes that nobody has asked for."""
    reception = scene.begin(head(*fields) + body)
    assert b"".join(await reception.read()) == b"hello"
    assert kept(scene) is is_kept
    assert scene.link.is_open is is_kept


async def test_body_without_length_ends_with_its_connection(scene: Scene) -> None:
    """Cleanly, or it is cut."""
    reception = scene.begin(head(), b"hello")
    scene.theirs.close()
    assert b"".join(await reception.read()) == b"hello"
    assert reception.ending is Ending.CLEAN
    reception.judge()
    assert not kept(scene)


async def test_body_that_ends_too_early_is_told_as_cut(scene: Scene) -> None:
    """What came of it is given all the same: somebody may go on with it."""
    reception = scene.begin(head("Content-Length: 9") + b"hello")
    scene.theirs.close()
    assert b"".join(await reception.read()) == b"hello"
    with pytest.raises(DownloadError) as caught:
        reception.judge()
    assert caught.value.kind == "truncated"


async def test_bytes_behind_the_body_are_no_part_of_it(scene: Scene) -> None:
    """The announced length is a lie, and so perhaps the file."""
    reception = scene.begin(head("Content-Length: 5") + b"hello, world")
    assert b"".join(await reception.read()) == b"hello"
    with pytest.raises(DownloadError) as caught:
        reception.judge()
    assert caught.value.kind == "protocol"
    assert not kept(scene)


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\nContent-"])
async def test_connection_lost_before_the_head(scene: Scene, said: bytes) -> None:
    """No answer at all: whoever asked may ask again."""
    reception = scene.begin(said)
    scene.theirs.close()
    with pytest.raises(LostError):
        await reception.read()


async def test_what_is_no_http_is_said_to_be_none(scene: Scene) -> None:
    """And the connection is closed."""
    reception = scene.begin(b"220 smtp.example ESMTP\r\n")
    with pytest.raises(DownloadError) as caught:
        await reception.read()
    assert caught.value.kind == "protocol"
    assert not scene.link.is_open


@pytest.mark.parametrize(
    ("status", "fields", "body", "verdict", "is_kept"),
    [
        ("404 Not Found", ["Content-Length: 9"], b"not there", Refuse, True),
        ("302 Found", ["Location: /b", "Content-Length: 0"], b"", Redirect, True),
        ("404 Not Found", ["Content-Length: 9000000"], b"", Refuse, False),
        ("404 Not Found", [], b"not there", Refuse, False),
    ],
)
async def test_body_that_nobody_wants_is_taken_in_if_it_is_small(
    scene: Scene, status: str, fields: list[str], body: bytes, verdict: type, is_kept: bool
) -> None:
    """That is cheaper than another connection."""
    reception = scene.begin(head(*fields, status=status) + body)
    assert await reception.read() == []
    assert isinstance(reception.verdict, verdict)
    assert kept(scene) is is_kept


async def test_answer_that_does_not_come_is_not_waited_for() -> None:
    """Longer than was promised, and what the deadline is called is said."""
    scene = Scene(first_byte_timeout=0.05)
    with pytest.raises(DownloadError) as caught:
        await scene.begin(b"HTTP/1.1 2").read()
    assert caught.value.kind == "timeout"
    assert "--first-byte-timeout" in caught.value.message
    scene.close()


async def test_body_that_stops_coming_is_stalled() -> None:
    """What came before is told."""
    scene = Scene(idle_timeout=0.05)
    with pytest.raises(DownloadError) as caught:
        await scene.begin(head("Content-Length: 9") + b"hello").read()
    assert caught.value.kind == "stalled"
    assert "5 bytes" in caught.value.message
    scene.close()


@pytest.mark.parametrize(("others", "blocks"), [(0, 4), (7, 2)])
async def test_next_portion_comes_while_the_disk_has_this_one(scene: Scene, others: int, blocks: int) -> None:
    """And no more than another, the less the more bodies come; whoever leaves gives its share back."""
    portions = scene.gear.portions
    for _ in range(others):
        portions.enter()
    reception = scene.begin(head("Content-Length: 50000000"))
    scene.theirs.setblocking(False)
    taken = size = 0
    for _ in range(3):
        await fill(scene)
        size = sum(map(len, await reception.read()))
        taken += size
    await fill(scene)
    for bytes_at_hand in (size, scene.meter.received - taken):
        assert 2 * blocks * BLOCK <= bytes_at_hand <= (2 * blocks + 1) * BLOCK
    reception.leave()
    for _ in range(others):
        portions.leave()
    assert portions.size == 4 * BLOCK


async def test_lone_body_comes_in_large_blocks_whose_memory_is_used_again(scene: Scene) -> None:
    """A portion is a block, however far the server is ahead of the disk."""
    reception = scene.begin(head("Content-Length: 90000000"))
    scene.theirs.setblocking(False)
    given = []
    for _ in range(12):
        await fill(scene)
        given.append(await reception.read())
    blocks = [chunk for chunks in given[2:] for chunk in chunks]
    assert {len(block) for block in blocks} == {scene.gear.portions.size}
    assert len({id(block.obj) for block in blocks if isinstance(block, memoryview)}) < 10 < len(blocks)


async def fill(scene: Scene) -> None:
    """Send as much as is taken."""
    quiet = 0
    while quiet < 50:
        try:
            scene.theirs.send(bytes(1 << 16))
            quiet = 0
        except BlockingIOError:
            quiet += 1
            await asyncio.sleep(0.0005)


async def test_server_waits_for_whoever_does_not_read(scene: Scene) -> None:
    """Memory holds some blocks of a large body, not all of it."""
    size = 50_000_000
    reception = scene.begin(head(f"Content-Length: {size}"))
    scene.theirs.setblocking(False)
    sent = taken = quiet = 0
    while quiet < 200:
        try:
            sent += scene.theirs.send(bytes(min(1 << 16, size - sent)))
            quiet = 0
        except BlockingIOError:
            quiet += 1
            await asyncio.sleep(0.0005)
    assert sent < 8_000_000
    while reception.ending is None:
        while sent < size:
            try:
                sent += scene.theirs.send(bytes(min(1 << 16, size - sent)))
            except BlockingIOError:
                break
        reading = asyncio.ensure_future(reception.read())
        while not reading.done():
            await asyncio.sleep(0)
            if sent < size:
                try:
                    sent += scene.theirs.send(bytes(min(1 << 16, size - sent)))
                except BlockingIOError:
                    continue
        taken += sum(map(len, reading.result()))
    assert taken == size
    reception.judge()


async def test_rate_is_kept_by_waiting() -> None:
    """The job's limit: what is over it comes later, and nothing is lost."""
    scene = Scene(limit_rate=200_000)
    body = bytes(range(256)) * 400
    reception = scene.begin(head(f"Content-Length: {len(body)}") + body)
    chunks = []
    while reception.ending is None:
        chunks += [bytes(chunk) for chunk in await reception.read()]
    assert b"".join(chunks) == body
    assert kept(scene)
    scene.close()


async def test_long_body_comes_in_small_pieces_while_a_rate_is_to_be_kept() -> None:
    """A large one would be over the rate at once."""
    scene = Scene(limit_rate=1_000_000_000)
    reception = scene.begin(head("Content-Length: 90000000"))
    scene.theirs.setblocking(False)
    for _ in range(8):
        await fill(scene)
        await reception.read()
        assert len(reception.room()) <= 1 << 16
    scene.close()


async def test_head_does_not_wait_for_the_rate() -> None:
    """What the rest of the job owes is not this answer's: it would be late, and the server be blamed for that."""
    with closing(Scene(limit_rate=1000)) as scene:
        assert scene.gear.byte_rate is not None
        scene.gear.byte_rate.take(30_000, time.monotonic())
        reception = scene.begin(head("Content-Length: 5"))
        async with asyncio.timeout(20):
            while reception.head is None:
                await asyncio.sleep(0.001)
            scene.theirs.sendall(b"hello")
            # Counted as it comes; it is held back from then on.
            while scene.meter.received < 5:
                await asyncio.sleep(0.001)


async def test_nothing_of_a_failed_answer_outlives_its_error(scene: Scene) -> None:
    """No circle of error, frames and body is left for the collector: there may be megabytes in each."""
    reception = scene.begin(head("Transfer-Encoding: chunked") + b"5\r\nhello\r\nzz\r\n")
    scene.reception = scene.receive()

    async def attempt(reception: Reception) -> str:
        try:
            await reception.read()
        except DownloadError as error:
            return error.kind
        finally:
            reception.leave()
        return ""

    def bodies() -> int:
        return sum(isinstance(known, OpenBody) for known in gc.get_objects())

    gc.collect()
    gc.disable()
    try:
        before = bodies()
        assert await attempt(reception) == "protocol"
        del reception
        assert bodies() == before
    finally:
        gc.enable()


async def test_whoever_leaves_takes_the_connection_along(scene: Scene) -> None:
    """What is still under way would be taken for the next answer."""
    reception = scene.begin(head("Content-Length: 9") + b"hello")
    reading = asyncio.ensure_future(reception.read())
    await asyncio.sleep(0.01)
    reading.cancel()
    await asyncio.wait([reading])
    reception.leave()
    assert not scene.link.is_open
    assert not kept(scene)
    assert scene.theirs.recv(1) == b""
