"""One connection: all is sent, what comes is told, and its end once."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
import pytest_asyncio

from aioflags.engines.link import Link
from aioflags.engines.readiness import Readiness


@dataclass
class User:
    """Notes what comes."""

    size: int = 1 << 16
    data: bytearray = field(default_factory=bytearray)
    ends: list[OSError | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._room = memoryview(bytearray(self.size))

    def room(self) -> memoryview:
        return self._room

    def received(self, size: int) -> None:
        self.data += self._room[:size]

    def ended(self, error: OSError | None) -> None:
        self.ends.append(error)


@dataclass
class Wire:
    """A link, and the other end."""

    link: Link
    theirs: socket.socket
    user: User


@pytest_asyncio.fixture
async def wire() -> AsyncIterator[Wire]:
    readiness = Readiness()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
    ours.setblocking(False)
    theirs.setblocking(False)
    user = User()
    link = Link(ours, readiness)
    link.user = user
    yield Wire(link, theirs, user)
    link.close()
    theirs.close()
    readiness.close()


async def until(is_so: object) -> None:
    assert callable(is_so)
    async with asyncio.timeout(20):
        while not is_so():
            await asyncio.sleep(0.001)


async def test_what_comes_is_told_and_the_end_once(wire: Wire) -> None:
    """A clean end carries no error; the link is closed by then."""
    wire.theirs.sendall(b"hello")
    await until(lambda: wire.user.data == b"hello")
    wire.theirs.close()
    await until(lambda: wire.user.ends)
    await asyncio.sleep(0.01)
    assert wire.user.ends == [None]
    assert not wire.link.is_open


async def test_reset_is_told_as_what_it_is(wire: Wire) -> None:
    """Not as a clean end: a body may be cut by it."""
    wire.theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    wire.theirs.close()
    await until(lambda: wire.user.ends)
    (error,) = wire.user.ends
    assert isinstance(error, ConnectionResetError)


async def test_all_is_sent_however_slowly_it_is_taken(wire: Wire) -> None:
    """In the order of the calls."""
    data = bytes(range(256)) * 40_000
    wire.link.send(data)
    wire.link.send(b"the end")
    taken = bytearray()

    def take() -> bool:
        with suppress(BlockingIOError):
            taken.extend(wire.theirs.recv(1 << 16))
        return len(taken) == len(data) + 7

    await until(take)
    assert taken == data + b"the end"


async def test_end_while_there_is_more_to_send_is_told(wire: Wire) -> None:
    """By the system's own error."""
    wire.link.send(bytes(40_000_000))
    wire.theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    wire.theirs.close()
    await until(lambda: wire.user.ends)
    (error,) = wire.user.ends
    assert isinstance(error, OSError)
    assert not wire.link.is_open


async def test_paused_link_receives_nothing(wire: Wire) -> None:
    """What comes waits in the system; the end, too."""
    wire.link.pause()
    wire.theirs.sendall(b"hello")
    wire.theirs.close()
    await asyncio.sleep(0.05)
    assert not wire.user.data
    assert not wire.user.ends
    wire.link.resume()
    await until(lambda: wire.user.ends)
    assert wire.user.data == b"hello"
    assert wire.user.ends == [None]


@pytest.mark.parametrize("news", [b"unasked", b""])
async def test_idle_link_is_closed_by_what_comes(wire: Wire, news: bytes) -> None:
    """Nobody has asked for it (RFC 9112, section 9.2), and nobody is told."""
    wire.link.rest()
    if news:
        wire.theirs.sendall(news)
    else:
        wire.theirs.close()
    await until(lambda: not wire.link.is_open)
    assert not wire.user.data
    assert not wire.user.ends


async def test_closing_twice_is_closing_once(wire: Wire) -> None:
    """And the other end sees it."""
    wire.link.close()
    wire.link.close()
    wire.link.resume()
    await until(lambda: wire.theirs.recv(1) == b"")
    assert wire.user.ends == []
