"""What has come of an answer: its head means what the rules say, and its body is counted byte by byte."""

from __future__ import annotations

from typing import Any

import pytest

from aioflags.engines.arrival import Arrival
from aioflags.engines.bodies import ChunkedBody, LengthBody, OpenBody
from aioflags.engines.seam import Attempt, Meter
from aioflags.errors import DownloadError
from aioflags.settings import Settings
from aioflags.transfer import Accept, Ending, Redirect, Refuse
from aioflags.urls import parse_url

BLOCK = 1 << 18


def make(max_bytes: int | None = None, **details: Any) -> Arrival:
    attempt = Attempt(parse_url("http://a.example/file"), "file", **details)
    scratch = memoryview(bytearray(1 << 16))
    return Arrival(attempt, None, Meter(), Settings(max_bytes=max_bytes), scratch, BLOCK)


def head(*fields: str, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *fields, "", ""]).encode()


def bring(arrival: Arrival, data: bytes, now: float = 1.0, step: int = 1 << 16) -> int:
    """Let `data` come in pieces as a socket would give them; returns how much of it was of the body."""
    total = 0
    while data:
        room = arrival.room()[:step]
        size = min(len(room), len(data))
        room[:size] = data[:size]
        total += arrival.take_in(size, now)
        data = data[size:]
    return total


@pytest.mark.parametrize("step", [1, 7, 1 << 16])
@pytest.mark.parametrize(
    ("fields", "body", "kind"),
    [
        (["Content-Length: 5"], b"hello", LengthBody),
        (["Transfer-Encoding: chunked"], b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", ChunkedBody),
        ([], b"hello", OpenBody),
    ],
)
def test_answer_is_the_same_in_whatever_pieces_it_comes(
    step: int, fields: list[str], body: bytes, kind: type[object]
) -> None:
    """The framing is what the head says; the meter counts the body and nothing else."""
    arrival = make()
    bring(arrival, head(*fields) + body, step=step)
    assert isinstance(arrival.verdict, Accept)
    assert arrival.body is not None
    assert type(arrival.body) is kind
    assert b"".join(arrival.body.take_all()) == b"hello"
    assert arrival.meter.received == 5
    arrival.judge_end(Ending.CLEAN)


def test_times_are_those_of_the_body() -> None:
    """The head has come before its first byte; of an empty body both are those of the head."""
    arrival = make()
    assert bring(arrival, head("Content-Length: 5"), now=1.0) == 0
    assert (arrival.meter.first_byte, arrival.meter.last_byte) == (None, None)
    bring(arrival, b"he", now=2.0)
    bring(arrival, b"llo", now=3.0)
    assert (arrival.meter.first_byte, arrival.meter.last_byte) == (2.0, 3.0)
    empty = make()
    bring(empty, head("Content-Length: 0"), now=4.0)
    assert (empty.meter.first_byte, empty.meter.last_byte) == (4.0, 4.0)


@pytest.mark.parametrize(
    ("data", "is_good"),
    [
        (head("Content-Length: 5") + b"hello", True),
        (head("Content-Length: 5") + b"hell", False),
        (head("Content-Length: 5") + b"hello!", False),
        (head("Content-Length: 5", "Connection: close") + b"hello", False),
        (head("Transfer-Encoding: chunked") + b"5\r\nhello\r\n0\r\n\r\n", True),
        (head() + b"hello", False),
        (head("Content-Length: 2", status="404 Not Found") + b"no", True),
        (head(status="304 Not Modified"), True),
        (b"HTTP/1.1 200 OK\r\nContent-Len", False),
    ],
)
def test_connection_is_good_for_another_request(data: bytes, is_good: bool) -> None:
    """If all of the answer has come and nothing more, and the server did not say otherwise."""
    arrival = make()
    bring(arrival, data)
    assert arrival.leaves_link_good is is_good


@pytest.mark.parametrize(
    ("fields", "ending"),
    [(["Content-Length: 9"], Ending.CUT), (["Transfer-Encoding: chunked"], Ending.CUT), ([], Ending.CLEAN)],
)
def test_close_means_what_the_framing_makes_of_it(fields: list[str], ending: Ending) -> None:
    """Only a body that nothing else ends is ended by it."""
    arrival = make()
    bring(arrival, head(*fields) + b"5\r\nhe")
    assert arrival.ending_by_close is ending


@pytest.mark.parametrize(
    ("fields", "status", "is_drained"),
    [
        (["Content-Length: 9"], "404 Not Found", True),
        (["Content-Length: 9", "Location: /over-there"], "302 Found", True),
        (["Content-Length: 65537"], "404 Not Found", False),
        (["Content-Length: 9", "Connection: close"], "404 Not Found", False),
        (["Transfer-Encoding: chunked"], "404 Not Found", False),
        ([], "404 Not Found", False),
    ],
)
def test_body_that_nobody_wants(fields: list[str], status: str, is_drained: bool) -> None:
    """It is received if that is cheaper than another connection, and counts for nothing."""
    arrival = make()
    bring(arrival, head(*fields, status=status) + b"no"[: 2 * is_drained])
    assert isinstance(arrival.verdict, Refuse | Redirect)
    assert arrival.is_drained is is_drained
    assert (arrival.body is not None) is is_drained
    assert arrival.meter.received == 0
    assert arrival.meter.first_byte is None


@pytest.mark.parametrize(
    ("data", "kind", "words"),
    [
        (b"SSH-2.0-OpenSSH\r\n", "protocol", "not valid HTTP"),
        (head("Transfer-Encoding: chunked") + b"five\r\n", "protocol", "chunked framing of the body is broken"),
        (head("Transfer-Encoding: chunked") + b"b\r\nhello, all!\r\n", "too_large", "--max-bytes 10"),
        (head() + b"hello, world", "too_large", "--max-bytes 10"),
    ],
)
def test_what_may_not_come_is_said_at_once(data: bytes, kind: str, words: str) -> None:
    """Before the end of it, and with the host in it."""
    arrival = make(max_bytes=10)
    with pytest.raises(DownloadError, match=words) as caught:
        bring(arrival, data)
    assert (caught.value.kind, caught.value.host) == (kind, "a.example")


def test_body_is_held_against_what_the_list_declares() -> None:
    """As soon as its size is known, be it only at its end."""
    arrival = make(expected_bytes=6)
    bring(arrival, head() + b"hello")
    with pytest.raises(DownloadError, match="declares 6 bytes, the body has 5") as caught:
        arrival.judge_end(Ending.CLEAN)
    assert caught.value.kind == "checksum"


def test_bytes_behind_a_body_spoil_it() -> None:
    """Its announced length was a lie, and so may be the rest of it."""
    arrival = make()
    bring(arrival, head("Content-Length: 5") + b"hello!")
    assert arrival.meter.received == 5
    with pytest.raises(DownloadError, match="more than the announced 5 bytes") as caught:
        arrival.judge_end(Ending.CLEAN)
    assert caught.value.kind == "protocol"
