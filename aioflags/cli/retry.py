"""`aioflags retry`: fetches again what failed, as the ledger of a destination has it."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from aioflags.audit import NOT_RIGHT, NOT_TRIED, Audit
from aioflags.cli.exits import ExitStatus
from aioflags.cli.get import conclude, say_nothing
from aioflags.cli.job import Job
from aioflags.cli.ledger_feed import LedgerFeed
from aioflags.cli.options import add_download_options, add_output_options, options_of
from aioflags.cli.quantities import show_count
from aioflags.cli.say import say
from aioflags.items import Tally

if TYPE_CHECKING:
    from aioflags.cli.parser import Subparsers

__all__ = ["add_parser", "run"]

_EPILOG = """\
Headers, credentials and deadlines are not on record: give the options of the first run again where they matter.
"""


def add_parser(subparsers: Subparsers) -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser(
        "retry",
        usage="%(prog)s DIR [OPTION ...]",
        description="Fetch again only what failed in DIR or was missing, as its ledger has it.",
        epilog=_EPILOG,
    )
    parser.add_argument("dir", metavar="DIR", help="the destination of an earlier run")
    add_download_options(parser, has_ledger=True)
    add_output_options(parser)


def run(args: argparse.Namespace) -> int:
    """Download what failed.

    Raises:
        UsageError: The call is wrong, or there is no ledger; nothing was requested.
        StorageError: The ledger cannot be read.
    """
    options = options_of(args)
    options["ledger"] = True
    audit = Audit(args.dir)
    try:
        failed, wanted = audit.count(NOT_RIGHT), audit.count(NOT_TRIED)
    finally:
        audit.close()
    if wanted and not args.quiet:
        note = f"{show_count(wanted, 'item')} not fetched yet: for those run the command again that asked for them"
        print(note, file=sys.stderr)
    if not failed:
        return _end_at_once(args)
    say_last = say_nothing if args.quiet else conclude
    return Job(args, options, LedgerFeed(args.dir, NOT_RIGHT), describe=None, conclude=say_last).run()


def _end_at_once(args: argparse.Namespace) -> ExitStatus:
    if args.json:
        say(json.dumps(Tally().as_record(0.0)))
    if not args.quiet:
        say("nothing has failed: there is nothing to fetch again", file=sys.stderr if args.json else sys.stdout)
    return ExitStatus.CLEAN
