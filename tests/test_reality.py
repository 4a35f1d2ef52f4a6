"""Against a server that we did not write: `http.server` of the standard library, plain and over TLS."""

from __future__ import annotations

import http.server
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import trustme

from aioflags.downloader import download_many
from aioflags.items import Item, Status
from tests.faultserver import server_context

FILES = {
    "empty": b"",
    "one byte": b"x",
    "small.bin": bytes(range(256)) * 20,
    "exactly-1-MiB": b"0123456789abcdef" * 65536,
    "large.bin": b"fedcba9876543210" * 300_000,
    "sub/deep/naïve & (odd)'s.txt": b"text\n",
    "page.html.gz": b"\x1f\x8b no gzip at all",
}


class Handler(http.server.SimpleHTTPRequestHandler):
    """Says nothing on the terminal."""

    def log_message(self, *_: object) -> None:
        pass


class KeptHandler(Handler):
    """Speaks HTTP/1.1, so that connections are kept."""

    protocol_version = "HTTP/1.1"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("root")
    for name, body in FILES.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(body)
    return path


@contextmanager
def serving(root: Path, handler: type[Handler], context: ssl.SSLContext | None) -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(root))) as server:
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"{'http' if context is None else 'https'}://localhost:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(params=[Handler, KeptHandler], ids=["1.0", "1.1"])
def handler(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture(params=["http", "https"])
def context(request: pytest.FixtureRequest, authority: trustme.CA) -> ssl.SSLContext | None:
    return server_context(authority) if request.param == "https" else None


@pytest.fixture
def options(tmp_path: Path, authority: trustme.CA) -> dict[str, Any]:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return {"cacert": str(tmp_path / "ca.pem"), "retries": 1}


async def test_every_byte_arrives(
    tmp_path: Path, root: Path, handler: type[Handler], context: ssl.SSLContext | None, options: dict[str, Any]
) -> None:
    """Whatever the size and the name, and nothing besides."""
    with serving(root, handler, context) as url:
        items = [Item(f"{url}/{quote(name)}", name=name, bytes=len(body)) for name, body in FILES.items()]
        report = await download_many(items, tmp_path / "files", **options)
    assert [one for one in report if one.status is not Status.SAVED] == []
    found = (path for path in (tmp_path / "files").rglob("*") if path.is_file())
    assert {str(path.relative_to(tmp_path / "files")): path.read_bytes() for path in found} == FILES


async def test_many_items_over_few_connections(
    tmp_path: Path, root: Path, handler: type[Handler], context: ssl.SSLContext | None, options: dict[str, Any]
) -> None:
    """Each file once, by its own query, whether the server keeps connections or closes each."""
    body = FILES["small.bin"]
    with serving(root, handler, context) as url:
        urls = [f"{url}/small.bin?{number}" for number in range(100)]
        items = [Item(one, name=str(number)) for number, one in enumerate(urls)]
        report = await download_many(items, tmp_path / "files", **options)
    assert [one.attempts for one in report if one.status is Status.SAVED] == [1] * 100
    assert {path.read_bytes() for path in (tmp_path / "files").iterdir()} == {body}


async def test_what_is_not_there_and_what_has_moved(
    tmp_path: Path, root: Path, handler: type[Handler], context: ssl.SSLContext | None, options: dict[str, Any]
) -> None:
    """404 is missing; a folder without its slash is a redirect to its listing, saved under the name of the URL."""
    with serving(root, handler, context) as url:
        report = await download_many([f"{url}/nothing", f"{url}/sub"], tmp_path / "files", **options)
    outcomes = {one.url.rpartition("/")[2]: one for one in report}
    assert (outcomes["nothing"].status, outcomes["nothing"].http_status) == (Status.MISSING, 404)
    assert (outcomes["sub"].status, outcomes["sub"].attempts, outcomes["sub"].path) == (Status.SAVED, 2, "sub")
    assert b"deep/" in (tmp_path / "files" / "sub").read_bytes()


async def test_stranger_is_not_trusted(tmp_path: Path, root: Path, authority: trustme.CA) -> None:
    """Without the authority the certificate is not valid, and nothing is fetched."""
    with serving(root, Handler, server_context(authority)) as url:
        (outcome,) = await download_many([f"{url}/small.bin"], tmp_path / "files")
        assert (outcome.status, outcome.error and outcome.error.kind, outcome.attempts) == (Status.FAILED, "tls", 1)
        (outcome,) = await download_many([f"{url}/small.bin"], tmp_path / "files", insecure=True)
        assert outcome.status is Status.SAVED
