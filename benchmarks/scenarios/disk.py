"""Ways from the loop to the disk: files a second, beside how late the loop is meanwhile; in memory and on a disk.

All ways do the same work, see `benchmarks.disk_ways`. What is compared is the writing alone, without the start of the
interpreter; bodies cost next to nothing, so that this is the most that a downloader could ask of a disk.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.corpus import check
from benchmarks.disk_ways import WAYS
from benchmarks.disk_work import Work
from benchmarks.figures import show
from benchmarks.machine import describe_machine
from benchmarks.processes import ROOT, Cost
from benchmarks.results import Case, Column, Series
from benchmarks.rounds import Entrant

__all__ = ["LATENESS", "measure", "run"]

LATENESS = (
    Column("late median", "late: median", "ms"),
    Column("late p99", "late: p99", "ms"),
    Column("late max", "late: worst", "ms"),
)
_FILES = (
    Column("wall of one", "wall a file", "us"),
    Column("written", "files/s", "per second"),
    Column("cpu of one", "cpu a file", "us"),
    *LATENESS,
)
_STREAM = (
    Column("wall of one", "wall a MB", "us"),
    Column("written", "MB/s", "MB/s"),
    Column("cpu of one", "cpu a MB", "us"),
    *LATENESS,
)
# There are fifteen cases.
_BUDGET = 8.0
_LOOPS = ("uvloop", "asyncio")
_LATE = "late: how late a timer of 1 ms fires on the loop that hands the files over"
_WHY = {
    "inline": "all of it on the loop",
    "job": "one executor job per file, or per chunk of a stream",
    "aiofiles": "aiofiles as documented: a job per call",
    "groups": "aioflags: a job per group of files, or per 256 KiB of a stream",
}
_IN_MEMORY = frozenset({"tmpfs", "ramfs"})


def run(bench: Bench) -> Iterator[Case]:
    """Give the timer by itself, then a case for each work, place and loop."""
    if bench.budget is not None:
        bench = replace(bench, budget=min(bench.budget, _BUDGET))
    yield _timer_alone(bench)
    memory, disk = _choose(bench.directory, is_memory=True), _choose(bench.directory, is_memory=False)
    for directory, place, works in ((memory, "memory", _in_memory(bench)), (disk, "disk", _on_disk(bench))):
        if directory is None:
            bench.tell(f"no folder is known that is {'in' if place == 'memory' else 'on a'} {place}: skipped")
            continue
        for work in works:
            for loop in _LOOPS:
                yield measure(bench, f"{_name(work)}, {place}, {loop}", work, directory, loop)


def _choose(wanted: Path, *, is_memory: bool) -> Path | None:
    """Find a folder in memory, or on a disk: the one that was asked for, if it is there, else a usual one."""
    folders = (wanted, Path("/dev/shm"), Path("/var/tmp"), Path(tempfile.gettempdir()), ROOT)
    return next(
        (folder for folder in folders if folder.is_dir() and (_kind(folder) in _IN_MEMORY) is is_memory),
        None,
    )


def _kind(folder: Path) -> str:
    return describe_machine(folder)["files go to"]


def _in_memory(bench: Bench) -> list[Work]:
    return [
        Work(bench.pick(20_000, 300), 2048),
        Work(bench.pick(2000, 50), 1 << 16),
        Work(1, bench.pick(1 << 28, 1 << 22)),
    ]


def _on_disk(bench: Bench) -> list[Work]:
    """Fewer files, for a file system may take long over many; and some that are forced to stable storage."""
    return [
        Work(bench.pick(5000, 300), 2048),
        Work(bench.pick(2000, 50), 1 << 16),
        Work(1, bench.pick(1 << 28, 1 << 22)),
        Work(bench.pick(1000, 20), 2048, is_synced=True),
    ]


def _name(work: Work) -> str:
    if work.is_stream:
        return f"a stream of {work.size >> 20} MiB"
    return f"{work.files:,} x {work.size >> 10} KiB{', synced' if work.is_synced else ''}"


def _timer_alone(bench: Bench) -> Case:
    """Measure what the machine and the loops' own clocks contribute."""
    bench.tell("the timer alone")
    entrants = [
        _entrant("nothing", loop, Work(0, 8), loop, "a loop with nothing to do, for a second") for loop in _LOOPS
    ]
    series = bench.take_turns(entrants, bench.directory)
    title = "How late a timer of 1 ms fires on a loop that has nothing to do"
    return Case("timer alone", title, 0, 0, 0, "", LATENESS, series)


def measure(bench: Bench, key: str, work: Work, directory: Path, loop: str) -> Case:
    """Let the ways take turns at one work.

    Args:
        bench: How many rounds.
        key: Names the case.
        work: What is written.
        directory: Where.
        loop: `uvloop` or `asyncio`.
    """
    bench.tell(key)
    entrants = [_entrant(way, way, work, loop, _WHY[way]) for way in WAYS]
    series = bench.take_turns(entrants, directory)
    columns = _STREAM if work.is_stream else _FILES
    size = work.files * work.size
    notes = [_LATE, *_verdict(series)]
    return Case(key, f"From the loop to the disk: {key}", work.files, size, 64, "", columns, series, notes=notes)


def _entrant(way: str, name: str, work: Work, loop: str, why: str) -> Entrant:
    child = [sys.executable, "-m", "benchmarks.disk_child", way, loop]
    how = [str(work.files), str(work.size), "synced" if work.is_synced else "loose"]
    return Entrant(
        name,
        "",
        why,
        lambda directory: [*child, str(directory), *how],
        partial(check, work.expected()),
        _settle,
        partial(_figures, work),
        {sys.executable: "python"},
    )


def _settle(_: Path) -> None:
    """Have the system write what it owes the disk: the next way must not wait for what the last one left."""
    if hasattr(os, "sync"):
        os.sync()


def _figures(work: Work, _: Path, cost: Cost) -> Mapping[str, float]:
    if cost.exit:
        return {}
    row = json.loads(cost.stdout)
    late = {f"late {part}": row[f"late_{part}"] for part in ("median", "p99", "max")}
    if not work.files:
        return late
    done = work.size / 1e6 if work.is_stream else work.files
    return {
        "wall of one": row["wall"] / done,
        "written": (work.size if work.is_stream else work.files) / row["wall"],
        "cpu of one": (row["user"] + row["system"]) / done,
        **late,
    }


def _verdict(series: list[Series]) -> list[str]:
    """Say which way is fastest, inline or not, and which keeps the loop on time."""
    clean = {each.name: each for each in series if each.is_clean}
    if not clean.keys() >= WAYS.keys():
        return []
    walls = {name: each.median(lambda one: one.figures["wall of one"]) for name, each in clean.items()}
    late = {name: each.median(lambda one: one.figures["late p99"]) for name, each in clean.items()}
    fastest, calmest = min(walls, key=lambda name: walls[name]), min(late, key=lambda name: late[name])
    pace = "" if fastest == "groups" else f", groups reach {100 * walls[fastest] / walls['groups']:.0f} % of that"
    calm = "" if calmest == "groups" else f" and {show(late['groups'], 'ms')} with groups"
    return [
        f"{fastest} is the fastest{pace}",
        f"one timer in a hundred is later than {show(late['inline'], 'ms')} with inline{calm}; "
        f"least with {calmest}: {show(late[calmest], 'ms')}",
    ]
