"""The answers of the blocking driver: http.client's, but strict where half a file could pass for a whole one."""

from __future__ import annotations

import re
from http.client import HTTPException, HTTPResponse, IncompleteRead, RemoteDisconnected, parse_headers
from typing import Any, Protocol

from urllib3.util.response import assert_header_parsing

__all__ = ["FinalResponse", "FramingError"]

# Bytes of one line of a head or of chunked framing.
_MOST_LINE = 1 << 16
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]+)[ \t]*(;.*)?\r\n", re.DOTALL)
_MOST_FIELDS = 1000
# Larger ones do not fit into the 64 bits of any other reader.
_MOST_CHUNK = 1 << 64


class FramingError(HTTPException):
    """Where a body ends cannot be told."""


class _Lines(Protocol):
    def readline(self, limit: int, /) -> bytes: ...

    def close(self) -> None: ...


class _Head:
    """Gives http.client the heads of an answer, each a status line and its fields.

    It takes 100 lines of fields at most, so that each that it is given holds as many as may be; and it takes the end of
    the connection for that of the head.

    Args:
        file: What the server sends.
    """

    def __init__(self, file: _Lines) -> None:
        self._file = file
        self._ahead = b""
        self._has_status = False
        self._fields = 0

    def readline(self, limit: int) -> bytes:
        """Give the status line, many fields, or the empty line behind them.

        Raises:
            RemoteDisconnected: The connection ended within the head.
            HTTPException: It is none.
        """
        lines = self._ahead or self._read(limit)
        self._ahead = b""
        if not self._has_status or _is_empty(lines):
            self._has_status = not self._has_status
            self._fields = 0
            return lines
        while len(lines) < limit:
            self._ahead = self._read(limit)
            if _is_empty(self._ahead) or len(lines) + len(self._ahead) >= limit:
                break
            lines += self._ahead
        return lines

    def close(self) -> None:
        """Close what it reads from, as http.client does with what is no HTTP."""
        self._file.close()

    def _read(self, limit: int) -> bytes:
        line = self._file.readline(limit)
        is_cut = not line.endswith(b"\n") and len(line) < limit
        if is_cut and (self._has_status or b"HTTP/".startswith(line[:5])):
            raise RemoteDisconnected("the connection ended within the head")
        if self._has_status:
            self._fields += 1
            if self._fields > _MOST_FIELDS or b"\0" in line:
                raise HTTPException("too many fields, or a null character in one")
        return line


class FinalResponse(HTTPResponse):
    """The final answer to a request.

    http.client takes any interim answer but 100 for the final one, and its successor for the next request's. It drops
    what comes after a field that it cannot read; Content-Length may be there. It reads chunk sizes as Python reads
    numbers, takes any two bytes for the end of a chunk, and the end of the connection for that of a trailer.
    Source: RFC 9112, section 7.1.
    """

    # Of http.client, which tells no type checker.
    fp: Any
    chunked: bool
    chunk_left: int | None
    _has_last_chunk = False

    @property
    def is_read(self) -> bool:
        """All of it was read, so that the next on its connection is another answer. Not so if it is only closed."""
        return self._has_last_chunk if self.chunked else self.length == 0

    def begin(self) -> None:
        """Read the head.

        Raises:
            OSError, HTTPException: It does not come, or is none.
        """
        file = self.fp
        self.fp = head = _Head(file)
        try:
            super().begin()
        finally:
            # http.client lets go of what is no HTTP, and what is closed must not be closed again.
            if self.fp is head:
                self.fp = file
        # urllib3 only logs what it sees there, with the URL and its secrets.
        assert_header_parsing(self.msg)

    def _read_status(self) -> tuple[str, int, str]:
        version, status, reason = super()._read_status()  # type: ignore[misc]
        while 100 <= status < 200 and status != 101:
            parse_headers(self.fp)
            version, status, reason = super()._read_status()  # type: ignore[misc]
        return version, status, reason

    def _get_chunk_left(self) -> int | None:
        """Bytes that are left of this chunk or, at its end, of the next; `None` behind the last."""
        if not self.chunk_left:
            # It is `None` before the first.
            if self.chunk_left == 0 and self._read_line() != b"\r\n":
                raise FramingError("a chunk that is longer than its size")
            self.chunk_left = _read_size(self._read_line()) or None
            if self.chunk_left is None:
                self._skip_trailer()
                self._has_last_chunk = True
                self._close_conn()  # type: ignore[attr-defined]
        return self.chunk_left

    def _skip_trailer(self) -> None:
        while (line := self._read_line()) != b"\r\n":
            if b":" not in line:
                raise FramingError("a trailer that is none")

    def _read_line(self) -> bytes:
        line: bytes = self.fp.readline(_MOST_LINE + 1)
        if len(line) > _MOST_LINE:
            raise FramingError("a line without end")
        if not line.endswith(b"\n"):
            raise IncompleteRead(b"")
        return line


def _is_empty(line: bytes) -> bool:
    return line in {b"\r\n", b"\n"}


def _read_size(line: bytes) -> int:
    found = _CHUNK_SIZE.fullmatch(line)
    size = _MOST_CHUNK if found is None else int(found[1], 16)
    if size >= _MOST_CHUNK:
        raise FramingError("a chunk size that is none")
    return size
