"""What an HTTP exchange means, decided without I/O: a driver tells what it saw and is told what to do.

No socket, file, clock or loop here; both the asyncio and the blocking driver ask the same functions, so that the
rules for redirects, completeness and limits exist once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from enum import Enum

from aioflags.errors import DownloadError, make_error
from aioflags.journal import Half
from aioflags.ranges import LEAST_HALF, fits_range, read_field, strong_validator
from aioflags.records import dataclass
from aioflags.redact import escape_text
from aioflags.retry import MISSING_STATUSES

__all__ = [
    "Accept",
    "Ending",
    "Redirect",
    "Refuse",
    "Restart",
    "Unchanged",
    "Verdict",
    "judge_digests",
    "judge_end",
    "judge_response",
    "judge_size",
]

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# 203 is the file as a proxy changed it (RFC 9110, section 15.3.4); 201, 202, 204 and 205 carry no such file.
_ACCEPTED = frozenset({200, 203})
_RANGE_STATUSES = frozenset({206, 416})
_DIGITS = re.compile(r"[0-9]{1,18}")


class Ending(Enum):
    """How the body ended, as the driver saw it."""

    CLEAN = "clean"
    CUT = "cut"
    RESET = "reset"


@dataclass(frozen=True, slots=True)
class Accept:
    """Write the body from here.

    Args:
        length: Bytes of the whole file, `None` if its end is told by chunked framing or by the connection.
        is_chunked: The body comes in chunked framing, whose last chunk marks the end.
        content_encoding: Coding that the server applied although none was asked for; stored as it came.
        start: Bytes of the file that are there already and that the body comes after.
        etag: As the server sent it.
        last_modified: Likewise.
        validator: By which the rest can be asked for if the body is cut; `None` if it could be of another file, or is
            as soon fetched anew.
    """

    length: int | None
    is_chunked: bool
    content_encoding: str | None
    start: int = 0
    etag: str | None = None
    last_modified: str | None = None
    validator: str | None = None


@dataclass(frozen=True, slots=True)
class Redirect:
    """Ask again over there; `location` is the field as it came."""

    location: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """No file comes of this answer."""

    error: DownloadError


@dataclass(frozen=True, slots=True)
class Restart:
    """The rest cannot be had, or not of the same file: drop the head and ask for the whole."""


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The file is still the one that we have."""


#: Bytes of the body, whether it comes in chunks, and the coding that it has.
_Framing = tuple[int | None, bool, str | None]
Verdict = Accept | Redirect | Refuse | Restart | Unchanged


def judge_response(
    status: int,
    headers: Mapping[str, str],
    *,
    host: str,
    expected: int | None = None,
    max_bytes: int | None = None,
    half: Half | None = None,
    is_conditional: bool = False,
) -> Verdict:
    """Decide what a response head to a GET means.

    Args:
        status: The final status code.
        headers: The fields by name in lower case; a mapping whose look-up ignores case will do.
        host: For messages.
        expected: Size in bytes that the list declares.
        max_bytes: Largest body accepted, in bytes.
        half: The head of the file whose rest was asked for, `None` if it was asked for whole.
        is_conditional: The file was asked for if it is another than the one that we have.

    Source: RFC 9110, section 15; RFC 9112, section 6.3 (message body length).
    """
    if status in _ACCEPTED:
        framing = _judge_framing(headers, host, expected, max_bytes)
        return framing if isinstance(framing, Refuse) else _accept(framing, headers, is_original=status == 200)
    if status == 304 and is_conditional:
        return Unchanged()
    if half is not None and status in _RANGE_STATUSES:
        return _judge_rest(headers, half, host, expected, max_bytes) if status == 206 else Restart()
    if status in _REDIRECTS:
        location = headers.get("location", "").strip(" \t")
        if location:
            return Redirect(location)
        return _refuse("redirect", f"status {status} without a Location to go to", host)
    if status < 200:
        return _refuse("protocol", f"status {status} is not a final answer", host)
    if status == 206:
        return _refuse("protocol", "the server sent a part (status 206) although the whole file was asked for", host)
    if status in MISSING_STATUSES:
        return _refuse("http", f"status {status}: the server has no such file", host)
    return _refuse("http", f"status {status}", host)


def _judge_framing(
    headers: Mapping[str, str], host: str, expected: int | None, max_bytes: int | None
) -> _Framing | Refuse:
    # Python's own idea of space is wider than that of HTTP (RFC 9110, section 5.6.3), and so than that of the drivers.
    transfer_coding = headers.get("transfer-encoding", "").strip(" \t")
    announced = headers.get("content-length")
    is_chunked = False
    if transfer_coding:
        # By its letters in ASCII alone: other alphabets have some that become these in lower case.
        is_chunked = transfer_coding.isascii() and transfer_coding.lower() == "chunked"
        if not is_chunked or announced is not None:
            # Two ways to find the end, or none that is known: the sign of an attack (RFC 9112, section 6.3).
            return _refuse("protocol", "Transfer-Encoding is unknown, or comes together with Content-Length", host)
    length: int | None = None
    if announced is not None:
        if not _DIGITS.fullmatch(announced.strip(" \t")):
            return _refuse("protocol", f"Content-Length {escape_text(announced[:40])!r} is no length", host)
        length = int(announced)
        error = judge_size(length, host=host, expected=expected, max_bytes=max_bytes, is_whole=True)
        if error is not None:
            return Refuse(error)
    return length, is_chunked, _read_coding(headers.get("content-encoding"))


def _read_coding(value: str | None) -> str | None:
    if value is None:
        return None
    coding = value.strip().lower()
    return escape_text(coding[:80]) if coding not in {"", "identity"} else None


def _accept(framing: _Framing, headers: Mapping[str, str], *, is_original: bool) -> Accept:
    """Add what names this very file; what a proxy or a coding has changed is not the file that the ETag names."""
    length, is_chunked, coding = framing
    can_be_gone_on_with = is_original and coding is None and (length is None or length >= LEAST_HALF)
    return Accept(
        length,
        is_chunked,
        coding,
        etag=read_field(headers, "etag"),
        last_modified=read_field(headers, "last-modified"),
        validator=strong_validator(headers) if can_be_gone_on_with else None,
    )


def _judge_rest(
    headers: Mapping[str, str], half: Half, host: str, expected: int | None, max_bytes: int | None
) -> Verdict:
    total = fits_range(headers, half)
    if total is None:
        return Restart()
    # Framing is that of the part; how large the file may be is asked of the whole.
    framing = _judge_framing(headers, host, None, None)
    error = judge_size(total, host=host, expected=expected, max_bytes=max_bytes, is_whole=True)
    if error is not None:
        return Refuse(error)
    if isinstance(framing, Refuse):
        return framing
    accept = _accept(framing, headers, is_original=True)
    return replace(accept, length=total, start=half.size, validator=half.validator)


def judge_size(
    size: int, *, host: str, expected: int | None, max_bytes: int | None, is_whole: bool
) -> DownloadError | None:
    """Check a size against what the list declares and the user allows.

    Args:
        size: Bytes announced or received so far.
        host: For the message.
        expected: Bytes that the list declares.
        max_bytes: Bytes that the user allows.
        is_whole: `size` is the size of the whole body, not a count on the way.
    """
    if max_bytes is not None and size > max_bytes:
        return make_error("too_large", f"the body is larger than --max-bytes {max_bytes}", host)
    if expected is not None and (size > expected or (is_whole and size != expected)):
        seen = f"has {size} bytes" if is_whole else f"has more than {expected} bytes"
        return make_error("checksum", f"the list declares {expected} bytes, the body {seen}", host)
    return None


def judge_end(accept: Accept, received: int, ending: Ending, *, host: str) -> DownloadError | None:
    """Decide whether the body is whole: `None` if it is, else why not.

    Args:
        accept: The verdict on the head.
        received: Bytes of the file that are there, those before the body included.
        ending: How it ended.
        host: For the message.

    Source: RFC 9112, section 8 (incomplete messages). A body without length that ends with a clean FIN is complete
    by that rule; one that ends with a reset is not.
    """
    length = accept.length
    if length is not None and received < length:
        return make_error("truncated", f"{received} of {length} bytes arrived", host)
    if length is not None and received > length:
        return make_error("protocol", f"more than the announced {length} bytes arrived", host)
    if ending is Ending.CUT or (ending is Ending.RESET and accept.is_chunked):
        return make_error("truncated", f"the connection ended after {received} bytes, before the end of the body", host)
    if ending is Ending.RESET and length is None:
        return make_error("disconnected", f"the connection was reset after {received} bytes", host)
    return None


def judge_digests(expected: Mapping[str, str], found: Mapping[str, str]) -> DownloadError | None:
    """Compare digests by algorithm, hexadecimal, lower case; `None` if all that are expected agree."""
    for algorithm, digest in expected.items():
        if found[algorithm] != digest:
            return make_error("checksum", f"{algorithm} is {found[algorithm]}, the list declares {digest}", None)
    return None


def _refuse(kind: str, message: str, host: str) -> Refuse:
    return Refuse(make_error(kind, message, host))
