"""What an observer is told about a job: an attempt has a future, the future is done, the item has its outcome.

Frozen, plain data but for the futures, which are the real ones; no I/O, no loop, no clock.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Protocol

from aioflags.errors import DownloadError
from aioflags.items import Outcome
from aioflags.records import dataclass

__all__ = ["PHASES", "Attempted", "Finished", "Scheduled", "Tracer"]

PHASES = ("waiting for a slot", "connecting", "waiting for the first byte", "receiving", "writing to disk")
"""What an attempt does, in this order."""


@dataclass(frozen=True, slots=True)
class Scheduled:
    """The engine has made a future of an attempt.

    Args:
        url: The item's, as it was given, with its secrets.
        name: Final name, relative to the destination.
        attempt: 1 for the item's first.
        future: An `asyncio.Task`, or a `concurrent.futures.Future` of the engine's executor.
    """

    url: str
    name: str
    attempt: int
    future: object


@dataclass(frozen=True, slots=True)
class Attempted:
    """An attempt has ended and its future is done.

    Times are seconds on the monotonic clock, `None` for what the attempt did not come to.

    Args:
        url: As in `Scheduled`.
        name: As in `Scheduled`.
        attempt: As in `Scheduled`.
        future: The very same.
        worker: Who made it: a task slot, a thread, a process.
        queued: When the item began to wait for a slot.
        started: When a worker took it up.
        connected: When there was a connection, new or kept.
        sent: When the request was on its way.
        first_byte: When the first byte of the body came.
        last_byte: When the last one came.
        ended: When all was done, the file written included.
        received: Bytes of the body.
        error: Why it failed, if it did.
    """

    url: str
    name: str
    attempt: int
    future: object
    worker: str
    queued: float
    started: float
    connected: float | None
    sent: float | None
    first_byte: float | None
    last_byte: float | None
    ended: float
    received: int
    error: DownloadError | None

    @property
    def marks(self) -> tuple[float, ...]:
        """Where the `PHASES` begin, and where the last one ends; never falling.

        What was not reached begins at the end, so that the phase in which an attempt failed lasts until then.
        """
        marks = [self.queued]
        for mark in (self.started, self.sent, self.first_byte, self.last_byte, self.ended):
            marks.append(max(marks[-1], min(self.ended, self.ended if mark is None else mark)))
        return tuple(marks)

    @property
    def durations(self) -> tuple[float, ...]:
        """Seconds that each of the `PHASES` took."""
        return tuple(end - begin for begin, end in pairwise(self.marks))


@dataclass(frozen=True, slots=True)
class Finished:
    """An item has its outcome; without an attempt before, if none was needed.

    Args:
        url: As in `Scheduled`.
        name: As in `Scheduled`; `None` if the item never got one.
        outcome: What became of it.
    """

    url: str
    name: str | None
    outcome: Outcome


class Tracer(Protocol):
    """Is told what happens in a job, by its loop and in its order; whatever it does holds up the job."""

    def scheduled(self, event: Scheduled) -> None: ...

    def attempted(self, event: Attempted) -> None: ...

    def finished(self, event: Finished) -> None: ...
