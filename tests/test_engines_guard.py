"""The deadlines of a thread that blocks, on real sockets: which one passed, and that it hears when it is not wanted."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from aioflags.engines.guard import AbandonedError, ExpiredError, Guard, GuardedSocket
from aioflags.engines.seam import Meter
from aioflags.settings import Settings

LONG = 30.0


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Ours, and the server's; of TCP, for only that can be reset."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
    with ours, theirs:
        yield ours, theirs


def make(is_abandoned: Any = lambda: False, **deadlines: Any) -> Guard:
    limits = {"first_byte_timeout": LONG, "idle_timeout": LONG, **deadlines}
    return Guard(Settings(**limits), Meter(), "example.org", is_abandoned)


def complaint(guard: Guard, sock: socket.socket) -> str:
    with pytest.raises(ExpiredError) as raised:
        guard.receive(sock, memoryview(bytearray(10)))
    assert raised.value.error.host == "example.org"
    return str(raised.value.error)


def test_bytes_come_through(pair: tuple[socket.socket, socket.socket]) -> None:
    """As they came, and none at the end; the end was no reset."""
    ours, theirs = pair
    guard, buffer = make(), bytearray(10)
    theirs.sendall(b"abc")
    assert guard.receive(ours, memoryview(buffer)) == 3
    assert buffer[:3] == b"abc"
    theirs.close()
    assert guard.receive(ours, memoryview(buffer)) == 0
    assert not guard.was_reset


def test_deadline_to_the_first_byte(pair: tuple[socket.socket, socket.socket]) -> None:
    """Counts from the request."""
    guard = make(first_byte_timeout=0.05)
    guard.sent()
    assert guard.requests == 1
    assert complaint(guard, pair[0]) == "timeout: no answer within --first-byte-timeout 0.05 s"


@pytest.mark.slow
def test_deadline_is_not_moved_by_bytes_of_the_head(pair: tuple[socket.socket, socket.socket]) -> None:
    """A head that drips for ever meets it all the same: even a read that finds bytes is too late."""
    ours, theirs = pair
    guard = make(first_byte_timeout=1)
    guard.sent()
    theirs.sendall(b"HTTP/1.1 200 OK")
    assert guard.receive(ours, memoryview(bytearray(5))) == 5
    time.sleep(1.01)
    assert "--first-byte-timeout" in complaint(guard, ours)


def test_silence_within_a_body(pair: tuple[socket.socket, socket.socket]) -> None:
    """Is a stall, and says how many bytes came before."""
    guard = make(first_byte_timeout=LONG, idle_timeout=0.05)
    guard.sent()
    guard.begin_body()
    guard.count(7)
    assert complaint(guard, pair[0]).startswith("stalled: stalled after 7 bytes: no bytes for ")


@pytest.mark.slow
def test_body_that_trickles(pair: tuple[socket.socket, socket.socket]) -> None:
    """Bytes alone are not enough: they are too few for the window, however lively."""
    ours, theirs = pair
    # Long enough for a machine that stands still for a moment: that would be silence.
    guard = make(idle_timeout=0.5, min_speed=1e9)
    guard.begin_body()
    with pytest.raises(ExpiredError, match="only"):
        while True:
            theirs.sendall(b"x")
            guard.receive(ours, memoryview(bytearray(1)))


def test_time_of_our_own_is_not_the_servers(pair: tuple[socket.socket, socket.socket]) -> None:
    """Our disk may take its time between two reads."""
    ours, theirs = pair
    guard = make(idle_timeout=0.05, min_speed=1000)
    guard.begin_body()
    for _ in range(3):
        theirs.sendall(b"x" * 1000)
        assert guard.receive(ours, memoryview(bytearray(1000)))
        time.sleep(0.06)


def test_nobody_wants_it_any_more(pair: tuple[socket.socket, socket.socket]) -> None:
    """Noticed while nothing comes, and while a rate limit makes it rest."""
    answers = iter([False, False, True])
    with pytest.raises(AbandonedError):
        make(lambda: next(answers)).receive(pair[0], memoryview(bytearray(1)))
    answers = iter([False, True])
    with pytest.raises(AbandonedError):
        make(lambda: next(answers)).rest(LONG)


def test_rest_takes_its_time() -> None:
    """No less than it was told."""
    began = time.monotonic()
    make().rest(0.3)
    make().rest(0.0)
    assert time.monotonic() - began >= 0.3


def test_reset_is_an_error(pair: tuple[socket.socket, socket.socket]) -> None:
    """A plain connection says so itself."""
    ours, theirs = pair
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    theirs.close()
    with pytest.raises(ConnectionResetError):
        make().receive(ours, memoryview(bytearray(1)))


def test_parser_reads_through_the_guard_of_the_attempt(pair: tuple[socket.socket, socket.socket]) -> None:
    """A kept connection has another guard each time; its own timeout is nobody's."""
    ours, theirs = pair
    sock = GuardedSocket(ours)
    for text in (b"one\n", b"two\n"):
        sock.guard = make()
        sock.settimeout(0.0)
        with sock.makefile("rb") as file:
            theirs.sendall(text)
            assert file.readline() == text
    sock.guard = make(lambda: True)
    with sock.makefile("rb") as file, pytest.raises(AbandonedError):
        file.readline()
    assert sock.fileno() == ours.fileno()
