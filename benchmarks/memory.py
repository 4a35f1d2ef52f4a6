"""Peak memory of `aioflags get -i -` for lists of different length; a list that is not held costs the same."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

from benchmarks.contenders import measure, serve

__all__ = ["add_parser"]


def add_parser(commands: Any) -> None:
    """Add the command `memory`."""
    parser = commands.add_parser("memory", help=__doc__, description=__doc__)
    parser.add_argument("lines", type=int, nargs="*", default=[10_000, 1_000_000], help="(default: %(default)s)")
    parser.add_argument("--server", metavar="URL", help="a server that answers any path below URL; default: our own")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Feed lists of each length through standard input and print the peaks."""
    if args.server:
        _compare(args.lines, args.server.rstrip("/"))
        return
    with serve() as url:
        _compare(args.lines, f"{url}/bytes/1")


def _compare(lengths: list[int], url: str) -> None:
    print(f"{'lines':>9} {'peak MiB':>9} {'wall s':>8}")
    for length in lengths:
        with tempfile.TemporaryDirectory() as directory:
            options = ["-d", directory, "--progress", "none", "-q", "--per-host", "0"]
            command = [sys.executable, "-m", "aioflags", "get", "-i", "-", "--format", "csv", *options]
            cost = measure(command, stdin=_lines(url, length))
        print(f"{length:9} {cost.memory / 2**20:9.1f} {cost.wall:8.1f}", flush=True)


def _lines(url: str, length: int) -> Iterator[bytes]:
    yield b"url,name\n"
    for start in range(0, length, 1000):
        numbers = range(start, min(start + 1000, length))
        yield "".join(f"{url}?seed={number},{number % 1000:03d}/{number}\n" for number in numbers).encode()
