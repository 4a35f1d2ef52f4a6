"""The disk bridge: bodies cross from the loop to a private executor and appear whole under their final names.

Small bodies are handed over whole and committed in groups; large ones stream through aiofiles on the same executor,
a batch in flight while the network fills the next.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from aioflags.disk_errors import translate_os_error
from aioflags.drafts import Draft
from aioflags.groups import GroupCommit, finish_first, shut_down, wait_out
from aioflags.journal import Half
from aioflags.threads import Threads
from aioflags.writer import Saved, Wanted, Whole, Writer

__all__ = ["Saved", "Storage", "Stream", "Wanted"]

_THREADS = 4
# Seconds. Threads that both want the interpreter hand it over at each system call: the fewer groups, the less of that.
_REST = 0.003


class _LeftError(Exception):
    """Nobody waits for it any more."""


class Storage:
    """Writes files for coroutines; made on the loop that they run on.

    Args:
        writer: Does the work, in threads.
    """

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._loop = asyncio.get_running_loop()
        self._executor = Threads(_THREADS, thread_name_prefix="aioflags-disk")
        self._groups: GroupCommit[Whole, Saved] = GroupCommit(self._executor, writer.write_group, rest=_REST)

    async def save(self, wanted: Wanted, chunks: Sequence[bytes | memoryview]) -> Saved:
        """Write a whole body, given in chunks; returns after its final name has appeared.

        Raises:
            ChecksumError, RefusedError, StorageError: Nothing has appeared.
        """
        return await self._groups.put(Whole(wanted, chunks))

    def submit(self, wanted: Wanted, chunks: Sequence[bytes | memoryview], end: asyncio.Future[Any]) -> None:
        """Write a whole body for somebody who waits for `end` already; see `save` for what comes of it."""
        self._groups.submit(Whole(wanted, chunks), end)

    async def withdraw(self, end: asyncio.Future[Any]) -> None:
        """Nobody waits for `end` any more; returns when nothing is at work for it."""
        await self._groups.withdraw(end)

    def stream(self, row: int = 0, half: Half | None = None) -> Stream:
        """Make ready for a body that comes bit by bit; whoever asks for it must `settle` it, whatever happens.

        Args:
            row: Number of the item in the ledger.
            half: What an earlier attempt has left of it.
        """
        return Stream(Draft(self._writer, row, half), self._executor, self._loop)

    async def close(self) -> None:
        """End the threads; what they are doing is finished first, what they have not begun is cancelled."""
        self._groups.close()
        await shut_down(self._executor)


class Stream:
    """One long body on its way to disk; made by `Storage.stream`.

    Args:
        draft: What is there of it; lives in threads.
        executor: Where they are.
        loop: That of whoever uses it.
    """

    __slots__ = ("_draft", "_executor", "_file", "_loop", "_name", "_writing")

    def __init__(self, draft: Draft, executor: ThreadPoolExecutor, loop: asyncio.AbstractEventLoop) -> None:
        self._draft = draft
        self._executor = executor
        self._loop = loop
        self._name = ""
        self._file: Any = None
        self._writing: asyncio.Task[None] | None = None

    @property
    def has_begun(self) -> bool:
        """An answer has brought the file, or its rest."""
        return self._draft.has_begun

    @property
    def head(self) -> Half | None:
        """What can be gone on from."""
        return self._draft.head

    async def open_head(self, wanted: Wanted, half: Half) -> None:
        """Get ready to go on after `half`, if that is possible; takes as long as reading it.

        Raises:
            StorageError: The system refused.
        """
        is_over = threading.Event()

        def check() -> None:
            if is_over.is_set():
                raise _LeftError

        opening = self._loop.run_in_executor(self._executor, self._draft.open_head, wanted, half, check)
        try:
            await asyncio.shield(opening)
        except asyncio.CancelledError:
            is_over.set()
            await wait_out(opening)
            # Looked at, or the loop would report it as lost.
            opening.exception()
            raise

    def accept(self, wanted: Wanted, start: int = 0) -> None:
        """An answer brings the file, or its rest after `start` bytes."""
        self._name = wanted.name
        self._draft.accept(wanted, start)

    async def write(self, chunks: Sequence[bytes | memoryview]) -> None:
        """Hand over a batch; returns when the batch before it is written, so that the network waits for the disk.

        Raises:
            StorageError: The system refused, or an earlier batch could not be written.
        """
        await self._settle_batch()
        if self._file is None:
            await self._begin()
        self._writing = self._loop.create_task(self._file.writelines(chunks))

    async def _begin(self) -> None:
        from aiofiles.threadpool import wrap

        part = await finish_first(self._loop.run_in_executor(self._executor, self._draft.begin))
        self._file = wrap(part, loop=self._loop, executor=self._executor)

    async def finish(self) -> Saved:
        """Let the file appear.

        Raises:
            ChecksumError, RefusedError, StorageError: Nothing has appeared.
        """
        await self._settle_batch()
        return await finish_first(self._loop.run_in_executor(self._executor, self._draft.commit))

    async def _settle_batch(self) -> None:
        if self._writing is None:
            return
        try:
            await finish_first(self._writing)
        except OSError as error:
            raise translate_os_error(error, f"write {self._name}") from error
        self._writing = None

    async def settle(self, *, keeps: bool) -> Half | None:
        """End it: what is not published is kept for another attempt, or removed.

        Waits for the thread that is writing to it, cancelled or not.

        Args:
            keeps: Keep it, if there is enough of it and it can be gone on with.

        Returns:
            What is left to go on from.
        """
        if self._draft.is_blank:
            return None
        return await finish_first(self._loop.create_task(self._clean_up(keeps)))

    async def _clean_up(self, keeps: bool) -> Half | None:
        if self._writing is not None:
            # Nobody asks any more how the last batch ended; but what may have a hole in it is not kept.
            (result,) = await asyncio.gather(self._writing, return_exceptions=True)
            keeps = keeps and result is None
        return await self._loop.run_in_executor(self._executor, partial(self._draft.settle, keeps=keeps))
