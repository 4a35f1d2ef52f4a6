"""`python -m benchmarks`: lists the scenarios, runs one or all."""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.bench import Bench
from benchmarks.contenders import CONTENDERS
from benchmarks.machine import describe_machine
from benchmarks.report import PAGE, write_page
from benchmarks.results import ORDER, RESULTS, Result, read_folder, write_result
from benchmarks.tables import table

__all__ = ["COMMANDS", "SCENARIOS", "main"]

SCENARIOS = {name: f"benchmarks.scenarios.{name}" for name in ORDER}
"""Name to module: `run(bench)` gives cases."""

COMMANDS = {
    "torture": "benchmarks.torture.command",
    "first-run": "benchmarks.first_run",
    "profile": "benchmarks.costs",
    "report": "benchmarks.report",
    "compare": "benchmarks.compare",
}
"""Name to module: `add_parser(commands)` declares what has options of its own."""

BUDGET = 20.0
"""Seconds; so that `all` comes to its end within the hour, although some are a hundred times slower than others."""

PATIENCE = 180.0
"""Seconds: more than anybody needs who has as many connections at work as was asked for."""

LOCAL = RESULTS / "local"
"""Where results go if nobody says otherwise: not beside those that are committed, which the README is made from."""


def main(arguments: list[str] | None = None) -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    commands = parser.add_subparsers(metavar="NAME", title="scenarios and commands")
    for name, module in SCENARIOS.items():
        _add_scenario(commands, name, _summary(module), [name])
    _add_scenario(commands, "all", "all scenarios, and a page of them", list(SCENARIOS))
    for module in COMMANDS.values():
        importlib.import_module(module).add_parser(commands)
    args = parser.parse_args(arguments)
    if not hasattr(args, "run"):
        parser.print_help()
        return
    args.run(args)


def _summary(module: str) -> str:
    return (importlib.import_module(module).__doc__ or "").partition("\n")[0]


def _add_scenario(commands: Any, name: str, summary: str, scenarios: list[str]) -> None:
    parser = commands.add_parser(name, help=summary, description=summary)
    peers = [each.name for each in CONTENDERS.values() if not each.is_ours]
    parser.add_argument("--peers", nargs="*", choices=peers, metavar="PEER", help=f"only these: {', '.join(peers)}")
    parser.add_argument("--rounds", type=int, metavar="N", help="of each contender (default: 5, with --quick 3)")
    parser.add_argument(
        "--budget",
        type=float,
        default=BUDGET,
        metavar="S",
        help="seconds of each contender in a case: the slow get fewer rounds, one at least; 0 = no limit "
        "(default: %(default)g)",
    )
    parser.add_argument(
        "--patience",
        type=float,
        default=PATIENCE,
        metavar="S",
        help="seconds after which a run is ended, and its contender not ranked (default: %(default)g)",
    )
    parser.add_argument("--quick", action="store_true", help="few and small files: for a look, not for quoting")
    shared = "/dev/shm"
    directory = shared if Path(shared).is_dir() else tempfile.gettempdir()
    parser.add_argument("--dir", type=Path, default=Path(directory), help="where files go (default: %(default)s)")
    parser.add_argument(
        "--results", type=Path, default=LOCAL, metavar="DIR", help="where the result goes (default: %(default)s)"
    )
    parser.set_defaults(run=lambda args: _run_all(args, scenarios, makes_page=name == "all"))


def _run_all(args: argparse.Namespace, scenarios: list[str], *, makes_page: bool) -> None:
    for name in scenarios:
        result = _run(args, name)
        path = write_result(result, args.results)
        for case in result.cases:
            print(f"\n{case.title}\n\n{table(case)}")
        print(f"\n{path}")
    if makes_page:
        print(write_page(read_folder(args.results), args.results / PAGE))


def _run(args: argparse.Namespace, name: str) -> Result:
    module = importlib.import_module(SCENARIOS[name])
    started = datetime.now().astimezone().isoformat(timespec="seconds")
    machine = describe_machine(args.dir)
    bench = Bench(
        args.dir,
        rounds=args.rounds or (3 if args.quick else 5),
        quick=args.quick,
        budget=args.budget or None,
        patience=args.patience,
        peers=None if args.peers is None else frozenset(args.peers),
        tell=lambda text: print(text, file=sys.stderr, flush=True),
    )
    cases = list(module.run(bench))
    return Result(name, _summary(SCENARIOS[name]), started, args.quick, machine, cases, bench.skipped)
