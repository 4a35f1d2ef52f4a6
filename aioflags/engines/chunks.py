"""Chunked framing: the bytes of a body out of what comes, and its end. Bytes in and out; no socket, no loop.

Strict: a chunk size that two readers could read in two ways is an attack, or a body that was broken on its way.
Source: RFC 9112, section 7.1.
"""

from __future__ import annotations

import re
from enum import Enum, auto

__all__ = ["ChunkError", "Chunks"]

#: Bytes of one line of the framing, extensions of a chunk included.
_MOST_LINE = 1 << 16
#: Bytes of framing that come with a body, and with each byte of it: extensions could make of a file anything else.
_MOST_FRAMING = 8 << 20
_MOST_OVERHEAD = 64
#: Lines of a trailer.
_MOST_TRAILERS = 1000
# Sixteen digits are what fits into the 64 bits of any other reader; nobody needs leading zeros without end.
_SIZE = re.compile(rb"0{0,32}([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\r\n\0]*)?")


class ChunkError(ValueError):
    """The framing is broken."""


class _Expects(Enum):
    SIZE = auto()
    DATA = auto()
    DATA_END = auto()
    TRAILER = auto()
    NOTHING = auto()


class Chunks:
    """Takes the framing away.

    `excess` counts bytes that came behind the end.
    """

    __slots__ = ("_expects", "_left", "_line", "_overhead", "_trailers", "excess")

    def __init__(self) -> None:
        self._expects = _Expects.SIZE
        self._left = 0
        self._line = b""
        self._trailers = 0
        # Bytes of framing that came, less those that the bytes of the body have room for.
        self._overhead = 0
        self.excess = 0

    @property
    def has_ended(self) -> bool:
        """The last chunk and the trailer have come."""
        return self._expects is _Expects.NOTHING

    def feed(self, data: bytes) -> bytes | memoryview:
        """Take in what came next.

        Returns:
            What of it belongs to the body; a slice of `data` only if that is most of it.

        Raises:
            ChunkError: The framing is broken, or out of all proportion to the body.
        """
        parts = self._take(data)
        # A slice keeps all of its data in memory, and each part costs as much as many bytes.
        is_slice = len(parts) == 1 and 2 * len(parts[0]) >= len(data)
        body = parts[0] if is_slice else b"".join(parts)
        self._overhead += len(data) - (1 + _MOST_OVERHEAD) * len(body)
        if self._overhead > _MOST_FRAMING:
            raise ChunkError("there is far more framing than body")
        return body

    def _take(self, data: bytes) -> list[memoryview]:
        parts: list[memoryview] = []
        view = memoryview(data)
        at = 0
        while at < len(data):
            if self._expects is _Expects.DATA:
                part = view[at : at + self._left]
                parts.append(part)
                at += len(part)
                self._left -= len(part)
                if not self._left:
                    self._expects = _Expects.DATA_END
            elif self._expects is _Expects.NOTHING:
                self.excess += len(data) - at
                break
            else:
                at = self._take_line(data, at)
        return parts

    def _take_line(self, data: bytes, at: int) -> int:
        """Take in a line, or as much of it as there is; gives where the next one begins."""
        end = data.find(b"\n", at)
        line = self._line + (data[at:] if end < 0 else data[at : end + 1])
        if len(line) > _MOST_LINE:
            raise ChunkError("a line of the framing has no end")
        if end < 0:
            self._line = line
            self._check_beginning(line)
            return len(data)
        self._line = b""
        if not line.endswith(b"\r\n"):
            raise ChunkError("a line of the framing ends in an odd way")
        self._read_line(line[:-2])
        return end + 1

    def _check_beginning(self, line: bytes) -> None:
        """What cannot become the end of a chunk is not waited for."""
        if self._expects is _Expects.DATA_END and line != b"\r":
            raise ChunkError("a chunk is longer than its size")

    def _read_line(self, line: bytes) -> None:
        if self._expects is _Expects.SIZE:
            found = _SIZE.fullmatch(line)
            if found is None:
                raise ChunkError("a chunk size is none")
            self._left = int(found[1], 16)
            self._expects = _Expects.DATA if self._left else _Expects.TRAILER
        elif self._expects is _Expects.DATA_END:
            if line:
                raise ChunkError("a chunk is longer than its size")
            self._expects = _Expects.SIZE
        elif not line:
            self._expects = _Expects.NOTHING
        else:
            self._trailers += 1
            if b":" not in line or self._trailers > _MOST_TRAILERS:
                raise ChunkError("a trailer is none, or there are too many")
