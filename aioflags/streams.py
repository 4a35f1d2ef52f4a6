"""One list on its way through the downloader: read lazily at one end, handed over outcome by outcome at the other.

Back-pressure goes both ways: the list is read only as far as there is work to start, and nothing new is started
while outcomes lie unread.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Collection, Iterable, Sequence

from aioflags.errors import UsageError
from aioflags.items import Item, Outcome, Rejected
from aioflags.schedule import Lane

__all__ = ["Batches", "Entry", "Items", "OutcomeStream", "as_entry", "batches_of"]

Entry = Item | Rejected

# Each stride is a hop to another thread and back, and a transaction: a finished job is gone through in long ones, and
# so is a long list. No more of that is claimed ahead than a share of what has ended, one of so many.
_LONGEST_STRIDE = 1024
_SHARE_AHEAD = 8


class Batches(ABC):
    """Entries that come several at a time, as a list that is read in the background does."""

    @abstractmethod
    def batches(self) -> AsyncGenerator[Sequence[Entry], None]:
        """Give them once, as they come; no batch is empty."""


Items = Iterable[str | Item | Rejected] | AsyncIterable[str | Item | Rejected] | Batches


def as_entry(item: str | Item | Rejected) -> Entry:
    """Make an item of a URL.

    Raises:
        UsageError: It is neither a URL nor an item.
    """
    if isinstance(item, str):
        return Item(item)
    if isinstance(item, Item | Rejected):
        return item
    raise UsageError(f"an item must be a str or an aioflags.Item, not {type(item).__name__}")


def batches_of(items: Items) -> AsyncGenerator[Sequence[str | Entry], None]:
    """Give what comes together: of an iterable one at a time, a plain one read on the loop, as its owner would.

    Closing the iterator closes an asynchronous generator that it reads: left to the collector, a task of the loop
    would do so later.

    Raises:
        UsageError: It is a single URL, or nothing that can be iterated.
    """
    if isinstance(items, str | bytes | Item):
        raise UsageError("items must be an iterable of URLs, not one URL; put it in a list")
    if isinstance(items, Batches):
        return items.batches()
    if isinstance(items, AsyncIterable):
        return _generate(aiter(items))
    if isinstance(items, Iterable):
        return _asynchronously(items)
    raise UsageError(f"items must be an iterable, not {type(items).__name__}")


async def _generate(items: AsyncIterator[str | Entry]) -> AsyncGenerator[Sequence[str | Entry], None]:
    try:
        async for item in items:
            yield (item,)
    finally:
        if isinstance(items, AsyncGenerator):
            await items.aclose()


async def _asynchronously(items: Iterable[str | Entry]) -> AsyncGenerator[Sequence[str | Entry], None]:
    for item in items:
        yield (item,)


class OutcomeStream:
    """Outcomes of one list, an asynchronous iterator.

    Args:
        concurrency: Attempts in flight at most; all bounds are in proportion to it.
        on_read: Called with the stream when an outcome has been taken and somebody waits for that.
    """

    def __init__(self, *, concurrency: int, on_read: Callable[[OutcomeStream], None]) -> None:
        self.lane = Lane()
        self._on_read = on_read
        # Attempts, those whose bytes are with the disk, and as many unread.
        self._limit = 3 * concurrency
        self._comfort = max(64, 2 * concurrency)
        self._window = max(1000, 16 * concurrency)
        self._claiming = 0
        self._ended = 0
        # Entries that may be on their way to the register; more as long as all of them turn out to be done.
        self._stride = self._comfort
        self._is_awaited = False
        self._is_read = False
        self._is_starving = False
        self._outcomes: deque[Outcome] = deque()
        self._failure: BaseException | None = None
        self.is_finished = False
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()

    def __repr__(self) -> str:
        return (
            f"OutcomeStream({self.lane.waiting} waiting, {self.lane.in_flight} in flight, {len(self._outcomes)} unread)"
        )

    def __aiter__(self) -> OutcomeStream:
        return self

    async def __anext__(self) -> Outcome:
        if not self._outcomes and not await self._wait():
            raise StopAsyncIteration
        outcome = self._outcomes.popleft()
        # As long as so many lie unread, nobody may go on.
        if len(self._outcomes) < self._limit and (self._is_awaited or not self.lane.is_open):
            self._on_read(self)
        return outcome

    async def next_batch(self) -> Sequence[Outcome]:
        """Give all outcomes that there are, at least one; none at the end.

        For readers of millions: a step of a coroutine for each costs as much as what they do with it.

        Raises:
            Exception: As iterating does.
        """
        if not self._outcomes and not await self._wait():
            return ()
        batch = tuple(self._outcomes)
        self._outcomes.clear()
        if self._is_awaited or not self.lane.is_open:
            self._on_read(self)
        return batch

    async def _wait(self) -> bool:
        """Wait for an outcome; false if there will be none."""
        while not self._outcomes:
            if self.is_finished:
                if self._failure is not None:
                    raise self._failure
                return False
            self._arrived.clear()
            await self._arrived.wait()
        return True

    @property
    def must_hold(self) -> bool:
        """So much lies unread that nothing new may be started."""
        return bool(self._outcomes) and len(self._outcomes) + self.lane.in_flight >= self._limit

    def put(self, outcomes: Collection[Outcome]) -> None:
        """Hand outcomes over."""
        self._ended += len(outcomes)
        self._outcomes.extend(outcomes)
        self._arrived.set()

    def finish(self, failure: BaseException | None = None) -> None:
        """No outcome comes any more; `failure` is raised to the reader after the last one."""
        if not self.is_finished:
            self.is_finished = True
            self._failure = failure
            self._arrived.set()
            self._room.set()

    def fail_when_drained(self, failure: BaseException) -> None:
        """Read nothing more; raise `failure` after the outcomes of what is in flight."""
        self._failure = failure
        self.end_of_list()
        self._room.set()

    def finish_if_drained(self) -> None:
        """Finish when the list is read to its end and everything on it has ended."""
        if self._is_read and not (self._claiming or self.lane.waiting or self.lane.in_flight):
            self.finish(self._failure)

    def end_of_list(self) -> None:
        """Nothing more is read."""
        self._is_read = True
        self.finish_if_drained()

    def begin_claims(self, count: int) -> None:
        """Some entries are on their way to the register."""
        self._claiming += count

    def end_claims(self, count: int, *, are_settled: bool) -> None:
        """They are back; `are_settled`: all of them with their outcomes, and nothing is to be done."""
        self._claiming -= count
        longer = 2 * self._stride if are_settled else self._ended // _SHARE_AHEAD
        self._stride = max(self._comfort, min(longer, _LONGEST_STRIDE))

    async def wait_for_room(self) -> None:
        """Return when another entry may be read: some work is in stock, more if none of it can be started now."""
        while not (self.room or self._is_read or self.is_finished):
            self._is_starving = False
            self._is_awaited = True
            self._room.clear()
            await self._room.wait()
        self._is_awaited = False

    def starve(self) -> None:
        """The dispatcher could start more, but nothing that waits may start now: read further ahead."""
        self._is_starving = True
        self.offer_room()

    def offer_room(self) -> None:
        """Wake the reader of the list if it may go on."""
        if self.room:
            self._room.set()

    @property
    def room(self) -> int:
        """How many more entries may be read: none, or as many as are worth a hop to the register."""
        if len(self._outcomes) >= self._limit:
            return 0
        stock = self.lane.waiting + self._claiming
        if self._is_starving:
            return max(0, self._window - stock)
        return self._stride - stock if 2 * stock <= self._stride else 0
