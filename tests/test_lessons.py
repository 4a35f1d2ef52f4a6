"""What the end of an attempt teaches: about its host, about the network, about when to come back."""

from __future__ import annotations

from typing import Any

import pytest

from aioflags.breaker import Sign
from aioflags.engines.seam import AttemptResult
from aioflags.errors import make_error
from aioflags.lessons import feedback_of, finding_of, pause_of, sign_of
from aioflags.schedule import Feedback
from aioflags.uplink import Finding


def failed(kind: str, **details: Any) -> AttemptResult:
    return AttemptResult(make_error(kind, "it failed", "example.org"), **details)


def refused(status: int, **details: Any) -> AttemptResult:
    return AttemptResult(make_error("http", f"status {status}", "example.org"), http_status=status, **details)


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
    assert feedback_of(result) is feedback


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
    assert pause_of(result) == seconds


def test_sign_for_the_host() -> None:
    """A stale connection says nothing; a server that names a time is not ill."""
    assert sign_of(AttemptResult(http_status=200), was_sent=True) is Sign.WELL
    assert sign_of(refused(503), was_sent=True) is Sign.ILL
    assert sign_of(refused(503, retry_after=9.0), was_sent=True) is Sign.NOTHING
    assert sign_of(failed("disconnected", is_stale=True), was_sent=True) is Sign.NOTHING
    assert sign_of(failed("timeout"), was_sent=False) is Sign.UNREACHABLE


def test_finding_about_the_network() -> None:
    """A host that is this machine says nothing of it."""
    assert finding_of(failed("timeout"), host="example.org", via_proxy=False) is Finding.SILENT
    assert finding_of(failed("timeout"), host="localhost", via_proxy=False) is Finding.NOTHING
    assert finding_of(refused(407), host="localhost", via_proxy=True) is Finding.REFUSED
