"""One address is connected to, or the system says why not; nothing is left of what did not work."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from aioflags.engines.calling import connect_to
from aioflags.engines.readiness import Readiness


@pytest_asyncio.fixture
async def readiness() -> AsyncIterator[Readiness]:
    readiness = Readiness()
    yield readiness
    readiness.close()


def address(place: tuple[Any, ...], family: int = socket.AF_INET) -> tuple[Any, ...]:
    return family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", place


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
async def test_connection_is_there_when_the_call_returns(readiness: Readiness, family: int) -> None:
    """It does not block, and nobody else is told of it any more."""
    host = "127.0.0.1" if family == socket.AF_INET else "::1"
    try:
        listener = socket.create_server((host, 0), family=family)
    except OSError:
        pytest.skip("this machine has no IPv6 for itself")
    with listener:
        sock = await connect_to(address(listener.getsockname(), family), readiness)
        theirs, _ = listener.accept()
        with sock, theirs:
            assert sock.getblocking() is False
            theirs.sendall(b"hello")
            # Whoever is to be told of its bytes may say so: nobody is told yet.
            readiness.add(sock, 1, None)  # type: ignore[arg-type]
            readiness.remove(sock)


@pytest.mark.parametrize("place", [("127.0.0.1", 0), ("255.255.255.255", 9)])
async def test_what_the_system_says_is_raised(readiness: Readiness, place: tuple[Any, ...]) -> None:
    """At once, where it knows without asking anybody; with its number."""
    before = descriptors()
    with pytest.raises(OSError, match=r".") as caught:
        await connect_to(address(place), readiness)
    assert caught.value.errno
    assert descriptors() == before


async def test_address_that_refuses(readiness: Readiness) -> None:
    """The error is of the class that everyone expects."""
    before = descriptors()
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(ConnectionRefusedError, match="refused"):
            await connect_to(address(unused.getsockname()), readiness)
    assert descriptors() == before


async def test_nobody_waits_any_more(readiness: Readiness) -> None:
    """A call that is cancelled while nobody answers leaves no socket, and its place can be taken."""
    # Of a listener with room for none, whose only place is taken, nobody answers.
    with socket.socket() as listener, socket.socket() as first:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        first.connect(listener.getsockname())
        before = descriptors()
        calling = asyncio.ensure_future(connect_to(address(listener.getsockname()), readiness))
        await asyncio.sleep(0.05)
        assert not calling.done()
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling
        assert descriptors() == before
