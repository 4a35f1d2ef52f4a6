"""The items of a job for the loop: URLs of the command line, then lists, read by a thread of their own.

Reading a list may wait for ever (`tail -f`, a terminal), so it happens in a daemon thread, batch by batch and only
on demand; neither the loop nor the end of the program waits for it.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from concurrent.futures import Future
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar

from aioflags.errors import UsageError
from aioflags.inputs import Format, ListReader, guess_format, open_list
from aioflags.items import Item, Rejected
from aioflags.records import dataclass
from aioflags.streams import Batches, Entry

__all__ = ["Feed", "Hand"]

_BATCH = 1024
_Result = TypeVar("_Result")


class Feed(Batches):
    """Items, read lazily; iterate over it once, asynchronously.

    `read` counts the items handed over, `fault` says why reading stopped before the end of a list, if it did.

    Args:
        items: Those of the command line, which come first.
        lists: Files, `-` for standard input.
        format: How all lists are written down; `None` to go by their suffixes.
    """

    is_on_record = False

    def __init__(self, items: Sequence[Item], lists: Sequence[str] = (), format: Format | None = None) -> None:  # noqa: A002 - the option
        self._items = items
        self._paths = lists
        self._format = format
        self._hand = Hand()
        self._lists: list[_List] = []
        self._listed = 0
        self._is_finished = False
        self.read = 0
        self.fault: UsageError | None = None

    async def open(self) -> None:
        """Open all lists, and read the beginning of those that can be wrong as a whole.

        Raises:
            UsageError: A list cannot be opened or read, or is CSV without a `url` column.
        """
        for path in self._paths:
            opened = await self._hand.call(_open, path, self._format)
            self._listed += len(opened.beginning)
            self._lists.append(opened)

    def close(self) -> None:
        """Have the lists closed and the thread ended, as soon as it is not waiting for a list; wait for nothing."""
        self._hand.end([each.reader.close for each in self._lists])

    async def batches(self) -> AsyncGenerator[Sequence[Entry], None]:
        """See `aioflags.streams.Batches`."""
        if self._items:
            self.read += len(self._items)
            yield self._items
        for each in self._lists:
            batch = each.beginning or await self._next_batch(each.reader)
            while batch:
                self.read += len(batch)
                yield batch
                batch = await self._next_batch(each.reader)
        self._is_finished = True

    async def _next_batch(self, reader: ListReader) -> list[Item | Rejected]:
        try:
            batch = await self._hand.call(reader.read_batch, _BATCH)
        except UsageError as error:
            self.fault = error
            return []
        self._listed += len(batch)
        return batch

    @property
    def total(self) -> tuple[int | None, bool]:
        """How many items there are in all, `None` if nobody can tell; and whether that is certain, no estimate."""
        if self._is_finished or not self._paths:
            return (self.read if self._is_finished else len(self._items)), True
        sizes = [each.size for each in self._lists if each.size is not None]
        done = sum(each.reader.bytes_read for each in self._lists)
        if len(sizes) < len(self._paths) or not done or not self._listed:
            return None, False
        return len(self._items) + max(self._listed, round(self._listed * sum(sizes) / done)), False


@dataclass(frozen=True, slots=True)
class _List:
    """A list that was opened: its size in bytes if it is a file, and what was read of it at once."""

    reader: ListReader
    size: int | None
    beginning: list[Item | Rejected]


def _open(path: str, format: Format | None) -> _List:  # noqa: A002 - the option
    reader = open_list(path, format)
    is_file = path != "-" and os.path.isfile(path)
    must_read = is_file or (format or guess_format(path)) == "csv"
    try:
        beginning = reader.read_batch(_BATCH) if must_read else []
    except UsageError:
        reader.close()
        raise
    return _List(reader, os.path.getsize(path) if is_file else None, beginning)


class Hand:
    """A daemon thread that makes one call after the other."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    async def call(self, work: Callable[..., _Result], *args: Any) -> _Result:
        """Have `work` done and give its result."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="aioflags-list", daemon=True)
            self._thread.start()
        future: Future[_Result] = Future()
        self._calls.put(partial(_fulfil, future, work, args))
        return await asyncio.wrap_future(future)

    def end(self, last: Iterable[Callable[[], None]]) -> None:
        """End the thread after what it has to do, and then `last`; wait for nothing."""
        for call in (*last, None):
            self._calls.put(call)

    def _work(self) -> None:
        while call := self._calls.get():
            call()


def _fulfil(future: Future[_Result], work: Callable[..., _Result], args: tuple[Any, ...]) -> None:
    """Do what an executor does with a call; whoever asked may have gone away meanwhile."""
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = work(*args)
    except Exception as error:
        future.set_exception(error)
    else:
        future.set_result(result)
