"""The command line as a whole: finds the command, runs it, and turns every way to end into an exit status."""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, cast

from aioflags.cli.diagnostics import report_bug
from aioflags.cli.exits import ExitStatus, silence_stdout
from aioflags.cli.parser import Parser
from aioflags.cli.say import OutputError, flush
from aioflags.errors import StorageError, UsageError
from aioflags.redact import redact_text
from aioflags.version import __version__

if TYPE_CHECKING:
    import argparse

    from aioflags.cli.parser import Subparsers

__all__ = ["run"]


class Command(Protocol):
    """What the module of a command offers."""

    def add_parser(self, subparsers: Subparsers) -> None:
        """Declare the command and its options."""

    def run(self, args: argparse.Namespace) -> int:
        """Do it and give the exit status."""


_COMMANDS = {
    "flags": "download country flags (this is what happens without a command)",
    "get": "put any list of URLs on disk",
    "status": "what is done, what failed, what to do next",
    "retry": "fetch again what failed",
    "verify": "read all files again and compare them with what was fetched",
    "compare": "the same files through every engine: a table, and a picture of who waited when",
    "futures": "see the two kinds of Future at work",
    "serve": "run the flag server by itself",
}
"""Name to what it does; the module of that name in `aioflags.cli` is imported when it is wanted."""


def run(arguments: Sequence[str]) -> int:
    """Do what the command line says and give the exit status.

    Args:
        arguments: Those after the name of the program; none at all means `flags`.

    Raises:
        SystemExit: Help or the version was asked for, or the call is wrong.
        KeyboardInterrupt: Where the command does not deal with it.
    """
    try:
        status = _run_command(_with_command(arguments))
        flush()
        return status
    except BrokenPipeError:
        return ExitStatus.LOCAL_FAULT
    except OutputError as error:
        print(f"aioflags: error: {error}", file=sys.stderr)
        return ExitStatus.LOCAL_FAULT
    except (Exception, asyncio.CancelledError) as error:
        from aioflags.threads import REFUSAL, was_refused

        if was_refused(error):
            print(f"aioflags: error: {REFUSAL}", file=sys.stderr)
            return ExitStatus.LOCAL_FAULT
        report_bug(error)
        return ExitStatus.BUG
    finally:
        _flush_stdout()


def _run_command(arguments: Sequence[str]) -> int:
    parser = Parser(prog="aioflags", description="Put any list of URLs on disk.")
    parser.add_argument("--version", action="version", version=f"aioflags {__version__}")
    subparsers = cast(
        "Subparsers",
        parser.add_subparsers(title="commands", metavar="COMMAND", description="without a command: flags"),
    )
    name = arguments[0]
    if name not in _COMMANDS:
        for command, purpose in _COMMANDS.items():
            subparsers.add_parser(command, help=purpose)
        parser.parse_args(arguments)  # help, the version, or the error
    module: Command = importlib.import_module(f"aioflags.cli.{name}")
    module.add_parser(subparsers)
    chosen = subparsers.choices[name]
    assert isinstance(chosen, Parser)
    args = chosen.parse_intermixed_args(arguments[1:])
    args.argv = list(arguments)
    try:
        return module.run(args)
    except UsageError as error:
        chosen.refuse(str(error))
    except StorageError as error:
        print(f"aioflags: error: {redact_text(str(error))}", file=sys.stderr)
        return ExitStatus.LOCAL_FAULT


def _with_command(arguments: Sequence[str]) -> Sequence[str]:
    """Supply the command that is meant where none is given."""
    if not arguments or (arguments[0].startswith("-") and arguments[0] not in {"-h", "--help", "--version"}):
        return ["flags", *arguments]
    return arguments


def _flush_stdout() -> None:
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        silence_stdout()
