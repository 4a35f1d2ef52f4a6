"""A ledger read for people: how much is done, what failed where, which items and files it knows. Blocking.

Reads beside a run that is at work; changes nothing. What stands in a ledger is believed no more than a list is: it lies
in a directory that others may have given to us.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from aioflags.errors import KINDS, DownloadError, UsageError, make_error
from aioflags.items import Item, Outcome, Rejected, Status
from aioflags.ledger_file import LEDGER_FILE, open_for_reading, translating
from aioflags.ledger_rows import State, read_asked, read_digests
from aioflags.names import safe_name
from aioflags.private import STATE_FOLDER
from aioflags.settings import check_checksum

__all__ = ["NOT_RIGHT", "Audit", "Failure", "FileRow", "Standing"]

#: States of items that were tried and are not as they should be.
NOT_RIGHT = (State.FAILED, State.MISSING, State.WRONG)
_BATCH = 512

_SUMS = "SELECT state, count(*), sum(size) FROM items GROUP BY state"
_COUNT = "SELECT count(*) FROM items WHERE state IN (SELECT value FROM json_each(?))"
_GROUPS = """
SELECT kind, iif(kind = 'http', http_status, NULL) AS status, host, count(*) AS number, url, message, min(id)
FROM items WHERE state IN (SELECT value FROM json_each(?)) GROUP BY kind, status, host ORDER BY number DESC
"""
_ROWS = """
SELECT id, url, wish, asked, state, name, size, digests, http_status, attempts, content_encoding, kind, message, host
FROM items WHERE id > ? AND state IN (SELECT value FROM json_each(?)) ORDER BY id LIMIT ?
"""


@dataclass(frozen=True, slots=True)
class Failure:
    """Items that failed alike: how many, and the first of them.

    Args:
        kind: Of the error.
        http_status: Where that is what the kind says.
        host: Where it happened, if at a host.
        count: How many items.
        url: Of the first.
        message: Of the first.
    """

    kind: str
    http_status: int | None
    host: str | None
    count: int
    url: str
    message: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How a destination stands.

    Args:
        counts: Items by state; `READY` counts as not fetched yet.
        size: Bytes of what is done.
        halves: Files of which an earlier run has left a part.
        failures: The most frequent first.
        started: When the last run began, in seconds since the epoch, `None` if there was none.
        ended: When it said that it ended, `None` if it has not.
    """

    counts: Mapping[State, int]
    size: int
    halves: int
    failures: tuple[Failure, ...] = ()
    started: float | None = None
    ended: float | None = None

    @property
    def wanted(self) -> int:
        """Items that are not fetched yet."""
        return self.counts.get(State.WANTED, 0) + self.counts.get(State.READY, 0)

    @property
    def wrong(self) -> int:
        """Items that were tried and are not as they should be."""
        return sum(self.counts.get(state, 0) for state in NOT_RIGHT)


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file that is done, according to the ledger: number and URL of its item, name, bytes, digests."""

    row: int
    url: str
    name: str
    size: int
    digests: Mapping[str, str] = field(default_factory=dict)


class Audit:
    """A ledger that is open for reading; to be used by one thread.

    Args:
        directory: The destination.

    Raises:
        UsageError: There is no ledger.
        StorageError: It cannot be read.
    """

    def __init__(self, directory: str) -> None:
        self._path = os.path.join(os.path.abspath(directory), STATE_FOLDER, LEDGER_FILE)
        self._db = open_for_reading(self._path)

    def close(self) -> None:
        """Close it."""
        self._db.close()

    def count(self, states: Collection[State]) -> int:
        """Count the items of these states.

        Raises:
            StorageError: The ledger cannot be read.
        """
        with translating("read", self._path):
            (number,) = self._db.execute(_COUNT, (_as_list(states),)).fetchone()
            return int(number)

    def standing(self) -> Standing:
        """Count everything.

        Raises:
            StorageError: The ledger cannot be read.
        """
        with translating("read", self._path):
            rows = self._db.execute(_SUMS).fetchall()
            (halves,) = self._db.execute("SELECT count(*) FROM halves").fetchone()
            last = self._db.execute("SELECT started, ended FROM runs ORDER BY id DESC LIMIT 1").fetchone()
            known = {State(state): (count, size or 0) for state, count, size in rows if state in set(State)}
            return Standing(
                {state: count for state, (count, _) in known.items()},
                known.get(State.DONE, (0, 0))[1],
                halves,
                tuple(self._failures()),
                *(last or (None, None)),
            )

    def _failures(self) -> Iterator[Failure]:
        for kind, status, host, number, url, message, _ in self._db.execute(_GROUPS, (_as_list(NOT_RIGHT),)):
            yield Failure(str(kind or "checksum"), status, host, number, url, str(message or ""))

    def entries(self, states: Collection[State]) -> Iterator[list[Item | Rejected]]:
        """Give the items of these states in the order of the ledger, some at a time.

        Raises:
            StorageError: The ledger cannot be read.
        """
        for rows in self._batches(states):
            yield [_entry(row) for row in rows]

    def files(self) -> Iterator[list[FileRow]]:
        """Give the files that are done, some at a time; one whose name cannot be used has an empty name.

        Raises:
            StorageError: The ledger cannot be read.
        """
        for rows in self._batches((State.DONE,)):
            yield [
                FileRow(row.id, str(row.url), _checked_name(row.name), row.size or 0, _checked_digests(row.digests))
                for row in rows
            ]

    def outcomes(self) -> Iterator[tuple[Outcome, bool]]:
        """Give what became of each item, and whether it was tried at all.

        Raises:
            StorageError: The ledger cannot be read.
        """
        for rows in self._batches(tuple(State)):
            for row in rows:
                yield _outcome(row), row.state not in {State.WANTED, State.READY}

    def _batches(self, states: Collection[State]) -> Iterator[list[_Row]]:
        last = 0
        while True:
            with translating("read", self._path):
                rows = [_Row(*row) for row in self._db.execute(_ROWS, (last, _as_list(states), _BATCH))]
            if not rows:
                return
            yield rows
            last = rows[-1].id


class _Row(NamedTuple):
    id: int
    url: Any
    wish: Any
    asked: Any
    state: int
    name: Any
    size: int | None
    digests: Any
    http_status: int | None
    attempts: int
    content_encoding: str | None
    kind: str | None
    message: str | None
    host: str | None


def _as_list(states: Collection[State]) -> str:
    return json.dumps([int(state) for state in states])


def _entry(row: _Row) -> Item | Rejected:
    asked: dict[str, Any] = read_asked(row.asked)
    try:
        return Item(row.url, name=row.wish, **asked)
    except (UsageError, TypeError, AttributeError):
        error = make_error("url", "the ledger holds what can be no item; give the list again")
        return Rejected(str(row.url), error)


def _checked_name(name: Any) -> str:
    try:
        return name if isinstance(name, str) and safe_name(name) == name else ""
    except DownloadError:
        return ""


def _checked_digests(text: Any) -> dict[str, str]:
    """Give the digests that can be computed."""
    found = {}
    for name, digest in read_digests(text if isinstance(text, str) else None).items():
        try:
            if name != "xxh128":
                check_checksum(f"{name}:{digest}")
        except UsageError:
            continue
        found[name] = digest
    return found


def _outcome(row: _Row) -> Outcome:
    if row.state == State.DONE:
        return Outcome(
            str(row.url),
            Status.SAVED,
            path=row.name,
            bytes=row.size or 0,
            digests=_checked_digests(row.digests),
            http_status=row.http_status,
            attempts=row.attempts,
            content_encoding=row.content_encoding,
        )
    return Outcome(
        str(row.url),
        Status.MISSING if row.state == State.MISSING else Status.FAILED,
        http_status=row.http_status,
        attempts=row.attempts,
        error=make_error(row.kind, row.message or "", row.host) if row.kind in KINDS else None,
    )
