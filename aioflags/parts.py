"""Part files: bytes not yet whole, hashed on the way. Blocking."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from io import FileIO
from typing import Self

from aioflags.digests import Digests
from aioflags.disk_errors import LostBytesError, translate_os_error
from aioflags.folders import Folder
from aioflags.journal import Half

__all__ = ["Part", "WholePart"]

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
        self._loss: LostBytesError | None = None
        self.noted = 0
        self.on_growth: Callable[[Part], None] | None = None
        self.digests = Digests(algorithms)
        self._folder = folder
        super().__init__(folder.create_file(name) if descriptor is None else descriptor, "r+b")

    @classmethod
    def reopen(cls, folder: Folder, half: Half, algorithms: Iterable[str], check: Callable[[], None]) -> Self | None:
        """Open a part that an earlier attempt left, to go on after `half` of it, which is hashed again.

        What lies behind it is cut off. `None` if the part is gone, shorter, not a file of ours alone, or changed.

        Args:
            folder: The private folder.
            half: What is to be there.
            algorithms: Digests to compute besides xxh128.
            check: Called now and then while much is read; what it raises ends that.

        Raises:
            OSError: As the system gives it.
        """
        if not _is_sole_file(folder.look(half.part), half.size):
            return None
        part = cls(folder, half.part, algorithms, folder.open_part(half.part))
        try:
            if _is_sole_file(os.fstat(part.fileno()), half.size) and part._take_in(half, check):
                return part
        except BaseException:
            part.close()
            raise
        part.close()
        return None

    def _take_in(self, half: Half, check: Callable[[], None]) -> bool:
        """Hash a head and cut off what is behind it; false if nothing proves that it is what it was."""
        if half.size > half.hashed:
            return False
        if half.hashed > half.size:
            # The end of it is to be fetched again, and proves what is before it all the same.
            witness = Digests()
            for chunk in self._read_up_to(half.hashed, check):
                witness.update(chunk)
            if witness.as_hex()["xxh128"] != half.digest:
                return False
            self.seek(0)
        else:
            self._hash_up_to(half.hashed, check)
            if self.digests.as_hex()["xxh128"] != half.digest:
                return False
        self._hash_up_to(half.size, check)
        self.truncate(half.size)
        return self.size == half.size

    def _hash_up_to(self, end: int, check: Callable[[], None]) -> None:
        for chunk in self._read_up_to(end, check):
            self.digests.update(chunk)
            self.size += len(chunk)

    def _read_up_to(self, end: int, check: Callable[[], None]) -> Iterator[bytes]:
        while (left := end - self.tell()) > 0:
            check()
            chunk = self.read(min(_CHUNK, left))
            if not chunk:
                return
            yield chunk

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
            StorageError: The system refused; the bytes may be lost, and are never asked about again.
        """
        if self._loss is not None:
            raise translate_os_error(self._loss, f"sync {self.part_name}") from self._loss
        try:
            _force(self.fileno())
        except OSError as error:
            self._loss = LostBytesError(error.errno, error.strerror)
            raise translate_os_error(error, f"sync {self.part_name}") from self._loss
        self.synced = self.size

    def discard(self) -> None:
        """Close and remove; an error of either is of no interest any more."""
        with suppress(OSError):
            self.close()
        with suppress(OSError):
            self._folder.remove(self.part_name)


class WholePart:
    """Bytes of which all are at hand: a file in the private folder, written in as few calls of the system as there
    can be. What `Part` does and a small file has no use for was half of its price.

    Args:
        folder: The private folder.
        name: Of the file in it; created.
    """

    __slots__ = ("_descriptor", "_folder", "part_name", "size")

    def __init__(self, folder: Folder, name: str) -> None:
        self.part_name = name
        self.size = 0
        self._folder = folder
        self._descriptor = folder.create_file(name)

    def fileno(self) -> int:
        """The descriptor, -1 when it is closed."""
        return self._descriptor

    def fill(self, chunks: Iterable[bytes | memoryview], *, is_synced: bool) -> None:
        """Write all `chunks` and close; a short write of the system is continued.

        Args:
            chunks: The bytes.
            is_synced: Force them to stable storage.

        Raises:
            OSError: Of a write, or of the close: a full disk or a lost server may say so only then.
            StorageError: Of the sync; the bytes may be lost.
        """
        descriptor = self._descriptor
        for chunk in chunks:
            written = os.write(descriptor, chunk)
            while written < len(chunk):
                written += os.write(descriptor, memoryview(chunk)[written:])
            self.size += written
        if is_synced:
            self._sync()
        self._close()

    def _sync(self) -> None:
        try:
            _force(self._descriptor)
        except OSError as error:
            lost = LostBytesError(error.errno, error.strerror)
            raise translate_os_error(error, f"sync {self.part_name}") from lost

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def discard(self) -> None:
        """Close and remove; an error of either is of no interest any more."""
        with suppress(OSError):
            self._close()
        with suppress(OSError):
            self._folder.remove(self.part_name)


def _force(descriptor: int) -> None:
    if hasattr(os, "fdatasync"):
        os.fdatasync(descriptor)
    else:
        os.fsync(descriptor)


def _is_sole_file(found: os.stat_result | None, size: int) -> bool:
    """Tell whether this is a file without other names, and long enough: another name means another owner."""
    return found is not None and stat.S_ISREG(found.st_mode) and found.st_nlink == 1 and found.st_size >= size
