"""What the flag server takes for a request, and what it refuses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioflags.flagserver.messages import BadRequestError, format_date, get_reason, read_head, write_head


def test_head_is_taken_apart() -> None:
    """Method, target and headers come out; names in lower case, values trimmed, repeated ones joined."""
    request = read_head(b"GET /a?b=1 HTTP/1.1\r\nHOST: x\r\nAccept:  a \r\naccept: b\r\n\r\n")
    assert (request.method, request.target) == ("GET", "/a?b=1")
    assert request.headers == {"host": "x", "accept": "a, b"}
    assert request.is_keep_alive


@pytest.mark.parametrize(
    ("head", "is_kept"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Close\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", True),
    ],
)
def test_connection_lives_as_the_version_and_the_client_say(head: bytes, is_kept: bool) -> None:
    """HTTP/1.1 stays unless told to close, HTTP/1.0 closes unless told to stay."""
    assert read_head(head).is_keep_alive is is_kept


@pytest.mark.parametrize(
    ("target", "origin"),
    [("http://x/a?b", "/a?b"), ("HTTPS://x:1/", "/"), ("http://x", "/"), ("/a", "/a")],
)
def test_absolute_target_becomes_a_path(target: str, origin: str) -> None:
    """Whoever takes the server for a proxy gets the same answers."""
    assert read_head(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode()).target == origin


@pytest.mark.parametrize(
    "head",
    [
        b"GET /\r\nHost: x\r\n\r\n",
        b"GET / HTTP/2.0\r\nHost: x\r\n\r\n",
        b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA: b\x00c\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n",
        b"GET fr.gif HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET ftp://x/ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n",
    ],
)
def test_malformed_head_is_refused(head: bytes) -> None:
    """What is no request of HTTP/1.x without a body is answered with 400."""
    with pytest.raises(BadRequestError) as caught:
        read_head(head)
    assert caught.value.status == 400


def test_body_of_another_method_is_no_malformed_request() -> None:
    """POST with a body is told that only GET and HEAD are served."""
    with pytest.raises(BadRequestError) as caught:
        read_head(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n")
    assert caught.value.status == 405


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """No input makes the reader fail in any other way."""
    try:
        request = read_head(data + b"\r\n\r\n")
    except BadRequestError:
        return
    assert request.target.startswith("/")


def test_answer_head_is_written_with_its_phrase() -> None:
    """The status line carries the standard phrase, or a neutral one; the empty line ends the head."""
    assert write_head(206, "A: b\r\n", "now").startswith(b"HTTP/1.1 206 Partial Content\r\nDate: now\r\n")
    assert write_head(200, "A: b\r\n", "now").endswith(b"\r\nA: b\r\n\r\n")
    assert get_reason(599) == "Status"


def test_date_is_that_of_the_standard_example() -> None:
    """The example of RFC 9110, section 5.6.7, comes out."""
    assert format_date(784111777) == "Sun, 06 Nov 1994 08:49:37 GMT"
