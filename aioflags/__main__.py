"""The program: `aioflags`, or `python -m aioflags`."""

from __future__ import annotations

import sys

from aioflags.cli.diagnostics import set_up_diagnostics
from aioflags.cli.exits import fill_standard_files, leave
from aioflags.cli.main import run

__all__ = ["main"]


def main() -> None:
    """Run the command line and end the process with its status."""
    fill_standard_files()
    set_up_diagnostics()
    leave(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
