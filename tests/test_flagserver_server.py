"""The flag server as its users start, bend and stop it."""

from __future__ import annotations

import asyncio
import ssl
import threading
import urllib.error
import urllib.request
from urllib.parse import quote

import pytest
import trustme

from aioflags.flagserver.server import FlagServer, ServerThread, new_event_loop


async def _status(server: FlagServer, target: str, method: str = "GET") -> tuple[int, bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(f"{method} {target} HTTP/1.1\r\nHost: x\r\nX-Test: 1\r\nConnection: close\r\n\r\n".encode())
    try:
        answer = await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()
    return int(answer.split()[1]), answer


async def test_requests_are_counted_and_logged() -> None:
    """Tests can see what a client really asked for."""
    log: list[tuple[str, str, dict[str, str]]] = []
    async with FlagServer(log) as server:
        await _status(server, "/fr/fr.gif?seed=1", "HEAD")
    assert server.requests == 1
    assert log == [("HEAD", "/fr/fr.gif?seed=1", {"host": "x", "x-test": "1", "connection": "close"})]


async def test_url_fails_as_often_as_asked() -> None:
    """The first requests for a URL fail, later ones succeed; another URL has a count of its own."""
    async with FlagServer() as server:
        for path in ("/bytes/5?status=503&times=2", "/bytes/6?status=503&times=2", "/status/503?times=2"):
            assert [(await _status(server, path))[0] for _ in range(4)] == [503, 503, 200, 200]


async def test_status_goes_out_with_its_headers() -> None:
    """Retry-After and Location accompany the status that was asked for."""
    async with FlagServer() as server:
        status, answer = await _status(
            server, f"/bytes/5?status=429&retry_after={quote('Wed, 21 Oct 2026 07:28:00 GMT')}"
        )
        assert (status, b"Retry-After: Wed, 21 Oct 2026 07:28:00 GMT\r\n" in answer) == (429, True)
        status, answer = await _status(server, "/bytes/5?redirect=/bytes/6")
        assert (status, b"Location: /bytes/6\r\n" in answer) == (302, True)


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/", 200),
        ("/fr/fr.gif", 200),
        ("/%66r/fr.gif", 200),
        ("/xx/xx.gif", 404),
        ("/status/418", 418),
        ("/status/204", 204),
        ("/status/100", 404),
        ("/bytes/5?delay=x", 400),
    ],
)
async def test_routes_answer(target: str, status: int) -> None:
    """Each path leads to its answer."""
    async with FlagServer() as server:
        assert (await _status(server, target))[0] == status


async def _fate(seed: int) -> list[int]:
    server = FlagServer()
    await server.start(error_rate=0.5, seed=seed)
    async with server:
        return [(await _status(server, "/bytes/1"))[0] for _ in range(12)]


async def test_errors_come_by_the_seed() -> None:
    """The same seed brings the same misfortune, another one another; the status is one that may pass."""
    fate = await _fate(1)
    assert set(fate) == {200, 503}
    assert await _fate(1) == fate
    assert await _fate(2) != fate


async def test_delay_and_jitter_add_up() -> None:
    """The wait before an answer is the server's, the URL's, and up to the jitter more."""
    server = FlagServer()
    await server.start(delay=1.0, jitter=0.5, seed=1)
    async with server:
        from aioflags.flagserver.messages import Request

        request = Request("GET", "/bytes/1?delay=2", {}, is_http_1_1=True, is_keep_alive=True)
        waits = [server.answer(request)[2] for _ in range(20)]
    assert all(3.0 <= wait <= 3.5 for wait in waits)
    assert len(set(waits)) > 1


async def test_delay_holds_up_nobody_else() -> None:
    """While one client waits, another is served."""
    async with FlagServer() as server:
        slow = asyncio.create_task(_status(server, "/bytes/1?delay=60"))
        assert (await _status(server, "/bytes/1"))[0] == 200
        assert not slow.done()
        slow.cancel()
        await asyncio.gather(slow, return_exceptions=True)


async def test_close_drops_waiting_clients() -> None:
    """Nothing of the server is left after close, whatever was under way."""
    server = FlagServer()
    await server.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET /bytes/1?delay=60 HTTP/1.1\r\nHost: x\r\n\r\n")
    while not server.requests:
        await asyncio.sleep(0)
    await server.close()
    with pytest.raises(ConnectionError):
        await asyncio.open_connection("127.0.0.1", server.port)
    assert len(asyncio.all_tasks()) == 1
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await reader.readexactly(1)
    writer.close()
    await server.close()


async def test_https_is_served() -> None:
    """With a context the URL is https, and what a client reads is the same."""
    authority = trustme.CA()
    theirs, ours = ssl.create_default_context(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.configure_trust(theirs)
    authority.issue_cert("127.0.0.1").configure_cert(ours)
    server = FlagServer()
    await server.start(ssl=ours)
    async with server:
        assert server.url == f"https://127.0.0.1:{server.port}/"
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port, ssl=theirs)
        writer.write(b"GET /bytes/500000 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = await reader.read()
        assert len(answer.partition(b"\r\n\r\n")[2]) == 500_000
        writer.close()
        await writer.wait_closed()


def test_thread_serves_and_is_gone() -> None:
    """Inside the block anybody can fetch with a blocking client; after it port and thread are free."""
    with ServerThread() as server:
        with urllib.request.urlopen(server.url + "bytes/70000") as answer:
            assert len(answer.read()) == 70_000
        assert server.server.requests == 1
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(server.url)
    assert "aioflags-server" not in {thread.name for thread in threading.enumerate()}


def test_thread_is_gone_after_an_error() -> None:
    """An exception in the block is passed on and stops the server as well."""
    with pytest.raises(KeyError), ServerThread():
        raise KeyError
    assert "aioflags-server" not in {thread.name for thread in threading.enumerate()}


def test_thread_passes_on_why_it_cannot_start() -> None:
    """A port in use is told where the server was asked for."""
    with ServerThread() as server, pytest.raises(OSError, match="use"):
        ServerThread(port=server.server.port).__enter__()


def test_loop_is_of_uvloop_where_there_is_uvloop() -> None:
    """The faster loop is taken when it is installed."""
    loop = new_event_loop()
    assert type(loop).__module__.startswith("uvloop")
    loop.close()
