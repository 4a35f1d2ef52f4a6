"""The disk bridge: bodies cross from the loop to a private executor and appear whole under their final names.

Small bodies are handed over whole and committed in groups; large ones stream through aiofiles on the same executor,
a batch in flight while the network fills the next.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial

from aioflags.disk_errors import translate_os_error
from aioflags.groups import GroupCommit, finish_first, shut_down
from aioflags.parts import Part
from aioflags.writer import Saved, Wanted, Whole, Writer

__all__ = ["Saved", "Storage", "Stream", "Wanted"]

_THREADS = 4


class Storage:
    """Writes files for coroutines.

    Args:
        writer: Does the work, in threads.
    """

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="aioflags-disk")
        self._groups: GroupCommit[Whole, Saved] = GroupCommit(self._executor, writer.write_group)

    async def save(self, wanted: Wanted, chunks: Sequence[bytes]) -> Saved:
        """Write a whole body, given in chunks; returns after its final name has appeared.

        Raises:
            ChecksumError, RefusedError, StorageError: Nothing has appeared.
        """
        return await self._groups.put(Whole(wanted, chunks))

    @asynccontextmanager
    async def stream(self, wanted: Wanted) -> AsyncIterator[Stream]:
        """Write a body that comes bit by bit. Leaving the block before `finish` was called leaves nothing.

        Raises:
            StorageError: The system refused.
        """
        loop = asyncio.get_running_loop()
        opening = loop.run_in_executor(self._executor, self._writer.new_part, wanted)
        part = await finish_first(opening, self._discard)
        stream = Stream(wanted.name, part, self._executor, partial(self._writer.commit, wanted, part))
        try:
            yield stream
        finally:
            await stream.close()

    async def close(self) -> None:
        """End the threads; what they are doing is finished first, what they have not begun is cancelled."""
        self._groups.close()
        await shut_down(self._executor)

    async def _discard(self, part: Part) -> None:
        await finish_first(asyncio.get_running_loop().run_in_executor(self._executor, part.discard))


class Stream:
    """One long body on its way to disk; made by `Storage.stream`."""

    def __init__(self, name: str, part: Part, executor: ThreadPoolExecutor, commit: Callable[[], Saved]) -> None:
        from aiofiles.threadpool import wrap

        self._loop = asyncio.get_running_loop()
        self._executor = executor
        self._name = name
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
            raise translate_os_error(error, f"write {self._name}") from error

    async def close(self) -> None:
        """Remove the part unless it was published; waits for the thread that is writing to it, cancelled or not."""
        await finish_first(self._loop.create_task(self._clean_up()))

    async def _clean_up(self) -> None:
        if self._writing is not None:
            # Nobody asks any more how the last batch ended.
            await asyncio.gather(self._writing, return_exceptions=True)
        if not self._is_published:
            await self._loop.run_in_executor(self._executor, self._part.discard)
