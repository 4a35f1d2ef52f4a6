"""A ledger read for people: how much is done, what failed where, which items and files it knows. Blocking.

Reads beside a run that is at work; changes nothing. What its rows hold is read by `aioflags.audit_rows`.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from aioflags.audit_rows import AuditRow, FileRow, as_number, as_text
from aioflags.folders import Folder
from aioflags.items import Item, Rejected
from aioflags.ledger_file import LEDGER_FILE, open_for_reading, translating
from aioflags.ledger_rows import NOT_AS_IT_WAS, State
from aioflags.lock import holder_of
from aioflags.private import PARTS_FOLDER, STATE_FOLDER
from aioflags.records import dataclass

__all__ = ["NOT_RIGHT", "NOT_TRIED", "WITH_FILES", "Audit", "Failure", "Standing"]

#: States of items that were tried and are not as they should be.
NOT_RIGHT = (State.FAILED, State.MISSING, State.WRONG, State.STALE)
#: States of items that are not fetched yet.
NOT_TRIED = (State.WANTED, State.READY)
#: States of items that have a file, or had one.
WITH_FILES = (State.DONE, State.WRONG, State.STALE)
_BATCH = 512

# Not by GROUP BY, which would hold all rows in memory. The sum is a floating-point number, which cannot overflow.
_SIZE = "total(size) FILTER (WHERE state = ? AND typeof(size) = 'integer' AND size > 0)"
_SUMS = " ".join(["SELECT", ", ".join([_SIZE, *["count(*) FILTER (WHERE state = ?)"] * len(State)]), "FROM items"])
_COUNT = "SELECT count(*) FROM items WHERE id <= ? AND state IN (SELECT value FROM json_each(?))"
_FAILURES = """
SELECT kind, http_status, host, url, message FROM items
WHERE state IN (SELECT value FROM json_each(?)) OR (state = ? AND message != ?) ORDER BY id
"""
_ROWS = """
SELECT id, url, wish, asked, state, name, size, digests, http_status, attempts, content_encoding, kind, message, host
FROM items WHERE id > ? AND id <= ? AND state IN (SELECT value FROM json_each(?)) ORDER BY id LIMIT ?
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
    """How a destination stands at one moment.

    Args:
        counts: Items by state.
        size: Bytes of what is done.
        halves: Files of which there is a part.
        half_size: Bytes of those parts.
        failures: Of what failed or is missing, or was found wrong and could not be fetched again; the most frequent
            first.
        started: When the last run began, in seconds since the epoch, `None` if there was none.
        ended: When it said that it ended, `None` if it has not.
    """

    counts: Mapping[State, int]
    size: int
    halves: int
    half_size: int
    failures: tuple[Failure, ...] = ()
    started: float | None = None
    ended: float | None = None

    @property
    def wanted(self) -> int:
        """Items that are not fetched yet."""
        return sum(self.counts.get(state, 0) for state in NOT_TRIED)

    @property
    def wrong(self) -> int:
        """Items that were tried and are not as they should be."""
        return sum(self.counts.get(state, 0) for state in NOT_RIGHT)


class Audit:
    """A ledger that is open for reading; to be used by one thread.

    Items that come after it was opened are not looked at: what it gives has an end, also if whoever takes it writes.

    Args:
        directory: The destination.

    Raises:
        UsageError: There is no ledger.
        StorageError: It cannot be read.
    """

    def __init__(self, directory: str) -> None:
        folder = os.path.join(os.path.abspath(directory), STATE_FOLDER)
        self._path = os.path.join(folder, LEDGER_FILE)
        self._db = open_for_reading(self._path)
        self._db.text_factory = lambda text: text.decode("utf-8", "backslashreplace")
        try:
            with translating("read", self._path):
                self._state = Folder.open(folder)
                (self._last,) = self._db.execute("SELECT coalesce(max(id), 0) FROM items").fetchone()
        except BaseException:
            self._db.close()
            raise

    def close(self) -> None:
        """Close it."""
        self._state.close()
        self._db.close()

    def count(self, states: Collection[State]) -> int:
        """Count the items of these states.

        Raises:
            StorageError: The ledger cannot be read.
        """
        with translating("read", self._path):
            (number,) = self._db.execute(_COUNT, (self._last, _as_list(states))).fetchone()
            return int(number)

    def holder(self) -> str | None:
        """Say who is at work there, for people; `None` if nobody seems to be."""
        try:
            return holder_of(self._state)
        except OSError as error:
            return f"somebody whose note cannot be read ({error.strerror})"

    def standing(self) -> Standing:
        """Count everything, as it is at one moment.

        Raises:
            StorageError: The ledger cannot be read.
        """
        with self._moment():
            size, *counts = self._db.execute(_SUMS, (State.DONE, *State)).fetchone()
            parts = [as_text(part) for (part,) in self._db.execute("SELECT part FROM halves")]
            last = self._db.execute("SELECT started, ended FROM runs ORDER BY id DESC LIMIT 1").fetchone()
            failed = _as_list((State.FAILED, State.MISSING, State.STALE))
            failures = _group(self._db.execute(_FAILURES, (failed, State.WRONG, NOT_AS_IT_WAS)))
        halves = list(self._sizes_of(part for part in parts if part is not None))
        return Standing(
            {state: count for state, count in zip(State, counts, strict=True) if count},
            int(size),
            len(halves),
            sum(halves),
            failures,
            *map(_as_time, last or (None, None)),
        )

    @contextmanager
    def _moment(self) -> Iterator[None]:
        with translating("read", self._path):
            self._db.execute("BEGIN")
            try:
                yield
            finally:
                self._db.execute("ROLLBACK")

    def _sizes_of(self, parts: Iterator[str]) -> Iterator[int]:
        """Give the sizes in bytes of those parts that are there."""
        try:
            folder = self._state.child(PARTS_FOLDER)
        except OSError:
            return
        try:
            for part in parts:
                found = _look(folder, part)
                if found is not None:
                    yield found.st_size
        finally:
            folder.close()

    def entries(self, states: Collection[State]) -> Iterator[list[Item | Rejected]]:
        """Give the items of these states in the order of the ledger, some at a time.

        Raises:
            StorageError: The ledger cannot be read.
        """
        for rows in self._batches(states):
            yield [row.as_entry() for row in rows]

    def files(self) -> Iterator[list[FileRow]]:
        """Give the files that are done, and those that were and were found wrong since, some at a time.

        Raises:
            StorageError: The ledger cannot be read.
        """
        for rows in self._batches(WITH_FILES):
            yield [row.as_file() for row in rows]

    def file(self, row: int) -> FileRow | None:
        """Look once more at the file of an item; `None` if it is not done any more.

        Raises:
            StorageError: The ledger cannot be read.
        """
        found = self._read(row - 1, row, WITH_FILES, 1)
        return found[0].as_file() if found else None

    def rows(self) -> Iterator[AuditRow]:
        """Give the row of each item.

        Raises:
            StorageError: The ledger cannot be read.
        """
        for rows in self._batches(tuple(State)):
            yield from rows

    def _batches(self, states: Collection[State]) -> Iterator[list[AuditRow]]:
        after = 0
        while rows := self._read(after, self._last, states, _BATCH):
            yield rows
            after = rows[-1].id

    def _read(self, after: int, last: int, states: Collection[State], limit: int) -> list[AuditRow]:
        with translating("read", self._path):
            return [AuditRow.read(row) for row in self._db.execute(_ROWS, (after, last, _as_list(states), limit))]


def _as_list(states: Collection[State]) -> str:
    return json.dumps([int(state) for state in states])


def _group(rows: Iterable[tuple[Any, ...]]) -> tuple[Failure, ...]:
    """Put together what failed alike; SQLite would hold all rows in memory for that."""
    firsts: dict[tuple[Any, ...], tuple[Any, Any]] = {}
    counts: Counter[tuple[Any, ...]] = Counter()
    for kind, status, host, url, message in rows:
        key = kind, status if kind == "http" else None, host
        counts[key] += 1
        if key not in firsts:
            firsts[key] = url, message
    return tuple(_read_failure(key, count, *firsts[key]) for key, count in counts.most_common())


def _read_failure(key: tuple[Any, ...], count: int, url: object, message: object) -> Failure:
    kind, status, host = key
    known = as_text(kind) or "storage"
    return Failure(known, as_number(status), as_text(host), count, as_text(url) or "", as_text(message) or "")


def _as_time(value: object) -> float | None:
    """Give seconds since the epoch; what is no moment of our time is none."""
    return float(value) if isinstance(value, int | float) and 0 <= value < 1 << 35 else None


def _look(folder: Folder, name: str) -> os.stat_result | None:
    try:
        return folder.look(name)
    except OSError:
        return None
