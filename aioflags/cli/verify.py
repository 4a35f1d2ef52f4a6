"""`aioflags verify`: reads all files of a destination again and holds them against its ledger."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aioflags.audit import Audit, FileRow
from aioflags.cli.exits import ExitStatus
from aioflags.cli.get import conclude, say_nothing
from aioflags.cli.job import Job
from aioflags.cli.ledger_feed import LedgerFeed
from aioflags.cli.options import add_download_options, add_output_options, options_of
from aioflags.cli.quantities import show_count, show_size
from aioflags.destination import Destination
from aioflags.errors import DownloadError, make_error
from aioflags.items import Outcome, Status, Tally
from aioflags.ledger import Ledger
from aioflags.ledger_rows import State
from aioflags.redact import escape_text

if TYPE_CHECKING:
    from aioflags.cli.options import Subparsers

__all__ = ["add_parser", "run"]

_EPILOG = """\
exit status: 0 every file is what was fetched, 1 some are not, 2 there is no ledger in DIR, 3 it cannot be read, or with
--fix a run is at work there; with --fix: as that of get
"""
# Reading lets go of the interpreter, and so does hashing.
_THREADS = 4
_AHEAD = 64
_INTERVAL = 5.0


def add_parser(subparsers: Subparsers) -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser(
        "verify",
        usage="%(prog)s DIR [--fix] [OPTION ...]",
        help="read all files again and compare them with what was fetched",
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
    audit = Audit(args.dir)
    try:
        if not args.fix:
            return _tell(args, audit)
        wrong = _mark(args, audit)
    finally:
        audit.close()
    print(f"{show_count(wrong, 'file')} to be fetched again", file=sys.stderr)
    say_last = say_nothing if args.quiet else conclude
    return Job(args, options, LedgerFeed(args.dir, [State.WRONG]), describe=say_nothing, conclude=say_last).run()


@dataclass(slots=True)
class _Finding:
    """A file and what is wrong with it, `None` if it is what was fetched."""

    row: FileRow
    error: DownloadError | None = None


@dataclass(slots=True)
class _Count:
    files: int = 0
    bytes: int = 0
    wrong: int = 0
    without_digest: int = 0
    since: float = field(default_factory=time.monotonic)

    def add(self, finding: _Finding) -> None:
        self.files += 1
        self.wrong += finding.error is not None
        if finding.error is None:
            self.bytes += finding.row.size
            self.without_digest += not finding.row.digests


def _tell(args: argparse.Namespace, audit: Audit) -> int:
    destination = Destination(args.dir)
    destination.open_for_reading()
    started = time.monotonic()
    tally, count = Tally(), _Count()
    try:
        for finding in _with_progress(_compare_all(destination, audit), count, quiet=args.quiet):
            outcome = _outcome_of(finding)
            tally.add(outcome)
            if args.json:
                print(json.dumps(outcome.as_record()))
            elif finding.error is not None:
                print(f"{_what(finding)}  {escape_text(finding.row.name or finding.row.url)}: {finding.error.message}")
    finally:
        destination.close()
    if args.json:
        print(json.dumps(tally.as_record(time.monotonic() - started)))
    elif not args.quiet:
        print(_sum_up(count))
    return ExitStatus.FAILURES if count.wrong else ExitStatus.CLEAN


def _mark(args: argparse.Namespace, audit: Audit) -> int:
    """Have the ledger distrust what is wrong; nobody else is at work meanwhile."""
    destination = Destination(args.dir, is_kept=True)
    destination.open()
    try:
        ledger = Ledger.open(destination.state_path, destination.run_path, is_kept=True)
        try:
            findings = _with_progress(_compare_all(destination, audit), _Count(), quiet=args.quiet)
            wrong = [finding for finding in findings if finding.error is not None]
            for finding in wrong:
                print(f"{_what(finding)}  {escape_text(finding.row.name or finding.row.url)}", file=sys.stderr)
            ledger.distrust([finding.row.row for finding in wrong])
        finally:
            ledger.close()
    finally:
        destination.close()
    return len(wrong)


def _compare_all(destination: Destination, audit: Audit) -> Iterator[_Finding]:
    """Compare all files, a few at a time, in the order of the ledger."""
    executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="aioflags-verify")
    ahead: deque[Future[_Finding]] = deque()
    try:
        for rows in audit.files():
            for row in rows:
                ahead.append(executor.submit(_compare, destination, row))
                if len(ahead) >= _AHEAD:
                    yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        executor.shutdown(cancel_futures=True)


def _compare(destination: Destination, row: FileRow) -> _Finding:
    if not row.name:
        return _Finding(row, make_error("name", "the ledger gives it a name that cannot be used"))
    try:
        found = destination.size_of(row.name)
        if found is None:
            return _Finding(row, make_error("storage", "there is no such file any more"))
        if found != row.size:
            return _Finding(row, make_error("checksum", f"it has {found} bytes, {row.size} were fetched"))
        digests = destination.digest(row.name, [name for name in row.digests if name != "xxh128"])
    except DownloadError as error:
        return _Finding(row, error)
    different = [name for name, digest in row.digests.items() if digests.get(name) != digest]
    if different:
        return _Finding(row, make_error("checksum", f"its {different[0]} is not that of what was fetched"))
    return _Finding(row)


def _with_progress(findings: Iterator[_Finding], count: _Count, *, quiet: bool) -> Iterator[_Finding]:
    for finding in findings:
        count.add(finding)
        yield finding
        if not quiet and time.monotonic() - count.since > _INTERVAL:
            count.since = time.monotonic()
            print(f"{count.files} files compared, {count.wrong} wrong", file=sys.stderr)


def _what(finding: _Finding) -> str:
    assert finding.error is not None
    return "gone " if finding.error.kind == "storage" else "wrong"


def _outcome_of(finding: _Finding) -> Outcome:
    row = finding.row
    if finding.error is not None:
        path = None if finding.error.kind == "storage" else row.name or None
        return Outcome(row.url, Status.FAILED, path=path, error=finding.error)
    return Outcome(row.url, Status.PRESENT, path=row.name, bytes=row.size, digests=row.digests)


def _sum_up(count: _Count) -> str:
    parts = [f"{show_count(count.files - count.wrong, 'file')} as fetched, {show_size(count.bytes)}"]
    if count.wrong:
        parts.append(f"{count.wrong} wrong or gone (--fix fetches them again)")
    if count.without_digest:
        parts.append(f"{count.without_digest} compared by size only")
    return ", ".join(parts)
