"""What comes after an attempt: all policy of one item, told by results alone."""

from __future__ import annotations

from typing import Any

import pytest

from aioflags.chain import JobHeaders
from aioflags.engines.seam import AttemptResult
from aioflags.errors import KINDS, make_error
from aioflags.items import Item, Outcome, Rejected, Status
from aioflags.journal import Half
from aioflags.pursuit import Again, Pursuit, outcome_of_claim
from aioflags.register import Claim
from aioflags.retry import backoff
from aioflags.settings import Settings
from aioflags.urls import parse_url

URL = "http://example.org/fr.svg"
DEFAULTS = {"User-Agent": "aioflags"}


def pursue(item: Item | None = None, credentials: dict[str, str] | None = None, **options: Any) -> Pursuit:
    item = item or Item(URL, line=7)
    claim = Claim(item, parse_url(item.url), "fr.svg", {"md5": "00"})
    settings = Settings(**options)
    return Pursuit(claim, settings, JobHeaders(DEFAULTS, settings.headers), credentials or {})


def failed(kind: str, **details: Any) -> AttemptResult:
    return AttemptResult(make_error(kind, "it failed", "example.org"), **details)


def refused(status: int, **details: Any) -> AttemptResult:
    return AttemptResult(make_error("http", f"status {status}", "example.org"), http_status=status, **details)


def redirected(location: str, **details: Any) -> AttemptResult:
    return AttemptResult(location=location, http_status=302, **details)


def run(pursuit: Pursuit, *results: AttemptResult, jitter: float = 1.0) -> list[Outcome | Again]:
    return [pursuit.conclude(result, jitter=jitter, elapsed=2.5) for result in results]


def attempts_until_the_end(pursuit: Pursuit, result: AttemptResult) -> tuple[int, Outcome]:
    for number in range(1, 100):
        end = pursuit.conclude(result, jitter=0.5, elapsed=1.0)
        if isinstance(end, Outcome):
            return number, end
    raise AssertionError("tried for ever")


def test_saved_at_once() -> None:
    """The outcome carries what the engine found, and the line of the list."""
    result = AttemptResult(
        http_status=200, bytes=512, digests={"xxh128": "0a"}, content_encoding="gzip", requests=1, is_private=True
    )
    assert run(pursue(), result) == [
        Outcome(
            URL,
            Status.SAVED,
            path="fr.svg",
            bytes=512,
            digests={"xxh128": "0a"},
            http_status=200,
            attempts=1,
            content_encoding="gzip",
            elapsed=2.5,
            line=7,
        )
    ]


RETRIES = {
    "dns": 4,
    "connect": 4,
    "tls": 2,
    "timeout": 4,
    "stalled": 4,
    "disconnected": 4,
    "truncated": 4,
    "protocol": 1,
}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "http"])
def test_each_cause_has_its_retries(kind: str) -> None:
    """What can pass is tried again, up to what the user allows; what cannot fails at once."""
    number, outcome = attempts_until_the_end(pursue(), failed(kind))
    assert number == outcome.attempts == 1 + RETRIES.get(kind, 0)
    assert (outcome.status, outcome.path, outcome.error and outcome.error.kind) == (Status.FAILED, None, kind)
    assert attempts_until_the_end(pursue(retries=0), failed(kind))[0] == 1


@pytest.mark.parametrize(
    ("status", "number", "final"),
    [
        (404, 1, "missing"),
        (410, 1, "missing"),
        (403, 1, "failed"),
        (500, 5, "failed"),
        (503, 5, "failed"),
        (501, 1, "failed"),
    ],
)
def test_each_status_has_its_retries(status: int, number: int, final: str) -> None:
    """A file that is not there is missing, which is a failure of its own."""
    attempts, outcome = attempts_until_the_end(pursue(), refused(status))
    assert (attempts, outcome.status, outcome.http_status) == (number, final, status)
    assert outcome.error is not None
    assert outcome.error.kind == "http"


@pytest.mark.parametrize(("detail", "kind", "number"), [("certificate", "tls", 1), ("unknown host", "dns", 2)])
def test_driver_may_know_that_it_is_final(detail: str, kind: str, number: int) -> None:
    """A certificate that is not valid is not asked for again."""
    assert attempts_until_the_end(pursue(), failed(kind, detail=detail))[0] == number


def test_waits_grow_with_the_failures() -> None:
    """The backoff counts failures, not requests."""
    ends = run(pursue(), refused(500), redirected("/b"), failed("timeout"), failed("dns"))
    assert ends == [Again(0.5), Again(0.0), Again(1.0), Again(2.0)]


def test_jitter_spreads_the_waits() -> None:
    """What is drawn is what scales."""
    assert run(pursue(), refused(500), jitter=0.25) == [Again(0.125)]


def test_causes_share_one_budget() -> None:
    """Four retries are four, whatever failed; but each cause keeps its own bound."""
    ends = run(pursue(), failed("dns"), failed("connect"), failed("timeout"), failed("truncated"), failed("stalled"))
    assert [isinstance(end, Outcome) for end in ends] == [False, False, False, False, True]
    ends = run(pursue(), failed("dns"), failed("protocol"))
    assert isinstance(ends[-1], Outcome)


def test_requests_are_counted_not_attempts() -> None:
    """What never left the house is no request."""
    ends = run(pursue(), failed("dns", requests=0), failed("timeout"), redirected("/b"), AttemptResult(http_status=200))
    assert isinstance(ends[-1], Outcome)
    assert ends[-1].attempts == 3


def test_retry_after_within_bounds_is_left_to_the_pause_of_the_host() -> None:
    """The item goes back at once; its host is what waits."""
    assert run(pursue(max_wait=120), refused(503, retry_after=120.0)) == [Again(0.0)]


def test_retry_after_of_nothing_is_backed_off() -> None:
    """`Retry-After: 0` does not make us hammer."""
    assert run(pursue(), refused(503, retry_after=0.0)) == [Again(0.5)]


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_beyond_the_longest_wait_fails_and_names_it(status: int) -> None:
    """The user learns how long the server wants, and which option allows it."""
    (outcome,) = run(pursue(max_wait=60), refused(status, retry_after=61.0))
    assert isinstance(outcome, Outcome)
    assert (outcome.status, outcome.http_status) == (Status.FAILED, status)
    assert str(outcome.error) == f"http: status {status}; the server asks to wait 61 s, longer than --max-wait"


def test_retry_after_of_a_final_status_is_no_matter() -> None:
    """A 404 is missing, whatever it says besides."""
    (outcome,) = run(pursue(), refused(404, retry_after=1e9))
    assert isinstance(outcome, Outcome)
    assert outcome.status is Status.MISSING
    assert str(outcome.error) == "http: status 404"


def test_stale_connections_are_free_three_times() -> None:
    """Nobody's fault, so it costs no retry; a server that always hangs up is not asked for ever all the same."""
    stale = failed("disconnected", is_stale=True)
    pursuit = pursue(retries=0)
    ends = run(pursuit, stale, stale, stale, stale)
    assert ends[:3] == [Again(0.0)] * 3
    assert isinstance(ends[3], Outcome)
    assert ends[3].attempts == 4


def test_after_a_stale_connection_comes_a_fresh_one() -> None:
    """All that are kept may have been closed at the same moment (FAULTS, F44)."""
    pursuit = pursue()
    assert not pursuit.next_attempt().is_fresh
    assert run(pursuit, failed("disconnected", is_stale=True)) == [Again()]
    assert pursuit.next_attempt().is_fresh
    run(pursuit, failed("disconnected"))
    assert not pursuit.next_attempt().is_fresh


def test_want_of_resources_costs_no_retry_and_waits() -> None:
    """Open files come back when other attempts end; a machine that stays short of them is told in the end."""
    short = failed("connect", detail="out of resources", requests=0)
    pursuit = pursue(retries=0)
    ends = run(pursuit, *[short] * 21)
    assert ends[:20] == [Again(backoff(number, 1.0)) for number in range(1, 21)]
    assert isinstance(ends[20], Outcome)


def headers_after(pursuit: Pursuit, *locations: str) -> dict[str, str]:
    run(pursuit, *[redirected(location) for location in locations])
    return dict(pursuit.next_attempt().headers)


SECRETS = {"Authorization": "Bearer s", "Cookie": "c=1"}


def test_user_headers_go_to_the_own_origin() -> None:
    """There they stay over redirects; the coding is ours, the user agent a default."""
    pursuit = pursue(Item(URL, headers={"X-Item": "i"}), header=SECRETS)
    expected = {**DEFAULTS, **SECRETS, "X-Item": "i", "Accept-Encoding": "identity"}
    assert dict(pursuit.next_attempt().headers) == expected
    assert headers_after(pursuit, "/elsewhere", "http://example.org:80/b") == expected


@pytest.mark.parametrize("location", ["http://evil.example/", "http://example.org:81/", "https://example.org/"])
def test_nothing_of_the_user_goes_to_a_foreign_origin(location: str) -> None:
    """Neither his headers nor netrc's nor those of the URL; and not after the way back, either."""
    for locations in ([location], [location, "https://example.org/fr.svg"]):
        item = Item("http://me:pw@example.org/fr.svg", headers={"X-Item": "i", "User-Agent": "me"})
        pursuit = pursue(item, {"Authorization": "Basic netrc"}, header=SECRETS)
        assert headers_after(pursuit, *locations) == {**DEFAULTS, "Accept-Encoding": "identity"}


def test_nearer_credentials_win() -> None:
    """netrc, then the URL's user info, then --header, then the item's own."""
    netrc = {"Authorization": "Basic netrc"}
    url = Item("http://me:pw@example.org/")
    own = Item("http://me:pw@example.org/", headers={"authorization": "own"})
    asked = {"header": {"AUTHORIZATION": "asked"}}
    seen = [
        {name.lower(): value for name, value in pursuit.next_attempt().headers.items()}["authorization"]
        for pursuit in (
            pursue(None, netrc),
            pursue(url, netrc),
            pursue(url, netrc, **asked),
            pursue(own, netrc, **asked),
        )
    ]
    assert seen == ["Basic netrc", "Basic bWU6cHc=", "asked", "own"]


def test_attempt_says_what_the_content_must_be() -> None:
    """Size and digests of the list go along, as does the leave to replace."""
    attempt = pursue(Item(URL, bytes=5), existing="replace").next_attempt()
    assert (attempt.target.url, attempt.name, attempt.expected_bytes) == (URL, "fr.svg", 5)
    assert (attempt.expected_digests, attempt.may_replace, attempt.is_public_only) == ({"md5": "00"}, True, False)
    assert not pursue(existing="skip").next_attempt().may_replace


def test_redirect_of_a_public_server_must_stay_public() -> None:
    """Whatever later hops claim to be; unless the user allows it, or began in a private network."""
    pursuit = pursue()
    run(pursuit, redirected("http://b/"))
    assert pursuit.next_attempt().is_public_only
    run(pursuit, redirected("http://c/", is_private=True))
    assert pursuit.next_attempt().is_public_only
    private = pursue()
    run(private, redirected("http://b/", is_private=True), redirected("http://c/", is_private=False))
    assert not private.next_attempt().is_public_only
    allowed = pursue(allow_private_redirects=True)
    run(allowed, redirected("http://b/"))
    assert not allowed.next_attempt().is_public_only


def test_public_addresses_only_from_the_first_request_on() -> None:
    """Where URLs come from strangers, no private server vouches for the next, and no other option opens a way."""
    pursuit = pursue(address_policy="public", allow_private_redirects=True)
    assert pursuit.next_attempt().is_public_only
    run(pursuit, redirected("http://b/", is_private=True))
    assert pursuit.next_attempt().is_public_only


def test_redirects_change_the_host_that_is_asked_not_the_name() -> None:
    """Nothing that a server sends chooses a name."""
    pursuit = pursue()
    assert run(pursuit, redirected("http://b:81/evil.exe")) == [Again(0.0)]
    assert (pursuit.host, pursuit.name, pursuit.url) == ("b:81", "fr.svg", URL)
    (outcome,) = run(pursuit, AttemptResult(http_status=200, bytes=1))
    assert isinstance(outcome, Outcome)
    assert (outcome.url, outcome.path, outcome.attempts) == (URL, "fr.svg", 2)


@pytest.mark.parametrize(("location", "kind"), [("ftp://b/", "redirect"), ("http://b/", "policy")])
def test_redirect_that_is_not_followed_fails(location: str, kind: str) -> None:
    """At once, and says at which status."""
    (outcome,) = run(pursue(Item("https://example.org/x")), redirected(location))
    assert isinstance(outcome, Outcome)
    assert outcome.error is not None
    assert (outcome.status, outcome.error.kind, outcome.http_status, outcome.attempts) == ("failed", kind, 302, 1)


def test_circle_of_redirects_ends() -> None:
    """After ten hops, with one request each."""
    number, outcome = attempts_until_the_end(pursue(), redirected("/fr.svg"))
    assert outcome.error is not None
    assert (number, outcome.attempts, outcome.error.kind) == (11, 11, "redirect")


ERROR = make_error("exists", "fr.svg exists already")


@pytest.mark.parametrize(
    ("claim", "outcome"),
    [
        (Claim(Item(URL, line=3), parse_url(URL), "fr.svg"), None),
        (Claim(Item(URL, line=3), is_duplicate=True), Outcome(URL, Status.DUPLICATE, line=3)),
        (Claim(Item(URL, line=3), error=ERROR), Outcome(URL, Status.FAILED, error=ERROR, line=3)),
        (Claim(Rejected("?", ERROR, 3), error=ERROR), Outcome("?", Status.FAILED, error=ERROR, line=3)),
        (
            Claim(Item(URL, line=3), parse_url(URL), "fr.svg", present=0, present_digests={"md5": "00"}),
            Outcome(URL, Status.PRESENT, path="fr.svg", bytes=0, digests={"md5": "00"}, line=3),
        ),
    ],
)
def test_item_that_needs_no_request_has_its_outcome(claim: Claim, outcome: Outcome | None) -> None:
    """Duplicate, refused or there already, even when it is empty; without attempts."""
    assert outcome_of_claim(claim) == outcome


# What concerns not the item alone


def test_what_is_not_charged_costs_no_retry() -> None:
    """But it was a request, and is counted as one."""
    pursuit = pursue(retries=1)
    for _ in range(9):
        assert pursuit.conclude(failed("connect"), jitter=1.0, elapsed=1.0, is_charged=False) == Again()
    ends = run(pursuit, failed("connect"), failed("connect"))
    assert ends[0] == Again(0.5)
    assert isinstance(ends[1], Outcome)
    assert ends[1].attempts == 11


def test_item_that_is_given_up_keeps_what_it_has() -> None:
    """Its attempts and its last status; none if it was never asked for, or is on its way to another host."""
    error = make_error("connect", "given up", "h")
    never = pursue().fail(error, 0.0)
    assert (never.status, never.attempts, never.http_status, never.error) == (Status.FAILED, 0, None, error)
    pursuit = pursue()
    run(pursuit, refused(503))
    assert (pursuit.fail(error, 3.0).attempts, pursuit.fail(error, 3.0).http_status) == (1, 503)
    run(pursuit, redirected("http://elsewhere.example/"))
    assert pursuit.fail(error, 3.0).http_status is None
    assert pursuit.hostname == "elsewhere.example"


def test_name_that_does_not_exist_is_looked_up_again_after_a_second() -> None:
    """When the answer is no longer remembered."""
    assert run(pursue(), failed("dns", detail="unknown host"), jitter=0.0) == [Again(1.0)]


HALF = Half("part", 2 << 20, '"a"', URL)
OLDER = Half("older", 1 << 20, '"a"', URL)


def claimed(**details: Any) -> Claim:
    return Claim(Item(URL), parse_url(URL), "fr.svg", **details)


def pursue_claim(claim: Claim, **options: Any) -> Pursuit:
    return Pursuit(claim, Settings(**options), JobHeaders(DEFAULTS, {}), {})


def test_what_was_kept_is_gone_on_with() -> None:
    """What an earlier run left, and then what each attempt says that there is; the outcome says from where."""
    pursuit = pursue_claim(claimed(half=OLDER))
    assert pursuit.next_attempt().half == OLDER
    run(pursuit, failed("truncated", half=HALF))
    assert pursuit.next_attempt().half == HALF
    run(pursuit, redirected("http://b/", half=HALF))
    assert pursuit.next_attempt().half == HALF
    run(pursuit, failed("truncated"))
    assert pursuit.next_attempt().half is None
    (outcome,) = run(pursuit, AttemptResult(http_status=206, bytes=5, resumed_from=3))
    assert isinstance(outcome, Outcome)
    assert (outcome.resumed_from, outcome.http_status) == (3, 206)


def test_rest_that_cannot_be_had_is_given_up_at_once_and_for_good() -> None:
    """The next attempt costs no retry, waits for nothing, and keeps nothing for another."""
    pursuit = pursue_claim(claimed(half=HALF), retries=1, ledger=True)
    assert pursuit.next_attempt().may_keep
    assert run(pursuit, AttemptResult(http_status=416, must_restart=True)) == [Again(0.0)]
    attempt = pursuit.next_attempt()
    assert (attempt.half, attempt.may_keep) == (None, False)
    assert run(pursuit, failed("truncated")) == [Again(0.5)]
    (outcome,) = run(pursuit, failed("truncated"))
    assert isinstance(outcome, Outcome)
    assert outcome.attempts == 3


@pytest.mark.parametrize(("ledger", "may_keep"), [(False, [True, True, False]), (True, [True, True, True])])
def test_part_is_kept_for_somebody_only(ledger: bool, may_keep: list[bool]) -> None:
    """For another attempt, or for another run; the last attempt of a run without ledger leaves it to nobody."""
    pursuit = pursue_claim(claimed(row=7), retries=2, ledger=ledger)
    seen = []
    for _ in range(3):
        seen.append(pursuit.next_attempt().may_keep)
        run(pursuit, failed("truncated"))
    assert seen == may_keep
    assert pursuit.next_attempt().row == (7 if ledger else 0)


@pytest.mark.parametrize(
    ("known", "field"),
    [
        ({"etag": 'W/"a"'}, ("If-None-Match", 'W/"a"')),
        ({"etag": '"a"', "last_modified": "then"}, ("If-None-Match", '"a"')),
        ({"last_modified": "then"}, ("If-Modified-Since", "then")),
    ],
)
def test_known_file_is_asked_for_if_it_has_changed(known: dict[str, str], field: tuple[str, str]) -> None:
    """Wherever redirects lead, for that is where it came from; not changed it is present as it was."""
    claim = claimed(present=5, present_digests={"md5": "00"}, may_replace=True, **known)
    assert outcome_of_claim(claim) is None
    pursuit = pursue_claim(claim, ledger=True, header={field[0]: "of the user"})
    run(pursuit, redirected("http://b/"))
    attempt = pursuit.next_attempt()
    name, value = field
    assert (attempt.is_conditional, attempt.may_replace, attempt.headers[name]) == (True, True, value)
    assert len(attempt.headers.keys() & {"If-None-Match", "If-Modified-Since"}) == 1
    (outcome,) = run(pursuit, AttemptResult(http_status=304, is_unchanged=True))
    assert outcome == Outcome(URL, Status.PRESENT, "fr.svg", 5, {"md5": "00"}, http_status=304, attempts=2, elapsed=2.5)


def test_unknown_file_is_asked_for_plainly() -> None:
    """No condition, no leave to replace."""
    attempt = pursue_claim(claimed()).next_attempt()
    assert (attempt.is_conditional, attempt.may_replace) == (False, False)
    assert not attempt.headers.keys() & {"If-None-Match", "If-Modified-Since", "If-Range", "Range"}
