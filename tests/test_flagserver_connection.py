"""How requests and answers travel over a connection: in order, framed, at the client's pace, until one side ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from aioflags.flagserver.messages import MAX_HEAD
from aioflags.flagserver.resources import find_resource
from aioflags.flagserver.server import FlagServer

LONG = 3_000_000


@pytest.fixture
async def server() -> AsyncIterator[FlagServer]:
    """A server on the loop of the test, with its log on."""
    async with FlagServer(log=[]) as server:
        yield server


def _request(target: str, *fields: str, method: str = "GET", version: str = "1.1") -> bytes:
    lines = [f"{method} {target} HTTP/{version}", "Host: x", *fields]
    return "\r\n".join([*lines, "", ""]).encode()


def _expected(size: int) -> bytes:
    resource = find_resource(f"/bytes/{size}")
    assert resource is not None
    return b"".join(resource.read(0, size))


async def _talk(server: FlagServer, data: bytes, *, ends: bool = True) -> bytes:
    """Send all at once, say that this was all, and read until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(data)
    if ends:
        writer.write_eof()
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def _read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
    return int(head.split()[1]), head, await reader.readexactly(int(fields[b"Content-Length"]))


async def test_answers_come_in_the_order_of_requests(server: FlagServer) -> None:
    """Requests sent in one go are answered one after the other, a slow and a long one between quick ones too."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    sizes = ["3", "5?delay=0.01", f"{LONG}", "7", "9?chunked=0"]
    writer.write(b"".join(_request(f"/bytes/{size}") for size in sizes))
    bodies = [(await _read_answer(reader))[2] for _ in sizes]
    assert bodies == [_expected(size) for size in (3, 5, LONG, 7, 9)]
    writer.close()
    await writer.wait_closed()


async def test_request_may_arrive_byte_by_byte(server: FlagServer) -> None:
    """A head cut anywhere is put together again."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.transport.set_write_buffer_limits(0)
    for byte in b"\r\n" + _request("/bytes/4"):
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0)
    assert (await _read_answer(reader))[2] == _expected(4)
    writer.close()
    await writer.wait_closed()


async def test_connection_ends_when_the_client_says_so(server: FlagServer) -> None:
    """`Connection: close` is answered and obeyed; what comes after it is not."""
    data = _request("/bytes/4", "Connection: close") + _request("/bytes/5")
    answer = await _talk(server, data, ends=False)
    assert b"Connection: close\r\n" in answer
    assert answer.endswith(b"\r\n\r\n" + _expected(4))
    assert server.requests == 1


async def test_half_closed_client_gets_all_its_answers(server: FlagServer) -> None:
    """Whoever has said all it wants may close its side and still listens."""
    answer = await _talk(server, _request(f"/bytes/{LONG}") + _request("/bytes/5?delay=0.01"))
    assert answer.count(b"HTTP/1.1 200 OK") == 2
    assert answer.endswith(_expected(5))


async def test_head_has_the_length_and_no_body(server: FlagServer) -> None:
    """HEAD answers as GET does, less the body, short or long."""
    for size in (10, LONG):
        answer = await _talk(server, _request(f"/bytes/{size}", method="HEAD"))
        assert f"Content-Length: {size}\r\n".encode() in answer
        assert answer.endswith(b"\r\n\r\n")


async def test_other_methods_are_refused(server: FlagServer) -> None:
    """Only GET and HEAD are served, and the answer says so."""
    for fields in ((), ("Content-Length: 3",)):
        answer = await _talk(server, _request("/fr/fr.gif", *fields, method="POST"))
        assert answer.startswith(b"HTTP/1.1 405 ")
        assert b"Allow: GET, HEAD\r\n" in answer


async def test_malformed_request_ends_the_connection(server: FlagServer) -> None:
    """After 400 nothing more is read: nobody knows where the next request would begin."""
    answer = await _talk(server, b"nonsense\r\n\r\n" + _request("/bytes/4"), ends=False)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"Connection: close\r\n" in answer
    assert answer.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("end", [b"", b"\r\n\r\n"])
async def test_endless_head_is_refused(server: FlagServer, end: bytes) -> None:
    """A head longer than the limit is refused, whether its end has come or not."""
    data = b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * MAX_HEAD + end
    assert (await _talk(server, data, ends=False)).startswith(b"HTTP/1.1 431 ")


async def test_chunked_body_has_no_length(server: FlagServer) -> None:
    """Chunks carry the same bytes and end with the empty one."""
    answer = await _talk(server, _request("/bytes/10?chunked=1"))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"Transfer-Encoding: chunked" in head
    assert b"Content-Length" not in head
    assert body == b"a\r\n" + _expected(10) + b"\r\n0\r\n\r\n"


async def test_old_client_gets_no_chunks(server: FlagServer) -> None:
    """HTTP/1.0 knows no chunks: the body ends with the connection, kept alive or not."""
    answer = await _talk(server, _request("/bytes/10?chunked=1", "Connection: keep-alive", version="1.0"), ends=False)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"chunked" not in head
    assert b"Content-Length" not in head
    assert body == _expected(10)


async def test_old_client_may_stay(server: FlagServer) -> None:
    """An HTTP/1.0 client that asks to stay is told that it may."""
    answer = await _talk(server, _request("/bytes/1", "Connection: keep-alive", version="1.0"))
    assert b"Connection: keep-alive\r\n" in answer


@pytest.mark.parametrize("query", ["truncate=40", "truncate=40&chunked=1", "truncate=0"])
async def test_truncated_body_breaks_its_promise(server: FlagServer, query: str) -> None:
    """The head announces everything, the connection closes early."""
    answer = await _talk(server, _request(f"/bytes/100?{query}"), ends=False)
    head, _, body = answer.partition(b"\r\n\r\n")
    cut = 0 if query.endswith("=0") else 40
    assert body.removeprefix(b"28\r\n").removesuffix(b"\r\n") == _expected(100)[:cut]
    assert b"Content-Length: 100" in head or b"chunked" in head


async def test_truncation_beyond_the_end_changes_nothing(server: FlagServer) -> None:
    """A body shorter than the cut arrives whole, and the connection stays."""
    answer = await _talk(server, _request("/bytes/100?truncate=100") + _request("/bytes/1"))
    assert answer.count(b"HTTP/1.1 200 OK") == 2


async def test_stalled_body_waits_for_the_client_to_go(server: FlagServer) -> None:
    """After so many bytes nothing comes any more, and the connection stays open until the client leaves."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(_request("/bytes/100?stall=30"))
    await reader.readuntil(b"\r\n\r\n")
    assert await reader.readexactly(30) == _expected(100)[:30]
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(reader.read(1), 0.02)
    writer.close()
    await writer.wait_closed()
    while server.connections:
        await asyncio.sleep(0)


async def test_paced_body_arrives_whole(server: FlagServer) -> None:
    """A rate changes when bytes come, not which."""
    answer = await _talk(server, _request("/bytes/10000?rate=1000000"))
    assert answer.partition(b"\r\n\r\n")[2] == _expected(10000)


async def test_client_that_does_not_read_is_waited_for(server: FlagServer) -> None:
    """A huge body is made as fast as it is read: with nobody reading, only buffers fill."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1024)
    writer.write(_request(f"/bytes/{1 << 40}"))
    await reader.readuntil(b"\r\n\r\n")
    (connection,) = server.connections
    for _ in range(1000):
        await asyncio.sleep(0)
    buffered = connection._transport.get_write_buffer_size()
    assert buffered < 1 << 20
    # It must stand still, not only be slow.
    for _ in range(1000):
        await asyncio.sleep(0)
    assert connection._transport.get_write_buffer_size() <= buffered + (1 << 17)
    writer.transport.abort()


async def test_requests_of_a_client_that_does_not_read_are_not_hoarded(server: FlagServer) -> None:
    """Requests that nobody collects the answers of are read no further after a bound, and answered when collected."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    count = 3000
    writer.write(_request("/bytes/20000") * count)
    for _ in range(500):
        await asyncio.sleep(0)
    assert server.requests < count
    for _ in range(count):
        assert len((await _read_answer(reader))[2]) == 20000
    assert server.requests == count
    writer.close()
    await writer.wait_closed()
