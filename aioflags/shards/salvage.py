"""Jobs that a worker had at hand when it died: fetched anew by another one, unless it had saved them already."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from aioflags.errors import DownloadError, make_error
from aioflags.items import Item, Outcome, Rejected
from aioflags.jobs import Job
from aioflags.pursuit import outcome_of_claim
from aioflags.register import Claim
from aioflags.schedule import Lane

__all__ = ["Reclaim", "Salvage"]

#: Workers that may die over one item.
_TRIES = 4
_Claimed = asyncio.Future[Sequence[Claim | Outcome]]
Reclaim = Callable[[Item | Rejected], _Claimed]


class Salvage:
    """Decides what becomes of them.

    Args:
        reclaim: Asks the register anew about an item that a worker may have saved before it died; `None` if nothing
            is on record.
        again: Called with a job that another worker is to do.
        fail: Called with a fault of the record.
    """

    def __init__(
        self, reclaim: Reclaim | None, *, again: Callable[[Job], None], fail: Callable[[DownloadError], None]
    ) -> None:
        self._reclaim = reclaim
        self._again = again
        self._fail = fail
        self._asked: set[Job] = set()
        self._is_stopped = False

    def take(self, job: Job) -> None:
        """Have it done again, give its outcome, or abandon it; it is in flight nowhere."""
        job.tries += 1
        if job.is_cancelled or self._is_stopped:
            job.abandon()
        elif job.tries > _TRIES:
            error = make_error("disconnected", "the worker processes that fetched it died", job.pursuit.hostname)
            job.deliver(job.pursuit.fail(error, 0.0))
        elif self._reclaim is None:
            self._again(job)
        else:
            job.lane.waiting += 1
            self._asked.add(job)
            self._reclaim(job.pursuit.claim.item).add_done_callback(partial(self._resume, job))

    def stop(self) -> None:
        """Nothing is done again from now on."""
        self._is_stopped = True

    def cancel(self, lane: Lane) -> None:
        """Let the jobs of `lane` be abandoned as soon as the register has answered."""
        for job in self._asked:
            job.is_cancelled |= job.lane is lane

    def _resume(self, job: Job, claimed: _Claimed) -> None:
        self._asked.discard(job)
        job.lane.waiting -= 1
        error = None if claimed.cancelled() else claimed.exception()
        if isinstance(error, DownloadError):
            self._fail(error)
        if claimed.cancelled() or error is not None or job.is_cancelled or self._is_stopped:
            job.abandon()
            return
        (claim,) = claimed.result()
        outcome = claim if isinstance(claim, Outcome) else _settle(claim, job.pursuit.claim)
        if outcome is not None:
            job.deliver(outcome)
        elif isinstance(claim, Claim):
            # What is there is a stranger's, unless the first look has found it there and ours: what might not be
            # replaced before may not be replaced now.
            may_replace = claim.may_replace and job.pursuit.claim.may_replace
            job.pursuit = job.pursuit.with_claim(replace(claim, may_replace=may_replace))
            self._again(job)


def _settle(claim: Claim, first: Claim) -> Outcome | None:
    """Give the outcome of an item that needs no more requests: one that has come in this run has not changed since."""
    if claim.present is not None and first.present is None:
        claim = replace(claim, etag=None, last_modified=None)
    return outcome_of_claim(claim)
