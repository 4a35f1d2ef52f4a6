"""Items that are new to a ledger, on their way into its table: many in one statement. Blocking.

Each statement lets go of the interpreter four times, and where another thread waits for it each of them may cost a
switch: of 24 us that the claim of an item took beside a busy loop, 5. So what nobody needs an answer about is put
together: rows whose key and name no other can have.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Hashable
from itertools import chain

__all__ = ["Newcomers"]

_MANY = 32
_ADD = "INSERT INTO items (url, wish, asked, name, name_key, run, ended, is_twin, key, id) VALUES "
_ROW = "(?, nullif(?, ''), nullif(?, ''), ?, ?, ?, ?, ?, ?, ?)"
_ADD_ONE = _ADD + _ROW
_ADD_MANY = _ADD + ", ".join([_ROW] * _MANY)


class Newcomers:
    """The rows that a run adds, without a look for most of them.

    Args:
        db: Connection of a ledger that nobody else adds items to.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        is_empty = db.execute("SELECT 1 FROM items LIMIT 1").fetchone() is None
        #: Tells of what a key is made of whether certainly no row has it; whoever asks adds one that has.
        self.is_new_key = _Marks(is_blank=is_empty).set
        #: Tells of a folded name whether certainly nothing has it; whoever asks gives it away.
        self.is_new_name = _Marks(is_blank=is_empty).set
        self._rows: list[tuple[object, ...]] = []
        self._last = 0

    def add(self, values: tuple[object, ...]) -> int:
        """Have a row added whose key and name are new, and give its number.

        Args:
            values: URL, wish and what else is asked, both empty for nothing; name and its key; number of the run, time;
                whether it is a twin; key.
        """
        if not self._rows:
            (self._last,) = self._db.execute("SELECT ifnull(max(id), 0) FROM items").fetchone()
        self._last += 1
        self._rows.append((*values, self._last))
        return self._last

    def flush(self) -> None:
        """Add what is on its way.

        Raises:
            sqlite3.Error: It cannot be written.
        """
        rows = self._rows
        if not rows:
            return
        rest = len(rows) % _MANY
        self._db.executemany(_ADD_ONE, rows[:rest])
        for start in range(rest, len(rows), _MANY):
            self._db.execute(_ADD_MANY, tuple(chain.from_iterable(rows[start : start + _MANY])))
        rows.clear()

    def forget(self) -> None:
        """What is on its way is not to be added."""
        self._rows.clear()


class _Marks:
    """Tells of most texts that they were never seen, without a look: one bit for many texts, and none is missed.

    In two megabytes; of a million texts it says so for 94 of 100 new ones, of ten millions for 55.

    Args:
        is_blank: Nothing was seen before; else nothing is certain.
    """

    __slots__ = ("_bits", "_mask")

    def __init__(self, *, is_blank: bool) -> None:
        self._bits = bytearray(1 << 21) if is_blank else bytearray(b"\xff")
        self._mask = 8 * len(self._bits) - 1

    def set(self, what: Hashable) -> bool:
        """Set the bit of a text, or of several; false if it was set before."""
        # Salted, in each process by another number: nobody can write a list that sets few bits.
        number = hash(what) & self._mask
        place, bit = number >> 3, 1 << (number & 7)
        bits = self._bits[place]
        if bits & bit:
            return False
        self._bits[place] = bits | bit
        return True
