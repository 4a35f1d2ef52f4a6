"""What a dead worker had at hand: nothing is lost, nothing comes twice, nothing of somebody else's is replaced."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from aioflags.chain import JobHeaders
from aioflags.errors import DownloadError, make_error
from aioflags.items import Item, Outcome, Rejected, Status
from aioflags.jobs import Job
from aioflags.pursuit import Pursuit
from aioflags.register import Claim
from aioflags.schedule import Lane
from aioflags.settings import Settings
from aioflags.shards.salvage import Salvage
from aioflags.urls import parse_url

URL = "http://a.example/flag"
CLAIM = Claim(Item(URL), parse_url(URL), "flag", row=1)


class Scene:
    """A job of a dead worker, and all that can become of it."""

    def __init__(self, claim: Claim = CLAIM, *, has_record: bool = True) -> None:
        self.lane = Lane()
        self.outcomes: list[Outcome] = []
        self.abandoned = 0
        self.again: list[Job] = []
        self.faults: list[DownloadError] = []
        self.asked: list[asyncio.Future[Sequence[Claim | Outcome]]] = []
        reclaim = self._reclaim if has_record else None
        self.salvage = Salvage(reclaim, again=self.again.append, fail=self.faults.append)
        pursuit = Pursuit(claim, Settings(), JobHeaders({}, {}), {})
        self.job = Job(pursuit, self.lane, self.outcomes.append, self._abandon)

    def _abandon(self) -> None:
        self.abandoned += 1

    def _reclaim(self, entry: Item | Rejected) -> asyncio.Future[Sequence[Claim | Outcome]]:
        assert entry == CLAIM.item
        self.asked.append(asyncio.get_running_loop().create_future())
        return self.asked[-1]

    async def answer(self, **details: Any) -> None:
        """The register says of the item what it said first, but for these details."""
        self.asked[-1].set_result([replace(CLAIM, **details)])
        await asyncio.sleep(0)

    @property
    def ends(self) -> tuple[int, int, int]:
        """How often it was given an outcome, abandoned, and done again."""
        return len(self.outcomes), self.abandoned, len(self.again)


async def test_job_is_done_again() -> None:
    """After the register was asked; it counts as waiting meanwhile, so that its list is not taken to be through."""
    scene = Scene()
    scene.salvage.take(scene.job)
    assert scene.lane.waiting == 1
    assert scene.ends == (0, 0, 0)
    await scene.answer()
    assert scene.lane.waiting == 0
    assert scene.ends == (0, 0, 1)
    assert scene.again == [scene.job]


async def test_job_without_a_record_is_done_again_at_once() -> None:
    """There is nobody to ask."""
    scene = Scene(has_record=False)
    scene.salvage.take(scene.job)
    assert scene.ends == (0, 0, 1)


async def test_file_that_was_saved_is_not_fetched_again() -> None:
    """It has come in this run: the server is not even asked whether it has changed since."""
    scene = Scene()
    scene.salvage.take(scene.job)
    await scene.answer(present=5, etag='"v1"', may_replace=True, is_refresh=True)
    assert scene.ends == (1, 0, 0)
    assert scene.outcomes[0].status is Status.PRESENT
    assert scene.outcomes[0].bytes == 5


async def test_file_that_was_there_before_is_still_asked_about() -> None:
    """With `update`, when the worker died before it could ask."""
    scene = Scene(replace(CLAIM, present=5, etag='"v1"', may_replace=True, is_refresh=True))
    scene.salvage.take(scene.job)
    await scene.answer(present=5, etag='"v1"', may_replace=True, is_refresh=True)
    assert scene.ends == (0, 0, 1)
    assert scene.job.pursuit.claim.etag == '"v1"'
    assert scene.job.pursuit.claim.may_replace


async def test_nothing_is_replaced_that_might_not_be_before() -> None:
    """What the register takes for ours now may be what somebody has put there since."""
    for first, second, expected in [(False, True, False), (True, True, True), (True, False, False)]:
        scene = Scene(replace(CLAIM, may_replace=first))
        scene.salvage.take(scene.job)
        await scene.answer(may_replace=second)
        assert scene.again[0].pursuit.claim.may_replace is expected


async def test_item_that_kills_its_workers_is_given_up() -> None:
    """The fifth is spared."""
    scene = Scene(has_record=False)
    for _ in range(5):
        scene.salvage.take(scene.job)
    assert scene.ends == (1, 0, 4)
    (outcome,) = scene.outcomes
    assert outcome.status is Status.FAILED
    assert outcome.error is not None
    assert outcome.error.kind == "disconnected"


async def test_nothing_is_done_again_once_all_is_stopped() -> None:
    """Before the register was asked, or while it is."""
    scene = Scene()
    scene.salvage.take(scene.job)
    scene.salvage.stop()
    await scene.answer()
    assert scene.ends == (0, 1, 0)
    scene.salvage.take(scene.job)
    assert scene.ends == (0, 2, 0)
    assert scene.lane.waiting == 0


async def test_cancelled_lane_is_not_done_again() -> None:
    """Another one is."""
    for is_own, ends in [(True, (0, 1, 0)), (False, (0, 0, 1))]:
        scene = Scene()
        scene.salvage.take(scene.job)
        scene.salvage.cancel(scene.lane if is_own else Lane())
        await scene.answer()
        assert scene.ends == ends


async def test_record_that_fails_is_a_fault_of_the_run() -> None:
    """The item has no outcome then; a run that ends has no fault."""
    scene = Scene()
    scene.salvage.take(scene.job)
    error = make_error("storage", "the ledger cannot be written")
    scene.asked[0].set_exception(error)
    await asyncio.sleep(0)
    assert scene.faults == [error]
    assert scene.ends == (0, 1, 0)
    scene = Scene()
    scene.salvage.take(scene.job)
    scene.asked[0].cancel()
    await asyncio.sleep(0)
    assert scene.faults == []
    assert scene.ends == (0, 1, 0)
