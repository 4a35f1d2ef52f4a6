"""Watches attempts for a tracer: holds their futures until they are done, and gives tasks a slot to be named after."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time

from aioflags.engines.seam import Meter
from aioflags.errors import DownloadError
from aioflags.items import Outcome
from aioflags.pursuit import Again
from aioflags.trace import Attempted, Finished, Scheduled, Tracer

__all__ = ["Watch", "Watched"]


class Watch:
    """Tells a tracer about the attempts of a job.

    Args:
        tracer: Who is told.
    """

    def __init__(self, tracer: Tracer) -> None:
        self.tracer = tracer
        self._free_slots: list[int] = []
        self._new_slots = itertools.count(1)

    def begin(self, url: str, name: str, attempt: int, queued: float) -> Watched:
        """Watch an attempt that is about to start, see `aioflags.trace.Attempted` for the arguments."""
        return Watched(self, url, name, attempt, queued)

    def finished(self, url: str, name: str | None, outcome: Outcome) -> None:
        """Tell of an outcome."""
        self.tracer.finished(Finished(url, name, outcome))

    def take_slot(self) -> int:
        """Give the lowest number that no other attempt in flight has."""
        return heapq.heappop(self._free_slots) if self._free_slots else next(self._new_slots)

    def free_slot(self, slot: int) -> None:
        """Take a number back."""
        heapq.heappush(self._free_slots, slot)


class Watched:
    """One attempt that is watched; `meter` is to be given to the engine, `error` to be set when it has failed."""

    __slots__ = (
        "_attempt",
        "_ended",
        "_future",
        "_name",
        "_queued",
        "_slot",
        "_started",
        "_url",
        "_watch",
        "error",
        "meter",
    )

    def __init__(self, watch: Watch, url: str, name: str, attempt: int, queued: float) -> None:
        self._watch = watch
        self._url = url
        self._name = name
        self._attempt = attempt
        self._queued = queued
        self._started = time.monotonic()
        self._slot = watch.take_slot()
        self._future: object = None
        self._ended: float | None = None
        self.error: DownloadError | None = None
        self.meter = Meter(self._on_scheduled)

    def leave(self) -> float:
        """Note that the engine is through with the attempt, so that another may have its slot; gives when that was."""
        if self._ended is None:
            self._ended = time.monotonic()
            self._watch.free_slot(self._slot)
        return self._ended

    def end(self, task: asyncio.Task[Outcome | Again]) -> None:
        """Tell that the attempt has ended, and its outcome if that was the last one; called when `task` is done."""
        ended = self.leave()
        if self._future is not None:
            self._watch.tracer.attempted(self._attempted(ended))
        # An exception is a bug and ends the job; it is not for us to tell.
        outcome = None if task.cancelled() or task.exception() else task.result()
        if isinstance(outcome, Outcome):
            self._watch.finished(self._url, self._name, outcome)

    def _on_scheduled(self, future: object) -> None:
        self._future = future
        self._watch.tracer.scheduled(Scheduled(self._url, self._name, self._attempt, future))

    def _attempted(self, ended: float) -> Attempted:
        meter = self.meter
        return Attempted(
            url=self._url,
            name=self._name,
            attempt=self._attempt,
            future=self._future,
            worker=meter.worker or f"task {self._slot}",
            queued=self._queued,
            started=self._started if meter.started is None else meter.started,
            connected=meter.connected,
            sent=meter.sent,
            first_byte=meter.first_byte,
            last_byte=meter.last_byte,
            # A worker may be at its next attempt before the loop hears of the last one.
            ended=ended if meter.ended is None else meter.ended,
            received=meter.received,
            error=self.error,
        )
