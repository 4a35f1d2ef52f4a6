"""Hosts are given up when nothing goes well with them, and only then; one probe brings them back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioflags.breaker import Breaker, Sign, read_sign
from aioflags.errors import make_error

REFUSED = make_error("connect", "cannot connect to port 80: Connection refused", "h")
UNAVAILABLE = make_error("http", "status 503", "h")
UNKNOWN = make_error("dns", "there is no such host", "h")


class Ward:
    """A breaker and a clock."""

    def __init__(self) -> None:
        self.breaker = Breaker()
        self.now = 1000.0

    def fail(
        self, times: int = 1, sign: Sign = Sign.UNREACHABLE, *, lost: bool = False, quiet: bool = True, host: str = "h"
    ) -> None:
        """Have attempts fail at this time."""
        error = {Sign.ILL: UNAVAILABLE, Sign.UNKNOWN: UNKNOWN}.get(sign, REFUSED)
        for _ in range(times):
            self.breaker.note(host, sign, error, is_lost=lost, now=self.now)
            self.breaker.review(host, error, is_quiet=quiet, now=self.now)

    def go_well(self) -> None:
        """Have an attempt go well."""
        self.breaker.note("h", Sign.WELL, None, is_lost=False, now=self.now)

    def refuses(self) -> bool:
        """Items of the host fail at this time."""
        return self.breaker.given_up("h", self.now) is not None


@pytest.fixture
def ward() -> Ward:
    return Ward()


# When a host is given up


def test_host_that_cannot_be_reached_is_given_up_after_twenty_items(ward: Ward) -> None:
    """Items, not attempts: each of them has had all that the user allows."""
    ward.fail(100)
    ward.fail(19, lost=True)
    assert not ward.refuses()
    ward.fail(lost=True)
    assert ward.refuses()


def test_items_that_have_begun_keep_their_attempts(ward: Ward) -> None:
    """The host is not given up over their heads, as long as that does not take too long."""
    ward.fail(20, lost=True, quiet=False)
    ward.fail(30, quiet=False)
    assert not ward.refuses()
    ward.now += 60
    ward.fail(quiet=False)
    assert ward.refuses()


def test_host_whose_connections_time_out_is_given_up_after_a_minute(ward: Ward) -> None:
    """Three rounds of the deadline to connect, though no item has used up its attempts."""
    for _ in range(3):
        ward.fail(16, quiet=False)
        ward.now += 20
    assert not ward.refuses()
    ward.fail(quiet=False)
    assert ward.refuses()


def test_few_failures_never_suffice(ward: Ward) -> None:
    """A host with a handful of items has all their attempts, however long those take."""
    for _ in range(19):
        ward.fail(lost=True)
        ward.now += 100
    assert not ward.refuses()


def test_anything_that_goes_well_starts_the_count_anew(ward: Ward) -> None:
    """A host with some bad URLs is a healthy one."""
    for _ in range(50):
        ward.fail(19, lost=True)
        ward.go_well()
        ward.now += 100
    assert not ward.refuses()
    assert repr(ward.breaker) == "Breaker(0 hosts in trouble, 0 given up)"


def test_answers_that_fail_must_be_more(ward: Ward) -> None:
    """A hundred URLs can be broken each by itself and come together in a list: it takes half a minute, too."""
    ward.fail(500, Sign.ILL, lost=True)
    assert not ward.refuses()
    ward.now += 29
    ward.fail(1, Sign.ILL, lost=True)
    assert not ward.refuses()
    ward.now += 1
    ward.fail(1, Sign.ILL)
    assert ward.refuses()


def test_hiccup_is_no_reason(ward: Ward) -> None:
    """A server may be in maintenance for some minutes while its items wait; after five it is given up."""
    for _ in range(30):
        ward.fail(1, Sign.ILL)
        ward.now += 10
    assert not ward.refuses()
    ward.fail(1, Sign.ILL)
    assert ward.refuses()


def test_host_that_was_reached_is_not_unreachable(ward: Ward) -> None:
    """Answers of whatever kind show that it is there: the longer patience counts."""
    ward.fail(19, lost=True)
    ward.fail(1, Sign.ILL, lost=True)
    ward.fail(19, lost=True)
    assert not ward.refuses()


def test_name_that_does_not_exist_is_looked_up_twice(ward: Ward) -> None:
    """Then all items of the host fail together."""
    ward.fail(1, Sign.UNKNOWN)
    assert not ward.refuses()
    ward.fail(1, Sign.UNKNOWN, lost=True)
    assert ward.refuses()


def test_first_look_up_is_not_the_last(ward: Ward) -> None:
    """Where no item may be tried again, another one makes the second."""
    ward.fail(1, Sign.UNKNOWN, lost=True)
    assert not ward.refuses()
    ward.fail(1, Sign.UNKNOWN, lost=True)
    assert ward.refuses()


def test_what_says_nothing_changes_nothing(ward: Ward) -> None:
    """Neither for the better nor for the worse."""
    ward.fail(19, lost=True)
    ward.breaker.note("h", Sign.NOTHING, REFUSED, is_lost=True, now=ward.now)
    ward.breaker.review("h", REFUSED, is_quiet=True, now=ward.now)
    assert not ward.refuses()
    ward.fail(lost=True)
    assert ward.refuses()


def test_hosts_are_apart(ward: Ward) -> None:
    """One that is given up is no reflection on another."""
    ward.fail(20, lost=True, host="other")
    assert not ward.refuses()
    assert [each.host for each in ward.breaker.all_given_up()] == ["other"]


# What its items are told


def test_items_hear_the_last_reason_and_what_came_of_it(ward: Ward) -> None:
    """The kind is that of the failure."""
    ward.fail(20, lost=True)
    given_up = ward.breaker.given_up("h", ward.now)
    assert given_up is not None
    error = given_up.error_for_item()
    assert (error.kind, error.host) == ("connect", "h")
    assert error.message == f"{REFUSED.message}; h was given up for a while after 20 failures in a row"


# Holding back, and coming back


def test_host_in_doubt_begins_nothing_new(ward: Ward) -> None:
    """From twenty failures in a row on; a handful is nothing."""
    ward.fail(19)
    assert not ward.breaker.is_doubtful("h")
    ward.fail()
    assert ward.breaker.is_doubtful("h")
    ward.go_well()
    assert not ward.breaker.is_doubtful("h")


def test_host_that_answers_with_failures_is_not_held_back(ward: Ward) -> None:
    """Its next URL may be a good one."""
    ward.fail(200, Sign.ILL)
    assert not ward.breaker.is_doubtful("h")


def test_probe_that_goes_well_brings_it_back(ward: Ward) -> None:
    """After a minute one item is tried; nothing else until it has ended."""
    ward.fail(20, lost=True)
    ward.now += 59
    assert ward.refuses()
    ward.now += 1
    assert not ward.refuses()
    assert ward.breaker.is_doubtful("h")
    ward.go_well()
    assert not ward.breaker.is_doubtful("h")
    assert ward.breaker.all_given_up() == []


def test_probe_that_fails_gives_it_up_for_longer(ward: Ward) -> None:
    """Twice as long each time, ten minutes at most."""
    ward.fail(20, lost=True)
    rests = []
    for _ in range(6):
        given_up = ward.breaker.all_given_up()[0]
        rests.append(given_up.until - ward.now)
        ward.now = given_up.until
        assert not ward.refuses()
        ward.fail()
        assert ward.refuses()
    assert rests == [60, 120, 240, 480, 600, 600]


def test_latecomers_do_not_prolong_it(ward: Ward) -> None:
    """Attempts that were in flight when it was given up are no probes."""
    ward.fail(20, lost=True)
    until = ward.breaker.all_given_up()[0].until
    ward.now += 30
    ward.fail(15)
    assert ward.breaker.all_given_up()[0].until == until


def test_memory_is_bounded() -> None:
    """Of a million dead hosts the latest are remembered."""
    breaker = Breaker()
    for number in range(10_050):
        breaker.note(f"h{number}", Sign.UNREACHABLE, REFUSED, is_lost=False, now=0.0)
    assert repr(breaker) == "Breaker(10000 hosts in trouble, 0 given up)"


@given(st.lists(st.tuples(st.sampled_from(Sign), st.booleans(), st.booleans(), st.floats(0, 50)), max_size=200))
def test_healthy_host_is_never_given_up(events: list[tuple[Sign, bool, bool, float]]) -> None:
    """Whatever happened before: after anything that went well its items are tried, all at once."""
    ward = Ward()
    for sign, lost, quiet, delay in events:
        ward.now += delay
        if sign is Sign.WELL:
            ward.go_well()
            assert not ward.refuses()
            assert not ward.breaker.is_doubtful("h")
        else:
            ward.fail(1, sign, lost=lost, quiet=quiet)
        # Who is given up is doubtful, too: else its probe would not be alone.
        assert not ward.refuses() or ward.breaker.is_doubtful("h")


# Reading an attempt


@pytest.mark.parametrize(
    ("kind", "status", "detail", "was_sent", "sign"),
    [
        (None, 200, "", True, Sign.WELL),
        (None, 302, "", True, Sign.WELL),
        ("http", 404, "", True, Sign.WELL),
        ("http", 429, "", True, Sign.WELL),
        ("truncated", 200, "", True, Sign.WELL),
        ("stalled", 200, "", True, Sign.WELL),
        ("http", 500, "", True, Sign.ILL),
        ("http", 503, "", True, Sign.ILL),
        ("disconnected", None, "", True, Sign.ILL),
        ("timeout", None, "", True, Sign.ILL),
        ("timeout", None, "", False, Sign.UNREACHABLE),
        ("connect", None, "refused", False, Sign.UNREACHABLE),
        ("tls", None, "certificate", False, Sign.UNREACHABLE),
        ("dns", None, "", False, Sign.UNREACHABLE),
        ("dns", None, "unknown host", False, Sign.UNKNOWN),
        ("connect", None, "out of resources", False, Sign.NOTHING),
        ("connect", None, "proxy", False, Sign.NOTHING),
        ("protocol", None, "", True, Sign.NOTHING),
        ("policy", None, "", False, Sign.NOTHING),
        ("storage", None, "destination", True, Sign.NOTHING),
    ],
)
def test_sign_of_an_attempt(kind: str | None, status: int | None, detail: str, was_sent: bool, sign: Sign) -> None:
    """Any answer under 500 is that of a healthy host; what happened before the request was sent is not the URL's."""
    assert read_sign(kind, http_status=status, detail=detail, was_sent=was_sent) is sign


def test_host_that_says_when_to_come_back_is_busy_not_ill() -> None:
    """It is paused."""
    assert read_sign("http", http_status=503, was_sent=True, is_paused=True) is Sign.NOTHING
