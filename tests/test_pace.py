"""Silence and slowness are noticed, and only while it is the network that is waited for; the job keeps its rate."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from aioflags.pace import ByteRate, Pace


def test_silence_is_noticed_after_the_idle_timeout() -> None:
    """Not before, and the complaint says how long it was."""
    pace = Pace(idle_timeout=60.0, min_speed=1.0)
    pace.wait(100.0)
    assert pace.complaint(159.0) is None
    assert pace.complaint(160.0) == "no bytes for 60 s"
    assert pace.complaint(190.0) == "no bytes for 90 s"


def test_any_byte_ends_the_silence() -> None:
    """The clock of silence starts anew with each wait."""
    pace = Pace(60.0, 0.0)
    for start in range(0, 500, 50):
        pace.wait(start)
        assert pace.complaint(start + 49.0) is None
        pace.receive(1, start + 50.0)
    pace.wait(500.0)
    assert pace.complaint(560.0) == "no bytes for 60 s"


def test_trickle_under_the_minimum_is_noticed() -> None:
    """Ten bytes every six seconds are 1.67 a second."""
    for minimum, expected in [
        (1.5, None),
        (2.0, "only 1.67 bytes per second over 60 s, the minimum is 2"),
    ]:
        pace = Pace(60.0, minimum)
        for step in range(10):
            pace.wait(step * 6.0)
            pace.receive(10, step * 6.0 + 6.0)
        assert pace.complaint(60.0) == expected


def test_minimum_of_zero_is_off() -> None:
    """A transfer that makes progress, however little, goes on."""
    pace = Pace(60.0, 0.0)
    for step in range(100):
        pace.wait(step * 50.0)
        pace.receive(0 if step % 2 else 1, step * 50.0 + 50.0)
        assert pace.complaint(step * 50.0 + 50.0) is None


def test_a_burst_long_ago_does_not_pay_for_slowness_now() -> None:
    """The mean is that of one window; the next begins from nothing."""
    pace = Pace(60.0, 100.0)
    pace.wait(0.0)
    pace.receive(1_000_000, 60.0)
    assert pace.complaint(60.0) is None
    pace.wait(60.0)
    pace.receive(1, 119.0)
    assert pace.complaint(119.0) is None
    pace.wait(119.0)
    assert pace.complaint(120.0) == "only 0.0167 bytes per second over 60 s, the minimum is 100"


def test_only_time_spent_waiting_counts() -> None:
    """While our disk or our rate limit holds the transfer back, the server is not to blame."""
    pace = Pace(60.0, 10.0)
    now = 0.0
    for _ in range(20):
        pace.wait(now)
        pace.receive(100, now + 1.0)
        assert pace.complaint(now + 500.0) is None
        now += 1000.0


def test_time_waited_in_one_window_does_not_count_in_the_next() -> None:
    """A window may close in the middle of a wait; the seconds before belong to the old one."""
    pace = Pace(60.0, 1.0)
    pace.wait(0.0)
    pace.receive(600, 30.0)
    pace.wait(30.0)
    assert pace.complaint(60.0) is None
    pace.receive(1, 61.0)
    # One second of the new window is over, not thirty-one.
    pace.wait(61.0)
    assert pace.complaint(100.0) is None
    assert pace.complaint(120.0) == "only 0.0167 bytes per second over 60 s, the minimum is 1"


events = st.lists(
    st.tuples(st.sampled_from(["wait", "receive", "complaint"]), st.integers(0, 40), st.integers(0, 200)), max_size=40
)


@given(events=events, minimum=st.sampled_from([0.0, 1.0, 5.0]), probe=st.floats(0, 1, exclude_max=True))
def test_nothing_is_missed_between_two_checks(events: list[tuple[str, int, int]], minimum: float, probe: float) -> None:
    """Whatever happened before: until `check_at` there is no complaint, and after a good answer it lies ahead."""
    pace = Pace(60.0, minimum)
    now = 0.0
    for what, pause, size in events:
        now += pause
        if what == "wait":
            pace.wait(now)
        elif what == "receive":
            pace.receive(size, now)
        elif pace.complaint(now) is not None:
            return
    assume(pace.complaint(now) is None)
    due = pace.check_at(now)
    assert due > now
    assert pace.complaint(now + (due - now) * probe * 0.999) is None


def test_silence_is_asked_about_in_time() -> None:
    """Who asks at `check_at` learns of silence when it is due, not a window later."""
    pace = Pace(60.0, 1.0)
    pace.wait(0.0)
    pace.receive(1000, 45.0)
    pace.wait(45.0)
    first = pace.check_at(45.0)
    assert first == 60.0
    assert pace.complaint(first) is None
    second = pace.check_at(first)
    assert second == 105.0
    assert pace.complaint(second) == "no bytes for 60 s"


def test_rate_is_kept_over_time() -> None:
    """Who waits as told passes so many bytes a second, whatever the pieces."""
    bucket = ByteRate(1000.0)
    now = 50.0
    passed = 0
    for size in [1, 5000, 10, 1000, 0, 300, 64_000]:
        now += bucket.take(size, now)
        passed += size
    assert now - 50.0 == pytest.approx(passed / 1000.0 - 0.1)


def test_pause_earns_no_more_than_the_burst() -> None:
    """An hour of silence does not let an hour's bytes through at once."""
    bucket = ByteRate(1000.0, burst=0.5)
    assert bucket.take(100, 0.0) == 0.0
    assert bucket.take(1500, 3600.0) == pytest.approx(1.0)
    assert bucket.take(1000, 3600.0) == pytest.approx(2.0)


@given(takes=st.lists(st.tuples(st.floats(0, 5), st.integers(0, 10_000)), min_size=1, max_size=50))
def test_takers_never_exceed_the_rate_together(takes: list[tuple[float, int]]) -> None:
    """Counted at the times at which the takers go on, the bytes fit under the line of the rate plus the burst."""
    bucket = ByteRate(1000.0, burst=0.1)
    now = passed = 0.0
    for pause, size in takes:
        now += pause
        wait = bucket.take(size, now)
        assert wait >= 0
        passed += size
        assert passed <= 1000.0 * (now + wait + 0.1) + 1e-6
