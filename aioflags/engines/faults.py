"""What the system, its resolver and TLS say when a request fails, as errors of ours; the same for every driver.

Every driver has one more place, where the exceptions of its HTTP library are translated. No text of theirs reaches
a user: it may hold URLs and request headers, secrets included.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
from collections.abc import Iterable, Iterator

from aioflags.engines.seam import AttemptResult
from aioflags.errors import DownloadError, make_error
from aioflags.redact import redact_text
from aioflags.retry import OUT_OF_RESOURCES

__all__ = [
    "UNKNOWN_HOST",
    "PrivateAddressError",
    "causes_of",
    "detail_of",
    "failed",
    "private_address_error",
    "reason_of",
    "translate_system_fault",
]

#: What the resolver says of a name that does not exist.
UNKNOWN_HOST = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})


class PrivateAddressError(OSError):
    """The host has only addresses of private networks, and those are refused."""


def translate_system_fault(chain: list[BaseException], host: str) -> AttemptResult | None:
    """Find what the system has to say in an exception and its causes.

    Args:
        chain: The exception first.
        host: For the message.

    Returns:
        The failed result, `None` if the fault is not of this machine, the resolver or TLS.
    """
    codes = {getattr(each, "errno", None) for each in chain if not isinstance(each, socket.gaierror)}
    if codes & OUT_OF_RESOURCES:
        return failed("connect", "this machine ran out of sockets or open files", host, detail="out of resources")
    if any(isinstance(each, PrivateAddressError) for each in chain):
        return AttemptResult(error=private_address_error(host), requests=0)
    if any(isinstance(each, ssl.SSLCertVerificationError) for each in chain):
        return failed("tls", f"the certificate is not valid: {_certificate_reason(chain)}", host, detail="certificate")
    if any(isinstance(each, ssl.SSLError) for each in chain):
        return failed("tls", f"the TLS handshake failed: {_ssl_reason(chain)}", host)
    return _translate_lookup(chain, host)


def _translate_lookup(chain: list[BaseException], host: str) -> AttemptResult | None:
    lookup = next((each for each in chain if isinstance(each, socket.gaierror)), None)
    if lookup is None:
        return None
    if lookup.errno in UNKNOWN_HOST:
        return failed("dns", "there is no such host", host, detail="unknown host")
    return failed("dns", lookup.strerror or "the look-up failed", host)


def private_address_error(host: str) -> DownloadError:
    """The error for a way into a private network where only public addresses may be met."""
    message = (
        "the host is in a private network, where a redirect of a public server leads with --allow-private-redirects "
        "only, and nothing with --address-policy public"
    )
    return make_error("policy", message, host)


def failed(kind: str, message: str, host: str, *, detail: str = "", http_status: int | None = None) -> AttemptResult:
    """Make the result of an attempt that failed."""
    return AttemptResult(error=make_error(kind, message, host), detail=detail, http_status=http_status)


def causes_of(error: BaseException | None) -> Iterator[BaseException]:
    """Give an exception and what it came from, those that libraries keep in attributes included."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        inner = getattr(error, "os_error", None) or getattr(error, "certificate_error", None)
        if isinstance(inner, BaseException) and id(inner) not in seen:
            yield inner
        error = error.__cause__ or error.__context__


def reason_of(chain: list[BaseException]) -> str:
    """The system's own words for the first error number in a chain, behind a colon; empty if there is none.

    Those of TLS have numbers of their own, and words.
    """
    codes = (getattr(each, "errno", None) for each in chain if not isinstance(each, ssl.SSLError))
    words = (os.strerror(code) for code in codes if isinstance(code, int) and code > 0)
    word = next(words, None)
    if word is None and any(isinstance(each, ssl.SSLError) for each in chain):
        word = f"TLS: {_ssl_reason(chain)}"
    return "" if word is None else f": {word}"


def detail_of(chain: Iterable[BaseException]) -> str:
    """What the system knows more exactly of a connection that failed: whether anything came back from outside."""
    codes = {getattr(each, "errno", None) for each in chain}
    if errno.ECONNREFUSED in codes:
        return "refused"
    return "no route" if codes & {errno.ENETUNREACH, errno.ENETDOWN} else ""


def _certificate_reason(chain: list[BaseException]) -> str:
    reasons = [getattr(each, "verify_message", "") for each in chain]
    return redact_text(next((reason for reason in reasons if reason), "verification failed"))


def _ssl_reason(chain: list[BaseException]) -> str:
    reasons = [getattr(each, "reason", None) for each in chain if isinstance(each, ssl.SSLError)]
    return redact_text(str(next((reason for reason in reasons if reason), "no reason given")))
