"""What an answer means: every status and every field has one meaning, decided by a call and an assert."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from aioflags.journal import Half
from aioflags.transfer import (
    Accept,
    Ending,
    Redirect,
    Refuse,
    Restart,
    Unchanged,
    Verdict,
    judge_digests,
    judge_end,
    judge_response,
    judge_size,
)

HOST = "example.org"


def judge(
    status: int, headers: dict[str, str], *, expected: int | None = None, max_bytes: int | None = None
) -> Verdict:
    return judge_response(status, CIMultiDict(headers), host=HOST, expected=expected, max_bytes=max_bytes)


def refusal(verdict: Verdict) -> tuple[str, str]:
    assert isinstance(verdict, Refuse)
    assert verdict.error.host == HOST
    return verdict.error.kind, verdict.error.message


@pytest.mark.parametrize("status", range(100, 600))
def test_every_status_has_its_verdict(status: int) -> None:
    """Two statuses bring the file, five lead elsewhere, all others are no file; none is left to chance."""
    verdict = judge(status, {"Location": "/there", "Content-Length": "5"})
    if status in {200, 203}:
        assert verdict == Accept(5, is_chunked=False, content_encoding=None)
    elif status in {301, 302, 303, 307, 308}:
        assert verdict == Redirect("/there")
    else:
        kind, message = refusal(verdict)
        assert kind == ("protocol" if status == 206 or status < 200 else "http")
        assert str(status) in message


@pytest.mark.parametrize("location", [None, "", " \t"])
def test_redirect_to_nowhere_is_refused(location: str | None) -> None:
    """There is nothing to follow, and the body is no file."""
    fields = {} if location is None else {"Location": location}
    assert refusal(judge(302, fields)) == ("redirect", "status 302 without a Location to go to")


@pytest.mark.parametrize(
    "headers",
    [
        {"Transfer-Encoding": "chunked", "Content-Length": "5"},
        {"Transfer-Encoding": "gzip, chunked"},
        {"Transfer-Encoding": "xchunked"},
        {"Transfer-Encoding": "identity", "Content-Length": "5"},
    ],
)
def test_framing_that_can_be_read_in_two_ways_is_refused(headers: dict[str, str]) -> None:
    """A transfer coding other than chunked alone, or beside a length, leaves the end of the body open to dispute."""
    assert refusal(judge(200, headers))[0] == "protocol"


@pytest.mark.parametrize(
    ("headers", "accept"),
    [
        ({}, Accept(None, False, None)),
        ({"content-length": "0"}, Accept(0, False, None)),
        ({"CONTENT-LENGTH": " 12 "}, Accept(12, False, None)),
        ({"Transfer-Encoding": "chunked"}, Accept(None, True, None)),
        ({"transfer-encoding": " Chunked"}, Accept(None, True, None)),
        ({"Content-Encoding": "gzip", "Content-Length": "5"}, Accept(5, False, "gzip")),
        ({"Content-Encoding": " GZIP, br "}, Accept(None, False, "gzip, br")),
        ({"Content-Encoding": "identity"}, Accept(None, False, None)),
        ({"Content-Encoding": ""}, Accept(None, False, None)),
        ({"Content-Encoding": "x" * 1000}, Accept(None, False, "x" * 80)),
        ({"Content-Encoding": "a\x1b[31m"}, Accept(None, False, r"a\x1b[31m")),
    ],
)
def test_body_is_accepted_as_it_is_announced(headers: dict[str, str], accept: Accept) -> None:
    """Length, framing and coding come from the head; what goes to a terminal is cut and escaped."""
    assert judge(200, headers) == accept


@pytest.mark.parametrize(
    "length", ["", "-1", "+5", "5.0", "0x5", "5, 6", "five", "9" * 19, "\u0665", "5 5", "\x1b[31m"]
)
def test_length_that_is_none_is_refused(length: str) -> None:
    """Guessing where a body ends would make half a file a whole one."""
    kind, message = refusal(judge(200, {"Content-Length": length}))
    assert kind == "protocol"
    assert message.isprintable()


@pytest.mark.parametrize(
    ("length", "expected", "max_bytes", "kind"),
    [
        ("100", 100, 100, None),
        ("100", None, 99, "too_large"),
        ("100", 99, None, "checksum"),
        ("100", 101, None, "checksum"),
        ("0", 1, None, "checksum"),
        ("1", None, 0, "too_large"),
        ("0", None, 0, None),
    ],
)
def test_announced_size_is_judged_before_the_body(
    length: str, expected: int | None, max_bytes: int | None, kind: str | None
) -> None:
    """A body that cannot be the one wanted is not even read."""
    verdict = judge(200, {"Content-Length": length}, expected=expected, max_bytes=max_bytes)
    assert (None if isinstance(verdict, Accept) else refusal(verdict)[0]) == kind


@pytest.mark.parametrize(
    ("size", "is_whole", "kind"), [(9, False, None), (10, False, None), (11, False, "checksum"), (9, True, "checksum")]
)
def test_declared_size_is_judged_on_the_way(size: int, is_whole: bool, kind: str | None) -> None:
    """Too much is wrong at once, too little only at the end."""
    error = judge_size(size, host=HOST, expected=10, max_bytes=None, is_whole=is_whole)
    assert (error and error.kind) == kind


def test_limit_of_the_user_goes_before_the_list() -> None:
    """Both are broken: what the user can change is said, with the option's name."""
    error = judge_size(100, host=HOST, expected=10, max_bytes=50, is_whole=False)
    assert str(error) == "too_large: the body is larger than --max-bytes 50"


ENDS = [
    # length, chunked, received, ending, kind
    (10, False, 10, Ending.CLEAN, None),
    (10, False, 10, Ending.RESET, None),
    (10, False, 9, Ending.CLEAN, "truncated"),
    (10, False, 9, Ending.CUT, "truncated"),
    (10, False, 9, Ending.RESET, "truncated"),
    (10, False, 11, Ending.CLEAN, "protocol"),
    (0, False, 0, Ending.CLEAN, None),
    (None, True, 5, Ending.CLEAN, None),
    (None, True, 5, Ending.CUT, "truncated"),
    (None, True, 5, Ending.RESET, "truncated"),
    # RFC 9112, section 8: without a length, a clean end of the connection is the end of the body.
    (None, False, 5, Ending.CLEAN, None),
    (None, False, 5, Ending.CUT, "truncated"),
    (None, False, 5, Ending.RESET, "disconnected"),
]


@pytest.mark.parametrize(("length", "is_chunked", "received", "ending", "kind"), ENDS)
def test_whole_or_not(length: int | None, is_chunked: bool, received: int, ending: Ending, kind: str | None) -> None:
    """Only what certainly came to its end is whole."""
    error = judge_end(Accept(length, is_chunked, None), received, ending, host=HOST)
    assert (error and error.kind) == kind


@given(length=st.integers(0, 100), received=st.integers(0, 100), ending=st.sampled_from(Ending))
def test_no_ending_makes_a_short_body_whole(length: int, received: int, ending: Ending) -> None:
    """The announced length is the law."""
    if received != length:
        assert judge_end(Accept(length, False, None), received, ending, host=HOST) is not None


def test_digests_must_all_agree() -> None:
    """One wrong one is enough; more that were computed do not matter."""
    found = {"xxh128": "00", "md5": "aa", "sha256": "bb"}
    assert judge_digests({}, found) is None
    assert judge_digests({"md5": "aa", "sha256": "bb"}, found) is None
    assert str(judge_digests({"md5": "aa", "sha256": "cc"}, found)) == "checksum: sha256 is bb, the list declares cc"


SOURCE = "http://example.org/big"
HALF = Half("part", 40, '"a"', SOURCE, 100)
REST = {"ETag": '"a"', "Content-Range": "bytes 40-99/100", "Content-Length": "60"}


def judge_rest(status: int, headers: dict[str, str], **options: Any) -> Verdict:
    return judge_response(status, CIMultiDict(headers), host=HOST, half=HALF, **options)


def test_rest_that_fits_goes_on_after_the_head() -> None:
    """Sizes are those of the whole file, and what is cut again can be gone on with again."""
    assert judge_rest(206, REST) == Accept(100, False, None, start=40, etag='"a"', validator='"a"')


@pytest.mark.parametrize(
    ("status", "changes", "verdict"),
    [
        (206, {"Content-Range": "bytes 0-99/100"}, Restart()),
        (206, {"Content-Range": "bytes 40-99/101"}, Restart()),
        (206, {"ETag": '"b"'}, Restart()),
        (206, {"Content-Encoding": "gzip"}, Restart()),
        (416, {}, Restart()),
        (416, {"Content-Range": "bytes */40"}, Restart()),
    ],
)
def test_rest_that_cannot_be_had_is_not_waited_for(status: int, changes: dict[str, str], verdict: Verdict) -> None:
    """The file is asked for whole, whatever the reason."""
    assert judge_rest(status, REST | changes) == verdict


@pytest.mark.parametrize("status", [*range(100, 200), *range(201, 206), *range(207, 416), *range(417, 600)])
def test_other_answers_mean_what_they_mean_without_a_range(status: int) -> None:
    """A range changes the meaning of two statuses, and of no other."""
    headers = {"Location": "/there", "Content-Length": "5", "ETag": '"a"'}
    with_range, without = judge_rest(status, headers), judge(status, headers)
    assert repr(with_range) == repr(without)


def test_whole_file_in_place_of_its_rest_begins_at_its_first_byte() -> None:
    """And has a validator of its own."""
    verdict = judge_rest(200, {"ETag": '"b"', "Content-Length": "5000000"})
    assert verdict == Accept(5_000_000, False, None, start=0, etag='"b"', validator='"b"')


@pytest.mark.parametrize(("length", "validator"), [(1 << 20, '"a"'), ((1 << 20) - 1, None)])
def test_short_body_is_never_gone_on_with(length: int, validator: str | None) -> None:
    """What is as soon fetched anew is not worth a look at its validators, which many servers have only as dates."""
    verdict = judge(200, {"ETag": '"a"', "Content-Length": str(length)})
    assert verdict == Accept(length, False, None, etag='"a"', validator=validator)


@pytest.mark.parametrize(
    ("limits", "kind"),
    [
        ({"max_bytes": 100}, None),
        ({"max_bytes": 99}, "too_large"),
        ({"expected": 100}, None),
        ({"expected": 60}, "checksum"),
    ],
)
def test_limits_hold_for_the_whole_file(limits: dict[str, int], kind: str | None) -> None:
    """Not for the rest of it."""
    verdict = judge_rest(206, REST, **limits)
    assert (None if isinstance(verdict, Accept) else refusal(verdict)[0]) == kind


def test_framing_of_a_rest_is_held_to_the_same_rules() -> None:
    """Two ways to find its end are none."""
    chunked = {"ETag": '"a"', "Content-Range": "bytes 40-99/100", "Transfer-Encoding": "chunked"}
    assert judge_rest(206, chunked) == Accept(100, True, None, start=40, etag='"a"', validator='"a"')
    assert refusal(judge_rest(206, chunked | {"Content-Length": "60"}))[0] == "protocol"


@pytest.mark.parametrize(
    ("status", "headers", "validator"),
    [
        (200, {"ETag": '"a"'}, '"a"'),
        (200, {"ETag": 'W/"a"'}, None),
        (200, {"ETag": '"a"', "Content-Encoding": "gzip"}, None),
        (203, {"ETag": '"a"'}, None),
    ],
)
def test_what_was_changed_on_its_way_is_not_what_the_etag_names(
    status: int, headers: dict[str, str], validator: str | None
) -> None:
    """A coding or a proxy makes other bytes of the file; they cannot be gone on with."""
    verdict = judge(status, headers)
    assert isinstance(verdict, Accept)
    assert (verdict.validator, verdict.etag) == (validator, headers["ETag"])


def test_not_modified_is_an_answer_to_a_condition_only() -> None:
    """Without one it brings nothing that we have."""
    assert judge_response(304, {}, host=HOST, is_conditional=True) == Unchanged()
    assert refusal(judge(304, {}))[0] == "http"
    assert isinstance(judge_response(200, {}, host=HOST, is_conditional=True), Accept)
