"""Watched attempts: which slot each has, when it ended, and what of it a tracer is told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from aioflags.errors import make_error
from aioflags.items import Outcome, Status
from aioflags.pursuit import Again
from aioflags.trace import Attempted, Finished, Scheduled
from aioflags.watch import Watch, Watched
from tests.test_trace import Notes

URL = "http://127.0.0.1/fr.svg"
SAVED = Outcome(URL, Status.SAVED, path="fr.svg", bytes=5)


@pytest.fixture
def notes() -> Notes:
    return Notes()


def begin(watch: Watch, attempt: int = 1, queued: float = 0.0) -> Watched:
    return watch.begin(URL, "fr.svg", attempt, queued)


async def end(watched: Watched, work: Callable[[], Awaitable[Outcome | Again]], *, is_scheduled: bool = True) -> None:
    """Let a task do `work` as the attempt, and tell of its end as the dispatcher does."""

    async def attempt() -> Outcome | Again:
        if is_scheduled:
            watched.meter.scheduled(asyncio.current_task())
        return await work()

    task = asyncio.ensure_future(attempt())
    task.add_done_callback(watched.end)
    await asyncio.wait([task])


async def saved() -> Outcome | Again:
    return SAVED


async def again() -> Outcome | Again:
    return Again(1.0)


async def cancelled() -> Outcome | Again:
    raise asyncio.CancelledError


async def bug() -> Outcome | Again:
    raise KeyError("a bug of an engine")


async def test_slots_are_the_lowest_that_are_free(notes: Notes) -> None:
    """A trace has as many rows as there were attempts at a time, however many there were in all."""
    watch = Watch(notes)
    first, second, third = begin(watch), begin(watch), begin(watch)
    for watched in (third, first):
        await end(watched, saved)
    reused = [begin(watch), begin(watch), begin(watch)]
    for watched in (second, *reused):
        await end(watched, saved)
    names = [event.worker for event in notes.attempts()]
    assert names == ["task 3", "task 1", "task 2", "task 1", "task 3", "task 4"]


async def test_slot_is_given_back_once(notes: Notes) -> None:
    """Leaving before the end frees it at that moment, and the end frees it no second time."""
    watch = Watch(notes)
    watched = begin(watch)
    left = watched.leave()
    assert watched.leave() == left
    successor = begin(watch)
    await end(watched, saved)
    for other in (begin(watch), successor):
        await end(other, saved)
    assert [event.worker for event in notes.attempts()] == ["task 1", "task 2", "task 1"]
    assert notes.attempts()[0].ended == left


@pytest.mark.parametrize(
    ("work", "told"),
    [
        (saved, [Scheduled, Attempted, Finished]),
        (again, [Scheduled, Attempted]),
        (cancelled, [Scheduled, Attempted]),
        (bug, [Scheduled, Attempted]),
    ],
)
async def test_only_an_outcome_finishes_an_item(
    notes: Notes, work: Callable[[], Awaitable[Outcome | Again]], told: list[type]
) -> None:
    """An attempt to be followed by another, one that was cancelled and one that met a bug end, and no more is said."""
    await end(begin(Watch(notes)), work)
    assert [type(event) for event in notes.events] == told
    assert notes.done[:2] == [False, True]
    assert [event.outcome for event in notes.events if isinstance(event, Finished)] == [SAVED] * (len(told) - 2)


async def test_attempt_without_a_future_is_not_told(notes: Notes) -> None:
    """An engine that refused before it began has nothing to show; the item has its outcome all the same."""
    await end(begin(Watch(notes)), saved, is_scheduled=False)
    assert [type(event) for event in notes.events] == [Finished]


async def test_worker_knows_its_times_better(notes: Notes) -> None:
    """Its own beginning and end count, not when the loop heard of them; without them the loop's do."""
    watch = Watch(notes)
    queued = time.monotonic()
    worker, task = begin(watch, queued=queued), begin(watch, attempt=2, queued=queued)
    worker.meter.worker, worker.meter.started, worker.meter.ended = "process 7", 1.5, 2.5
    worker.meter.received = 9
    for watched in (worker, task):
        await end(watched, again)
    first, second = notes.attempts()
    assert (first.worker, first.started, first.ended, first.received, first.attempt) == ("process 7", 1.5, 2.5, 9, 1)
    assert (second.worker, second.attempt) == ("task 2", 2)
    assert queued == second.queued <= second.started <= second.ended <= time.monotonic()


async def test_what_was_seen_is_told(notes: Notes) -> None:
    """Address, name, times of the meter and the error that the attempt ended in."""
    watched = begin(Watch(notes))
    meter = watched.meter
    meter.connected, meter.sent, meter.first_byte, meter.last_byte = 1.0, 2.0, 3.0, None
    watched.error = make_error("stalled", "stalled after 5 bytes", "127.0.0.1")
    await end(watched, again)
    (event,) = notes.attempts()
    assert (event.url, event.name, event.error) == (URL, "fr.svg", watched.error)
    assert (event.connected, event.sent, event.first_byte, event.last_byte) == (1.0, 2.0, 3.0, None)
    scheduled = notes.events[0]
    assert isinstance(scheduled, Scheduled)
    assert scheduled.future is event.future
