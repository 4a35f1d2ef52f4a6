"""A worker: a dispatcher and an engine on a loop of their own, for the shares that the parent hands over.

It ends in order when the parent says so, and at once when the parent is gone: the lock on the destination went with it,
so that nothing may appear there any more.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, cast

from aioflags.chain import JobHeaders
from aioflags.collector import collect_seldom
from aioflags.dispatcher import Dispatcher
from aioflags.engines.seam import Engine
from aioflags.equipment import open_branch
from aioflags.errors import DownloadError
from aioflags.items import Outcome
from aioflags.jobs import Job
from aioflags.pursuit import Pursuit
from aioflags.schedule import Lane
from aioflags.settings import EngineName
from aioflags.shards.messages import Bug, Cancel, Fault, Leave, Order, Pause, Plan, Renew, Report, Share, Stop, Stray
from aioflags.shards.wire import Wire

__all__ = ["Worker", "main", "tell_stray"]

# Seconds that ends wait for others, and between two looks at what is in flight.
_REST = 0.005
_TICK = 0.1


class Worker:
    """Downloads shares.

    Args:
        plan: Where, and with which limits.
        engine: Makes the attempts.
        wire: Leads to the parent.
        on_orphaned: Called when the parent is gone.
    """

    def __init__(self, plan: Plan, engine: Engine, wire: Wire, on_orphaned: Callable[[], None]) -> None:
        self._settings = plan.settings
        self._headers = JobHeaders(plan.headers, plan.settings.headers)
        self._wire = wire
        self._on_orphaned = on_orphaned
        self._may_leave = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._lanes: dict[int, Lane] = {}
        self._ends: list[tuple[int, Outcome | None]] = []
        self._is_hungry = False
        self._timer: asyncio.TimerHandle | None = None
        self._ticker: asyncio.TimerHandle | None = None
        self._dispatcher = Dispatcher(
            plan.settings, engine, on_idle=self._ask, on_fault=self._tell_fault, on_pause=self._tell_pause
        )

    async def run(self) -> None:
        """Work until the parent says that it is enough.

        Raises:
            ExceptionGroup: A bug in an engine.
        """
        self._tick()
        dispatching = asyncio.ensure_future(self._dispatcher.run())
        leaving = asyncio.ensure_future(self._may_leave.wait())
        reading = asyncio.ensure_future(self._read())
        try:
            await asyncio.wait([dispatching, leaving, reading], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (dispatching, leaving):
                task.cancel()
            # What is in flight is ended; meanwhile the parent may go, and is listened to.
            await asyncio.wait([dispatching, leaving])
            reading.cancel()
            await asyncio.wait([reading])
            for timer in filter(None, (self._timer, self._ticker)):
                timer.cancel()
        self._report()
        await self._wire.drain()
        for task in (dispatching, reading):
            if not task.cancelled():
                task.result()

    async def _read(self) -> None:
        while (message := await self._wire.receive()) is not None:
            self._heed(message)
        self._on_orphaned()

    def _heed(self, message: object) -> None:
        match message:
            case Leave():
                self._may_leave.set()
            case Share(orders):
                for order in orders:
                    self._dispatcher.add(self._job(order))
            case Cancel(lane):
                if lane in self._lanes:
                    self._dispatcher.cancel(self._lanes[lane])
            case Pause(host, seconds, why):
                self._dispatcher.pause(host, seconds, why)
            case Stop():
                self._dispatcher.stop()
            case Renew():
                self._dispatcher.renew()

    def _job(self, order: Order) -> Job:
        number, lane, claim, credentials = order
        return Job(
            Pursuit(claim, self._settings, self._headers, credentials),
            self._lanes.setdefault(lane, Lane()),
            partial(self._end, number, lane),
            partial(self._end, number, lane, None),
        )

    def _end(self, number: int, lane: int, outcome: Outcome | None) -> None:
        self._ends.append((number, outcome))
        known = self._lanes.get(lane)
        if known is not None and not (known.waiting or known.in_flight):
            del self._lanes[lane]
        self._report_soon()

    def _ask(self) -> None:
        self._is_hungry = True
        self._report_soon()

    def _tell_fault(self, error: DownloadError) -> None:
        self._wire.send(Fault(error))

    def _tell_pause(self, host: str, seconds: float, why: str) -> None:
        self._wire.send(Pause(host, seconds, why))

    def _report_soon(self) -> None:
        if self._timer is None:
            self._timer = self._loop.call_later(_REST, self._report)

    def _tick(self) -> None:
        self._ticker = self._loop.call_later(_TICK, self._tick)
        self._report(is_full=True)

    def _report(self, *, is_full: bool = False) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        ends, self._ends = self._ends, []
        is_hungry, self._is_hungry = self._is_hungry, False
        running = self._dispatcher.running() if is_full else None
        waiting = self._dispatcher.waiting() if is_full else None
        self._wire.send(Report(ends, running, waiting, self._dispatcher.halted_by, is_hungry))


def main(loop_name: str) -> None:
    """Work for the parent at the other end of standard input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    factory = None
    if loop_name == "uvloop":
        import uvloop

        factory = uvloop.new_event_loop
    collect_seldom()
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(_serve(socket.socket(fileno=0)))
        # Nothing is left that Python would have to wait for.
        os._exit(0)


async def _serve(connection: socket.socket) -> None:
    wire = await Wire.open(connection)
    asyncio.get_running_loop().set_exception_handler(partial(tell_stray, wire))
    plan = await wire.receive()
    if not isinstance(plan, Plan):
        return
    watching: asyncio.Task[None] | None = None
    try:
        async with open_branch(plan.place, plan.settings, cast(EngineName, plan.engine)) as engine:
            await Worker(plan, engine, wire, partial(os._exit, 1)).run()
            # All is told; a thread at work with a disk that hangs is not waited for longer than the parent lives.
            watching = asyncio.ensure_future(_end_with_parent(wire))
    except DownloadError as error:
        wire.send(Fault(error))
    except Exception as bug:
        # What is printed is redacted, and by the parent.
        wire.send(Bug(_format(bug)))
    finally:
        # Strays of the last turn are sent in the next one.
        await asyncio.sleep(0)
        await wire.drain()
        if watching is not None:
            watching.cancel()
        wire.close()


def tell_stray(wire: Wire, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Tell the parent of an error that the loop could hand to nobody.

    For any thread: the collector, which finds some of them, runs in whichever it likes.
    """
    error = context.get("exception")
    stray = Stray(str(context.get("message")), _format(error) if isinstance(error, BaseException) else "")
    # Once the loop is closed there is nobody to tell.
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(wire.send, stray)


def _format(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


async def _end_with_parent(wire: Wire) -> None:
    while await wire.receive() is not None:
        pass
    os._exit(1)
