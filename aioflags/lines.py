"""The lines of a byte stream as they come, in bounded memory; knows LF and the byte order mark, no format."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import BinaryIO

from aioflags.errors import UsageError

__all__ = ["LONGEST_LINE", "Lines"]

LONGEST_LINE = 1 << 20
_CHUNK = 1 << 16
_BOM = b"\xef\xbb\xbf"


class Lines:
    """Cuts a stream into lines as they come.

    `pending` holds those not yet taken, without their LF; `number` is that of the last one taken, 1 for the
    first of the stream; `consumed` the bytes up to its end. `None` is a line of over `LONGEST_LINE` bytes.

    Args:
        stream: Where the lines come from.
        label: What messages call it.
    """

    def __init__(self, stream: BinaryIO, label: str) -> None:
        self.label = label
        self.pending: deque[bytes | None] = deque()
        self.number = 0
        self.consumed = 0
        # read1 returns what a pipe holds now, read of a buffered stream would wait for the whole chunk.
        self._read: Callable[[int], bytes | None] = getattr(stream, "read1", stream.read)
        self._rest = bytearray()
        self._is_overlong = False
        self._is_first = True
        self._is_end = False

    def fill(self) -> bool:
        """Read once, waiting if need be, and add the lines that are whole now; false at the end.

        Raises:
            UsageError: The stream cannot be read.
        """
        if self._is_end:
            return False
        try:
            chunk = self._read(_CHUNK)
        except OSError as error:
            raise UsageError(f"{self.label} cannot be read: {error.strerror}") from error
        if chunk is None:
            raise UsageError(f"{self.label} is in non-blocking mode; pass the list through a pipe, as in cat FILE |")
        first, *others = chunk.split(b"\n")
        self._extend(first)
        if others:
            self._end_line()
            self.pending.extend(others[:-1])
            self._extend(others[-1])
        elif not chunk:
            self._is_end = True
            if self._rest or self._is_overlong:
                self._end_line()
                self.consumed -= 1  # no line end stands there
        return True

    def take(self) -> bytes | None:
        """Hand over the next of the pending lines."""
        line = self.pending.popleft()
        self.number += 1
        self.consumed += 1 if line is None else len(line) + 1
        return line

    def take_some(self, limit: int) -> Iterable[tuple[int, bytes | None]]:
        """Hand over the next pending lines with their numbers, at most `limit`."""
        first = self.number + 1
        taken = [self.pending.popleft() for _ in range(min(limit, len(self.pending)))]
        self.number += len(taken)
        self.consumed += sum(1 if line is None else len(line) + 1 for line in taken)
        return enumerate(taken, first)

    def put_back(self, lines: list[bytes | None]) -> None:
        """Undo the last takes; `lines` are in the order in which they were taken."""
        self.pending.extendleft(reversed(lines))
        self.number -= len(lines)
        self.consumed -= sum(1 if line is None else len(line) + 1 for line in lines)

    def _extend(self, part: bytes) -> None:
        self._rest += part
        if self._is_overlong or len(self._rest) > LONGEST_LINE:
            self._is_overlong = True
            self.consumed += len(self._rest)
            self._rest.clear()

    def _end_line(self) -> None:
        if self._is_first and self._rest.startswith(_BOM):
            self.consumed += len(_BOM)
            del self._rest[: len(_BOM)]
        self._is_first = False
        self.pending.append(None if self._is_overlong else bytes(self._rest))
        self._is_overlong = False
        self._rest.clear()
