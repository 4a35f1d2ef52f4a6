"""The connections of one thread: which are kept and for how long, to whom they lead, what goes over them first."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from aioflags.engines.blocking_connection import Connections
from aioflags.engines.blocking_names import BlockingNames
from aioflags.engines.faults import PrivateAddressError
from aioflags.engines.seam import Attempt
from aioflags.engines.tls import load_ssl_context
from aioflags.settings import Settings
from aioflags.urls import parse_url
from tests.faultserver import FaultServer

CONTEXT = load_ssl_context(None)


@contextmanager
def connections(**options: Any) -> Iterator[Connections]:
    pool = Connections(Settings(**options), CONTEXT, BlockingNames())
    try:
        yield pool
    finally:
        pool.close()


def attempt_at(url: str, **details: Any) -> Attempt:
    return Attempt(parse_url(url), "file", **details)


def test_connection_is_lent_to_its_origin_only() -> None:
    """And to one at a time: while it is out, the next gets another."""
    with FaultServer() as server, FaultServer() as other, connections() as pool:
        attempt, elsewhere = attempt_at(f"{server.url}/a"), attempt_at(f"{other.url}/a")
        first, was_used = pool.take(attempt)
        second, _ = pool.take(attempt)
        assert (was_used, first is second) == (False, False)
        pool.give_back(attempt, first)
        third, was_used = pool.take(elsewhere)
        assert (was_used, third.port) == (False, other.port)
        assert pool.take(attempt) == (first, True)
        for connection in (first, second, third):
            connection.close()


def test_fresh_attempt_closes_the_kept_connection() -> None:
    """Its successor would be as stale."""
    with FaultServer() as server, connections() as pool:
        attempt = attempt_at(server.url)
        kept, _ = pool.take(attempt)
        pool.give_back(attempt, kept)
        fresh, was_used = pool.take(attempt_at(server.url, is_fresh=True))
        assert (was_used, kept.sock, fresh is kept) == (False, None, False)
        fresh.close()


def test_connection_that_idled_too_long_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers close after a while, and a request that crosses the end is lost."""
    with FaultServer() as server, connections() as pool:
        attempt = attempt_at(server.url)
        kept, _ = pool.take(attempt)
        pool.give_back(attempt, kept)
        now = time.monotonic()
        monkeypatch.setattr(time, "monotonic", lambda: now + 60)
        later, was_used = pool.take(attempt)
        monkeypatch.undo()
        assert (was_used, kept.sock) == (False, None)
        later.close()


def test_few_are_kept_and_the_oldest_goes() -> None:
    """A list of many hosts does not use up the open files."""
    with FaultServer() as a, FaultServer() as b, FaultServer() as c, connections() as pool:
        taken = []
        for server in (a, b, c):
            attempt = attempt_at(server.url)
            connection, _ = pool.take(attempt)
            pool.give_back(attempt, connection)
            taken.append(connection)
        assert [connection.sock is None for connection in taken] == [True, False, False]
        pool.close()
        assert [connection.sock for connection in taken] == [None] * 3


def test_closed_connection_is_not_kept() -> None:
    """Whoever closed it gives back nothing."""
    with FaultServer() as server, connections() as pool:
        attempt = attempt_at(server.url)
        first, _ = pool.take(attempt)
        first.close()
        pool.give_back(attempt, first)
        second, was_used = pool.take(attempt)
        assert (was_used, second is first) == (False, False)
        second.close()


def test_kind_of_the_peer_is_known() -> None:
    """And where only public peers are allowed, a private one is not even knocked at."""
    with FaultServer() as server, connections() as pool:
        connection, _ = pool.take(attempt_at(server.url))
        assert connection.is_private
        connection.close()
        with pytest.raises(PrivateAddressError):
            pool.take(attempt_at(f"http://localhost:{server.port}/", is_public_only=True))
        assert server.connections <= 1


def test_public_address_that_leads_to_a_private_peer_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a host of both kinds only the public address is tried; what answers there is looked at, too."""
    rows = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in ("10.0.0.1", "8.8.8.8")]
    with FaultServer() as server, connections() as pool:
        tried: list[str] = []

        def connect(address: tuple[str, int], *_: Any, **__: Any) -> socket.socket:
            tried.append(address[0])
            return real(("127.0.0.1", server.port))

        real = socket.create_connection
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: rows)
        monkeypatch.setattr("urllib3.util.connection.create_connection", connect)
        with pytest.raises(PrivateAddressError):
            pool.take(attempt_at("http://both.example/", is_public_only=True))
        monkeypatch.undo()
        assert (tried, server.requests.total()) == (["8.8.8.8"], 0)


@pytest.mark.parametrize(
    ("url", "proxy", "wire"),
    [
        ("http://h.example/a%2Fb?c=//d", None, "/a%2Fb?c=//d"),
        ("http://h.example?q=/", None, "/?q=/"),
        ("http://h.example/a", "http://p.example:3128", "http://h.example/a"),
        ("https://h.example/a", "http://p.example:3128", "/a"),
    ],
)
def test_request_line(url: str, proxy: str | None, wire: str) -> None:
    """The path as it was given; only a proxy of plain http is told the whole URL."""
    with connections(proxy=proxy) as pool:
        target = parse_url(url)
        assert pool.via_proxy == (proxy is not None)
        assert pool.request_line_target(target) == wire


def test_password_of_the_proxy_goes_to_the_proxy_only() -> None:
    """With the request where that goes to it, and nowhere else; percent-escapes are undone."""
    with connections(proxy="http://me:s%33cret@p.example:3128") as pool:
        assert pool.proxy_headers(parse_url("http://h.example/")) == {"Proxy-Authorization": "Basic bWU6czNjcmV0"}
        assert pool.proxy_headers(parse_url("https://h.example/")) == {}
    with connections(proxy="http://p.example:3128") as pool:
        assert pool.proxy_headers(parse_url("http://h.example/")) == {}
