"""What the register asks the ledger, and has it note: who an item is, which name it has, what is known of its file.
Blocking, in one thread.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager

from aioflags.errors import DownloadError
from aioflags.items import Item, Rejected
from aioflags.journal import Half
from aioflags.ledger_file import LedgerFile
from aioflags.ledger_notes import LedgerNotes, distrust_in
from aioflags.ledger_rows import (
    WANTED,
    Known,
    NameKey,
    Row,
    State,
    key_of,
    name_key_of,
    plain_error,
    storable,
    twin_key_of,
    write_asked,
    write_digests,
)
from aioflags.names import fold
from aioflags.newcomers import Newcomers
from aioflags.roll import STRETCH, Done

__all__ = ["LedgerClaims"]

# A ledger may come from a stranger, and SQLite keeps whatever it is given: what is no text there is nothing here.
_FIND = """
SELECT id, iif(typeof(name) = 'text', name, NULL), state, was_there, is_ours, size,
    iif(typeof(digests) = 'text', digests, NULL), iif(typeof(etag) = 'text', etag, NULL),
    iif(typeof(last_modified) = 'text', last_modified, NULL), iif(typeof(wish) = 'text', wish, NULL),
    iif(typeof(asked) = 'text', asked, NULL)
FROM items WHERE key = ?
"""
_ADD = """
INSERT OR IGNORE INTO items (url, wish, asked, name, name_key, run, ended, is_twin, key)
VALUES (?, nullif(?, ''), nullif(?, ''), ?, ?, ?, ?, ?, ?)
"""
_TAKE_AGAIN = """
UPDATE OR IGNORE items SET url = ?, wish = nullif(?, ''), asked = nullif(?, ''), name = ?, name_key = ?, run = ?,
    ended = ?, state = ?, kind = NULL, message = NULL, host = NULL
WHERE id = ?
"""
_DONE = """
SELECT id, url, name, size, digests, wish, asked FROM items
WHERE id > ? AND id <= ? AND state = ? AND NOT is_twin AND typeof(url) = 'text' AND typeof(name) = 'text'
    AND typeof(size) = 'integer' AND typeof(digests) IN ('text', 'null') AND typeof(wish) IN ('text', 'null')
    AND typeof(asked) IN ('text', 'null')
ORDER BY id
"""
_IS_FOLDER = "SELECT 1 FROM folders WHERE name_key = ?"
_THERE = {State.READY, State.DONE, State.STALE}
# Names of a kind that are not looked up again.
_MOST_KEPT = 1024
_HALF = """
SELECT part, size, validator, source, total, hashed, digest FROM halves
WHERE item = ? AND typeof(part) = 'text' AND typeof(size) = 'integer' AND typeof(validator) = 'text'
    AND typeof(source) = 'text' AND typeof(total) IN ('integer', 'null') AND typeof(hashed) = 'integer'
    AND typeof(digest) = 'text'
"""


class LedgerClaims(LedgerNotes):
    """Answers the register.

    Args:
        file: Open.
        is_kept: Later runs read it.

    Raises:
        StorageError: It cannot be read.
    """

    def __init__(self, file: LedgerFile, *, is_kept: bool) -> None:
        super().__init__(file)
        self.is_kept = is_kept
        # What was taken last for a folder, and whether there are any at all: most lists have few or none.
        self._folders: set[str] = set()
        # Folded names that were asked for in vain: of a list that names no files all items ask for the same one.
        self._taken: set[str] = set()
        with file.transaction() as db:
            self._has_folders = db.execute("SELECT 1 FROM folders LIMIT 1").fetchone() is not None
            self._newcomers = Newcomers(db)

    @contextmanager
    def claiming(self) -> Iterator[None]:
        """Claims made inside this block are on record when it is left; of those since the last `aside` all or none.

        Raises:
            StorageError: They could not be written.
        """
        try:
            with self._file.transaction():
                yield
                self._newcomers.flush()
        except BaseException:
            # What was taken may not be on record.
            self._folders.clear()
            self._taken.clear()
            self._newcomers.forget()
            raise

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Read a file while claims are made; whoever has a file to note does not wait for that."""
        self._newcomers.flush()
        with self._file.aside():
            yield

    @property
    def _db(self) -> sqlite3.Connection:
        """For questions and changes, after all that was added."""
        self._newcomers.flush()
        return self._file.connection

    def find(self, url: str, wish: str | None) -> Known:
        """Give what is known of a URL, and of it under the name that the list asks for, if it is not the URL's own.

        Whoever adds a row goes by what this says, be it nothing.
        """
        key = key_of(url)
        first = self._row(url, key)
        if first is None or first.wish == (None if wish is None else storable(wish)):
            return Known(key, first, first)
        key = twin_key_of(url, wish)
        return Known(key, first, self._row((url, wish), key))

    def _row(self, what: Hashable, key: bytearray) -> Row | None:
        if self._newcomers.is_new_key(what):
            return None
        found = self._db.execute(_FIND, (key,)).fetchone()
        return None if found is None else Row(*found)

    def done_after(self, row: int) -> dict[str, Done]:
        """Give, by URL, those of the next `STRETCH` rows whose file is done and which are the first of their URL."""
        found = self._db.execute(_DONE, (row, row + STRETCH, State.DONE))
        return {done[1]: done for done in found}

    def add(self, item: Item, wish: str | None, name: str, known: Known) -> Row | None:
        """Make a row for an item and give it its name; `None` if another item or a folder has that name."""
        folded = fold(name)
        if folded in self._taken:
            return None
        name_key = name_key_of(folded)
        wish_text = None if wish is None else storable(wish)
        values = item.url, wish_text or "", write_asked(item) or "", name, name_key, self._run, time.time()
        is_new = self._newcomers.is_new_name(folded) and known.row is None
        number = (
            self._newcomers.add((*values, int(known.first is not None), known.key))
            if is_new
            else self._add_if_free(known, name_key, values)
        )
        if number is None:
            _keep(self._taken, folded)
            return None
        return Row(number, name, State.WANTED, wish=wish_text)

    def _add_if_free(self, known: Known, name_key: NameKey, values: tuple[object, ...]) -> int | None:
        db = self._db
        if self._has_folders and db.execute(_IS_FOLDER, (name_key,)).fetchone() is not None:
            return None
        if known.row is not None:
            # The line was refused before, and is a better one now.
            updated = db.execute(_TAKE_AGAIN, (*values, WANTED, known.row.id))
            return known.row.id if updated.rowcount else None
        inserted = db.execute(_ADD, (*values, int(known.first is not None), known.key))
        return inserted.lastrowid if inserted.rowcount else None

    def renew(self, row: Row, item: Item) -> None:
        """Note what the list asks for now: the last word is what `retry` and `verify --fix` go by."""
        asked = write_asked(item)
        if asked != row.asked:
            row.asked = asked
            self._db.execute("UPDATE items SET asked = ? WHERE id = ?", (asked, row.id))

    def take_folder(self, name: str) -> bool:
        """Have a name used for a folder; false if a file of an item has it."""
        if name in self._folders:
            return True
        folded = fold(name)
        key = name_key_of(folded)
        is_new = self._newcomers.is_new_name(folded)
        if not is_new and self._db.execute("SELECT 1 FROM items WHERE name_key = ?", (key,)).fetchone() is not None:
            return False
        self._file.connection.execute("INSERT OR IGNORE INTO folders VALUES (?)", (key,))
        self._has_folders = True
        _keep(self._folders, name)
        return True

    def note_free(self, row: Row) -> None:
        """Nothing has the name of an item that an earlier run has left undone: what gets it from now on is ours."""
        row.was_there = False
        self._db.execute(
            "UPDATE items SET was_there = 0, run = ?, ended = ? WHERE id = ?", (self._run, time.time(), row.id)
        )

    def note_was_there(self, row: Row) -> None:
        """Something has the item's name that we have not put there."""
        if not row.was_there:
            row.was_there = True
            self._db.execute("UPDATE items SET was_there = 1 WHERE id = ?", (row.id,))

    def note_wrong(self, row: Row) -> None:
        """The file that we have put there is not what it was; it is to be fetched again."""
        row.state = State.WRONG
        distrust_in(self._file.connection, [row.id])

    def confirm(self, row: Row) -> None:
        """Note that a file that was ready has its name: the run died before it could say so."""
        self._db.execute(
            "UPDATE items SET state = ?, is_ours = 1, kind = NULL, message = NULL, host = NULL, run = ?, ended = ? "
            "WHERE id = ?",
            (State.DONE, self._run, time.time(), row.id),
        )
        self._db.execute("DELETE FROM halves WHERE item = ?", (row.id,))

    def adopt(self, row: Row, size: int, digests: Mapping[str, str]) -> None:
        """Note that a file that we have not put there will do for an item."""
        if self.is_kept:
            self._db.execute(
                "UPDATE items SET state = ?, size = ?, digests = ?, etag = NULL, last_modified = NULL, "
                "content_encoding = NULL, kind = NULL, message = NULL, host = NULL, run = ?, ended = ? WHERE id = ?",
                (State.DONE, size, write_digests(digests) or None, self._run, time.time(), row.id),
            )

    def refuse(self, entry: Item | Rejected, wish: str | None, error: DownloadError, known: Known) -> int:
        """Note an item that can have no name or no request; returns the number of its row.

        What is on disk stays done, whatever a line with the same URL is wrong about.
        """
        if known.row is not None and isinstance(entry, Rejected) and known.row.state in _THERE:
            return known.row.id
        asked = write_asked(entry) if isinstance(entry, Item) else None
        end = (State.FAILED, *plain_error(error), self._run, time.time())
        db = self._db
        if known.row is not None:
            db.execute(
                "UPDATE items SET state = ?, kind = ?, message = ?, host = ?, run = ?, ended = ? WHERE id = ?",
                (*end, known.row.id),
            )
            return known.row.id
        cursor = db.execute(
            "INSERT INTO items (key, is_twin, url, wish, asked, state, kind, message, host, run, ended) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                known.key,
                known.first is not None,
                storable(entry.url),
                None if wish is None else storable(wish),
                asked,
                *end,
            ),
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def half_of(self, row: Row) -> Half | None:
        """Give the part of an item that an earlier run began; it is what it was if its digest says so."""
        found = self._db.execute(_HALF, (row.id,)).fetchone()
        return None if found is None else Half(*found)


def _keep(names: set[str], name: str) -> None:
    if len(names) >= _MOST_KEPT:
        names.clear()
    names.add(name)
