"""Connections under TLS: where records end, and what comes before a broken one."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

import aioflags
from aioflags.engines.readiness import READ, Readiness
from aioflags.engines.tls_link import TLSLink, _Records
from tests.faultserver import server_context


@given(
    st.lists(st.integers(0, 40), max_size=6) | st.lists(st.sampled_from([0, 7, 7, 7, 7, 300]), max_size=30),
    st.lists(st.integers(1, 9) | st.integers(1, 500), min_size=1),
)
def test_it_is_known_where_records_end(sizes: list[int], steps: list[int]) -> None:
    """In whatever pieces they come, and be they as long as each other or not."""
    stream = b"".join(b"\x17\x03\x03" + size.to_bytes(2) + bytes(size) for size in sizes)
    ends = {sum(size + 5 for size in sizes[:count]) for count in range(len(sizes) + 1)}
    records, at = _Records(), 0
    while at < len(stream):
        for step in steps:
            records.follow(memoryview(stream[at : at + step]))
            at = min(at + step, len(stream))
            assert records.is_within_one == (at not in ends)


class SealedServer:
    """Answers the first request with sealed bytes of the test's choice, and whatever it wants to say unsealed."""

    def __init__(self, context: ssl.SSLContext, speak: Callable[[Sealed], None]) -> None:
        self._context, self._speak = context, speak
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self.listener.getsockname()[1]}/file"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                sock, _ = self.listener.accept()
                with sock, suppress(OSError):
                    sealed = Sealed(sock, self._context)
                    sealed.receive()
                    self._speak(sealed)
                    # With bytes unread a closed socket would send a reset.
                    sock.shutdown(socket.SHUT_WR)
                    while sock.recv(65536):
                        pass


class Sealed:
    """One connection of it."""

    def __init__(self, sock: socket.socket, context: ssl.SSLContext) -> None:
        self.sock = sock
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        while True:
            try:
                self._tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self.sock.sendall(self._outgoing.read())
                self._incoming.write(self.sock.recv(65536))
        self.sock.sendall(self._outgoing.read())

    def receive(self) -> None:
        while True:
            try:
                self._tls.read()
                return
            except ssl.SSLWantReadError:
                self._incoming.write(self.sock.recv(65536))

    def seal(self, data: bytes) -> bytes:
        self._tls.write(data)
        return self._outgoing.read()


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def download(authority: trustme.CA, tmp_path: Path) -> Iterator[Callable[..., aioflags.Outcome]]:
    """Fetch one file from a server that speaks as it is told."""
    cacert = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(cacert))
    servers: list[SealedServer] = []

    def fetch(speak: Callable[[Sealed], None]) -> aioflags.Outcome:
        server = SealedServer(server_context(authority), speak)
        servers.append(server)
        many = aioflags.download_many([server.url], tmp_path / "files", retries=0, cacert=str(cacert))
        (outcome,) = asyncio.run(many).outcomes
        return outcome

    yield fetch
    for server in servers:
        with suppress(OSError):
            server.listener.shutdown(socket.SHUT_RDWR)
        server.listener.close()


OPEN = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"


def test_end_within_a_record_is_no_end_of_a_body(download: Callable[..., aioflags.Outcome], tmp_path: Path) -> None:
    """A body without a length is whole when its connection ends, but not in the midst of what was sealed."""

    def speak(sealed: Sealed) -> None:
        sealed.sock.sendall(sealed.seal(OPEN + b"x" * 1000))
        sealed.sock.sendall(sealed.seal(b"y" * 1000)[:-7])

    outcome = download(speak)
    assert outcome.error is not None
    assert outcome.error.kind == "disconnected"
    assert not (tmp_path / "files" / "file").exists()


def test_end_behind_a_record_is_one(download: Callable[..., aioflags.Outcome], tmp_path: Path) -> None:
    """Many servers close without a word of TLS (FAULTS, F07)."""
    outcome = download(lambda sealed: sealed.sock.sendall(sealed.seal(OPEN + b"x" * 1000)))
    assert outcome.status is aioflags.Status.SAVED
    assert (tmp_path / "files" / "file").read_bytes() == b"x" * 1000


def test_what_came_before_a_broken_record_is_good(download: Callable[..., aioflags.Outcome], tmp_path: Path) -> None:
    """The answer was whole, and its seal too; what is behind it is another matter."""

    def speak(sealed: Sealed) -> None:
        whole = sealed.seal(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole")
        sealed.sock.sendall(whole + b"\x17\x03\x03\x00\x20" + bytes(32))

    assert download(speak).status is aioflags.Status.SAVED
    assert (tmp_path / "files" / "file").read_bytes() == b"whole"


def test_broken_record_is_named_in_the_words_of_tls(download: Callable[..., aioflags.Outcome]) -> None:
    """Its number is none of the system's."""

    def speak(sealed: Sealed) -> None:
        whole = sealed.seal(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\npart")
        sealed.sock.sendall(whole + b"\x17\x03\x03\x00\x20" + bytes(32))

    outcome = download(speak)
    assert outcome.error is not None
    assert outcome.error.kind in {"truncated", "disconnected"}
    assert "not permitted" not in outcome.error.message


class Slow:
    """Takes a little at a time, and has the server wait after each."""

    def __init__(self, link: TLSLink, room: int = 10_000) -> None:
        self.link = link
        self.data = bytearray()
        self.ends: list[OSError | None] = []
        self._room = memoryview(bytearray(room))

    def room(self) -> memoryview:
        return self._room

    def received(self, size: int) -> None:
        assert not self.ends
        self.data += self._room[:size]
        self.link.pause()
        asyncio.get_running_loop().call_later(0.001, self._go_on)

    def _go_on(self) -> None:
        self.link.resume()
        # As a loop does that looks at its sockets before anything else.
        self.link.on_ready(READ)

    def ended(self, error: OSError | None) -> None:
        self.ends.append(error)


class Asked(socket.socket):
    """Notes how much it is asked for at once."""

    most = 0

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        self.most = nbytes
        return super().recv_into(buffer, nbytes, flags)


@pytest.mark.parametrize(("room", "most"), [(10_000, 1 << 18), (600_000, 600_000), (1 << 22, 1 << 20)])
async def test_no_more_is_received_than_there_is_room_for(authority: trustme.CA, room: int, most: int) -> None:
    """What lies unopened takes memory of each connection; but a little is received at once in any case."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    ours, theirs = socket.socketpair()
    asked = Asked(fileno=ours.detach())
    asked.setblocking(False)

    def serve() -> None:
        with theirs:
            theirs.sendall(Sealed(theirs, server_context(authority)).seal(b"data"))
            theirs.recv(1)

    serving = asyncio.ensure_future(asyncio.to_thread(serve))
    readiness = Readiness()
    link = TLSLink(asked, readiness, context, "127.0.0.1")
    await link.shake_hands()
    link.user = user = Slow(link, room)
    async with asyncio.timeout(20):
        while not user.data:
            await asyncio.sleep(0.001)
    link.close()
    await serving
    assert asked.most == most
    readiness.close()


async def test_what_was_received_comes_before_the_end(authority: trustme.CA) -> None:
    """However often it is paused: the end of the socket is there long before all is opened."""
    data = bytes(range(256)) * 600
    context = ssl.create_default_context()
    authority.configure_trust(context)
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    may_speak = threading.Event()

    def serve() -> None:
        with theirs:
            sealed = Sealed(theirs, server_context(authority))
            may_speak.wait(10)
            theirs.sendall(sealed.seal(data))

    serving = asyncio.ensure_future(asyncio.to_thread(serve))
    readiness = Readiness()
    link = TLSLink(ours, readiness, context, "127.0.0.1")
    await link.shake_hands()
    link.user = user = Slow(link)
    may_speak.set()
    async with asyncio.timeout(20):
        await serving
        while not user.ends:
            await asyncio.sleep(0.001)
    assert user.data == data
    assert user.ends == [None]
    readiness.close()
