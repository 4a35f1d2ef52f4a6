"""What aiohttp raises, and what we say of it."""

from __future__ import annotations

import errno
import socket
import ssl

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey, RequestInfo
from aiohttp.http_exceptions import ContentLengthError, HttpProcessingError, TransferEncodingError
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from aioflags.engines.faults import PrivateAddressError
from aioflags.engines.translate import NETWORK_ERRORS, is_cut_body, translate

KEY = ConnectionKey("example.org", 81, False, True, None, None, None)
TLS_KEY = ConnectionKey("example.org", 443, True, True, None, None, None)
SECRET = CIMultiDictProxy(CIMultiDict({"Authorization": "Basic s3cret"}))
REQUEST = RequestInfo(URL("http://me:s3cret@example.org/?sig=s3cret"), "GET", SECRET)


def connector(error: OSError) -> aiohttp.ClientConnectorError:
    return aiohttp.ClientConnectorError(KEY, error)


def verification() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "certificate has expired"
    return error


def response(message: str = "", status: int = 400) -> aiohttp.ClientResponseError:
    return aiohttp.ClientResponseError(REQUEST, (), status=status, message=message, headers=SECRET)


REFUSED = ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed")
EMFILE = OSError(errno.EMFILE, "Too many open files")
UNKNOWN = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
AGAIN = socket.gaierror(socket.EAI_AGAIN, "Temporary failure")


@pytest.mark.parametrize(
    ("error", "kind", "detail", "word"),
    [
        (connector(REFUSED), "connect", "refused", "port 81: Connection refused"),
        (connector(OSError(errno.EHOSTUNREACH, "x")), "connect", "", "No route to host"),
        (connector(OSError(errno.ENETUNREACH, "x")), "connect", "no route", "Network is unreachable"),
        (connector(EMFILE), "connect", "out of resources", "open files"),
        (aiohttp.ClientConnectorDNSError(KEY, EMFILE), "connect", "out of resources", "open files"),
        (connector(OSError(errno.EADDRNOTAVAIL, "x")), "connect", "out of resources", ""),
        (aiohttp.ClientConnectorDNSError(KEY, UNKNOWN), "dns", "unknown host", "no such host"),
        (aiohttp.ClientConnectorDNSError(KEY, AGAIN), "dns", "", "Temporary failure"),
        (connector(PrivateAddressError(0, "private")), "policy", "", "private network"),
        (aiohttp.ClientConnectorCertificateError(TLS_KEY, verification()), "tls", "certificate", "has expired"),
        (aiohttp.ClientConnectorCertificateError(TLS_KEY, ssl.CertificateError()), "tls", "certificate", ""),
        (aiohttp.ClientConnectorSSLError(TLS_KEY, ssl.SSLError(1, "[SSL: X] handshake")), "tls", "", "handshake"),
        (aiohttp.ServerDisconnectedError(), "disconnected", "", ""),
        (aiohttp.ClientOSError(errno.ECONNRESET, "Connection reset"), "disconnected", "", "reset by peer"),
        (ConnectionResetError("Cannot write to closing transport"), "disconnected", "", ""),
        (response("bad status line:\n\n  b'x'\x1b"), "protocol", "", "bad status line"),
        (response(""), "protocol", "", "no reason given"),
        (aiohttp.ClientHttpProxyError(REQUEST, (), status=407, message="x"), "http", "", "407"),
        (aiohttp.ServerTimeoutError(), "timeout", "", ""),
        (aiohttp.InvalidURL("http://me:s3cret@h"), "protocol", "", ""),
        (ValueError("s3cret"), "protocol", "", "ValueError"),
        (aiohttp.ClientPayloadError("s3cret"), "protocol", "", ""),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_exception_becomes_an_error_of_ours(error: Exception, kind: str, detail: str, word: str) -> None:
    """Decided by cause, number first; no text of the library's goes along unread."""
    assert isinstance(error, NETWORK_ERRORS)
    result = translate(error, "example.org")
    assert result.error is not None
    assert (result.error.kind, result.detail, result.error.host) == (kind, detail, "example.org")
    assert word in result.error.message
    assert "s3cret" not in repr(result)
    assert "\x1b" not in result.error.message


def test_made_up_status_is_not_passed_on() -> None:
    """A parser that could not read the answer has seen no status."""
    assert translate(response("x", 400), "h").http_status is None
    proxy = aiohttp.ClientHttpProxyError(REQUEST, (), status=407, message="x")
    assert translate(proxy, "h", via_proxy=True).http_status == 407


def test_cause_is_found_through_others() -> None:
    """What went wrong is often said by an exception that another one hides."""
    outer = aiohttp.ClientOSError()
    outer.__cause__ = RuntimeError()
    outer.__cause__.__context__ = ssl.SSLError(1, "alert")
    result = translate(outer, "h")
    assert result.error is not None
    assert result.error.kind == "tls"


@pytest.mark.parametrize(
    ("error", "detail", "word"),
    [
        (aiohttp.ClientProxyConnectionError(KEY, REFUSED), "proxy", "the proxy: Connection refused"),
        (connector(REFUSED), "", "the proxy: Connection refused"),
        (aiohttp.ClientConnectorDNSError(KEY, UNKNOWN), "proxy", "the proxy"),
        (aiohttp.ClientProxyConnectionError(KEY, EMFILE), "out of resources", "open files"),
    ],
)
def test_proxy_is_to_blame(error: Exception, detail: str, word: str) -> None:
    """A proxy that is not there is no fault of the host of the URL, its name included; want of files is nobody's.

    One that was reached may have hung up because of the host.
    """
    result = translate(error, "example.org", via_proxy=True)
    assert result.error is not None
    assert (result.error.kind, result.detail) == ("connect", detail)
    assert word in result.error.message


def test_circle_of_causes_ends() -> None:
    """Two exceptions that name each other are told like one."""
    one, two = aiohttp.ClientOSError(), OSError()
    one.__cause__, two.__cause__ = two, one
    assert translate(one, "h").error is not None


@pytest.mark.parametrize(
    ("cause", "is_cut"),
    [
        (None, True),
        (ContentLengthError("Not enough data to satisfy content length header."), True),
        (TransferEncodingError("Not enough data to satisfy transfer length header."), True),
        (TransferEncodingError("400, message='Invalid character in chunk size'"), False),
        (HttpProcessingError(code=400, message="Invalid character in chunk size"), False),
    ],
)
def test_cut_body_is_told_from_broken_framing(cause: Exception | None, is_cut: bool) -> None:
    """The one is worth another try like any lost connection, the other hardly."""
    error = aiohttp.ClientPayloadError("x")
    error.__cause__ = cause
    assert is_cut_body(error) is is_cut


def test_error_keeps_nothing_of_aiohttp() -> None:
    """Its exceptions hold what was sent, `Authorization` included, and whoever prints a traceback prints their repr."""
    try:
        raise response("x")
    except aiohttp.ClientResponseError as error:
        seen, result = repr(error), translate(error, "h")
    assert "s3cret" in seen
    assert result.error is not None
    assert (result.error.__cause__, result.error.__context__) == (None, None)
