"""Messages on a stream of bytes."""

from __future__ import annotations

import asyncio
import socket
import sys

import pytest

from aioflags.shards.messages import Cancel, Leave, Pause
from aioflags.shards.wire import Wire

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no Unix sockets")


async def pair() -> tuple[Wire, Wire]:
    """Both ends of a wire."""
    one, other = socket.socketpair()
    return await Wire.open(one), await Wire.open(other)


async def test_messages_arrive_whole_and_in_order() -> None:
    """Both ways, small and large ones."""
    one, other = await pair()
    large = Pause("h", 1.5, "x" * 3_000_000)
    sending = asyncio.ensure_future(one.drain())
    for message in (Cancel(1), large, Leave()):
        one.send(message)
    assert [await other.receive() for _ in range(3)] == [Cancel(1), large, Leave()]
    await sending
    other.send(Cancel(2))
    assert await one.receive() == Cancel(2)
    one.close()
    other.close()


async def test_end_of_the_other_end_is_no_message() -> None:
    """After the last one, and amid one that will never be whole; what is sent then is lost without a word."""
    one, other = await pair()
    one.send(Cancel(1))
    one.close()
    assert [await other.receive(), await other.receive(), await other.receive()] == [Cancel(1), None, None]
    other.send(Leave())
    await other.drain()
    other.close()
    left, right = socket.socketpair()
    wire = await Wire.open(right)
    left.sendall((100).to_bytes(4, "big") + b"half")
    left.close()
    assert await wire.receive() is None
    wire.close()
