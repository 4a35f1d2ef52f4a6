"""What is known of every item: its name, what became of it, and what its file is. Blocking; for any thread.

A ledger that is kept lies in `DIR/.aioflags/ledger` and is what later runs, `status`, `retry` and `verify` go by.
Without one the same tables go with the run: they are where names are decided, and ten million of them need no memory.

Order of writes (FAULTS, section 5): the name with the claim, before the first byte; size and digests before the
rename, so that a final name can never be unknown; `done` after it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import astuple

from aioflags.errors import DownloadError, StorageError
from aioflags.items import Item, Outcome, Rejected, Status
from aioflags.journal import Half, Ready
from aioflags.ledger_file import LEDGER_FILE, LedgerFile
from aioflags.ledger_rows import (
    Row,
    State,
    digest_of,
    key_of,
    plain_error,
    storable,
    write_asked,
    write_digests,
)
from aioflags.lock import boot_id
from aioflags.names import fold
from aioflags.roll import STRETCH, Done

__all__ = ["Ledger"]

_LISTS = "lists"
# Seconds that the system may take to write what it was given; Linux takes about 30.
_WRITE_BACK = 300

_STATES = {Status.SAVED: State.DONE, Status.PRESENT: State.DONE, Status.FAILED: State.FAILED}
# A ledger may come from a stranger, and SQLite keeps whatever it is given: what is no text there is nothing here.
_FIND = """
SELECT id, iif(typeof(name) = 'text', name, NULL), state, was_there, is_ours, size,
    iif(typeof(digests) = 'text', digests, NULL), iif(typeof(etag) = 'text', etag, NULL),
    iif(typeof(last_modified) = 'text', last_modified, NULL)
FROM items WHERE key = ?
"""
_DONE = """
SELECT id, url, name, size, digests FROM items
WHERE id > ? AND id <= ? AND state = ? AND wish IS NULL AND typeof(url) = 'text' AND typeof(name) = 'text'
    AND typeof(size) = 'integer' AND typeof(digests) IN ('text', 'null')
ORDER BY id
"""
_HALF = """
SELECT part, size, validator, source, total, hashed, digest FROM halves
WHERE item = ? AND typeof(part) = 'text' AND typeof(size) = 'integer' AND typeof(validator) = 'text'
    AND typeof(source) = 'text' AND typeof(total) IN ('integer', 'null') AND typeof(hashed) = 'integer'
    AND typeof(digest) = 'text'
"""


class Ledger:
    """The tables of one destination.

    Args:
        file: Open.
        is_kept: Later runs read it.
    """

    def __init__(self, file: LedgerFile, *, is_kept: bool) -> None:
        self.is_kept = is_kept
        self._file = file
        self._boot = boot_id() if is_kept else None
        self._run: int | None = None

    @classmethod
    def open(cls, state_path: str, run_path: str, *, is_kept: bool) -> Ledger:
        """Open the ledger of a destination that this run holds.

        Args:
            state_path: The folder of a kept ledger.
            run_path: The private folder of the run.
            is_kept: Later runs read it.

        Raises:
            StorageError: It is damaged, of another version, or cannot be written.
        """
        path = os.path.join(state_path if is_kept else run_path, LEDGER_FILE)
        ledger = cls(LedgerFile(path, lists=os.path.join(run_path, _LISTS), is_kept=is_kept), is_kept=is_kept)
        if is_kept:
            try:
                ledger._begin_run()
            except BaseException:
                ledger._file.close()
                raise
        return ledger

    @classmethod
    def join(cls, path: str) -> Ledger:
        """Take notes in a ledger that another process has opened: `ready` and `half` only.

        Raises:
            StorageError: It cannot be written.
        """
        return cls(LedgerFile(path, lists=None, is_kept=True), is_kept=True)

    @property
    def path(self) -> str:
        """Where it lies."""
        return self._file.path

    def _begin_run(self) -> None:
        with self._file.transaction() as db:
            last = db.execute("SELECT id, boot, ended FROM runs ORDER BY id DESC LIMIT 1").fetchone()
        if last is not None and last[2] is None:
            self._file.check()
        with self._file.transaction() as db:
            if last is not None and (self._boot is None or last[1] != self._boot):
                self._distrust(last[0])
            cursor = db.execute("INSERT INTO runs (boot, started) VALUES (?, ?)", (self._boot, time.time()))
            self._run = cursor.lastrowid

    def _distrust(self, run: int) -> None:
        """The system was started anew: what it was given last may never have reached the disk.

        Files of the last minutes are compared with their digests before they are believed; those whose row was lost
        have a name that was free before and is taken for ours.
        """
        db = self._file.connection
        (end,) = db.execute("SELECT max(ended) FROM items WHERE run = ?", (run,)).fetchone()
        db.execute(
            "UPDATE items SET state = ? WHERE state = ? AND NOT is_synced AND run = ? AND ended >= ?",
            (State.READY, State.DONE, run, (end or 0.0) - _WRITE_BACK),
        )
        db.execute(
            "UPDATE items SET is_ours = 1 WHERE state IN (?, ?) AND NOT was_there AND run = ?",
            (State.WANTED, State.READY, run),
        )

    def close(self) -> None:
        """Close it; one that knows of nothing is removed."""
        is_needed = True
        # A run that cannot say that it has ended costs the next one a look for damage, and nothing else.
        with suppress(StorageError):
            if self._run is not None:
                is_needed = self._end_run()
        self._file.close(is_needed=is_needed)

    def _end_run(self) -> bool:
        with self._file.transaction() as db:
            db.execute("UPDATE runs SET ended = ? WHERE id = ?", (time.time(), self._run))
            return db.execute("SELECT 1 FROM items LIMIT 1").fetchone() is not None

    # What the register asks

    @contextmanager
    def claiming(self) -> Iterator[None]:
        """Claims made inside this block are on record when it is left, all of them or none.

        Raises:
            StorageError: They could not be written.
        """
        with self._file.transaction():
            yield

    def is_new_in_list(self, url: str, lane: int) -> bool:
        """Note that a URL stands in a list; false if it stood there before."""
        inserted = self._file.connection.execute(
            "INSERT OR IGNORE INTO run.urls VALUES (?)", (digest_of(f"{lane} {url}"),)
        )
        return bool(inserted.rowcount)

    def find(self, url: str, wish: str | None) -> Row | None:
        """Give the row of an item: its URL, and the name that the list asks for, if it is not the URL's own."""
        found = self._file.connection.execute(_FIND, (key_of(url, wish),)).fetchone()
        return None if found is None else Row(*found)

    def done_after(self, row: int) -> dict[str, Done]:
        """Give, by URL, those of the next `STRETCH` rows whose file is done and has the name of its URL."""
        found = self._file.connection.execute(_DONE, (row, row + STRETCH, State.DONE))
        return {done[1]: done for done in found}

    def add(self, item: Item, wish: str | None, name: str) -> Row | None:
        """Make a row for an item and give it its name; `None` if another item or a folder has that name."""
        key = digest_of(fold(name))
        db = self._file.connection
        if db.execute("SELECT 1 FROM folders WHERE name_key = ?", (key,)).fetchone() is not None:
            return None
        asked = wish and storable(wish), write_asked(item)
        row = (item.url, *asked, name, key, self._run, State.WANTED, key_of(item.url, wish))
        inserted = db.execute(
            "INSERT OR IGNORE INTO items (url, wish, asked, name, name_key, run, state, key) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            row,
        )
        if inserted.rowcount and inserted.lastrowid is not None:
            return Row(inserted.lastrowid, name, State.WANTED)
        # The line may have been refused before, and be a better one now.
        updated = db.execute(
            "UPDATE OR IGNORE items SET url = ?, wish = ?, asked = ?, name = ?, name_key = ?, run = ?, state = ?, "
            "kind = NULL, message = NULL, host = NULL WHERE key = ? AND name IS NULL RETURNING id",
            row,
        ).fetchone()
        return None if updated is None else Row(updated[0], name, State.WANTED)

    def take_folder(self, name: str) -> bool:
        """Have a name used for a folder; false if a file of an item has it."""
        key = digest_of(fold(name))
        db = self._file.connection
        if db.execute("SELECT 1 FROM items WHERE name_key = ?", (key,)).fetchone() is not None:
            return False
        db.execute("INSERT OR IGNORE INTO folders VALUES (?)", (key,))
        return True

    def note_was_there(self, row: Row) -> None:
        """Something has the item's name that we have not put there."""
        if not row.was_there:
            row.was_there = True
            self._file.connection.execute("UPDATE items SET was_there = 1 WHERE id = ?", (row.id,))

    def confirm(self, row: Row) -> None:
        """Note that a file that was ready has its name: the run died before it could say so."""
        self._file.connection.execute(
            "UPDATE items SET state = ?, is_ours = 1, kind = NULL, message = NULL, host = NULL, run = ?, ended = ? "
            "WHERE id = ?",
            (State.DONE, self._run, time.time(), row.id),
        )
        self._file.connection.execute("DELETE FROM halves WHERE item = ?", (row.id,))

    def adopt(self, row: Row, size: int, digests: Mapping[str, str]) -> None:
        """Note that a file that we have not put there will do for an item."""
        if self.is_kept:
            self._file.connection.execute(
                "UPDATE items SET state = ?, size = ?, digests = ?, etag = NULL, last_modified = NULL, "
                "content_encoding = NULL, kind = NULL, message = NULL, host = NULL, run = ?, ended = ? WHERE id = ?",
                (State.DONE, size, write_digests(digests) or None, self._run, time.time(), row.id),
            )

    def distrust(self, rows: Sequence[int]) -> None:
        """Note that the files of these items are not what they were; those that we have put there may be replaced.

        Raises:
            StorageError: The ledger cannot be written.
        """
        with self._file.transaction() as db:
            db.executemany(
                "UPDATE items SET state = ?, size = NULL, digests = NULL, kind = 'checksum', "
                "message = 'the file is not what it was' WHERE id = ?",
                ((State.WRONG, row) for row in rows),
            )

    def refuse(self, entry: Item | Rejected, wish: str | None, error: DownloadError) -> None:
        """Note an item that can have no name or no request."""
        if not self.is_kept:
            return
        asked = write_asked(entry) if isinstance(entry, Item) else None
        self._file.connection.execute(
            "INSERT INTO items (key, url, wish, asked, state, kind, message, host, run, ended) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET state = excluded.state, "
            "kind = excluded.kind, message = excluded.message, host = excluded.host, run = excluded.run, "
            "ended = excluded.ended",
            (
                key_of(entry.url, wish),
                storable(entry.url),
                None if wish is None else storable(wish),
                asked,
                State.FAILED,
                *plain_error(error),
                self._run,
                time.time(),
            ),
        )

    def half_of(self, row: Row) -> Half | None:
        """Give the part of an item that an earlier run began; it is what it was if its digest says so."""
        found = self._file.connection.execute(_HALF, (row.id,)).fetchone()
        return None if found is None else Half(*found)

    def files(self) -> set[str]:
        """Give the names of what belongs to the ledger in the private folder: parts that somebody may go on with."""
        parts = self._file.connection.execute("SELECT part FROM halves")
        return {_LISTS, *(part for (part,) in parts)}

    # What the hands and the downloader tell

    def ready(self, files: Sequence[Ready]) -> None:
        """See `aioflags.journal.Journal`."""
        with self._file.transaction() as db:
            db.executemany(
                "UPDATE items SET state = ?, size = ?, digests = ?, etag = ?, last_modified = ?, content_encoding = ?, "
                "is_synced = ? WHERE id = ?",
                (
                    (
                        State.READY,
                        file.size,
                        write_digests(file.digests),
                        file.etag,
                        file.last_modified,
                        file.content_encoding,
                        file.is_synced,
                        file.row,
                    )
                    for file in files
                ),
            )

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

    def record(self, ends: Sequence[tuple[int, Outcome]]) -> None:
        """Note how items ended; of a saved one its file has its name by now.

        Raises:
            StorageError: It could not be written.
        """
        now = time.time()
        saved = [(row, outcome) for row, outcome in ends if outcome.status is Status.SAVED]
        with self._file.transaction() as db:
            db.executemany(
                "UPDATE items SET state = ?, http_status = ?, attempts = attempts + ?, kind = ?, message = ?, "
                "host = ?, run = ?, ended = ? WHERE id = ?",
                (
                    (
                        _STATES.get(outcome.status, State.MISSING),
                        outcome.http_status,
                        outcome.attempts,
                        *plain_error(outcome.error),
                        self._run,
                        now,
                        row,
                    )
                    for row, outcome in ends
                ),
            )
            db.executemany(
                "UPDATE items SET is_ours = 1, size = ?, digests = ?, content_encoding = ? WHERE id = ?",
                (
                    (outcome.bytes, write_digests(outcome.digests), outcome.content_encoding, row)
                    for row, outcome in saved
                ),
            )
            db.executemany("DELETE FROM halves WHERE item = ?", ((row,) for row, _ in saved))
