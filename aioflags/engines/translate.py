"""The one place where exceptions of aiohttp, ssl and the system become errors of ours.

No text of aiohttp's reaches a user: its messages and `repr` hold URLs and request headers, secrets included.
"""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator

import aiohttp
from aiohttp.http_exceptions import ContentLengthError, PayloadEncodingError

from aioflags.engines.resolver import PrivateAddressError
from aioflags.engines.seam import AttemptResult
from aioflags.errors import DownloadError, make_error
from aioflags.redact import redact_text
from aioflags.retry import OUT_OF_RESOURCES

__all__ = ["NETWORK_ERRORS", "is_cut_body", "private_address_error", "translate"]

#: What a request can end in; `ValueError` is aiohttp's for odd URLs and header bytes.
NETWORK_ERRORS = (aiohttp.ClientError, OSError, ValueError)

_UNKNOWN_HOST = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})
_CERTIFICATE = (aiohttp.ClientConnectorCertificateError, ssl.SSLCertVerificationError, ssl.CertificateError)


def translate(error: BaseException, host: str, *, via_proxy: bool = False) -> AttemptResult:
    """Turn what a request raised into a failed result.

    Args:
        error: What was raised.
        host: For the message.
        via_proxy: The connection was to a proxy.
    """
    chain = list(_causes(error))
    codes = {getattr(each, "errno", None) for each in chain if not isinstance(each, socket.gaierror)}
    if codes & OUT_OF_RESOURCES:
        return _failed("connect", "this machine ran out of sockets or open files", host, detail="out of resources")
    if any(isinstance(each, PrivateAddressError) for each in chain):
        return AttemptResult(error=private_address_error(host))
    if any(isinstance(each, _CERTIFICATE) for each in chain):
        return _failed("tls", f"the certificate is not valid: {_certificate_reason(chain)}", host, detail="certificate")
    if any(isinstance(each, ssl.SSLError) for each in chain):
        return _failed("tls", f"the TLS handshake failed: {_ssl_reason(chain)}", host)
    if isinstance(error, aiohttp.ClientConnectorError):
        return _connect_failed(error, host, chain, via_proxy)
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return _failed("http", f"the proxy answered with status {error.status}", host, http_status=error.status)
    if isinstance(error, aiohttp.ClientResponseError):
        # The status in it is made up by the parser.
        return _failed("protocol", f"the answer is not valid HTTP ({_first_line(error.message)})", host)
    if isinstance(error, TimeoutError):
        return _failed("timeout", "the connection timed out", host)
    if isinstance(error, aiohttp.ClientConnectionError | OSError):
        return _failed("disconnected", f"the connection was lost before the answer{_reason(error)}", host)
    return _failed("protocol", f"the exchange failed ({type(error).__name__})", host)


def private_address_error(host: str) -> DownloadError:
    """The error for a hop from a public server into a private network."""
    message = "a public server redirected to an address of a private network; see --allow-private-redirects"
    return make_error("policy", message, host)


def is_cut_body(error: aiohttp.ClientPayloadError) -> bool:
    """Tell whether a body ended too early, as opposed to one whose framing is broken."""
    framing = [each for each in _causes(error) if isinstance(each, PayloadEncodingError)]
    return not framing or any(isinstance(each, ContentLengthError) or "Not enough" in str(each) for each in framing)


def _connect_failed(
    error: aiohttp.ClientConnectorError, host: str, chain: list[BaseException], via_proxy: bool
) -> AttemptResult:
    lookups = [each for each in chain if isinstance(each, socket.gaierror)]
    if lookups and not via_proxy:
        is_unknown = lookups[0].errno in _UNKNOWN_HOST
        reason = "there is no such host" if is_unknown else (lookups[0].strerror or "the look-up failed")
        return _failed("dns", reason, host, detail="unknown host" if is_unknown else "")
    if isinstance(error, aiohttp.ClientProxyConnectionError) or via_proxy:
        return _failed("connect", f"cannot connect to the proxy{_reason(error.os_error)}", host)
    return _failed("connect", f"cannot connect to port {error.port}{_reason(error.os_error)}", host)


def _failed(kind: str, message: str, host: str, *, detail: str = "", http_status: int | None = None) -> AttemptResult:
    error: DownloadError = make_error(kind, message, host)
    return AttemptResult(error=error, detail=detail, http_status=http_status)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        inner = getattr(error, "os_error", None) or getattr(error, "certificate_error", None)
        if isinstance(inner, BaseException) and id(inner) not in seen:
            yield inner
        error = error.__cause__ or error.__context__


def _reason(error: BaseException) -> str:
    code = getattr(error, "errno", None)
    return f": {os.strerror(code)}" if isinstance(code, int) and code > 0 else ""


def _certificate_reason(chain: list[BaseException]) -> str:
    reasons = [getattr(each, "verify_message", "") for each in chain]
    return redact_text(next((reason for reason in reasons if reason), "verification failed"))


def _ssl_reason(chain: list[BaseException]) -> str:
    reasons = [getattr(each, "reason", None) for each in chain if isinstance(each, ssl.SSLError)]
    return redact_text(str(next((reason for reason in reasons if reason), "no reason given")))


def _first_line(message: str) -> str:
    return redact_text(message.strip().split("\n", 1)[0][:120]) or "no reason given"
