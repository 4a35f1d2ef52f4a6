"""Where the time per file goes: processor microseconds by group of code, which add up to what the system says."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.corpus import Corpus, check, numbered
from benchmarks.costs_runs import KINDS, Measured, measure_once, median_of
from benchmarks.costs_table import show_functions, show_layers, show_rows
from benchmarks.layers import measure_layers
from benchmarks.machine import describe_machine
from benchmarks.samples import Sample
from benchmarks.servers import Server, serve_files
from benchmarks.shares import START, count_functions, group_of, place_of, rows_of, spread

__all__ = ["add_parser", "demand_whole", "summarise"]

_SCENARIOS = {"small": (20_000, 2048)}
_PLACES = ("loop", "hands", "disk")
_FUNCTIONS = 40


def add_parser(commands: Any) -> None:
    """Add the command `profile`."""
    parser = commands.add_parser("profile", help=__doc__, description=__doc__)
    parser.add_argument("scenario", choices=list(_SCENARIOS), nargs="?", default="small")
    parser.add_argument("--files", type=int, help="how many (default: 20000, with --quick 2000)")
    parser.add_argument("--rounds", type=int, help="runs of each kind (default: 5, with --quick 2)")
    parser.add_argument("--quick", action="store_true", help="few files and rounds: a look, not a measurement")
    parser.add_argument("--concurrency", type=int, default=64, help="connections (default: %(default)s)")
    shared = "/dev/shm"
    parser.add_argument(
        "--dir",
        type=Path,
        default=Path(shared if Path(shared).is_dir() else tempfile.gettempdir()),
        help="where the files go; memory, where there is one, so that the disk is not what is measured",
    )
    parser.add_argument("--option", action="append", default=[], help="a further option of `aioflags get`; repeatable")
    parser.add_argument("--layers", action="store_true", help="take layers out, too, and see what is saved")
    parser.add_argument("--functions", type=int, default=0, metavar="N", help="name the N dearest functions, too")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was measured")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Run the scenario as often as asked and print the tables."""
    files, size = _SCENARIOS[args.scenario]
    corpus = numbered("small", args.files or (2000 if args.quick else files), size)
    rounds = args.rounds or (2 if args.quick else 5)
    with tempfile.TemporaryDirectory(prefix="benchmarks-root-", dir=args.dir) as root:
        corpus.write(Path(root))
        with serve_files(Path(root)) as server:
            measured = _measure_all(args, server, corpus, rounds)
            result = summarise(len(corpus.files), measured)
            result["machine"], result["server"] = describe_machine(args.dir), server.name
            print(show_rows(result))
            if args.layers:
                result["layers"] = measure_layers(server, corpus, args.concurrency, rounds, args.dir)
                print("\n" + show_layers(result["layers"]))
    if args.functions:
        print(show_functions(result, args.functions))
    if args.json:
        args.json.write_text(json.dumps(result, indent=1))


def _measure_all(args: argparse.Namespace, server: Server, corpus: Corpus, rounds: int) -> dict[str, Measured]:
    """Let the kinds of runs take turns; the first round warms the caches and does not count."""
    measured = {kind: Measured() for kind in KINDS}
    options = ["-j", str(args.concurrency), "--per-host", "0", "--progress", "none", *args.option]
    for number in range(-1, rounds):
        for kind in KINDS:
            with tempfile.TemporaryDirectory(prefix="benchmarks-files-", dir=args.dir) as folder:
                place = Path(folder)
                (place / "urls").write_text("".join(f"{server.url}{file.path}\n" for file in corpus.files))
                command = ["get", "-i", str(place / "urls"), "-d", str(place / "files"), *options]
                into = measured[kind] if number >= 0 else Measured()
                measure_once(into, kind, command, place, partial(demand_whole, corpus, place / "files"))
    return measured


def demand_whole(corpus: Corpus, directory: Path) -> None:
    """End the process if a file of `corpus` is not there as it should be."""
    found = check(corpus.files, directory)
    if found.missing or found.wrong or found.extra:
        sys.exit(f"nothing was measured: {found}")


def summarise(files: int, measured: Mapping[str, Measured]) -> dict[str, Any]:
    """Share out what the plain runs used by what the others have shown; plain data, microseconds per file."""
    plain, user, everything = (measured[kind] for kind in KINDS)
    total = median_of(plain.usages)
    outside, both = user.all_samples(), everything.all_samples()
    # What chance can do is seen by the runs in two halves.
    halves = [[sample for run in user.samples[part::2] for sample in run] for part in (0, 1)]
    scale = 1e6 / files
    return {
        "files": files,
        "rounds": len(plain.walls),
        "wall": [wall * scale for wall in plain.walls],
        "plain": [{"user": each.user * scale, "system": each.system * scale} for each in plain.usages],
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
            for row in rows_of(total, median_of(user.ends + everything.ends), outside, both)
        ],
        "threads": _threads(both, total.total * scale),
        "samples": {"user": len(outside), "all": len(both)},
        "torn": user.torn + everything.torn,
        "lost": user.lost + everything.lost,
        "spread": spread(*halves),
        "functions": _functions(outside, total.user * scale / max(1, len(outside))),
    }


def _threads(samples: Sequence[Sample], total: float) -> dict[str, float]:
    """Share out the processor time, in and outside the kernel, among the kinds of thread."""
    counts = Counter(place_of(sample.thread) for sample in samples)
    return {place: total * count / len(samples) for place, count in counts.most_common()}


def _functions(samples: Sequence[Sample], each: float) -> dict[str, Any]:
    """Name the dearest functions of each place; samples of imports and of the collector are left out."""
    named: dict[str, Any] = {}
    for place in _PLACES:
        here = [sample for sample in samples if place_of(sample.thread) == place and not sample.is_collecting]
        here = [sample for sample in here if group_of(sample) != START]
        named[place] = {
            how: [[name, count * each] for name, count in counts.most_common(_FUNCTIONS)]
            for how, counts in (
                ("self", count_functions(here, inclusive=False)),
                ("inclusive", count_functions(here, inclusive=True)),
            )
        }
    return named
