"""What can pass is tried again, what cannot is not; waits grow; the server's own wish is read exactly."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioflags.errors import KINDS
from aioflags.retry import (
    MISSING_STATUSES,
    SLOW_STATUSES,
    TRANSIENT_STATUSES,
    backoff,
    read_retry_after,
    retries_allowed,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
UNLIMITED = 1000

ALLOWED = {
    "dns": UNLIMITED,
    "connect": UNLIMITED,
    "tls": 2,
    "timeout": UNLIMITED,
    "stalled": UNLIMITED,
    "disconnected": UNLIMITED,
    "truncated": UNLIMITED,
    "protocol": 1,
    "redirect": 0,
    "http": 0,
    "too_large": 0,
    "checksum": 0,
    "exists": 0,
    "name": 0,
    "url": 0,
    "storage": 0,
    "policy": 0,
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_its_number_of_retries(kind: str) -> None:
    """The network gets as many as the user allows; what will not change gets none."""
    assert retries_allowed(kind, retries=UNLIMITED) == ALLOWED[kind]
    assert retries_allowed(kind, retries=0) == 0


@pytest.mark.parametrize("status", range(100, 600))
def test_status_is_tried_again_only_if_it_can_pass(status: int) -> None:
    """Of all statuses nine can."""
    expected = 4 if status in {408, 425, 429, 500, 502, 503, 504, 522, 524} else 0
    assert retries_allowed("http", http_status=status, retries=4) == expected


@pytest.mark.parametrize(
    ("kind", "detail", "allowed"),
    [
        ("tls", "certificate", 0),
        ("tls", "handshake", 2),
        ("dns", "unknown host", 1),
        ("dns", "", 4),
        ("connect", "x", 4),
        ("storage", "lost bytes", 1),
        ("storage", "destination", 0),
    ],
)
def test_detail_knows_better_than_the_kind(kind: str, detail: str, allowed: int) -> None:
    """A certificate does not get valid by asking again, and a name that does not exist hardly begins to."""
    assert retries_allowed(kind, detail=detail, retries=4) == allowed


def test_detail_never_allows_more_than_the_user() -> None:
    """`--retries 0` is no retry."""
    assert retries_allowed("dns", detail="unknown host", retries=0) == 0


def test_statuses_that_slow_down_can_pass_and_missing_ones_cannot() -> None:
    """The three sets fit each other."""
    assert SLOW_STATUSES <= TRANSIENT_STATUSES
    assert not MISSING_STATUSES & TRANSIENT_STATUSES


@given(failures=st.integers(1, 10**6), jitter=st.floats(0, 1))
def test_backoff_stays_between_nothing_and_its_cap(failures: int, jitter: float) -> None:
    """Full jitter: anywhere from 0 to the exponential bound, never over a minute."""
    wait = backoff(failures, jitter)
    assert 0 <= wait <= min(60.0, 0.5 * 2 ** min(failures - 1, 20))
    assert wait == jitter * backoff(failures, 1.0)
    assert backoff(failures + 1, jitter) >= wait


@pytest.mark.parametrize(
    ("value", "date", "seconds"),
    [
        ("0", None, 0.0),
        (" 120 ", None, 120.0),
        ("007", None, 7.0),
        ("9" * 5000, None, float("9" * 18)),
        ("Thu, 01 Jan 2026 00:02:00 GMT", None, 120.0),
        ("Wed, 31 Dec 2025 23:59:00 GMT", None, 0.0),
        ("Thursday, 01-Jan-26 00:02:00 GMT", None, 120.0),
        ("Thu Jan  1 00:02:00 2026", None, 120.0),
        ("Thu, 01 Jan 2026 01:02:00 +0100", None, 120.0),
        # Their clock is an hour ahead of ours: what counts is the distance on theirs.
        ("Thu, 01 Jan 2026 01:02:00 GMT", "Thu, 01 Jan 2026 01:00:00 GMT", 120.0),
        ("Thu, 01 Jan 2026 01:00:00 GMT", "Thu, 01 Jan 2026 01:02:00 GMT", 0.0),
        ("Thu, 01 Jan 2026 00:02:00 GMT", "yesterday", 120.0),
        ("30", "Thu, 01 Jan 2026 01:00:00 GMT", 30.0),
    ],
)
def test_retry_after_in_both_forms(value: str, date: str | None, seconds: float) -> None:
    """Whole seconds, or any of the three forms of date, read against the server's own clock."""
    assert read_retry_after(value, date, NOW) == seconds


def test_retry_after_knows_our_zone() -> None:
    """The time that comes in may be in any zone."""
    here = NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert read_retry_after("Thu, 01 Jan 2026 00:02:00 GMT", None, here) == 120.0


@pytest.mark.parametrize(
    "value", ["", "soon", "-1", "+1", "1.5", "1e3", "0x10", "١٢", "1 2", "Thu, 99 Jan 2026 99:99:99 GMT"]
)
def test_what_is_neither_form_is_refused(value: str) -> None:
    """The caller then goes on with its own backoff."""
    with pytest.raises(ValueError, match=r".*"):
        read_retry_after(value, None, NOW)


def test_reader_of_dates_is_imported_for_a_date_only() -> None:
    """Most jobs are told none, and start sooner."""
    code = (
        "import sys\nfrom aioflags.retry import read_date\nassert 'email.utils' not in sys.modules\n"
        "print(read_date('Thu, 01 Jan 2026 00:00:00 GMT'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "2026-01-01 00:00:00+00:00\n"


words = st.sampled_from(
    ["Thu,", "01", "Jan", "2026", "99999", "0000", "00:02:00", "+9999", "-0000", "GMT", ":", "-", ""]
)
fields = st.text(max_size=40) | st.lists(words, max_size=8).map(" ".join)


@given(value=fields, date=st.none() | fields)
def test_no_field_breaks_the_reader(value: str, date: str | None) -> None:
    """A server may send anything: it is a number of seconds or a ValueError."""
    try:
        seconds = read_retry_after(value, date, NOW)
    except ValueError:
        return
    assert seconds >= 0
