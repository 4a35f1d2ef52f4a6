"""One attempt by a thread that may block: what goes over the wire, what the result says, what is left behind."""

from __future__ import annotations

import os
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme

from aioflags.destination import Destination
from aioflags.engines.blocking_body import SharedByteRate
from aioflags.engines.blocking_driver import BlockingDriver
from aioflags.engines.blocking_names import BlockingNames
from aioflags.engines.guard import AbandonedError, Guard
from aioflags.engines.seam import Attempt, AttemptResult, Meter
from aioflags.engines.tls import load_ssl_context
from aioflags.settings import Settings
from aioflags.urls import parse_url
from aioflags.writer import Writer
from tests.faultserver import FaultServer, answer, keep_open, say, server_context, tunnel
from tests.hostile import BODY, Client, Fault, head

BIG = BODY * 1000  # 2 MB: more than is written at once


class Bench:
    """A driver over a directory of its own."""

    def __init__(self, driver: BlockingDriver, settings: Settings, directory: Path) -> None:
        self.driver = driver
        self.settings = settings
        self.directory = directory
        self.meter = Meter()
        self.is_abandoned: Callable[[], bool] = lambda: False

    def fetch(self, url: str, **details: Any) -> AttemptResult:
        """Make one attempt at `url`, its file named `file` and replaced unless `details` say otherwise."""
        self.meter = Meter()
        attempt = Attempt(parse_url(url), **{"name": "file", "may_replace": True, **details})
        return self.driver.fetch(
            attempt, Guard(self.settings, self.meter, attempt.target.host, lambda: self.is_abandoned())
        )

    @property
    def files(self) -> dict[str, bytes]:
        """What lies in the directory, parts included."""
        found = (path for path in self.directory.rglob("*") if path.is_file())
        return {str(path.relative_to(self.directory)): path.read_bytes() for path in found}


Open = Callable[..., AbstractContextManager[Bench]]


@pytest.fixture
def bench(tmp_path: Path) -> Open:
    """Open a driver with options."""

    @contextmanager
    def opened(**options: Any) -> Iterator[Bench]:
        settings = Settings(**{"connect_timeout": 5, "first_byte_timeout": 5, "idle_timeout": 5, **options})
        destination = Destination(tmp_path / "files")
        destination.open()
        rate = None if settings.limit_rate is None else SharedByteRate(settings.limit_rate)
        context = load_ssl_context(settings.cacert, insecure=settings.insecure)
        driver = BlockingDriver(Writer(destination), settings, context, BlockingNames(), rate)
        try:
            yield Bench(driver, settings, tmp_path / "files")
        finally:
            driver.close()
            destination.close()

    return opened


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
def context(request: pytest.FixtureRequest, tls: ssl.SSLContext) -> ssl.SSLContext | None:
    return tls if request.param == "https" else None


def kind_of(result: AttemptResult) -> str | None:
    return None if result.error is None else result.error.kind


# Connections


def test_connection_is_used_again(bench: Open, context: ssl.SSLContext | None, cacert: str) -> None:
    """Whatever the answer was, as long as it was read to its end."""
    faults = {
        "missing": say(answer(b"no", status=404)),
        "moved": say(answer(b"x", "Location: /saved", status=302)),
        "chunked": say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"),
        "empty": say(answer(b"")),
        "big": say(answer(BIG)),
    }
    with FaultServer(faults, context) as server, bench(cacert=cacert) as tool:
        kinds = [kind_of(tool.fetch(f"{server.url}/{name}")) for name in (*faults, "saved")]
        assert (kinds, server.connections) == (["http", None, None, None, None, None], 1)


def _breaking_off(*blocks: bytes) -> Fault:
    """Send blocks one by one and then wait for another request, as if the answer were whole."""

    def fault(client: Client) -> None:
        for block in blocks:
            client.send(block)
            client.server.closing.wait(0.05)
        keep_open(client)

    return fault


@pytest.mark.parametrize("path", ["cut", "refused", "endless", "closing", "broken", "late"])
def test_connection_that_is_not_read_to_its_end_is_not_used_again(bench: Open, path: str) -> None:
    """What is left on it would be the answer to the next request."""
    faults = {
        "cut": lambda client: client.send(answer(BODY)[:-100]),
        "refused": say(answer(b"x" * 1_000_000, status=404)),
        "endless": lambda client: client.send(answer(BIG)),
        "closing": lambda client: client.send(head() + BODY),
        "broken": _breaking_off(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", b"xyz\r\n"),
        "late": _breaking_off(b"HTTP/1.1 404 No\r\nContent-Length: 9\r\n\r\nabc"),
    }
    with FaultServer(faults) as server, bench(max_bytes=5000) as tool:
        tool.fetch(f"{server.url}/{path}")
        result = tool.fetch(f"{server.url}/saved")
        assert (result.error, tool.files["file"], server.connections) == (None, BODY, 2)


def test_connections_do_not_pile_up(bench: Open, context: ssl.SSLContext | None, cacert: str) -> None:
    """However an answer ends, its descriptor is given back; of many origins a few stay open."""
    faults = {
        "closing": lambda client: client.send(head() + BODY),
        "closing-early": lambda client: client.send(head() + BODY[:9]),
        "open-end": lambda client: client.send(head(length=None) + BODY),
        "nothing": lambda client: None,
    }
    with FaultServer(faults, context) as server, bench(cacert=cacert) as tool:
        tool.fetch(f"{server.url}/saved")
        ours = set(os.listdir("/proc/self/fd"))
        for _ in range(5):
            for path in faults:
                tool.fetch(f"{server.url}/{path}")
        # Those of the server's side go when its threads have ended.
        deadline = time.monotonic() + 5
        while (left := set(os.listdir("/proc/self/fd")) - ours) and time.monotonic() < deadline:
            server.closing.wait(0.01)
        assert len(left) <= 1


@pytest.mark.parametrize("is_reused", [True, False])
def test_stale_connection_is_told_apart(bench: Open, is_reused: bool) -> None:
    """Closed without an answer: if it had been used before, nobody is to blame, and in any case it is asked once."""
    with FaultServer({"nothing": lambda client: None}) as server, bench() as tool:
        if is_reused:
            tool.fetch(f"{server.url}/saved")
        result = tool.fetch(f"{server.url}/nothing")
        assert (kind_of(result), result.is_stale, result.requests) == ("disconnected", is_reused, 1)
        assert server.requests["/nothing"] == 1


def test_fresh_attempt_uses_no_kept_connection(bench: Open) -> None:
    """It is the one after a stale one."""
    with FaultServer() as server, bench() as tool:
        tool.fetch(f"{server.url}/saved")
        tool.fetch(f"{server.url}/saved", is_fresh=True)
        assert server.connections == 2


# Addresses


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]"])
def test_private_address_is_refused_without_a_connection(bench: Open, host: str) -> None:
    """A public server that redirects here cannot even have us knock at a port."""
    with FaultServer() as server, bench() as tool:
        result = tool.fetch(f"http://{host}:{server.port}/saved", is_public_only=True)
        assert (kind_of(result), server.connections, tool.files) == ("policy", 0, {})
        assert "--allow-private-redirects" in str(result.error)


def test_name_with_addresses_of_both_kinds(bench: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leads to the public ones only; each is tried, under the name that the user knows."""
    tried: list[str] = []
    rows = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in ("10.0.0.1", "192.0.2.1", "8.8.8.8")
    ]

    class NoSocket(socket.socket):
        def connect(self, address: Any) -> None:
            tried.append(address[0])
            raise ConnectionRefusedError(111, "refused")

    def resolve(host: str, *_: Any, **__: Any) -> list[Any]:
        return rows if host == "both.example" else [row for row in rows if row[4][0] == host]

    with bench() as tool:
        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        monkeypatch.setattr(socket, "socket", NoSocket)
        result = tool.fetch("http://both.example/x", is_public_only=True)
        monkeypatch.undo()
    assert (kind_of(result), result.error and result.error.host) == ("connect", "both.example")
    assert tried == ["8.8.8.8"]


def test_connection_that_was_allowed_is_not_lent_to_one_that_is_not(bench: Open) -> None:
    """The item that names a private host itself keeps a connection; a redirect there does not find it."""
    with FaultServer() as server, bench() as tool:
        assert tool.fetch(f"http://localhost:{server.port}/saved").error is None
        result = tool.fetch(f"http://localhost:{server.port}/saved", is_public_only=True)
        assert (kind_of(result), len(server.seen)) == ("policy", 1)


def test_redirect_tells_whether_its_server_is_private(bench: Open) -> None:
    """So that later hops may stay where the user began; behind a proxy nobody knows."""
    moved = {"moved": say(answer(b"", "Location: /b", status=301))}
    with FaultServer(moved) as server:
        with bench() as tool:
            result = tool.fetch(f"http://localhost:{server.port}/moved")
            assert (result.location, result.is_private, result.http_status) == ("/b", True, 301)
        with bench(proxy=server.url) as tool:
            assert not tool.fetch("http://origin.example/moved").is_private


@pytest.mark.parametrize(("code", "detail"), [(socket.EAI_NONAME, "unknown host"), (socket.EAI_AGAIN, "")])
def test_name_that_cannot_be_resolved(bench: Open, monkeypatch: pytest.MonkeyPatch, code: int, detail: str) -> None:
    """One that does not exist is told apart from a name server that is overloaded."""

    def resolve(*_: Any, **__: Any) -> list[Any]:
        raise socket.gaierror(code, "says the resolver")

    with bench() as tool:
        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        for is_public_only in (False, True):
            result = tool.fetch("http://nowhere.example/", is_public_only=is_public_only)
            assert (kind_of(result), result.detail) == ("dns", detail)


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
        "/q?next=//a/b?c",
        "/percent%zz%",
        "/plus+space%20?a+b=%20",
        "?only-query/with-slash",
        "",
    ],
)
def test_url_is_sent_byte_for_byte(bench: Open, path: str) -> None:
    """A signature is made over these very bytes; urllib3's own quoting would change them."""
    target = f"{'' if path.startswith('/') else '/'}{path}"
    with FaultServer({target[1:].partition("?")[0].partition("/")[0]: say(answer())}) as server, bench() as tool:
        assert tool.fetch(f"{server.url}{path}#fragment").error is None
        assert server.paths == [target]


def test_what_cannot_be_sent_is_encoded(bench: Open) -> None:
    """Blanks and letters beyond ASCII as UTF-8, nothing else."""
    with FaultServer() as server, bench() as tool:
        tool.fetch(f"{server.url}/saved/a b/é%20?q=ü")
        assert server.paths == ["/saved/a%20b/%C3%A9%20?q=%C3%BC"]


def test_request_carries_what_the_attempt_says(bench: Open) -> None:
    """Its headers, the host as in the URL, and neither cookies nor a coding; a server's cookie is not sent back."""
    with FaultServer({"cookie": say(answer(b"", "Set-Cookie: a=b"))}) as server, bench() as tool:
        headers = {"Authorization": "Basic eA==", "Accept-Encoding": "identity", "User-Agent": "us", "X-Key": "é日"}
        tool.fetch(f"{server.url}/cookie", headers=headers)
        tool.fetch(f"http://localhost:{server.port}/saved", headers=headers)
        fields = server.fields("/saved")
    assert fields["host"] == f"localhost:{server.port}"
    assert (fields["authorization"], fields["accept-encoding"], fields["user-agent"]) == (
        "Basic eA==",
        "identity",
        "us",
    )
    assert fields["x-key"].encode("latin-1").decode() == "é日"
    assert fields.keys() & {"cookie", "content-length", "transfer-encoding", "range", "referer"} == set()


# A proxy


def test_proxy_is_asked_for_http(bench: Open) -> None:
    """With the whole URL, byte for byte; its password goes to it."""
    with FaultServer() as proxy, bench(proxy=f"http://me:s%33cret@127.0.0.1:{proxy.port}") as tool:
        result = tool.fetch("http://origin.example/saved/a%2Fb'?c")
        assert (result.error, result.bytes, result.requests) == (None, len(BODY), 1)
        assert proxy.paths == ["http://origin.example/saved/a%2Fb'?c"]
        assert proxy.fields(proxy.paths[0])["proxy-authorization"] == "Basic bWU6czNjcmV0"
        assert proxy.fields(proxy.paths[0])["host"] == "origin.example"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_proxy_tunnels_https(bench: Open, authority: trustme.CA, cacert: str, host: str) -> None:
    """It sees host and port and no more; the origin sees no password of the proxy."""
    with FaultServer(context=server_context(authority, host.strip("[]"))) as origin:

        def redirect(client: Client) -> None:
            # Whatever was named, there is one origin here.
            assert client.path == f"{host}:{origin.port}"
            client.path = f"127.0.0.1:{origin.port}"
            tunnel(client)

        with FaultServer({"CONNECT": redirect}) as proxy:
            with bench(proxy=f"http://me:s3cret@127.0.0.1:{proxy.port}", cacert=cacert) as tool:
                url = f"https://{host}:{origin.port}/saved"
                result = tool.fetch(url, headers={"Authorization": "mine"})
                assert (result.error, result.requests) == (None, 1)
            assert proxy.fields(proxy.paths[0])["proxy-authorization"] == "Basic bWU6czNjcmV0"
            assert "mine" not in proxy.fields(proxy.paths[0]).values()
            assert "proxy-authorization" not in origin.fields("/saved")
            assert origin.fields("/saved")["authorization"] == "mine"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_proxy_that_wants_a_password(bench: Open, scheme: str) -> None:
    """Says so by its status; nothing of the password we gave is in the message."""
    refusal = answer(b"", "Proxy-Authenticate: Basic", status=407)
    with FaultServer({"file": say(refusal), "CONNECT": say(refusal)}) as proxy:
        with bench(proxy=f"http://me:s3cret@127.0.0.1:{proxy.port}") as tool:
            result = tool.fetch(f"{scheme}://origin.example/file")
            assert (kind_of(result), result.http_status) == ("http", 407)
            assert "s3cret" not in repr(result)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_proxy_that_is_not_there(bench: Open, scheme: str) -> None:
    """The proxy is to blame, not the host of the URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with bench(proxy=f"http://127.0.0.1:{port}") as tool:
        result = tool.fetch(f"{scheme}://origin.example/file")
        assert kind_of(result) == "connect"
        assert "proxy" in str(result.error)


def test_proxy_may_stand_in_a_private_network(bench: Open) -> None:
    """The rule is about where a redirect leads, not about the proxy that the user chose; private hosts stay refused."""
    with FaultServer() as proxy, bench(proxy=f"http://localhost:{proxy.port}") as tool:
        assert tool.fetch("http://origin.example/saved", is_public_only=True).bytes == len(BODY)
        assert kind_of(tool.fetch("http://127.0.0.1/saved", is_public_only=True)) == "policy"
        assert len(proxy.seen) == 1


# TLS


def test_certificate_that_is_not_valid_is_final(bench: Open, authority: trustme.CA, cacert: str) -> None:
    """Another authority or another host: nothing is asked of such a server; `insecure` asks all the same."""
    for strange in (trustme.CA(), authority):
        names = ("elsewhere.example",) if strange is authority else ()
        with FaultServer(context=server_context(strange, *names)) as server:
            with bench(cacert=cacert) as tool:
                result = tool.fetch(f"{server.url}/saved")
                assert (kind_of(result), result.detail, server.seen) == ("tls", "certificate", [])
            with bench(insecure=True) as tool:
                assert tool.fetch(f"{server.url}/saved").bytes == len(BODY)


# Time


def test_deadline_to_connect_holds_for_tls(bench: Open) -> None:
    """A server that accepts and says nothing is told like one that does not accept; the message names the option."""
    with socket.create_server(("127.0.0.1", 0)) as listener, bench(connect_timeout=0.1) as tool:
        result = tool.fetch(f"https://127.0.0.1:{listener.getsockname()[1]}/")
        assert (kind_of(result), result.requests) == ("timeout", 1)
        assert "--connect-timeout" in str(result.error)


@pytest.mark.parametrize("answered", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 100 Go on\r\n\r\n", b"HTTP/1.1 2"])
def test_deadline_to_connect_holds_for_a_proxy_that_drips(bench: Open, answered: bytes) -> None:
    """However lively its answer to CONNECT is, for ever."""

    def drip(client: Client) -> None:
        client.send(answered)
        client.drip((answered if b"100" in answered else b"x") * 10_000, 0.005)

    with FaultServer({"CONNECT": drip}) as proxy, bench(connect_timeout=0.2, proxy=proxy.url) as tool:
        began = time.monotonic()
        result = tool.fetch("https://origin.example/")
        assert (kind_of(result), result.requests) == ("timeout", 1)
        assert 0.2 <= time.monotonic() - began < 10


@pytest.mark.slow
def test_own_slowness_is_not_the_servers_fault(bench: Open) -> None:
    """While a rate limit holds the transfer back, no deadline runs; it never speeds."""
    with FaultServer({"file": say(answer(BODY * 100))}) as server:
        with bench(limit_rate=150_000, idle_timeout=0.4, first_byte_timeout=1, min_speed=1e9) as tool:
            began = time.monotonic()
            result = tool.fetch(f"{server.url}/file")
            assert (result.error, result.bytes) == (None, len(BODY) * 100)
            # No more than a tenth of a second's worth comes at once.
            assert time.monotonic() - began > len(BODY) * 100 / 150_000 - 0.2


def test_meter_shows_what_happens(bench: Open, context: ssl.SSLContext | None, cacert: str) -> None:
    """Connected, sent, first byte, last byte, on the monotonic clock; the size is announced."""
    with FaultServer({"big": say(answer(BIG))}, context) as server, bench(cacert=cacert) as tool:
        began = time.monotonic()
        tool.fetch(f"{server.url}/big")
        meter = tool.meter
        moments = [began, meter.connected, meter.sent, meter.first_byte, meter.last_byte, time.monotonic()]
        assert moments == sorted(moment for moment in moments if moment is not None)
        assert (meter.received, meter.total) == (len(BIG), len(BIG))


# Whole files, or nothing


def test_early_stop_ends_the_transfer(bench: Open, context: ssl.SSLContext | None, cacert: str) -> None:
    """Of a body without end the server gets rid of little more than is allowed."""
    sent = 0

    def endless(client: Client) -> None:
        nonlocal sent
        client.send(head(length=None))
        # 200 MB: far more than any buffer on the way.
        for _ in range(3000):
            client.send(bytes(65536))
            sent += 65536

    with FaultServer({"endless": endless}, context) as server, bench(max_bytes=1_500_000, cacert=cacert) as tool:
        assert kind_of(tool.fetch(f"{server.url}/endless")) == "too_large"
        assert tool.files == {}
    assert sent < 50_000_000


@pytest.mark.parametrize("path", ["silent", "stall", "stall-small", "drip-head", "limited"])
def test_abandoned_attempt_ends_and_leaves_nothing(
    bench: Open, context: ssl.SSLContext | None, cacert: str, path: str
) -> None:
    """Wherever it waits it looks up now and then; no part, no open connection."""

    def stall(client: Client) -> None:
        client.send(head(length=len(BIG)), BIG[:1_200_000] if client.path == "/stall" else BIG[:100])
        client.hold()

    faults = {
        "silent": Client.hold, "stall": stall, "stall-small": stall, "limited": say(answer(BIG)),
        "drip-head": lambda client: client.drip(head(), 0.3),
    }  # fmt: skip
    with FaultServer(faults, context) as server:
        with bench(cacert=cacert, limit_rate=200_000 if path == "limited" else None) as tool:
            until = 0.0

            def is_abandoned() -> bool:
                nonlocal until
                # Two look-ups into the wait for the server.
                until = until or (time.monotonic() + 0.3 if server.seen else 0.0)
                return 0 < until < time.monotonic()

            tool.is_abandoned = is_abandoned
            with pytest.raises(AbandonedError):
                tool.fetch(f"{server.url}/{path}")
            assert tool.files == {}


def test_unwanted_at_the_last_moment(bench: Open) -> None:
    """Abandoned when all bytes are there, it does not appear."""
    for path, body in (("saved", BODY), ("big", BIG)):
        with FaultServer({"big": say(answer(BIG))}) as server, bench() as tool:
            tool.is_abandoned = lambda: tool.meter.received == len(body)  # noqa: B023 - called within the turn
            with pytest.raises(AbandonedError):
                tool.fetch(f"{server.url}/{path}")
            assert tool.files == {}


def test_nothing_of_an_answer_reaches_a_terminal_as_it_came(bench: Open) -> None:
    """Escape sequences in status line, fields and coding are not in the result, or are escaped."""
    evil = b"\x1b]0;owned\x07"
    faults = {
        "reason": say(b"HTTP/1.1 500 " + evil + b"\r\nContent-Length: 0\r\n\r\n"),
        "coding": say(b"HTTP/1.1 200 OK\r\nContent-Encoding: " + evil + b"\r\nContent-Length: 0\r\n\r\n"),
        "length": say(b"HTTP/1.1 200 OK\r\nContent-Length: 1" + evil + b"\r\n\r\n"),
        "after": say(b"HTTP/1.1 503 OK\r\nRetry-After: " + evil + b"\r\nContent-Length: 0\r\n\r\n"),
        "head": say(evil + b"\r\n\r\n"),
    }
    with FaultServer(faults) as server, bench() as tool:
        for name in faults:
            result = tool.fetch(f"{server.url}/{name}", name=name)
            assert "\x1b" not in f"{result.error} {result.content_encoding}"
            assert "\x07" not in f"{result.error} {result.content_encoding}"
