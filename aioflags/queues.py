"""Entries that wait for one host, in lanes, and what there is to know of the host. Pure data with the order in it."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

from aioflags.records import dataclass

__all__ = ["HostQueue", "Lane", "Pause"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pause:
    """A host that is left alone until a time, why, and how many entries wait for it."""

    host: str
    until: float
    why: str
    waiting: int


class Lane:
    """One stream of entries; its state is kept by the schedule, for others to read."""

    __slots__ = ("in_flight", "is_open", "waiting")

    def __init__(self) -> None:
        self.is_open = True
        self.waiting = 0
        self.in_flight = 0


class HostQueue(Generic[T]):
    """The entries of one host, and what is known of it; its owner keeps the counts.

    `begun` holds those that were tried before, `queues` the others, by lane; `delayed` counts those that have to wait.

    Args:
        name: The host.
        window: Attempts that it is given at first.
    """

    __slots__ = (
        "begun",
        "delayed",
        "in_flight",
        "is_held",
        "is_listed",
        "name",
        "next_start",
        "paused_until",
        "queues",
        "setbacks",
        "shrunk_at",
        "timer_at",
        "why_paused",
        "window",
    )

    def __init__(self, name: str, window: float) -> None:
        self.name = name
        self.window = window
        self.in_flight = 0
        self.begun: dict[Lane, deque[T]] = {}
        self.queues: dict[Lane, deque[T]] = {}
        self.delayed = 0
        self.is_held = False
        self.paused_until = float("-inf")
        self.why_paused = ""
        self.next_start = float("-inf")
        self.shrunk_at = float("-inf")
        self.is_listed = False
        self.timer_at = float("-inf")
        self.setbacks = 0

    def ready_at(self) -> float:
        """Tell from when on an attempt may be started, as far as pause and rate go."""
        return max(self.paused_until, self.next_start)

    def is_quiet(self) -> bool:
        """Tell whether no entry that has begun is in flight or yet to come; in a closed lane it may never come."""
        return not (self.in_flight or self.delayed or any(lane.is_open for lane in self.begun))

    def __len__(self) -> int:
        return sum(len(queue) for queues in (self.begun, self.queues) for queue in queues.values())

    def is_idle(self) -> bool:
        """Tell whether nothing of it waits or is in flight."""
        return not (self.in_flight or self.delayed or self.begun or self.queues)

    def choose(self) -> tuple[dict[Lane, deque[T]], Lane] | None:
        """Give the queues and the lane whose turn it is: what has begun comes before what is new."""
        for queues in (self.begun, self.queues):
            if queues is self.queues and self.is_held and not self.is_quiet():
                break
            for lane in queues:
                if lane.is_open:
                    return queues, lane
        return None
