"""The engine over aiohttp where it is alone: behind a proxy. The rest it shares, see `test_engines_asyncio_engine`."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.attempts import kind_of, open_bench
from tests.faultserver import FaultServer, answer, say, server_context
from tests.hostile import BODY

Fetch = Callable[..., Any]


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


@pytest.fixture
def bench(tmp_path: Path) -> Fetch:
    """Open an engine with options."""
    return partial(open_bench, tmp_path, "aiohttp")


async def test_proxy_is_asked_for_http(bench: Fetch) -> None:
    """With the whole URL, byte for byte; its password goes to it and is no header of the origin's."""
    with FaultServer() as proxy:
        async with bench(proxy=f"http://me:s3cret@127.0.0.1:{proxy.port}") as tool:
            result = await tool.fetch("http://origin.example/saved/a%2Fb'?c")
            assert (result.error, result.bytes, result.requests) == (None, len(BODY), 1)
        assert proxy.paths == ["http://origin.example/saved/a%2Fb'?c"]
        assert proxy.fields(proxy.paths[0])["proxy-authorization"] == "Basic bWU6czNjcmV0"
        assert proxy.fields(proxy.paths[0])["host"] == "origin.example"


async def test_proxy_tunnels_https(bench: Fetch, tls: ssl.SSLContext, cacert: str) -> None:
    """It sees host and port and no more; the origin sees no password of the proxy."""
    with FaultServer(context=tls) as origin, FaultServer() as proxy:
        async with bench(proxy=f"http://me:s3cret@127.0.0.1:{proxy.port}", cacert=cacert) as tool:
            result = await tool.fetch(f"{origin.url}/saved", headers={"Authorization": "mine"})
            assert (result.error, result.requests) == (None, 1)
        assert proxy.paths == [f"127.0.0.1:{origin.port}"]
        assert proxy.fields(proxy.paths[0])["proxy-authorization"] == "Basic bWU6czNjcmV0"
        assert "mine" not in proxy.fields(proxy.paths[0]).values()
        assert "proxy-authorization" not in origin.fields("/saved")
        assert origin.fields("/saved")["authorization"] == "mine"


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_proxy_that_wants_a_password(bench: Fetch, scheme: str) -> None:
    """Says so by its status; nothing of the password we gave is in the message."""
    refusal = answer(b"", "Proxy-Authenticate: Basic", status=407)
    with FaultServer({"file": say(refusal), "CONNECT": say(refusal)}) as proxy:
        async with bench(proxy=f"http://me:s3cret@127.0.0.1:{proxy.port}") as tool:
            result = await tool.fetch(f"{scheme}://origin.example/file")
            assert (kind_of(result), result.http_status) == ("http", 407)
            assert "s3cret" not in repr(result)


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_proxy_that_is_not_there(bench: Fetch, scheme: str) -> None:
    """The proxy is to blame, not the host of the URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    async with bench(proxy=f"http://127.0.0.1:{port}") as tool:
        result = await tool.fetch(f"{scheme}://origin.example/file")
        assert kind_of(result) == "connect"
        assert "proxy" in str(result.error)


async def test_proxy_may_stand_in_a_private_network(bench: Fetch) -> None:
    """The rule is about where a redirect leads, not about the proxy that the user chose; private hosts stay refused."""
    with FaultServer() as proxy:
        async with bench(proxy=f"http://localhost:{proxy.port}") as tool:
            result = await tool.fetch("http://origin.example/saved", is_public_only=True)
            assert (result.error, result.bytes) == (None, len(BODY))
            result = await tool.fetch("http://127.0.0.1/saved", is_public_only=True)
            assert (kind_of(result), len(proxy.seen)) == ("policy", 1)
