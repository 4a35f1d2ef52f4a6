"""How hosts and the way out of this machine are, from attempt to attempt, and what that means for jobs that wait."""

from __future__ import annotations

import random
from collections.abc import Callable

from aioflags.breaker import Breaker
from aioflags.engines.seam import AttemptResult
from aioflags.errors import DownloadError
from aioflags.jobs import Job
from aioflags.lessons import BLAMELESS, lesson_of
from aioflags.retry import backoff
from aioflags.schedule import Feedback, Schedule
from aioflags.settings import Settings
from aioflags.uplink import Uplink

__all__ = ["Health"]

# Seconds; the windows and backoffs of items go on slowing a host that still refuses.
_LONGEST_SPARING = 8.0


class Health:
    """Learns from attempts; has hosts in trouble left alone, tried with one job, or given up.

    Args:
        settings: Limits.
        schedule: Where jobs wait.
        on_pause: Told of a host that asks to be left alone, for how many seconds, and why; `None` for nobody.
    """

    def __init__(
        self, settings: Settings, schedule: Schedule[Job], on_pause: Callable[[str, float, str], None] | None
    ) -> None:
        self._settings = settings
        self._schedule = schedule
        self._on_pause = on_pause
        self.breaker = Breaker()
        self.uplink = Uplink(retries=settings.retries)

    def learn(self, job: Job, result: AttemptResult, *, jitter: float, now: float) -> bool:
        """Learn from how an attempt has ended, before it is known what that means for its item.

        Args:
            job: That of the attempt; gets its lesson.
            result: How it ended.
            jitter: A number from 0 to 1 for the time to the next attempt at a proxy, drawn by the caller.
            now: Seconds on the clock of the schedule.

        Returns:
            Whether a failure is that of the item or its host: it is to be charged for it.
        """
        via_proxy = self._settings.proxy is not None
        was_sent = job.meter.sent is not None
        lesson = lesson_of(result, host=job.pursuit.hostname, was_sent=was_sent, via_proxy=via_proxy)
        if 0 < lesson.pause <= self._settings.max_wait:
            self._leave_alone(job.host, lesson.pause, result.http_status, now)
        is_blameless = self.uplink.note(
            lesson.finding, job.host, result.error, is_probe=job.is_probe, jitter=jitter, now=now
        )
        job.lesson = BLAMELESS if is_blameless else lesson
        job.error = result.error
        return not is_blameless

    def _leave_alone(self, host: str, seconds: float, http_status: int | None, now: float) -> None:
        why = f"status {http_status} with Retry-After"
        self._schedule.pause(host, now + seconds, why)
        if self._on_pause is not None:
            self._on_pause(host, seconds, why)

    def note_end(self, job: Job, *, is_lost: bool, now: float) -> None:
        """Take note of the end of an attempt that the schedule has finished; `is_lost`: its job has no other."""
        self._spare(job, now)
        self.breaker.note(job.host, job.lesson.sign, job.error, is_lost=is_lost, now=now)

    def _spare(self, job: Job, now: float) -> None:
        """Leave a host alone that refuses again and again, although it does not say for how long.

        That spares the tries of the items that wait; where they have none, nobody gains by waiting.
        """
        if job.lesson.feedback is not Feedback.REFUSED or not self._settings.retries:
            return
        setbacks = self._schedule.setbacks(job.host)
        if setbacks > 1:
            pause = backoff(setbacks, 0.5 + random.random() / 2)  # noqa: S311 - no secret
            self._schedule.pause(job.host, now + min(pause, _LONGEST_SPARING), "it refuses requests")

    def review(self, host: str, error: DownloadError | None, now: float) -> list[Job]:
        """Hold a host in trouble back, give it up, or let it go, after an attempt there that failed with `error`.

        Returns:
            Jobs that wait no more, because there is no hope for them.
        """
        if not self.breaker.is_doubtful(host):
            self._schedule.let_go(host)
        else:
            self._schedule.hold(host)
        if error is not None:
            self.breaker.review(host, error, is_quiet=self._schedule.is_quiet(host), now=now)
        hopeless: list[Job] = []
        if self.breaker.given_up(host, now) is not None:
            hopeless += self._schedule.drop_host(host)
        if self.uplink.halted_by is not None:
            for lane in self._schedule.lanes():
                hopeless += self._schedule.drop(lane)
        return hopeless

    def verdict(self, host: str, now: float) -> DownloadError | None:
        """Give the error with which jobs fail without a request: their host is given up, or the run is halted."""
        if self.uplink.halted_by is not None:
            return self.uplink.halted_by
        given_up = self.breaker.given_up(host, now)
        return None if given_up is None else given_up.error_for_item()

    def admit(self, host: str) -> None:
        """A job waits for a host now: in doubt, only one is tried there at a time."""
        if self.breaker.is_doubtful(host):
            self._schedule.hold(host)
