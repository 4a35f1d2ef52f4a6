"""The network and the proxy: when they are waited for, who is charged, and when that ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioflags.errors import make_error
from aioflags.uplink import Finding, Uplink, read_finding

UNREACHABLE = make_error("connect", "cannot connect to port 80: Network is unreachable", "h")
NO_PROXY = make_error("connect", "cannot connect to the proxy: Connection refused", "h")
REFUSED = make_error("http", "the proxy answered with status 407", "h")


class Line:
    """An uplink and a clock."""

    def __init__(self, retries: int = 4) -> None:
        self.uplink = Uplink(retries=retries)
        self.now = 1000.0

    def note(self, finding: Finding, host: str = "h", *, is_probe: bool = False) -> bool:
        """Have an attempt end now; tells whether its item is not charged."""
        error = {Finding.NO_PROXY: NO_PROXY, Finding.REFUSED: REFUSED}.get(finding, UNREACHABLE)
        return self.uplink.note(finding, host, error, is_probe=is_probe, jitter=1.0, now=self.now)

    def probe(self, finding: Finding, host: str = "h") -> bool:
        """Wait for the next probe, make it, and have it end like this."""
        self.now = max(self.now, self.uplink.opens_at())
        self.uplink.begin_probe()
        assert self.uplink.opens_at() == float("inf")
        is_blameless = self.note(finding, host, is_probe=True)
        self.uplink.end_probe()
        return is_blameless

    def waits_for(self) -> str:
        """What is waited for now."""
        return self.uplink.waits_for

    def is_spent(self) -> bool:
        """It was waited for in vain."""
        return self.uplink.is_spent

    def go_silent(self, hosts: int = 4) -> None:
        """Have attempts at several hosts fail for three seconds."""
        for number in range(16):
            self.note(Finding.SILENT, f"h{number % hosts}")
            self.now += 0.2


@pytest.fixture
def line() -> Line:
    made = Line()
    made.note(Finding.REACHED)
    return made


# When the network is waited for


def test_silence_everywhere_is_waited_out(line: Line) -> None:
    """Several hosts, several failures, some seconds, nothing from outside in between."""
    line.go_silent()
    assert line.waits_for() == "the network"
    assert line.uplink.opens_at() > line.now - 3
    assert repr(line.uplink).startswith("Uplink(waits for the network")


def test_one_silent_host_is_its_own_fault(line: Line) -> None:
    """And so are two."""
    line.go_silent(hosts=2)
    assert not line.waits_for()


def test_a_moment_of_silence_is_nothing(line: Line) -> None:
    """Attempts that were in flight together at dead hosts end together."""
    for number in range(64):
        line.note(Finding.SILENT, f"h{number}")
    assert not line.waits_for()


def test_any_answer_breaks_the_silence(line: Line) -> None:
    """A list may have many dead hosts: the living ones are in between."""
    for number in range(200):
        line.note(Finding.REACHED if number % 7 == 0 else Finding.SILENT, f"h{number}")
        line.now += 1
        assert not line.waits_for()


def test_network_that_was_never_there_is_not_waited_for() -> None:
    """Who starts without one is told at once."""
    line = Line()
    line.go_silent()
    assert not line.waits_for()
    for _ in range(10):
        line.note(Finding.LOCAL)
    assert not line.waits_for()


def test_route_that_is_gone_is_known_by_few_failures_of_one_host(line: Line) -> None:
    """This machine itself says so, of a host that has answered before."""
    line.note(Finding.LOCAL)
    line.note(Finding.LOCAL)
    assert not line.waits_for()
    line.note(Finding.LOCAL)
    assert line.waits_for() == "the network"


def test_route_that_never_was_is_the_hosts_fault(line: Line) -> None:
    """An address of IPv6 where there is only IPv4."""
    for _ in range(50):
        line.note(Finding.LOCAL, "elsewhere")
        line.now += 1
    assert not line.waits_for()


# While it is waited for


def test_items_are_charged_until_it_is_waited_for_and_not_after(line: Line) -> None:
    """Those in flight included."""
    assert [line.note(Finding.LOCAL) for _ in range(5)] == [False, False, False, True, True]
    assert line.probe(Finding.SILENT)


def test_probes_come_one_by_one_and_less_and_less_often(line: Line) -> None:
    """At most every quarter of a minute."""
    line.go_silent()
    rests = []
    for _ in range(6):
        line.probe(Finding.SILENT)
        rests.append(line.uplink.opens_at() - line.now)
    assert rests == [2, 4, 8, 15, 15, 15]


def test_probe_that_goes_well_ends_it(line: Line) -> None:
    """Everything goes on at once."""
    line.go_silent()
    line.probe(Finding.REACHED)
    assert not line.waits_for()
    assert line.uplink.opens_at() == float("-inf")
    assert not line.note(Finding.SILENT)


def test_attempt_that_was_in_flight_ends_it_too(line: Line) -> None:
    """Whatever comes from outside is proof."""
    line.go_silent()
    line.note(Finding.REACHED, "other")
    assert not line.waits_for()


def test_probe_that_says_nothing_is_followed_by_another(line: Line) -> None:
    """It was cancelled, or went to this machine: that neither ends the waiting nor prolongs it."""
    line.go_silent()
    line.now = line.uplink.opens_at()
    line.uplink.begin_probe()
    line.uplink.end_probe()
    assert line.waits_for()
    assert line.uplink.opens_at() <= line.now


def test_waiting_ends_in_finite_time(line: Line) -> None:
    """After five minutes items fail with their own reason, until something answers again."""
    line.go_silent()
    while line.waits_for():
        assert line.probe(Finding.SILENT)
        assert line.now < 1400
    assert line.now > 1300
    assert line.is_spent()
    line.go_silent()
    assert not line.waits_for()
    line.note(Finding.REACHED)
    assert not line.is_spent()
    line.go_silent()
    assert line.waits_for()


# The proxy


def test_proxy_has_as_many_attempts_as_an_item() -> None:
    """With the same backoff between them; then the run is halted, and says so."""
    line = Line(retries=2)
    assert not line.note(Finding.NO_PROXY)
    assert line.waits_for() == "the proxy"
    assert line.uplink.opens_at() == line.now + 0.5
    assert line.probe(Finding.NO_PROXY)
    assert line.uplink.opens_at() == line.now + 1.0
    assert line.waits_for() == "the proxy"
    line.probe(Finding.NO_PROXY)
    error = line.uplink.halted_by
    assert error is not None
    assert (error.kind, error.message) == ("connect", f"{NO_PROXY.message}; the run was stopped")


def test_proxy_failures_in_flight_together_count_once() -> None:
    """A hundred of them tell one thing, and only the first is charged."""
    line = Line()
    assert [line.note(Finding.NO_PROXY) for _ in range(100)] == [False] + [True] * 99
    assert line.uplink.halted_by is None


def test_proxy_that_comes_back_has_all_attempts_again() -> None:
    """The run goes on."""
    line = Line(retries=1)
    for _ in range(3):
        line.note(Finding.NO_PROXY)
        line.probe(Finding.REACHED)
        assert not line.waits_for()
    assert line.uplink.halted_by is None


def test_proxy_that_refuses_us_halts_the_run_at_once() -> None:
    """No waiting will teach us its password."""
    line = Line()
    line.note(Finding.REFUSED)
    assert line.uplink.halted_by is not None
    assert line.uplink.halted_by.kind == "http"
    assert line.uplink.opens_at() == float("-inf")


def test_another_run_tries_the_proxy_again() -> None:
    """With all attempts that a run has; one that was not halted has nothing to be told of."""
    line = Line(retries=1)
    for _ in range(2):
        line.note(Finding.NO_PROXY)
        line.uplink.renew()
        assert line.waits_for() == "the proxy"
        line.probe(Finding.NO_PROXY)
        assert line.uplink.halted_by is not None
        line.uplink.renew()
        assert line.uplink.halted_by is None


# All of it


@given(st.lists(st.tuples(st.sampled_from(Finding), st.integers(0, 5), st.floats(0, 40)), max_size=300))
def test_nothing_is_free_for_ever(events: list[tuple[Finding, int, float]]) -> None:
    """Between two probes that end well an item is uncharged only while the run waits, and that for minutes at most."""
    line = Line()
    began: float | None = None
    for finding, host, delay in events:
        line.now += delay
        waited = bool(line.waits_for())
        is_blameless = line.probe(finding, f"h{host}") if waited else line.note(finding, f"h{host}")
        assert not is_blameless or waited
        assert finding is not Finding.REACHED or not line.waits_for()
        began = None if line.waits_for() != "the network" else began if began is not None else line.now
        # Since its first failure, and one probe may have been out for as long as it takes.
        assert began is None or line.now - began <= 300 + 40 + 15


@pytest.mark.parametrize(
    ("kind", "status", "detail", "finding"),
    [
        (None, 200, "", Finding.REACHED),
        ("http", 503, "", Finding.REACHED),
        ("connect", None, "refused", Finding.REACHED),
        ("tls", None, "certificate", Finding.REACHED),
        ("connect", None, "no route", Finding.LOCAL),
        ("dns", None, "", Finding.LOCAL),
        ("dns", None, "unknown host", Finding.NOTHING),
        ("connect", None, "out of resources", Finding.NOTHING),
        ("connect", None, "", Finding.SILENT),
        ("timeout", None, "", Finding.SILENT),
        ("disconnected", None, "", Finding.NOTHING),
        ("policy", None, "", Finding.NOTHING),
    ],
)
def test_finding_of_an_attempt(kind: str | None, status: int | None, detail: str, finding: Finding) -> None:
    """A refusal came from outside; what concerns this machine only says nothing of the network."""
    found = read_finding(kind, http_status=status, detail=detail, via_proxy=False, is_loopback=False)
    assert found is finding
    at_home = read_finding(kind, http_status=status, detail=detail, via_proxy=False, is_loopback=True)
    assert at_home is Finding.NOTHING


@pytest.mark.parametrize(
    ("kind", "status", "detail", "finding"),
    [
        (None, 200, "", Finding.REACHED),
        ("http", 502, "", Finding.REACHED),
        ("http", 407, "", Finding.REFUSED),
        ("connect", None, "proxy", Finding.NO_PROXY),
        ("connect", None, "", Finding.NOTHING),
        ("timeout", None, "", Finding.NOTHING),
    ],
)
def test_finding_behind_a_proxy(kind: str | None, status: int | None, detail: str, finding: Finding) -> None:
    """The network is what the proxy says of it, wherever that stands."""
    found = read_finding(kind, http_status=status, detail=detail, via_proxy=True, is_loopback=True)
    assert found is finding
