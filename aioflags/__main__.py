"""The program: `aioflags`, or `python -m aioflags`.

Everything else is imported inside: from the first moment on an interrupt ends in order, and importing takes longer than
all that comes before it.
"""

from __future__ import annotations

import signal
import sys
from contextlib import suppress

__all__ = ["main"]


class _Terminated(KeyboardInterrupt):
    """SIGTERM came before anything else deals with it."""


def main() -> None:
    """Run the command line and end the process with its status."""
    try:
        signal.signal(signal.SIGTERM, _terminate)
        status = _run(sys.argv[1:])
    except KeyboardInterrupt as end:
        status = _tell_of(end, sys.argv[1:])
    from aioflags.cli.exits import leave

    leave(status)


def _terminate(*_: object) -> None:
    raise _Terminated


def _run(arguments: list[str]) -> int:
    from aioflags.collector import collect_seldom

    # Of what is imported next nearly all stays, and the collector would look at it again and again.
    collect_seldom()
    from aioflags.cli.diagnostics import set_up_diagnostics
    from aioflags.cli.exits import fill_standard_files

    fill_standard_files()
    set_up_diagnostics()
    from aioflags.cli.main import run

    collect_seldom()
    return run(arguments)


def _tell_of(end: KeyboardInterrupt, arguments: list[str]) -> int:
    """Say how to carry on; nothing has begun that would have to be ended."""
    from aioflags.cli.carry_on import carry_on_command
    from aioflags.cli.exits import ExitStatus

    # Whoever is impatient has what he wants.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(OSError, AttributeError):
        sys.stderr.write(f"Interrupted. To carry on:\n{carry_on_command(arguments)}\n")
    return ExitStatus.TERMINATED if isinstance(end, _Terminated) else ExitStatus.INTERRUPTED


if __name__ == "__main__":
    main()
