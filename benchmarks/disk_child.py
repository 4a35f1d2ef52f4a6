"""One contender of `benchmarks.disk` in a process of its own: writes the files, while a timer says how late it fires.

`python -m benchmarks.disk_child WAY LOOP DIRECTORY FILES SIZE SYNCED` prints one line of JSON. With the way `nothing`
it only listens to the timer, for a second: what the machine and the loop's clock contribute themselves.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.disk_ways import WAYS, Way
from benchmarks.disk_work import Work

__all__ = ["Lateness", "measure_way", "quantile"]

_TASKS = 64
_PERIOD = 0.001
# Seconds for which the timer is listened to alone.
_ALONE = 1.0


class Lateness:
    """How late a timer of a millisecond fires on the running loop, in seconds, again and again until it is stopped.

    Args:
        clock: Seconds; not the loop's own, which stands still while it works.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.seen: list[float] = []
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._begin()

    def _begin(self) -> None:
        self._due = self._clock() + _PERIOD
        self._timer = self._loop.call_later(_PERIOD, self._fire)

    def _fire(self) -> None:
        self.seen.append(max(0.0, self._clock() - self._due))
        self._begin()

    def stop(self) -> list[float]:
        """End it; what it would have seen since counts, too."""
        self._timer.cancel()
        self.seen.append(max(0.0, self._clock() - self._due))
        return self.seen


def quantile(values: list[float], part: float) -> float:
    """Give the value that `part` of all, 0 to 1, do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


async def measure_way(name: str, directory: str, work: Work) -> dict[str, Any]:
    """Write all files; gives seconds of wall clock and processor, and the lateness in seconds."""
    if name == "nothing":
        return await _measure(asyncio.sleep(_ALONE))
    async with WAYS[name](directory, work.is_synced) as way:
        return await _measure(_write(way, work))


async def _measure(job: Any) -> dict[str, Any]:
    await asyncio.sleep(0.05)
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    lateness = Lateness()
    await job
    late = lateness.stop()
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF)
    return {
        "wall": wall,
        "user": after.ru_utime - before.ru_utime,
        "system": after.ru_stime - before.ru_stime,
        "timers": len(late),
        "late_median": quantile(late, 0.5),
        "late_p99": quantile(late, 0.99),
        "late_max": max(late),
    }


async def _write(way: Way, work: Work) -> None:
    if work.is_stream:
        await way.pour(next(work.names()), work.chunks())
        return
    rows = zip(work.names(), work.bodies(), strict=True)
    async with asyncio.TaskGroup() as group:
        for _ in range(_TASKS):
            group.create_task(_write_some(way, rows))


async def _write_some(way: Way, rows: Iterator[tuple[str, bytes]]) -> None:
    for name, body in rows:
        # Where a downloader would wait for its body.
        await asyncio.sleep(0)
        await way.save(name, body)


def main() -> None:
    """Do what the command line says."""
    name, loop, directory, files, size, synced = sys.argv[1:]
    factory = None
    if loop == "uvloop":
        import uvloop

        factory = uvloop.new_event_loop
    work = Work(int(files), int(size), is_synced=synced == "synced")
    with asyncio.Runner(loop_factory=factory) as runner:
        print(json.dumps(runner.run(measure_way(name, directory, work))))


if __name__ == "__main__":
    main()
