"""Part files: bytes not yet whole, hashed on the way. Blocking."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from io import FileIO

from aioflags.digests import Digests
from aioflags.folders import Folder

__all__ = ["Part"]


class Part(FileIO):
    """Bytes not yet whole: a file in the private folder, hashed on the way.

    `write` and `writelines` take all bytes or raise `OSError`; a short write of the system is continued.
    """

    def __init__(self, folder: Folder, name: str, algorithms: Iterable[str]) -> None:
        self.part_name = name
        self.size = 0
        self.digests = Digests(algorithms)
        self._folder = folder
        super().__init__(folder.create_file(name), "r+b")

    def write(self, data: bytes | memoryview, /) -> int:  # type: ignore[override]
        """Append `data`; returns its size in bytes."""
        self.digests.update(data)
        rest = memoryview(data)
        while rest:
            rest = rest[super().write(rest) or 0 :]
        self.size += len(data)
        return len(data)

    def writelines(self, chunks: Iterable[bytes | memoryview], /) -> None:  # type: ignore[override]
        """Append all `chunks`."""
        for chunk in chunks:
            self.write(chunk)

    def discard(self) -> None:
        """Close and remove; an error of either is of no interest any more."""
        with suppress(OSError):
            self.close()
        with suppress(OSError):
            self._folder.remove(self.part_name)
