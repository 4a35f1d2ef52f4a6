"""What was measured of one run of one engine, as plain data that crosses a pipe as JSON; no clock, no process."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict
from itertools import pairwise
from typing import Any, Self

from aioflags.records import dataclass

__all__ = ["ENGINES", "Run", "Span", "Summary", "summarise"]

ENGINES = ("sequential", "threads", "processes", "aiohttp", "asyncio")
"""In the order in which they are run and shown."""


@dataclass(frozen=True, slots=True)
class Span:
    """One attempt.

    Args:
        worker: Who made it: a task slot, a thread, a process.
        name: Of the file.
        marks: Seconds since the run began at which each of `aioflags.trace.PHASES` begins, and the last one ends.
        is_failed: It did not save the file.
    """

    worker: str
    name: str
    marks: tuple[float, ...]
    is_failed: bool = False

    @property
    def queued(self) -> float:
        """When it began to wait for a slot."""
        return self.marks[0]

    @property
    def started(self) -> float:
        """When the worker took it up."""
        return self.marks[1]

    @property
    def received(self) -> float:
        """When nothing more was wanted of the server, and writing was all that was left."""
        return self.marks[-2]

    @property
    def ended(self) -> float:
        """When all was done."""
        return self.marks[-1]

    @property
    def durations(self) -> tuple[float, ...]:
        """Seconds that each of the phases took."""
        return tuple(end - begin for begin, end in pairwise(self.marks))


@dataclass(frozen=True, slots=True)
class Run:
    """One run.

    Args:
        engine: Its name.
        wall: Seconds from opening the downloader to the last outcome.
        cpu: Seconds of processor, workers included.
        memory: Peak in bytes, the sum of the peaks of all processes; `None` where the system does not tell.
        threads: In all processes.
        processes: How many, those that Python starts besides the workers included.
        first_file: Seconds until the first file was there, `None` if none came.
        saved: Files.
        failed: Items without their file.
        bytes: Of all files.
        spans: Attempts, the first 20,000 of them.
    """

    engine: str
    wall: float
    cpu: float
    memory: int | None
    threads: int
    processes: int
    first_file: float | None
    saved: int
    failed: int
    bytes: int
    spans: tuple[Span, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        return asdict(self)

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> Self:
        """Read what `as_json` gave."""
        spans = tuple(
            Span(span["worker"], span["name"], tuple(span["marks"]), span["is_failed"]) for span in row["spans"]
        )
        return cls(**{**row, "spans": spans})


@dataclass(frozen=True, slots=True)
class Summary:
    """All runs of one engine.

    Args:
        runs: At least one.
        typical: The one whose wall time is in the middle; its attempts are those that are shown.
        workers: Who worked in the typical run.
        busy: Seconds that all attempts of the typical run took, added up, waits for a slot not counted.
        longest: Seconds that the longest of them took.
        at_once: How many were in flight at the same time, at most; what has come and is being written is not.
    """

    runs: tuple[Run, ...]
    typical: Run
    workers: int
    busy: float
    longest: float
    at_once: int

    @property
    def engine(self) -> str:
        """Its name."""
        return self.typical.engine

    @property
    def wall(self) -> float:
        """Median, in seconds."""
        return self._median(lambda run: run.wall)

    @property
    def cpu(self) -> float:
        """Median, in seconds."""
        return self._median(lambda run: run.cpu)

    @property
    def threads(self) -> int:
        """Median."""
        return round(self._median(lambda run: run.threads))

    @property
    def processes(self) -> int:
        """Median."""
        return round(self._median(lambda run: run.processes))

    @property
    def memory(self) -> int | None:
        """Median, in bytes; `None` where the system does not tell."""
        known = [run.memory for run in self.runs if run.memory is not None]
        return round(statistics.median(known)) if known else None

    @property
    def first_file(self) -> float | None:
        """Median, in seconds; `None` if no file came."""
        known = [run.first_file for run in self.runs if run.first_file is not None]
        return statistics.median(known) if known else None

    @property
    def failed(self) -> int:
        """The most of all runs."""
        return max(run.failed for run in self.runs)

    @property
    def spread(self) -> tuple[float, float]:
        """Shortest and longest wall time, in seconds."""
        walls = [run.wall for run in self.runs]
        return min(walls), max(walls)

    def _median(self, figure: Callable[[Run], float]) -> float:
        return statistics.median(figure(run) for run in self.runs)


def summarise(runs: Sequence[Run]) -> Summary:
    """Sum up the runs of one engine."""
    typical = sorted(runs, key=lambda run: run.wall)[(len(runs) - 1) // 2]
    lengths = [span.ended - span.started for span in typical.spans]
    return Summary(
        runs=tuple(runs),
        typical=typical,
        workers=len({span.worker for span in typical.spans}),
        busy=sum(lengths),
        longest=max(lengths, default=0.0),
        at_once=_most_at_once(typical.spans),
    )


def _most_at_once(spans: Sequence[Span]) -> int:
    # Who ends comes before who starts at the same moment.
    changes = sorted([(span.started, 1) for span in spans] + [(span.received, -1) for span in spans])
    most = now = 0
    for _, change in changes:
        now += change
        most = max(most, now)
    return most
