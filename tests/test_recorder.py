"""Outcomes reach the ledger in groups, all of them, and a ledger that fails is heard of."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import pytest

from aioflags.errors import StorageError
from aioflags.items import Outcome, Status
from aioflags.journal import End
from aioflags.recorder import Recorder


class Book:
    """A ledger that remembers groups, waits when it is told to, and can fail."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.may_write = threading.Event()
        self.may_write.set()
        self.fault: Exception | None = None
        self.faults: list[StorageError] = []

    def record(self, ends: Sequence[End]) -> None:
        self.may_write.wait()
        self.groups.append([end.row for end in ends])
        if self.fault is not None:
            raise self.fault


OUTCOME = Outcome("http://h/a", Status.SAVED)


@asynccontextmanager
async def recording(book: Book) -> AsyncIterator[Recorder]:
    with ThreadPoolExecutor(1) as executor:
        yield Recorder(executor, book.record, book.faults.append)


async def test_what_comes_meanwhile_goes_with_the_next_group() -> None:
    """One group is written at a time, in the order in which things ended."""
    book = Book()
    book.may_write.clear()
    async with recording(book) as recorder:
        for row in range(100):
            recorder.add(End(row, OUTCOME))
        book.may_write.set()
        await recorder.close()
    assert book.groups == [[0], list(range(1, 100))]


async def test_what_comes_soon_after_a_group_goes_with_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for it, and each group is a transaction and a hop; the end waits for nothing."""
    monkeypatch.setattr("aioflags.recorder._REST", 3600.0)
    book = Book()
    async with recording(book) as recorder:
        for row in range(3):
            recorder.add(End(row, OUTCOME))
            while not book.groups:
                await asyncio.sleep(0.001)
        await asyncio.sleep(0.01)
        assert book.groups == [[0]]
        await recorder.close()
    assert book.groups == [[0], [1, 2]]


async def test_end_waits_for_what_is_written() -> None:
    """Whoever is cancelled waits all the same, and nothing is lost."""
    book = Book()
    book.may_write.clear()
    async with recording(book) as recorder:
        recorder.add(End(1, OUTCOME))
        recorder.add(End(2, OUTCOME))
        closing = asyncio.ensure_future(recorder.close())
        await asyncio.sleep(0)
        closing.cancel()
        await asyncio.sleep(0)
        assert not closing.done()
        book.may_write.set()
        await asyncio.wait([closing])
        assert closing.cancelled()
    assert book.groups == [[1], [2]]


async def test_ledger_that_fails_is_heard_of_once() -> None:
    """At once, by whoever can stop the run, and again at the end; nothing more is written."""
    book = Book()
    book.fault = StorageError("storage", "disk full", None)
    async with recording(book) as recorder:
        recorder.add(End(1, OUTCOME))
        recorder.add(End(2, OUTCOME))
        with pytest.raises(StorageError, match="disk full"):
            await recorder.close()
        recorder.add(End(3, OUTCOME))
        with pytest.raises(StorageError):
            await recorder.close()
    assert book.groups == [[1]]
    assert len(book.faults) == 1


async def test_bug_is_not_swallowed() -> None:
    """It comes out at the end."""
    book = Book()
    book.fault = ZeroDivisionError()
    async with recording(book) as recorder:
        recorder.add(End(1, OUTCOME))
        with pytest.raises(ZeroDivisionError):
            await recorder.close()
    assert book.faults == []


async def test_nothing_to_write() -> None:
    """Closing is free then."""
    book = Book()
    async with recording(book) as recorder:
        await recorder.close()
    assert book.groups == []
