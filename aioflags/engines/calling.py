"""A connection to one address. For a choice of several see `aiohappyeyeballs`, which costs three times as much."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from typing import Any

from aioflags.engines.readiness import WRITE, Readiness

__all__ = ["connect_to"]


class _Caller:
    """Waits until a socket is connected, or cannot be."""

    __slots__ = ("answered",)

    def __init__(self) -> None:
        self.answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def on_ready(self, _: int) -> None:
        """See `aioflags.engines.readiness.Waiter`."""
        if not self.answered.done():
            self.answered.set_result(None)


async def connect_to(address: tuple[Any, ...], readiness: Readiness) -> socket.socket:
    """Connect to an address as `getaddrinfo` gives it, with numbers and no names in it.

    Raises:
        OSError: What the system says.
    """
    family, kind, protocol, _, place = address
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setblocking(False)
        code = sock.connect_ex(place)
        if code == errno.EINPROGRESS:
            code = await _wait_for(sock, readiness)
        if code:
            raise OSError(code, os.strerror(code))
    except BaseException:
        sock.close()
        raise
    return sock


async def _wait_for(sock: socket.socket, readiness: Readiness) -> int:
    """Give the number of the error that connecting has ended with, 0 for none."""
    caller = _Caller()
    readiness.add(sock, WRITE, caller)
    try:
        await caller.answered
    finally:
        readiness.remove(sock)
    return sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
