"""`aioflags status`: how a destination stands, as its ledger has it."""

from __future__ import annotations

import argparse
import json
import shlex
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from aioflags.audit import Audit, Standing
from aioflags.cli.carry_on import current_program
from aioflags.cli.exits import ExitStatus
from aioflags.cli.quantities import show_size
from aioflags.cli.say import say
from aioflags.cli.summary import Failures
from aioflags.errors import KINDS, make_error
from aioflags.items import Outcome, Status, Tally
from aioflags.ledger_rows import State
from aioflags.redact import escape_text

if TYPE_CHECKING:
    from aioflags.cli.parser import Subparsers

__all__ = ["add_parser", "run"]

_EPILOG = """\
exit status: 0 everything is done, 1 something failed or is not fetched yet, 2 there is no ledger in DIR, 3 it cannot
be read
"""


def add_parser(subparsers: Subparsers) -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser(
        "status",
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
        return _tell_as_records(audit) if args.json else _tell(args.dir, audit)
    finally:
        audit.close()


def _tell_as_records(audit: Audit) -> ExitStatus:
    """Print a record for each item, and sum up what was printed: a run may be at work meanwhile."""
    tally = Tally()
    wanted = 0
    groups: Counter[tuple[str, int | None, str | None]] = Counter()
    for row in audit.rows():
        outcome = row.as_outcome()
        record = outcome.as_record()
        if row.was_tried:
            tally.add(outcome)
        else:
            wanted += 1
            record["status"] = "wanted"
        if error := outcome.error:
            groups[error.kind, outcome.http_status if error.kind == "http" else None, error.host] += 1
        say(json.dumps(record))
    summary = tally.as_record(0.0) | {
        "items": tally.items + wanted,
        "wanted": wanted,
        "failures": [
            {"kind": kind, "http_status": status, "host": host, "count": count}
            for (kind, status, host), count in groups.most_common()
        ],
    }
    say(json.dumps(summary))
    return _status_of(is_done=tally.is_clean and not wanted)


def _tell(directory: str, audit: Audit) -> ExitStatus:
    standing = audit.standing()
    for line in (*_counts(standing), _last_run(audit, standing), *_advice(directory, standing)):
        say(line)
    return _status_of(is_done=not (standing.wrong or standing.wanted))


def _status_of(*, is_done: bool) -> ExitStatus:
    return ExitStatus.CLEAN if is_done else ExitStatus.FAILURES


def _counts(standing: Standing) -> Iterator[str]:
    counts = standing.counts
    rows = [
        ("done", counts.get(State.DONE, 0), show_size(standing.size)),
        ("failed", counts.get(State.FAILED, 0), ""),
        ("missing", counts.get(State.MISSING, 0), "the server has no such file"),
        ("not refreshed", counts.get(State.STALE, 0), "there as it was; asking whether it has changed has failed"),
        ("wrong", counts.get(State.WRONG, 0), "changed or gone since, verify names them"),
        ("not fetched yet", standing.wanted, ""),
        ("half files", standing.halves, f"{show_size(standing.half_size)}, to be gone on with"),
    ]
    width = max(len(str(count)) for _, count, _ in rows)
    for name, count, remark in rows:
        if count or name == "done":
            yield f"{name:15}  {count:>{width}}  {remark}".rstrip()


def _last_run(audit: Audit, standing: Standing) -> str:
    if holder := audit.holder():
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
        retry = f"retry {escape_text(shlex.quote(directory))}"
        yield f"To fetch again what failed or is wrong: {current_program()} {retry}"
    if standing.wanted:
        yield "To fetch what is not fetched yet: the command again that asked for it"
