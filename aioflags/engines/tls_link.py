"""One connection under TLS: the same link, its bytes sealed and opened in memory.

The socket stays ours, so that a reset is seen as one (under `ssl.SSLSocket` it looks like an end), nothing is in stock
that a loop could forget (uvloop#661), and one call of the system brings many records.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl

from aioflags.engines.link import Link
from aioflags.engines.readiness import Readiness

__all__ = ["TLSLink"]

_HEADER = 5
#: Bytes that are received at once at most if the user has no room for more.
_LEAST = 1 << 18


class _Records:
    """Where the records of a stream begin and end.

    Source: RFC 8446, section 5.1: five bytes, of which the last two are the length of what follows.
    """

    __slots__ = ("_header", "_left")

    def __init__(self) -> None:
        self._header = b""
        self._left = 0

    @property
    def is_within_one(self) -> bool:
        """More of a record is to come."""
        return bool(self._left or self._header)

    def follow(self, data: memoryview) -> None:
        """Take note of what came next."""
        at = self._left
        if not self._header:
            # All but the last few.
            last = len(data) - _HEADER
            if at <= last:
                at = _skip_alike(data, at, last)
            while at <= last:
                at += _HEADER + (data[at + 3] << 8 | data[at + 4])
        while at < len(data):
            header = self._header + data[at : at + _HEADER - len(self._header)]
            at += _HEADER - len(self._header)
            self._header = header if len(header) < _HEADER else b""
            if len(header) == _HEADER:
                at += int.from_bytes(header[3:])
        self._left = at - len(data) if not self._header else 0


def _skip_alike(data: memoryview, at: int, last: int) -> int:
    """Go past a record and, if all that follow it are as long, past them: a gigabyte has sixty-five thousand.

    To be asked once for all data: a server may send any number of tiny ones, of which the last is longer.

    Args:
        data: Holds the records.
        at: Where the first begins.
        last: Where the last of them can begin, so that its header is there.
    """
    high, low = data[at + 3], data[at + 4]
    size = _HEADER + (high << 8 | low)
    count = (last - at) // size + 1
    end = at + count * size
    is_alike = data[at + 3 : end : size] == bytes([high]) * count and data[at + 4 : end : size] == bytes([low]) * count
    return end if is_alike else at + size


class TLSLink(Link):
    """A connection that is open, but not used before `shake_hands`.

    Args:
        sock: Connected, not blocking; the link's from now on.
        readiness: Tells when it can be read.
        context: Who is trusted.
        host: Name or address that the certificate must be for.
    """

    __slots__ = ("_broken", "_has_stock", "_incoming", "_is_paused", "_outgoing", "_records", "_shaken", "_tls")

    def __init__(self, sock: socket.socket, readiness: Readiness, context: ssl.SSLContext, host: str) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        # The name of the certificate has no dot at its end, whatever the URL has (RFC 6066, section 3).
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host.rstrip("."))
        self._shaken: asyncio.Future[None] | None = None
        self._is_paused = False
        self._has_stock = False
        self._records = _Records()
        self._broken: ssl.SSLError | None = None
        super().__init__(sock, readiness)

    async def shake_hands(self) -> None:
        """Agree on keys, and look at the server's certificate.

        Raises:
            OSError: `ssl.SSLError` if that is refused; else the connection has ended.
        """
        self._shaken = asyncio.get_running_loop().create_future()
        self._shake()
        try:
            await self._shaken
        finally:
            self._shaken = None

    def _shake(self) -> None:
        assert self._shaken is not None
        try:
            try:
                self._tls.do_handshake()
            finally:
                # An alert goes out, too.
                self._flush()
        except ssl.SSLWantReadError:
            return
        except OSError as error:
            if not self._shaken.done():
                self._shaken.set_exception(error)
        else:
            if not self._shaken.done():
                self._shaken.set_result(None)

    def send(self, data: bytes) -> None:
        """Send `data`, as much of it as possible at once; see `Link.send`."""
        self._tls.write(data)
        self._flush()

    def _flush(self) -> None:
        if self._outgoing.pending:
            super().send(self._outgoing.read())

    def pause(self) -> None:
        """Receive nothing for now, see `Link.pause`."""
        self._is_paused = True
        super().pause()

    def resume(self) -> None:
        """Receive again, first of all what was received and not yet opened."""
        if self._is_paused:
            self._is_paused = False
            super().resume()
            if self._has_stock:
                asyncio.get_running_loop().call_soon(self._open_stock)

    def _open_stock(self) -> None:
        if self._has_stock and self.is_open and not self._is_paused:
            self._open_safely()

    def _receive(self) -> None:
        if self._has_stock:
            # What comes now, or the end, is behind it.
            self._open_stock()
            return
        try:
            size = self.sock.recv_into(self._readiness.sealed, self._most())
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._end(error)
            return
        if size:
            data = self._readiness.sealed[:size]
            self._records.follow(data)
            self._incoming.write(data)
            self._open_safely()
        else:
            # Many servers end without a word of TLS, but none ends within one.
            self._end(_reset_error() if self._records.is_within_one else None)

    def _most(self) -> int:
        """Bytes to receive at once at most: what the user lets lie takes memory of each connection, not of all."""
        return _LEAST if self.user is None else min(max(_LEAST, len(self.user.room())), len(self._readiness.sealed))

    def _end(self, error: OSError | None) -> None:
        shaken = self._shaken
        super()._end(error)
        if shaken is not None and not shaken.done():
            shaken.set_exception(error or _reset_error())

    def _open_safely(self) -> None:
        """Open what was received. A broken seal ends the connection like a reset: nothing is known of the rest."""
        if self._shaken is not None:
            self._shake()
            return
        try:
            self._open()
        except ssl.SSLError as error:
            self._end(error)

    def _open(self) -> None:
        self._has_stock = False
        while self.is_open:
            if self._is_paused:
                self._has_stock = True
                return
            user = self.user
            room = self._readiness.scratch if user is None else user.room()
            size, is_over = self._fill(room)
            if user is None:
                # Tickets for another session are the only thing that may come unasked.
                if size or is_over:
                    self._end(None)
            elif size:
                user.received(size)
            if self._broken is not None and self.is_open:
                raise self._broken
            if is_over:
                if self.is_open:
                    self._end(None)
                return
            if size < len(room):
                # A change of keys wants to be answered.
                self._flush_safely()
                return

    def _fill(self, room: memoryview) -> tuple[int, bool]:
        """Open into `room` as much as there is; gives the bytes, and whether the server has taken its leave."""
        size, wanted, read = 0, len(room), self._tls.read
        try:
            while size < wanted:
                opened = read(wanted - size, room[size:])
                if not opened:
                    return size, True
                size += opened  # type: ignore[operator]
        except ssl.SSLWantReadError:
            return size, False
        except ssl.SSLZeroReturnError:
            return size, True
        except ssl.SSLError as error:
            # What came before it is good, and comes first.
            self._broken = error
        return size, False

    def _flush_safely(self) -> None:
        try:
            if self.is_open:
                self._flush()
        except OSError as error:
            self._end(error)


def _reset_error() -> OSError:
    return ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
