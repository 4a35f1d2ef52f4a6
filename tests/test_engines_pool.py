"""Connections that wait for another request: the last one first, none that is old, ended, or somebody else's."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from aioflags.engines import pool as pools
from aioflags.engines.link import Link
from aioflags.engines.pool import Pool, PoolKey
from aioflags.engines.readiness import Readiness

KEY: PoolKey = ("http", "a.example", 80, False)
Connect = Callable[[], tuple[Link, socket.socket]]


@pytest_asyncio.fixture
async def connect() -> AsyncIterator[Connect]:
    """Make connections; at the end they are closed."""
    readiness = Readiness()
    made: list[tuple[Link, socket.socket]] = []

    def make() -> tuple[Link, socket.socket]:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        made.append((Link(ours, readiness), theirs))
        return made[-1]

    yield make
    for link, theirs in made:
        link.close()
        theirs.close()
    readiness.close()


async def test_last_one_comes_first(connect: Connect) -> None:
    """Those that are not needed come of age."""
    pool = Pool()
    (first, _), (second, _) = connect(), connect()
    pool.put(KEY, first)
    pool.put(KEY, second)
    assert [pool.take(KEY) for _ in range(3)] == [second, first, None]
    pool.close()


@pytest.mark.parametrize(
    "other", [("https", "a.example", 80, False), ("http", "b.example", 80, False), ("http", "a.example", 81, False),
              ("http", "a.example", 80, True)],
)  # fmt: skip
async def test_connection_of_another_origin_or_rule_is_not_given(connect: Connect, other: PoolKey) -> None:
    """What is asked under a stricter rule must not find a connection that was made under the other."""
    pool = Pool()
    link, _ = connect()
    pool.put(KEY, link)
    assert pool.take(other) is None
    assert pool.take(KEY) is link
    pool.close()


async def test_old_connection_is_closed(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """When it is asked for; and by and by if nobody asks."""
    monkeypatch.setattr(pools, "_KEEP_ALIVE", 0.05)
    pool = Pool()
    (link, theirs), (another, _) = connect(), connect()
    pool.put(KEY, link)
    pool.put(KEY, another)
    await asyncio.sleep(0.06)
    assert pool.take(KEY) is None
    assert not link.is_open
    assert not another.is_open
    assert theirs.recv(1) == b""
    unasked, theirs = connect()
    pool.put(KEY, unasked)
    async with asyncio.timeout(10):
        while unasked.is_open:
            await asyncio.sleep(0.01)
    assert pool._idle == {}
    pool.close()


async def test_end_closes_what_is_idle_and_leaves_no_timer(connect: Connect) -> None:
    """The pool can be used again."""
    pool = Pool()
    link, _ = connect()
    pool.put(KEY, link)
    pool.close()
    assert not link.is_open
    assert pool._timer is None
    again, _ = connect()
    pool.put(KEY, again)
    assert pool.take(KEY) is again
    pool.close()
