"""The options that `get` and `flags` share, declared once; defaults and checks are those of `Settings`."""

from __future__ import annotations

import argparse
from dataclasses import fields
from typing import Any, cast, get_args

from aioflags.cli.quantities import parse_number, parse_size
from aioflags.errors import UsageError
from aioflags.settings import EngineName, Options, Settings

__all__ = ["add_download_options", "add_output_options", "add_request_options", "options_of"]

_DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(Settings)}


def add_download_options(parser: argparse.ArgumentParser, *, has_ledger: bool = False) -> None:
    """Add what decides about fetching, naming and limits.

    Args:
        parser: Of a command.
        has_ledger: The command is about a ledger that is there, and takes its directory as an argument.
    """
    if not has_ledger:
        directory = "destination (default: %(default)s)"
        parser.add_argument("-d", "--dir", metavar="DIR", default="downloads", help=directory)
    add_request_options(parser)
    files = parser.add_argument_group("files")
    _add_files(files)
    if not has_ledger:
        _add_ledger(files)
    parser.add_argument(
        "--engine", choices=get_args(EngineName), default="asyncio", help="how attempts are made (default: %(default)s)"
    )
    processes = "event loops over one list, each in a process of its own; with --engine asyncio or aiohttp"
    _add(parser, "--processes", metavar="N", type=int, help=processes)


def add_request_options(parser: argparse.ArgumentParser) -> None:
    """Add what decides about requests and their limits, whoever makes them."""
    _add_limits(parser.add_argument_group("limits"))
    _add_deadlines(parser.add_argument_group("retries and deadlines, in seconds"))
    _add_network(parser.add_argument_group("network"))


def _add_limits(group: argparse._ArgumentGroup) -> None:
    _add(group, "-j", "--concurrency", metavar="N", type=int, help="attempts in flight at most")
    _add(group, "--per-host", metavar="N", type=int, help="attempts in flight to one host at most, 0 = no limit")
    _add(group, "--rate", metavar="N", type=parse_number, help="requests started per second, per host")
    _add(group, "--limit-rate", metavar="B", type=parse_size, help="bytes per second, whole job: 500k, 10M, 1.5Gi")
    _add(group, "--max-bytes", metavar="B", type=parse_size, help="refuse a larger body")


def _add_deadlines(group: argparse._ArgumentGroup) -> None:
    _add(group, "--retries", metavar="N", type=int, help="further attempts after the first, for what can pass")
    _add(group, "--max-wait", metavar="S", type=parse_number, help="the longest Retry-After that is waited for")
    _add(group, "--connect-timeout", metavar="S", type=parse_number, help="to connect, TLS included")
    _add(
        group,
        "--first-byte-timeout",
        metavar="S",
        type=parse_number,
        help="from request sent to the first body byte",
    )
    _add(group, "--idle-timeout", metavar="S", type=parse_number, help="no bytes at all for so long")
    _add(
        group,
        "--min-speed",
        metavar="B",
        type=parse_size,
        help="fewer bytes per second over the idle window count as stalled, 0 = off",
    )


def _add_files(group: argparse._ArgumentGroup) -> None:
    _add(
        group,
        "--existing",
        choices=["fail", "skip", "replace"],
        help="what to do about a file of that name that is there already",
    )
    group.add_argument(
        "--hash", metavar="ALGO", action="append", default=[], help="record this digest besides xxh128; repeatable"
    )
    _add(
        group,
        "--durability",
        choices=["none", "batch", "file"],
        help="force bytes to stable storage: not at all, in groups, or each file",
    )


def _add_ledger(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--no-ledger",
        dest="ledger",
        action="store_false",
        help="keep no record of what is done; leave nothing in DIR but the files",
    )
    group.add_argument(
        "--update",
        action="store_true",
        help="ask whether files that earlier runs have fetched have changed since, and fetch those again",
    )


def _add_network(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--header", metavar="'K: V'", action="append", default=[], help="send this header too; repeatable"
    )
    group.add_argument("--proxy", metavar="URL", help="http proxy for all requests")
    group.add_argument("--netrc", action="store_true", help="take credentials from your netrc file")
    group.add_argument("--cacert", metavar="FILE", help="trust the CA certificates in FILE (PEM), not the system's")
    group.add_argument("--insecure", action="store_true", help="do not verify certificates")
    group.add_argument(
        "--allow-private-redirects",
        action="store_true",
        help="follow redirects from public to private addresses",
    )
    _add(
        group,
        "--address-policy",
        choices=["any", "public"],
        help="which addresses may be connected to: public for URLs from strangers",
    )


def _add(group: argparse._ActionsContainer, *flags: str, help: str, **rest: Any) -> None:  # noqa: A002 - as argparse has it
    default = _DEFAULTS[flags[-1].removeprefix("--").replace("-", "_")]
    shown = "none" if default is None else f"{default:g}" if isinstance(default, float) else default
    group.add_argument(*flags, default=default, help=f"{help} (default: {shown})", **rest)


def add_output_options(parser: argparse.ArgumentParser) -> None:
    """Add what decides about standard output and the terminal."""
    group = parser.add_argument_group("output")
    group.add_argument("--json", action="store_true", help="one JSON object a line on standard output")
    group.add_argument(
        "--progress",
        choices=["auto", "bar", "plain", "none"],
        default="auto",
        help="on standard error; auto = bar on a terminal, a plain line every few seconds elsewhere",
    )
    group.add_argument(
        "--trace", action="store_true", help="the life of each file and of its Future, on standard error"
    )
    group.add_argument("--trace-file", metavar="FILE", help="write who did what when, for Perfetto or chrome://tracing")
    group.add_argument("-q", "--quiet", action="store_true", help="less: no progress, no summary")
    group.add_argument("-v", "--verbose", action="store_true", help="more: a line for every file")


def options_of(args: argparse.Namespace) -> Options:
    """Pick the options of the downloader, checked.

    Raises:
        UsageError: A value is out of its range; the message names the option as the command line does.
    """
    options = cast(Options, {name: getattr(args, name) for name in Options.__annotations__ if name in args})
    try:
        Settings(**options)
    except UsageError as error:
        name, space, rest = str(error).partition(" ")
        option = f"--{name.replace('_', '-')}" if name in _DEFAULTS else name
        raise UsageError(f"{option}{space}{rest}") from error
    return options
