"""The engine on threads, and with one thread the sequential one: the blocking driver on a `ThreadPoolExecutor`."""

from __future__ import annotations

import asyncio
import ssl
import threading
import time

from aioflags.engines.blocking_body import SharedByteRate
from aioflags.engines.blocking_driver import BlockingDriver
from aioflags.engines.blocking_names import BlockingNames
from aioflags.engines.guard import AbandonedError, Guard
from aioflags.engines.seam import Attempt, AttemptResult, Meter
from aioflags.groups import shut_down, wait_out
from aioflags.settings import Settings
from aioflags.threads import Threads
from aioflags.writer import Writer

__all__ = ["ThreadsEngine"]


class ThreadsEngine:
    """Makes attempts in threads; each keeps connections of its own and reuses them.

    Args:
        writer: Where bodies go.
        settings: Deadlines, limits, proxy.
        ssl_context: For https.
        workers: How many threads; with one, attempts are made one after the other, the honest baseline.
    """

    def __init__(self, writer: Writer, settings: Settings, ssl_context: ssl.SSLContext, *, workers: int) -> None:
        self.capacity: int | None = workers
        self._settings = settings
        self._ssl_context = ssl_context
        self._writer = writer
        self._byte_rate = None if settings.limit_rate is None else SharedByteRate(settings.limit_rate)
        self._executor = Threads(workers, thread_name_prefix="aioflags-worker")
        self._names = BlockingNames()
        self._local = threading.local()
        self._drivers: list[BlockingDriver] = []

    async def fetch(self, attempt: Attempt, meter: Meter) -> AttemptResult:
        """Make one attempt, see `aioflags.engines.seam.Engine`."""
        abandoned = threading.Event()
        guard = Guard(self._settings, meter, attempt.target.host, abandoned.is_set)
        future = self._executor.submit(self._work, attempt, guard)
        meter.scheduled(future)
        try:
            # A cancelled wrapper would report its thread as done while that goes on.
            return await asyncio.shield(asyncio.wrap_future(future))
        except asyncio.CancelledError:
            abandoned.set()
            if not future.cancel():
                await wait_out(asyncio.wrap_future(future))
            raise

    async def close(self) -> None:
        """End the threads and close their connections."""
        await shut_down(self._executor)
        for driver in self._drivers:
            driver.close()

    def _work(self, attempt: Attempt, guard: Guard) -> AttemptResult:
        guard.meter.worker = threading.current_thread().name
        guard.meter.started = time.monotonic()
        try:
            return self._driver().fetch(attempt, guard)
        except AbandonedError:
            # Only a cancelled caller abandons, and that one looks at no result.
            return AttemptResult()
        finally:
            guard.meter.ended = time.monotonic()

    def _driver(self) -> BlockingDriver:
        driver: BlockingDriver | None = getattr(self._local, "driver", None)
        if driver is None:
            driver = BlockingDriver(self._writer, self._settings, self._ssl_context, self._names, self._byte_rate)
            self._local.driver = driver
            self._drivers.append(driver)
        return driver
