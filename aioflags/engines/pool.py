"""Connections that wait for another request. How many there may be, and to whom, is decided elsewhere."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict

from aioflags.engines.link import Link
from aioflags.engines.readiness import READ

__all__ = ["Pool", "PoolKey"]

#: Scheme, host, port, and whether only public addresses were connected to: what is asked under a stricter rule must
#: not find a connection that was made under the other.
PoolKey = tuple[str, str, int, bool]

#: Seconds. Source: FAULTS, P13; servers wait 5 to 75.
_KEEP_ALIVE = 20.0


class Pool:
    """Keeps connections for a while, the last one first: those that are not needed come of age."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._idle: defaultdict[PoolKey, list[Link]] = defaultdict(list)
        self._timer: asyncio.TimerHandle | None = None

    def take(self, key: PoolKey) -> Link | None:
        """Give a connection that is open as far as is known, `None` if there is none.

        It is looked at now: an end, or an answer that nobody has asked for, may have come since the loop last looked.
        """
        idle = self._idle.get(key)
        while idle:
            link = idle.pop()
            if link.is_open and time.monotonic() - link.idle_since < _KEEP_ALIVE:
                link.on_ready(READ)
                if link.is_open:
                    return link
            link.close()
        return None

    def put(self, key: PoolKey, link: Link) -> None:
        """Keep a connection whose answer was read to its end."""
        link.rest()
        self._idle[key].append(link)
        if self._timer is None:
            self._timer = self._loop.call_later(_KEEP_ALIVE, self._sweep)

    def _sweep(self) -> None:
        """Close what has waited for too long, and forget what has closed by itself."""
        self._timer = None
        oldest = time.monotonic() - _KEEP_ALIVE
        for key, idle in list(self._idle.items()):
            kept = [link for link in idle if link.is_open and link.idle_since > oldest]
            for link in idle:
                if link not in kept:
                    link.close()
            if kept:
                idle[:] = kept
            else:
                del self._idle[key]
        if self._idle:
            self._timer = self._loop.call_later(_KEEP_ALIVE / 2, self._sweep)

    def close(self) -> None:
        """Close all that are idle; the pool can be used again."""
        for idle in self._idle.values():
            for link in idle:
                link.close()
        self._idle.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
