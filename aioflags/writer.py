"""Bytes to whole files, in the order that keeps them safe: write, check, sync, publish. Blocking, for any thread."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from aioflags.destination import Destination
from aioflags.disk_errors import translate_os_error
from aioflags.errors import DownloadError
from aioflags.parts import Part
from aioflags.settings import Durability
from aioflags.transfer import judge_digests

__all__ = ["Saved", "Wanted", "Whole", "Writer"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a file is to be.

    Args:
        name: Final name, relative, `/` between folders.
        digests: Algorithm to hexadecimal digest that the content must have.
        may_replace: A file of that name may be replaced.
    """

    name: str
    digests: Mapping[str, str] = field(default_factory=dict)
    may_replace: bool = False


@dataclass(frozen=True, slots=True)
class Saved:
    """What the file is: size in bytes, and algorithm to hexadecimal digest."""

    bytes: int
    digests: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Whole:
    """A body at hand: what the file is to be, and its bytes in chunks."""

    wanted: Wanted
    chunks: Sequence[bytes]


class Writer:
    """Writes files into a destination.

    Args:
        destination: Open.
        durability: `none`; `batch`: each group is forced to stable storage before its names appear; `file`: each
            file by itself, its directory entry too, before it is said to be saved.
        algorithms: Digests to compute besides xxh128 and those that a file must have.
    """

    def __init__(
        self, destination: Destination, *, durability: Durability = "none", algorithms: Sequence[str] = ()
    ) -> None:
        self._destination = destination
        self._durability = durability
        self._algorithms = tuple(algorithms)

    def new_part(self, wanted: Wanted) -> Part:
        """Create a part for a body that comes bit by bit; it is the caller's to `commit` or discard.

        Raises:
            StorageError: The system refused.
        """
        return self._destination.new_part(dict.fromkeys((*self._algorithms, *wanted.digests)))

    def commit(self, wanted: Wanted, part: Part) -> Saved:
        """Check a part, sync it as asked, and let it appear.

        Raises:
            ChecksumError, RefusedError, StorageError: It has not; the part is still the caller's.
        """
        _check(wanted, part)
        if self._durability != "none":
            _sync(part)
        saved = self._publish(wanted, part)
        if self._durability != "none":
            self._destination.sync_folders([wanted.name])
        return saved

    def write(self, whole: Whole) -> Saved:
        """Let a body at hand appear.

        Raises:
            ChecksumError, RefusedError, StorageError: Nothing has appeared.
        """
        part = self._fill(whole)
        return _or_discard(part, partial(self.commit, whole.wanted, part))

    def write_group(self, group: Sequence[Whole]) -> list[Saved | Exception]:
        """Write many bodies; a failed one has its error in place of a result."""
        if self._durability != "batch":
            return [_catch(partial(self.write, whole)) for whole in group]
        return self._write_synced(group)

    def _write_synced(self, group: Sequence[Whole]) -> list[Saved | Exception]:
        """Write all, sync all, publish all, then sync each directory once."""
        filled = [(whole.wanted, _catch(partial(self._fill_synced, whole))) for whole in group]
        results = [
            part if isinstance(part, Exception) else _catch(partial(self._publish_or_discard, wanted, part))
            for wanted, part in filled
        ]
        landed = [wanted.name for (wanted, _), result in zip(filled, results, strict=True) if isinstance(result, Saved)]
        try:
            self._destination.sync_folders(landed)
        except DownloadError as error:
            return [error if isinstance(result, Saved) else result for result in results]
        return results

    def _fill(self, whole: Whole) -> Part:
        part = self.new_part(whole.wanted)

        def fill() -> Part:
            try:
                part.writelines(whole.chunks)
            except OSError as error:
                raise translate_os_error(error, f"write {whole.wanted.name}") from error
            return part

        return _or_discard(part, fill)

    def _fill_synced(self, whole: Whole) -> Part:
        part = self._fill(whole)

        def sync() -> Part:
            _check(whole.wanted, part)
            _sync(part)
            return part

        return _or_discard(part, sync)

    def _publish_or_discard(self, wanted: Wanted, part: Part) -> Saved:
        return _or_discard(part, partial(self._publish, wanted, part))

    def _publish(self, wanted: Wanted, part: Part) -> Saved:
        try:
            # A full disk or a lost server may say so only now.
            part.close()
        except OSError as error:
            raise translate_os_error(error, f"write {wanted.name}") from error
        self._destination.publish(part, wanted.name, may_replace=wanted.may_replace)
        return Saved(part.size, part.digests.as_hex())


def _or_discard(part: Part, work: Callable[[], T]) -> T:
    try:
        return work()
    except BaseException:
        part.discard()
        raise


def _catch(work: Callable[[], T]) -> T | Exception:
    try:
        return work()
    except DownloadError as error:
        return error


def _check(wanted: Wanted, part: Part) -> None:
    error = judge_digests(wanted.digests, part.digests.as_hex())
    if error is not None:
        raise error


def _sync(part: Part) -> None:
    try:
        if hasattr(os, "fdatasync"):
            os.fdatasync(part.fileno())
        else:
            os.fsync(part.fileno())
    except OSError as error:
        raise translate_os_error(error, f"sync {part.part_name}") from error
