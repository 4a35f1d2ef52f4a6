"""`aioflags status`: how a destination stands, as its ledger has it."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from aioflags.audit import Audit, Standing
from aioflags.cli.carry_on import current_program
from aioflags.cli.exits import ExitStatus
from aioflags.cli.quantities import show_count, show_size
from aioflags.cli.summary import Failures
from aioflags.errors import KINDS, make_error
from aioflags.folders import Folder
from aioflags.items import Outcome, Status, Tally
from aioflags.ledger_rows import State
from aioflags.lock import holder_of
from aioflags.private import STATE_FOLDER
from aioflags.redact import escape_text

if TYPE_CHECKING:
    from aioflags.cli.options import Subparsers

__all__ = ["add_parser", "run"]

_EPILOG = """\
exit status: 0 everything is done, 1 something failed or is not fetched yet, 2 there is no ledger in DIR, 3 it cannot
be read
"""


def add_parser(subparsers: Subparsers) -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser(
        "status",
        help="what is done, what failed, what to do next",
        description="Tell what is done in DIR, what failed and what to do next, as its ledger has it; also while a run "
        "is at work there.",
        epilog=_EPILOG,
    )
    parser.add_argument("dir", metavar="DIR", help="the destination of an earlier run")
    parser.add_argument("--json", action="store_true", help="a JSON object for each item, the summary last")


def run(args: argparse.Namespace) -> int:
    """Tell it.

    Raises:
        UsageError: There is no ledger.
        StorageError: It cannot be read.
    """
    audit = Audit(args.dir)
    try:
        standing = audit.standing()
        lines = _records(audit, standing) if args.json else _table(args.dir, standing)
        for line in lines:
            print(line)
    finally:
        audit.close()
    return ExitStatus.FAILURES if standing.wanted or standing.wrong else ExitStatus.CLEAN


def _records(audit: Audit, standing: Standing) -> Iterator[str]:
    tally = Tally()
    for outcome, was_tried in audit.outcomes():
        record = outcome.as_record()
        if was_tried:
            tally.add(outcome)
        else:
            record["status"] = "wanted"
        yield json.dumps(record)
    failures = [
        {"kind": each.kind, "http_status": each.http_status, "host": each.host, "count": each.count}
        for each in standing.failures
    ]
    summary = tally.as_record(0.0) | {"wanted": standing.wanted, "failures": failures}
    yield json.dumps(summary | {"items": tally.items + standing.wanted})


def _table(directory: str, standing: Standing) -> Iterator[str]:
    counts = standing.counts
    rows = [
        ("done", counts.get(State.DONE, 0), show_size(standing.size)),
        ("failed", counts.get(State.FAILED, 0), ""),
        ("missing", counts.get(State.MISSING, 0), "the server has no such file"),
        ("changed", counts.get(State.WRONG, 0), "the file is not what was fetched"),
        ("not fetched yet", standing.wanted, f"{show_count(standing.halves, 'half file')}" if standing.halves else ""),
    ]
    width = max(len(str(count)) for _, count, _ in rows)
    for name, count, remark in rows:
        if count or name == "done":
            yield f"{name:15}  {count:>{width}}  {remark}".rstrip()
    yield _last_run(directory, standing)
    yield from _advice(directory, standing)


def _last_run(directory: str, standing: Standing) -> str:
    state = Folder.open(os.path.join(directory, STATE_FOLDER))
    try:
        holder = holder_of(state)
    finally:
        state.close()
    if holder is not None:
        return f"at work now: {holder}"
    if standing.started is None:
        return "last run: never"
    if standing.ended is None:
        return f"last run: {_show_time(standing.started)}, did not come to its end"
    return f"last run: {_show_time(standing.started)} to {_show_time(standing.ended)}"


def _show_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _advice(directory: str, standing: Standing) -> Iterator[str]:
    failures = Failures()
    for each in standing.failures:
        error = make_error(each.kind if each.kind in KINDS else "storage", each.message, each.host)
        failures.add(Outcome(each.url, Status.FAILED, http_status=each.http_status, error=error), each.count)
    yield from failures.lines()
    if standing.wrong:
        yield f"{current_program()} retry {escape_text(directory)}  fetches again what failed"
    if standing.wanted:
        yield "For what is not fetched yet run the command again that asked for it."
