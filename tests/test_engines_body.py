"""The body of one response: what is read of it and when, how it ended, and what it is held against."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from aioflags.engines.answers import BodyRules
from aioflags.engines.body import Body
from aioflags.engines.exchange import Exchange, trace_exchanges
from aioflags.engines.seam import Attempt, Meter
from aioflags.errors import DownloadError, RefusedError
from aioflags.pace import ByteRate
from aioflags.settings import Settings
from aioflags.transfer import Accept, judge_response
from aioflags.urls import parse_url
from tests.faultserver import FaultServer, answer, say
from tests.hostile import BODY, Client, Fault, head

BIG = BODY * 2000  # 4 MB: comes in many pieces
CHUNKED = head(200, "Transfer-Encoding: chunked", length=None)
CHUNK = b"%x\r\n%b\r\n" % (len(BODY), BODY)


def reset_after(block: bytes) -> Fault:
    def fault(client: Client) -> None:
        client.send(block)
        client.reset()

    return fault


def send(block: bytes) -> Fault:
    """Send and close."""
    return lambda client: client.send(block)


#: How a body may end: what the server does, kind of the error, what a whole body is.
ENDINGS: dict[str, tuple[Fault, str | None, bytes]] = {
    "length": (say(answer()), None, BODY),
    "empty": (say(answer(b"")), None, b""),
    "chunked": (say(CHUNKED + CHUNK + CHUNK + b"0\r\n\r\n"), None, BODY + BODY),
    "open": (send(head(length=None) + BODY), None, BODY),
    "open-empty": (send(head(length=None)), None, b""),
    "cut": (send(head() + BODY[:100]), "truncated", b""),
    "cut-at-once": (send(head()), "truncated", b""),
    "cut-chunked": (send(CHUNKED + CHUNK), "truncated", b""),
    "cut-chunk": (send(CHUNKED + CHUNK[:100]), "truncated", b""),
    "reset": (reset_after(head() + BODY[:100]), "truncated", b""),
    "reset-chunked": (reset_after(CHUNKED + CHUNK), "truncated", b""),
    "reset-behind": (reset_after(CHUNKED + CHUNK + b"0\r\n\r\n"), None, BODY),
    "reset-open": (reset_after(head(length=None) + BODY), "disconnected", b""),
}


@asynccontextmanager
async def asked(
    server: FaultServer,
    path: str,
    *,
    max_bytes: int | None = None,
    byte_rate: ByteRate | None = None,
    **deadlines: Any,
) -> AsyncIterator[tuple[Body, Exchange]]:
    """Ask for `path`; give the body of the answer and the exchange that it belongs to."""
    attempt = Attempt(parse_url(f"{server.url}/{path}"), "file")
    host = attempt.target.host
    exchange = Exchange(Settings(**deadlines), Meter())
    async with aiohttp.ClientSession(trace_configs=[trace_exchanges()]) as session, exchange:
        async with session.get(attempt.target.url, trace_request_ctx=exchange) as response:
            verdict = judge_response(response.status, response.headers, host=host, expected=None, max_bytes=max_bytes)
            assert isinstance(verdict, Accept)
            yield Body(BodyRules(attempt, verdict, max_bytes), response, exchange, byte_rate), exchange


async def read_all(body: Body, size: int) -> list[list[bytes]]:
    batches = []
    while not body.has_ended:
        batches.append(await body.read(size))
    return batches


@pytest.mark.parametrize("name", ENDINGS)
async def test_body_ends_as_it_must(name: str) -> None:
    """A whole one is what was sent, of any other the end says why; every byte that came is handed over and counted."""
    fault, kind, whole = ENDINGS[name]
    with FaultServer({name: fault}) as server:
        async with asked(server, name) as (body, exchange):
            got = b"".join(await body.read(1 << 20))
            assert body.has_ended
            assert exchange.meter.received == len(got)
            if kind is None:
                body.judge()
                assert got == whole
            else:
                with pytest.raises(DownloadError) as raised:
                    body.judge()
                assert (raised.value.kind, raised.value.host) == (kind, "127.0.0.1")


async def test_body_comes_in_batches() -> None:
    """Each but the last has more bytes than were asked for, and not much more: memory stays in proportion."""
    with FaultServer({"big": say(answer(BIG))}) as server:
        async with asked(server, "big") as (body, exchange):
            batches = await read_all(body, 100_000)
            body.judge()
        assert b"".join(chunk for batch in batches for chunk in batch) == BIG
        sizes = [sum(map(len, batch)) for batch in batches]
        assert all(100_000 < size < 2_000_000 for size in sizes[:-1])
        assert len(sizes) > 2
        assert exchange.meter.received == len(BIG)


async def test_end_is_not_awaited_for_bytes_that_are_enough() -> None:
    """What is there is handed on, although the server goes silent."""

    def pause(client: Client) -> None:
        client.send(head(length=300) + BODY[:200])
        client.hold()

    with FaultServer({"pause": pause}) as server:
        async with asked(server, "pause") as (body, exchange):
            assert b"".join(await body.read(150)) == BODY[:200]
            assert not body.has_ended
            assert exchange.meter.first_byte is not None
            assert exchange.meter.last_byte is None


@pytest.mark.parametrize("name", ["length", "open", "empty"])
async def test_times_of_first_and_last_byte(name: str) -> None:
    """An empty body has both, too: the phases of an attempt end."""
    with FaultServer({name: ENDINGS[name][0]}) as server:
        async with asked(server, name) as (body, exchange):
            await body.read(1 << 20)
            meter = exchange.meter
            assert None not in (meter.sent, meter.first_byte, meter.last_byte)
            assert meter.sent <= meter.first_byte <= meter.last_byte  # type: ignore[operator]


async def test_body_that_is_too_large_is_left() -> None:
    """With the first bytes too many: however much a batch may hold, the rest is not read."""
    with FaultServer({"endless": send(CHUNKED + CHUNK * 1000)}) as server:
        async with asked(server, "endless", max_bytes=10_000) as (body, exchange):
            with pytest.raises(RefusedError):
                await body.read(1 << 30)
            assert 10_000 < exchange.meter.received < 600_000


async def test_every_byte_is_charged() -> None:
    """The rate of the job is told of each piece as it comes, and its word on waiting is kept."""
    charged: list[int] = []

    class Rate(ByteRate):
        def take(self, size: int, now: float) -> float:
            charged.append(size)
            return 1e9 if len(charged) == 3 else 0.0

    with FaultServer({"big": say(answer(BIG))}) as server:
        async with asked(server, "big", byte_rate=Rate(1.0)) as (body, exchange):
            reading = asyncio.ensure_future(body.read(len(BIG)))
            while len(charged) < 3:
                await asyncio.sleep(0)
            for _ in range(100):
                await asyncio.sleep(0)
            assert (len(charged), sum(charged)) == (3, exchange.meter.received)
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading


async def test_server_that_falls_silent_is_stalled() -> None:
    """The deadline takes hold within a read; bytes that came before are counted, and the body has not ended."""

    def stall(client: Client) -> None:
        client.send(head() + BODY[:100])
        client.hold()

    with FaultServer({"stall": stall}) as server:
        with pytest.raises(TimeoutError):
            async with asked(server, "stall", idle_timeout=0.05) as (body, exchange):
                await body.read(1 << 20)
        assert (exchange.is_expired, body.has_ended) == (True, False)
        assert str(exchange.complaint("h").error).startswith("stalled: stalled after 100 bytes: ")
