"""The command that carries on where an interrupted run stopped: the one that was given, secrets hidden."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Sequence

from aioflags.redact import escape_text, redact_url

__all__ = ["carry_on_command", "current_program", "program_name"]

_HIDDEN = "***"
# Their values are no secrets; any other header may carry one under whatever name.
_PLAIN_HEADERS = frozenset({"accept", "accept-language", "user-agent"})
_EXISTING = "--existing"


def program_name(script: str, executable: str) -> str:
    """Say how this program was started, for a shell.

    Args:
        script: The first of `sys.argv`.
        executable: The interpreter.
    """
    name = os.path.basename(script)
    if name == "__main__.py":
        return shlex.join([executable, "-m", "aioflags"])
    found = shutil.which(name)
    return name if found and os.path.realpath(found) == os.path.realpath(script) else shlex.quote(script)


def current_program() -> str:
    """Say how this run was started, for a shell."""
    return program_name(sys.argv[0], sys.executable)


def carry_on_command(arguments: Sequence[str], program: str | None = None, *, has_ledger: bool = True) -> str:
    """Write the command that fetches what is missing, on one line.

    Secrets are hidden as `***`, which the user has to fill in again.

    Args:
        arguments: Those of the command line, beginning with the command.
        program: How the program is started; `None` for the way this one was.
        has_ledger: What is done is on record; without, files that are there have to be skipped.

    >>> carry_on_command(["get", "--header", "Authorization: me", "http://u:p@h/a b"], "aioflags")
    "aioflags get --header 'Authorization: ***' 'http://***@h/a b'"
    """
    if program is None:
        program = current_program()
    shown = list(arguments) if has_ledger else _skip_existing(list(arguments))
    hidden = [_hide(argument, before) for before, argument in zip(["", *shown], shown, strict=False)]
    return f"{program} {shlex.join(hidden)}"


def _skip_existing(arguments: list[str]) -> list[str]:
    """Have saved files skipped; `replace` was meant to fetch them again, and stays."""
    for index, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name != _EXISTING:
            continue
        if equals:
            arguments[index] = f"{name}={_unless_replace(value)}"
        else:
            arguments[index + 1 : index + 2] = map(_unless_replace, arguments[index + 1 : index + 2])
        return arguments
    return [*arguments, _EXISTING, "skip"]


def _unless_replace(value: str) -> str:
    return value if value == "replace" else "skip"


def _hide(argument: str, before: str) -> str:
    name, equals, value = argument.partition("=")
    if before == "--header":
        return _hide_header(argument)
    if name == "--header" and equals:
        return f"{name}={_hide_header(value)}"
    if name.startswith("--") and equals:
        return f"{escape_text(name)}={redact_url(value)}"
    return redact_url(argument)


def _hide_header(line: str) -> str:
    name, colon, _ = line.partition(":")
    if name.strip().lower() in _PLAIN_HEADERS:
        return escape_text(line)
    return f"{escape_text(name)}: {_HIDDEN}" if colon else _HIDDEN
