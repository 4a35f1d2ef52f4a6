"""`aioflags get`: puts any list of URLs on disk."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from aioflags.cli.feed import Feed
from aioflags.cli.job import Job
from aioflags.cli.options import add_download_options, add_output_options, options_of
from aioflags.cli.quantities import show_count, show_size
from aioflags.errors import UsageError
from aioflags.items import Item, Outcome, Status, Tally
from aioflags.settings import check_checksum

if TYPE_CHECKING:
    from aioflags.cli.parser import Subparsers

__all__ = ["add_parser", "conclude", "run", "say_nothing"]

_EPILOG = """\
examples:
  aioflags get https://example.org/fr.gif https://example.org/de.gif
  aioflags get -i urls.txt -d pictures -j 32 --per-host 4
  cut -f2 table.tsv | aioflags get -i - --json > records.jsonl

exit status: 0 every file saved or there already, 1 some failed, 2 wrong call, 3 a local fault such as a full disk
ended the run, 130 Ctrl-C, 143 SIGTERM
"""


def add_parser(subparsers: Subparsers) -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser(
        "get",
        usage="%(prog)s [URL ...] [-i FILE] [OPTION ...]",
        description="Put any list of URLs on disk: those given here, then those of the lists.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("urls", nargs="*", metavar="URL", help="what to download")
    parser.add_argument(
        "-i",
        "--input",
        metavar="FILE",
        action="append",
        default=[],
        help="a list of URLs, - for standard input; repeatable",
    )
    parser.add_argument(
        "--format",
        choices=["text", "csv", "jsonl"],
        help="how the list is written down (default: by its suffix, else text): one URL a line, or url and, at will, "
        "name, sha256 or checksum (ALGO:HEX), bytes",
    )
    parser.add_argument("-o", "--output", metavar="NAME", help="file name, with a single URL")
    parser.add_argument("--checksum", metavar="ALGO:HEX", help="digest that the file must have, with a single URL")
    add_download_options(parser)
    add_output_options(parser)


def run(args: argparse.Namespace) -> int:
    """Download what the command line and the lists name.

    Raises:
        UsageError: The call is wrong; nothing was requested.
    """
    options = options_of(args)
    feed = Feed(_items_of(args), args.input, args.format)
    say_last = say_nothing if args.quiet else conclude
    return Job(args, options, feed, describe=None, conclude=say_last).run()


def _items_of(args: argparse.Namespace) -> list[Item]:
    if not args.urls and not args.input:
        raise UsageError("nothing to download: give URLs, or a list with -i FILE (-i - for standard input)")
    if args.input.count("-") > 1:
        raise UsageError("standard input can be read once only: give -i - once")
    if args.format and not args.input:
        raise UsageError("--format says how a list is written down: give the list with -i FILE")
    single: dict[str, Any] = {}
    if args.output is not None:
        single["name"] = args.output
    if args.checksum is not None:
        single["checksum"] = ":".join(check_checksum(args.checksum))
    if single and (len(args.urls) != 1 or args.input):
        raise UsageError(
            "-o and --checksum go with a single URL; for more, give a CSV or JSON-lines list with name and sha256"
        )
    return [Item(url, **single) for url in args.urls]


def say_nothing(*_: Outcome | Tally | float) -> None:
    """Have no line printed."""


def conclude(tally: Tally, elapsed: float) -> str:
    """Give the last line: what was saved, and in how many seconds."""
    counts = tally.statuses
    parts = [f"{show_count(counts[Status.SAVED], 'file')} saved, {show_size(tally.bytes)} in {elapsed:.1f}s"]
    if counts[Status.PRESENT]:
        parts.append(f"{counts[Status.PRESENT]} already there")
    if counts[Status.DUPLICATE]:
        parts.append(show_count(counts[Status.DUPLICATE], "duplicate"))
    if failed := counts[Status.FAILED] + counts[Status.MISSING]:
        parts.append(f"{failed} failed")
    return ", ".join(parts)
