"""Four ways from a coroutine to the disk. All do the same work: a private part, a digest, a rename, a sync if asked.

What differs is where the work is done and how often a thread is asked: on the loop; in one job per file (or chunk);
by aiofiles, a job per call; in groups, as aioflags does it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol, TypeVar

import xxhash

from aioflags.destination import Destination
from aioflags.groups import shut_down
from aioflags.storage import Storage
from aioflags.writer import Wanted, Whole, Writer

__all__ = ["WAYS", "Way"]

T = TypeVar("T")

# As many as `aioflags.storage` has.
_THREADS = 4
# Chunks that aioflags hands over at a time, 256 KiB.
_BATCH = 4


class Way(Protocol):
    """How a file is saved."""

    async def save(self, name: str, body: bytes) -> object:
        """Save a body at hand."""

    async def pour(self, name: str, chunks: Iterable[bytes]) -> object:
        """Save a body that comes bit by bit."""


class Inline:
    """All of it on the loop, which does nothing else meanwhile."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def save(self, name: str, body: bytes) -> None:
        self._writer.write(Whole(Wanted(name), [body]))

    async def pour(self, name: str, chunks: Iterable[bytes]) -> None:
        part = self._writer.new_part(Wanted(name))
        for chunk in chunks:
            await asyncio.sleep(0)
            part.write(chunk)
        self._writer.commit(Wanted(name), part)


class Jobs:
    """A job of the executor per file, or per chunk of a stream."""

    def __init__(self, writer: Writer, executor: ThreadPoolExecutor) -> None:
        self._writer = writer
        self._executor = executor

    async def _in(self, work: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work, *arguments)

    async def save(self, name: str, body: bytes) -> None:
        await self._in(self._writer.write, Whole(Wanted(name), [body]))

    async def pour(self, name: str, chunks: Iterable[bytes]) -> None:
        part = await self._in(self._writer.new_part, Wanted(name))
        for chunk in chunks:
            await asyncio.sleep(0)
            await self._in(part.write, chunk)
        await self._in(self._writer.commit, Wanted(name), part)


class Aiofiles:
    """aiofiles as its documentation shows it: each call is a job of its own."""

    def __init__(self, directory: str, executor: ThreadPoolExecutor, *, is_synced: bool) -> None:
        self._directory = directory
        self._executor = executor
        self._is_synced = is_synced

    async def save(self, name: str, body: bytes) -> None:
        await self.pour(name, [body])

    async def pour(self, name: str, chunks: Iterable[bytes]) -> None:
        import aiofiles
        import aiofiles.os

        path = os.path.join(self._directory, name)
        digest = xxhash.xxh3_128()
        async with aiofiles.open(f"{path}.part", "xb", executor=self._executor) as file:
            for chunk in chunks:
                await asyncio.sleep(0)
                digest.update(chunk)
                await file.write(chunk)
            if self._is_synced:
                await file.flush()
                await asyncio.get_running_loop().run_in_executor(self._executor, os.fdatasync, file.fileno())
        digest.hexdigest()
        await aiofiles.os.replace(f"{path}.part", path, executor=self._executor)
        if self._is_synced:
            await asyncio.get_running_loop().run_in_executor(self._executor, _sync_folder, self._directory)


def _sync_folder(path: str) -> None:
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


class Groups:
    """What aioflags does: one job in flight, what arrives meanwhile goes in the next; streams in batches."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def save(self, name: str, body: bytes) -> None:
        await self._storage.save(Wanted(name), [body])

    async def pour(self, name: str, chunks: Iterable[bytes]) -> None:
        stream = self._storage.stream()
        stream.accept(Wanted(name))
        batch: list[bytes] = []
        for chunk in chunks:
            await asyncio.sleep(0)
            batch.append(chunk)
            if len(batch) == _BATCH:
                await stream.write(batch)
                batch = []
        if batch:
            await stream.write(batch)
        await stream.finish()
        await stream.settle(keeps=False)


@asynccontextmanager
async def _open_writer(directory: str, is_synced: bool) -> AsyncIterator[Writer]:
    destination = Destination(directory)
    destination.open()
    try:
        yield Writer(destination, durability="batch" if is_synced else "none")
    finally:
        destination.close()


@asynccontextmanager
async def _open_executor() -> AsyncIterator[ThreadPoolExecutor]:
    executor = ThreadPoolExecutor(_THREADS)
    try:
        yield executor
    finally:
        await shut_down(executor)


@asynccontextmanager
async def _inline(directory: str, is_synced: bool) -> AsyncIterator[Way]:
    async with _open_writer(directory, is_synced) as writer:
        yield Inline(writer)


@asynccontextmanager
async def _jobs(directory: str, is_synced: bool) -> AsyncIterator[Way]:
    async with _open_writer(directory, is_synced) as writer, _open_executor() as executor:
        yield Jobs(writer, executor)


@asynccontextmanager
async def _aiofiles(directory: str, is_synced: bool) -> AsyncIterator[Way]:
    os.makedirs(directory, exist_ok=True)
    async with _open_executor() as executor:
        yield Aiofiles(directory, executor, is_synced=is_synced)


@asynccontextmanager
async def _groups(directory: str, is_synced: bool) -> AsyncIterator[Way]:
    async with _open_writer(directory, is_synced) as writer:
        storage = Storage(writer)
        try:
            yield Groups(storage)
        finally:
            await storage.close()


WAYS: dict[str, Callable[[str, bool], AbstractAsyncContextManager[Way]]] = {
    "inline": _inline,
    "job": _jobs,
    "aiofiles": _aiofiles,
    "groups": _groups,
}
"""By name; opened with a directory, and whether files are forced to stable storage."""
