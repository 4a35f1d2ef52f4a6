"""The disk bridge: bodies cross from the loop to a private executor and appear whole under their final names.

Small bodies are handed over whole and committed in groups; large ones stream through aiofiles on the same executor,
a batch in flight while the network fills the next.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aioflags.destination import Destination, Part, translate_os_error
from aioflags.errors import DownloadError
from aioflags.groups import GroupCommit, finish_first, shut_down
from aioflags.settings import Durability
from aioflags.transfer import judge_digests

__all__ = ["Saved", "Storage", "Stream", "Wanted"]

_THREADS = 4


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
class _Whole:
    wanted: Wanted
    chunks: Sequence[bytes]


class Storage:
    """Writes files for coroutines.

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
        self._executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="aioflags-disk")
        self._groups: GroupCommit[_Whole, Saved] = GroupCommit(self._executor, self._commit)

    async def save(self, wanted: Wanted, chunks: Sequence[bytes]) -> Saved:
        """Write a whole body, given in chunks; returns after its final name has appeared.

        Raises:
            ChecksumError, RefusedError, StorageError: Nothing has appeared.
        """
        return await self._groups.put(_Whole(wanted, chunks))

    @asynccontextmanager
    async def stream(self, wanted: Wanted) -> AsyncIterator[Stream]:
        """Write a body that comes bit by bit. Leaving the block before `finish` returned leaves nothing.

        Raises:
            StorageError: The system refused.
        """
        loop = asyncio.get_running_loop()
        opening = loop.run_in_executor(self._executor, self._destination.new_part, self._algorithms_for(wanted))
        part = await finish_first(opening, self._discard)
        stream = Stream(part, self._executor, lambda: self._commit_part(wanted, part))
        try:
            yield stream
        finally:
            await stream.close()

    async def close(self) -> None:
        """End the threads; what they are doing is finished first."""
        await shut_down(self._executor)

    async def _discard(self, part: Part) -> None:
        await finish_first(asyncio.get_running_loop().run_in_executor(self._executor, part.discard))

    def _algorithms_for(self, wanted: Wanted) -> list[str]:
        return list(dict.fromkeys((*self._algorithms, *wanted.digests)))

    # What follows runs in the threads of the executor.

    def _commit(self, group: Sequence[_Whole]) -> list[Saved | Exception]:
        if self._durability != "batch":
            return [self._commit_one(job) for job in group]
        return self._commit_synced(group)

    def _commit_one(self, job: _Whole) -> Saved | Exception:
        try:
            part = self._write(job)
        except DownloadError as error:
            return error
        try:
            return self._commit_part(job.wanted, part)
        except DownloadError as error:
            part.discard()
            return error

    def _commit_synced(self, group: Sequence[_Whole]) -> list[Saved | Exception]:
        """Write all, sync all, publish all, then sync each directory once."""
        results: list[Saved | Exception] = []
        for job, part in [(job, self._write_or_fail(job)) for job in group]:
            results.append(part if isinstance(part, Exception) else self._publish_or_fail(job.wanted, part))
        landed = [job.wanted.name for job, result in zip(group, results, strict=True) if isinstance(result, Saved)]
        try:
            self._destination.sync_folders(landed)
        except DownloadError as error:
            return [error if isinstance(result, Saved) else result for result in results]
        return results

    def _write_or_fail(self, job: _Whole) -> Part | Exception:
        try:
            part = self._write(job)
        except DownloadError as error:
            return error
        try:
            self._check(job.wanted, part)
            _sync(part)
        except DownloadError as error:
            part.discard()
            return error
        return part

    def _publish_or_fail(self, wanted: Wanted, part: Part) -> Saved | Exception:
        try:
            return self._publish(wanted, part)
        except DownloadError as error:
            part.discard()
            return error

    def _write(self, job: _Whole) -> Part:
        part = self._destination.new_part(self._algorithms_for(job.wanted))
        try:
            part.writelines(job.chunks)
        except OSError as error:
            part.discard()
            raise translate_os_error(error, f"write {job.wanted.name}") from error
        except BaseException:
            part.discard()
            raise
        return part

    def _commit_part(self, wanted: Wanted, part: Part) -> Saved:
        """Check, sync as asked and publish one part."""
        self._check(wanted, part)
        if self._durability != "none":
            _sync(part)
        saved = self._publish(wanted, part)
        if self._durability != "none":
            self._destination.sync_folders([wanted.name])
        return saved

    def _check(self, wanted: Wanted, part: Part) -> None:
        error = judge_digests(wanted.digests, part.digests.as_hex())
        if error is not None:
            raise error

    def _publish(self, wanted: Wanted, part: Part) -> Saved:
        try:
            # A full disk or a lost server may say so only now.
            part.close()
        except OSError as error:
            raise translate_os_error(error, f"write {wanted.name}") from error
        self._destination.publish(part, wanted.name, may_replace=wanted.may_replace)
        return Saved(part.size, part.digests.as_hex())


class Stream:
    """One long body on its way to disk; made by `Storage.stream`."""

    def __init__(self, part: Part, executor: ThreadPoolExecutor, commit: Callable[[], Saved]) -> None:
        from aiofiles.threadpool import wrap

        self._loop = asyncio.get_running_loop()
        self._executor = executor
        self._part = part
        self._file = wrap(part, loop=self._loop, executor=executor)
        self._commit = commit
        self._writing: asyncio.Task[None] | None = None
        self._is_published = False

    async def write(self, chunks: list[bytes]) -> None:
        """Hand over a batch; returns when the batch before it is written, so that the network waits for the disk.

        Raises:
            StorageError: An earlier batch could not be written.
        """
        await self._settle()
        self._writing = self._loop.create_task(self._file.writelines(chunks))

    async def finish(self) -> Saved:
        """Let the file appear.

        Raises:
            ChecksumError, RefusedError, StorageError: Nothing has appeared.
        """
        await self._settle()
        return await finish_first(self._loop.run_in_executor(self._executor, self._publish))

    def _publish(self) -> Saved:
        saved = self._commit()
        # Noted in the thread: a caller that is cancelled meanwhile must not take a published file for a part.
        self._is_published = True
        return saved

    async def _settle(self) -> None:
        writing, self._writing = self._writing, None
        if writing is None:
            return
        try:
            await finish_first(writing)
        except OSError as error:
            raise translate_os_error(error, "write") from error

    async def close(self) -> None:
        """Remove the part unless it was published; waits for the thread that is writing to it."""
        if self._writing is not None:
            await asyncio.wait([self._writing])
            if not self._writing.cancelled():
                self._writing.exception()
        if not self._is_published:
            await finish_first(self._loop.run_in_executor(self._executor, self._part.discard))


def _sync(part: Part) -> None:
    try:
        if hasattr(os, "fdatasync"):
            os.fdatasync(part.fileno())
        else:
            os.fsync(part.fileno())
    except OSError as error:
        raise translate_os_error(error, f"sync {part.part_name}") from error
