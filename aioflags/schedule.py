"""Who is next: fair over hosts, within each host's window, rate and pause. Pure: told the time, never asks for it.

An entry waits in the queue of its host and lane. A *lane* is one stream of items; a closed lane keeps its entries
back (its reader is slow) while other lanes go on. A *host window* is how many attempts one host is given now: it
halves when the host asks for less or times out, and grows by one for every full window that succeeds. Of a host that
is *held* only what has begun goes on; nothing new begins before that has ended, and then one entry at a time.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterable
from enum import Enum
from itertools import count
from typing import Generic, TypeVar

from aioflags.queues import HostQueue, Lane, Pause

__all__ = ["Feedback", "Lane", "Pause", "Schedule"]

T = TypeVar("T")

# Idle hosts with something to remember (a pause, a small window) are kept, the latest so many.
_REMEMBERED_HOSTS = 10_000


class Feedback(Enum):
    """What an attempt taught about its host."""

    WELL = "well"
    NEUTRAL = "neutral"
    BLAMELESS = "blameless"
    SLOW_DOWN = "slow down"
    REFUSED = "refused"
    OUT_OF_RESOURCES = "out of resources"


class Schedule(Generic[T]):
    """Decides which entry starts next.

    Args:
        concurrency: Attempts in flight at most.
        per_host: Attempts in flight to one host at most; 0 for no such limit.
        rate: Attempts started per second and host; `None` for no limit.
    """

    def __init__(self, *, concurrency: int, per_host: int, rate: float | None) -> None:
        self._concurrency = concurrency
        self._limit = float(per_host or concurrency)
        self._interval = 0.0 if rate is None else 1.0 / rate
        self._window = float(concurrency)
        self._shrunk_at = float("-inf")
        self._hosts: dict[str, HostQueue[T]] = {}
        # Names of the remembered hosts, the longest idle one first.
        self._idle: dict[str, None] = {}
        self._listed: deque[HostQueue[T]] = deque()
        self._timers: list[tuple[float, int, str]] = []
        self._delayed: list[tuple[float, int, str, Lane, T]] = []
        self._sequence = count()
        self.in_flight = 0

    def __repr__(self) -> str:
        waiting = sum(len(host) for host in self._hosts.values())
        return f"Schedule({self.in_flight} in flight, {waiting} waiting, {len(self._delayed)} delayed)"

    def add(self, entry: T, host: str, lane: Lane, *, not_before: float | None = None, first: bool = False) -> None:
        """Put `entry` in its queue, not to be started earlier than `not_before`.

        If it is `first`, or has to wait, it counts as begun and comes before what is new.
        """
        lane.waiting += 1
        self._idle.pop(host, None)
        if not_before is not None:
            self._host(host).delayed += 1
            heapq.heappush(self._delayed, (not_before, next(self._sequence), host, lane, entry))
        else:
            self._enqueue(entry, self._host(host), lane, first)

    def _enqueue(self, entry: T, host: HostQueue[T], lane: Lane, first: bool) -> None:
        if first:
            host.begun.setdefault(lane, deque()).appendleft(entry)
        else:
            host.queues.setdefault(lane, deque()).append(entry)
        self._list(host)

    def take(self, now: float) -> T | None:
        """Give the entry to start now and count it as in flight; `None` if none may start at this time."""
        self._release_due(now)
        if self.in_flight >= int(self._window):
            return None
        # Every turn of the loop starts an entry or takes a host off the list.
        while self._listed:
            host = self._listed.popleft()
            host.is_listed = False
            entry = self._take_from(host, now)
            if entry is not None:
                return entry
        return None

    def _take_from(self, host: HostQueue[T], now: float) -> T | None:
        if host.in_flight >= int(host.window):
            return None
        ready_at = host.ready_at()
        if ready_at > now:
            if host.timer_at != ready_at:
                host.timer_at = ready_at
                heapq.heappush(self._timers, (host.timer_at, next(self._sequence), host.name))
            return None
        chosen = host.choose()
        if chosen is None:
            return None
        queues, lane = chosen
        queue = queues.pop(lane)
        entry = queue.popleft()
        if queue:
            # Back at the end: lanes of one host take turns.
            queues[lane] = queue
        lane.waiting -= 1
        lane.in_flight += 1
        host.in_flight += 1
        self.in_flight += 1
        # A start that comes late by less than an interval does not delay those after it, or the mean would suffer.
        is_late = now - host.next_start < self._interval
        host.next_start = (host.next_start if is_late else now) + self._interval
        self._list(host)
        return entry

    def wake_at(self) -> float | None:
        """Tell the earliest time at which `take` may answer differently although nothing happened; `None` if never."""
        times = [heap[0][0] for heap in (self._timers, self._delayed) if heap]
        return min(times) if times else None

    def release(self, host_name: str, now: float) -> None:
        """An attempt wants nothing more of its host: another may start there; `finish` follows when it has ended."""
        host = self._host(host_name)
        host.in_flight -= 1
        self.in_flight -= 1
        self._list(host)
        self._let_rest(host, now)

    def finish(
        self,
        host_name: str,
        lane: Lane,
        feedback: Feedback,
        *,
        started: float,
        now: float,
        is_released: bool = False,
    ) -> None:
        """An attempt at `host_name` for an entry of `lane`, begun at `started`, has ended; see `release`."""
        host = self._host(host_name)
        if not is_released:
            host.in_flight -= 1
            self.in_flight -= 1
        lane.in_flight -= 1
        if feedback is Feedback.WELL:
            host.setbacks = 0
            if host.window < self._limit:
                host.window = min(self._limit, host.window + 1.0 / host.window)
            if self._window < self._concurrency:
                self._window = min(float(self._concurrency), self._window + 1.0 / self._window)
        elif feedback in {Feedback.SLOW_DOWN, Feedback.REFUSED} and started > host.shrunk_at:
            # Attempts that were in flight together tell one thing together: they halve the window once. Those that
            # began at the very time of it count to them: the clock of uvloop stands still for a millisecond.
            host.window = max(1.0, host.window / 2)
            host.shrunk_at = now
            host.setbacks += feedback is Feedback.REFUSED
        elif feedback is Feedback.OUT_OF_RESOURCES and started > self._shrunk_at:
            self._window = max(1.0, self._window / 2)
            self._shrunk_at = now
        self._list(host)
        self._let_rest(host, now)

    def pause(self, host_name: str, until: float, why: str = "") -> None:
        """Start nothing at this host before the time `until`; `why` is for those who look at it."""
        host = self._host(host_name)
        if until > host.paused_until:
            host.paused_until = until
            host.why_paused = why
        self._let_rest(host)

    def pauses(self, now: float) -> list[Pause]:
        """Give the hosts that are paused now although entries wait for them."""
        return [
            Pause(host.name, host.paused_until, host.why_paused, waiting)
            for host in self._hosts.values()
            if host.paused_until > now and (waiting := len(host) + host.delayed)
        ]

    def next_delayed(self) -> Pause | None:
        """Tell which entry that has to wait may start first, and how many there are; `None` if there is none."""
        if not self._delayed:
            return None
        until, _, host, _, _ = self._delayed[0]
        return Pause(host, until, "another attempt", len(self._delayed))

    def hold(self, host_name: str) -> None:
        """Begin nothing new at this host while what has begun there is not over; then one entry at a time.

        Ends by `let_go`, or when nothing of the host waits or is in flight.
        """
        host = self._hosts.get(host_name)
        if host is not None and not host.is_idle():
            host.is_held = True

    def let_go(self, host_name: str) -> None:
        """End `hold`."""
        host = self._hosts.get(host_name)
        if host is not None and host.is_held:
            host.is_held = False
            self._list(host)
            self._let_rest(host)

    def is_quiet(self, host_name: str) -> bool:
        """Tell whether nothing that has begun at this host is in flight or yet to come."""
        host = self._hosts.get(host_name)
        return host is None or host.is_quiet()

    def setbacks(self, host_name: str) -> int:
        """Tell how often in a row, with nothing going well in between, the host has refused requests."""
        host = self._hosts.get(host_name)
        return 0 if host is None else host.setbacks

    def window(self, host_name: str) -> int:
        """Tell how many attempts the host is given now."""
        host = self._hosts.get(host_name)
        return int(self._limit if host is None else host.window)

    def close(self, lane: Lane) -> None:
        """Keep the entries of `lane` back."""
        if lane.is_open:
            lane.is_open = False
            for host in self._hosts.values():
                # What has begun in this lane is nothing to wait for now.
                if host.is_held:
                    self._list(host)

    def open(self, lane: Lane) -> None:
        """Let the entries of `lane` start again."""
        if not lane.is_open:
            lane.is_open = True
            for host in self._hosts.values():
                self._list(host)

    def lanes(self) -> set[Lane]:
        """Give the lanes that have entries waiting."""
        queued = {lane for host in self._hosts.values() for lane in (*host.begun, *host.queues)}
        return queued | {row[3] for row in self._delayed}

    def drop(self, lane: Lane) -> list[T]:
        """Forget all waiting entries of `lane` and return them."""
        return self._drop(self._hosts.values(), lambda _, its_lane: its_lane is lane)

    def drop_host(self, host_name: str) -> list[T]:
        """Forget all waiting entries of a host and return them."""
        host = self._hosts.get(host_name)
        return [] if host is None else self._drop([host], lambda name, _: name == host_name)

    def _drop(self, hosts: Iterable[HostQueue[T]], is_meant: Callable[[str, Lane], bool]) -> list[T]:
        dropped: list[tuple[str, Lane, T]] = []
        for host in hosts:
            for queues in (host.begun, host.queues):
                for lane in [lane for lane in queues if is_meant(host.name, lane)]:
                    dropped += [(host.name, lane, entry) for entry in queues.pop(lane)]
        delayed = [row for row in self._delayed if is_meant(row[2], row[3])]
        if delayed:
            self._delayed = [row for row in self._delayed if not is_meant(row[2], row[3])]
            heapq.heapify(self._delayed)
        for _, _, host_name, lane, entry in delayed:
            self._hosts[host_name].delayed -= 1
            dropped.append((host_name, lane, entry))
        for _, lane, _ in dropped:
            lane.waiting -= 1
        for name in {name for name, _, _ in dropped}:
            host = self._hosts[name]
            self._list(host)
            self._let_rest(host)
        return [entry for _, _, entry in dropped]

    def _host(self, name: str) -> HostQueue[T]:
        host = self._hosts.get(name)
        if host is None:
            host = self._hosts[name] = HostQueue(name, self._limit)
        return host

    def _let_rest(self, host: HostQueue[T], now: float = float("-inf")) -> None:
        """Forget an idle host of which there is nothing to remember at this time; of the others keep the latest."""
        if not host.is_idle():
            return
        host.is_held = False
        self._idle.pop(host.name, None)
        if host.window < self._limit or host.ready_at() > now:
            self._idle[host.name] = None
            if len(self._idle) <= _REMEMBERED_HOSTS:
                return
            host = self._hosts[next(iter(self._idle))]
            del self._idle[host.name]
        del self._hosts[host.name]

    def _list(self, host: HostQueue[T]) -> None:
        if (host.begun or host.queues) and not host.is_listed:
            host.is_listed = True
            self._listed.append(host)

    def _release_due(self, now: float) -> None:
        while self._delayed and self._delayed[0][0] <= now:
            _, _, host_name, lane, entry = heapq.heappop(self._delayed)
            host = self._hosts[host_name]
            host.delayed -= 1
            self._enqueue(entry, host, lane, first=True)
        while self._timers and self._timers[0][0] <= now:
            _, _, name = heapq.heappop(self._timers)
            if name in self._hosts:
                self._list(self._hosts[name])
