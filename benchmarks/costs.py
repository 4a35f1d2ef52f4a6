"""Where the time per file goes: processor microseconds by group of code, which add up to what the system says."""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.contenders import serve
from benchmarks.costs_table import show_functions, show_rows
from benchmarks.samples import Sample, read_samples
from benchmarks.shares import Usage, count_functions, group_of, place_of, rows_of, spread

__all__ = ["Measured", "add_parser", "measure_child", "summarise"]

_SCENARIOS = {"small": (20_000, 2048)}
_KINDS = ("plain", "user", "all")
_PLACES = ("loop", "hands", "disk")
_FUNCTIONS = 40
# A signal can hit a frame that is half made, up to Python 3.12; the run that this ends is made again.
_LIVES = 6


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

    def usage(self) -> Usage:
        """Give the median of the runs; user and system by themselves."""
        return _median(self.usages)

    def all_samples(self) -> list[Sample]:
        """Give those of all runs."""
        return [sample for run in self.samples for sample in run]


def _median(usages: Sequence[Usage]) -> Usage:
    return Usage(statistics.median(usage.user for usage in usages), statistics.median(usage.system for usage in usages))


def add_parser(commands: Any) -> None:
    """Add the command `profile`."""
    parser = commands.add_parser("profile", help=__doc__, description=__doc__)
    parser.add_argument("scenario", choices=list(_SCENARIOS), nargs="?", default="small")
    parser.add_argument("--files", type=int, help="how many (default: 20000, with --quick 2000)")
    parser.add_argument("--rounds", type=int, help="runs of each kind (default: 5, with --quick 2)")
    parser.add_argument("--quick", action="store_true", help="few files and rounds: a look, not a measurement")
    parser.add_argument("--concurrency", type=int, default=64, help="connections (default: %(default)s)")
    parser.add_argument(
        "--url", metavar="PATTERN", help="the files of a server, with {} for their number; default: our own server"
    )
    parser.add_argument(
        "--dir",
        default="/dev/shm" if Path("/dev/shm").is_dir() else None,
        help="where the files go; memory, where there is one, so that the disk is not what is measured",
    )
    parser.add_argument("--option", action="append", default=[], help="a further option of `aioflags get`; repeatable")
    parser.add_argument("--functions", type=int, default=0, metavar="N", help="name the N dearest functions, too")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was measured")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Run the scenario as often as asked and print the table."""
    files, size = _SCENARIOS[args.scenario]
    args.files = args.files or (2000 if args.quick else files)
    args.rounds = args.rounds or (2 if args.quick else 5)
    with nullcontext(None) if args.url else serve() as base:
        pattern = args.url or f"{base}/bytes/{size}?seed={{}}"
        measured = _measure_all(args, [pattern.format(number) for number in range(args.files)])
    result = summarise(args.files, measured)
    print(show_rows(result))
    if args.functions:
        print(show_functions(result, args.functions))
    if args.json:
        args.json.write_text(json.dumps(result, indent=1))


def _measure_all(args: argparse.Namespace, urls: Sequence[str]) -> dict[str, Measured]:
    measured = {kind: Measured() for kind in _KINDS}
    options = ["-j", str(args.concurrency), "--per-host", "0", "--progress", "none", *args.option]
    for number in range(-1, args.rounds):
        for kind in _KINDS:
            with tempfile.TemporaryDirectory(dir=args.dir) as directory:
                place = Path(directory)
                (place / "urls.csv").write_text(
                    "".join(["url,name\n", *(f"{url},{name:06d}\n" for name, url in enumerate(urls))])
                )
                command = ["get", "-i", str(place / "urls.csv"), "-d", str(place / "files"), *options]
                # The first round warms the caches.
                into = measured[kind] if number >= 0 else Measured()
                measure_child(into, kind, command, place, partial(_check, place / "files", len(urls)))
    return measured


def _check(directory: Path, files: int) -> None:
    with os.scandir(directory) as entries:
        found = sum(1 for entry in entries if entry.is_file() and entry.stat().st_size)
    if found != files:
        sys.exit(f"{found} of {files} files were saved: nothing was measured")


def measure_child(
    into: Measured, kind: str, arguments: Sequence[str], place: Path, check: Callable[[], None] = lambda: None
) -> None:
    """Run `aioflags` once and add what it used, and what was sampled, to `into`.

    Args:
        into: The runs of this kind.
        kind: `plain`, without samples, or a timer of `benchmarks.sampled`.
        arguments: Of `aioflags`.
        place: A directory for what the child reports.
        check: Ends the process if the run has not done its job.

    Raises:
        RuntimeError: The child failed.
    """
    samples, report = place / "samples", place / "report"
    own = ["aioflags"] if kind == "plain" else ["benchmarks.sampled", kind, str(samples), str(report)]
    for _ in range(_LIVES):
        began = time.perf_counter()
        child = subprocess.Popen(
            [sys.executable, "-m", *own, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        assert child.stderr is not None
        with child.stderr:
            said = child.stderr.read()
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        if kind == "plain" or child.returncode != -signal.SIGSEGV:
            break
        into.lost += 1
        _empty(place / "files")
    if child.returncode:
        raise RuntimeError(f"{own[0]} ended with {child.returncode}: {said[-500:]}")
    check()
    total = Usage(usage.ru_utime, usage.ru_stime)
    into.walls.append(wall)
    into.usages.append(total)
    if kind != "plain":
        _take_samples(into, total, samples, report)


def _take_samples(into: Measured, total: Usage, samples: Path, report: Path) -> None:
    reported = json.loads(report.read_text())
    before, after = Usage(**reported["before"]), Usage(**reported["after"])
    into.ends.append(Usage(before.user + total.user - after.user, before.system + total.system - after.system))
    with samples.open(errors="replace") as lines:
        read = read_samples(lines)
    into.samples.append(read.whole)
    into.torn += read.torn


def _empty(directory: Path) -> None:
    import shutil

    shutil.rmtree(directory, ignore_errors=True)


def summarise(files: int, measured: dict[str, Measured]) -> dict[str, Any]:
    """Share out what the plain runs used by what the others have shown; plain data, microseconds per file."""
    plain, user, everything = (measured[kind] for kind in _KINDS)
    total = plain.usage()
    # What could come of chance: the runs in two halves.
    halves = [[sample for run in user.samples[part::2] for sample in run] for part in (0, 1)]
    outside = user.all_samples()
    rows = rows_of(total, _median(user.ends + everything.ends), outside, everything.all_samples())
    scale = 1e6 / files
    return {
        "python": sys.version.split()[0],
        "files": files,
        "rounds": len(plain.walls),
        "wall": [wall * scale for wall in plain.walls],
        "plain": [{name: value * scale for name, value in asdict(each).items()} for each in plain.usages],
        "user": total.user * scale,
        "system": total.system * scale,
        "total": total.total * scale,
        "sampled": [each.total * scale for each in user.usages + everything.usages],
        "rows": [
            {
                "group": row.group,
                **{place: seconds * scale for place, seconds in row.places.items()},
                "user": row.user * scale,
                "system": row.system * scale,
                "total": row.total * scale,
            }
            for row in rows
        ],
        "samples": {"user": len(outside), "all": len(everything.all_samples())},
        "torn": user.torn + everything.torn,
        "lost": user.lost + everything.lost,
        "spread": spread(*halves),
        "functions": _functions(outside, (total.user * scale) / max(1, len(outside))),
    }


def _functions(samples: Sequence[Sample], each: float) -> dict[str, Any]:
    """Name the dearest functions of each place; samples of imports and of the collector are left out."""
    named: dict[str, Any] = {}
    for place in _PLACES:
        here = [sample for sample in samples if place_of(sample.thread) == place and not sample.is_collecting]
        here = [sample for sample in here if not group_of(sample).startswith("start-up")]
        named[place] = {
            how: [[name, count * each] for name, count in counts.most_common(_FUNCTIONS)]
            for how, counts in (
                ("self", count_functions(here, inclusive=False)),
                ("inclusive", count_functions(here, inclusive=True)),
            )
        }
    return named
