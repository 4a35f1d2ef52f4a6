"""What is known of every item: its name, what became of it, and what its file is. Blocking; for any thread.

A ledger that is kept lies in `DIR/.aioflags/ledger` and is what later runs, `status`, `retry` and `verify` go by.
Without one the same tables go with the run: they are where names are decided, and ten million of them need no memory.
Here a run opens and closes it; what the register asks is in `aioflags.ledger_claims`, what is noted while files come in
`aioflags.ledger_notes`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress

from aioflags.boot import boot_id
from aioflags.errors import StorageError
from aioflags.ledger_claims import LedgerClaims
from aioflags.ledger_file import LEDGER_FILE, LedgerFile
from aioflags.ledger_rows import State
from aioflags.names import is_safe_name

__all__ = ["Ledger"]

# Seconds that the system may take to write what it was given; Linux takes about 30.
_WRITE_BACK = 300


class Ledger(LedgerClaims):
    """The tables of one destination, for the run that holds it.

    Args:
        file: Open.
        is_kept: Later runs read it.
        is_left_over: Tells whether the file of a final name came after a time, and before the system was started.

    Raises:
        StorageError: It cannot be read.
    """

    def __init__(self, file: LedgerFile, *, is_kept: bool, is_left_over: Callable[[str, float], bool]) -> None:
        super().__init__(file, is_kept=is_kept)
        self._is_left_over = is_left_over
        self._boot = boot_id() if is_kept else None

    @classmethod
    def open(
        cls, state_path: str, run_path: str, *, is_kept: bool, is_left_over: Callable[[str, float], bool]
    ) -> Ledger:
        """Open the ledger of a destination that this run holds.

        Args:
            state_path: The folder of a kept ledger.
            run_path: The private folder of the run.
            is_kept: Later runs read it.
            is_left_over: Tells whether the file of a final name came after a time, and before the system was started.

        Raises:
            StorageError: It is damaged, of another version, or cannot be written.
        """
        path = os.path.join(state_path if is_kept else run_path, LEDGER_FILE)
        file = LedgerFile(path, is_kept=is_kept)
        try:
            ledger = cls(file, is_kept=is_kept, is_left_over=is_left_over)
            if is_kept:
                ledger._begin_run()
        except BaseException:
            file.close()
            raise
        return ledger

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

        Files of the last minutes are compared with their digests before they are believed. Of those whose row was lost
        what has got the name after it was given away, and before that start, was put there by us.
        """
        db = self._file.connection
        last = "SELECT max(ended) FROM items WHERE run = ? AND typeof(ended) = 'real'"
        (end,) = db.execute(last, (run,)).fetchone()
        db.execute(
            "UPDATE items SET state = ? WHERE state = ? AND NOT is_synced AND run = ? AND ended >= ?",
            (State.READY, State.DONE, run, (end or 0.0) - _WRITE_BACK),
        )
        free = db.execute(
            "SELECT id, name, iif(typeof(ended) = 'real', ended, 0.0) FROM items "
            "WHERE state NOT IN (?, ?) AND NOT was_there AND NOT is_ours AND run = ? AND typeof(name) = 'text'",
            (State.DONE, State.STALE, run),
        )
        ours = [(row,) for row, name, since in free if is_safe_name(name) and self._is_left_over(name, since)]
        db.executemany("UPDATE items SET is_ours = 1 WHERE id = ?", ours)

    def close(self) -> None:
        """Close it; one that knows of nothing is removed.

        Raises:
            StorageError: Somebody else has removed it while it was in use.
        """
        is_lost = self.is_kept and os.path.isdir(os.path.dirname(self.path)) and not os.path.exists(self.path)
        is_needed = True
        # A run that cannot say that it has ended costs the next one a look for damage, and nothing else.
        with suppress(StorageError):
            if self._run is not None:
                is_needed = self._end_run()
        self._file.close(is_needed=is_needed)
        if is_lost:
            message = (
                f"the ledger {self.path} was removed while the run was at work: the files are there, but the next run "
                "does not know them; let it go on with --existing skip"
            )
            raise StorageError("storage", message, None)

    def _end_run(self) -> bool:
        with self._file.transaction() as db:
            db.execute("UPDATE runs SET ended = ? WHERE id = ?", (time.time(), self._run))
            return db.execute("SELECT 1 FROM items LIMIT 1").fetchone() is not None

    def files(self) -> set[str]:
        """Give the names of what belongs to the ledger in the private folder: parts that somebody may go on with.

        Raises:
            StorageError: It cannot be read.
        """
        with self._file.transaction() as db:
            return {part for (part,) in db.execute("SELECT part FROM halves")}
