"""One request and its answer under our own deadlines: to connect, to the first byte, without a pause.

aiohttp's own timeouts stay off: they count waiting for a pool slot, miss dripped headers, and one of them ends a
large file after five minutes.
"""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace, TracebackType
from typing import TYPE_CHECKING

from aioflags.engines.seam import AttemptResult, Meter
from aioflags.errors import make_error
from aioflags.pace import Pace
from aioflags.settings import Settings

if TYPE_CHECKING:
    import aiohttp

__all__ = ["Exchange", "trace_exchanges"]


class Exchange:
    """The deadlines of one attempt, and what was seen of its connection.

    An `asyncio.timeout` whose time is moved as the attempt goes from phase to phase; while the body comes, a timer
    asks the pace instead, so that no chunk costs a timer.

    Args:
        settings: The deadlines.
        meter: Told the times of the phases.
    """

    __slots__ = (
        "_deadline",
        "_loop",
        "_phase",
        "_timer",
        "is_reused",
        "meter",
        "pace",
        "requests",
        "settings",
    )

    def __init__(self, settings: Settings, meter: Meter) -> None:
        self.settings = settings
        self.meter = meter
        self.pace = Pace(settings.idle_timeout, settings.min_speed)
        self.requests = 0
        self.is_reused = False
        self._loop = asyncio.get_running_loop()
        self._deadline = asyncio.timeout(settings.connect_timeout)
        self._phase = ("timeout", f"no connection within --connect-timeout {settings.connect_timeout:g} s")
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> None:
        await self._deadline.__aenter__()

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        await self._deadline.__aexit__(exc_type, exc, traceback)

    @property
    def is_expired(self) -> bool:
        """A deadline of ours has passed."""
        return self._deadline.expired()

    def complaint(self, host: str) -> AttemptResult:
        """The failed result for the deadline that has passed."""
        kind, message = self._phase
        return AttemptResult(error=make_error(kind, message, host))

    def connected(self) -> None:
        """A connection is there."""
        # Not the time of the loop: uvloop's stands still while it works.
        self.meter.connected = time.monotonic()

    def sent(self) -> None:
        """The request is on its way; from now on the server has to answer."""
        self.requests += 1
        self.meter.sent = time.monotonic()
        limit = self.settings.first_byte_timeout
        self._phase = ("timeout", f"no answer within --first-byte-timeout {limit:g} s")
        self._deadline.reschedule(self._loop.time() + limit)

    def begin_body(self) -> None:
        """The first byte of the body came; from now on the pace decides."""
        self.meter.first_byte = time.monotonic()
        self._deadline.reschedule(None)

    def wait(self) -> None:
        """The next bytes are awaited."""
        now = self._loop.time()
        self.pace.wait(now)
        if self._timer is None:
            self._timer = self._loop.call_at(self.pace.check_at(now), self._check)

    def receive(self, size: int) -> None:
        """`size` bytes came."""
        self.meter.received += size
        self.pace.receive(size, self._loop.time())

    def _check(self) -> None:
        now = self._loop.time()
        complaint = self.pace.complaint(now)
        if complaint is None:
            self._timer = self._loop.call_at(self.pace.check_at(now), self._check)
        else:
            self._phase = ("stalled", f"stalled after {self.meter.received} bytes: {complaint}")
            self._deadline.reschedule(now)


def trace_exchanges() -> aiohttp.TraceConfig:
    """Have aiohttp tell each `Exchange`, given as `trace_request_ctx`, what it does.

    aiohttp may send a request twice on its own (aiohttp#10790): the signal per head sent is the only true count.
    """
    import aiohttp

    async def on_connected(_: object, context: SimpleNamespace, __: object) -> None:
        exchange_of(context).connected()

    async def on_reused(_: object, context: SimpleNamespace, __: object) -> None:
        exchange_of(context).is_reused = True
        exchange_of(context).connected()

    async def on_sent(_: object, context: SimpleNamespace, __: object) -> None:
        exchange_of(context).sent()

    def exchange_of(context: SimpleNamespace) -> Exchange:
        exchange = context.trace_request_ctx
        assert isinstance(exchange, Exchange)
        return exchange

    config = aiohttp.TraceConfig()
    config.on_connection_create_end.append(on_connected)
    config.on_connection_reuseconn.append(on_reused)
    config.on_request_headers_sent.append(on_sent)
    return config
