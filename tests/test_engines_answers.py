"""What every driver makes of an answer: the rules for a body, and the result that it ends in."""

from __future__ import annotations

import errno
from dataclasses import replace
from typing import Any

import pytest

from aioflags.disk_errors import LostBytesError, translate_os_error
from aioflags.engines.answers import (
    BodyRules,
    has_private_host,
    judge_rest,
    keeps_half,
    refused,
    result_of_bodiless,
    result_of_saved,
    result_of_unsaved,
    wanted_of,
)
from aioflags.engines.seam import Attempt, AttemptResult
from aioflags.errors import ChecksumError, DownloadError, RefusedError, TruncatedError, make_error
from aioflags.journal import Half
from aioflags.transfer import Accept, Ending, Redirect, Refuse, Restart, Unchanged
from aioflags.urls import parse_url
from aioflags.writer import Saved


def rules(*, length: int | None = None, expected: int | None = None, max_bytes: int | None = None) -> BodyRules:
    attempt = Attempt(parse_url("http://example.org/a"), "a", expected_bytes=expected)
    return BodyRules(attempt, Accept(length=length, is_chunked=False, content_encoding=None), max_bytes)


@pytest.mark.parametrize(
    ("rule", "received", "wrong"),
    [
        (rules(max_bytes=10), 10, None),
        (rules(max_bytes=10), 11, RefusedError),
        (rules(expected=10), 9, None),
        (rules(expected=10), 11, ChecksumError),
        (rules(), 1 << 60, None),
    ],
)
def test_body_on_its_way(rule: BodyRules, received: int, wrong: type[DownloadError] | None) -> None:
    """Is refused with the first byte too many, not at its end."""
    if wrong is None:
        rule.check_size(received)
    else:
        with pytest.raises(wrong, match=r"\d"):
            rule.check_size(received)


@pytest.mark.parametrize(
    ("rule", "received", "ending", "wrong"),
    [
        (rules(length=10), 10, Ending.CLEAN, None),
        (rules(length=10), 9, Ending.CLEAN, TruncatedError),
        (rules(length=10), 9, Ending.CUT, TruncatedError),
        (rules(), 9, Ending.CLEAN, None),
        (rules(), 9, Ending.RESET, DownloadError),
        (rules(expected=10), 9, Ending.CLEAN, ChecksumError),
        (rules(expected=10), 10, Ending.CLEAN, None),
    ],
)
def test_body_at_its_end(rule: BodyRules, received: int, ending: Ending, wrong: type[DownloadError] | None) -> None:
    """Must have its length, its framing and the size that was declared."""
    if wrong is None:
        rule.check_end(received, ending)
    else:
        with pytest.raises(wrong) as raised:
            rule.check_end(received, ending)
        assert raised.value.host == "example.org"


@pytest.mark.parametrize(
    ("host", "is_private"),
    [
        ("127.0.0.1", True), ("10.0.0.1", True), ("[::1]", True), ("[fe80::1]", True), ("169.254.169.254", True),
        ("8.8.8.8", False), ("[2606:4700::1111]", False), ("localhost", True), ("example.org", False),
    ],
)  # fmt: skip
def test_address_in_the_url(host: str, is_private: bool) -> None:
    """Is known without a look-up, and so is a name that means nothing elsewhere."""
    assert has_private_host(Attempt(parse_url(f"http://{host}/"), "a")) == is_private


def test_saved_file() -> None:
    """Size and digests of what was written, status and coding of what was answered."""
    result = result_of_saved(
        Saved(5, {"xxh128": "00"}), Accept(length=5, is_chunked=False, content_encoding="gzip"), 200
    )
    assert (result.error, result.bytes, result.digests) == (None, 5, {"xxh128": "00"})
    assert (result.content_encoding, result.http_status) == ("gzip", 200)


@pytest.mark.parametrize(
    ("code", "detail"),
    [
        (errno.ENOSPC, "destination"), (errno.EROFS, "destination"), (errno.EIO, "destination"), (errno.EFBIG, ""),
        (errno.ENAMETOOLONG, ""), (errno.EMFILE, "out of resources"), (errno.ENFILE, "out of resources"),
    ],
)  # fmt: skip
def test_disk_that_refuses(code: int, detail: str) -> None:
    """The fault of a file fails an item, one of the destination ends the run, want of files passes; all name a host."""
    cause = OSError(code, "no")
    error = translate_os_error(cause, "write a")
    error.__cause__ = cause
    result = result_of_unsaved(error, Attempt(parse_url("http://example.org/a"), "a"), 200)
    assert (result.detail, result.http_status) == (detail, 200)
    assert result.error is not None
    assert (result.error.kind, result.error.host, result.error.__cause__) == ("storage", "example.org", cause)


@pytest.mark.parametrize(("code", "detail"), [(errno.EIO, "lost bytes"), (errno.ENOSPC, "destination")])
def test_disk_that_did_not_keep_what_it_took(code: int, detail: str) -> None:
    """Another file may fare better, but not on a full disk."""
    cause = LostBytesError(code, "no")
    error = translate_os_error(cause, "sync a")
    error.__cause__ = cause
    assert result_of_unsaved(error, Attempt(parse_url("http://example.org/a"), "a"), 200).detail == detail


def test_body_that_was_refused_keeps_its_error() -> None:
    """It names its host already."""
    error = make_error("truncated", "cut", "elsewhere.example")
    result = result_of_unsaved(error, Attempt(parse_url("http://example.org/a"), "a"), 200)
    assert (result.error, result.detail) == (error, "")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Mon, 23 Nov 2026 08:00:09 GMT", "date": "Mon, 23 Nov 2026 08:00:00 GMT"}, 9.0),
        ({"retry-after": "Mon, 23 Nov 2020 08:00:00 GMT"}, 0.0),
    ],
)
def test_refusal_says_how_long(headers: dict[str, str], seconds: float | None) -> None:
    """In seconds or as a date, by the server's own clock; nonsense is no wait."""
    result = refused(make_error("http", "no", "example.org"), 503, headers)
    assert (result.retry_after, result.http_status, result.location) == (seconds, 503, None)


HALF = Half("part", 40, '"a"', "http://example.org/a", 100)
ATTEMPT = Attempt(
    parse_url("http://example.org/a?signature=1"), "a", expected_digests={"md5": "00"}, row=7, may_keep=True
)
ACCEPT = Accept(100, False, None, start=40, etag='"a"', last_modified="then", validator='"a"')


def test_file_is_wanted_with_all_that_its_answer_says() -> None:
    """For the record, and for whoever must ask for its rest."""
    wanted = wanted_of(replace(ATTEMPT, may_replace=True), ACCEPT)
    assert (wanted.name, wanted.digests, wanted.may_replace, wanted.row) == ("a", {"md5": "00"}, True, 7)
    assert (wanted.etag, wanted.last_modified, wanted.content_encoding) == ('"a"', "then", None)
    assert wanted.rest == replace(HALF, part="", size=0)


@pytest.mark.parametrize(
    ("attempt", "accept"),
    [(replace(ATTEMPT, may_keep=False), ACCEPT), (ATTEMPT, replace(ACCEPT, validator=None)), (ATTEMPT, None)],
)
def test_rest_of_a_file_that_nobody_can_ask_for(attempt: Attempt, accept: Accept | None) -> None:
    """Nobody may, or nobody could."""
    assert wanted_of(attempt, accept).rest is None


FOR_NOBODY = replace(ATTEMPT, may_keep=False)
WITHIN_THE_RUN = replace(ATTEMPT, row=0)


@pytest.mark.parametrize(
    ("kind", "details", "after_a_body", "within_the_run", "across_runs"),
    [
        ("truncated", {}, True, True, True),
        ("disconnected", {}, True, True, True),
        ("stalled", {}, True, True, True),
        ("timeout", {}, False, True, True),
        ("connect", {}, False, True, True),
        ("protocol", {}, False, True, True),
        ("http", {"http_status": 503}, False, True, True),
        ("http", {"http_status": 403}, False, False, True),
        ("checksum", {}, False, False, False),
        ("too_large", {}, False, False, False),
        ("exists", {}, False, False, False),
        ("storage", {}, False, False, False),
        ("storage", {"detail": "out of resources"}, False, True, True),
        ("policy", {}, False, False, True),
    ],
)
def test_what_there_is_of_a_file_is_kept_or_not(
    kind: str, details: dict[str, Any], after_a_body: bool, within_the_run: bool, across_runs: bool
) -> None:
    """A body that was cut, and only that; an older head as long as another attempt, or another run, could use it."""
    result = AttemptResult(make_error(kind, "it failed"), **details)
    assert keeps_half(ATTEMPT, result, has_begun=True) is after_a_body
    assert keeps_half(WITHIN_THE_RUN, result, has_begun=True) is after_a_body
    assert keeps_half(WITHIN_THE_RUN, result, has_begun=False) is within_the_run
    assert keeps_half(ATTEMPT, result, has_begun=False) is across_runs
    assert not any(keeps_half(FOR_NOBODY, result, has_begun=begun) for begun in (True, False))


@pytest.mark.parametrize(
    ("result", "is_kept"),
    [
        (AttemptResult(location="/there"), True),
        (AttemptResult(), False),
        (AttemptResult(must_restart=True), False),
        (AttemptResult(is_unchanged=True), False),
    ],
)
def test_head_outlives_a_redirect_and_no_other_success(result: AttemptResult, is_kept: bool) -> None:
    """Where the redirect leads it may be of use."""
    assert keeps_half(ATTEMPT, result, has_begun=False) is is_kept


@pytest.mark.parametrize("has_begun", [True, False])
def test_cancelled_attempt_keeps_for_another_run_only(has_begun: bool) -> None:
    """In this one nobody asks again."""
    assert keeps_half(ATTEMPT, None, has_begun=has_begun)
    assert not keeps_half(WITHIN_THE_RUN, None, has_begun=has_begun)
    assert not keeps_half(FOR_NOBODY, None, has_begun=has_begun)


@pytest.mark.parametrize(
    ("result", "must_restart"),
    [
        (AttemptResult(make_error("checksum", "no"), http_status=206, resumed_from=40), True),
        (AttemptResult(make_error("protocol", "no"), http_status=206, resumed_from=40), True),
        (AttemptResult(make_error("protocol", "no")), True),
        (AttemptResult(make_error("truncated", "no"), http_status=206, resumed_from=40), False),
        (AttemptResult(make_error("too_large", "no"), http_status=206, resumed_from=40), False),
        (AttemptResult(make_error("checksum", "no"), http_status=200), False),
        (AttemptResult(make_error("protocol", "no"), http_status=200), False),
        (AttemptResult(make_error("timeout", "no")), False),
        (AttemptResult(http_status=206, resumed_from=40), False),
    ],
)
def test_file_that_was_put_together_wrong_is_asked_for_whole(result: AttemptResult, must_restart: bool) -> None:
    """Its head may be to blame; one that came in one piece, or was not asked for in two, is wrong for good."""
    judged = judge_rest(result, has_asked=True)
    assert (judged.must_restart, judged.error is None) == (must_restart, must_restart or result.error is None)
    assert judge_rest(result, has_asked=False) is result


@pytest.mark.parametrize(
    ("verdict", "result"),
    [
        (Redirect("/b"), AttemptResult(location="/b", http_status=302, is_private=True)),
        (Restart(), AttemptResult(must_restart=True, http_status=302)),
        (Unchanged(), AttemptResult(is_unchanged=True, http_status=302)),
    ],
)
def test_answer_without_a_file_says_how_to_go_on(
    verdict: Redirect | Restart | Unchanged, result: AttemptResult
) -> None:
    """Elsewhere, from the first byte, or not at all; none of them is an error."""
    assert result_of_bodiless(verdict, 302, {}, is_private=True) == result


def test_answer_that_is_refused_keeps_its_error() -> None:
    """And what it says of when to come back."""
    error = make_error("http", "no", "example.org")
    result = result_of_bodiless(Refuse(error), 503, {"retry-after": "7"}, is_private=False)
    assert (result.error, result.http_status, result.retry_after) == (error, 503, 7.0)
