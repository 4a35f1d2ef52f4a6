"""Answers that nobody asked for, on a connection that is kept: they are no answer to the next request."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

import aioflags
from aioflags.engines.link import Link
from aioflags.engines.pool import Pool
from aioflags.engines.readiness import Readiness
from aioflags.settings import EngineName

GOOD, EVIL = b"good!", b"EVIL!"


def answer(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


class Blurter:
    """Answers each request well, and says when something more has been sent on the idle connection."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.blurted = threading.Semaphore(0)
        self.may_blurt = threading.Semaphore(0)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                sock, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with sock, suppress(OSError):
            while sock.recv(65536):
                sock.sendall(answer(GOOD))
                self.may_blurt.acquire(timeout=10)
                sock.sendall(answer(EVIL))
                self.blurted.release()


@pytest.fixture
def blurter() -> Iterator[Blurter]:
    blurter = Blurter()
    yield blurter
    with suppress(OSError):
        blurter.listener.shutdown(socket.SHUT_RDWR)
    blurter.listener.close()


@pytest.mark.parametrize("engine", ["asyncio", "aiohttp", "sequential"])
async def test_unasked_answer_is_never_taken_for_the_next(blurter: Blurter, tmp_path: Path, engine: EngineName) -> None:
    """A connection on which bytes came while it was idle is not used again."""
    async with aioflags.Downloader(tmp_path, engine=engine) as downloader:
        for number in range(3):
            outcome = await downloader.download_one(f"{blurter.url}/{number}")
            assert outcome.status is aioflags.Status.SAVED
            blurter.may_blurt.release()
            await _until(blurter)
    assert [path.read_bytes() for path in sorted(tmp_path.iterdir())] == [GOOD] * 3


async def _until(blurter: Blurter) -> None:
    while not blurter.blurted.acquire(blocking=False):
        await asyncio.sleep(0.001)
    # What was sent on loopback is there; the loop only has to look.
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.mark.parametrize("news", [b"", answer(EVIL)], ids=["end", "answer"])
async def test_connection_is_looked_at_when_it_is_taken(news: bytes) -> None:
    """What came since the loop last looked: an end, or bytes that nobody has asked for."""
    readiness, pool = Readiness(), Pool()
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    link = Link(ours, readiness)
    key = ("http", "a.example", 80, False)
    pool.put(key, link)
    assert pool.take(key) is link
    pool.put(key, link)
    if news:
        theirs.sendall(news)
    else:
        theirs.close()
    assert pool.take(key) is None
    assert not link.is_open
    theirs.close()
    pool.close()
    readiness.close()
