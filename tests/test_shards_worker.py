"""A worker on a loop of this process, with an engine that has no network."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import pytest

from aioflags.engines.fake import FakeEngine
from aioflags.engines.seam import AttemptResult
from aioflags.errors import make_error
from aioflags.items import Item, Outcome, Status
from aioflags.register import Claim
from aioflags.settings import Settings
from aioflags.shards.messages import Cancel, Leave, Order, Place, Plan, Report, Share, Stop, Stray
from aioflags.shards.wire import Wire
from aioflags.shards.worker import Worker, _serve, tell_stray
from aioflags.urls import parse_url

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no Unix sockets")


class Desk(NamedTuple):
    """The parent's side."""

    wire: Wire
    running: asyncio.Task[None]
    orphaned: asyncio.Event

    async def ends(self, count: int) -> dict[int, Outcome | None]:
        """Wait for the ends of so many items."""
        found: dict[int, Outcome | None] = {}
        while len(found) < count:
            message = await asyncio.wait_for(self.wire.receive(), 10)
            assert message is not None
            if isinstance(message, Report):
                found.update(message.ends)
        return found


@asynccontextmanager
async def at_work(engine: FakeEngine, **options: object) -> AsyncIterator[Desk]:
    one, other = socket.socketpair()
    theirs, ours = await Wire.open(one), await Wire.open(other)
    plan = Plan(Place("d", "run", None), Settings(retries=0, **options), "asyncio", {})  # type: ignore[arg-type]
    orphaned = asyncio.Event()
    running = asyncio.ensure_future(Worker(plan, engine, theirs, orphaned.set).run())
    try:
        yield Desk(ours, running, orphaned)
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        ours.close()
        theirs.close()


def order(number: int, lane: int = 1) -> Order:
    url = f"http://h/{number}"
    return Order(number, lane, Claim(Item(url), parse_url(url), str(number)), {})


async def test_each_item_is_reported_under_its_number() -> None:
    """With its outcome, good or bad."""
    bad = AttemptResult(http_status=404, error=make_error("http", "status 404", "h"))
    async with at_work(FakeEngine({"http://h/2": [bad]})) as desk:
        desk.wire.send(Share([order(1), order(2)]))
        desk.wire.send(Share([order(3, lane=2)]))
        ends = await desk.ends(3)
    assert {number: end and end.status for number, end in ends.items()} == {
        1: Status.SAVED,
        2: Status.MISSING,
        3: Status.SAVED,
    }


async def test_what_nobody_wants_is_reported_without_an_outcome() -> None:
    """The items of one lane are cancelled, in flight or not; those of another go on."""
    gate = asyncio.Event()
    engine = FakeEngine(gate=gate)
    async with at_work(engine, concurrency=2) as desk:
        desk.wire.send(Share([order(1), order(2), order(3, lane=2)]))
        while engine.in_flight < 2:
            await asyncio.sleep(0)
        desk.wire.send(Cancel(1))
        assert await desk.ends(2) == {1: None, 2: None}
        gate.set()
        assert list(await desk.ends(1)) == [3]


async def test_what_was_not_begun_at_a_stop_has_no_outcome() -> None:
    """What is in flight goes on to its end."""
    gate = asyncio.Event()
    engine = FakeEngine(gate=gate)
    async with at_work(engine, concurrency=1) as desk:
        desk.wire.send(Share([order(1), order(2)]))
        while not engine.in_flight:
            await asyncio.sleep(0)
        desk.wire.send(Stop())
        assert await desk.ends(1) == {2: None}
        gate.set()
        ends = await desk.ends(1)
    assert ends[1] is not None
    assert ends[1].status is Status.SAVED


async def test_worker_leaves_in_order_when_it_is_told_to() -> None:
    """What is in flight is cancelled and reported, and nothing is at work any more."""
    engine = FakeEngine(gate=asyncio.Event())
    async with at_work(engine) as desk:
        desk.wire.send(Share([order(1)]))
        while not engine.in_flight:
            await asyncio.sleep(0)
        desk.wire.send(Leave())
        await asyncio.wait_for(desk.running, 10)
        assert not engine.in_flight
        assert await desk.ends(1) == {1: None}
        assert not desk.orphaned.is_set()


@pytest.mark.parametrize("is_leaving", [False, True])
async def test_worker_without_a_parent_does_nothing_more(is_leaving: bool) -> None:
    """Whatever it is about: the lock on the destination is gone."""

    class Stuck(FakeEngine):
        async def fetch(self, *_: object) -> AttemptResult:
            self.in_flight += 1
            while not over.is_set():
                with contextlib.suppress(asyncio.CancelledError):
                    await over.wait()
            return AttemptResult()

    over = asyncio.Event()
    engine = Stuck()
    async with at_work(engine) as desk:
        desk.wire.send(Share([order(1)]))
        while not engine.in_flight:
            await asyncio.sleep(0)
        if is_leaving:
            desk.wire.send(Leave())
        desk.wire.close()
        await asyncio.wait_for(desk.orphaned.wait(), 10)
        over.set()


async def test_error_found_in_another_thread_is_told_by_the_loop() -> None:
    """The collector finds errors that nobody has looked at wherever it runs; the wire is the loop's alone."""
    one, other = socket.socketpair()
    theirs, ours = await Wire.open(one), await Wire.open(other)
    loop = asyncio.get_running_loop()
    senders = []

    class Witness(Wire):
        def send(self, message: object) -> None:
            senders.append(threading.current_thread())
            theirs.send(message)

    wire = Witness(theirs._reader, theirs._writer)
    context = {"message": "never retrieved", "exception": ValueError("lost")}
    await asyncio.to_thread(tell_stray, wire, loop, context)
    stray = await asyncio.wait_for(ours.receive(), 10)
    assert isinstance(stray, Stray)
    assert stray.message == "never retrieved"
    assert "ValueError: lost" in stray.traceback
    assert senders == [threading.current_thread()]
    ours.close()
    theirs.close()


async def test_error_found_in_the_last_moment_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is lost while the engine is closed is lost with it; somebody has to hear of that."""
    loop = asyncio.get_running_loop()

    @asynccontextmanager
    async def open_branch(*_: object) -> AsyncIterator[FakeEngine]:
        yield FakeEngine()
        loop.call_exception_handler({"message": "lost while closing", "exception": ValueError("lost")})

    monkeypatch.setattr("aioflags.shards.worker.open_branch", open_branch)
    one, other = socket.socketpair()
    ours = await Wire.open(other)
    ours.send(Plan(Place("d", "run", None), Settings(), "asyncio", {}))
    ours.send(Leave())
    await asyncio.wait_for(_serve(one), 10)
    said = []
    while (message := await asyncio.wait_for(ours.receive(), 10)) is not None:
        said.append(message)
    ours.close()
    assert [message.message for message in said if isinstance(message, Stray)] == ["lost while closing"]


async def test_error_found_when_the_loop_is_closed_is_nobodys() -> None:
    """It must not become one more error, in a thread that has nothing to do with it."""
    loop = asyncio.new_event_loop()
    loop.close()
    one, other = socket.socketpair()
    wire = await Wire.open(one)
    tell_stray(wire, loop, {"message": "too late"})
    wire.close()
    other.close()
