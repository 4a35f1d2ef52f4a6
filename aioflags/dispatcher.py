"""The dispatcher: starts the attempt that the schedule names, and puts the item back or delivers its outcome.

The semaphore is taken before the task exists, so memory is in proportion to the concurrency and not to the list.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from aioflags.breaker import Breaker, Sign
from aioflags.engines.seam import AttemptResult, Engine, Meter
from aioflags.errors import DownloadError
from aioflags.items import Outcome
from aioflags.pursuit import Again, Pursuit, feedback_of, pause_of, sign_of
from aioflags.redact import redact_url
from aioflags.retry import backoff
from aioflags.schedule import Feedback, Lane, Schedule
from aioflags.settings import Settings
from aioflags.trace import Tracer
from aioflags.watch import Watch, Watched

__all__ = ["Dispatcher", "Job", "Running"]


# Seconds; the windows and backoffs of items go on slowing a host that still refuses.
_LONGEST_SPARING = 8.0


@dataclass(frozen=True, slots=True)
class Running:
    """One attempt in flight, for a display.

    Args:
        url: Redacted.
        path: Final name, relative to the destination.
        host: Host, and port where it is not the default.
        started: Seconds on the clock of the loop.
        received: Bytes of the body so far.
        total: Bytes announced, `None` if unknown.
    """

    url: str
    path: str
    host: str
    started: float
    received: int
    total: int | None


class Job:
    """One item between its claim and its outcome.

    Args:
        pursuit: What to try.
        lane: The stream that it belongs to.
        deliver: Called once with the outcome.
        abandon: Called instead if the item ends without one, because the job was stopped.
    """

    __slots__ = (
        "abandon",
        "began",
        "deliver",
        "error",
        "feedback",
        "host",
        "is_cancelled",
        "lane",
        "meter",
        "pursuit",
        "queued",
        "sign",
        "started",
        "task",
        "tries",
        "watched",
    )

    def __init__(
        self,
        pursuit: Pursuit,
        lane: Lane,
        deliver: Callable[[Outcome], None],
        abandon: Callable[[], None],
    ) -> None:
        self.pursuit = pursuit
        self.lane = lane
        self.deliver = deliver
        self.abandon = abandon
        self.host = pursuit.host
        self.meter = Meter()
        self.watched: Watched | None = None
        self.task: asyncio.Task[Outcome | Again] | None = None
        self.feedback = Feedback.NEUTRAL
        self.sign = Sign.NOTHING
        self.error: DownloadError | None = None
        self.is_cancelled = False
        self.tries = 0
        self.queued = time.monotonic()
        self.began: float | None = None
        self.started = 0.0


class Dispatcher:
    """Runs jobs through an engine, as many at a time as the settings allow.

    Args:
        settings: Limits.
        engine: Makes the attempts.
        on_idle: Called when more could be started, but nothing that is waiting may start now.
        on_fault: Called once when the destination itself has failed; nothing new is started from then on.
        tracer: Told what happens, `None` for nobody.
    """

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        *,
        on_idle: Callable[[], None],
        on_fault: Callable[[DownloadError], None],
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
        self._breaker = Breaker()
        self._slots = asyncio.Semaphore(settings.concurrency)
        self._changed = asyncio.Event()
        self._is_stopped = False
        self._has_failed = False
        self.in_flight: set[Job] = set()

    def __repr__(self) -> str:
        return f"Dispatcher({self._schedule!r})"

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
        job.feedback, job.sign, job.error = Feedback.NEUTRAL, Sign.NOTHING, None
        if self._watch is None:
            job.meter = Meter()
            task = group.create_task(self._attempt(job))
        else:
            job.watched = self._watch.begin(job.pursuit.url, job.pursuit.name, job.tries, job.queued)
            job.meter = job.watched.meter
            task = group.create_task(self._attempt(job))
            task.add_done_callback(job.watched.end)
        job.task = task
        # No `finally` in the task: one that is cancelled before its first step never comes to it.
        task.add_done_callback(partial(self._end, job))

    async def _next(self) -> Job:
        while True:
            job = self._schedule.take(self._loop.time())
            if job is not None:
                return job
            self._changed.clear()
            self._on_idle()
            wake_at = self._schedule.wake_at()
            timer = None if wake_at is None else self._loop.call_at(wake_at, self._changed.set)
            try:
                await self._changed.wait()
            finally:
                if timer is not None:
                    timer.cancel()

    def add(self, job: Job) -> None:
        """Put a job in the queue of its host."""
        if self._is_stopped:
            job.abandon()
            return
        self._put(job, self._loop.time())

    def _put(self, job: Job, now: float, *, not_before: float | None = None, first: bool = False) -> None:
        """Have a job wait for its turn, unless its host is given up."""
        if self._fail_if_given_up(job, now):
            return
        self._schedule.add(job, job.host, job.lane, not_before=not_before, first=first)
        if self._breaker.is_doubtful(job.host):
            self._schedule.hold(job.host)
        self._changed.set()

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

    async def _attempt(self, job: Job) -> Outcome | Again:
        result = await self._engine.fetch(job.pursuit.next_attempt(), job.meter)
        if job.watched is not None:
            job.watched.error = result.error
        job.feedback = feedback_of(result)
        job.sign = sign_of(result, was_sent=job.meter.sent is not None)
        job.error = result.error
        self._heed(job, result)
        jitter = random.random()  # noqa: S311 - no secret
        return job.pursuit.conclude(result, jitter=jitter, elapsed=self._elapsed(job, self._loop.time()))

    def _elapsed(self, job: Job, now: float) -> float:
        return 0.0 if job.began is None else now - job.began

    def _end(self, job: Job, task: asyncio.Task[Outcome | Again]) -> None:
        """Take an attempt that has ended off the books, and act on what came of it."""
        self.in_flight.discard(job)
        self._has_failed |= not task.cancelled() and task.exception() is not None
        if self._has_failed:
            # A bug ends the run, and whoever waits is told by its end: no job may look as if it were through.
            return
        self._slots.release()
        now = self._loop.time()
        self._schedule.finish(job.host, job.lane, job.feedback, started=job.started, now=now)
        self._spare(job, now)
        self._changed.set()
        # An attempt can end at the moment in which it is cancelled; the next one must not begin.
        is_over = task.cancelled() or job.is_cancelled
        outcome = None if is_over else task.result()
        host = job.host
        self._breaker.note(host, job.sign, job.error, is_lost=isinstance(outcome, Outcome), now=now)
        self._settle(job, outcome, now)
        self._review(host, job.error, now)

    def _heed(self, job: Job, result: AttemptResult) -> None:
        """Act on what an attempt says about its host and about the destination."""
        pause = pause_of(result)
        if 0 < pause <= self._settings.max_wait:
            self._schedule.pause(job.host, self._loop.time() + pause)
        if result.error is not None and result.detail == "destination" and not self._is_stopped:
            self._on_fault(result.error)
            self.stop()

    def _spare(self, job: Job, now: float) -> None:
        """Leave a host alone that refuses again and again, although it does not say for how long."""
        setbacks = self._schedule.setbacks(job.host)
        if job.feedback is Feedback.REFUSED and setbacks > 1:
            pause = backoff(setbacks, 0.5 + random.random() / 2)  # noqa: S311 - no secret
            self._schedule.pause(job.host, now + min(pause, _LONGEST_SPARING))

    def _settle(self, job: Job, outcome: Outcome | Again | None, now: float) -> None:
        if isinstance(outcome, Outcome):
            job.deliver(outcome)
        elif outcome is None or self._is_stopped:
            job.abandon()
        else:
            job.host = job.pursuit.host
            job.queued = time.monotonic()
            not_before = now + outcome.delay if outcome.delay else None
            # What began is ended first; but a host that refuses is asked for another item, or one would bear it all.
            is_first = job.feedback is not Feedback.REFUSED
            self._put(job, now, not_before=not_before, first=is_first)

    def _review(self, host: str, error: DownloadError | None, now: float) -> None:
        """Hold a host in trouble back, give it up, or let it go."""
        if not self._breaker.is_doubtful(host):
            self._schedule.let_go(host)
        else:
            self._schedule.hold(host)
        if error is not None:
            self._breaker.review(host, error, is_quiet=self._schedule.is_quiet(host), now=now)
        if self._breaker.given_up(host, now) is not None:
            for job in self._schedule.drop_host(host):
                self._fail_if_given_up(job, now)

    def _fail_if_given_up(self, job: Job, now: float) -> bool:
        given_up = self._breaker.given_up(job.host, now)
        if given_up is None:
            return False
        self._conclude(job, job.pursuit.fail(given_up.error_for_item(), self._elapsed(job, now)))
        return True

    def _conclude(self, job: Job, outcome: Outcome) -> None:
        """Deliver an outcome that comes of no attempt."""
        if self._watch is not None:
            self._watch.finished(job.pursuit.url, job.pursuit.name, outcome)
        job.deliver(outcome)
