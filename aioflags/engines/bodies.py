"""The body of one answer while it comes: memory to receive into, what of it is at hand, and where it ends.

No socket and no loop. A body whose length is known is received where it stays, block by block, and copied no more.
"""

from __future__ import annotations

from typing import Protocol

from aioflags.engines.chunks import Chunks

__all__ = ["BLOCK", "Body", "ChunkedBody", "LengthBody", "OpenBody"]

#: Bytes of a block: enough for a thread to be worth its while, little enough for each of many bodies to have some.
BLOCK = 1 << 18
#: Bytes that are put together to one piece if they come in many.
_CRUMBS = 1 << 12
#: Blocks that one body has in reserve at most.
_SPARE = 4


class Body(Protocol):
    """One body.

    `stocked` is how many bytes are at hand and were not taken, `excess` how many came behind the end together with
    it, `has_ended` whether the end is known to have come.
    """

    stocked: int
    excess: int
    has_ended: bool

    def room(self) -> memoryview:
        """Give the memory that the next bytes are to be written to."""

    def received(self, size: int) -> int:
        """So many bytes were written there; gives how many of them are of the body.

        Raises:
            aioflags.engines.chunks.ChunkError: The framing is broken.
        """

    def feed(self, data: bytes) -> int:
        """Take in what came together with the head; gives how many bytes are of the body.

        Raises:
            aioflags.engines.chunks.ChunkError: The framing is broken.
        """

    def take(self) -> list[bytes | memoryview]:
        """Give away what is at hand, good until the second call after this: its memory is used again."""

    def take_all(self) -> list[bytes | memoryview]:
        """Give away what is at hand, and what was begun: no more will come."""


class LengthBody:
    """A body whose length is known.

    Args:
        length: Its bytes.
        block: Bytes that are received at once at most.
    """

    __slots__ = ("_block", "_chunks", "_filled", "_given", "_left", "_size", "_spare", "excess", "has_ended", "stocked")

    def __init__(self, length: int, block: int = BLOCK) -> None:
        self._left = length
        self._size = block
        self._block: memoryview | None = None
        self._filled = 0
        self._chunks: list[bytes | memoryview] = []
        self._given: list[list[bytes | memoryview]] = []
        self._spare: list[memoryview] = []
        self.stocked = 0
        self.excess = 0
        self.has_ended = not length

    def room(self) -> memoryview:
        """See `Body`: as much as is still to come, so that nothing behind it is read."""
        block = self._block
        if block is None:
            block = self._block = self._new_block()
        return block[self._filled : self._filled + self._left] if self._filled else block

    def resize(self, block: int) -> None:
        """Receive so many bytes at once at most, from the next block on."""
        if block != self._size:
            self._size = block
            self._spare.clear()

    def _new_block(self) -> memoryview:
        if self._spare and self._left >= self._size:
            return self._spare.pop()
        return memoryview(bytearray(min(self._left, self._size)))

    def received(self, size: int) -> int:
        """See `Body`."""
        assert self._block is not None
        self._left -= size
        self._filled += size
        if self._filled == len(self._block) or not self._left:
            self._finish_block()
        self.has_ended = not self._left
        return size

    def _finish_block(self) -> None:
        if self._block is not None and self._filled:
            self._chunks.append(self._block[: self._filled])
            self.stocked += self._filled
        self._block = None
        self._filled = 0

    def feed(self, data: bytes) -> int:
        """See `Body`."""
        size = len(data)
        if size > self._left:
            self.excess = size - self._left
            data = data[: self._left]
        if data:
            self._chunks.append(data)
            self.stocked += len(data)
            self._left -= len(data)
        self.has_ended = not self._left
        return len(data)

    def take(self) -> list[bytes | memoryview]:
        """See `Body`."""
        chunks, self._chunks = self._chunks, []
        self.stocked = 0
        self._given.append(chunks)
        if len(self._given) > 2:
            used = [each for each in self._given.pop(0) if isinstance(each, memoryview) and len(each) == self._size]
            self._spare += used[: _SPARE - len(self._spare)]
        return chunks

    def take_all(self) -> list[bytes | memoryview]:
        """See `Body`."""
        self._finish_block()
        return self.take()


class OpenBody:
    """A body that ends with its connection.

    Args:
        scratch: Memory to receive into.
    """

    __slots__ = ("_chunks", "_scratch", "excess", "has_ended", "stocked")

    def __init__(self, scratch: memoryview) -> None:
        self._scratch = scratch
        self._chunks: list[bytes | memoryview] = []
        self.stocked = 0
        self.excess = 0
        self.has_ended = False

    def room(self) -> memoryview:
        """See `Body`."""
        return self._scratch

    def received(self, size: int) -> int:
        """See `Body`."""
        return self.feed(bytes(self._scratch[:size]))

    def feed(self, data: bytes) -> int:
        """See `Body`."""
        self._stock(data)
        return len(data)

    def _stock(self, data: bytes | memoryview) -> None:
        if self._chunks and len(self._chunks[-1]) + len(data) <= _CRUMBS:
            # Byte by byte, a body would take many times its size in memory.
            self._chunks[-1] = b"".join((self._chunks[-1], data))
        elif data:
            self._chunks.append(data)
        self.stocked += len(data)

    def take(self) -> list[bytes | memoryview]:
        """See `Body`."""
        chunks, self._chunks = self._chunks, []
        self.stocked = 0
        return chunks

    def take_all(self) -> list[bytes | memoryview]:
        """See `Body`."""
        return self.take()


class ChunkedBody(OpenBody):
    """A body in chunked framing.

    Args:
        scratch: Memory to receive into.
    """

    __slots__ = ("_framing",)

    def __init__(self, scratch: memoryview) -> None:
        super().__init__(scratch)
        self._framing = Chunks()

    def feed(self, data: bytes) -> int:
        """See `Body`."""
        body = self._framing.feed(data)
        self._stock(body)
        self.has_ended = self._framing.has_ended
        self.excess = self._framing.excess
        return len(body)
