"""The items of a ledger for the loop, read by a thread of their own while the job writes to it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from aioflags.audit import NOT_RIGHT
from aioflags.cli.ledger_feed import LedgerFeed
from aioflags.errors import UsageError
from aioflags.items import Item, Status
from tests.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path / "downloads")
    yield home
    home.ledger.close()


def close(feed: LedgerFeed) -> None:
    feed.close()
    for thread in threading.enumerate():
        if thread.name == "aioflags-list":
            thread.join()


async def test_items_of_the_states_that_are_asked_for(home: Home) -> None:
    """In their order, with all that the list said of them; how many is known before."""
    for number in range(600):
        home.add(f"{number}", Status.FAILED)
        home.add(f"done{number}", Status.SAVED)
    feed = LedgerFeed(str(home.path), NOT_RIGHT)
    await feed.open()
    assert feed.total == (600, True)
    entries = [entry async for batch in feed.batches() for entry in batch]
    close(feed)
    assert entries == [Item(f"http://h/{number}", headers={"X-Key": "1"}, bytes=4) for number in range(600)]
    assert feed.fault is None


async def test_what_is_written_meanwhile_is_not_read(home: Home) -> None:
    """What fails again is behind; what is new is none of its items."""
    home.add("a", Status.FAILED)
    feed = LedgerFeed(str(home.path), NOT_RIGHT)
    await feed.open()
    count = 0
    async for batch in feed.batches():
        count += len(batch)
        home.add(f"new{count}", Status.FAILED)
    close(feed)
    assert count == 1


async def test_ledger_that_breaks_is_a_fault(home: Home) -> None:
    """What was read counts, and why there is no more is told."""
    for number in range(600):
        home.add(f"{number}", Status.FAILED)
    feed = LedgerFeed(str(home.path), NOT_RIGHT)
    await feed.open()
    count = 0
    async for batch in feed.batches():
        count += len(batch)
        if count == 512:
            home.change("DROP TABLE items")
    close(feed)
    assert count == 512
    assert feed.fault is not None
    assert "read the ledger" in feed.fault.message


async def test_directory_without_ledger(tmp_path: Path) -> None:
    """Nothing was opened, and nothing is left to be closed."""
    feed = LedgerFeed(str(tmp_path), NOT_RIGHT)
    with pytest.raises(UsageError, match="no ledger"):
        await feed.open()
    close(feed)
