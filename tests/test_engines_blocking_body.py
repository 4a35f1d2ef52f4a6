"""The body of one response as a thread reads it: how it ended, what it is held against, who is charged for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any

import pytest

from aioflags.engines.answers import BodyRules
from aioflags.engines.blocking_body import BlockingBody, SharedByteRate
from aioflags.engines.blocking_connection import Connections
from aioflags.engines.blocking_names import BlockingNames
from aioflags.engines.guard import AbandonedError, ExpiredError, Guard
from aioflags.engines.seam import Attempt, Meter
from aioflags.engines.tls import load_ssl_context
from aioflags.errors import DownloadError, ProtocolError, RefusedError
from aioflags.settings import Settings
from aioflags.transfer import Accept, judge_response
from aioflags.urls import parse_url
from tests.faultserver import FaultServer, say
from tests.hostile import BODY, Client, head
from tests.test_engines_body import CHUNK, CHUNKED, ENDINGS

CONTEXT = load_ssl_context(None)


@contextmanager
def asked(
    server: FaultServer,
    path: str,
    *,
    max_bytes: int | None = None,
    byte_rate: SharedByteRate | None = None,
    is_wanted: threading.Event | None = None,
    **deadlines: Any,
) -> Iterator[tuple[BlockingBody, Guard]]:
    """Ask for `path`; give the body of the answer and the guard that it is read under."""
    settings = Settings(**deadlines)
    attempt = Attempt(parse_url(f"{server.url}/{path}"), "file")
    host = attempt.target.host
    guard = Guard(settings, Meter(), host, lambda: is_wanted is not None and not is_wanted.is_set())
    connection, _ = Connections(settings, CONTEXT, BlockingNames()).take(attempt)
    with closing(connection):
        connection.sock.guard = guard  # type: ignore[union-attr]
        connection.request("GET", f"/{path}", preload_content=False, decode_content=False)
        guard.sent()
        with closing(connection.getresponse()) as response:
            verdict = judge_response(response.status, response.headers, host=host, expected=None, max_bytes=max_bytes)
            assert isinstance(verdict, Accept)
            yield BlockingBody(BodyRules(attempt, verdict, max_bytes), response, guard, byte_rate), guard


@pytest.mark.parametrize("name", ENDINGS)
def test_body_ends_as_it_must(name: str) -> None:
    """As under asyncio, whose table this is; every byte that is handed over is counted."""
    fault, kind, whole = ENDINGS[name]
    with FaultServer({name: fault}) as server, asked(server, name) as (body, guard):
        got = b"".join(body.read(1 << 20))
        assert body.has_ended
        assert guard.meter.received == len(got)
        if kind is None:
            body.judge()
            assert got == whole
            assert None not in (guard.meter.first_byte, guard.meter.last_byte)
        else:
            with pytest.raises(DownloadError) as raised:
                body.judge()
            assert (raised.value.kind, raised.value.host) == (kind, "127.0.0.1")


def test_body_comes_in_batches() -> None:
    """Each but the last has more bytes than were asked for, by less than one read of the socket."""
    big = BODY * 500
    with FaultServer({"big": say(CHUNKED + b"%x\r\n%b\r\n0\r\n\r\n" % (len(big), big))}) as server:
        with asked(server, "big") as (body, guard):
            batches = []
            while not body.has_ended:
                batches.append(b"".join(body.read(100_000)))
            body.judge()
        assert b"".join(batches) == big
        assert all(100_000 < len(batch) <= 100_000 + (1 << 16) for batch in batches[:-1])
        assert guard.meter.received == len(big)


@pytest.mark.parametrize("size", [b"xyz", b"g1"])
def test_broken_framing_is_no_end(size: bytes) -> None:
    """It is told with the host: a chunk size that is none means that nothing can be trusted."""
    with FaultServer({"broken": say(CHUNKED + CHUNK + size + b"\r\n" + BODY)}) as server:
        with asked(server, "broken") as (body, _), pytest.raises(ProtocolError) as raised:
            body.read(1 << 20)
        assert raised.value.host == "127.0.0.1"


def test_body_that_is_too_large_is_left() -> None:
    """With the first bytes too many: however much a batch may hold, the rest is not read."""
    with FaultServer({"endless": lambda client: client.send(CHUNKED + CHUNK * 1000)}) as server:
        with asked(server, "endless", max_bytes=10_000) as (body, guard), pytest.raises(RefusedError):
            body.read(1 << 30)
        assert 10_000 < guard.meter.received <= 10_000 + (1 << 16)


def _stall(client: Client) -> None:
    client.send(head() + BODY[:100])
    client.hold()


def test_server_that_falls_silent_is_stalled() -> None:
    """The deadline takes hold within a read, and the body has not ended: it is to be tried again, not judged."""
    with FaultServer({"stall": _stall}) as server, asked(server, "stall", idle_timeout=0.05) as (body, _):
        with pytest.raises(ExpiredError) as raised:
            body.read(1 << 20)
        assert str(raised.value.error).startswith("stalled: stalled after 100 bytes: ")
        assert not body.has_ended


def test_body_that_nobody_wants_is_left() -> None:
    """While the rate makes it rest, too: the reader owes hours, and hears of it all the same."""
    wanted = threading.Event()
    wanted.set()

    class Rate(SharedByteRate):
        def take(self, size: int) -> float:
            wanted.clear()
            return super().take(size)

    with FaultServer({"file": ENDINGS["length"][0]}) as server:
        with asked(server, "file", byte_rate=Rate(0.1), is_wanted=wanted) as (body, guard):
            with pytest.raises(AbandonedError):
                body.read(1 << 20)
            assert guard.meter.received == len(BODY)


def test_threads_share_one_rate() -> None:
    """Each waits for what all took before: together they keep the rate, and no two get the same time."""
    rate = SharedByteRate(1.0)
    with ThreadPoolExecutor(8) as threads:
        delays = sorted(threads.map(rate.take, [100] * 50))
    assert len(set(delays)) == 50
    # 5000 bytes at one byte a second, less what this took and the little that may come at once.
    assert 4000 < delays[-1] <= 5000
