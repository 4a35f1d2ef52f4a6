"""What the blocking driver takes for an answer; the faults as a server makes them are in the contract suite."""

from __future__ import annotations

import io
import socket
from http.client import HTTPException, IncompleteRead, RemoteDisconnected
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from urllib3.exceptions import HeaderParsingError

from aioflags.engines.blocking_response import FinalResponse, FramingError

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


class Wire:
    """A connection that brings these bytes and then its end."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, *_: object) -> io.BufferedReader:
        return io.BufferedReader(io.BytesIO(self._data))


def answered(data: bytes) -> FinalResponse:
    """Read the head."""
    response = FinalResponse(cast(socket.socket, Wire(data)), method="GET")
    response.begin()
    return response


def body_of(response: FinalResponse) -> bytes:
    """Read the body as the driver does."""
    return b"".join(iter(lambda: response.read1(1 << 16), b""))


@pytest.mark.parametrize(
    "interim", [b"", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early\r\nX: 1\r\n\r\n" * 200]
)
@pytest.mark.parametrize("fields", [0, 1, 99, 100, 101, 999])
def test_final_answer_is_found(interim: bytes, fields: int) -> None:
    """Behind any interim ones, with all of its fields in their order."""
    lines = b"".join(b"X-%d: %d\r\n" % (number, number) for number in range(fields))
    response = answered(interim + b"HTTP/1.1 200 OK\r\n" + lines + b"\r\nbody")
    assert (response.status, list(response.msg.values())) == (200, [str(number) for number in range(fields)])
    assert body_of(response) == b"body"


def test_long_lines_are_not_joined_beyond_what_a_line_may_be() -> None:
    """Each of them may have 64 KiB."""
    value = b"x" * 65_000
    response = answered(b"HTTP/1.1 200 OK\r\n" + b"X: %b\r\n" % value * 5 + b"\r\n")
    assert [len(each) for each in response.msg.values()] == [65_000] * 5


@pytest.mark.parametrize(
    "head",
    [
        b"<html>\r\n\r\n",
        b"\x15\x03\x01\x00\x02\x02\x28",
        b"HTTP/1.1 200 OK\r\n" + b"X: 1\r\n" * 1001 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno field\r\nContent-Length: 5\r\n\r\n",
    ],
)
def test_what_is_no_head(head: bytes) -> None:
    """It is not mended, and not taken for a lost connection either."""
    with pytest.raises((HTTPException, HeaderParsingError)) as raised:
        answered(head)
    assert not isinstance(raised.value, OSError)


@pytest.mark.parametrize("size", [0, 3, 5, 9, 17, 20, 30, 50])
def test_head_that_is_cut_is_a_lost_connection(size: int) -> None:
    """Wherever: what came of it is no answer."""
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-More: abcdef\r\n\r\n"
    assert answered(whole).status == 200
    with pytest.raises(RemoteDisconnected):
        answered(whole[:size])


@given(chunks=st.lists(st.binary(min_size=1, max_size=40), max_size=5), cut=st.integers(0, 400))
def test_chunks_are_whole_or_not(chunks: list[bytes], cut: int) -> None:
    """What was sent in chunks is what comes of them; cut anywhere, it is never taken for whole."""
    framed = b"".join(b"%X ;x=y\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"000\r\nA: b\r\n\r\n"
    response = answered(CHUNKED + framed + b"HTTP/1.1 200 Another\r\n")
    assert body_of(response) == b"".join(chunks)
    assert response.is_read
    if cut < len(framed):
        response = answered(CHUNKED + framed[:cut])
        with pytest.raises(IncompleteRead):
            body_of(response)
        assert not response.is_read


@pytest.mark.parametrize(
    "framed",
    [b"xyz\r\n", b"-1\r\na", b"+1\r\na\r\n0\r\n\r\n", b"1_0\r\n", b"0x1\r\na\r\n0\r\n\r\n", b"\r\n",
     b"1\na\r\n0\r\n\r\n", b"1\r\nab\r\n0\r\n\r\n", b"1\r\na0\r\n\r\n", b"ffffffffffffffff1\r\na",
     b"1;" + b"x" * 70_000 + b"\r\n",
     b"0\r\nno field\r\n\r\n", b"0\r\n\n"],
)  # fmt: skip
def test_framing_that_is_none(framed: bytes) -> None:
    """Nothing is guessed, and the connection is of no more use."""
    response = answered(CHUNKED + framed)
    with pytest.raises(FramingError):
        body_of(response)
    assert not response.is_read


@pytest.mark.parametrize(
    ("data", "is_read"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nbody", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", True),
        (b"HTTP/1.1 204 No\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\n\r\nbody", False),
    ],
)
def test_only_an_answer_with_an_end_can_be_followed_by_another(data: bytes, is_read: bool) -> None:
    """That it was closed says nothing."""
    response = answered(data)
    body_of(response)
    response.close()
    assert response.is_read is is_read
