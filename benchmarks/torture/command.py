"""Twelve ordinary mishaps, run against aioflags and every peer that is installed: a table of who survives what."""

from __future__ import annotations

import argparse
import json
import platform
import shlex
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.torture.mishaps import MISHAPS
from benchmarks.torture.runs import Result, run
from benchmarks.torture.tools import TOOLS, Tool, absent, present

__all__ = ["add_parser", "table"]


def add_parser(commands: Any) -> None:
    """Add the command `torture`."""
    parser = commands.add_parser("torture", help=__doc__, description=__doc__)
    parser.add_argument("--tools", nargs="+", choices=TOOLS, default=TOOLS, help="only these")
    parser.add_argument("--mishaps", nargs="+", choices=[each.key for each in MISHAPS], help="only these")
    parser.add_argument(
        "--peers", default=sys.executable, metavar="PYTHON", help="the interpreter that has parfive, pypdl and pooch"
    )
    parser.add_argument("--limit", type=float, default=60, help="seconds for each run (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=4, help="runs at the same time (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything that was seen")
    parser.add_argument("-v", "--verbose", action="store_true", help="each command line, and what the tool said")
    parser.set_defaults(run=main)


def main(args: argparse.Namespace) -> None:
    """Run every mishap with every tool and print the table."""
    tools = []
    for name in args.tools:
        tool = present(name, args.peers)
        if tool is None:
            print(absent(name), file=sys.stderr)
        else:
            tools.append(tool)
    mishaps = [each for each in MISHAPS if args.mishaps is None or each.key in args.mishaps]
    with ThreadPoolExecutor(args.jobs) as pool:
        futures = [pool.submit(run, mishap, tool, args.limit) for mishap in mishaps for tool in tools]
        results = [future.result() for future in futures]
    if args.verbose:
        _tell(results)
    print(table(results, tools))
    if args.json:
        versions = {tool.name: tool.version for tool in tools}
        whole = {"python": platform.python_version(), "versions": versions, "results": [asdict(one) for one in results]}
        args.json.write_text(json.dumps(whole, indent=1) + "\n")


def _tell(results: list[Result]) -> None:
    for one in results:
        print(f"{one.mishap} {one.tool}: {one.verdict.words} ({one.elapsed:.1f} s)\n  $ {shlex.join(one.command)}")
        print("".join(f"  | {line}\n" for line in one.said.splitlines()[-8:]))


def table(results: list[Result], tools: list[Tool]) -> str:
    """Write the results as a table in Markdown: a row for each mishap, what was not survived in bold."""
    cells = {(one.mishap, one.tool): one.verdict for one in results}
    titles = {each.key: each.title for each in MISHAPS}
    keys = list(dict.fromkeys(one.mishap for one in results))
    lines = ["| mishap | " + " | ".join(f"{tool.name} {tool.version}" for tool in tools) + " |"]
    lines.append("|---" * (len(tools) + 1) + "|")
    for key in keys:
        verdicts = (cells[key, tool.name] for tool in tools)
        row = (each.words if each.survived else f"**{each.words}**" for each in verdicts)
        lines.append(f"| {key} {titles[key]} | " + " | ".join(row) + " |")
    for title, count in (("survived", "survived"), ("all files that could be had", "delivered")):
        sums = (sum(getattr(cells[key, tool.name], count) for key in keys) for tool in tools)
        lines.append(f"| {title}, of {len(keys)} | " + " | ".join(map(str, sums)) + " |")
    return "\n".join(lines)
