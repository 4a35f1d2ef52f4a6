"""The one place where exceptions of urllib3 and http.client become errors of ours."""

from __future__ import annotations

import re
from http.client import HTTPException, IncompleteRead, RemoteDisconnected

from urllib3.exceptions import HTTPError

from aioflags.engines.blocking_response import FramingError
from aioflags.engines.faults import causes_of, detail_of, failed, reason_of, translate_system_fault
from aioflags.engines.seam import AttemptResult
from aioflags.errors import make_error
from aioflags.transfer import Ending

__all__ = ["BLOCKING_ERRORS", "ending_of", "translate_blocking"]

#: What a request can end in; `ValueError` is http.client's for odd URLs and header bytes.
BLOCKING_ERRORS = (HTTPError, HTTPException, OSError, ValueError)

_TUNNEL_REFUSED = re.compile(r"Tunnel connection failed: ([0-9]{3})\b")


def translate_blocking(
    error: BaseException, host: str, *, via_proxy: bool = False, is_connecting: bool = False
) -> AttemptResult:
    """Turn what a request raised into a failed result.

    Args:
        error: What was raised.
        host: For the message.
        via_proxy: The connection was to a proxy.
        is_connecting: There was no connection yet.
    """
    chain = _chain(error)
    system = translate_system_fault(chain, host)
    if system is not None and not (via_proxy and system.error is not None and system.error.kind == "dns"):
        return system
    if any(isinstance(each, TimeoutError) for each in chain):
        return failed("timeout", "no connection within --connect-timeout", host)
    if via_proxy and is_connecting:
        message = f"cannot connect to the proxy{reason_of(chain)}"
        # A proxy that was reached and then hung up may have done so because of the host.
        was_reached = any(isinstance(each, ConnectionResetError | BrokenPipeError | HTTPException) for each in chain)
        detail = "" if was_reached else "proxy"
        return _tunnel_refused(chain, host) or failed("connect", message, host, detail=detail)
    if is_connecting:
        return failed("connect", f"cannot connect{reason_of(chain)}", host, detail=detail_of(chain))
    if any(isinstance(each, RemoteDisconnected | OSError) for each in chain):
        return failed("disconnected", f"the connection was lost before the answer{reason_of(chain)}", host)
    return failed("protocol", f"the answer is not valid HTTP ({type(chain[-1]).__name__})", host)


def ending_of(error: BaseException, host: str) -> Ending:
    """Tell how a body ended that ended in an exception.

    Raises:
        ProtocolError: Not by its end, but by broken framing.
    """
    chain = _chain(error)
    if any(isinstance(each, FramingError) for each in chain):
        raise make_error("protocol", "the chunked framing of the body is broken", host) from error
    if any(isinstance(each, OSError) for each in chain):
        return Ending.RESET
    if any(isinstance(each, IncompleteRead) for each in chain):
        return Ending.CUT
    raise make_error("protocol", "the body cannot be read", host) from error


def _tunnel_refused(chain: list[BaseException], host: str) -> AttemptResult | None:
    """http.client says in words only what a proxy answered to CONNECT."""
    found = next(filter(None, (_TUNNEL_REFUSED.match(str(each)) for each in chain)), None)
    if found is None:
        return None
    status = int(found[1])
    return failed("http", f"the proxy answered with status {status}", host, http_status=status)


def _chain(error: BaseException) -> list[BaseException]:
    """The exception, its causes, and those that urllib3 keeps as arguments."""
    chain = list(causes_of(error))
    return chain + [each for known in list(chain) for each in known.args if isinstance(each, BaseException)]
