"""The body of one response, read by a thread; every byte is counted, timed and held against the limits."""

from __future__ import annotations

import threading
import time

from urllib3.response import BaseHTTPResponse

from aioflags.engines.answers import BodyRules
from aioflags.engines.guard import Guard
from aioflags.engines.translate_blocking import BLOCKING_ERRORS, ending_of
from aioflags.pace import ByteRate
from aioflags.transfer import Ending

__all__ = ["BlockingBody", "SharedByteRate"]

_CHUNK = 1 << 16


class SharedByteRate:
    """A byte rate that threads share.

    Args:
        rate: Bytes per second.
    """

    def __init__(self, rate: float) -> None:
        self._rate = ByteRate(rate)
        self._guard = threading.Lock()

    def take(self, size: int) -> float:
        """Charge `size` bytes; returns the seconds that the taker must wait before it goes on."""
        with self._guard:
            return self._rate.take(size, time.monotonic())


class BlockingBody:
    """Reads one body.

    Args:
        rules: What the bytes are held against.
        response: Whose body it is.
        guard: Whose deadlines hold.
        byte_rate: The job's limit, `None` without.
    """

    def __init__(
        self,
        rules: BodyRules,
        response: BaseHTTPResponse,
        guard: Guard,
        byte_rate: SharedByteRate | None,
    ) -> None:
        self._rules = rules
        self._response = response
        self._guard = guard
        self._byte_rate = byte_rate
        self._ending: Ending | None = None

    @property
    def has_ended(self) -> bool:
        """Nothing more comes."""
        return self._ending is not None

    def read(self, size: int) -> list[bytes]:
        """Read until more than `size` bytes are there or the body ends.

        Raises:
            RefusedError, ChecksumError: The body is larger than allowed or declared.
            ExpiredError: The server stalls.
        """
        chunks: list[bytes] = []
        enough = self._guard.meter.received + size
        while self._guard.meter.received <= enough:
            chunk = self._next()
            if not chunk:
                break
            chunks.append(chunk)
            self._account(len(chunk))
        return chunks

    def _next(self) -> bytes:
        try:
            chunk = self._response.read1(_CHUNK, decode_content=False)
        except BLOCKING_ERRORS as error:
            self._ending = ending_of(error, self._rules.attempt.target.host)
            return b""
        if self._guard.meter.first_byte is None:
            self._guard.begin_body()
        if not chunk:
            # The end of a chunked one is in its framing, and a reset behind it takes nothing away.
            is_reset = self._guard.was_reset and not self._rules.accept.is_chunked
            self._ending = Ending.RESET if is_reset else Ending.CLEAN
            self._guard.meter.last_byte = time.monotonic()
        return chunk

    def _account(self, size: int) -> None:
        self._guard.count(size)
        self._rules.check_size(self._guard.meter.received)
        if self._byte_rate is not None:
            self._guard.rest(self._byte_rate.take(size))

    def judge(self) -> None:
        """Check at the end that the body is whole.

        Raises:
            DownloadError: It is not.
        """
        assert self._ending is not None
        self._rules.check_end(self._guard.meter.received, self._ending)
