"""Servers of the benchmarks: right bytes, requests counted, and gone at the end; nginx, and ours without it."""

from __future__ import annotations

import socket
import ssl
import urllib.request
from pathlib import Path

import pytest

from benchmarks import servers
from benchmarks.corpus import Check, check, numbered, same
from benchmarks.nginx import NGINX
from benchmarks.servers import Server, serve_files, serve_late


def get(url: str, certificate: Path | None = None) -> bytes:
    context = None if certificate is None else ssl.create_default_context(cafile=str(certificate))
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), *([urllib.request.HTTPSHandler(context=context)] if context else [])
    )
    with opener.open(url, timeout=10) as answer:
        return bytes(answer.read())


def is_gone(server: Server) -> bool:
    host, port = server.url.split("/")[2].split(":")
    with socket.socket() as sock:
        return sock.connect_ex((host, int(port))) != 0


@pytest.fixture(params=["nginx", "ours"])
def program(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "ours":
        monkeypatch.setattr(servers, "NGINX", None)
    elif NGINX is None:
        pytest.skip("nginx is not installed: apt-get install nginx-light")
    return str(request.param)


@pytest.mark.slow
def test_files_are_served_as_they_were_written(tmp_path: Path, program: str) -> None:
    """Under their own names, on each address, and those that are the same under any name."""
    corpus, endless = numbered("small", 5, 3000), same(1, b"same")
    corpus.write(tmp_path)
    endless.write(tmp_path)
    files = tmp_path / "files"
    files.mkdir()
    with serve_files(tmp_path, hosts=2) as server:
        assert program == "ours" or server.name.startswith("nginx ")
        for file in corpus.files:
            (files / file.name).write_bytes(get(server.url + file.path))
        assert get(server.url.replace("127.0.0.1", "127.0.0.2") + "same/0000123") == b"same"
    assert check(corpus.files, files) == Check()
    assert is_gone(server)


@pytest.mark.slow
def test_requests_are_counted(tmp_path: Path, program: str) -> None:
    """Each, those that ask for the number too."""
    numbered("small", 1, 10).write(tmp_path)
    with serve_files(tmp_path) as server:
        before = server.requests()
        for _ in range(3):
            get(f"{server.url}small/0000000")
        assert server.requests() == before + 4


@pytest.mark.slow
def test_https_is_served_under_the_certificate_that_is_given(tmp_path: Path) -> None:
    """Where nginx and OpenSSL are there; nobody else's certificate will do."""
    numbered("small", 1, 10).write(tmp_path)
    with serve_files(tmp_path) as server:
        if server.secure is None:
            pytest.skip("https takes nginx and OpenSSL: apt-get install nginx-light openssl")
        assert len(get(f"{server.secure}small/0000000", server.certificate)) == 10
        with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
            get(f"{server.secure}small/0000000")


@pytest.mark.slow
def test_late_server_has_the_flags(tmp_path: Path) -> None:
    """It draws them itself, and is gone at the end."""
    with serve_late(0.0) as server:
        assert len(get(f"{server.url}bytes/17")) == 17
        assert b"<svg" in get(f"{server.url}fr/fr.svg")
    assert is_gone(server)


@pytest.mark.slow
def test_server_that_does_not_start_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And not waited for when it has ended."""
    monkeypatch.setattr(servers, "NGINX", None)
    monkeypatch.setattr(servers, "_free_ports", lambda count: [1 << 17] * count)
    with pytest.raises(RuntimeError, match="did not start"), serve_files(tmp_path):
        pytest.fail("there is no such port")
