"""One attempt by an engine on the loop, with connections of our own or aiohttp's.

What the server does, what the result says, what lies on disk, how often it was asked.
"""

from __future__ import annotations

import asyncio
import datetime
import gzip
import hashlib
import socket
import ssl
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trustme

from aioflags.downloader import download_many
from aioflags.engines.seam import Attempt, Meter
from aioflags.urls import parse_url
from tests.attempts import LoopEngine, kind_of, open_bench
from tests.faultserver import FaultServer, answer, say, server_context
from tests.hostile import BODY, Client, Fault, head
from tests.leftovers import forgive_uvloop, moments
from tests.test_engines import BIG, CASES, DEADLINES, MISSING, serving

Fetch = Callable[..., Any]
DATE = "Mon, 23 Nov 2026 08:00:00 GMT"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def cacert(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture
def tls(authority: trustme.CA) -> ssl.SSLContext:
    return server_context(authority)


@pytest.fixture(params=["http", "https"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def context(scheme: str, tls: ssl.SSLContext) -> ssl.SSLContext | None:
    return tls if scheme == "https" else None


@pytest.fixture(params=["asyncio", "aiohttp"])
def engine(request: pytest.FixtureRequest) -> LoopEngine:
    name: LoopEngine = request.param
    return name


@pytest.fixture
def bench(tmp_path: Path, engine: LoopEngine) -> Fetch:
    """Open an engine with options."""
    return partial(open_bench, tmp_path, engine)


# Every fault of the contract, on this loop


async def test_faults_end_the_same_on_every_loop(
    context: ssl.SSLContext | None, cacert: str, tmp_path: Path, engine: LoopEngine
) -> None:
    """The contract suite runs its faults on one loop; what they end as does not depend on it."""
    with serving(context) as servers:
        del servers["transient"]
        report = await download_many(
            [f"{server.url}/{name}" for name, server in servers.items()],
            tmp_path / "files",
            engine=engine,
            retries=0,
            per_host=0,
            first_byte_timeout=DEADLINES[engine],
            idle_timeout=DEADLINES[engine],
            min_speed=500,
            max_bytes=3_000_000,
            max_wait=5,
            cacert=cacert,
        )
        seen = {outcome.url.rpartition("/")[2]: outcome.error and outcome.error.kind for outcome in report}
        requests = {name: server.requests[f"/{name}"] for name, server in servers.items()}
    cases = [case for case in CASES if case.name != "transient"]
    assert seen == {case.name: case.kind for case in cases} | dict.fromkeys(MISSING, "http")
    assert requests == {**dict.fromkeys(seen, 1), "loop": 11}
    files = {path.name: path.read_bytes() for path in (tmp_path / "files").iterdir()}
    assert files == {case.name: case.body for case in cases if case.body is not None}


# What else a server may say: fault, kind, bytes on disk

PACKED = gzip.compress(BODY)
CHUNKED = head(200, "Transfer-Encoding: chunked", length=None)
TWO_MEMBERS = PACKED + gzip.compress(b"more")
BOMB = zlib.compress(bytes(50_000_000))


def reply(body: bytes, *fields: str) -> Fault:
    return lambda client: client.send(head(200, *fields, length=len(body)) + body)


def in_two_reads(client: Client) -> None:
    client.send(head())
    client.server.closing.wait(0.05)
    client.send(BODY, b"and more than was announced")


ANSWERS: dict[str, tuple[Fault, str | None, bytes | None]] = {
    # F02: never more than was announced
    "excess": (lambda client: client.send(head() + BODY + b"excess"), "protocol", None),
    "excess-later": (in_two_reads, None, BODY),
    # F08, F09
    "two-lengths": (lambda client: client.send(head(200, "Content-Length: 3") + BODY), "protocol", None),
    "no-content-with-body": (lambda client: client.send(head(204, length=3) + b"abc"), "http protocol", None),
    "two-codings": (lambda client: client.send(head(200, "Transfer-Encoding: gzip, chunked", length=None)), "protocol",
                    None),
    # F13: old servers
    "bare-lf": (lambda client: client.send(b"HTTP/1.1 200 OK\nContent-Length: 3\nConnection: close\n\nabc"), None,
                b"abc"),
    "folded": (reply(b"abc", "X-Old: one\r\n two"), None, b"abc"),
    "http-1.0": (lambda client: client.send(b"HTTP/1.0 200 OK\r\n\r\nabc"), None, b"abc"),
    # F15 to F17: nothing is decoded, so nothing can go wrong in it
    "gzip-cut": (reply(PACKED[:-20], "Content-Encoding: gzip"), None, PACKED[:-20]),
    "gzip-wrong-sum": (reply(PACKED[:-8] + bytes(8), "Content-Encoding: gzip"), None, PACKED[:-8] + bytes(8)),
    "gzip-two": (reply(TWO_MEMBERS, "Content-Encoding: gzip"), None, TWO_MEMBERS),
    "brotli-cut": (reply(b"\x8b", "Content-Encoding: br"), None, b"\x8b"),
    "bomb": (reply(BOMB, "Content-Encoding: deflate"), None, BOMB),
    # Odd, but HTTP
    "chunk-extension": (lambda client: client.send(CHUNKED + b"3;a=b\r\nabc\r\n0\r\nX-T: t\r\n\r\n"), None, b"abc"),
    "early-hints": (lambda client: client.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + head() + BODY), None,
                    BODY),
    "switching": (lambda client: client.send(b"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n"),
                  "protocol", None),
    "many-fields": (reply(BODY, *(f"X-{number}: x" for number in range(500))), None, BODY),
    "endless-head": (lambda client: client.send(b"HTTP/1.1 200 OK\r\n", *[b"X-Long: " + b"x" * 60_000 + b"\r\n"] * 40),
                     "protocol disconnected", None),
}  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
async def test_answer_ends_as_it_must(bench: Fetch, context: ssl.SSLContext | None, cacert: str, name: str) -> None:
    """Whole files as they were sent, or an error of one kind and nothing on disk; one request in any case."""
    fault, kinds, body = ANSWERS[name]
    with FaultServer({name: fault}, context) as server:
        async with bench(cacert=cacert) as tool:
            result = await tool.fetch(f"{server.url}/{name}")
            assert kind_of(result) in ([None] if kinds is None else kinds.split()), result
            assert tool.files == ({} if body is None else {"file": body})
            assert result.requests == server.requests[f"/{name}"] == 1
            assert tool.meter.received >= len(body or b"")


async def test_bomb_stays_under_the_limit(bench: Fetch) -> None:
    """The limit is held against what came, and what came is stored as it is."""
    with FaultServer({"bomb": reply(BOMB, "Content-Encoding: gzip")}) as server:
        async with bench(max_bytes=len(BOMB)) as tool:
            result = await tool.fetch(f"{server.url}/bomb")
            assert (result.error, result.bytes, result.content_encoding) == (None, len(BOMB), "gzip")


# What the list declares


@pytest.mark.parametrize("size", [len(BODY) - 1, len(BODY) + 1])
@pytest.mark.parametrize("is_announced", [True, False], ids=["announced", "chunked"])
async def test_body_of_another_size_is_refused(bench: Fetch, size: int, is_announced: bool) -> None:
    """A login page in place of the file is no success, whether its size is announced or not."""
    chunked = CHUNKED + b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)
    with FaultServer({"page": say(answer() if is_announced else chunked)}) as server:
        async with bench() as tool:
            result = await tool.fetch(f"{server.url}/page", expected_bytes=size)
            assert (kind_of(result), result.http_status, tool.files) == ("checksum", 200, {})


@pytest.mark.parametrize("body", [BODY, BIG], ids=["whole", "streamed"])
async def test_body_of_another_digest_is_refused(bench: Fetch, body: bytes) -> None:
    """The digest that the list declares decides before the file appears; the right one is recorded."""
    digest = hashlib.sha256(body).hexdigest()
    with FaultServer({"file": say(answer(body))}) as server:
        async with bench() as tool:
            wrong = await tool.fetch(f"{server.url}/file", expected_digests={"sha256": "0" * 64})
            assert (kind_of(wrong), tool.files) == ("checksum", {})
            right = await tool.fetch(f"{server.url}/file", expected_digests={"sha256": digest})
            assert (right.error, right.bytes, right.digests["sha256"]) == (None, len(body), digest)
            assert tool.files == {"file": body}


async def test_name_that_is_taken_meanwhile_is_not_overwritten(bench: Fetch) -> None:
    """Neither by a small file nor by a large one; with leave to replace, it is."""
    with FaultServer({"small": say(answer(b"new")), "large": say(answer(BIG))}) as server:
        async with bench() as tool:
            (tool.directory / "file").write_bytes(b"old")
            for name in ("small", "large"):
                result = await tool.fetch(f"{server.url}/{name}")
                assert (kind_of(result), tool.files) == ("exists", {"file": b"old"})
            result = await tool.fetch(f"{server.url}/small", may_replace=True)
            assert (result.error, tool.files) == (None, {"file": b"new"})


# Connections


async def test_connection_is_kept(bench: Fetch, context: ssl.SSLContext | None, cacert: str) -> None:
    """Small answers that nobody wants are read to their end, so that they cost no connection either."""
    faults = {
        "missing": say(answer(b"no such file", status=404)),
        "moved": say(answer(b"", "Location: /b", status=302)),
    }
    with FaultServer(faults, context) as server:
        async with bench(cacert=cacert) as tool:
            for path in ("saved/1", "missing", "moved", "saved/2"):
                await tool.fetch(f"{server.url}/{path}", name=path.replace("/", "-"))
            assert (server.connections, len(server.seen)) == (1, 4)


def close_second(client: Client) -> None:
    if len(client.server.seen) > 1 and client.server.connections == 1:  # type: ignore[attr-defined]
        return
    say(answer())(client)


async def test_kept_connection_that_was_closed_is_nobodys_fault(bench: Fetch) -> None:
    """The request went out and no answer came: asked again by whoever counts, not behind its back."""
    with FaultServer({"file": close_second}) as server:
        async with bench() as tool:
            first = await tool.fetch(f"{server.url}/file", name="first")
            second = await tool.fetch(f"{server.url}/file", name="second")
            third = await tool.fetch(f"{server.url}/file", name="third")
            assert [kind_of(first), kind_of(second), kind_of(third)] == [None, "disconnected", None]
            assert [first.is_stale, second.is_stale, third.is_stale] == [False, True, False]
            assert (len(server.seen), server.connections) == (3, 2)


async def test_task_at_work_is_shown(bench: Fetch) -> None:
    """Once for each attempt, over a new connection and a kept one, whatever comes of it: for who wants to see it."""
    with FaultServer({"gone": say(answer(status=410))}) as server:
        async with bench() as tool:
            for number, path in enumerate(["saved", "saved", "gone"]):
                shown: list[object] = []
                attempt = Attempt(parse_url(f"{server.url}/{path}"), str(number))
                await tool.engine.fetch(attempt, Meter(shown.append))
                assert shown == [asyncio.current_task()]


@pytest.mark.parametrize("is_reset", [False, True], ids=["closed", "reset"])
async def test_request_is_sent_once(bench: Fetch, context: ssl.SSLContext | None, cacert: str, is_reset: bool) -> None:
    """A new connection that ends before the answer is no stale one; aiohttp alone would ask twice (aiohttp#10790)."""
    with FaultServer({"gone": Client.reset if is_reset else lambda client: None}, context) as server:
        async with bench(cacert=cacert) as tool:
            result = await tool.fetch(f"{server.url}/gone")
            assert (kind_of(result), result.is_stale, result.requests) == ("disconnected", False, 1)
            assert len(server.seen) == 1


async def test_reset_of_a_body_without_length_is_seen(
    bench: Fetch, context: ssl.SSLContext | None, cacert: str
) -> None:
    """aiohttp reports a success with half the file; what tells is an attribute of its protocol, undocumented."""

    def half(client: Client) -> None:
        client.send(head(200, length=None), BODY)
        client.reset()

    with FaultServer({"half": half}, context) as server:
        async with bench(cacert=cacert) as tool:
            result = await tool.fetch(f"{server.url}/half")
            assert (kind_of(result), tool.files) == ("disconnected", {})


@pytest.mark.parametrize("has_length", [True, False], ids=["length", "open end"])
async def test_end_that_comes_before_we_have_read_takes_nothing_along(
    bench: Fetch, context: ssl.SSLContext | None, cacert: str, has_length: bool
) -> None:
    """uvloop drops what TLS has in stock when the connection ends while reading is paused (uvloop#661)."""
    ended = threading.Event()

    def at_once(client: Client) -> None:
        client.send(head(length=len(BIG) if has_length else None), BIG)
        client.sock.shutdown(socket.SHUT_WR)
        ended.set()
        client.hold()

    with FaultServer({"big": at_once}, context) as server:
        async with bench(cacert=cacert, limit_rate=len(BIG) * 4) as tool:
            result = await tool.fetch(f"{server.url}/big")
            assert (result.error, tool.files) == (None, {"file": BIG})
            assert ended.is_set()


async def test_answer_that_is_left_early_is_not_downloaded_on(
    bench: Fetch, context: ssl.SSLContext | None, cacert: str
) -> None:
    """Under uvloop and TLS a response that is merely closed goes on downloading (uvloop#471)."""
    sent: list[int] = []
    ended = threading.Event()

    def endless(client: Client) -> None:
        client.send(head(200, length=None))
        with suppress(OSError):
            while len(sent) < 1000:
                client.send(bytes(65536))
                sent.append(65536)
        ended.set()

    with FaultServer({"endless": endless}, context) as server:
        async with bench(max_bytes=10_000, cacert=cacert) as tool:
            result = await tool.fetch(f"{server.url}/endless")
            assert kind_of(result) == "too_large"
            while not ended.is_set():
                await asyncio.sleep(0.01)
            # What the buffers of two sockets hold, against 64 MB.
            assert sum(sent) < 16_000_000


async def test_refused_body_with_no_end_is_not_read(bench: Fetch) -> None:
    """The status says all; a body behind it that stalls changes neither it nor the time it takes."""

    def stall(client: Client) -> None:
        client.send(head(404, length=10), b"no")
        client.hold()

    with FaultServer({"stall": stall}) as server:
        async with bench(first_byte_timeout=20) as tool:
            result = await asyncio.wait_for(tool.fetch(f"{server.url}/stall"), 10)
            assert (kind_of(result), result.http_status) == ("http", 404)


async def test_times_are_told_in_their_order(bench: Fetch) -> None:
    """Connected, sent, first byte, last byte, on the monotonic clock; the size is announced."""
    before = time.monotonic()
    with FaultServer() as server:
        async with bench() as tool:
            await tool.fetch(f"{server.url}/saved")
            meter = tool.meter
            times = [before, meter.connected, meter.sent, meter.first_byte, meter.last_byte, time.monotonic()]
            assert times == sorted(times)
            assert (meter.total, meter.received) == (len(BODY), len(BODY))


# Deadlines


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that accepts nothing: its queue is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        fillers = [socket.socket() for _ in range(8)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(address)
        yield address[1]
        for filler in fillers:
            filler.close()


async def test_connection_that_does_not_come_times_out(bench: Fetch, silent_port: int) -> None:
    """By the deadline to connect, which the message names; it counts as a try."""
    async with bench(connect_timeout=0.2) as tool:
        result = await tool.fetch(f"http://127.0.0.1:{silent_port}/")
        assert (kind_of(result), result.requests, result.http_status) == ("timeout", 1, None)
        assert "--connect-timeout 0.2 s" in str(result.error)


async def test_handshake_that_stalls_times_out(bench: Fetch) -> None:
    """TLS belongs to connecting: a server that accepts and says nothing is told like one that does not accept."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with bench(connect_timeout=0.2) as tool:
            result = await tool.fetch(f"https://127.0.0.1:{listener.getsockname()[1]}/")
            assert kind_of(result) == "timeout"
            assert "--connect-timeout 0.2 s" in str(result.error)


@pytest.mark.slow
async def test_own_slowness_is_not_the_servers_fault(bench: Fetch) -> None:
    """While a rate limit holds the transfer back, no deadline runs; it never speeds."""
    with FaultServer({"file": say(answer(BODY * 100))}) as server:
        async with bench(limit_rate=150_000, idle_timeout=0.4, first_byte_timeout=1, min_speed=1e9) as tool:
            began = time.monotonic()
            result = await tool.fetch(f"{server.url}/file")
            assert (result.error, result.bytes) == (None, len(BODY) * 100)
            # No more than a tenth of a second's worth comes at once.
            assert time.monotonic() - began > len(BODY) * 100 / 150_000 - 0.2


# TLS


def expired(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    past = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    authority.issue_cert("127.0.0.1", not_before=past, not_after=past.replace(year=2021)).configure_cert(context)
    return context


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (expired, "expired"),
        (partial(server_context, trustme.CA()), "issuer"),
        (lambda authority: server_context(authority, "elsewhere.example"), "127.0.0.1"),
    ],
    ids=["expired", "unknown authority", "other host"],
)
async def test_certificate_that_is_not_valid_is_final(
    bench: Fetch, authority: trustme.CA, cacert: str, make: Any, reason: str
) -> None:
    """Nothing is asked of such a server, and asking again would not help; `insecure` asks all the same."""
    make = make if make is expired or not isinstance(make, partial) else lambda _: server_context(trustme.CA())
    with FaultServer(context=make(authority)) as server:
        async with bench(cacert=cacert) as tool:
            result = await tool.fetch(f"{server.url}/saved")
            assert (kind_of(result), result.detail) == ("tls", "certificate")
            assert reason in str(result.error)
            assert server.seen == []
        async with bench(insecure=True) as tool:
            assert (await tool.fetch(f"{server.url}/saved")).bytes == len(BODY)


async def test_authority_of_ones_own_takes_the_place_of_the_systems(
    bench: Fetch, tls: ssl.SSLContext, cacert: str
) -> None:
    """By address and by name; without it the server is a stranger."""
    with FaultServer(context=tls) as server:
        async with bench(cacert=cacert) as tool:
            for url in (server.url, f"https://localhost:{server.port}"):
                assert (await tool.fetch(f"{url}/saved", may_replace=True)).error is None
        async with bench() as tool:
            result = await tool.fetch(f"{server.url}/saved")
            assert (kind_of(result), result.detail) == ("tls", "certificate")


@pytest.mark.parametrize(
    "answered", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x15\x03\x03\x00\x02\x02\x28"], ids=["http", "alert"]
)
async def test_handshake_that_fails_may_pass(bench: Fetch, answered: bytes) -> None:
    """A server that speaks something else, or sends an alert: `tls`, and not because of the certificate."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def refuse() -> None:
            sock, _ = listener.accept()
            with sock:
                sock.recv(65536)
                sock.sendall(answered)
                sock.shutdown(socket.SHUT_WR)
                sock.recv(65536)

        thread = threading.Thread(target=refuse)
        thread.start()
        async with bench() as tool:
            result = await tool.fetch(f"https://127.0.0.1:{listener.getsockname()[1]}/")
        thread.join()
        assert (kind_of(result), result.detail) == ("tls", "")


async def test_plain_request_to_a_tls_port(bench: Fetch, tls: ssl.SSLContext) -> None:
    """The server hangs up, or says something that is no HTTP."""
    with FaultServer(context=tls) as server:
        async with bench() as tool:
            result = await tool.fetch(f"http://127.0.0.1:{server.port}/saved")
            assert kind_of(result) in {"disconnected", "protocol"}
            assert tool.files == {}


async def test_port_without_a_server(bench: Fetch, scheme: str) -> None:
    """Refused, and the message names the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    async with bench() as tool:
        result = await tool.fetch(f"{scheme}://127.0.0.1:{port}/")
        assert (kind_of(result), result.requests) == ("connect", 1)
        assert str(port) in str(result.error)
        assert "refused" in str(result.error)


# Addresses


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]"])
async def test_private_address_is_refused_without_a_connection(bench: Fetch, host: str) -> None:
    """A public server that redirects here gets no request of ours into this network, by name or by address."""
    with FaultServer() as server:
        async with bench() as tool:
            result = await tool.fetch(f"http://{host}:{server.port}/saved", is_public_only=True)
            assert (kind_of(result), server.connections, server.seen) == ("policy", 0, [])
            assert "--allow-private-redirects" in str(result.error)


async def test_connection_that_was_allowed_is_not_lent_to_one_that_is_not(bench: Fetch) -> None:
    """The item that names a private host itself keeps a connection; a redirect there does not find it."""
    with FaultServer() as server:
        async with bench() as tool:
            assert (await tool.fetch(f"http://localhost:{server.port}/saved")).error is None
            result = await tool.fetch(f"http://localhost:{server.port}/saved", is_public_only=True)
            assert (kind_of(result), len(server.seen)) == ("policy", 1)


async def test_redirect_tells_whether_its_server_is_private(bench: Fetch) -> None:
    """By address and by name, so that later hops may stay where the user began."""
    with FaultServer({"moved": say(answer(b"", "Location: /b", status=301))}) as server:
        async with bench() as tool:
            for host in ("127.0.0.1", "localhost"):
                result = await tool.fetch(f"http://{host}:{server.port}/moved")
                assert (result.location, result.is_private, result.http_status) == ("/b", True, 301)


# The request


@pytest.mark.parametrize(
    "path",
    [
        "/a%2Fb%27c%28d%29",
        "/a'b(c)[d];e,f:g@h!$&*+=~",
        "//double//slash",
        "/dots/../and/./dots",
        "/q?a=%2F&b='(x)'&c=[1]&d=|&e={}&f=\"&g=<>^`\\",
        "/q?",
        "/q?x=1&",
        "/percent%zz%",
        "/plus+space%20?a+b=%20",
        "?only-query",
        "",
    ],
)
async def test_url_is_sent_byte_for_byte(bench: Fetch, path: str) -> None:
    """A signature is made over these very bytes; aiohttp's own quoting would change them (aiohttp#5512)."""
    target = f"{'' if path.startswith('/') else '/'}{path}"
    with FaultServer({target[1:].partition("/")[0].partition("?")[0]: say(answer())}) as server:
        async with bench() as tool:
            assert (await tool.fetch(f"{server.url}{path}#fragment")).error is None
        assert server.paths == [target]


async def test_what_cannot_be_sent_is_encoded(bench: Fetch) -> None:
    """Blanks and letters beyond ASCII as UTF-8, nothing else."""
    with FaultServer() as server:
        async with bench() as tool:
            await tool.fetch(f"{server.url}/saved/a b/é%20?q=ü")
        assert server.paths == ["/saved/a%20b/%C3%A9%20?q=%C3%BC"]


async def test_request_carries_what_the_attempt_says(bench: Fetch) -> None:
    """Its headers, the host as in the URL, and neither cookies nor a coding; a server's cookie is not sent back."""
    with FaultServer({"cookie": say(answer(b"", "Set-Cookie: a=b"))}) as server:
        async with bench() as tool:
            headers = {"Authorization": "Basic eA==", "Accept-Encoding": "identity", "X-Key": "é"}
            await tool.fetch(f"{server.url}/cookie", headers=headers)
            await tool.fetch(f"http://localhost:{server.port}/saved", headers=headers, may_replace=True)
        fields = server.fields("/saved")
        assert fields["host"] == f"localhost:{server.port}"
        assert fields["authorization"] == "Basic eA=="
        assert fields["accept-encoding"] == "identity"
        assert fields["x-key"].encode("latin-1").decode() == "é"
        assert fields.keys() & {"cookie", "content-length", "transfer-encoding", "range", "referer"} == set()


# Text from outside


async def test_nothing_of_an_answer_reaches_a_terminal_as_it_came(bench: Fetch) -> None:
    """Escape sequences in status line, fields and coding are not in the result, or are escaped."""
    evil = b"\x1b]0;owned\x07"
    faults = {
        "reason": say(b"HTTP/1.1 500 " + evil + b"\r\nContent-Length: 0\r\n\r\n"),
        "coding": say(b"HTTP/1.1 200 OK\r\nContent-Encoding: " + evil + b"\r\nContent-Length: 0\r\n\r\n"),
        "length": say(b"HTTP/1.1 200 OK\r\nContent-Length: 1" + evil + b"\r\n\r\n"),
        "after": say(b"HTTP/1.1 503 OK\r\nRetry-After: " + evil + b"\r\nContent-Length: 0\r\n\r\n"),
        "head": say(evil + b"\r\n\r\n"),
    }
    with FaultServer(faults) as server:
        async with bench() as tool:
            for name in faults:
                result = await tool.fetch(f"{server.url}/{name}", name=name)
                assert "\x1b" not in f"{result.error} {result.content_encoding}"
                assert "\x07" not in f"{result.error} {result.content_encoding}"


# Cancelling


@pytest.mark.parametrize("path", ["saved", "big", "silent", "stall", "moved"])
async def test_cancelled_at_any_moment_it_leaves_nothing(
    bench: Fetch, context: ssl.SSLContext | None, cacert: str, path: str
) -> None:
    """No part and no task: tried at every turn of the loop until the attempt is through."""
    forgive_uvloop()

    def stall(client: Client) -> None:
        client.send(head(length=len(BIG)), BIG[:1_200_000])
        client.hold()

    faults = {
        "big": say(answer(BIG)), "silent": Client.hold, "stall": stall,
        "moved": say(answer(b"x" * 100, "Location: /saved", status=302)),
    }  # fmt: skip
    with FaultServer(faults, context) as server:
        async with bench(cacert=cacert) as tool:
            await tool.fetch(f"{server.url}/saved", name="first")
            for turns in moments():
                name = f"{turns}"
                task = asyncio.ensure_future(tool.fetch(f"{server.url}/{path}", name=name))
                for _ in range(turns):
                    await asyncio.sleep(0)
                task.cancel()
                await asyncio.wait([task])
                whole = {"first": BODY, name: BODY if path == "saved" else BIG}
                assert {key: body for key, body in tool.files.items() if whole.get(key) != body} == {}, turns
                assert asyncio.all_tasks() == {asyncio.current_task()}
                if name in tool.files:
                    (tool.directory / name).unlink()
            # However slow this machine is, one at least has come to the server.
            seen = server.requests[f"/{path}"]
            task = asyncio.ensure_future(tool.fetch(f"{server.url}/{path}", name="last"))
            while server.requests[f"/{path}"] == seen:
                await asyncio.sleep(0.001)
            task.cancel()
            await asyncio.wait([task])
            assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_cancellation_is_not_mistaken_for_a_deadline(bench: Fetch) -> None:
    """It goes on as such, even where a deadline has just been moved."""
    with FaultServer({"silent": Client.hold}) as server:
        async with bench(first_byte_timeout=20) as tool:
            task = asyncio.ensure_future(tool.fetch(f"{server.url}/silent"))
            while not server.seen:
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task


# This machine

FEW_FILES = """
import asyncio, resource, sys
from aioflags import download_many
import uvloop
resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
url, path, loop, engine = sys.argv[1:]
factory = uvloop.new_event_loop if loop == "uvloop" else asyncio.new_event_loop
with asyncio.Runner(loop_factory=factory) as runner:
    report = runner.run(download_many([f"{url}/{n}" for n in range(150)], path, per_host=0, concurrency=64, retries=0,
                                      engine=engine))
print(report.summary["saved"], report.summary["errors"])
"""


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_too_many_open_files_fail_no_item(tmp_path: Path, loop: str, engine: LoopEngine) -> None:
    """The run adapts: it is neither the fault of an item nor of a host, and costs no retry."""
    with FaultServer() as server:
        arguments = [f"{server.url}/saved", str(tmp_path / "files"), loop, engine]
        command = [sys.executable, "-X", "dev", "-c", FEW_FILES, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.returncode) == ("150 {}\n", 0), done.stderr
