"""The pool of connections: no limit of its own, nothing kept that must not be, every descriptor given back."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import aiohttp
import pytest
import trustme

from aioflags.engines.connector import Connector
from aioflags.engines.resolver import Resolver
from aioflags.engines.session_resolver import SessionResolver
from tests.faultserver import FaultServer, Gate, answer, keep_open, server_context
from tests.hostile import BODY, Client
from tests.leftovers import open_files, until_gone

Open = Callable[..., AbstractAsyncContextManager[tuple[aiohttp.ClientSession, Connector]]]


@pytest.fixture
def session() -> Open:
    """Open a session over a connector with options."""

    @asynccontextmanager
    async def opened(
        context: ssl.SSLContext | bool = True, *, is_fresh: bool = False
    ) -> AsyncIterator[tuple[aiohttp.ClientSession, Connector]]:
        resolver = Resolver()
        connector = Connector(SessionResolver(resolver, is_public_only=False), context, is_fresh=is_fresh)
        async with aiohttp.ClientSession(connector=connector) as session:
            yield session, connector
        await resolver.close()

    return opened


async def get(session: aiohttp.ClientSession, url: str) -> bytes:
    async with session.get(url) as response:
        return await response.read()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.001)


@pytest.mark.parametrize(("is_fresh", "connections"), [(False, 1), (True, 3)])
async def test_fresh_requests_meet_no_kept_connection(session: Open, is_fresh: bool, connections: int) -> None:
    """A request that follows a stale connection must not find the next stale one."""
    with FaultServer() as server:
        async with session(is_fresh=is_fresh) as (client, _):
            assert [await get(client, f"{server.url}/saved") for _ in range(3)] == [BODY] * 3
        assert server.connections == connections


async def test_pool_has_no_limit_of_its_own(session: Open) -> None:
    """aiohttp would let a hundred in; how many may ask at a time was decided before they came here."""
    gate = Gate()
    with FaultServer({"gate": gate}) as server:
        async with session() as (client, _):
            tasks = [asyncio.ensure_future(get(client, f"{server.url}/gate")) for _ in range(120)]
            await until(lambda: gate.gauge.now == 120)
            gate.open()
            assert await asyncio.gather(*tasks) == [BODY] * 120


async def test_idle_connections_are_given_back_and_busy_ones_left(session: Open) -> None:
    """When the system has no open file left, none is to lie idle; no transfer pays for that."""
    pair, busy = Gate(), Gate()
    with FaultServer({"pair": pair, "busy": busy}) as server:
        async with session() as (client, connector):
            await get(client, f"{server.url}/saved")
            before = open_files()
            task = asyncio.ensure_future(get(client, f"{server.url}/busy"))
            await until(lambda: busy.gauge.now)
            both = [asyncio.ensure_future(get(client, f"{server.url}/pair")) for _ in range(2)]
            await until(lambda: pair.gauge.now == 2)
            pair.open()
            await asyncio.gather(*both)
            assert server.connections == 3
            connector.close_idle()
            # Both sides of the two that were idle.
            await until_gone(lambda: open_files() - before)
            busy.open()
            assert await task == BODY
            assert await get(client, f"{server.url}/saved") == BODY
        assert server.connections == 3


async def test_only_the_connection_that_spoke_unasked_is_dropped(session: Open) -> None:
    """Its neighbour in the pool is as good as ever, and serves the next request."""
    blurt, blurted = threading.Event(), threading.Event()

    def speak(client: Client) -> None:
        client.send(answer())
        blurt.wait(20)
        client.send(answer(b"unasked"))
        blurted.set()
        keep_open(client)

    gate = Gate()
    with FaultServer({"speak": speak, "gate": gate}) as server:
        async with session() as (client, _):
            quiet = asyncio.ensure_future(get(client, f"{server.url}/gate"))
            await until(lambda: gate.gauge.now)
            await get(client, f"{server.url}/speak")
            gate.open()
            await quiet
            blurt.set()
            await until(blurted.is_set)
            # What was sent on loopback is there; the loop only has to look.
            for _ in range(20):
                await asyncio.sleep(0)
            bodies = [get(client, f"{server.url}/saved") for _ in range(2)]
            assert await asyncio.gather(*bodies) == [BODY] * 2
        assert server.connections == 3


@pytest.mark.parametrize("fields", [(), ("Connection: close",)], ids=["kept", "closed"])
async def test_server_that_does_not_leave_tls_is_not_waited_for(session: Open, fields: tuple[str, ...]) -> None:
    """Closed with the session or before it, a connection is gone with it, although the server says nothing more."""
    authority = trustme.CA()
    trusted = ssl.create_default_context()
    authority.configure_trust(trusted)
    through = threading.Event()

    def ignore(client: Client) -> None:
        client.send(answer(BODY, *fields))
        through.wait(30)

    with FaultServer({"ignore": ignore}, server_context(authority)) as server:
        before = open_files()
        async with session(trusted) as (client, _):
            assert await get(client, f"{server.url}/ignore") == BODY
        try:
            # One is the server's own.
            await until_gone(lambda: (open_files() - before).total() > 1)
        finally:
            through.set()
