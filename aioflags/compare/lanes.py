"""Attempts arranged for a picture: a lane for each worker; what is too short to be seen is merged with neighbours."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence

from aioflags.compare.runs import Span
from aioflags.records import dataclass
from aioflags.trace import PHASES

__all__ = ["Cell", "Lane", "lanes_of", "ticks"]

_WORK = slice(1, len(PHASES))
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Cell:
    """One attempt, or several of one worker that are too short to be seen alone.

    Args:
        begin: Seconds at which the first was taken up.
        end: Seconds at which the last was done.
        name: File of the first.
        count: How many attempts.
        failed: How many of them failed.
        waited: Seconds that they waited for a slot, added up.
        work: Seconds of each phase after that, added up.
    """

    begin: float
    end: float
    name: str
    count: int
    failed: int
    waited: float
    work: tuple[float, ...]

    def merged(self, other: Cell) -> Cell:
        """Give both as one."""
        work = tuple(a + b for a, b in zip(self.work, other.work, strict=True))
        return Cell(
            self.begin,
            max(self.end, other.end),
            self.name,
            self.count + other.count,
            self.failed + other.failed,
            self.waited + other.waited,
            work,
        )


@dataclass(frozen=True, slots=True)
class Lane:
    """All that one worker did.

    Args:
        worker: Its name.
        cells: In order of time.
        waits: When there was a file waiting that this worker was to take up: begins and ends, in order, apart.
    """

    worker: str
    cells: tuple[Cell, ...]
    waits: tuple[tuple[float, float], ...]


def lanes_of(spans: Iterable[Span], shortest: float) -> list[Lane]:
    """Arrange attempts by worker.

    Args:
        spans: In any order.
        shortest: Seconds that can be seen; what is shorter is merged with its neighbours.
    """
    workers: dict[str, list[Span]] = {}
    for span in spans:
        workers.setdefault(span.worker, []).append(span)
    return [
        Lane(worker, _cells_of(workers[worker], shortest), _waits_of(workers[worker], shortest))
        for worker in sorted(workers, key=_natural)
    ]


def _cells_of(spans: Sequence[Span], shortest: float) -> tuple[Cell, ...]:
    cells: list[Cell] = []
    for span in sorted(spans, key=lambda span: span.started):
        waited, *work = span.durations
        cell = Cell(span.started, span.ended, span.name, 1, int(span.is_failed), waited, tuple(work))
        last = cells[-1] if cells else None
        if last and cell.begin - last.end < shortest and _is_short(last, shortest) and _is_short(cell, shortest):
            cells[-1] = last.merged(cell)
        else:
            cells.append(cell)
    return tuple(cells)


def _is_short(cell: Cell, shortest: float) -> bool:
    return cell.end - cell.begin < shortest


def _waits_of(spans: Sequence[Span], shortest: float) -> tuple[tuple[float, float], ...]:
    waits: list[tuple[float, float]] = []
    for begin, end in sorted((span.queued, span.started) for span in spans):
        if waits and begin - waits[-1][1] < shortest:
            waits[-1] = waits[-1][0], max(waits[-1][1], end)
        elif end - begin >= shortest / 2:
            waits.append((begin, end))
    return tuple(waits)


def _natural(worker: str) -> tuple[str, list[int]]:
    return _NUMBER.sub("", worker), [int(number) for number in _NUMBER.findall(worker)]


def ticks(length: float, most: int = 5) -> list[float]:
    """Give round times from 0 to `length`, in seconds, for an axis; at most `most` besides 0.

    >>> ticks(1.57)
    [0.0, 0.5, 1.0, 1.5]
    """
    if length <= 0:
        return [0.0]
    power = 10.0 ** math.floor(math.log10(length / most))
    step = next(step * power for step in (1, 2, 5, 10, 20) if length / (step * power) <= most)
    return [round(number * step, 9) for number in range(int(length / step + 1e-9) + 1)]
