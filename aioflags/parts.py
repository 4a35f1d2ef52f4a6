"""Part files: bytes not yet whole, hashed on the way. Blocking."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable
from contextlib import suppress
from io import FileIO
from typing import Self

from aioflags.digests import Digests
from aioflags.disk_errors import translate_os_error
from aioflags.folders import Folder

__all__ = ["Part"]

_CHUNK = 1 << 20


class Part(FileIO):
    """Bytes not yet whole: a file in the private folder, hashed on the way.

    `write` and `writelines` take all bytes or raise `OSError`; a short write of the system is continued.

    Args:
        folder: The private folder.
        name: Of the file in it.
        algorithms: Digests to compute besides xxh128.
        descriptor: Of the file, if it is open already; else it is created.
    """

    def __init__(
        self, folder: Folder, name: str, algorithms: Iterable[str] = (), descriptor: int | None = None
    ) -> None:
        self.part_name = name
        self.size = 0
        self.synced = 0
        self.is_noted = False
        self.on_growth: Callable[[Part], None] | None = None
        self.digests = Digests(algorithms)
        self._folder = folder
        super().__init__(folder.create_file(name) if descriptor is None else descriptor, "r+b")

    @classmethod
    def reopen(
        cls, folder: Folder, name: str, size: int, algorithms: Iterable[str], check: Callable[[], None]
    ) -> Self | None:
        """Open a part that an earlier attempt left, to go on after its first `size` bytes, which are hashed again.

        What lies behind them is cut off. `None` if it is gone, shorter, or not a file of ours alone.

        Args:
            folder: The private folder.
            name: Of the file in it.
            size: Bytes at its beginning that can be relied upon.
            algorithms: Digests to compute besides xxh128.
            check: Called now and then while much is read; what it raises ends that.

        Raises:
            OSError: As the system gives it.
        """
        if not _is_sole_file(folder.look(name), size):
            return None
        part = cls(folder, name, algorithms, folder.open_part(name))
        try:
            if _is_sole_file(os.fstat(part.fileno()), size) and part._take_in(size, check):
                return part
        except BaseException:
            part.close()
            raise
        part.close()
        return None

    def _take_in(self, size: int, check: Callable[[], None]) -> bool:
        self.truncate(size)
        while self.size < size:
            check()
            chunk = self.read(_CHUNK)
            if not chunk:
                return False
            self.digests.update(chunk)
            self.size += len(chunk)
        return True

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
        if self.on_growth is not None:
            self.on_growth(self)

    def sync(self) -> None:
        """Force what was written to stable storage.

        Raises:
            StorageError: The system refused; the bytes may be lost.
        """
        try:
            if hasattr(os, "fdatasync"):
                os.fdatasync(self.fileno())
            else:
                os.fsync(self.fileno())
        except OSError as error:
            raise translate_os_error(error, f"sync {self.part_name}") from error
        self.synced = self.size

    def discard(self) -> None:
        """Close and remove; an error of either is of no interest any more."""
        with suppress(OSError):
            self.close()
        with suppress(OSError):
            self._folder.remove(self.part_name)


def _is_sole_file(found: os.stat_result | None, size: int) -> bool:
    """Tell whether this is a file without other names, and long enough: another name means another owner."""
    return found is not None and stat.S_ISREG(found.st_mode) and found.st_nlink == 1 and found.st_size >= size
