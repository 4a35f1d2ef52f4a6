"""The deadlines of one attempt for code that blocks: every read of the socket is held to them.

A socket's own timeout counts from each byte, so a server that drips its header never meets it; here each read waits
no longer than what the phase has left, and looks up now and then whether anybody still wants the file.
"""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from io import BufferedReader, RawIOBase
from typing import Any

from aioflags.engines.seam import Meter
from aioflags.errors import DownloadError, make_error
from aioflags.pace import Pace
from aioflags.settings import Settings

__all__ = ["AbandonedError", "ExpiredError", "Guard", "GuardedSocket"]

#: Seconds after which a read looks up whether the attempt was abandoned.
_LOOK_UP = 0.25
#: Bytes that may come without one of the body among them: trailers could go on for ever otherwise.
_MOST_FRAMING = 8 << 20
#: State of a TCP connection after a reset; after a FIN it would be CLOSE_WAIT. Source: Linux, tcp_states.h.
_TCP_CLOSE = 7


class AbandonedError(Exception):
    """Nobody wants the file any more."""


class ExpiredError(Exception):
    """A deadline has passed; `error` says which.

    Not an `OSError`, since libraries take those for faults of the connection.
    """

    def __init__(self, error: DownloadError) -> None:
        super().__init__(error)
        self.error = error


class Guard:
    """Where one attempt is, and how long it may stay there.

    Args:
        settings: The deadlines.
        meter: Told the times of the phases.
        host: For messages.
        is_abandoned: Asked now and then; `True` ends the attempt.
    """

    def __init__(
        self, settings: Settings, meter: Meter, host: str, is_abandoned: Callable[[], bool] = lambda: False
    ) -> None:
        self.settings = settings
        self.meter = meter
        self._host = host
        self._is_abandoned = is_abandoned
        self._pace = Pace(settings.idle_timeout, settings.min_speed)
        self._deadline: float | None = None
        self._framing = 0
        self.requests = 0
        self.was_reset = False

    def connected(self) -> None:
        """A connection is there."""
        self.meter.connected = time.monotonic()

    def sent(self) -> None:
        """The request is on its way; from now on the server has to answer."""
        self.requests += 1
        self.meter.sent = time.monotonic()
        self._deadline = self.meter.sent + self.settings.first_byte_timeout

    def begin_body(self) -> None:
        """The first byte of the body came; from now on the pace decides."""
        self.meter.first_byte = time.monotonic()
        self._deadline = None
        self._pace = Pace(self.settings.idle_timeout, self.settings.min_speed)

    def hurry(self, seconds: float) -> None:
        """What is awaited now has `seconds` at most."""
        self._deadline = min(time.monotonic() + seconds, self._deadline or float("inf"))

    def count(self, size: int) -> None:
        """`size` bytes of the body came."""
        self._framing = 0
        self.meter.received += size

    def check_wanted(self) -> None:
        """Raise `AbandonedError` if nobody wants the file any more."""
        if self._is_abandoned():
            raise AbandonedError

    def rest(self, seconds: float) -> None:
        """Sleep, but not longer than anybody wants the file.

        Raises:
            AbandonedError: Nobody wants the file any more.
        """
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.check_wanted()
            time.sleep(min(left, _LOOK_UP))

    def receive(self, sock: socket.socket, buffer: memoryview) -> int:
        """Read from `sock` into `buffer` as the deadlines allow.

        Raises:
            ExpiredError: A deadline has passed.
            AbandonedError: Nobody wants the file any more.
            OSError: The connection failed.
        """
        self._pace.wait(time.monotonic())
        while True:
            self.check_wanted()
            now = time.monotonic()
            self._check_deadline(now)
            sock.settimeout(max(0.001, min(_LOOK_UP, self._next_check(now) - now)))
            try:
                size = sock.recv_into(buffer)
            except TimeoutError:
                continue
            self._pace.receive(size, time.monotonic())
            self._framing += size
            if self._framing > _MOST_FRAMING:
                raise ExpiredError(
                    make_error("protocol", "the framing or the trailer of the body has no end", self._host)
                )
            if not size:
                self.was_reset = _was_reset(sock)
            return size

    def _next_check(self, now: float) -> float:
        return self._deadline if self._deadline is not None else self._pace.check_at(now)

    def _check_deadline(self, now: float) -> None:
        if self._deadline is not None:
            if now >= self._deadline:
                limit = self.settings.first_byte_timeout
                raise ExpiredError(
                    make_error("timeout", f"no answer within --first-byte-timeout {limit:g} s", self._host)
                )
            return
        complaint = self._pace.complaint(now)
        if complaint is not None:
            text = f"stalled after {self.meter.received} bytes: {complaint}"
            raise ExpiredError(make_error("stalled", text, self._host))


def _was_reset(sock: socket.socket) -> bool:
    """Tell whether a connection that has ended was reset: under TLS the end looks the same (tried, OpenSSL 3).

    A reset that comes after the end of the bytes (FIN) is none: OpenSSL itself brings it about, with the alert that it
    sends to a server that has left without its own. Linux calls the error of such a reset EPIPE, not ECONNRESET.

    Only Linux tells; elsewhere a body without length that a reset cuts under TLS passes for whole.
    """
    if not hasattr(socket, "TCP_INFO"):
        return False
    with suppress(OSError):
        is_closed = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == _TCP_CLOSE
        return is_closed and sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != errno.EPIPE
    return False


class GuardedSocket:
    """A connected socket whose reads go through the guard of the attempt that uses it; all else is the socket's own.

    Args:
        sock: Plain or TLS.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.guard: Guard | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def settimeout(self, timeout: float | None) -> None:
        """Leave the timeout to the guard."""

    def makefile(self, mode: str, *_: Any, **__: Any) -> BufferedReader:
        """Give the buffered reader that an HTTP parser asks for."""
        assert mode == "rb"
        # The parser closes its file and the connection its socket, in either order: the last one counts.
        return BufferedReader(_GuardedReader(self, self._sock.makefile("rb", buffering=0)), 1 << 16)

    def receive_into(self, buffer: memoryview) -> int:
        """Read as the guard allows."""
        assert self.guard is not None
        return self.guard.receive(self._sock, buffer)


class _GuardedReader(RawIOBase):
    def __init__(self, sock: GuardedSocket, holder: RawIOBase) -> None:
        self._sock = sock
        self._holder = holder

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._sock.receive_into(memoryview(buffer))

    def close(self) -> None:
        if not self.closed:
            self._holder.close()
        super().close()
