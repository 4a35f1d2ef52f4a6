"""The deadlines of all requests in flight, looked at together a few times a second: no timer for each of them."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

__all__ = ["Watchdog", "Watched"]

#: Seconds between two looks; a deadline is a promise to half a second.
_TICK = 0.1


class Watched(Protocol):
    """What may be late.

    `due` is when to ask it on the monotonic clock, infinity for never.
    """

    due: float

    def check(self, now: float) -> None:
        """It is `due`: say so, or be due again later."""


class Watchdog:
    """Looks after what is in flight on the running loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._watched: set[Watched] = set()
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, watched: Watched) -> None:
        """Look after this one from now on."""
        self._watched.add(watched)
        if self._timer is None:
            self._timer = self._loop.call_later(_TICK, self._look)

    def leave(self, watched: Watched) -> None:
        """Look after it no more, if it was."""
        self._watched.discard(watched)

    def _look(self) -> None:
        self._timer = None
        # Not the time of the loop: uvloop's stands still while it works.
        now = time.monotonic()
        for watched in [each for each in self._watched if each.due <= now]:
            watched.check(now)
        if self._watched:
            self._timer = self._loop.call_later(_TICK, self._look)

    def close(self) -> None:
        """Look no more."""
        self._watched.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
