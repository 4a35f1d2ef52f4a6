"""Which sockets can be read or written: all of an engine's behind one descriptor that the loop looks at.

uvloop tells of a socket once more when the connection was reset, and never again (tried with 0.23: what was still to
be read, and the reset itself, are lost); and a call by the loop for each socket costs more than one for all of them.
"""

from __future__ import annotations

import asyncio
import selectors
import socket
from functools import cached_property
from typing import Protocol

__all__ = ["READ", "WRITE", "Readiness", "is_supported"]

READ = selectors.EVENT_READ
WRITE = selectors.EVENT_WRITE

#: Bytes that are read at once as long as nobody knows how many are to come.
_SCRATCH = 1 << 16
#: The same for what is encrypted, at most: a turn of the loop costs more than to open a record, which has 16 KiB.
_SEALED = 1 << 20


class Waiter(Protocol):
    """Who has a socket."""

    def on_ready(self, events: int) -> None:
        """The socket can be read, written, or both."""


class Readiness:
    """Waits for sockets on the running loop.

    `loop` is that one: to ask for it costs a call of the system before Python 3.12. `scratch` is memory to read into,
    good until the call that has read returns: no connection holds any memory while it waits.
    """

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._selector = selectors.DefaultSelector()
        self.scratch = memoryview(bytearray(_SCRATCH))
        self.loop.add_reader(_descriptor_of(self._selector), self._look)

    @cached_property
    def sealed(self) -> memoryview:
        """Like `scratch`, for what is encrypted; there only if something is."""
        return memoryview(bytearray(_SEALED))

    def add(self, sock: socket.socket, events: int, waiter: Waiter) -> None:
        """Tell `waiter` when `sock` is ready for one of `events`."""
        self._selector.register(sock, events, waiter)

    def change(self, sock: socket.socket, events: int, waiter: Waiter) -> None:
        """Wait for other events from now on."""
        self._selector.modify(sock, events, waiter)

    def remove(self, sock: socket.socket) -> None:
        """Wait for it no more; to be called before it is closed."""
        self._selector.unregister(sock)

    def _look(self) -> None:
        for key, events in self._selector.select(0):
            # One that was told before it in this turn may have closed it.
            if key.fileobj.fileno() >= 0:  # type: ignore[union-attr]
                key.data.on_ready(events)

    def close(self) -> None:
        """Wait for nothing any more."""
        self.loop.remove_reader(_descriptor_of(self._selector))
        self._selector.close()


def is_supported(loop: asyncio.AbstractEventLoop) -> bool:
    """Tell whether `loop` can look at a descriptor, and this system has one for many: not so on Windows."""
    can_look = type(loop).add_reader is not asyncio.AbstractEventLoop.add_reader
    return can_look and hasattr(selectors.DefaultSelector, "fileno")


def _descriptor_of(selector: selectors.BaseSelector) -> int:
    descriptor: int = selector.fileno()  # type: ignore[attr-defined]
    return descriptor
