"""What is written when the ways to the disk are compared: the same bytes for the writer and for who checks them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

import xxhash

from benchmarks.corpus import File

__all__ = ["CHUNK", "Work"]

CHUNK = 1 << 16
"""Bytes in which a long body comes, about what a socket gives at once."""


@dataclass(frozen=True, slots=True)
class Work:
    """The files of one case.

    Args:
        files: How many; one of them is a stream, which comes in chunks.
        size: Bytes of each, at least 8.
        is_synced: Each is forced to stable storage.
    """

    files: int
    size: int
    is_synced: bool = False

    @property
    def is_stream(self) -> bool:
        """It comes bit by bit."""
        return self.files == 1

    def names(self) -> Iterator[str]:
        """Name the files."""
        return (f"{number:07d}" for number in range(self.files))

    def bodies(self) -> Iterator[bytes]:
        """Give the content of each file in turn, no two the same; next to no work."""
        rest = random.Random(self.size).randbytes(self.size - 8)
        return (number.to_bytes(8, "big") + rest for number in range(self.files))

    def chunks(self) -> Iterator[bytes]:
        """Give the content of a stream: the same block again and again, each time numbered."""
        rest = random.Random(self.size).randbytes(CHUNK - 8)
        for number in range(-(-self.size // CHUNK)):
            yield (number.to_bytes(8, "big") + rest)[: self.size - number * CHUNK]

    def expected(self) -> list[File]:
        """Say what is to be there in the end."""
        if self.is_stream:
            digest = xxhash.xxh3_128()
            for chunk in self.chunks():
                digest.update(chunk)
            return [File(next(self.names()), self.size, digest.hexdigest())]
        return [
            File(name, self.size, xxhash.xxh3_128_hexdigest(body))
            for name, body in zip(self.names(), self.bodies(), strict=True)
        ]
