"""`aioflags futures`: the laboratory of claims about the two kinds of Future, printed for people or for programs."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from aioflags.cli.exits import ExitStatus
from aioflags.cli.say import flush, say
from aioflags.errors import UsageError

if TYPE_CHECKING:
    from aioflags.futures_lab.lab import Claim, Finding
    from aioflags.futures_lab.layout import Block

__all__ = ["add_parser", "run"]

_TOOLS = """\
in the code that is shown:
  Gate()         holds back whoever calls wait() until open(); reached is set when somebody is there;
                 leaving its block opens it
  try_call(f)    what f gives, or "raises" and the name of its error; try_await(f) the same with await
  kind_of(f)     the module whose Future f is
  state_of(f)    the state that the repr of f tells
  listen()       collects what Python says of errors on its own account, in logs and hooks
  threads        "caller" runs a function, "loop" a coroutine function with its event loop

exit status: 0 if all claims hold, 1 if one does not, 2 if the call is wrong
"""

_WIDTH = 80
_WIDEST = 100
_STYLES = {"name": "bold", "sentence": "", "table": "cyan", "holds": "bold green", "fails": "bold red", "lesson": ""}


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "futures",
        description="Try claims about concurrent.futures.Future and asyncio.Future: each with its code, what was "
        "observed of both, and the verdict that follows.",
        epilog=_TOOLS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", metavar="NAME", nargs="*", help="a claim to try (default: all)")
    parser.add_argument("--list", action="store_true", help="name the claims and try none")
    parser.add_argument("--json", action="store_true", help="one JSON object a line for each claim")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Try the claims and print what came of each; returns the exit status.

    Raises:
        UsageError: There is no claim of that name; the message lists those that there are.
    """
    claims = _choose(args.names)
    if args.list:
        _print_list(claims, as_json=args.json)
        return ExitStatus.CLEAN
    findings = _print_records(claims) if args.json else _print_pages(claims)
    return ExitStatus.CLEAN if all(finding.holds for finding in findings) else ExitStatus.FAILURES


def _choose(names: list[str]) -> list[Claim]:
    from aioflags.futures_lab.claims import CLAIMS

    for name in names:
        if name not in CLAIMS:
            raise UsageError(f"there is no claim {name!r}; there are: {', '.join(CLAIMS)}")
    return [CLAIMS[name] for name in dict.fromkeys(names)] or list(CLAIMS.values())


def _print_list(claims: list[Claim], *, as_json: bool) -> None:
    from aioflags.futures_lab.layout import list_claims

    if as_json:
        for claim in claims:
            say(json.dumps({"name": claim.name, "claim": claim.sentence}))
        return
    # Who reads a pipe wants a line for each.
    for line in list_claims(claims, _page_width() if sys.stdout.isatty() else sys.maxsize):
        say(line)


def _print_records(claims: list[Claim]) -> list[Finding]:
    from aioflags.futures_lab.lab import try_claim

    findings = []
    for claim in claims:
        findings.append(try_claim(claim))
        say(json.dumps(findings[-1].record()))
        flush()
    return findings


def _print_pages(claims: list[Claim]) -> list[Finding]:
    from aioflags.futures_lab.lab import try_claim
    from aioflags.futures_lab.layout import lay_out, sum_up
    from aioflags.futures_lab.machine import describe

    show = _show_in_colour() if _wants_colour() else _show_plainly
    started = time.perf_counter()
    findings = []
    for claim in claims:
        findings.append(try_claim(claim))
        for block in lay_out(findings[-1], _page_width()):
            show(block)
    say(sum_up(findings, time.perf_counter() - started, describe(), _page_width()))
    return findings


def _page_width() -> int:
    return min(shutil.get_terminal_size((_WIDTH, 0)).columns, _WIDEST) if sys.stdout.isatty() else _WIDTH


def _wants_colour() -> bool:
    """Tell whether standard output is a terminal that takes colours; source: no-color.org."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _show_plainly(block: Block) -> None:
    role, text = block
    say(text, end=_ending(role))
    flush()


def _show_in_colour() -> Callable[[Block], None]:
    from rich.console import Console
    from rich.syntax import Syntax
    from rich.text import Text

    console = Console(highlight=False)

    def show(block: Block) -> None:
        role, text = block
        is_code = role == "code"
        # The highlighter ends its text with a line end of its own.
        styled = Syntax("", "python", theme="ansi_dark").highlight(text) if is_code else Text(text, _STYLES[role])
        styled.rstrip()
        console.print(styled, end=_ending(role), soft_wrap=True)

    return show


def _ending(role: str) -> str:
    """Give what stands after a block: an empty line, but for the verdict, which the lesson follows at once."""
    return "\n" if role in {"name", "holds", "fails"} else "\n\n"
