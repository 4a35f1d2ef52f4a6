"""Exceptions of urllib3 and http.client as errors of ours; what cannot be raised on loopback is made by hand."""

from __future__ import annotations

import errno
import socket
import ssl
from http.client import BadStatusLine, IncompleteRead, RemoteDisconnected

import pytest
from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NameResolutionError, NewConnectionError

from aioflags.engines.blocking_response import FramingError
from aioflags.engines.faults import PrivateAddressError
from aioflags.engines.translate_blocking import BLOCKING_ERRORS, ending_of, translate_blocking
from aioflags.errors import ProtocolError
from aioflags.transfer import Ending

SECRET = "s3cret"
CONNECTION = HTTPConnection("example.org")


def caused(error: BaseException, cause: BaseException) -> BaseException:
    error.__cause__ = cause
    return error


def unreachable(code: int) -> BaseException:
    return caused(NewConnectionError(CONNECTION, SECRET), OSError(code, SECRET))


UNKNOWN = socket.gaierror(socket.EAI_NONAME, SECRET)


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (unreachable(errno.ECONNREFUSED), "connect", "refused"),
        (unreachable(errno.EHOSTUNREACH), "connect", "No route"),
        (unreachable(errno.EMFILE), "connect", "open files"),
        (ConnectTimeoutError(CONNECTION, SECRET), "connect", "cannot connect"),
        (caused(ConnectTimeoutError(CONNECTION, SECRET), TimeoutError(SECRET)), "timeout", "--connect-timeout"),
        (caused(NameResolutionError("example.org", CONNECTION, UNKNOWN), UNKNOWN), "dns", "no such host"),
        (ssl.SSLCertVerificationError(1, SECRET), "tls", "certificate"),
        (ssl.SSLError(1, SECRET), "tls", "handshake"),
        (PrivateAddressError(0, SECRET), "policy", "--allow-private-redirects"),
        (ValueError(SECRET), "connect", "cannot connect"),
    ],
)
def test_no_connection(error: BaseException, kind: str, words: str) -> None:
    """Told by its cause, the number first; no text of the library's goes along."""
    assert isinstance(error, BLOCKING_ERRORS)
    result = translate_blocking(error, "example.org", is_connecting=True)
    assert result.error is not None
    assert (result.error.kind, result.error.host) == (kind, "example.org")
    assert words in result.error.message
    assert SECRET not in result.error.message


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (RemoteDisconnected(SECRET), "disconnected"),
        (ConnectionResetError(errno.ECONNRESET, SECRET), "disconnected"),
        (BrokenPipeError(errno.EPIPE, SECRET), "disconnected"),
        (HTTPError(SECRET, ConnectionResetError(errno.ECONNRESET, SECRET)), "disconnected"),
        (BadStatusLine(SECRET), "protocol"),
        (ValueError(SECRET), "protocol"),
    ],
)
def test_no_answer(error: BaseException, kind: str) -> None:
    """A connection that was lost may pass; an answer that is none hardly does."""
    result = translate_blocking(error, "example.org")
    assert result.error is not None
    assert (result.error.kind, SECRET in result.error.message) == (kind, False)


@pytest.mark.parametrize(
    ("error", "kind", "status"),
    [
        (OSError("Tunnel connection failed: 407 Authenticate yourself"), "http", 407),
        (OSError("Tunnel connection failed: 502"), "http", 502),
        (unreachable(errno.ECONNREFUSED), "connect", None),
        (caused(NameResolutionError("proxy", CONNECTION, UNKNOWN), UNKNOWN), "connect", None),
        (RemoteDisconnected(SECRET), "connect", None),
        (caused(ConnectTimeoutError(CONNECTION, SECRET), TimeoutError(SECRET)), "timeout", None),
    ],
)
def test_proxy_that_gives_no_connection(error: BaseException, kind: str, status: int | None) -> None:
    """It is to blame, also where its name is unknown; what it answered is kept."""
    result = translate_blocking(error, "example.org", via_proxy=True, is_connecting=True)
    assert result.error is not None
    assert (result.error.kind, result.http_status) == (kind, status)
    assert ("proxy" in result.error.message) == (kind != "timeout")


@pytest.mark.parametrize(
    ("error", "ending"),
    [
        (HTTPError(SECRET, IncompleteRead(b"abc", 5)), Ending.CUT),
        (IncompleteRead(b""), Ending.CUT),
        (HTTPError(SECRET, ConnectionResetError(errno.ECONNRESET, SECRET)), Ending.RESET),
    ],
)
def test_body_that_was_cut(error: BaseException, ending: Ending) -> None:
    """By its end or by a reset, whatever it is wrapped in."""
    assert ending_of(error, "example.org") is ending


@pytest.mark.parametrize(
    "error",
    [
        FramingError(SECRET),
        HTTPError(SECRET, FramingError(SECRET)),
        HTTPError(SECRET),
        ValueError(SECRET),
    ],
)
def test_body_whose_framing_is_broken(error: BaseException) -> None:
    """Is no end at all."""
    with pytest.raises(ProtocolError) as raised:
        ending_of(error, "example.org")
    assert SECRET not in str(raised.value)
    assert raised.value.host == "example.org"
