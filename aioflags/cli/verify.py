"""`aioflags verify`: reads all files of a destination again and holds them against its ledger."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from aioflags.audit import WITH_FILES, Audit
from aioflags.cli.exits import ExitStatus
from aioflags.cli.get import conclude, say_nothing
from aioflags.cli.job import Job
from aioflags.cli.ledger_feed import LedgerFeed
from aioflags.cli.options import add_download_options, add_output_options, options_of
from aioflags.cli.quantities import show_count, show_size
from aioflags.cli.say import say
from aioflags.destination import Destination
from aioflags.inspection import Fault, Finding, inspect
from aioflags.items import Outcome, Status, Tally
from aioflags.ledger import Ledger
from aioflags.ledger_rows import State
from aioflags.redact import escape_text, redact_text, redact_url

if TYPE_CHECKING:
    from aioflags.cli.parser import Subparsers
    from aioflags.settings import Options

__all__ = ["add_parser", "run"]

_EPILOG = """\
exit status: 0 every file is what was fetched, 1 some are not, 2 there is no ledger in DIR, 3 it cannot be read, or with
--fix a run is at work there; with --fix: as that of get
"""
_INTERVAL = 5.0
_BATCH = 512


def add_parser(subparsers: Subparsers) -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser(
        "verify",
        usage="%(prog)s DIR [--fix] [OPTION ...]",
        description="Read all files of DIR again, compare them with the sizes and digests in its ledger, and name "
        "those that are wrong or gone.",
        epilog=_EPILOG,
    )
    parser.add_argument("dir", metavar="DIR", help="the destination of an earlier run")
    parser.add_argument("--fix", action="store_true", help="fetch those again; the other options are about that")
    add_download_options(parser, has_ledger=True)
    add_output_options(parser)


def run(args: argparse.Namespace) -> int:
    """Compare, and with `--fix` fetch again.

    Raises:
        UsageError: The call is wrong, or there is no ledger.
        StorageError: The ledger cannot be read, or a run is at work with it.
    """
    options = options_of(args)
    options["ledger"] = True
    with closing(Audit(args.dir)) as audit:
        if not args.fix:
            return _tell(args, audit)
        report = _mark(args, audit)
    return _fetch(args, options, report)


def _fetch(args: argparse.Namespace, options: Options, report: _Report) -> int:
    """Fetch what was marked; what cannot be helped by that stays wrong."""
    if not report.marked:
        if args.json:
            say(json.dumps(Tally().as_record(0.0)))
        return report.status
    say_last = say_nothing if args.quiet else conclude
    feed = LedgerFeed(args.dir, [State.WRONG])
    status = Job(args, options, feed, describe=None, conclude=say_last).run()
    is_all = report.faults == report.marked
    return status if status or is_all else ExitStatus.FAILURES


def _tell(args: argparse.Namespace, audit: Audit) -> ExitStatus:
    """Say of each file what is wrong with it, and change nothing."""
    destination = Destination(args.dir)
    destination.open_for_reading()
    started = time.monotonic()
    tally = Tally()
    with closing(destination):
        report = _Report(args, audit)
        for finding in report.follow(destination):
            outcome = _outcome_of(finding)
            tally.add(outcome)
            if args.json:
                say(json.dumps(outcome.as_record()))
            elif finding.error is not None:
                say(_describe(finding))
    if args.json:
        say(json.dumps(tally.as_record(time.monotonic() - started)))
    elif not args.quiet:
        say(report.sum_up("--fix fetches them again"))
    return report.status


def _mark(args: argparse.Namespace, audit: Audit) -> _Report:
    """Have the ledger distrust what is wrong; nobody else is at work meanwhile."""
    report = _Report(args, audit)
    out = sys.stderr if args.json else sys.stdout
    marked: list[int] = []
    with _holding(args.dir) as (destination, ledger):
        for finding in report.follow(destination):
            if finding.error is None:
                continue
            say(_describe(finding), file=out)
            if finding.is_to_be_fetched:
                marked.append(finding.row.row)
                report.marked += 1
            if len(marked) >= _BATCH:
                ledger.distrust(marked)
                marked.clear()
        ledger.distrust(marked)
    if not args.quiet:
        say(report.sum_up("to be fetched again"), file=out)
    return report


@contextmanager
def _holding(directory: str) -> Iterator[tuple[Destination, Ledger]]:
    """Do something to a ledger as a run of its own."""
    destination = Destination(directory, is_kept=True)
    destination.open()
    with closing(destination):
        places = destination.state_path, destination.run_path
        ledger = Ledger.open(*places, is_kept=True, is_left_over=destination.is_left_over)
        with closing(ledger):
            yield destination, ledger


class _Report:
    """What was found so far; tells on standard error how far it is, now and then."""

    def __init__(self, args: argparse.Namespace, audit: Audit) -> None:
        self._audit = audit
        self._is_silent = args.quiet or args.progress == "none"
        self._next = time.monotonic() + _INTERVAL
        self._files = 0
        self._bytes = 0
        self._without_digest = 0
        self.faults = 0
        self.marked = 0

    def follow(self, destination: Destination) -> Iterator[Finding]:
        """Give the findings one by one, and count them."""
        self._total = self._audit.count(WITH_FILES)
        with closing(inspect(destination, self._audit, self._tick, _INTERVAL)) as findings:
            for finding in findings:
                self._files += 1
                self.faults += finding.fault is not None
                if finding.fault is None:
                    self._bytes += finding.row.size
                    self._without_digest += not finding.row.digests
                yield finding
                self._tick()

    def _tick(self) -> None:
        if self._is_silent or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _INTERVAL
        line = f"{self._files} of {show_count(self._total, 'file')} compared, {show_size(self._bytes)}"
        print(f"{line}, {self.faults} wrong" if self.faults else line, file=sys.stderr)

    @property
    def status(self) -> ExitStatus:
        """How the program ends if nothing is fetched again."""
        return ExitStatus.FAILURES if self.faults else ExitStatus.CLEAN

    def sum_up(self, remark: str) -> str:
        """Give the last line."""
        parts = [f"{show_count(self._files - self.faults, 'file')} as fetched, {show_size(self._bytes)}"]
        if self.faults:
            parts.append(f"{self.faults} wrong or gone ({remark})")
        if self._without_digest:
            parts.append(f"{self._without_digest} compared by size only")
        return ", ".join(parts)


def _describe(finding: Finding) -> str:
    assert finding.error is not None
    what = escape_text(finding.row.name) or redact_url(finding.row.url)
    return f"{finding.fault:5}  {what}: {redact_text(finding.error.message)}"


def _outcome_of(finding: Finding) -> Outcome:
    row = finding.row
    if finding.error is None:
        return Outcome(row.url, Status.PRESENT, path=row.name, bytes=row.size, digests=row.digests)
    path = None if finding.fault is Fault.GONE else row.name or None
    return Outcome(row.url, Status.FAILED, path=path, error=finding.error)
