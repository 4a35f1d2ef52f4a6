"""Who is next: fair over hosts, within each host's window, rate and pause. Pure: told the time, never asks for it.

An entry waits in the queue of its host and lane. A *lane* is one stream of items; a closed lane keeps its entries
back (its reader is slow) while other lanes go on. A *host window* is how many attempts one host is given now: it
halves when the host asks for less or times out, and grows by one for every full window that succeeds.
"""

from __future__ import annotations

import heapq
from collections import deque
from enum import Enum
from itertools import count
from typing import Generic, TypeVar

__all__ = ["Feedback", "Lane", "Schedule"]

T = TypeVar("T")

# Idle hosts with something to remember (a pause, a small window) are kept, the latest so many.
_REMEMBERED_HOSTS = 10_000


class Feedback(Enum):
    """What an attempt taught about its host."""

    WELL = "well"
    NEUTRAL = "neutral"
    SLOW_DOWN = "slow down"
    REFUSED = "refused"
    OUT_OF_RESOURCES = "out of resources"


class Lane:
    """One stream of entries; its state is kept by the schedule, for others to read."""

    __slots__ = ("in_flight", "is_open", "waiting")

    def __init__(self) -> None:
        self.is_open = True
        self.waiting = 0
        self.in_flight = 0


class _Host(Generic[T]):
    __slots__ = (
        "in_flight",
        "is_listed",
        "name",
        "next_start",
        "paused_until",
        "queues",
        "setbacks",
        "shrunk_at",
        "timer_at",
        "window",
    )

    def __init__(self, name: str, window: float) -> None:
        self.name = name
        self.window = window
        self.in_flight = 0
        self.queues: dict[Lane, deque[T]] = {}
        self.paused_until = float("-inf")
        self.next_start = float("-inf")
        self.shrunk_at = float("-inf")
        self.is_listed = False
        self.timer_at = float("-inf")
        self.setbacks = 0

    def ready_at(self) -> float:
        return max(self.paused_until, self.next_start)


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
        self._hosts: dict[str, _Host[T]] = {}
        # Names of the remembered hosts, the longest idle one first.
        self._idle: dict[str, None] = {}
        self._listed: deque[_Host[T]] = deque()
        self._timers: list[tuple[float, int, str]] = []
        self._delayed: list[tuple[float, int, str, Lane, T]] = []
        self._sequence = count()
        self.in_flight = 0

    def __repr__(self) -> str:
        waiting = sum(len(queue) for host in self._hosts.values() for queue in host.queues.values())
        return f"Schedule({self.in_flight} in flight, {waiting} waiting, {len(self._delayed)} delayed)"

    def add(self, entry: T, host: str, lane: Lane, *, not_before: float | None = None, first: bool = False) -> None:
        """Put `entry` in its queue, at the front if it is `first`; not to be started earlier than `not_before`."""
        lane.waiting += 1
        if not_before is not None:
            heapq.heappush(self._delayed, (not_before, next(self._sequence), host, lane, entry))
        else:
            self._enqueue(entry, host, lane, first)

    def _enqueue(self, entry: T, host_name: str, lane: Lane, first: bool) -> None:
        host = self._host(host_name)
        self._idle.pop(host_name, None)
        queue = host.queues.setdefault(lane, deque())
        if first:
            queue.appendleft(entry)
        else:
            queue.append(entry)
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

    def _take_from(self, host: _Host[T], now: float) -> T | None:
        if host.in_flight >= int(host.window):
            return None
        if host.ready_at() > now:
            if host.timer_at != host.ready_at():
                host.timer_at = host.ready_at()
                heapq.heappush(self._timers, (host.timer_at, next(self._sequence), host.name))
            return None
        lane = next((lane for lane in host.queues if lane.is_open), None)
        if lane is None:
            return None
        queue = host.queues.pop(lane)
        entry = queue.popleft()
        if queue:
            # Back at the end: lanes of one host take turns.
            host.queues[lane] = queue
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

    def finish(self, host_name: str, lane: Lane, feedback: Feedback, *, started: float, now: float) -> None:
        """An attempt at `host_name` for an entry of `lane`, begun at `started`, has ended."""
        host = self._host(host_name)
        host.in_flight -= 1
        lane.in_flight -= 1
        self.in_flight -= 1
        if feedback is Feedback.WELL:
            host.setbacks = 0
            host.window = min(self._limit, host.window + 1.0 / host.window)
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

    def pause(self, host_name: str, until: float) -> None:
        """Start nothing at this host before the time `until`."""
        host = self._host(host_name)
        host.paused_until = max(host.paused_until, until)
        self._let_rest(host)

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
        lane.is_open = False

    def open(self, lane: Lane) -> None:
        """Let the entries of `lane` start again."""
        if not lane.is_open:
            lane.is_open = True
            for host in self._hosts.values():
                self._list(host)

    def lanes(self) -> set[Lane]:
        """Give the lanes that have entries waiting."""
        queued = {lane for host in self._hosts.values() for lane in host.queues}
        return queued | {row[3] for row in self._delayed}

    def drop(self, lane: Lane) -> list[T]:
        """Forget all waiting entries of `lane` and return them."""
        dropped: list[T] = []
        for host in [host for host in self._hosts.values() if lane in host.queues]:
            dropped += host.queues.pop(lane)
            self._let_rest(host)
        dropped += [entry for _, _, _, its_lane, entry in self._delayed if its_lane is lane]
        self._delayed = [row for row in self._delayed if row[3] is not lane]
        heapq.heapify(self._delayed)
        lane.waiting = 0
        return dropped

    def _host(self, name: str) -> _Host[T]:
        host = self._hosts.get(name)
        if host is None:
            host = self._hosts[name] = _Host(name, self._limit)
        return host

    def _let_rest(self, host: _Host[T], now: float = float("-inf")) -> None:
        """Forget an idle host of which there is nothing to remember at this time; of the others keep the latest."""
        if host.in_flight or host.queues:
            return
        self._idle.pop(host.name, None)
        if host.window < self._limit or host.ready_at() > now:
            self._idle[host.name] = None
            if len(self._idle) <= _REMEMBERED_HOSTS:
                return
            host = self._hosts[next(iter(self._idle))]
            del self._idle[host.name]
        del self._hosts[host.name]

    def _list(self, host: _Host[T]) -> None:
        if host.queues and not host.is_listed:
            host.is_listed = True
            self._listed.append(host)

    def _release_due(self, now: float) -> None:
        while self._delayed and self._delayed[0][0] <= now:
            _, _, host_name, lane, entry = heapq.heappop(self._delayed)
            self._enqueue(entry, host_name, lane, first=True)
        while self._timers and self._timers[0][0] <= now:
            _, _, name = heapq.heappop(self._timers)
            if name in self._hosts:
                self._list(self._hosts[name])
