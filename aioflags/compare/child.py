"""One run in a fresh process: reads what to do as JSON from standard input, prints one row of JSON.

`python -m aioflags.compare.child`. Imports are done before the clock starts.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
import time
from array import array
from typing import Any, get_args

from aioflags.cli.runner import choose_loop, raise_file_limit
from aioflags.compare.account import Account, look_up
from aioflags.compare.runs import Run, Span
from aioflags.downloader import Downloader
from aioflags.errors import StorageError
from aioflags.items import Item, Outcome, Status, Tally
from aioflags.settings import EngineName
from aioflags.trace import PHASES, Attempted, Finished, Scheduled

__all__ = ["main"]

_KEPT = 20_000
_DRIVERS = {
    "aiohttp": "aioflags.engines.aiohttp_engine",
    "asyncio": "aioflags.engines.asyncio_engine",
    "processes": "aioflags.engines.processes_engine",
    "sequential": "aioflags.engines.threads_engine",
    "threads": "aioflags.engines.threads_engine",
}


class _Spans:
    """A tracer that keeps attempts, densely, so that it hardly counts in the memory that is measured."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._workers: list[str] = []
        self._failed: list[bool] = []
        self._marks = array("d")

    def scheduled(self, event: Scheduled) -> None:
        """Nothing is known yet."""

    def attempted(self, event: Attempted) -> None:
        """Keep it, unless there are too many."""
        if len(self._names) < _KEPT:
            self._names.append(event.name)
            self._workers.append(event.worker)
            self._failed.append(event.error is not None)
            self._marks.extend(event.marks)

    def finished(self, event: Finished) -> None:
        """Outcomes are counted by whoever reads them."""

    def since(self, began: float) -> tuple[Span, ...]:
        """Give all, with times since `began`."""
        width = len(PHASES) + 1
        return tuple(
            Span(worker, name, tuple(mark - began for mark in self._marks[width * i : width * (i + 1)]), is_failed)
            for i, (worker, name, is_failed) in enumerate(zip(self._workers, self._names, self._failed, strict=True))
        )


class _Stopwatch:
    """What is counted and timed of a run."""

    def __init__(self) -> None:
        self.tally = Tally()
        self.first_file: float | None = None
        self.wall = 0.0
        self.account = Account(0.0, None, 0, 0)
        self._cpu = look_up().cpu
        self.began = time.monotonic()

    def take(self, outcome: Outcome) -> None:
        """Count an outcome."""
        self.tally.add(outcome)
        if self.first_file is None and outcome.status is Status.SAVED:
            self.first_file = time.monotonic() - self.began

    def stop(self) -> None:
        """The last outcome is there; workers still live, so they can be looked at."""
        self.wall = time.monotonic() - self.began
        self.account = look_up()

    @property
    def cpu(self) -> float:
        """Seconds of processor since the beginning."""
        return self.account.cpu - self._cpu


async def _measure(engine: EngineName, directory: str, items: list[Item], options: dict[str, Any]) -> Run:
    spans = _Spans()
    watch = _Stopwatch()
    async with Downloader(directory, engine=engine, tracer=spans, **options) as downloader:
        async with downloader.outcomes(items) as outcomes:
            async for outcome in outcomes:
                watch.take(outcome)
        watch.stop()
    tally, account = watch.tally, watch.account
    return Run(
        engine=engine,
        wall=watch.wall,
        cpu=watch.cpu,
        memory=account.memory,
        threads=account.threads,
        processes=account.processes,
        first_file=watch.first_file,
        saved=tally.statuses[Status.SAVED],
        failed=tally.statuses[Status.FAILED] + tally.statuses[Status.MISSING],
        bytes=tally.bytes,
        spans=spans.since(watch.began),
    )


def main() -> None:
    """Do one run."""
    wish = json.load(sys.stdin)
    engine = next(name for name in get_args(EngineName) if name == wish["engine"])
    importlib.import_module(_DRIVERS[engine])
    items = [Item(**item) for item in wish["items"]]
    raise_file_limit(wish["options"]["concurrency"])
    try:
        with asyncio.Runner(loop_factory=choose_loop()) as runner:
            run = runner.run(_measure(engine, wish["directory"], items, wish["options"]))
    except StorageError as error:
        json.dump({"fault": error.message}, sys.stdout)
        return
    json.dump(run.as_json(), sys.stdout)


if __name__ == "__main__":
    main()
