"""What crosses the seam: plain data that goes through processes and holds no secret in its repr."""

from __future__ import annotations

import pickle

from aioflags.engines.seam import Attempt, AttemptResult, Meter
from aioflags.errors import make_error
from aioflags.urls import parse_url


def test_attempt_and_result_cross_processes() -> None:
    """Every field arrives, the error and its words too."""
    attempt = Attempt(
        parse_url("https://me:pw@example.org/a?b"), "a", {"X-Key": "1"}, 5, {"sha256": "00"}, True, True, True
    )
    result = AttemptResult(make_error("http", "no", "example.org"), "/b", "x", 503, 1, {}, "gzip", 2, 3.0, True, True)
    assert pickle.loads(pickle.dumps(attempt)) == attempt
    copy = pickle.loads(pickle.dumps(result))
    assert (str(copy.error), type(copy.error)) == (str(result.error), type(result.error))
    assert {name: getattr(copy, name) for name in AttemptResult.__slots__ if name != "error"} == {
        name: getattr(result, name) for name in AttemptResult.__slots__ if name != "error"
    }


def test_attempt_keeps_its_secrets() -> None:
    """Neither header values nor user info nor a signature are in its repr."""
    url = "https://me:s3cret@example.org/a?signature=s3cret"
    assert "s3cret" not in repr(Attempt(parse_url(url), "a", {"Authorization": "s3cret", "Cookie": "s3cret"}))


def test_meter_takes_over_what_another_process_measured() -> None:
    """All of it, except whom it tells of its future."""
    told: list[object] = []
    there, here = Meter(), Meter(told.append)
    there.worker, there.received, there.total = "process 1", 5, 6
    there.started, there.connected, there.sent, there.first_byte, there.last_byte, there.ended = (
        1.0, 2.0, 3.0, 4.0, 5.0, 6.0,
    )  # fmt: skip
    here.take_over(pickle.loads(pickle.dumps(there.times())))
    assert here.times() == there.times()
    assert (here.worker, here.received, here.total, here.started, here.ended) == ("process 1", 5, 6, 1.0, 6.0)
    here.scheduled("future")
    there.scheduled("future")
    assert told == ["future"]
