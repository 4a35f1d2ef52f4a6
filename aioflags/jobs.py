"""One item between its claim and its outcome, as the dispatcher keeps it and as a display sees it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from aioflags.breaker import GivenUp
from aioflags.engines.seam import Meter
from aioflags.errors import DownloadError
from aioflags.items import Outcome
from aioflags.lessons import NOTHING
from aioflags.pursuit import Again, Pursuit
from aioflags.records import dataclass
from aioflags.schedule import Lane, Pause
from aioflags.watch import Watched

__all__ = ["Job", "Running", "Waiting"]


@dataclass(frozen=True, slots=True)
class Running:
    """One attempt in flight, for a display.

    Args:
        url: Redacted.
        path: Final name, relative to the destination.
        host: Host, and port where it is not the default.
        started: Seconds on the clock of the loop.
        received: Bytes of the body so far.
        total: Bytes announced, `None` if unknown.
    """

    url: str
    path: str
    host: str
    started: float
    received: int
    total: int | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a run waits for, for a display; all times are seconds on the clock of the loop.

    Args:
        way: `the network` or `the proxy` if that is waited for; nothing else is started then.
        probe_at: When the next attempt looks whether it is back; `None` if one is out, or nothing is waited for.
        is_in_vain: The network was waited for and did not come back; its items fail now.
        paused: Hosts that are left alone although items wait for them.
        given_up: Hosts with which nothing went well; their items fail at once.
        retry: Where another attempt at an item comes first, when, and at how many items there will be one.
    """

    way: str = ""
    probe_at: float | None = None
    is_in_vain: bool = False
    paused: tuple[Pause, ...] = ()
    given_up: tuple[GivenUp, ...] = ()
    retry: Pause | None = None


class Job:
    """One item between its claim and its outcome; `meter` is that of its last attempt, and there from the first on.

    Args:
        pursuit: What to try.
        lane: The stream that it belongs to.
        deliver: Called once with the outcome.
        abandon: Called instead if the item ends without one, because the job was stopped.
    """

    __slots__ = (
        "abandon",
        "began",
        "deliver",
        "error",
        "host",
        "is_cancelled",
        "is_probe",
        "is_released",
        "lane",
        "lesson",
        "meter",
        "pursuit",
        "queued",
        "started",
        "task",
        "tries",
        "watched",
    )

    meter: Meter

    def __init__(
        self,
        pursuit: Pursuit,
        lane: Lane,
        deliver: Callable[[Outcome], None],
        abandon: Callable[[], None],
    ) -> None:
        self.pursuit = pursuit
        self.lane = lane
        self.deliver = deliver
        self.abandon = abandon
        self.host = pursuit.host
        self.watched: Watched | None = None
        self.task: asyncio.Task[Outcome | Again] | None = None
        self.lesson = NOTHING
        self.error: DownloadError | None = None
        self.is_cancelled = False
        self.is_probe = False
        # Its host is done with it, and its slot is another's already.
        self.is_released = False
        self.tries = 0
        self.queued = time.monotonic()
        self.began: float | None = None
        self.started = 0.0
