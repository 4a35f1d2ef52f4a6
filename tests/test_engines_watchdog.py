"""Deadlines of many, looked at together: who is late is asked, who has left is not."""

from __future__ import annotations

import asyncio
import time

from aioflags.engines.watchdog import Watchdog

NEVER = float("inf")


class Dog:
    """Something that may be late."""

    def __init__(self, due: float) -> None:
        self.due = due
        self.checks: list[float] = []

    def check(self, now: float) -> None:
        self.checks.append(now)
        self.due = NEVER


async def until_checked(dog: Dog) -> None:
    async with asyncio.timeout(10):
        while not dog.checks:
            await asyncio.sleep(0.01)


async def test_who_is_late_is_asked_and_nobody_else() -> None:
    """Not before it is due; it says itself when it is due again."""
    watchdog = Watchdog()
    late, later, never = Dog(time.monotonic()), Dog(time.monotonic() + 0.25), Dog(NEVER)
    for dog in (late, later, never):
        watchdog.watch(dog)
    due = later.due
    await until_checked(late)
    await until_checked(later)
    assert later.checks[0] >= due
    assert len(late.checks) == 1
    assert never.checks == []
    watchdog.close()


async def test_who_has_left_is_not_asked() -> None:
    """Whoever leaves twice is no worse off."""
    watchdog = Watchdog()
    gone, there = Dog(time.monotonic()), Dog(time.monotonic())
    watchdog.watch(gone)
    watchdog.watch(there)
    watchdog.leave(gone)
    watchdog.leave(gone)
    await until_checked(there)
    assert gone.checks == []
    watchdog.close()


async def test_whoever_is_asked_may_leave_and_bring_others() -> None:
    """The book is not changed under the reader."""
    watchdog = Watchdog()
    other = Dog(time.monotonic())

    class Leaver(Dog):
        def check(self, now: float) -> None:
            super().check(now)
            watchdog.leave(self)
            watchdog.watch(other)

    leavers = [Leaver(time.monotonic()) for _ in range(3)]
    for leaver in leavers:
        watchdog.watch(leaver)
    await until_checked(other)
    assert [len(leaver.checks) for leaver in leavers] == [1, 1, 1]
    watchdog.close()


async def test_end_leaves_no_timer() -> None:
    """Closed while it watches, or left by everybody."""
    watchdog = Watchdog()
    dog = Dog(time.monotonic())
    watchdog.watch(dog)
    watchdog.close()
    await asyncio.sleep(0.3)
    assert dog.checks == []
    watchdog.watch(dog)
    watchdog.leave(dog)
    await asyncio.sleep(0.3)
    assert watchdog._timer is None
    watchdog.close()
