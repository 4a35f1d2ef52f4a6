"""The dispatcher: starts the attempt that the schedule names, and puts the item back or delivers its outcome.

The semaphore is taken before the task exists, so memory is in proportion to the concurrency and not to the list.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Callable
from functools import partial

from aioflags.engines.seam import AttemptResult, Engine, Meter
from aioflags.errors import DownloadError
from aioflags.health import Health
from aioflags.items import Outcome
from aioflags.jobs import Job, Running, Waiting
from aioflags.lessons import NOTHING
from aioflags.pursuit import Again
from aioflags.redact import redact_url
from aioflags.schedule import Feedback, Lane, Schedule
from aioflags.settings import Settings
from aioflags.trace import Tracer
from aioflags.watch import Watch

__all__ = ["Dispatcher"]


class Dispatcher:
    """Runs jobs through an engine, as many at a time as the settings allow.

    Args:
        settings: Limits.
        engine: Makes the attempts.
        on_idle: Called when more could be started, but nothing that is waiting may start now.
        on_fault: Called once when the destination itself has failed; nothing new is started from then on.
        on_pause: Told of a host that asks to be left alone, for how many seconds, and why; `None` for nobody.
        tracer: Told what happens, `None` for nobody.
    """

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        *,
        on_idle: Callable[[], None],
        on_fault: Callable[[DownloadError], None],
        on_pause: Callable[[str, float, str], None] | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._on_idle = on_idle
        self._on_fault = on_fault
        self._watch = None if tracer is None else Watch(tracer)
        self._loop = asyncio.get_running_loop()
        self._schedule: Schedule[Job] = Schedule(
            concurrency=settings.concurrency, per_host=settings.per_host, rate=settings.rate
        )
        self._health = Health(settings, self._schedule, on_pause)
        self._slots = asyncio.Semaphore(settings.concurrency)
        # Jobs without a slot, whose bytes are with the disk: as many as there are slots, that memory has a limit.
        self._released = 0
        self._changed = asyncio.Event()
        self._is_stopped = False
        self._has_failed = False
        self.in_flight: set[Job] = set()

    def __repr__(self) -> str:
        return f"Dispatcher({self._schedule!r})"

    @property
    def capacity(self) -> int:
        """How many jobs it can have at work at a time."""
        return self._settings.concurrency

    @property
    def halted_by(self) -> DownloadError | None:
        """The fault of the way out, no item's own, that lets nothing more be started; `None` if there is none."""
        return self._health.uplink.halted_by

    async def run(self) -> None:
        """Start attempts for ever; ends by cancellation, which cancels them.

        Raises:
            ExceptionGroup: A bug in an engine.
        """
        async with asyncio.TaskGroup() as group:
            while True:
                await self._slots.acquire()
                job = await self._next()
                job.started = self._loop.time()
                if job.began is None:
                    job.began = job.started
                self._start(job, group)
                self.in_flight.add(job)

    def _start(self, job: Job, group: asyncio.TaskGroup) -> None:
        job.tries += 1
        job.lesson, job.error = NOTHING, None
        if self._health.uplink.waits_for:
            job.is_probe = True
            self._health.uplink.begin_probe()
        if self._watch is None:
            job.meter = Meter()
            job.meter.on_received = partial(self._release, job)
            task = group.create_task(self._attempt(job))
        else:
            job.watched = self._watch.begin(job.pursuit.url, job.pursuit.name, job.tries, job.queued)
            job.meter = job.watched.meter
            job.meter.on_received = partial(self._release, job)
            task = group.create_task(self._attempt(job))
            task.add_done_callback(job.watched.end)
        job.task = task
        # No `finally` in the task: one that is cancelled before its first step never comes to it.
        task.add_done_callback(partial(self._end, job))

    async def _next(self) -> Job:
        while True:
            now = self._loop.time()
            opens_at = self._health.uplink.opens_at()
            job = self._schedule.take(now) if opens_at <= now else None
            if job is not None:
                return job
            self._changed.clear()
            self._on_idle()
            wake_at = self._schedule.wake_at() if opens_at <= now else opens_at
            timer = None if wake_at in {None, math.inf} else self._loop.call_at(wake_at, self._changed.set)
            try:
                await self._changed.wait()
            finally:
                if timer is not None:
                    timer.cancel()

    def add(self, job: Job) -> None:
        """Put a job in the queue of its host, or fail it at once where there is no hope."""
        if self._is_stopped:
            job.abandon()
            return
        self._put(job, self._loop.time())

    def _put(self, job: Job, now: float, *, not_before: float | None = None, first: bool = False) -> None:
        if self._fail_if_hopeless(job, now):
            return
        self._schedule.add(job, job.host, job.lane, not_before=not_before, first=first)
        self._health.admit(job.host)
        self._changed.set()

    def renew(self) -> None:
        """Let a way out that halted a run be tried again: another one begins."""
        self._health.uplink.renew()

    def pause(self, host: str, seconds: float, why: str) -> None:
        """Leave a host alone for so many seconds; `why` is for those who look at it."""
        self._schedule.pause(host, self._loop.time() + seconds, why)

    def hold(self, lane: Lane) -> None:
        """Start nothing of `lane` until `release`."""
        self._schedule.close(lane)

    def release(self, lane: Lane) -> None:
        """Let `lane` go on."""
        self._schedule.open(lane)
        self._changed.set()

    def stop(self) -> None:
        """Start nothing new; what waits is abandoned, what is in flight goes on."""
        self._is_stopped = True
        for lane in self._schedule.lanes():
            self.drop(lane)

    def drop(self, lane: Lane) -> None:
        """Abandon the jobs of `lane` that wait."""
        for job in self._schedule.drop(lane):
            job.abandon()

    def cancel(self, lane: Lane) -> set[asyncio.Task[Outcome | Again]]:
        """Cancel all jobs of `lane`; returns the tasks that are still ending."""
        self.drop(lane)
        tasks = set()
        for job in self.in_flight:
            if job.lane is lane and job.task is not None:
                job.is_cancelled = True
                job.task.cancel()
                tasks.add(job.task)
        return tasks

    def running(self) -> list[Running]:
        """Tell what is in flight now."""
        return [
            Running(
                url=redact_url(job.pursuit.url),
                path=job.pursuit.name,
                host=job.host,
                started=job.started,
                received=job.meter.received,
                total=job.meter.total,
            )
            for job in self.in_flight
        ]

    def waiting(self) -> Waiting:
        """Tell what is waited for now."""
        uplink = self._health.uplink
        is_resting = uplink.waits_for and not uplink.is_probing
        return Waiting(
            way=uplink.waits_for,
            probe_at=uplink.opens_at() if is_resting else None,
            is_in_vain=uplink.is_spent,
            paused=tuple(self._schedule.pauses(self._loop.time())),
            given_up=tuple(self._health.breaker.all_given_up()),
            retry=self._schedule.next_delayed(),
        )

    async def _attempt(self, job: Job) -> Outcome | Again:
        result = await self._engine.fetch(job.pursuit.next_attempt(), job.meter)
        if job.watched is not None:
            job.watched.error = result.error
        now = self._loop.time()
        jitter = random.random()  # noqa: S311 - no secret
        is_charged = self._health.learn(job, result, jitter=jitter, now=now)
        end = job.pursuit.conclude(result, jitter=jitter, elapsed=self._elapsed(job, now), is_charged=is_charged)
        self._heed_disk(result, is_final=isinstance(end, Outcome))
        return end

    def _elapsed(self, job: Job, now: float) -> float:
        return 0.0 if job.began is None else now - job.began

    def _release(self, job: Job) -> None:
        """Give the slot of a job to another while the disk writes what has come: nobody waits for both in turn."""
        is_plain = not (job.is_probe or job.is_released or self._health.breaker.is_doubtful(job.host))
        if is_plain and self._released < self._settings.concurrency:
            job.is_released = True
            self._released += 1
            self._schedule.release(job.host, self._loop.time())
            self._slots.release()
            self._changed.set()

    def _end(self, job: Job, task: asyncio.Task[Outcome | Again]) -> None:
        """Take an attempt that has ended off the books, and act on what came of it."""
        self.in_flight.discard(job)
        self._has_failed |= not task.cancelled() and task.exception() is not None
        if self._has_failed:
            # A bug ends the run, and whoever waits is told by its end: no job may look as if it were through.
            return
        # A circle of references would wait for the collector.
        job.meter.on_received = None
        was_released, job.is_released = job.is_released, False
        if was_released:
            self._released -= 1
        else:
            self._slots.release()
        if job.is_probe:
            job.is_probe = False
            self._health.uplink.end_probe()
        now = self._loop.time()
        self._schedule.finish(
            job.host, job.lane, job.lesson.feedback, started=job.started, now=now, is_released=was_released
        )
        self._changed.set()
        # An attempt can end at the moment in which it is cancelled; the next one must not begin.
        is_over = task.cancelled() or job.is_cancelled
        outcome = None if is_over else task.result()
        host = job.host
        self._health.note_end(job, is_lost=isinstance(outcome, Outcome), now=now)
        self._settle(job, outcome, now)
        for waiting in self._health.review(host, job.error, now):
            self._fail_if_hopeless(waiting, now)

    def _heed_disk(self, result: AttemptResult, *, is_final: bool) -> None:
        """End the run if the destination has failed; a disk that lost an item twice is no better for the others."""
        is_fault = result.detail == "destination" or (result.detail == "lost bytes" and is_final)
        if result.error is not None and is_fault and not self._is_stopped:
            self._on_fault(result.error)
            self.stop()

    def _settle(self, job: Job, outcome: Outcome | Again | None, now: float) -> None:
        if isinstance(outcome, Outcome):
            job.deliver(outcome)
        elif outcome is None or self._is_stopped:
            job.abandon()
        else:
            job.host = job.pursuit.host
            job.queued = time.monotonic()
            not_before = now + outcome.delay if outcome.delay else None
            # What began is ended first; but a host that refuses is asked for another item, or one would bear it all,
            # and the next probe goes elsewhere.
            is_first = job.lesson.feedback not in {Feedback.REFUSED, Feedback.BLAMELESS}
            self._put(job, now, not_before=not_before, first=is_first)

    def _fail_if_hopeless(self, job: Job, now: float) -> bool:
        """Fail a job without a request if its host is given up or the run is halted."""
        error = self._health.verdict(job.host, now)
        if error is None:
            return False
        outcome = job.pursuit.fail(error, self._elapsed(job, now))
        if self._watch is not None:
            self._watch.finished(job.pursuit.url, job.pursuit.name, outcome)
        job.deliver(outcome)
        return True
