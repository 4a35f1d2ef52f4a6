"""When to try again and how long to wait; owns no clock and draws no random number, both come in as arguments."""

from __future__ import annotations

import errno
from datetime import UTC, datetime

__all__ = [
    "MISSING_STATUSES",
    "OUT_OF_RESOURCES",
    "SLOW_STATUSES",
    "TRANSIENT_STATUSES",
    "UNKNOWN_HOST_REST",
    "backoff",
    "read_date",
    "read_retry_after",
    "retries_allowed",
]

#: Statuses that can pass. Source: RFC 9110, section 15.6; RFC 6585; 522 and 524 are Cloudflare's.
TRANSIENT_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504, 522, 524})
#: Statuses by which a server asks for fewer requests. Source: RFC 6585, section 4; RFC 9110, section 15.6.4.
SLOW_STATUSES = frozenset({429, 503})
#: Statuses by which a server says that there is no such file.
MISSING_STATUSES = frozenset({404, 410})

#: The system's words for a machine that has run out of sockets, open files or memory: it adapts, no item is to blame.
OUT_OF_RESOURCES = frozenset({errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.ENOMEM})

#: Seconds before a name that does not exist is looked up once more; until then the answer is remembered.
UNKNOWN_HOST_REST = 1.0

_BASE = 0.5
_CAP = 60.0

#: Kinds that can pass, with the most repetitions that make sense; `None` is as many as the user allows.
_TRANSIENT_KINDS: dict[str, int | None] = {
    "dns": None,
    "connect": None,
    "timeout": None,
    "stalled": None,
    "disconnected": None,
    "truncated": None,
    "tls": 2,
    "protocol": 1,
    "storage": 0,
}
#: What a driver may know more exactly than the kind says.
_FINAL_DETAILS = {"certificate": 0, "unknown host": 1, "lost bytes": 1}


def retries_allowed(kind: str, *, http_status: int | None = None, detail: str = "", retries: int) -> int:
    """Tell how often an item that failed like this may be tried again in all.

    Args:
        kind: Kind of the error, see `aioflags.errors.KINDS`.
        http_status: The final status, for kind `http`.
        detail: `certificate` for a certificate that is not valid, `unknown host` for a name that does not exist,
            `lost bytes` for a disk that did not keep what was written.
        retries: What the user allows.

    >>> retries_allowed("http", http_status=503, retries=4), retries_allowed("http", http_status=403, retries=4)
    (4, 0)
    """
    if kind == "http":
        return retries if http_status in TRANSIENT_STATUSES else 0
    if kind not in _TRANSIENT_KINDS:
        return 0
    bound = _FINAL_DETAILS.get(detail, _TRANSIENT_KINDS[kind])
    return retries if bound is None else min(bound, retries)


def backoff(failures: int, jitter: float) -> float:
    """Tell how many seconds to wait before the next attempt: exponential with full jitter.

    Args:
        failures: Failed attempts so far, 1 or more.
        jitter: A number from 0 to 1, drawn by the caller.

    Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015: full jitter does the least work.

    >>> [backoff(n, 1.0) for n in (1, 2, 3, 20)]
    [0.5, 1.0, 2.0, 60.0]
    """
    return float(jitter * min(_CAP, _BASE * 2 ** min(failures - 1, 16)))


def read_retry_after(value: str, date: str | None, now: datetime) -> float:
    """Tell how many seconds the server asks us to stay away.

    Args:
        value: The Retry-After field: whole seconds, or an HTTP date.
        date: The Date field of the same answer; a date in `value` is read against it, since its clock is the
            server's and ours may differ.
        now: Current time with its zone, used where `date` is missing or unreadable.

    Returns:
        Seconds, 0.0 for a date already past. Unbounded: the caller sets the limit.

    Raises:
        ValueError: `value` is neither form; the caller goes on with its own backoff.

    Source: RFC 9110, sections 5.6.7 and 10.2.3.

    >>> read_retry_after("120", None, datetime(2026, 1, 1, tzinfo=UTC))
    120.0
    """
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value[:18])
    until = read_date(value)
    try:
        since = read_date(date) if date is not None else now
    except ValueError:
        since = now
    return max(0.0, (until - since).total_seconds())


def read_date(value: str) -> datetime:
    """Read an HTTP date; it has a zone.

    Raises:
        ValueError: It is none.

    Source: RFC 9110, section 5.6.7.
    """
    # Its imports take a thirtieth of the start of a job, and few jobs are told a date.
    from email.utils import parsedate_to_datetime

    try:
        date = parsedate_to_datetime(value)
    except (TypeError, IndexError, OverflowError) as error:
        raise ValueError(f"not an HTTP date: {value!r}") from error
    # The obsolete asctime form names no zone; RFC 9110, section 5.6.7, has it read as UTC.
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)
