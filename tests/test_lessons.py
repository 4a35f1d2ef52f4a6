"""What the end of an attempt teaches: about its host, about the network, about when to come back."""

from __future__ import annotations

from typing import Any

import pytest

from aioflags.breaker import Sign
from aioflags.engines.seam import AttemptResult
from aioflags.errors import make_error
from aioflags.lessons import Lesson, lesson_of, pause_of
from aioflags.schedule import Feedback
from aioflags.uplink import Finding


def failed(kind: str, **details: Any) -> AttemptResult:
    return AttemptResult(make_error(kind, "it failed", "example.org"), **details)


def refused(status: int, **details: Any) -> AttemptResult:
    return AttemptResult(make_error("http", f"status {status}", "example.org"), http_status=status, **details)


def learn(
    result: AttemptResult, *, host: str = "example.org", was_sent: bool = True, via_proxy: bool = False
) -> Lesson:
    return lesson_of(result, host=host, was_sent=was_sent, via_proxy=via_proxy)


@pytest.mark.parametrize(
    ("result", "feedback"),
    [
        (AttemptResult(http_status=200), Feedback.WELL),
        (AttemptResult(http_status=302, location="/b"), Feedback.WELL),
        (AttemptResult(http_status=416, must_restart=True), Feedback.WELL),
        (AttemptResult(http_status=304, is_unchanged=True), Feedback.WELL),
        (refused(429), Feedback.REFUSED),
        (refused(503), Feedback.REFUSED),
        (failed("timeout"), Feedback.SLOW_DOWN),
        (failed("stalled", http_status=200), Feedback.SLOW_DOWN),
        (refused(500), Feedback.NEUTRAL),
        (refused(404), Feedback.NEUTRAL),
        (failed("connect"), Feedback.NEUTRAL),
        (failed("connect", detail="out of resources"), Feedback.OUT_OF_RESOURCES),
        (failed("storage", detail="destination"), Feedback.NEUTRAL),
    ],
)
def test_what_an_attempt_teaches_about_its_host(result: AttemptResult, feedback: Feedback) -> None:
    """Only its wish for less, and its success, move the window."""
    assert learn(result).feedback is feedback


@pytest.mark.parametrize(
    ("result", "seconds"),
    [
        (refused(503, retry_after=5.0), 5.0),
        (refused(429, retry_after=5.0), 5.0),
        (refused(503), 0.0),
        (refused(404, retry_after=5.0), 0.0),
        (AttemptResult(http_status=200, retry_after=5.0), 0.0),
    ],
)
def test_pause_is_what_a_passing_refusal_asks_for(result: AttemptResult, seconds: float) -> None:
    """On other answers the field means nothing to us."""
    assert pause_of(result) == learn(result).pause == seconds


def test_sign_for_the_host() -> None:
    """A stale connection says nothing; a server that names a time is not ill."""
    assert learn(AttemptResult(http_status=200)).sign is Sign.WELL
    assert learn(refused(503)).sign is Sign.ILL
    assert learn(refused(503, retry_after=9.0)).sign is Sign.NOTHING
    assert learn(failed("disconnected", is_stale=True)).sign is Sign.NOTHING
    assert learn(failed("timeout"), was_sent=False).sign is Sign.UNREACHABLE


def test_finding_about_the_network() -> None:
    """A host that is this machine says nothing of it, and behind a proxy only the proxy does."""
    well = AttemptResult(http_status=200)
    assert learn(well).finding is Finding.REACHED
    assert learn(well, host="localhost").finding is Finding.NOTHING
    assert learn(well, host="localhost", via_proxy=True).finding is Finding.REACHED
    assert learn(failed("timeout")).finding is Finding.SILENT
    assert learn(failed("timeout"), host="localhost").finding is Finding.NOTHING
    assert learn(refused(407), host="localhost", via_proxy=True).finding is Finding.REFUSED
