"""What attempts say about hosts and the way out, and what that means for jobs that wait there."""

from __future__ import annotations

from typing import Any

import pytest

from aioflags.chain import JobHeaders
from aioflags.engines.seam import AttemptResult, Meter
from aioflags.errors import make_error
from aioflags.health import Health
from aioflags.items import Item
from aioflags.jobs import Job
from aioflags.lessons import BLAMELESS
from aioflags.pursuit import Pursuit
from aioflags.register import Claim
from aioflags.schedule import Lane, Schedule
from aioflags.settings import Settings
from aioflags.urls import parse_url

NOW = 1000.0
BUSY = AttemptResult(make_error("http", "status 503", "h"), http_status=503)
DEAD = AttemptResult(make_error("connect", "refused", "h"), detail="refused")
NO_ROUTE = AttemptResult(make_error("connect", "no route", "h"), detail="no route")
WELL = AttemptResult(http_status=200)


class Ward:
    """A schedule, and how its hosts are."""

    def __init__(self, **options: Any) -> None:
        self.settings = Settings(**options)
        self.lane = Lane()
        self.paused: list[tuple[str, float, str]] = []
        self.schedule: Schedule[Job] = Schedule(concurrency=64, per_host=16, rate=None)
        self.health = Health(self.settings, self.schedule, lambda *told: self.paused.append(told))

    def job(self, url: str = "http://h/a") -> Job:
        """Make a job that waits nowhere."""
        claim = Claim(Item(url), parse_url(url), "a")
        job = Job(Pursuit(claim, self.settings, JobHeaders({}, {}), {}), self.lane, _ignore, _ignore)
        job.meter = Meter()
        return job

    def add(self, url: str = "http://h/a") -> Job:
        """Have a job wait."""
        job = self.job(url)
        self.schedule.add(job, job.host, self.lane)
        return job

    def attempt(
        self, result: AttemptResult, *, url: str = "http://h/a", now: float = NOW, is_lost: bool = False
    ) -> Job:
        """Make an attempt that ends so at once."""
        self.add(url)
        job = self.schedule.take(now)
        assert job is not None
        self.health.learn(job, result, jitter=1.0, now=now)
        self.schedule.finish(job.host, self.lane, job.lesson.feedback, started=now, now=now)
        self.health.note_end(job, is_lost=is_lost, now=now)
        return job


def _ignore(*_: object) -> None:
    return


def learn(ward: Ward, result: AttemptResult, **details: Any) -> bool:
    return ward.health.learn(ward.job(**details), result, jitter=1.0, now=NOW)


def asked_to_wait(seconds: float) -> AttemptResult:
    return AttemptResult(make_error("http", "status 503", "h"), http_status=503, retry_after=seconds)


def test_host_that_asks_for_it_is_left_alone_and_others_are_told() -> None:
    """For as long as it says."""
    ward = Ward()
    ward.add()
    assert learn(ward, asked_to_wait(7.0))
    assert ward.schedule.take(NOW + 6.9) is None
    assert ward.schedule.take(NOW + 7.0) is not None
    assert ward.paused == [("h", 7.0, "status 503 with Retry-After")]


@pytest.mark.parametrize("seconds", [0.0, 301.0])
def test_host_is_not_left_alone_for_no_time_or_for_too_long(seconds: float) -> None:
    """What is longer than the user waits fails the item, and not its host."""
    ward = Ward(max_wait=300)
    ward.add()
    learn(ward, asked_to_wait(seconds))
    assert ward.schedule.take(NOW) is not None
    assert ward.paused == []


@pytest.mark.parametrize(("retries", "is_spared"), [(4, True), (0, False)])
def test_host_that_refuses_again_is_spared_if_there_are_other_tries(retries: int, is_spared: bool) -> None:
    """It did not say for how long; one refusal alone is no reason."""
    ward = Ward(retries=retries)
    ward.attempt(BUSY)
    ward.add()
    assert not ward.schedule.pauses(NOW)
    ward.attempt(BUSY, now=NOW + 1)
    assert bool(ward.schedule.pauses(NOW + 1)) is is_spared


def test_failure_of_the_way_out_is_charged_to_nobody() -> None:
    """Three in a row say that the network is away; from then on neither item nor host is to blame."""
    ward = Ward()
    learn(ward, WELL, url="http://example.org/a")
    assert [learn(ward, NO_ROUTE, url="http://example.org/a") for _ in range(4)] == [True, True, True, False]
    job = ward.job("http://example.org/a")
    ward.health.learn(job, NO_ROUTE, jitter=1.0, now=NOW)
    assert job.lesson is BLAMELESS
    assert job.error is NO_ROUTE.error


def test_host_with_which_nothing_goes_well_is_given_up_with_all_that_waits() -> None:
    """Jobs of another host wait on."""
    ward = Ward()
    for second in range(20):
        ward.attempt(DEAD, now=NOW + second, is_lost=True)
    mine, other = ward.add(), ward.add("http://other/a")
    assert ward.health.verdict("h", NOW + 20) is None
    assert ward.health.review("h", DEAD.error, NOW + 20) == [mine]
    error = ward.health.verdict("h", NOW + 20)
    assert error is not None
    assert "given up" in error.message
    assert ward.health.verdict("other", NOW + 20) is None
    assert ward.schedule.take(NOW + 20) is other


def test_run_that_is_halted_lets_nothing_wait() -> None:
    """A proxy that refuses us refuses every item."""
    ward = Ward(proxy="http://proxy:3128")
    jobs = [ward.add(), ward.add("http://other/a")]
    refused = AttemptResult(make_error("http", "status 407", "h"), http_status=407)
    learn(ward, refused)
    assert ward.health.review("h", refused.error, NOW) == jobs
    error = ward.health.verdict("another", NOW)
    assert error is not None
    assert "the run was stopped" in error.message


def test_what_waits_already_is_held_back_when_its_host_is_in_doubt() -> None:
    """One of it is tried; the others wait for how that ends."""
    ward = Ward()
    for _ in range(20):
        job = ward.attempt(DEAD)
    ward.add()
    ward.add()
    assert ward.health.review("h", job.error, NOW) == []
    assert ward.schedule.take(NOW) is not None
    assert ward.schedule.take(NOW) is None


def test_one_job_at_a_time_is_tried_at_a_host_in_doubt() -> None:
    """Until something goes well there."""
    ward = Ward()
    for _ in range(20):
        ward.attempt(DEAD)
    for _ in range(3):
        ward.add()
        ward.health.admit("h")
    first = ward.schedule.take(NOW)
    assert first is not None
    assert ward.schedule.take(NOW) is None
    ward.health.learn(first, WELL, jitter=1.0, now=NOW)
    ward.schedule.finish("h", ward.lane, first.lesson.feedback, started=NOW, now=NOW)
    ward.health.note_end(first, is_lost=False, now=NOW)
    assert ward.health.review("h", None, NOW) == []
    assert ward.schedule.take(NOW) is not None
    assert ward.schedule.take(NOW) is not None
