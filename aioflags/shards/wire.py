"""Messages on a stream of bytes: a length, and a pickle of it. Both ends are ours: one started the other."""

from __future__ import annotations

import asyncio
import pickle
import socket

__all__ = ["Wire"]

_LENGTH = 4
_LIMIT = 1 << 20


class Wire:
    """One end of a stream.

    Args:
        reader: What the other end writes.
        writer: What the other end reads.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, connection: socket.socket) -> Wire:
        """Make an end of a connected Unix socket."""
        return cls(*await asyncio.open_unix_connection(sock=connection, limit=_LIMIT))

    def send(self, message: object) -> None:
        """Have a message sent; lost if the other end is gone. What may be under way is bounded by who calls this."""
        data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
        if not self._writer.is_closing():
            self._writer.write(len(data).to_bytes(_LENGTH, "big") + data)

    async def receive(self) -> object:
        """Give the next message; `None` when the other end is gone, also amid a message."""
        try:
            size = int.from_bytes(await self._reader.readexactly(_LENGTH), "big")
            return pickle.loads(await self._reader.readexactly(size))  # noqa: S301 - of our own process
        except (asyncio.IncompleteReadError, OSError):
            return None

    async def drain(self) -> None:
        """Wait until little is on its way."""
        try:
            await self._writer.drain()
        except OSError:
            return

    def close(self) -> None:
        """Close this end; what was sent is sent first."""
        self._writer.close()
