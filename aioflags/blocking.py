"""The downloader for code without an event loop: a loop in a thread of its own, futures of `concurrent.futures`."""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import threading
from collections.abc import Callable, Coroutine, Iterable
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack

from aioflags.downloader import Downloader, collect
from aioflags.errors import UsageError
from aioflags.items import Item, Outcome, Report
from aioflags.settings import EngineName, Options
from aioflags.streams import as_entry

__all__ = ["BlockingDownloader"]

T = TypeVar("T")


class BlockingDownloader:
    """Downloads items into one directory; a context manager, usable from several threads at once.

    `concurrent.futures.as_completed`, `wait`, `Future.result(timeout=…)` and `add_done_callback` work with its futures
    as with those of any executor. Leaving the block waits for what was submitted; leaving it by an exception cancels
    that. No thread is left.

    Args:
        directory: Destination, made if it is not there.
        engine: How attempts are made, see `aioflags.Downloader`.
        options: See `aioflags.settings.Settings`; names and defaults of the command line.

    Raises:
        UsageError: An option is wrong.
    """

    def __init__(
        self, directory: str | os.PathLike[str], *, engine: EngineName = "asyncio", **options: Unpack[Options]
    ) -> None:
        self._downloader = Downloader(directory, engine=engine, **options)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._is_aborted = False
        self._fault: BaseException | None = None

    def __enter__(self) -> Self:
        """Start the loop and open the destination.

        Raises:
            StorageError: The destination is a file, may not be written, or is full.
            UsageError: A file that an option names cannot be used.
        """
        opened: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._thread = threading.Thread(target=self._run, args=(opened,), name="aioflags-loop")
        self._thread.start()
        try:
            opened.result()
        except BaseException:
            # Ctrl-C while it opens: the loop must not wait for an end that nobody will tell it.
            opened.cancel()
            self._thread.join()
            raise
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close; what goes wrong with that is raised, but not in place of an exception that is on its way."""
        loop, self._loop = self._loop, None
        self._is_aborted = exc_type is not None
        if loop is not None:
            loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        fault, self._fault = self._fault, None
        if fault is not None and exc_type is None:
            raise fault

    def submit(self, item: str | Item) -> concurrent.futures.Future[Outcome]:
        """Have an item downloaded; a failed item is data, not an exception. Cancelling the future stops it.

        Raises:
            UsageError: `item` is neither a URL nor an `Item`, or the downloader is not open.
        """
        as_entry(item)
        return self._start(lambda: self._downloader.download_one(item))

    def download_one(self, item: str | Item) -> Outcome:
        """Download one item and wait for its outcome.

        Raises:
            UsageError: `item` is neither a URL nor an `Item`, or the downloader is not open.
        """
        return _result_of(self.submit(item))

    def download_many(self, items: Iterable[str | Item]) -> Report:
        """Download all items, read lazily by the thread of the loop, and wait for the report.

        Raises:
            UsageError: `items` is no iterable of URLs and items, or the downloader is not open.
            StorageError: A fault of the destination ended the run.
            ExceptionGroup: A bug in an engine.
        """
        return _result_of(self._start(lambda: collect(self._downloader, items)))

    def _start(self, make: Callable[[], Coroutine[Any, Any, T]]) -> concurrent.futures.Future[T]:
        if self._loop is None:
            raise UsageError("the downloader is not open; use it as 'with BlockingDownloader(...) as downloader:'")
        return asyncio.run_coroutine_threadsafe(self._tracked(make), self._loop)

    async def _tracked(self, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await make()

    def _run(self, opened: concurrent.futures.Future[None]) -> None:
        try:
            asyncio.run(self._serve(opened))
        except BaseException as error:
            if opened.done():
                self._fault = error
            else:
                opened.set_exception(error)

    async def _serve(self, opened: concurrent.futures.Future[None]) -> None:
        self._stop = asyncio.Event()
        async with self._downloader:
            if not opened.set_running_or_notify_cancel():
                return
            self._loop = asyncio.get_running_loop()
            opened.set_result(None)
            await self._stop.wait()
            if self._is_aborted:
                for task in self._tasks:
                    task.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks)


def _result_of(future: concurrent.futures.Future[T]) -> T:
    try:
        return future.result()
    except BaseException:
        # Ctrl-C in the waiting thread is no reason to go on in the other one.
        future.cancel()
        raise
