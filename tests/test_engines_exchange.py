"""Our own deadlines: which one passed, when it was moved, and that a cancellation is none of them."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import aiohttp
import pytest

from aioflags.engines.exchange import Exchange, trace_exchanges
from aioflags.engines.seam import Meter
from aioflags.settings import Settings
from tests.faultserver import FaultServer

LONG = 30.0


def make(**deadlines: Any) -> Exchange:
    limits = {"connect_timeout": LONG, "first_byte_timeout": LONG, "idle_timeout": LONG, **deadlines}
    return Exchange(Settings(**limits), Meter())


def complaint(exchange: Exchange) -> str:
    return str(exchange.complaint("example.org").error)


async def until_expired(exchange: Exchange, *phases: Any) -> str:
    """Go through the phases, wait for a deadline, and give its complaint."""
    with pytest.raises(TimeoutError):
        async with exchange:
            for phase in phases:
                phase()
            await asyncio.sleep(LONG)
    assert exchange.is_expired
    return complaint(exchange)


async def test_deadline_to_connect() -> None:
    """Holds from the beginning."""
    assert await until_expired(make(connect_timeout=0.05)) == "timeout: no connection within --connect-timeout 0.05 s"


async def test_deadline_to_the_first_byte() -> None:
    """Takes the place of the one to connect when the request is sent, with its full time."""
    exchange = make(connect_timeout=0.05, first_byte_timeout=0.1)
    text = await until_expired(exchange, exchange.connected, exchange.sent)
    assert text == "timeout: no answer within --first-byte-timeout 0.1 s"


async def test_deadline_between_bytes() -> None:
    """Holds while bytes are awaited, and says how many came before."""
    exchange = make(connect_timeout=0.05, first_byte_timeout=0.05, idle_timeout=0.1)
    text = await until_expired(exchange, exchange.sent, lambda: exchange.receive(7), exchange.begin_body, exchange.wait)
    assert text.startswith("stalled: stalled after 7 bytes: no bytes for ")


@pytest.mark.slow
async def test_minimum_speed() -> None:
    """Bytes that trickle do not hold the deadline off."""
    # Long enough for a machine that stands still for a moment: that would be silence.
    exchange = make(idle_timeout=1, min_speed=1000)
    with pytest.raises(TimeoutError):
        async with exchange:
            exchange.sent()
            exchange.begin_body()
            while True:
                exchange.wait()
                await asyncio.sleep(0.02)
                exchange.receive(1)
    assert "the minimum is 1e+03" in complaint(exchange)


async def test_no_deadline_while_nothing_is_awaited() -> None:
    """Our own disk may take its time between two reads."""
    exchange = make(connect_timeout=0.05, first_byte_timeout=0.05, idle_timeout=0.05, min_speed=1e9)
    async with exchange:
        exchange.sent()
        exchange.begin_body()
        exchange.wait()
        exchange.receive(1)
        await asyncio.sleep(0.15)
    assert not exchange.is_expired


async def test_left_in_time_it_says_nothing_more() -> None:
    """Its timers end with it."""
    exchange = make(connect_timeout=0.05, idle_timeout=0.05)
    async with exchange:
        exchange.sent()
        exchange.begin_body()
        exchange.wait()
    await asyncio.sleep(0.1)
    assert not exchange.is_expired


async def test_cancellation_is_no_deadline() -> None:
    """It leaves as what it is."""
    exchange = make()

    async def work() -> None:
        async with exchange:
            await asyncio.sleep(LONG)

    task = asyncio.ensure_future(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not exchange.is_expired


async def test_cancellation_at_the_deadline_wins() -> None:
    """Whoever cancels must not be told that the server was slow."""
    exchange = make(connect_timeout=0.05)

    async def work() -> None:
        async with exchange:
            await asyncio.sleep(LONG)

    task = asyncio.ensure_future(work())
    await asyncio.sleep(0)
    # Both in the same turn of the loop.
    time.sleep(0.06)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_signals_count_requests_and_connections() -> None:
    """What aiohttp says of each request reaches the exchange that goes with it."""
    with FaultServer() as server:
        async with aiohttp.ClientSession(trace_configs=[trace_exchanges()]) as session:
            seen = []
            for _ in range(2):
                exchange = make()
                async with exchange, session.get(f"{server.url}/saved", trace_request_ctx=exchange) as response:
                    await response.read()
                assert exchange.meter.connected is not None
                assert exchange.meter.sent is not None
                assert exchange.meter.connected <= exchange.meter.sent
                seen.append((exchange.requests, exchange.is_reused))
    assert seen == [(1, False), (1, True)]
