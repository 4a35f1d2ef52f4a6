"""The runs behind `benchmarks.costs`: `aioflags get` as it is, and with samples of its stacks."""

from __future__ import annotations

import json
import shutil
import signal
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.processes import Cost, measure
from benchmarks.samples import Sample, read_samples
from benchmarks.shares import Usage

__all__ = ["KINDS", "PLAIN", "Measured", "measure_once", "median_of"]

PLAIN = "plain"
KINDS = (PLAIN, "user", "all")
"""Without samples, with samples of the time outside the kernel, with samples of all time."""

# Until Python 3.13 a signal can find the interpreter with a frame half made, and what reads the stack then ends the
# process: one run in five or so. It is made again.
_LIVES = 8


@dataclass(slots=True)
class Measured:
    """The runs of one kind: seconds of wall clock and processor of each, and their samples, run by run.

    Args:
        walls: Seconds from start to end.
        usages: Processor.
        ends: Processor before and after the samples.
        samples: One list a run.
        torn: Samples that could not be read.
        lost: Runs that a sample ended.
    """

    walls: list[float] = field(default_factory=list)
    usages: list[Usage] = field(default_factory=list)
    ends: list[Usage] = field(default_factory=list)
    samples: list[list[Sample]] = field(default_factory=list)
    torn: int = 0
    lost: int = 0

    def all_samples(self) -> list[Sample]:
        """Give those of all runs."""
        return [sample for run in self.samples for sample in run]


def median_of(usages: Sequence[Usage]) -> Usage:
    """Give the median of the runs; user and system by themselves."""
    return Usage(statistics.median(usage.user for usage in usages), statistics.median(usage.system for usage in usages))


def measure_once(into: Measured, kind: str, arguments: Sequence[str], place: Path, check: Callable[[], None]) -> None:
    """Run `aioflags` once and add what it used, and what was sampled, to `into`.

    Args:
        into: The runs of this kind.
        kind: One of `KINDS`.
        arguments: Of `aioflags`; what it makes is in `files` of `place`.
        place: A directory, also for what the child reports.
        check: Ends the process if the run has not done its job.

    Raises:
        RuntimeError: The child failed.
    """
    samples, report = place / "samples", place / "report"
    own = ["aioflags"] if kind == PLAIN else ["benchmarks.sampled", kind, str(samples), str(report)]
    for _ in range(_LIVES):
        cost = measure([sys.executable, "-m", *own, *arguments])
        if kind == PLAIN or cost.exit != -signal.SIGSEGV:
            break
        into.lost += 1
        shutil.rmtree(place / "files", ignore_errors=True)
    if cost.exit:
        raise RuntimeError(f"{own[0]} ended with {cost.exit}: {cost.stderr}")
    check()
    into.walls.append(cost.wall)
    into.usages.append(Usage(cost.user, cost.system))
    if kind != PLAIN:
        _take_samples(into, cost, samples, report)


def _take_samples(into: Measured, cost: Cost, samples: Path, report: Path) -> None:
    reported = json.loads(report.read_text())
    before, after = Usage(**reported["before"]), Usage(**reported["after"])
    into.ends.append(Usage(before.user + cost.user - after.user, before.system + cost.system - after.system))
    with samples.open(errors="replace") as lines:
        read = read_samples(lines)
    into.samples.append(read.whole)
    into.torn += read.torn
