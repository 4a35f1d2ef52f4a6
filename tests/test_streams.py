"""A list is read only as far as there is work to start, and nothing new is started while outcomes lie unread."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator, Sequence
from typing import Any

import pytest

from aioflags.errors import UsageError, make_error
from aioflags.items import Item, Outcome, Rejected, Status
from aioflags.streams import Batches, Entry, OutcomeStream, as_entry, batches_of

REJECTED = Rejected("?", make_error("url", "no url"), 1)


def outcome(number: int = 0) -> Outcome:
    return Outcome(f"http://h/{number}", Status.SAVED)


async def turn() -> None:
    """Let everything happen that can happen now."""
    for _ in range(5):
        await asyncio.sleep(0)


def make(concurrency: int = 4, reads: list[OutcomeStream] | None = None) -> OutcomeStream:
    return OutcomeStream(concurrency=concurrency, on_read=(reads if reads is not None else []).append)


def ended(stream: OutcomeStream) -> bool:
    return stream.is_finished


def holds(stream: OutcomeStream) -> bool:
    return stream.must_hold


async def read_all(stream: OutcomeStream) -> list[Outcome]:
    return [one async for one in stream]


# What may be on a list


@pytest.mark.parametrize(
    ("given", "entry"), [("http://h/", Item("http://h/")), (Item("http://h/"),) * 2, (REJECTED, REJECTED)]
)
def test_entry_is_made_of_a_url_or_is_one(given: Any, entry: object) -> None:
    """What a URL is worth is said later."""
    assert as_entry(given) == entry


@pytest.mark.parametrize("given", [None, 3, b"http://h/", ("http://h/",), {"url": "http://h/"}])
def test_what_is_no_item_is_a_wrong_call(given: Any) -> None:
    """The message names its type."""
    with pytest.raises(UsageError, match=type(given).__name__):
        as_entry(given)


@pytest.mark.parametrize("given", ["http://h/", b"http://h/", Item("http://h/"), REJECTED, None, 3])
def test_single_thing_is_no_list(given: Any) -> None:
    """One URL would be read letter by letter."""
    with pytest.raises(UsageError):
        batches_of(given)


@pytest.mark.parametrize(
    "make_list",
    [list, tuple, iter, lambda urls: (url for url in urls), lambda urls: dict.fromkeys(urls)],
    ids=["list", "tuple", "iterator", "generator", "dict"],
)
async def test_any_iterable_is_a_list(make_list: Callable[[list[str]], Iterable[str]]) -> None:
    """In its order."""
    assert [one async for (one,) in batches_of(make_list(["a", "b"]))] == ["a", "b"]


async def test_list_is_read_lazily() -> None:
    """One at a time, whether it is read by `for` or by `async for`."""
    read: list[str] = []

    def plain() -> Iterator[str]:
        for url in "abc":
            read.append(url)
            yield url

    async def asynchronous() -> AsyncIterator[str]:
        for url in plain():
            yield url

    for items in (plain(), asynchronous()):
        read.clear()
        source = batches_of(items)
        assert read == []
        assert await anext(source) == ("a",)
        assert read == ["a"]
        await source.aclose()


async def test_what_comes_in_batches_goes_on_in_batches() -> None:
    """And a generator that is left is closed."""
    ends: list[str] = []

    class Shelf(Batches):
        async def batches(self) -> AsyncGenerator[Sequence[Entry], None]:
            yield [Item("http://h/1"), REJECTED]

    async def endless() -> AsyncIterator[str]:
        try:
            while True:
                yield "http://h/"
        finally:
            ends.append("closed")

    assert [batch async for batch in batches_of(Shelf())] == [[Item("http://h/1"), REJECTED]]
    source = batches_of(endless())
    await anext(source)
    await source.aclose()
    assert ends == ["closed"]


# Outcomes


async def test_outcomes_come_in_order_then_the_end() -> None:
    """All that was put before the end is read; after the end there is only the end."""
    reads: list[OutcomeStream] = []
    stream = make(reads=reads)
    for number in range(3):
        stream.put([outcome(number)])
    stream.finish()
    assert await read_all(stream) == [outcome(number) for number in range(3)]
    assert await read_all(stream) == []
    assert reads == []


async def test_those_who_wait_are_told_of_a_reading() -> None:
    """Whoever reads the list, and the dispatcher while it is held back; nobody else is bothered."""
    reads: list[OutcomeStream] = []
    stream = make(concurrency=4, reads=reads)
    stream.put([outcome(number) for number in range(13)])
    waiting = asyncio.ensure_future(stream.wait_for_room())
    await turn()
    await anext(stream)
    assert reads == []
    await anext(stream)
    assert reads == [stream]
    await anext(stream)
    stream.offer_room()
    await waiting
    await anext(stream)
    assert reads == [stream] * 2
    stream.lane.is_open = False
    await anext(stream)
    assert reads == [stream] * 3


async def test_finished_list_is_gone_through_in_long_strides() -> None:
    """As long as all that was claimed is done already; the first that is not ends it."""
    stream = make(concurrency=4)
    rooms = []
    for _ in range(6):
        rooms.append(stream.room)
        stream.begin_claims(rooms[-1])
        assert stream.room == 0
        stream.end_claims(rooms[-1], are_settled=True)
    assert rooms == [64, 128, 256, 512, 1024, 1024]
    stream.begin_claims(2)
    stream.end_claims(2, are_settled=False)
    assert stream.room == 64


async def test_long_list_is_gone_through_in_longer_strides() -> None:
    """What is claimed ahead is a share of what has ended, and never more than so many."""
    stream = make(concurrency=4)
    rooms = []
    for ended_ones in (0, 500, 500, 3000, 8000):
        stream.put([outcome()] * ended_ones)
        if ended_ones:
            await stream.next_batch()
        stream.begin_claims(1)
        stream.end_claims(1, are_settled=False)
        rooms.append(stream.room)
    assert rooms == [64, 64, 125, 500, 1024]


async def test_reader_waits_for_an_outcome() -> None:
    """It is woken by one, and by the end."""
    stream = make()
    reading = asyncio.ensure_future(read_all(stream))
    await turn()
    assert not reading.done()
    stream.put([outcome(1)])
    await turn()
    assert not reading.done()
    stream.finish()
    assert await reading == [outcome(1)]


async def test_batch_has_all_that_there_is() -> None:
    """In order and at once; the reader waits only for the first, and the end is a batch of none."""
    stream = make()
    stream.put([outcome(1), outcome(2)])
    stream.put([outcome(3)])
    assert [each.url[-1] for each in await stream.next_batch()] == ["1", "2", "3"]
    reading = asyncio.ensure_future(stream.next_batch())
    await turn()
    assert not reading.done()
    stream.put([outcome(4)])
    assert len(await reading) == 1
    stream.finish()
    assert await stream.next_batch() == ()


async def test_batch_comes_before_the_failure() -> None:
    """Nothing of what was done is lost by it, and whoever waits for room is told of the reading."""
    reads: list[OutcomeStream] = []
    stream = make(1, reads)
    stream.lane.is_open = False
    stream.put([outcome(1)])
    stream.finish(RuntimeError("end"))
    assert len(await stream.next_batch()) == 1
    assert reads == [stream]
    with pytest.raises(RuntimeError, match="end"):
        await stream.next_batch()


async def test_failure_is_raised_after_the_last_outcome() -> None:
    """What was done is told first; the first reason counts."""
    stream = make()
    stream.put([outcome(1)])
    stream.finish(OSError("first"))
    stream.finish(OSError("second"))
    stream.finish()
    assert await anext(stream) == outcome(1)
    for _ in range(2):
        with pytest.raises(OSError, match="first"):
            await anext(stream)


async def test_end_comes_when_everything_on_the_list_has_ended() -> None:
    """Not while something is claimed, waits or is in flight."""
    stream = make()
    stream.begin_claims(1)
    stream.end_of_list()
    assert not ended(stream)
    stream.lane.waiting = 1
    stream.end_claims(1, are_settled=False)
    stream.finish_if_drained()
    assert not ended(stream)
    stream.lane.waiting, stream.lane.in_flight = 0, 1
    stream.finish_if_drained()
    assert not ended(stream)
    stream.lane.in_flight = 0
    stream.finish_if_drained()
    assert ended(stream)
    assert await read_all(stream) == []


async def test_empty_list_ends_at_once() -> None:
    """Without any outcome."""
    stream = make()
    stream.end_of_list()
    assert await read_all(stream) == []


async def test_fault_waits_for_what_is_in_flight() -> None:
    """Its outcomes are told, then the fault is raised."""
    stream = make()
    stream.lane.in_flight = 1
    stream.fail_when_drained(OSError("disk full"))
    assert not ended(stream)
    stream.put([outcome(1)])
    stream.lane.in_flight = 0
    stream.finish_if_drained()
    assert await anext(stream) == outcome(1)
    with pytest.raises(OSError, match="disk full"):
        await anext(stream)


async def test_fault_with_nothing_in_flight_is_raised_at_once() -> None:
    """Nothing else is to come."""
    stream = make()
    stream.fail_when_drained(OSError("disk full"))
    with pytest.raises(OSError, match="disk full"):
        await anext(stream)


async def test_cancelled_reader_loses_nothing() -> None:
    """What comes later is read by the next one."""
    stream = make()
    reading = asyncio.ensure_future(anext(stream))
    await turn()
    reading.cancel()
    await asyncio.wait([reading])
    stream.put([outcome(1)])
    assert await anext(stream) == outcome(1)


# Back-pressure


def test_unread_outcomes_hold_the_dispatcher_back() -> None:
    """What lies unread and what is in flight together are bounded by the concurrency, so memory is."""
    stream = make(concurrency=4)
    stream.lane.in_flight = 12
    assert not holds(stream)
    stream.lane.in_flight = 8
    for _ in range(3):
        stream.put([outcome()])
        assert not holds(stream)
    stream.put([outcome()])
    assert holds(stream)


async def test_hold_ends_when_the_reader_reads() -> None:
    """Nothing in flight and nothing unread holds nothing."""
    stream = make(concurrency=1)
    for _ in range(3):
        stream.put([outcome()])
    assert holds(stream)
    await anext(stream)
    assert not holds(stream)
    await anext(stream)
    assert not holds(stream)


async def read_until_full(stream: OutcomeStream, *, most: int) -> int:
    """Do what the reader of a list does, each claim going to the queue at once; tells how far it came."""
    read = 0
    while read < most:
        room = stream.room
        stream.begin_claims(room)
        stream.end_claims(room, are_settled=False)
        stream.lane.waiting += room
        read += room
        waiting = asyncio.ensure_future(stream.wait_for_room())
        await turn()
        if not waiting.done():
            waiting.cancel()
            await asyncio.wait([waiting])
            break
    return read


async def test_list_is_read_as_far_as_there_is_work_in_stock() -> None:
    """A bounded number ahead, whatever its length."""
    assert await read_until_full(make(concurrency=4), most=1000) == 64
    assert await read_until_full(make(concurrency=100), most=1000) == 200


async def test_list_is_read_further_while_nothing_of_it_may_start() -> None:
    """An angry host at the head of a list does not hide the others behind it; the window is bounded all the same."""
    stream = make(concurrency=4)
    assert await read_until_full(stream, most=2000) == 64
    stream.starve()
    assert await read_until_full(stream, most=2000) == 1000 - 64


async def test_reader_of_the_list_is_woken_when_work_was_started() -> None:
    """Told by whoever started it, as soon as half of the stock is gone: each reading is a hop to the register."""
    stream = make(concurrency=4)
    stream.lane.waiting = 64
    waiting = asyncio.ensure_future(stream.wait_for_room())
    await turn()
    assert not waiting.done()
    stream.offer_room()
    await turn()
    assert not waiting.done()
    stream.lane.waiting = 33
    stream.offer_room()
    await turn()
    assert not waiting.done()
    stream.lane.waiting = 32
    stream.offer_room()
    await waiting


async def test_unread_outcomes_stop_the_reading_of_the_list() -> None:
    """Items that need no request would fill memory otherwise."""
    stream = make(concurrency=4)
    for number in range(12):
        stream.put([outcome(number)])
    waiting = asyncio.ensure_future(stream.wait_for_room())
    await turn()
    assert not waiting.done()
    await anext(stream)
    stream.offer_room()
    await waiting


@pytest.mark.parametrize("end", ["finish", "fault"])
async def test_reader_of_the_list_is_woken_by_the_end(end: str) -> None:
    """It would wait for ever for room that nobody makes any more."""
    stream = make()
    stream.lane.waiting = 64
    waiting = asyncio.ensure_future(stream.wait_for_room())
    await turn()
    if end == "finish":
        stream.finish()
    else:
        stream.fail_when_drained(OSError("disk full"))
    await asyncio.wait_for(waiting, 30)


async def test_repr_tells_the_state() -> None:
    """For whoever asks why nothing goes on."""
    stream = make()
    stream.lane.waiting, stream.lane.in_flight = 3, 2
    stream.put([outcome()])
    assert repr(stream) == "OutcomeStream(3 waiting, 2 in flight, 1 unread)"
