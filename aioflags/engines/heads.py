"""Heads of HTTP/1.1: requests written, answers read. Bytes in and out; no socket, no loop, no verdict.

Stricter than most parsers where two readers could disagree about where an answer ends, lenient where old servers are
merely old. Source: RFC 9112, sections 2 to 5.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from aioflags.records import dataclass
from aioflags.urls import Target

__all__ = ["Head", "HeadError", "HeadReader", "HeadWriter", "read_at_once"]

#: Bytes of one field, and fields of one head; what other engines take, too.
_MOST_FIELD = 1 << 16
_MOST_FIELDS = 1000
#: Bytes of all fields together.
_MOST_HEAD = 1 << 20
#: Bytes of a head that is read line by line, too few for too many fields; and lines that are remembered: most answers
#: of a server differ by two or three.
_SHORT_HEAD = 1 << 11
_LINES = 1 << 10

# A bare line feed ends a line, too (section 2.2), a reason need not be there. Not taken, although parsers in use do:
# blanks before the colon (section 5.1), a null or a bare carriage return anywhere (section 2.2; RFC 9110, section 5.5).
_HEAD = re.compile(
    rb"HTTP/1\.([0-9]) ([0-9]{3})(?: [^\r\n\0]*+)?\r?\n"
    rb"((?:[!#$%&'*+.^_`|~0-9A-Za-z-]++:[^\r\n\0]*+\r?\n)*+)\r?\n"
)
_STATUS_LINE = re.compile(rb"HTTP/1\.([0-9]) ([0-9]{3})(?: [^\r\n\0]*+)?")
_FIELD_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]++):[ \t]*+([^\r\n\0]*+)")
_FIELD = re.compile(r"([^:\n]++):[ \t]*+([^\r\n]*+)")
_BLANK_LINE = re.compile(rb"\n\r?\n")
# A field that goes on in the next line, behind a blank: obsolete, and to be taken (section 5.2).
_FOLD = re.compile(rb"\r?\n[ \t]+")
_BEGINNING = b"HTTP/1."
_LAST = "Connection: close\r\n"


class HeadError(ValueError):
    """What came is no head of HTTP/1."""


@dataclass(frozen=True, slots=True)
class Head:
    """The head of an answer.

    Args:
        status: Its status.
        fields: Its fields by name in lower case, several of a name joined (RFC 9110, sections 5.1 and 5.3); bytes that
            are no UTF-8 stand there as surrogate escapes.
        is_persistent: The connection can be used again after the body. Source: RFC 9112, section 9.3.
    """

    status: int
    fields: Mapping[str, str]
    is_persistent: bool

    @property
    def is_final(self) -> bool:
        """No other answer follows: switching to what we have not asked for is no interim one.

        Source: RFC 9110, section 15.2.2.
        """
        return self.status >= 200 or self.status == 101


class HeadReader:
    """Finds the head of the final answer in what comes."""

    __slots__ = ("_searched", "_stock")

    def __init__(self) -> None:
        self._stock = b""
        self._searched = 0

    def feed(self, data: bytes) -> tuple[Head, bytes] | None:
        """Take in what came next; interim answers are passed over.

        Returns:
            The final head and what came behind it, `None` as long as it is not all there.

        Raises:
            HeadError: It is none.

        Source: RFC 9110, section 15.2, for interim answers.
        """
        if not self._stock:
            found = read_at_once(data)
            if found is not None:
                return found
        return self._read_on(self._stock + data)

    def _read_on(self, data: bytes) -> tuple[Head, bytes] | None:
        start = 0
        while True:
            found = None if self._searched else _HEAD.match(data, start)
            if found is None:
                unfolded = self._look_closer(data, start)
                if unfolded is None:
                    return None
                data, start = unfolded, 0
                found = _HEAD.match(data)
                if found is None:
                    raise HeadError("a line of the head is no field")
            head = _read(found)
            start = found.end()
            if head.is_final:
                return head, data[start:]

    def _look_closer(self, data: bytes, start: int) -> bytes | None:
        """Look again at what is no head as it stands; gives it anew if it is all there, its fields unfolded."""
        if not _BEGINNING.startswith(data[start : start + len(_BEGINNING)]):
            raise HeadError("it does not begin as HTTP/1 does")
        blank = _BLANK_LINE.search(data, max(start, self._searched - 2))
        if blank is None:
            self._keep(data[start:])
            return None
        self._searched = 0
        status_line, line_end, fields = data[start : blank.end()].partition(b"\n")
        return status_line + line_end + fields[:1] + _FOLD.sub(b" ", fields[1:]) + data[blank.end() :]

    def _keep(self, data: bytes) -> None:
        if len(data) > _MOST_HEAD or len(data) - data.rfind(b"\n") > _MOST_FIELD:
            raise HeadError("the head has no end")
        self._stock = data
        self._searched = len(data)


def read_at_once(data: bytes) -> tuple[Head, bytes] | None:
    """Read a short final head that is all there and has no oddity, and give it and what came behind it.

    Returns:
        `None` if it is to be looked at closer, by a `HeadReader`; what both can read they read alike.

    A line that was read before costs a tenth of what it cost then.
    """
    end = data.find(b"\r\n\r\n", 0, _SHORT_HEAD)
    if end < 0:
        return None
    first, *lines = data[:end].split(b"\r\n")
    version_and_status = _read_status_line(first)
    pairs = [*map(_read_field_line, lines)]
    if version_and_status is None or None in pairs:
        return None
    head = _make_head(*version_and_status, pairs)  # type: ignore[arg-type]
    return (head, data[end + 4 :]) if head.is_final else None


@lru_cache(_LINES)
def _read_status_line(line: bytes) -> tuple[bool, int] | None:
    found = _STATUS_LINE.fullmatch(line)
    return None if found is None else (found[1] != b"0", int(found[2]))


@lru_cache(_LINES)
def _read_field_line(line: bytes) -> tuple[str, str] | None:
    found = _FIELD_LINE.fullmatch(line)
    return None if found is None else (found[1].decode().lower(), _text_of(found[2]).rstrip(" \t"))


def _text_of(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def _read(found: re.Match[bytes]) -> Head:
    minor, status, block = found.groups()
    if len(block) > _MOST_FIELD:
        _check_size(block)
    pairs = [(name.lower(), value.rstrip(" \t")) for name, value in _FIELD.findall(_text_of(block))]
    if len(pairs) > _MOST_FIELDS:
        raise HeadError("too many fields")
    return _make_head(minor != b"0", int(status), pairs)


def _make_head(is_new: bool, status: int, pairs: list[tuple[str, str]]) -> Head:
    by_name = dict(pairs)
    if len(by_name) < len(pairs):
        by_name = _join(pairs)
    connection = by_name.get("connection")
    if connection is None:
        is_persistent = is_new
    else:
        options = _options_of(connection)
        is_persistent = "close" not in options and (is_new or "keep-alive" in options)
    # Whoever mixes the two versions may not know where the body ends (section 6.1).
    return Head(status, by_name, is_persistent and (is_new or "transfer-encoding" not in by_name))


@lru_cache(_LINES)
def _options_of(connection: str) -> frozenset[str]:
    return frozenset(option.strip(" \t") for option in connection.lower().split(","))


def _join(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Join the fields that have the same name, in the order in which they came."""
    by_name: dict[str, str] = {}
    for name, value in pairs:
        by_name[name] = f"{by_name[name]}, {value}" if name in by_name else value
    return by_name


def _check_size(block: bytes) -> None:
    if len(block) > _MOST_HEAD or max(map(len, block.split(b"\n"))) > _MOST_FIELD:
        raise HeadError("a field, or the head, is too large")


class HeadWriter:
    """Writes the heads of GET requests, all of each: there is no body.

    Most requests of a job share their fields, which are put together once; a mapping that was given must not change.
    """

    __slots__ = ("_block", "_headers")

    def __init__(self) -> None:
        self._headers: Mapping[str, str] | None = None
        self._block = ""

    def write(self, target: Target, headers: Mapping[str, str], *, is_last: bool) -> bytes:
        """Write one.

        Args:
            target: Its path and query go to the wire as they are.
            headers: Fields besides `Host`.
            is_last: No other request is to follow on the connection.

        Raises:
            ValueError: A field would be read as more than one, which whoever made it has not checked.

        Source: RFC 9112, sections 3.2 and 9.6.
        """
        if headers is not self._headers:
            self._block = _write_fields(headers)
            self._headers = headers
        netloc = target.netloc
        path = target.url[len(target.scheme) + 3 + len(netloc) :]
        line = f"GET {path} HTTP/1.1\r\nHost: {netloc}\r\n"
        if line.count("\n") != 2 or line.count("\r") != 2 or "\0" in line:
            raise _no_field_error()
        return f"{line}{self._block}{_LAST if is_last else ''}\r\n".encode()


def _write_fields(headers: Mapping[str, str]) -> str:
    block = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    if block.count("\n") != len(headers) or block.count("\r") != len(headers) or "\0" in block:
        raise _no_field_error()
    return block


def _no_field_error() -> ValueError:
    return ValueError("a line break or a null character in a header")
