"""`aioflags flags`: downloads country flags, from a server of our own unless another is given."""

from __future__ import annotations

import argparse
import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aioflags.cli.exits import ExitStatus
from aioflags.cli.feed import Feed
from aioflags.cli.job import Job
from aioflags.cli.options import add_download_options, add_output_options, options_of
from aioflags.cli.serve import add_misbehaviour
from aioflags.errors import DownloadError, UsageError
from aioflags.flagserver.countries import COUNTRIES, MOST_POPULOUS
from aioflags.items import Item, Outcome, Status, Tally
from aioflags.settings import Options
from aioflags.urls import parse_url

if TYPE_CHECKING:
    from aioflags.cli.parser import Subparsers

__all__ = ["CLASSIC", "add_parser", "add_server_options", "check_pattern", "check_server", "items_at", "run"]

_OURS = "{cc}/{cc}.svg"
CLASSIC = "{cc}/{cc}.gif"
_PLACES = re.compile(r"\{(cc|CC)\}")
_BEHAVIOUR = ("delay", "jitter", "error_rate")


def add_parser(subparsers: Subparsers) -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser(
        "flags",
        usage="%(prog)s [CC ...] [OPTION ...]",
        description="Download country flags, of the 20 most populous countries by default, from a flag server that is "
        "started for it and needs no network, or from the server at URL.",
    )
    parser.add_argument("codes", nargs="*", metavar="CC", help="two letters of a country, such as FR")
    add_server_options(parser)
    add_misbehaviour(parser.add_argument_group("our own server"))
    add_download_options(parser)
    add_output_options(parser)


def add_server_options(parser: argparse.ArgumentParser) -> None:
    """Add what says where the flags are."""
    parser.add_argument("--server", metavar="URL", help="where the flags are (default: a server of our own)")
    parser.add_argument(
        "--pattern",
        metavar="PATH",
        help="path below the server; {cc} stands for the code in lower case, {CC} in upper case "
        f"(default: {CLASSIC} with --server, {_OURS} on our own)",
    )


def run(args: argparse.Namespace) -> int:
    """Download the flags.

    Raises:
        UsageError: The call is wrong; nothing was requested.
    """
    options = options_of(args)
    codes = _check_codes(args.codes) or MOST_POPULOUS
    behaviour = {name: getattr(args, name) for name in _BEHAVIOUR}
    if args.server is not None:
        if any(behaviour.values()):
            raise UsageError("--delay, --jitter and --error-rate are for our own server; leave out --server or them")
        pattern = check_pattern(args.pattern or CLASSIC)
        return _download(args, options, items_at(check_server(args.server), pattern, codes))
    pattern = check_pattern(args.pattern or _OURS)
    if options["update"]:
        raise UsageError("--update goes by what earlier runs have recorded: give the --server that they asked")
    # Our own server has another address each time; a record of it would recognise nothing.
    options["ledger"] = False

    from aioflags.flagserver.server import ServerThread

    with ServerThread(**behaviour) as server:
        items = {code: _with_digest(item) for code, item in items_at(server.url, pattern, codes).items()}
        return _download(args, options, items)


def _download(args: argparse.Namespace, options: Options, items: Mapping[str, Item]) -> ExitStatus:
    codes = {item.url: code for code, item in items.items()}

    def describe(outcome: Outcome) -> str | None:
        if args.quiet or outcome.status not in {Status.SAVED, Status.PRESENT}:
            return None
        code = codes[outcome.url]
        there = " (already there)" if outcome.status is Status.PRESENT else ""
        return f"{code}  {COUNTRIES.get(code, '')}".rstrip() + there

    feed = Feed(list(items.values()))
    return Job(args, options, feed, describe=describe, conclude=_conclude, label=lambda url, _: codes[url]).run()


def _conclude(tally: Tally, elapsed: float) -> str:
    present = tally.statuses[Status.PRESENT]
    there = f" ({present} already there)" if present else ""
    return f"{tally.statuses[Status.SAVED]} flags downloaded in {elapsed:.2f}s{there}"


def _check_codes(codes: Iterable[str]) -> tuple[str, ...]:
    for code in codes:
        if not re.fullmatch("[A-Za-z]{2}", code):
            raise UsageError(f"{code[:20]!r} is no country code; give two letters such as FR")
    return tuple(dict.fromkeys(code.upper() for code in codes))


def check_pattern(pattern: str) -> str:
    """Give the path without a slash in front.

    Raises:
        UsageError: It is the same for all codes.
    """
    if not _PLACES.search(pattern):
        raise UsageError("--pattern has neither {cc} nor {CC} in it: all flags would be one file")
    return pattern.lstrip("/")


def check_server(url: str) -> str:
    """Give the URL.

    Raises:
        UsageError: It is none that can be asked.
    """
    try:
        parse_url(url)
    except DownloadError as error:
        raise UsageError(f"--server: {error.message}") from error
    return url


def items_at(server: str, pattern: str, codes: Iterable[str]) -> dict[str, Item]:
    """Map each code to its flag; it is called after its country unless the pattern says so anyway."""
    last = pattern.rpartition("/")[2]
    suffix = os.path.splitext(last)[1]
    items = {}
    for code in codes:
        path = pattern.replace("{cc}", code.lower()).replace("{CC}", code)
        name = None if _PLACES.search(last) else f"{code.lower()}{suffix}"
        items[code] = Item(f"{server.rstrip('/')}/{path}", name=name)
    return items


def _with_digest(item: Item) -> Item:
    """Declare what our own server will send, so that a flag of an earlier run is recognised."""
    from aioflags.flagserver.resources import find_resource

    resource = find_resource(urlsplit(item.url).path)
    if resource is None:
        return item
    digest = hashlib.sha256(b"".join(resource.read(0, resource.size))).hexdigest()
    return replace(item, sha256=digest)
