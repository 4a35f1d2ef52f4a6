"""The items of a job for the loop: those of a ledger, read by a thread of their own while the job writes to it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Iterator, Sequence

from aioflags.audit import Audit
from aioflags.cli.feed import Hand
from aioflags.errors import DownloadError
from aioflags.items import Item, Rejected
from aioflags.ledger_rows import State
from aioflags.streams import Batches, Entry

__all__ = ["LedgerFeed"]


class LedgerFeed(Batches):
    """Items of some states, in the order of the ledger; iterate over it once, asynchronously.

    `fault` says why reading stopped before the end, if it did.

    Args:
        directory: The destination.
        states: Of the items.
    """

    is_on_record = True

    def __init__(self, directory: str, states: Collection[State]) -> None:
        self._directory = directory
        self._states = tuple(states)
        self._hand = Hand()
        self._audit: Audit | None = None
        self._total = 0
        self.fault: DownloadError | None = None

    async def open(self) -> None:
        """Open the ledger.

        Raises:
            UsageError: There is none.
            StorageError: It cannot be read.
        """
        self._audit = await self._hand.call(Audit, self._directory)
        self._total = await self._hand.call(self._audit.count, self._states)

    def close(self) -> None:
        """Have the ledger closed and the thread ended; wait for nothing."""
        self._hand.end([] if self._audit is None else [self._audit.close])

    async def batches(self) -> AsyncGenerator[Sequence[Entry], None]:
        """See `aioflags.streams.Batches`."""
        assert self._audit is not None
        batches = self._audit.entries(self._states)
        while batch := await self._next_batch(batches):
            yield batch

    async def _next_batch(self, batches: Iterator[list[Item | Rejected]]) -> list[Item | Rejected]:
        try:
            return await self._hand.call(next, batches, [])
        except DownloadError as error:
            self.fault = error
            return []

    @property
    def total(self) -> tuple[int | None, bool]:
        """How many items there are in all, and whether that is certain."""
        return self._total, True
