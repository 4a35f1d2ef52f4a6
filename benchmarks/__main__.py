"""`python -m benchmarks NAME`: run one benchmark and print its table; ratios mean something, seconds do not."""

from __future__ import annotations

import argparse

from benchmarks import first_run, memory, small_files
from benchmarks.torture import command as torture


def main() -> None:
    """Choose a benchmark by its name."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="NAME")
    for module in (small_files, memory, first_run, torture):
        module.add_parser(commands)
    args = parser.parse_args()
    args.run(args)


main()
