"""The one place where exceptions of aiohttp become errors of ours."""

from __future__ import annotations

import ssl

import aiohttp
from aiohttp.http_exceptions import ContentLengthError, HttpProcessingError

from aioflags.engines.faults import causes_of, detail_of, failed, reason_of, translate_system_fault
from aioflags.engines.seam import AttemptResult
from aioflags.redact import redact_text

__all__ = ["NETWORK_ERRORS", "is_cut_body", "translate"]

#: What a request can end in; `ValueError` is aiohttp's for odd URLs and header bytes.
NETWORK_ERRORS = (aiohttp.ClientError, OSError, ValueError)


def translate(error: BaseException, host: str, *, via_proxy: bool = False) -> AttemptResult:
    """Turn what a request raised into a failed result.

    Args:
        error: What was raised.
        host: For the message.
        via_proxy: The connection was to a proxy.
    """
    chain = list(causes_of(error))
    if isinstance(error, aiohttp.ClientConnectorError):
        return _connect_failed(error, host, chain, via_proxy)
    system = translate_system_fault(chain, host)
    if system is not None:
        return system
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return failed("http", f"the proxy answered with status {error.status}", host, http_status=error.status)
    if isinstance(error, aiohttp.ClientResponseError):
        # The status in it is made up by the parser.
        return failed("protocol", f"the answer is not valid HTTP ({_first_line(error.message)})", host)
    if isinstance(error, TimeoutError):
        return failed("timeout", "the connection timed out", host)
    if isinstance(error, aiohttp.ClientConnectionError | OSError):
        return failed("disconnected", f"the connection was lost before the answer{reason_of(chain)}", host)
    return failed("protocol", f"the exchange failed ({type(error).__name__})", host)


def is_cut_body(error: aiohttp.ClientPayloadError) -> bool:
    """Tell whether a body ended too early, as opposed to one whose framing is broken."""
    framing = [each for each in causes_of(error) if isinstance(each, HttpProcessingError)]
    return not framing or any(isinstance(each, ContentLengthError) or "Not enough" in str(each) for each in framing)


def _connect_failed(
    error: aiohttp.ClientConnectorError, host: str, chain: list[BaseException], via_proxy: bool
) -> AttemptResult:
    system = translate_system_fault(chain, host)
    is_proxy_lookup = via_proxy and system is not None and system.error is not None and system.error.kind == "dns"
    if system is not None and not is_proxy_lookup:
        return system
    if isinstance(error, aiohttp.ClientConnectorCertificateError | ssl.CertificateError):
        return failed("tls", "the certificate is not valid for this host", host, detail="certificate")
    if isinstance(error, aiohttp.ClientProxyConnectionError) or via_proxy:
        # A proxy that was reached and then hung up may have done so because of the host.
        is_lost = is_proxy_lookup or isinstance(error, aiohttp.ClientProxyConnectionError)
        message = f"cannot connect to the proxy{reason_of([error.os_error])}"
        return failed("connect", message, host, detail="proxy" if is_lost else "")
    reason: list[BaseException] = [error.os_error]
    return failed("connect", f"cannot connect to port {error.port}{reason_of(reason)}", host, detail=detail_of(reason))


def _first_line(message: str) -> str:
    return redact_text(message.strip().split("\n", 1)[0][:120]) or "no reason given"
