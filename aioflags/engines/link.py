"""One connection: bytes sent, bytes received into the memory of whoever uses it. For TLS see `tls_link`."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from typing import Protocol

from aioflags.engines.readiness import READ, WRITE, Readiness

__all__ = ["Link", "LinkUser"]


class LinkUser(Protocol):
    """Who waits for an answer."""

    def room(self) -> memoryview:
        """Give the memory that the next bytes are to be written to; never empty."""

    def received(self, size: int) -> None:
        """So many bytes were written there."""

    def ended(self, error: OSError | None) -> None:
        """The connection has ended, with a reset or the like if there is an error; it is closed already."""


class Link:
    """A connection that is open.

    `user` is told what comes; without one the connection is idle, and closed when something comes all the same: nobody
    has asked for it, and it is no answer to the next request. Source: RFC 9112, section 9.2.

    Args:
        sock: Connected, not blocking; the link's from now on.
        readiness: Tells when it can be read.
    """

    __slots__ = ("_events", "_readiness", "_unsent", "idle_since", "is_open", "sock", "user")

    def __init__(self, sock: socket.socket, readiness: Readiness) -> None:
        self.sock = sock
        self.user: LinkUser | None = None
        self.is_open = True
        self.idle_since = 0.0
        self._readiness = readiness
        self._unsent = b""
        self._events = READ
        readiness.add(sock, READ, self)

    def send(self, data: bytes) -> None:
        """Send `data`, as much of it as possible at once.

        Raises:
            OSError: The connection has ended.
        """
        self._unsent = self._sent(data) if not self._unsent else self._unsent + data
        if self._unsent:
            self._wait_for(self._events | WRITE)

    def _sent(self, data: bytes) -> bytes:
        """Send what can be sent now; gives the rest."""
        try:
            return data[self.sock.send(data) :]
        except (BlockingIOError, InterruptedError):
            return data

    def pause(self) -> None:
        """Receive nothing for now: what comes waits in the system, and the server before it."""
        self._wait_for(self._events & ~READ)

    def resume(self) -> None:
        """Receive again."""
        self._wait_for(self._events | READ)

    def _wait_for(self, events: int) -> None:
        if events == self._events or not self.is_open:
            return
        if not self._events:
            self._readiness.add(self.sock, events, self)
        elif not events:
            self._readiness.remove(self.sock)
        else:
            self._readiness.change(self.sock, events, self)
        self._events = events

    def on_ready(self, events: int) -> None:
        """See `aioflags.engines.readiness.Waiter`."""
        if events & WRITE:
            self._go_on_sending()
        if events & READ and self.is_open:
            self._receive()

    def _go_on_sending(self) -> None:
        try:
            self._unsent = self._sent(self._unsent)
        except OSError as error:
            self._end(error)
            return
        if not self._unsent:
            self._wait_for(self._events & ~WRITE)

    def _receive(self) -> None:
        user = self.user
        try:
            size = self.sock.recv_into(self._readiness.scratch if user is None else user.room())
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._end(error)
            return
        if user is None or not size:
            self._end(None)
        else:
            user.received(size)

    def _end(self, error: OSError | None) -> None:
        user = self.user
        self.close()
        if user is not None:
            user.ended(error)

    def rest(self) -> None:
        """The answer was received: idle from now on, until there is another user."""
        self.user = None
        self.idle_since = time.monotonic()
        self.resume()

    def close(self) -> None:
        """Give the connection back to the system, whatever is on its way; nobody is told."""
        if not self.is_open:
            return
        self._wait_for(0)
        self.is_open = False
        self.user = None
        with suppress(OSError):
            self.sock.close()
