"""Ways from the loop to the disk: files a second beside how late the loop is meanwhile, in memory and on the disk."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.corpus import check
from benchmarks.disk_picture import draw
from benchmarks.disk_ways import WAYS
from benchmarks.disk_work import Work
from benchmarks.processes import measure

__all__ = ["Case", "add_parser", "cases_of", "measure_case", "show_table", "summarise"]

_LOOPS = ("uvloop", "asyncio")
_NOTHING = "nothing"
_FIGURES = ("rate", "cpu", "late_median", "late_p99", "late_max")


@dataclass(frozen=True, slots=True)
class Case:
    """What is written, where, and on which loop.

    Args:
        name: Of the work.
        work: The files.
        place: `memory` or `disk`.
        directory: A folder there.
        loop: `uvloop` or `asyncio`.
    """

    name: str
    work: Work
    place: str
    directory: str | None
    loop: str


@dataclass(slots=True)
class Runs:
    """What the runs of one way have shown in one case; seconds, files."""

    rows: list[Mapping[str, float]] = field(default_factory=list)
    wrong: int = 0


def add_parser(commands: Any) -> None:
    """Add the command `disk`."""
    parser = commands.add_parser("disk", help=__doc__, description=__doc__)
    parser.add_argument("--rounds", type=int, help="runs of each way (default: 5, with --quick 2)")
    parser.add_argument("--quick", action="store_true", help="few files and rounds: a look, not a measurement")
    parser.add_argument("--dir", default=tempfile.gettempdir(), help="a folder on a real disk (default: %(default)s)")
    parser.add_argument("--memory", default="/dev/shm", help="a folder in memory (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was measured")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw it")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Run all ways in all cases and print the table."""
    rounds = args.rounds or (2 if args.quick else 5)
    places = {"memory": args.memory, "disk": args.dir}
    if not Path(args.memory).is_dir():
        print(f"{args.memory} is not there: nothing is measured in memory")
        del places["memory"]
    cases = list(cases_of(places, is_quick=args.quick))
    result: dict[str, Any] = {
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "rounds": rounds,
        "rows": [row for case in cases for row in summarise(case, measure_case(case, rounds))],
    }
    print(show_table(result))
    if args.json:
        args.json.write_text(json.dumps(result, indent=1))
    if args.svg:
        args.svg.write_text(draw(result))
    if any(row["wrong"] for row in result["rows"]):
        sys.exit("some files are not what they should be")


def cases_of(places: Mapping[str, str], *, is_quick: bool) -> Iterator[Case]:
    """Name all cases; what is forced to stable storage only on the disk, for memory has none."""
    works = {
        "2 KiB": Work(2000 if is_quick else 20_000, 2048),
        "64 KiB": Work(200 if is_quick else 2000, 1 << 16),
        "one stream": Work(1, (1 << 24) if is_quick else (1 << 28)),
        "2 KiB, synced": Work(100 if is_quick else 1000, 2048, is_synced=True),
    }
    for place, directory in places.items():
        for name, work in works.items():
            for loop in _LOOPS:
                if place == "disk" or not work.is_synced:
                    yield Case(name, work, place, directory, loop)


def measure_case(case: Case, rounds: int) -> dict[str, Runs]:
    """Let the ways take turns; the first round warms the caches and does not count."""
    runs = {name: Runs() for name in (_NOTHING, *WAYS)}
    for number in range(-1, rounds):
        for name, into in runs.items():
            row, wrong = _run_once(case, name)
            into.wrong += wrong
            if number >= 0:
                into.rows.append(row)
    return runs


def _run_once(case: Case, name: str) -> tuple[Mapping[str, float], int]:
    """Run one way once and look at every byte that it wrote; gives its figures, and the files that are not right.

    Raises:
        RuntimeError: It failed.
    """
    work = case.work
    with tempfile.TemporaryDirectory(prefix="benchmarks-disk-", dir=case.directory) as folder:
        directory = os.path.join(folder, "files")
        if case.place == "disk":
            # What the one before has left to be written is not for this one to wait for.
            os.sync()
        child = [sys.executable, "-m", "benchmarks.disk_child", name, case.loop, directory]
        cost = measure([*child, str(work.files), str(work.size), "synced" if work.is_synced else "loose"])
        if cost.exit:
            raise RuntimeError(f"{name} ended with {cost.exit}: {cost.stderr}")
        if name == _NOTHING:
            return json.loads(cost.stdout), 0
        found = check(work.expected(), Path(directory))
        return json.loads(cost.stdout), found.missing + found.wrong + found.extra


def summarise(case: Case, runs: Mapping[str, Runs]) -> Iterator[dict[str, Any]]:
    """Give a row for each way: medians of files (of a stream, MiB) a second, processor microseconds each, lateness.

    Each figure comes as its median, least and most over the rounds; lateness in milliseconds.
    """
    size = case.work.size / 2**20 if case.work.is_stream else case.work.files
    for name, each in runs.items():
        figures = [
            {
                "rate": 0.0 if name == _NOTHING else size / row["wall"],
                "cpu": 0.0 if name == _NOTHING else 1e6 * (row["user"] + row["system"]) / size,
                **{key: 1e3 * row[key] for key in ("late_median", "late_p99", "late_max")},
            }
            for row in each.rows
        ]
        yield {
            "case": case.name,
            "place": case.place,
            "loop": case.loop,
            "way": name,
            "wrong": each.wrong,
            "unit": "MiB" if case.work.is_stream else "files",
            **{key: _spread([figure[key] for figure in figures]) for key in _FIGURES},
        }


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


def show_table(result: Mapping[str, Any]) -> str:
    """Give the table, and a word on each case: which way is fastest, and what that costs the loop."""
    lines = [
        f"Python {result['python']}, {result['system']}, {result['cores']} cores; medians of {result['rounds']} rounds",
        f"{'':33}{'way':10}{'a second':>10} {'(least to most)':>20}{'cpu us':>9}"
        f"{'late ms: median':>17}{'p99':>8}{'max':>8}{'wrong':>7}",
    ]
    for key, rows in _by_case(result["rows"]).items():
        for row in rows:
            lines.append(_line(" ".join(key) if row is rows[0] else "", row))
        lines.append(_verdict(rows))
    return "\n".join(lines)


def _by_case(rows: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str, str], list[Mapping[str, Any]]]:
    cases: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        cases.setdefault((row["place"], row["case"], row["loop"]), []).append(row)
    return cases


def _line(head: str, row: Mapping[str, Any]) -> str:
    rate, late = row["rate"], [row[key]["median"] for key in ("late_median", "late_p99", "late_max")]
    begin = f"{head:33}{row['way']:10}"
    if row["way"] == _NOTHING:
        done = " " * 40
    else:
        span = f"({rate['least']:.0f} to {rate['most']:.0f})"
        done = f"{rate['median']:10.0f} {span:>20}{row['cpu']['median']:9.1f}"
    return f"{begin}{done}{late[0]:17.2f}{late[1]:8.2f}{late[2]:8.1f}{row['wrong'] or '':>7}"


def _verdict(rows: Sequence[Mapping[str, Any]]) -> str:
    ways = {row["way"]: row for row in rows if row["way"] != _NOTHING}
    fastest = max(ways.values(), key=lambda row: row["rate"]["median"])
    calmest = min(ways.values(), key=lambda row: row["late_p99"]["median"])
    groups = ways["groups"]
    share = 100 * groups["rate"]["median"] / fastest["rate"]["median"]
    best = "groups are" if fastest is groups else f"{fastest['way']} is"
    told = f"{best} fastest" if fastest is groups else f"{best} fastest, groups reach {share:.0f} % of it"
    late = f"the loop is least late (p99) with {calmest['way']}, {calmest['late_p99']['median']:.2f} ms"
    return f"{'':33}-> {told}; {late}; inline {ways['inline']['late_p99']['median']:.2f} ms\n"
