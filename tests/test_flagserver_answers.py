"""What HTTP's rules on ranges and conditions make of a request."""

from __future__ import annotations

import pytest

from aioflags.flagserver.answers import Answer, answer_content, answer_status
from aioflags.flagserver.messages import Request
from aioflags.flagserver.resources import LAST_MODIFIED, make_bytes

RESOURCE = make_bytes(100, "")
EMPTY = make_bytes(0, "")
EARLIER = "Wed, 31 Dec 2025 23:59:59 GMT"


def _get(method: str = "GET", **headers: str) -> Answer:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return answer_content(Request(method, "/", fields, is_http_1_1=True, is_keep_alive=True), RESOURCE)


def test_plain_get_is_the_whole_with_validators() -> None:
    """Without conditions everything comes, and with it what a later continuation needs."""
    answer = _get()
    assert (answer.status, answer.start, answer.stop) == (200, 0, 100)
    for line in (f"ETag: {RESOURCE.etag}", f"Last-Modified: {LAST_MODIFIED}", "Accept-Ranges: bytes"):
        assert f"{line}\r\n" in answer.fields


@pytest.mark.parametrize(
    ("value", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=10-19", 10, 20),
        ("bytes=90-", 90, 100),
        ("bytes=90-500", 90, 100),
        ("bytes=-10", 90, 100),
        ("bytes=-500", 0, 100),
        ("BYTES=5-5", 5, 6),
    ],
)
def test_single_range_is_partial_content(value: str, start: int, stop: int) -> None:
    """Closed, open and suffix ranges are cut at the end of the content and say which bytes they are."""
    answer = _get(range=value)
    assert (answer.status, answer.start, answer.stop) == (206, start, stop)
    assert f"Content-Range: bytes {start}-{stop - 1}/100\r\n" in answer.fields


@pytest.mark.parametrize("value", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_range_outside_is_not_satisfiable(value: str) -> None:
    """416 tells the size, so that the client sees what it has."""
    answer = _get(range=value)
    assert answer.status == 416
    assert "Content-Range: bytes */100\r\n" in answer.fields


def test_no_range_of_nothing_is_satisfiable() -> None:
    """Of an empty file not even the first byte can be had."""
    request = Request("GET", "/", {"range": "bytes=0-"}, is_http_1_1=True, is_keep_alive=True)
    assert "Content-Range: bytes */0\r\n" in answer_content(request, EMPTY).fields


@pytest.mark.parametrize(
    "value", ["bytes=0-1,5-6", "bytes=5-1", "bytes=-", "bytes=a-b", "lines=0-1", "bytes 0-1", "bytes=1-" + "9" * 40]
)
def test_other_ranges_are_ignored(value: str) -> None:
    """Several ranges, nonsense and foreign units yield the whole."""
    assert _get(range=value).status == 200


def test_head_and_rangeless_urls_ignore_ranges() -> None:
    """Range is defined for GET only, and a server may not know it at all."""
    assert _get("HEAD", range="bytes=0-1").status == 200
    request = Request("GET", "/", {"range": "bytes=0-1"}, is_http_1_1=True, is_keep_alive=True)
    answer = answer_content(request, RESOURCE, ranges=False)
    assert answer.status == 200
    assert "Accept-Ranges: none\r\n" in answer.fields


@pytest.mark.parametrize(
    ("validator", "status"),
    [(RESOURCE.etag, 206), (LAST_MODIFIED, 206), ('"other"', 200), (f"W/{RESOURCE.etag}", 200), (EARLIER, 200)],
)
def test_if_range_needs_the_very_validator(validator: str, status: int) -> None:
    """A part is given to whoever started with this content, strongly compared; the whole to everyone else."""
    assert _get(range="bytes=1-", if_range=validator).status == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"if_none_match": RESOURCE.etag}, 304),
        ({"if_none_match": f'"x", W/{RESOURCE.etag}'}, 304),
        ({"if_none_match": "*"}, 304),
        ({"if_none_match": '"x"'}, 200),
        ({"if_modified_since": LAST_MODIFIED}, 304),
        ({"if_modified_since": EARLIER}, 200),
        ({"if_modified_since": "yesterday"}, 200),
        ({"if_modified_since": LAST_MODIFIED, "if_none_match": '"x"'}, 200),
        ({"if_match": RESOURCE.etag}, 200),
        ({"if_match": '"x"'}, 412),
    ],
)
def test_conditions_decide_before_content(headers: dict[str, str], status: int) -> None:
    """What the client has already is not sent again; a tag outranks a date."""
    assert _get(**headers).status == status


def test_not_modified_names_the_content_but_carries_none() -> None:
    """304 has the validators and no body."""
    answer = _get(if_none_match="*")
    assert f"ETag: {RESOURCE.etag}\r\n" in answer.fields
    assert not answer.has_body


def test_status_answer_says_what_it_is() -> None:
    """A bare status comes with a line of text; 204 cannot have one."""
    answer = answer_status(404)
    assert b"".join(answer.resource.read(0, answer.stop)) == b"404 Not Found\n"
    assert answer.has_body
    assert not answer_status(204).has_body
