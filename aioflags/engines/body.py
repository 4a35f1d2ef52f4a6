"""The body of one response, read in batches; every byte is counted, timed and held against the limits."""

from __future__ import annotations

import asyncio
import time

import aiohttp

from aioflags.engines.answers import BodyRules
from aioflags.engines.exchange import Exchange
from aioflags.engines.translate import is_cut_body
from aioflags.errors import make_error
from aioflags.pace import ByteRate
from aioflags.transfer import Ending

__all__ = ["Body"]


class Body:
    """Reads one body.

    Args:
        rules: What the bytes are held against.
        response: Whose body it is.
        exchange: Whose deadlines hold.
        byte_rate: The job's limit, `None` without.
    """

    def __init__(
        self,
        rules: BodyRules,
        response: aiohttp.ClientResponse,
        exchange: Exchange,
        byte_rate: ByteRate | None,
    ) -> None:
        self._rules = rules
        self._content = response.content
        self._exchange = exchange
        self._byte_rate = byte_rate
        self._ending: Ending | None = None
        # Taken now, for at the end the response has let go of its connection; a reset shows there only.
        self._protocol = None if response.connection is None else response.connection.protocol

    @property
    def has_ended(self) -> bool:
        """Nothing more comes."""
        return self._ending is not None

    async def read(self, size: int) -> list[bytes]:
        """Read until more than `size` bytes are there or the body ends.

        Raises:
            RefusedError, ChecksumError: The body is larger than allowed or declared.
            ProtocolError: Its framing is broken.
        """
        chunks: list[bytes] = []
        enough = self._exchange.meter.received + size
        while self._exchange.meter.received <= enough:
            chunk = await self._next()
            if not chunk:
                break
            chunks.append(chunk)
            await self._account(len(chunk))
        return chunks

    async def _next(self) -> bytes:
        is_first = self._exchange.meter.first_byte is None
        if not is_first:
            self._exchange.wait()
        chunk = b""
        try:
            chunk = await self._content.readany()
        except aiohttp.ClientPayloadError as error:
            if not is_cut_body(error):
                host = self._rules.attempt.target.host
                raise make_error("protocol", "the chunked framing of the body is broken", host) from error
            self._ending = Ending.CUT
            return b""
        except (aiohttp.ClientConnectionError, OSError) as error:
            if self._exchange.is_expired:
                raise
            self._ending = Ending.RESET if isinstance(error, OSError) else Ending.CUT
            return b""
        finally:
            # Without this the pace would blame the server for what the disk does after the last byte.
            self._exchange.receive(len(chunk))
        if is_first:
            self._exchange.begin_body()
        if not chunk:
            self._ending = self._how_it_ended()
            self._exchange.meter.last_byte = time.monotonic()
        return chunk

    def _how_it_ended(self) -> Ending:
        """A reset ends a body without length as silently as a clean end; only the protocol knows (undocumented)."""
        # That of a chunked one is in its framing, and a reset behind it takes nothing away.
        is_open = not self._rules.accept.is_chunked
        was_reset = is_open and self._protocol is not None and isinstance(self._protocol.exception(), OSError)
        return Ending.RESET if was_reset else Ending.CLEAN

    async def _account(self, size: int) -> None:
        self._rules.check_size(self._exchange.meter.received)
        if self._byte_rate is not None:
            delay = self._byte_rate.take(size, asyncio.get_running_loop().time())
            if delay > 0:
                await asyncio.sleep(delay)

    def judge(self) -> None:
        """Check at the end that the body is whole.

        Raises:
            DownloadError: It is not.
        """
        assert self._ending is not None
        self._rules.check_end(self._exchange.meter.received, self._ending)
