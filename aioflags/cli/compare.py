"""`aioflags compare`: the same files through every engine, in a table and in a picture."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from aioflags.cli.exits import ExitStatus
from aioflags.cli.flags import CLASSIC, add_server_options, check_pattern, check_server, items_at
from aioflags.cli.options import add_request_options, options_of
from aioflags.cli.quantities import parse_number
from aioflags.cli.say import say
from aioflags.compare.measure import Comparison, compare, serve
from aioflags.compare.page import make_page
from aioflags.compare.runs import ENGINES, Run
from aioflags.compare.scenarios import SCENARIOS
from aioflags.compare.table import NOTES, as_record, headline, show_table
from aioflags.compare.verdict import judge
from aioflags.errors import StorageError, UsageError
from aioflags.flagserver.countries import MOST_POPULOUS
from aioflags.inputs import open_list
from aioflags.items import Item, Rejected
from aioflags.redact import escape_text, redact_text, redact_url
from aioflags.settings import Settings

if TYPE_CHECKING:
    from aioflags.cli.parser import Subparsers

__all__ = ["add_parser", "run"]

_BATCH = 256
_WIDTH = 100
_DEFAULT_SCENARIO = "waiting"
_EPILOG = """\
Each run is a process of its own; our own server is another. On our own server there is no limit per host unless one
is given with --per-host or by the scenario.

exit status: 0 every engine delivered every file, 1 some failed or differ, 2 wrong call, 3 a local fault such as a
full disk, 130 Ctrl-C
"""


def add_parser(subparsers: Subparsers) -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser(
        "compare",
        usage="%(prog)s [--scenario NAME | -i FILE | --server URL] [--html FILE] [OPTION ...]",
        description="Download the same files with every engine, in turn, and show what each of them took: the flags "
        "of 20 countries from a server of our own that answers late, or a scenario, a server or a list of yours.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    group = parser.add_argument_group("what is downloaded")
    group.add_argument("--scenario", metavar="NAME", choices=SCENARIOS, help="see --list-scenarios")
    group.add_argument("--list-scenarios", action="store_true", help="name the scenarios and end")
    group.add_argument("-i", "--input", metavar="FILE", help="a list of URLs, - for standard input")
    group.add_argument("--format", choices=["text", "csv", "jsonl"], help="how the list is written down")
    group.add_argument(
        "--delay",
        metavar="S",
        type=parse_number,
        help="our own server answers S to 2 S seconds late, the same for every engine (default: 0.05)",
    )
    add_server_options(parser)
    group = parser.add_argument_group("how it is compared")
    group.add_argument("--engines", metavar="A,B", help=f"which, in this order (default: {','.join(ENGINES)})")
    group.add_argument("--repeat", metavar="N", type=int, default=3, help="runs of each engine (default: 3)")
    group.add_argument(
        "--threads",
        metavar="N",
        type=int,
        default=min(32, (os.cpu_count() or 1) + 4),
        help="workers of the threads engine (default: %(default)s, as many as Python's ThreadPoolExecutor takes here)",
    )
    group.add_argument("--html", metavar="FILE", help="write the picture, a page of one file, for a browser")
    group.add_argument("--json", action="store_true", help="one JSON object on standard output in place of the table")
    group.add_argument("-q", "--quiet", action="store_true", help="do not tell of each run")
    add_request_options(parser)
    parser.set_defaults(per_host=None)


def run(args: argparse.Namespace) -> int:
    """Compare, and give the exit status.

    Raises:
        UsageError: The call is wrong; nothing was requested.
        RuntimeError: A run ended without a result: a bug.
    """
    if args.list_scenarios:
        for name, scenario in SCENARIOS.items():
            say(f"{name:14} {scenario.summary}")
        return ExitStatus.CLEAN
    engines = _check_engines(args.engines)
    _check_numbers(args)
    try:
        return _run(args, engines)
    except StorageError as error:
        print(f"aioflags: error: {redact_text(str(error))}", file=sys.stderr)
        return ExitStatus.LOCAL_FAULT
    except OSError as error:
        print(f"aioflags: error: {escape_text(str(error))}", file=sys.stderr)
        return ExitStatus.LOCAL_FAULT


def _run(args: argparse.Namespace, engines: Sequence[str]) -> ExitStatus:
    items = _own_items(args)
    if items is not None:
        return _show(args, *_compare(args, engines, items, {}))
    scenario = SCENARIOS[args.scenario or _DEFAULT_SCENARIO]
    with serve() as url:
        items = scenario.make_items(url, MOST_POPULOUS, 0.05 if args.delay is None else args.delay)
        return _show(args, *_compare(args, engines, items, scenario.options))


def _compare(
    args: argparse.Namespace, engines: Sequence[str], items: Sequence[Item], given: Mapping[str, Any]
) -> tuple[Comparison, dict[str, int]]:
    if args.per_host is None:
        args.per_host = given.get("per_host", Settings().per_host)
    options = {**options_of(args), **{name: value for name, value in given.items() if name not in args}}
    capacities = {engine: _capacity(engine, args) for engine in engines}
    each = {engine: {**options, "concurrency": capacities[engine]} for engine in engines}

    def tell(number: int, run: Run) -> None:
        if not args.quiet:
            failed = f", {run.failed} failed" if run.failed else ""
            print(f"run {number} of {args.repeat}: {run.engine:10} {run.wall:.3f} s{failed}", file=sys.stderr)

    return compare(items, each, repeat=args.repeat, tell=tell), capacities


def _capacity(engine: str, args: argparse.Namespace) -> int:
    """How many attempts an engine may have in flight."""
    concurrency: int = args.concurrency
    most: dict[str, int] = {"sequential": 1, "threads": args.threads, "processes": os.cpu_count() or 1}
    return min(concurrency, most.get(engine, concurrency))


def _show(args: argparse.Namespace, comparison: Comparison, capacities: dict[str, int]) -> ExitStatus:
    scenario = None if args.input or args.server else args.scenario or _DEFAULT_SCENARIO
    if args.json:
        say(json.dumps(as_record(comparison, scenario, capacities)))
    else:
        notes = NOTES.format(baseline=comparison.baseline.engine)
        prose = [line for text in judge(comparison, capacities) for line in _wrap(text)]
        lines = [*_wrap(headline(comparison)), "", *show_table(comparison), "", *prose, "", *_wrap(notes)]
        say("\n".join(lines))
    if args.html is not None:
        _write_page(args.html, make_page(comparison, capacities, _title(args, scenario)))
    return ExitStatus.CLEAN if comparison.is_clean else ExitStatus.FAILURES


def _title(args: argparse.Namespace, scenario: str | None) -> str:
    if scenario is not None:
        return f"{scenario}: {SCENARIOS[scenario].summary}"
    return f"flags from {redact_url(args.server)}" if args.server else f"the list {os.path.basename(args.input)}"


def _write_page(path: str, page: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(page)


def _wrap(text: str) -> list[str]:
    return wrap(escape_text(text), _WIDTH)


# What the call asks for


def _check_engines(text: str | None) -> tuple[str, ...]:
    names = ENGINES if text is None else tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    unknown = [name for name in names if name not in ENGINES]
    if unknown:
        raise UsageError(f"--engines: {unknown[0][:40]!r} is none of {', '.join(ENGINES)}")
    return names


def _check_numbers(args: argparse.Namespace) -> None:
    for option in ("repeat", "threads"):
        if getattr(args, option) < 1:
            raise UsageError(f"--{option} must be at least 1")
    if sum(map(bool, (args.scenario, args.input, args.server))) > 1:
        raise UsageError("--scenario, -i and --server each say what is downloaded: give one of them")
    if args.delay is not None and (args.input or args.server):
        raise UsageError("--delay is for our own server; leave out -i and --server or it")
    if args.pattern is not None and not args.server:
        raise UsageError("--pattern goes with --server")
    if args.html is not None and not os.path.isdir(os.path.dirname(args.html) or "."):
        raise UsageError(f"--html: there is no folder for {args.html}")
    if args.format and not args.input:
        raise UsageError("--format says how a list is written down: give the list with -i FILE")


def _own_items(args: argparse.Namespace) -> list[Item] | None:
    """The items that the user names, `None` for those of a scenario."""
    if args.server:
        pattern = check_pattern(args.pattern or CLASSIC)
        return list(items_at(check_server(args.server), pattern, MOST_POPULOUS).values())
    return _read_list(args) if args.input else None


def _read_list(args: argparse.Namespace) -> list[Item]:
    reader = open_list(args.input, args.format)
    items: list[Item] = []
    try:
        while batch := reader.read_batch(_BATCH):
            for entry in batch:
                if isinstance(entry, Rejected):
                    raise UsageError(f"line {entry.line} of the list cannot be used: {entry.error.message}")
                items.append(entry)
    finally:
        reader.close()
    if not items:
        raise UsageError("the list is empty: there is nothing to compare")
    return items
