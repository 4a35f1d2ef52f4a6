"""What every driver makes of an answer: the rules for a body, and the result that it ends in."""

from __future__ import annotations

import errno

import pytest

from aioflags.disk_errors import translate_os_error
from aioflags.engines.answers import BodyRules, has_private_host, refused, result_of_saved, result_of_unsaved
from aioflags.engines.seam import Attempt
from aioflags.errors import ChecksumError, DownloadError, RefusedError, TruncatedError, make_error
from aioflags.transfer import Accept, Ending
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


def test_body_that_was_refused_keeps_its_error() -> None:
    """It names its host already."""
    error = make_error("truncated", "cut", "elsewhere.example")
    result = result_of_unsaved(error, Attempt(parse_url("http://example.org/a"), "a"), 200)
    assert (result.error, result.detail) == (error, "")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "Mon, 23 Nov 2026 08:00:09 GMT", "Date": "Mon, 23 Nov 2026 08:00:00 GMT"}, 9.0),
        ({"Retry-After": "Mon, 23 Nov 2020 08:00:00 GMT"}, 0.0),
    ],
)
def test_refusal_says_how_long(headers: dict[str, str], seconds: float | None) -> None:
    """In seconds or as a date, by the server's own clock; nonsense is no wait."""
    result = refused(make_error("http", "no", "example.org"), 503, headers)
    assert (result.retry_after, result.http_status, result.location) == (seconds, 503, None)
