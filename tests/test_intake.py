"""Entries are let in as they come and no further than there is room, and what is done goes straight to its outcome."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from pathlib import Path

import pytest

from aioflags.downloader import Downloader
from aioflags.engines.fake import FakeEngine
from aioflags.errors import UsageError
from aioflags.items import Item, Status
from aioflags.streams import Batches, Entry


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "files"


async def test_item_does_not_wait_for_the_next_one(path: Path) -> None:
    """A list that comes slowly is downloaded as it comes."""
    may_go_on = asyncio.Event()

    async def slow() -> AsyncIterator[str]:
        for number in range(3):
            yield f"http://h/{number}"
            await may_go_on.wait()
            may_go_on.clear()

    async with Downloader(path, engine=FakeEngine()) as downloader, downloader.outcomes(slow()) as outcomes:
        for number in range(3):
            assert (await anext(outcomes)).url == f"http://h/{number}"
            may_go_on.set()
        with pytest.raises(StopAsyncIteration):
            await anext(outcomes)


@pytest.mark.parametrize("pauses", [False, True])
async def test_list_is_not_read_further_than_there_is_room(path: Path, pauses: bool) -> None:
    """Whether it comes in one go or one by one."""
    read: list[str] = []

    async def endless() -> AsyncIterator[str]:
        while True:
            read.append(f"http://h/{len(read)}")
            yield read[-1]
            if pauses:
                await asyncio.sleep(0)

    engine = FakeEngine(gate=asyncio.Event())
    async with Downloader(path, engine=engine, concurrency=4) as downloader, downloader.outcomes(endless()):
        while engine.in_flight < 4:
            await asyncio.sleep(0)
        for _ in range(2000):
            await asyncio.sleep(0)
        assert len(read) <= 1000 + engine.in_flight


async def test_finished_job_asks_for_nothing(path: Path) -> None:
    """And is gone through to its end, duplicates told, in an order that puts them after the first."""
    items = [f"http://h/{number}" for number in range(3000)]
    async with Downloader(path, engine=FakeEngine(), ledger=True) as downloader:
        async with downloader.outcomes(items) as outcomes:
            assert {outcome.status async for outcome in outcomes} == {Status.SAVED}
        # The engine writes no files; those that it says to have saved are empty.
        for number in range(3000):
            (path / f"{number}").touch()
    engine = FakeEngine()
    statuses = defaultdict(list)
    async with Downloader(path, engine=engine, ledger=True) as downloader:
        async with downloader.outcomes([*items, *items[:5]]) as outcomes:
            async for outcome in outcomes:
                statuses[outcome.url].append(outcome.status)
    assert engine.attempts == []
    assert [statuses[url] for url in items[:5]] == [[Status.PRESENT, Status.DUPLICATE]] * 5
    assert [statuses[url] for url in items[5:]] == [[Status.PRESENT]] * 2995


async def test_batch_is_let_in_as_there_is_room(path: Path) -> None:
    """In its order, however much comes at once; what is left of it waits for room."""
    urls = [f"http://h/{number}" for number in range(5000)]

    class Shelf(Batches):
        async def batches(self) -> AsyncGenerator[Sequence[Entry], None]:
            yield [Item(url) for url in urls]
            is_through.set()

    is_through = asyncio.Event()
    gate = asyncio.Event()
    engine = FakeEngine(gate=gate)
    async with Downloader(path, engine=engine, concurrency=4) as downloader:
        async with downloader.outcomes(Shelf()) as outcomes:
            while engine.in_flight < 4:
                await asyncio.sleep(0)
            for _ in range(2000):
                await asyncio.sleep(0)
            assert not is_through.is_set()
            gate.set()
            assert sorted([outcome.url async for outcome in outcomes]) == sorted(urls)
    assert [attempt.target.url for attempt in engine.attempts[:4]] == urls[:4]


async def test_list_that_fails_fails_after_what_came(path: Path) -> None:
    """What it raises reaches its reader."""

    def broken() -> Iterator[str]:
        yield "http://h/1"
        raise LookupError("the list has a hole")

    async with Downloader(path, engine=FakeEngine()) as downloader:
        with pytest.raises(LookupError, match="a hole"):
            async with downloader.outcomes(broken()) as outcomes:
                [outcome async for outcome in outcomes]
        with pytest.raises(UsageError, match="not int"):
            async with downloader.outcomes([1]) as outcomes:  # type: ignore[list-item]
                [outcome async for outcome in outcomes]
        assert (await downloader.download_one("http://h/2")).status is Status.SAVED
