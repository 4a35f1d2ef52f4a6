"""The downloader: the door of the library. Opens what a job needs, lets items in one by one, hands outcomes out.

Who is next is the dispatcher's, what an answer means is the pursuit's, bytes are the engine's.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Self, Unpack

from aioflags.engines.seam import Engine
from aioflags.equipment import open_equipment
from aioflags.errors import DownloadError, UsageError
from aioflags.groups import wait_out
from aioflags.intake import Intake, Ticket
from aioflags.items import Item, Outcome, Report
from aioflags.jobs import Running, Waiting
from aioflags.recorder import Recorder
from aioflags.roll import Roll
from aioflags.schedule import Lane
from aioflags.settings import EngineName, Options, Settings
from aioflags.streams import Entry, Items, OutcomeStream, as_entry, batches_of
from aioflags.trace import Tracer
from aioflags.version import __version__
from aioflags.workforce import check_processes, gather_workforce

__all__ = ["Downloader", "Running", "Waiting", "collect", "download_many"]

_DEFAULT_HEADERS = {"User-Agent": f"aioflags/{__version__}", "Accept": "*/*"}


class Downloader:
    """Downloads items into one directory; an asynchronous context manager.

    Leaving the block waits for what was submitted; leaving it by an exception cancels that. Nothing is left
    behind: no task, no thread, no part of a file.

    Args:
        directory: Destination, made if it is not there.
        engine: How attempts are made: `asyncio`, `threads`, `processes`, `sequential`, or an `Engine` of your own,
            which is closed with the downloader.
        tracer: Told what happens as it happens, `None` for nobody.
        options: See `aioflags.settings.Settings`; names and defaults of the command line.

    Raises:
        UsageError: An option is wrong.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        *,
        engine: EngineName | Engine = "asyncio",
        tracer: Tracer | None = None,
        **options: Unpack[Options],
    ) -> None:
        self.settings = _checked_settings(options)
        check_processes(self.settings, engine, tracer)
        self._chosen_engine = engine
        self._tracer = tracer
        self._directory = directory
        self._streams: set[OutcomeStream] = set()
        self._submitted: dict[asyncio.Future[Outcome], Lane] = {}
        self._is_open = False
        self._is_stopped = False
        self._end: BaseException | None = None

    # Opening and closing

    async def __aenter__(self) -> Self:
        """Open the destination and start the dispatcher.

        Raises:
            StorageError: The destination is a file, may not be written, or is full.
            UsageError: A file that an option names cannot be used.
        """
        self._loop = asyncio.get_running_loop()
        async with AsyncExitStack() as stack:
            opening = open_equipment(self._directory, self.settings, self._chosen_engine)
            equipment = await stack.enter_async_context(opening)
            record = equipment.ledger.record
            self._recorder = Recorder(equipment.hands, record, self._end_by_ledger) if self.settings.ledger else None
            self._dispatcher = gather_workforce(
                self.settings,
                self._chosen_engine,
                equipment,
                _DEFAULT_HEADERS,
                on_idle=self._feed_streams,
                on_fault=self._end_by_fault,
                tracer=self._tracer,
            )
            self._intake = Intake(
                equipment.claims,
                self._dispatcher,
                self._recorder,
                self.settings,
                _DEFAULT_HEADERS,
                equipment.credentials,
                self._tracer,
            )
            self._stack = stack.pop_all()
        self._is_open = True
        self._running = self._loop.create_task(self._dispatcher.run(), name="aioflags-dispatcher")
        self._running.add_done_callback(self._end_by_bug)
        return self

    async def __aexit__(self, exc_type: type[BaseException] | None, *_: object) -> None:
        try:
            # A callback of one may submit the next.
            while exc_type is None and self._submitted:
                await asyncio.wait(self._submitted)
        finally:
            self._is_open = False
            self._running.cancel()
            # Whoever is cancelled twice leaves nothing behind either.
            await wait_out(self._running)
            await self._close()

    async def _close(self) -> None:
        try:
            if self._recorder is not None:
                await self._recorder.close()
        finally:
            await self._stack.aclose()

    # What a user calls

    async def download_one(self, item: str | Item) -> Outcome:
        """Download one item and return its outcome; a failed item does not raise.

        Raises:
            UsageError: `item` is neither a URL nor an `Item`, or the downloader is not open.
            ExceptionGroup: A bug in an engine.
        """
        future = self.submit(item)
        lane = self._submitted[future]
        try:
            return await future
        except asyncio.CancelledError:
            ending = self._dispatcher.cancel(lane)
            if ending:
                await asyncio.wait(ending)
            raise

    def submit(self, item: str | Item) -> asyncio.Future[Outcome]:
        """Have an item downloaded; cancelling the future cancels the download.

        Raises:
            UsageError: `item` is neither a URL nor an `Item`, or the downloader is not open.
        """
        entry = as_entry(item)
        self._check_open()
        self._begin_anew()
        future: asyncio.Future[Outcome] = self._loop.create_future()
        ticket = Ticket(
            roll=None,
            lane=Lane(),
            deliver=lambda outcomes: None if future.done() else future.set_result(outcomes[0]),
            abandon=lambda: self._abandon(future),
            fail=lambda error: None if future.done() else future.set_exception(error),
            is_wanted=lambda: not future.done(),
        )
        self._submitted[future] = ticket.lane
        future.add_done_callback(self._forget)
        self._intake.submit((entry,), ticket)
        return future

    @asynccontextmanager
    async def outcomes(self, items: Items, *, is_on_record: bool = False) -> AsyncIterator[OutcomeStream]:
        """Download `items`, read lazily, and hand over one `Outcome` for each, in order of completion.

        A slow reader slows the download. Leaving the block cancels what is in flight.

        Args:
            items: URLs and items, of which none comes twice: the second one of a URL is a duplicate.
            is_on_record: They are those of the ledger, where a URL under two names, by two lists, is two items.

        Raises:
            UsageError: `items` cannot be iterated, an item is neither a URL nor an `Item`, or the downloader is
                not open.
            StorageError: A fault of the destination ended the run; raised after the last outcome.
            DownloadError: The proxy refuses us or cannot be reached, and the list was not through; raised likewise.
            ExceptionGroup: A bug in an engine. A failed item does not raise.

        Source: PEP 789, why this is no bare async generator.
        """
        self._check_open()
        source = batches_of(items)
        self._begin_anew()
        stream = OutcomeStream(concurrency=self._dispatcher.capacity, on_read=self._on_read)
        self._streams.add(stream)
        roll = None if is_on_record else Roll()
        reader = self._loop.create_task(self._read(source, stream, roll), name="aioflags-reader")
        try:
            yield stream
        finally:
            self._streams.discard(stream)
            stream.finish()
            reader.cancel()
            await asyncio.wait([reader, *self._dispatcher.cancel(stream.lane)])

    def stop_intake(self) -> None:
        """Start nothing new; what is in flight goes on, and `outcomes` ends with it. Items not begun yield nothing."""
        self._is_stopped = True
        self._dispatcher.stop()
        for stream in self._streams:
            stream.end_of_list()
            stream.offer_room()

    def running(self) -> list[Running]:
        """Tell what is in flight now."""
        return self._dispatcher.running()

    def waiting(self) -> Waiting:
        """Tell what is waited for now: hosts that are paused or given up, the network, the next attempt."""
        return self._dispatcher.waiting()

    def _begin_anew(self) -> None:
        """What halted an earlier run is tried once more by the next, when nobody waits for the earlier one any more."""
        if not self._streams and not self._submitted:
            self._dispatcher.renew()

    # From the list to the dispatcher

    async def _read(
        self, source: AsyncGenerator[Sequence[str | Entry], None], stream: OutcomeStream, roll: Roll | None
    ) -> None:
        ticket = Ticket(
            roll=roll,
            lane=stream.lane,
            deliver=partial(self._deliver, stream),
            abandon=stream.finish_if_drained,
            fail=stream.finish,
            is_wanted=lambda: not stream.is_finished,
        )
        try:
            await self._intake.read(source, stream, ticket, partial(self._is_over, stream))
        except (Exception, asyncio.CancelledError) as error:
            # The owner of the list made it; the owner gets it. If it was us who cancelled, the stream has ended before.
            stream.finish(error)
            if isinstance(error, asyncio.CancelledError):
                raise
        stream.end_of_list()

    def _is_over(self, stream: OutcomeStream) -> bool:
        """Tell whether nothing more may be read."""
        if (fault := self._dispatcher.halted_by) is not None:
            stream.fail_when_drained(fault)
        return self._is_stopped or fault is not None

    # From the dispatcher to the reader of outcomes

    def _deliver(self, stream: OutcomeStream, outcomes: Sequence[Outcome]) -> None:
        stream.put(outcomes)
        if stream.must_hold:
            self._dispatcher.hold(stream.lane)
        stream.offer_room()
        stream.finish_if_drained()

    def _on_read(self, stream: OutcomeStream) -> None:
        if not stream.lane.is_open and not stream.must_hold:
            self._dispatcher.release(stream.lane)
        stream.offer_room()

    def _feed_streams(self) -> None:
        for stream in self._streams:
            stream.starve()

    def _abandon(self, future: asyncio.Future[Outcome]) -> None:
        if future.done():
            return
        if self._end is not None:
            future.set_exception(self._end)
        else:
            future.cancel()

    def _forget(self, future: asyncio.Future[Outcome]) -> None:
        lane = self._submitted.pop(future)
        if future.cancelled():
            self._dispatcher.cancel(lane)

    def _end_by_fault(self, error: DownloadError) -> None:
        """The destination has failed: let what is in flight end, then tell everyone."""
        self._end = error
        self._is_stopped = True
        for stream in self._streams:
            stream.fail_when_drained(error)

    def _end_by_ledger(self, error: DownloadError) -> None:
        """What cannot be recorded is not to be fetched."""
        if not self._is_stopped:
            self._end_by_fault(error)
            self._dispatcher.stop()

    def _end_by_bug(self, running: asyncio.Task[None]) -> None:
        """The dispatcher has ended; whoever still waits would wait for ever."""
        error = None if running.cancelled() else running.exception()
        if error is not None:
            self._end = error
        for stream in self._streams:
            # A list that is read in another task must not look as if it were through.
            stream.finish(self._end or UsageError("the downloader was closed before the list was through"))
        for future in list(self._submitted):
            self._abandon(future)

    def _check_open(self) -> None:
        if not self._is_open:
            raise UsageError("the downloader is not open; use it as 'async with Downloader(...) as downloader:'")
        if self._end is not None:
            raise self._end


async def download_many(
    items: Items,
    directory: str | os.PathLike[str],
    *,
    engine: EngineName | Engine = "asyncio",
    **options: Unpack[Options],
) -> Report:
    """Download all `items` into `directory` and report on each; a failed item does not raise.

    The report holds all outcomes; for lists without end use `Downloader.outcomes`.

    Raises:
        UsageError: An option or `items` is wrong; nothing was requested.
        StorageError: A fault of the destination (full, gone, not writable) ended the run.
        DownloadError: The proxy refuses us or cannot be reached, and the list was not through.
        ExceptionGroup: A bug in an engine.
    """
    async with Downloader(directory, engine=engine, **options) as downloader:
        return await collect(downloader, items)


async def collect(downloader: Downloader, items: Items) -> Report:
    """Download all `items` with a downloader that is open, and report on each."""
    began = time.monotonic()
    async with downloader.outcomes(items) as outcomes:
        collected = [outcome async for outcome in outcomes]
    return Report(tuple(collected), time.monotonic() - began)


def _checked_settings(options: Options) -> Settings:
    unknown = options.keys() - Settings.__dataclass_fields__.keys()
    if unknown:
        raise UsageError(f"unknown option {', '.join(sorted(unknown))}; the options are those of the command line")
    return Settings(**options)
