"""Heads of HTTP/1.1: what is one, what is none, in whatever pieces it comes; and what a request looks like."""

from __future__ import annotations

from typing import Any

import pytest

from aioflags.engines.heads import Head, HeadError, HeadReader, HeadWriter
from aioflags.urls import parse_url

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX-Two: a\r\nx-two:\tb \r\n\r\n"


def read(data: bytes) -> tuple[Head, bytes]:
    found = HeadReader().feed(data)
    assert found is not None
    return found


def test_head_is_the_same_in_whatever_pieces_it_comes() -> None:
    """At once or byte by byte, behind interim answers, with the beginning of a body."""
    data = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 2 + GOOD
    head, rest = read(data + b"abc")
    assert (head.status, dict(head.fields), rest) == (200, {"content-length": "3", "x-two": "a, b"}, b"abc")
    for size in (1, 2, 3, 7):
        reader = HeadReader()
        pieces = [data[at : at + size] for at in range(0, len(data), size)]
        assert [reader.feed(piece) for piece in pieces[:-1]] == [None] * (len(pieces) - 1)
        found = reader.feed(pieces[-1])
        assert found is not None
        assert (found[0].status, dict(found[0].fields), found[1]) == (200, dict(head.fields), b"")


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\nContent-Length: 3\n\n",
        b"HTTP/1.1 200\r\nContent-Length: 3\r\n\r\n",
        b"HTTP/1.1 200 \r\nContent-Length:\r\n 3\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3 \t\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\r\n\tc\r\nContent-Length: 3\n\r\n",
    ],
)
def test_old_servers_are_understood(data: bytes) -> None:
    """Bare line feeds, folded fields, no reason: old, but clear (RFC 9112, sections 2.2, 4, 5.2)."""
    head, rest = read(data + b"x")
    assert (head.status, head.fields.get("content-length"), rest) == (200, "3", b"x")


@pytest.mark.parametrize(
    "data",
    [
        b"<html>", b"ICY 200 OK\r\n\r\n", b"HTTP/2 200 OK\r\n\r\n", b"\r\nHTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n", b"HTTP/1.1 2x0 OK\r\n\r\n", b"HTTP/1.1  200 OK\r\n\r\n",
        b"HTTP/1.1 200 O\0K\r\n\r\n", b"HTTP/1.1 200 OK\r\n A: b\r\n\r\n", b"HTTP/1.1 200 OK\r\nOops\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n", b"HTTP/1.1 200 OK\r\n: b\r\n\r\n", b"HTTP/1.1 200 OK\r\nA: b\0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\rC: d\r\n\r\n", b"HTTP/1.1 200 OK\r\nA\xff: b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 1001 + b"\r\n", b"HTTP/1.1 200 OK\r\nA: " + b"b" * 65536 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"b" * 65536, (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 180_000),
    ],
)  # fmt: skip
def test_what_could_be_read_in_two_ways_is_refused(data: bytes) -> None:
    """And what has no end, before it is all there."""
    with pytest.raises(HeadError):
        HeadReader().feed(data)


@pytest.mark.parametrize(
    ("version", "fields", "is_persistent"),
    [
        (b"1", b"", True),
        (b"1", b"Connection: close\r\n", False),
        (b"1", b"Connection: Upgrade, CLOSE\r\n", False),
        (b"1", b"Connection: keep-alive\r\n", True),
        (b"0", b"", False),
        (b"0", b"Connection: Keep-Alive\r\n", True),
        (b"0", b"Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n", False),
    ],
)
def test_connection_lasts_as_the_versions_say(version: bytes, fields: bytes, is_persistent: bool) -> None:
    """RFC 9112, sections 6.1 and 9.3."""
    assert read(b"HTTP/1." + version + b" 200 OK\r\n" + fields + b"\r\n")[0].is_persistent is is_persistent


def test_bytes_beyond_ascii_are_kept() -> None:
    """As surrogate escapes, of which a Location makes the bytes that it was."""
    assert read(b"HTTP/1.1 302 F\r\nLocation: /\xff\xc3\xa9\r\n\r\n")[0].fields["location"] == "/\udcff\u00e9"


def test_request_is_written_as_it_was_meant() -> None:
    """Path and query as they are, values in UTF-8, and nothing of a fragment or user info."""
    target = parse_url("HTTP://me:pw@[::1]:8080/a%2Fb'?q=#top")
    written = HeadWriter().write(target, {"X-A": "\u00e9", "Accept": "*/*"}, is_last=False)
    assert written == b"GET /a%2Fb'?q= HTTP/1.1\r\nHost: [::1]:8080\r\nX-A: \xc3\xa9\r\nAccept: */*\r\n\r\n"
    assert HeadWriter().write(target, {}, is_last=True).endswith(b"\r\nConnection: close\r\n\r\n")


@pytest.mark.parametrize("value", ["a\r\nB: c", "a\nB: c", "a\rb", "a\0b"])
def test_field_is_never_read_as_more_than_one(value: str) -> None:
    """Whoever made the attempt should have checked; if not, nothing is sent."""
    with pytest.raises(ValueError, match="line break"):
        HeadWriter().write(parse_url("http://h/"), {"A": value}, is_last=False)


class Counted(dict[str, str]):
    """Counts how often it is read."""

    reads = 0

    def items(self) -> Any:
        self.reads += 1
        return super().items()


def test_fields_that_requests_share_are_put_together_once() -> None:
    """And those of one request never go with another."""
    writer, target = HeadWriter(), parse_url("http://h/a")
    shared, own = Counted({"Accept": "*/*"}), {"Authorization": "Basic x"}
    plain = b"GET /a HTTP/1.1\r\nHost: h\r\nAccept: */*\r\n\r\n"
    assert [writer.write(target, shared, is_last=False) for _ in range(3)] == [plain] * 3
    assert shared.reads == 1
    assert b"\r\nAuthorization: Basic x\r\n" in writer.write(target, own, is_last=False)
    assert writer.write(target, shared, is_last=False) == plain


def test_refused_fields_do_not_spoil_the_next_request() -> None:
    """What could not be written is not remembered either."""
    writer, target, bad = HeadWriter(), parse_url("http://h/a"), {"A": "b\n"}
    for _ in range(2):
        with pytest.raises(ValueError, match="line break"):
            writer.write(target, bad, is_last=False)
    assert writer.write(target, {}, is_last=False) == b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n"


@pytest.mark.parametrize(
    "head",
    [
        GOOD, b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n\r\n", b"HTTP/1.1 200 OK\r\nConnection: close, x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nA:\td \r\n\r\n", b"HTTP/1.1 200 OK\r\nA: \xff\xc3\xa4\r\n\r\n",
        b"HTTP/1.1 200 OK\nA: b\r\nB: c\r\n\r\n", b"HTTP/1.1 200 OK\r\nA: b\nB: c\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)  # fmt: skip
def test_lines_that_are_known_are_read_as_others_are(head: bytes) -> None:
    """A head says the same when all of it comes at once, is seen again, or comes in pieces with new lines."""
    reader = HeadReader()
    reader.feed(head[:9])
    in_pieces = reader.feed(head[9:] + b"x")
    assert in_pieces is not None
    for _ in range(2):
        assert (read(head + b"x")[0].fields, read(head + b"x")[1]) == (in_pieces[0].fields, b"x")
        assert read(head)[0].is_persistent == in_pieces[0].is_persistent


def test_short_lines_are_counted_all_the_same() -> None:
    """A thousand fields are enough, however short they are."""
    fields = b"a:\r\n" * 1000
    assert read(b"HTTP/1.1 200\r\n" + fields + b"\r\n")[0].status == 200
    with pytest.raises(HeadError, match="too many"):
        read(b"HTTP/1.1 200\r\na:\r\n" + fields + b"\r\n")
