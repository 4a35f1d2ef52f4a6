"""What the hands and the downloader tell the ledger: files that are ready, parts, ends. Blocking; for any thread.

Order of writes (FAULTS, section 5): the name with the claim, before the first byte; size and digests before the
rename, so that a final name can never be unknown; `done` after it.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import astuple
from itertools import groupby
from typing import Self

from aioflags.items import Status
from aioflags.journal import End, Half, Ready
from aioflags.ledger_file import LedgerFile
from aioflags.ledger_rows import DONE, NOT_AS_IT_WAS, READY, State, plain_error, write_digests

__all__ = ["LedgerNotes", "distrust_in"]

_READY = """
UPDATE items SET state = ?, size = ?, digests = ?, etag = nullif(?, ''), last_modified = nullif(?, ''),
    content_encoding = nullif(?, ''), is_synced = ?
WHERE id = ?
"""
_SAVED = """
UPDATE items SET state = ?, http_status = ?, attempts = attempts + ?, kind = NULL, message = NULL,
    host = NULL, run = ?, ended = ?, is_ours = 1, size = ?, digests = ?,
    content_encoding = nullif(?, '')
WHERE id = ?
"""
# All at once: with each statement another thread may take the interpreter away.
_SAVED_AS_NOTED = """
UPDATE items SET state = ?, http_status = ?, attempts = attempts + ?, kind = NULL, message = NULL,
    host = NULL, run = ?, ended = ?, is_ours = 1
WHERE id IN (SELECT value FROM json_each(?))
"""
# A file that was about to take the place of another may have done so: what is there has to be compared. One that was
# found wrong is still there, and still wrong, as long as no other has come. What gets the name of an item that has come
# to nothing is somebody else's, as if it had been there before.
_NOT_SAVED = """
UPDATE items SET state = CASE WHEN ? AND state = ? THEN ? WHEN ? AND state = ? THEN state ELSE ? END,
    was_there = max(was_there, ?), http_status = ?, attempts = attempts + ?, kind = ?, message = ?, host = ?,
    run = ?, ended = ?
WHERE id = ?
"""
_DISTRUST = "UPDATE items SET state = ?, size = NULL, digests = NULL, kind = 'checksum', message = ? WHERE id = ?"
_STATES = {Status.PRESENT: State.DONE, Status.FAILED: State.FAILED}

# An Enum looks its members up by Python code before 3.12.
_IS_SAVED = Status.SAVED
# Of an item that was saved by an engine of somebody else, or in another process, or of which no note is kept any more.
_UNNOTED: tuple[int | None, ...] = ()
# Of files that nobody waited for any more no end comes.
_MOST_NOTED = 1 << 14


class LedgerNotes:
    """Takes notes in a ledger.

    Args:
        file: Open.
        run: Number of the run in it, `None` if it counts none, and no ends are recorded.
    """

    def __init__(self, file: LedgerFile, run: int | None = None) -> None:
        self._file = file
        self._run = run
        # By row, files that were noted here and have not ended: what is said of them is there.
        self._noted: dict[int, Ready] = {}

    @classmethod
    def join(cls, path: str) -> Self:
        """Take notes in a ledger that another process has opened.

        Raises:
            StorageError: It cannot be written.
        """
        return cls(LedgerFile(path, is_kept=True))

    @property
    def path(self) -> str:
        """Where it lies."""
        return self._file.path

    def close(self) -> None:
        """Close it."""
        self._file.close()

    def ready(self, files: Sequence[Ready]) -> None:
        """See `aioflags.journal.Journal`."""
        with self._file.transaction() as db:
            db.executemany(_READY, map(_row_of_ready, files))
        if self._run is not None:
            if len(self._noted) > _MOST_NOTED:
                self._noted.clear()
            self._noted.update([(file.row, file) for file in files])

    def half(self, row: int, half: Half | None) -> None:
        """See `aioflags.journal.Journal`."""
        with self._file.transaction() as db:
            if half is None:
                db.execute("DELETE FROM halves WHERE item = ?", (row,))
            else:
                db.execute(
                    "INSERT OR REPLACE INTO halves VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (row, *astuple(half)),
                )

    def record(self, ends: Sequence[End]) -> None:
        """Note how items ended; of a saved one its file has its name by now.

        Raises:
            StorageError: It could not be written.
        """
        now = time.time()
        with self._file.transaction() as db:
            # In their order: two of them may be of one item.
            for how, group in groupby(ends, key=self._how):
                if how is None:
                    db.executemany(_NOT_SAVED, (_row_of_other(end, self._run, now) for end in group))
                elif how is _UNNOTED:
                    db.executemany(_SAVED, (_row_of_saved(end, self._run, now) for end in group))
                else:
                    rows = json.dumps([end.row for end in group])
                    db.execute(_SAVED_AS_NOTED, (DONE, *how, self._run, now, rows))
            if db.execute("SELECT 1 FROM halves LIMIT 1").fetchone() is not None:
                saved = ((end.row,) for end in ends if _is_saved(end))
                db.executemany("DELETE FROM halves WHERE item = ?", saved)

    def _how(self, end: End) -> tuple[int | None, ...] | None:
        """Tell how an item was saved: status and attempts of one that was noted here; `None` if it was not."""
        noted = self._noted.pop(end.row, None)
        outcome = end.outcome
        if outcome.status is not _IS_SAVED:
            return None
        # Another file may be about to take the place of the one whose end this is.
        is_noted = noted is not None and (noted.size, noted.digests) == (outcome.bytes, outcome.digests)
        return (outcome.http_status, outcome.attempts) if is_noted else _UNNOTED

    def distrust(self, rows: Sequence[int]) -> None:
        """Note that the files of these items are not what they were; those that we have put there may be replaced.

        Raises:
            StorageError: The ledger cannot be written.
        """
        with self._file.transaction() as db:
            distrust_in(db, rows)


def distrust_in(db: sqlite3.Connection, rows: Iterable[int]) -> None:
    """See `LedgerNotes.distrust`; in a transaction that has begun."""
    db.executemany(_DISTRUST, ((State.WRONG, NOT_AS_IT_WAS, row) for row in rows))


def _row_of_ready(file: Ready) -> tuple[object, ...]:
    return (
        READY,
        file.size,
        write_digests(file.digests),
        file.etag or "",
        file.last_modified or "",
        file.content_encoding or "",
        int(file.is_synced),
        file.row,
    )


def _is_saved(end: End) -> bool:
    return end.outcome.status is _IS_SAVED


def _row_of_saved(end: End, run: int | None, now: float) -> tuple[object, ...]:
    outcome = end.outcome
    return (
        DONE,
        outcome.http_status,
        outcome.attempts,
        run,
        now,
        outcome.bytes,
        write_digests(outcome.digests),
        outcome.content_encoding or "",
        end.row,
    )


def _row_of_other(end: End, run: int | None, now: float) -> tuple[object, ...]:
    outcome = end.outcome
    state = _STATES.get(outcome.status, State.MISSING)
    # What could not be refreshed is there as it was.
    is_stale = end.has_file and state is not State.DONE
    return (
        is_stale,
        State.READY,
        State.FAILED,
        not is_stale and state is not State.DONE,
        State.WRONG,
        State.STALE if is_stale else state,
        state is not State.DONE,
        outcome.http_status,
        outcome.attempts,
        *plain_error(outcome.error),
        run,
        now,
        end.row,
    )
