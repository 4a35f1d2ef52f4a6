"""The asyncio engine: one attempt over connections of our own, one body to storage.

What HTTP means is asked of `transfer`, how its bytes are read of `heads`, `chunks` and `reception`. A request costs a
fifth of what it costs with aiohttp, whose session stays as another engine: it knows proxies.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from dataclasses import replace
from functools import partial

from aioflags.engines.answers import result_of_bodiless, result_of_saved, result_of_unsaved, wanted_of
from aioflags.engines.dialer import Dialer
from aioflags.engines.express import Express, is_plain
from aioflags.engines.faults import causes_of, detail_of, failed, reason_of, translate_system_fault
from aioflags.engines.fetching import fetch_with
from aioflags.engines.heads import HeadWriter
from aioflags.engines.link import Link
from aioflags.engines.pool import Pool
from aioflags.engines.portions import Portions
from aioflags.engines.readiness import Readiness
from aioflags.engines.reception import Gear, LostError, Reception
from aioflags.engines.resolver import Resolver
from aioflags.engines.seam import Attempt, AttemptResult, Meter
from aioflags.engines.watchdog import Watchdog
from aioflags.errors import DownloadError
from aioflags.pace import ByteRate
from aioflags.ranges import range_headers
from aioflags.settings import Settings
from aioflags.storage import Saved, Storage, Stream
from aioflags.transfer import Accept

__all__ = ["AsyncioEngine"]

_LATE = frozenset({"timeout", "stalled"})


class AsyncioEngine:
    """Makes attempts on the running loop.

    Args:
        storage: Where bodies go.
        settings: Deadlines, limits and TLS; a proxy is not asked.
        ssl_context: See `aioflags.engines.tls`; `None` for the system's certificates.
    """

    capacity: int | None = None

    def __init__(self, storage: Storage, settings: Settings, ssl_context: ssl.SSLContext | None = None) -> None:
        self._storage = storage
        self._settings = settings
        self._resolver = Resolver()
        self._heads = HeadWriter()
        readiness = Readiness()
        byte_rate = None if settings.limit_rate is None else ByteRate(settings.limit_rate)
        self._gear = Gear(settings, readiness, Watchdog(), Pool(), Portions(), byte_rate)
        self._dialer = Dialer(readiness, self._resolver, ssl_context, insecure=settings.insecure)

    async def fetch(self, attempt: Attempt, meter: Meter) -> AttemptResult:
        """Make one attempt, see `aioflags.engines.seam.Engine`."""
        if meter.on_scheduled is not None:
            meter.scheduled(asyncio.current_task())
        express = self._begin_express(attempt, meter)
        if express is None:
            result = await fetch_with(self._storage, attempt, meter, self._request)
        else:
            result = await self._end_express(express, attempt, meter)
        if result.detail == "out of resources":
            # Open files are wanted for other things than waiting, on the disk, too.
            self._gear.pool.close()
        return result

    async def close(self) -> None:
        """Close the connections and end the threads."""
        self._gear.pool.close()
        self._gear.watchdog.close()
        self._gear.readiness.close()
        await self._resolver.close()

    def _begin_express(self, attempt: Attempt, meter: Meter) -> Express | None:
        """Send a request over a kept connection, if there is one and no more is to be done."""
        if self._gear.byte_rate is not None or not is_plain(attempt):
            return None
        try:
            request = self._heads.write(attempt.target, attempt.headers, is_last=False)
        except ValueError:
            return None
        key = (*attempt.target.origin, False)
        link = self._gear.pool.take(key)
        if link is None:
            return None
        express = Express(attempt, meter, self._gear, self._storage)
        express.begin(link, request, key)
        return express

    async def _end_express(self, express: Express, attempt: Attempt, meter: Meter) -> AttemptResult:
        try:
            end = await express.end
        except DownloadError as error:
            return result_of_unsaved(error, attempt, 200)
        except asyncio.CancelledError:
            await express.abandon()
            raise
        if isinstance(end, Reception):
            return await fetch_with(self._storage, attempt, meter, partial(self._go_on, end))
        assert express.accept is not None
        return result_of_saved(end, express.accept, 200)

    async def _go_on(self, reception: Reception, attempt: Attempt, stream: Stream, _: Meter) -> AttemptResult:
        return await self._conclude(attempt, stream, reception, is_reused=True)

    async def _request(self, attempt: Attempt, stream: Stream, meter: Meter) -> AttemptResult:
        host = attempt.target.host
        try:
            headers = {**attempt.headers, **range_headers(stream.head)} if stream.head else attempt.headers
            request = self._heads.write(attempt.target, headers, is_last=attempt.is_fresh)
        except ValueError as error:
            return replace(failed("protocol", f"the request cannot be sent: {error}", host), requests=0)
        key = (*attempt.target.origin, attempt.is_public_only)
        link = None if attempt.is_fresh else self._gear.pool.take(key)
        is_reused = link is not None
        if link is None:
            dialled = await self._dial(attempt)
            if isinstance(dialled, AttemptResult):
                return dialled
            link = dialled
        meter.connected = time.monotonic()
        reception = Reception(attempt, stream.head, meter, self._gear)
        reception.begin(link, request, None if attempt.is_fresh else key)
        return await self._conclude(attempt, stream, reception, is_reused=is_reused)

    async def _conclude(
        self, attempt: Attempt, stream: Stream, reception: Reception, *, is_reused: bool
    ) -> AttemptResult:
        try:
            return await self._receive(attempt, stream, reception)
        except LostError as error:
            reason = reason_of(list(causes_of(error.__cause__)))
            message = f"the connection was lost before the answer{reason}"
            return replace(failed("disconnected", message, attempt.target.host), is_stale=is_reused)
        finally:
            reception.leave()

    async def _dial(self, attempt: Attempt) -> Link | AttemptResult:
        host = attempt.target.host
        limit = self._settings.connect_timeout
        deadline = asyncio.timeout(limit)
        try:
            async with deadline:
                return await self._dialer.dial(attempt.target, is_public_only=attempt.is_public_only)
        except (OSError, ValueError) as error:
            if deadline.expired():
                return failed("timeout", f"no connection within --connect-timeout {limit:g} s", host)
            chain = list(causes_of(error))
            result = translate_system_fault(chain, host)
            if result is None:
                port = attempt.target.port
                text = f"cannot connect to port {port}{reason_of(chain)}"
                result = failed("connect", text, host, detail=detail_of(chain))
            return result

    async def _receive(self, attempt: Attempt, stream: Stream, reception: Reception) -> AttemptResult:
        try:
            chunks = await reception.read()
            head, verdict = reception.head, reception.verdict
            assert head is not None
            assert verdict is not None
            if not isinstance(verdict, Accept):
                is_private = self._resolver.is_private(attempt.target.host)
                return result_of_bodiless(verdict, head.status, head.fields, is_private=is_private)
            wanted = wanted_of(attempt, verdict)
            stream.accept(wanted, verdict.start)
            if reception.ending is not None and not verdict.start:
                reception.judge()
                reception.meter.received_whole()
                saved = await self._storage.save(wanted, chunks)
            else:
                saved = await _stream(stream, chunks, reception)
        except DownloadError as error:
            if not isinstance(reception.verdict, Accept) or error.kind in _LATE:
                return AttemptResult(error=error)
            assert reception.head is not None
            return result_of_unsaved(error, attempt, reception.head.status, reception.verdict.start)
        return result_of_saved(saved, verdict, head.status)


async def _stream(stream: Stream, chunks: list[bytes | memoryview], reception: Reception) -> Saved:
    await stream.write(chunks)
    while reception.ending is None:
        await stream.write(await reception.read())
    reception.judge()
    return await stream.finish()
