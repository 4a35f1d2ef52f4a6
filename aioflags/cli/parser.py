"""The argument parser of every command."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, NoReturn

from aioflags.cli.exits import ExitStatus
from aioflags.redact import escape_text, redact_text

__all__ = ["Parser"]

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


class Parser(argparse.ArgumentParser):
    """An argument parser that takes options and URLs in any order, and quotes no secret in its messages."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        """Say on standard error what is wrong with the call, and exit with status 2; `message` quotes it."""
        self.refuse(redact_text(message))

    def refuse(self, message: str) -> NoReturn:
        """Do the same with a message of ours, which quotes no secret."""
        self.exit(ExitStatus.USAGE, f"{self.prog}: error: {escape_text(message)}\nTry '{self.prog} --help'.\n")
