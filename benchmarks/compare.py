"""Says what got slower, dearer or larger beyond noise between two results, or folders of them."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import noise
from benchmarks.changes import Change, Changes, find_changes
from benchmarks.figures import show
from benchmarks.results import Result, read_folder, read_result

__all__ = ["add_parser", "show_changes"]

_RULE = (
    "Beyond noise: medians differ by the floor or more, and so one-sided an order of the rounds comes about by chance "
    f"once in {1 / noise.CHANCE:.0f} times at most. With too few rounds for that (five against five are enough) the "
    f"rounds of one side are all beyond those of the other, and medians differ by {100 * noise.COARSE:.0f} percent or "
    "more. Where three programs or more are the same in both, what they got slower by is put down to the machine. Exit "
    "status 1: something of aioflags got worse; 2: nothing could be compared."
)


def add_parser(commands: Any) -> None:
    """Add the command `compare`."""
    parser = commands.add_parser("compare", help=__doc__, description=__doc__, epilog=_RULE)
    parser.add_argument("old", type=Path, metavar="OLD", help="a folder or a file of results")
    parser.add_argument("new", type=Path, metavar="NEW", help="the same, measured later")
    parser.add_argument(
        "--floor",
        type=float,
        default=100 * noise.FLOOR,
        metavar="PERCENT",
        help="by which medians must differ at least (default: %(default)g)",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Print what changed; ends with status 1 if something of ours got worse, 2 if there was nothing to compare."""
    old, new = _read(args.old), _read(args.new)
    changes = find_changes(old, new, floor=args.floor / 100)
    print(*show_changes(changes), sep="\n")
    if not (changes.figures or changes.spoiled):
        raise SystemExit(2)
    if changes.is_worse:
        raise SystemExit(1)


def _read(path: Path) -> list[Result]:
    try:
        return read_folder(path) if path.is_dir() else [read_result(path)]
    except (OSError, ValueError) as error:
        print(f"{path}: {error}")
        raise SystemExit(2) from error


def show_changes(changes: Changes) -> Iterator[str]:
    """Give the lines: what one must know first, then what changed, then how much did not."""
    yield from (f"note: {remark}" for remark in changes.remarks)
    yield from (f"worse   {name} lost or spoiled files, and did not before" for name in changes.spoiled)
    worse = [each for each in changes.figures if each.is_worse]
    better = [each for each in changes.figures if each.is_better]
    yield from (_line("worse", each) for each in worse)
    yield from (_line("better", each) for each in better)
    rest = len(changes.figures) - len(worse) - len(better)
    counts = f"{len(worse)} worse, {len(better)} better, {rest} the same within noise"
    yield f"{len(changes.figures)} figures compared: {counts}" if changes.figures else "nothing could be compared"


def _line(verdict: str, change: Change) -> str:
    unit = change.column.unit
    figures = f"{show(change.old, unit)} -> {show(change.new, unit)}"
    times = "" if math.isinf(change.change) else f", {show(math.exp(change.change), 'times')}"
    whose = "" if change.is_ours else " (a program of others: the machine, or chance)"
    return f"{verdict:7} {change.place}: {change.name}: {change.column.title} {figures}{times}{whose}"
