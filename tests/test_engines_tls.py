"""TLS contexts: whom they trust, what they offer, and files that cannot be used."""

from __future__ import annotations

import ssl
from contextlib import suppress
from pathlib import Path

import pytest
import trustme

from aioflags.engines.tls import load_ssl_context
from aioflags.errors import UsageError


def test_certificates_are_verified() -> None:
    """With the name of the host, unless it was asked not to."""
    context = load_ssl_context()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    context = load_ssl_context(insecure=True)
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_NONE, False)


def test_file_takes_the_place_of_the_systems_certificates(tmp_path: Path) -> None:
    """Only what is in it is trusted."""
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    assert len(load_ssl_context(str(tmp_path / "ca.pem")).get_ca_certs()) == 1


@pytest.mark.parametrize("content", [None, b"", b"hello", b"-----BEGIN CERTIFICATE-----\nnonsense\n", b"\0" * 100])
def test_file_that_cannot_be_used(tmp_path: Path, content: bytes | None) -> None:
    """Is told before anything is requested, with the name of the option and of the file."""
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=rf"--cacert {path}: .*(no certificate|No such file)"):
        load_ssl_context(str(path))


def test_folder_is_no_file(tmp_path: Path) -> None:
    """Nor can it be used."""
    with pytest.raises(UsageError, match="--cacert"):
        load_ssl_context(str(tmp_path))


def test_nothing_newer_than_we_speak_is_offered(tmp_path: Path) -> None:
    """A server that prefers HTTP/2 is to choose HTTP/1.1."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("example.org").configure_cert(server)
    server.set_alpn_protocols(["h2", "http/1.1"])
    ours, theirs, to_us, to_them = ssl.MemoryBIO(), ssl.MemoryBIO(), ssl.MemoryBIO(), ssl.MemoryBIO()
    client_side = load_ssl_context(str(tmp_path / "ca.pem")).wrap_bio(to_us, ours, server_hostname="example.org")
    server_side = server.wrap_bio(to_them, theirs, server_side=True)
    for _ in range(4):
        for side, out, into in ((client_side, ours, to_them), (server_side, theirs, to_us)):
            with suppress(ssl.SSLWantReadError):
                side.do_handshake()
            into.write(out.read())
    assert client_side.selected_alpn_protocol() == "http/1.1"
