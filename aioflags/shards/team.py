"""Who does the work of a dispatcher with several processes: hands shares out, takes reports, replaces who was lost.

It has the face of `aioflags.dispatcher.Dispatcher`; all that decides about names and outcomes stays where it was.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from itertools import count

from aioflags.errors import DownloadError, make_error
from aioflags.jobs import Job, Running, Waiting
from aioflags.schedule import Lane
from aioflags.shards.child import Child
from aioflags.shards.messages import Bug, Cancel, Fault, Order, Pause, Plan, Renew, Report, Share, Stop, Stray
from aioflags.shards.salvage import Reclaim, Salvage
from aioflags.shards.stock import Stock

__all__ = ["Team"]

#: Items that a worker has at hand, so that it need not wait for the next share.
_STOCK = 256
# The same where none of them may be started now: their hosts rest, or are at their limits.
_MOST = 4096
# Workers in a row that end before they have brought anything.
_LOST = 4


class _Hand:
    """One worker, and those that take its place."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.child: Child | None = None
        self.held: dict[int, Job] = {}
        self.bound = _STOCK
        self.lost = 0
        self.running: Sequence[Running] = ()
        self.waiting = Waiting()

    def send(self, message: object) -> None:
        if self.child is not None:
            self.child.wire.send(message)


class Team:
    """Runs jobs in worker processes.

    Args:
        plans: One for each worker.
        on_idle: Called when more could be handed out.
        on_fault: Called once when the destination, or one worker after the other, has failed.
        reclaim: See `aioflags.shards.salvage.Salvage`.
    """

    def __init__(
        self,
        plans: Sequence[Plan],
        *,
        on_idle: Callable[[], None],
        on_fault: Callable[[DownloadError], None],
        reclaim: Reclaim | None = None,
    ) -> None:
        self._salvage = Salvage(reclaim, again=self.add, fail=self._fail)
        self._hands = [_Hand(plan) for plan in plans]
        self._on_idle = on_idle
        self._on_fault = on_fault
        self._loop = asyncio.get_running_loop()
        self._stock = Stock()
        self._lanes: dict[Lane, int] = {}
        self._lane_numbers = count(1)
        self._numbers = count(1)
        self._is_feeding = False
        self._is_stopped = False
        self._is_over = False
        self._settled = asyncio.Event()
        self.halted_by: DownloadError | None = None

    @property
    def capacity(self) -> int:
        """How many jobs its workers can have at hand, so that none of them waits for more."""
        return max(_STOCK * len(self._hands), sum(hand.plan.settings.concurrency for hand in self._hands))

    async def run(self) -> None:
        """Keep the workers at work; ends by cancellation, which ends them.

        Raises:
            ExceptionGroup: A bug of ours.
        """
        try:
            async with asyncio.TaskGroup() as group:
                for hand in self._hands:
                    group.create_task(self._keep(hand))
        finally:
            self._is_over = True
            self._settled.set()

    # Workers come and go

    async def _keep(self, hand: _Hand) -> None:
        while True:
            if hand.lost >= _LOST:
                self._fail(make_error("storage", "worker processes end one after the other, before they do anything"))
                return
            try:
                child = await Child.start()
            except OSError as error:
                self._fail(make_error("storage", f"cannot start a worker process: {error.strerror}"))
                return
            try:
                child.wire.send(hand.plan)
                hand.child = child
                self._feed_soon()
                while (message := await child.wire.receive()) is not None:
                    self._heed(hand, message)
            finally:
                hand.child = None
                await child.end()
            self._lose(hand)

    def _lose(self, hand: _Hand) -> None:
        """A worker is gone: what it had at hand is for another one."""
        hand.lost += 1
        hand.running, hand.waiting = (), Waiting()
        held, hand.held = hand.held, {}
        for job in held.values():
            job.lane.in_flight -= 1
            self._salvage.take(job)
        self._settled.set()
        self._feed_soon()

    def _fail(self, error: DownloadError) -> None:
        if not self._is_stopped:
            self._on_fault(error)
            self.stop()
        self._settled.set()

    # From the intake to the workers

    def add(self, job: Job) -> None:
        """Have a job done, or fail it at once where there is no hope."""
        if self._is_stopped:
            job.abandon()
        elif self.halted_by is not None:
            job.deliver(job.pursuit.fail(self.halted_by, 0.0))
        else:
            self._stock.put(job)
            self._feed_soon()

    def _feed_soon(self) -> None:
        if not self._is_feeding:
            self._is_feeding = True
            self._loop.call_soon(self._feed)

    def _feed(self) -> None:
        self._is_feeding = False
        at_work = [hand for hand in self._hands if hand.child is not None]
        is_idle = False
        for hand in sorted(at_work, key=lambda hand: len(hand.held)):
            if 2 * len(hand.held) > hand.bound:
                continue
            # What little there is goes to all.
            share = math.ceil(len(self._stock) / len(self._hands))
            self._hand_out(hand, min(hand.bound - len(hand.held), share))
            is_idle |= 2 * len(hand.held) <= hand.bound
        if is_idle:
            self._on_idle()

    def _hand_out(self, hand: _Hand, size: int) -> None:
        orders = [self._order(hand, job) for job in self._stock.take(size)]
        if orders:
            hand.send(Share(orders))

    def _order(self, hand: _Hand, job: Job) -> Order:
        number = next(self._numbers)
        hand.held[number] = job
        lane = self._lanes.setdefault(job.lane, 0) or next(self._lane_numbers)
        self._lanes[job.lane] = lane
        return Order(number, lane, job.pursuit.claim, job.pursuit.credentials)

    # From the workers

    def _heed(self, hand: _Hand, message: object) -> None:
        match message:
            case Report():
                self._note(hand, message)
            case Pause():
                for sibling in self._hands:
                    if sibling is not hand:
                        sibling.send(message)
            case Fault(error):
                self._fail(error)
            case Stray(text, traceback):
                context: dict[str, object] = {"message": f"in a worker process: {text}"}
                if traceback:
                    context["exception"] = RuntimeError(f"in a worker process:\n{traceback}")
                self._loop.call_exception_handler(context)
            case Bug(traceback):
                raise RuntimeError(f"a worker process has failed:\n{traceback}")

    def _note(self, hand: _Hand, report: Report) -> None:
        if report.running is not None and report.waiting is not None:
            hand.running, hand.waiting = report.running, report.waiting
        for number, outcome in report.ends:
            job = hand.held.pop(number)
            job.lane.in_flight -= 1
            if not (job.lane.in_flight or job.lane.waiting):
                self._lanes.pop(job.lane, None)
            if outcome is None:
                job.abandon()
            else:
                hand.lost = 0
                job.deliver(outcome)
        if report.ends:
            self._settled.set()
        hand.bound = min(len(hand.held) * 2 + _STOCK, _MOST) if report.is_hungry else _STOCK
        if report.halted_by is not None and self.halted_by is None:
            self.halted_by = report.halted_by
            for job in self._stock.drop_all():
                job.deliver(job.pursuit.fail(report.halted_by, 0.0))
        if report.ends or report.is_hungry:
            self._feed_soon()

    # What the downloader asks for

    def renew(self) -> None:
        """Let a way out that halted a run be tried again: another one begins."""
        if self.halted_by is not None:
            self.halted_by = None
            self._tell_all(Renew())

    def hold(self, lane: Lane) -> None:
        """Hand nothing of `lane` out until `release`; what is handed out goes on."""
        lane.is_open = False

    def release(self, lane: Lane) -> None:
        """Let `lane` go on."""
        lane.is_open = True
        self._feed_soon()

    def stop(self) -> None:
        """Start nothing new; what waits is abandoned, what is in flight goes on."""
        self._is_stopped = True
        self._salvage.stop()
        self._tell_all(Stop())
        for hand in self._hands:
            # Nobody is there to end it.
            if hand.child is None:
                self._lose(hand)
        for job in self._stock.drop_all():
            job.abandon()

    def cancel(self, lane: Lane) -> set[asyncio.Task[None]]:
        """Cancel all jobs of `lane`; returns tasks that end when nothing is at work for them any more."""
        for job in self._stock.drop(lane):
            job.abandon()
        self._salvage.cancel(lane)
        jobs = [job for hand in self._hands for job in hand.held.values() if job.lane is lane]
        if not jobs or self._is_over:
            return set()
        for job in jobs:
            job.is_cancelled = True
        self._tell_all(Cancel(self._lanes[lane]))
        return {self._loop.create_task(self._wait_for(jobs))}

    async def _wait_for(self, jobs: Sequence[Job]) -> None:
        wanted = set(map(id, jobs))
        while not self._is_over and any(id(job) in wanted for hand in self._hands for job in hand.held.values()):
            self._settled.clear()
            await self._settled.wait()

    def _tell_all(self, message: object) -> None:
        for hand in self._hands:
            hand.send(message)

    def running(self) -> list[Running]:
        """Tell what is in flight now, as far as is known."""
        return [
            running
            for hand in self._hands
            for names in [{job.pursuit.name for job in hand.held.values()} if hand.running else ()]
            for running in hand.running
            if running.path in names
        ]

    def waiting(self) -> Waiting:
        """Tell what is waited for now, by all workers or by some."""
        known = [hand.waiting for hand in self._hands]
        ways = {each.way for each in known}
        first = known[0]
        return Waiting(
            way=first.way if len(ways) == 1 else "",
            probe_at=first.probe_at if len(ways) == 1 else None,
            is_in_vain=all(each.is_in_vain for each in known),
            paused=tuple({pause.host: pause for each in known for pause in each.paused}.values()),
            given_up=tuple({given.host: given for each in known for given in each.given_up}.values()),
            retry=min(filter(None, (each.retry for each in known)), key=lambda each: each.until, default=None),
        )
