"""The file of a ledger: opened, checked, written in transactions, closed. Knows SQLite, and no downloads. Blocking.

One connection for all threads of a process, behind one lock: whoever records waits for whoever does, since a hop to
another thread would cost more than the transaction. Other processes, workers or readers, have connections of their own.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from urllib.parse import quote

from aioflags.disk_errors import translate_os_error
from aioflags.errors import StorageError, UsageError
from aioflags.turns import Turns

__all__ = ["LEDGER_FILE", "SCHEMA_VERSION", "LedgerFile", "open_for_reading"]

LEDGER_FILE = "ledger"
SCHEMA_VERSION = 3
#: "aifl"; tells the system and us that this is a ledger and no other database.
_APPLICATION_ID = 0x6169666C
# Seconds; the longest transaction is a thousand rows.
_PATIENCE = 30.0
# Pages of 4 KiB. A checkpoint forces the file to the disk, which is felt; 40 MB of log are not.
_CHECKPOINT = 10_000

# Bytes; SQLite's log and its index grow by less at a time.
_ROOM = 64 << 10
# Files that SQLite puts beside a database.
_COMPANIONS = ("-wal", "-shm", "-journal")

# What SQLite says of a directory where it cannot make them.
_NOT_WRITABLE = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY_DIRECTORY, sqlite3.SQLITE_READONLY}

_ALWAYS = """
PRAGMA trusted_schema = OFF;
PRAGMA cache_size = -4096;
PRAGMA temp_store = MEMORY;
"""
# A lost commit repeats work and no more: what a row says has happened before the row was written.
_KEPT = f"""
PRAGMA synchronous = NORMAL;
PRAGMA wal_autocheckpoint = {_CHECKPOINT};
"""
_FORGOTTEN = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA locking_mode = EXCLUSIVE;
"""
# `ended` of an item that has not ended in its `run` is when its name was given to it, or found to be free still.
_SCHEMA = """
CREATE TABLE items (
    id INTEGER PRIMARY KEY,
    key BLOB NOT NULL UNIQUE,
    is_twin INTEGER NOT NULL DEFAULT 0,
    url TEXT NOT NULL,
    wish TEXT,
    asked TEXT,
    name TEXT,
    name_key BLOB UNIQUE,
    state INTEGER NOT NULL DEFAULT 0,
    was_there INTEGER NOT NULL DEFAULT 0,
    is_ours INTEGER NOT NULL DEFAULT 0,
    is_synced INTEGER NOT NULL DEFAULT 0,
    size INTEGER,
    digests TEXT,
    etag TEXT,
    last_modified TEXT,
    content_encoding TEXT,
    http_status INTEGER,
    attempts INTEGER NOT NULL DEFAULT 0,
    kind TEXT,
    message TEXT,
    host TEXT,
    run INTEGER,
    ended REAL
);
CREATE TABLE folders (name_key BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE halves (
    item INTEGER PRIMARY KEY,
    part TEXT NOT NULL,
    size INTEGER NOT NULL,
    validator TEXT NOT NULL,
    source TEXT NOT NULL,
    total INTEGER,
    hashed INTEGER NOT NULL,
    digest TEXT NOT NULL
);
CREATE TABLE runs (id INTEGER PRIMARY KEY, boot TEXT, started REAL NOT NULL, ended REAL);
"""
_TABLES = {statement.strip() for statement in _SCHEMA.split(";")} - {""}


class LedgerFile:
    """A ledger's database.

    Args:
        path: Where; made if it is not there.
        is_kept: Later runs read it. One that is not kept is written as if there were no crashes.

    Raises:
        StorageError: It is damaged, of another version, no ledger, or cannot be written.
    """

    def __init__(self, path: str, *, is_kept: bool) -> None:
        self.path = path
        self._is_kept = is_kept
        self._guard = threading.RLock()
        with translating("open", path), ExitStack() as stack:
            self.connection = _connect(path)
            stack.callback(self.connection.close)
            # What a run does not keep is its own; the folder that it is in is, too, and locked.
            self._turns = Turns(os.path.dirname(path) if is_kept else None)
            stack.callback(self._turns.close)
            self._prepare()
            stack.pop_all()

    def _prepare(self) -> None:
        script = self.connection.executescript
        script(_ALWAYS + (_KEPT if self._is_kept else _FORGOTTEN))
        if self._is_kept:
            # A network file system may refuse; then it stays with the slower journal.
            self.connection.execute("PRAGMA journal_mode = WAL").fetchone()
        if not self._is_kept:
            # Pages are written when memory is short, and not after each transaction.
            self.connection.execute("BEGIN")
        with self.transaction():
            if self._is_new():
                for statement in filter(str.strip, _SCHEMA.split(";")):
                    self.connection.execute(statement)
                self.connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
                self.connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def _is_new(self) -> bool:
        (tables,) = self.connection.execute("SELECT count(*) FROM main.sqlite_master").fetchone()
        if tables:
            check_identity(self.connection, self.path)
        return not tables

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Do several things at once or not at all; other threads and processes wait.

        Raises:
            StorageError: It could not be written; if the ledger is kept, nothing of it was.
        """
        with self._guard, translating("write", self.path), self._turns:
            if not self._is_kept:
                yield self.connection
                return
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield self.connection
            except BaseException:
                # A full disk may have rolled it back already.
                with suppress(sqlite3.Error):
                    self.connection.execute("ROLLBACK")
                raise
            self.connection.execute("COMMIT")

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Inside of `transaction`, do what takes long: what was done so far is written, and others have their turn.

        Raises:
            sqlite3.Error: It could not be written, or nobody else comes to an end.
        """
        if not self._is_kept:
            yield
            return
        self.connection.execute("COMMIT")
        self._turns.give_up()
        self._guard.release()
        try:
            yield
        finally:
            self._guard.acquire()
            self._turns.take()
            self.connection.execute("BEGIN IMMEDIATE")

    def check(self) -> None:
        """Look for damage; worth its time after a crash.

        Raises:
            StorageError: There is some.
        """
        with self._guard, translating("read", self.path):
            (verdict,) = self.connection.execute("PRAGMA main.quick_check(1)").fetchone()
            if verdict != "ok":
                raise _damaged_error(self.path, verdict)

    def close(self, *, is_needed: bool = True) -> None:
        """Close it; the log goes into the file. One that is not needed is removed."""
        with self._guard:
            if self._is_kept:
                with suppress(sqlite3.Error):
                    self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self.connection.close()
            self._turns.close()
            if not is_needed:
                for suffix in (*_COMPANIONS, ""):
                    with suppress(OSError):
                        os.unlink(self.path + suffix)


def _refuse_links(path: str, suffixes: Iterable[str]) -> None:
    # SQLite itself would follow a link to wherever it leads.
    for suffix in suffixes:
        if os.path.islink(path + suffix):
            raise OSError(errno.ELOOP, "is a symbolic link", path + suffix)


def _connect(path: str) -> sqlite3.Connection:
    _refuse_links(path, _COMPANIONS)
    # SQLite would make it readable as the umask says, and there are secrets in it.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    os.close(descriptor)
    return sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)


def open_for_reading(path: str) -> sqlite3.Connection:
    """Open a ledger that a run may be writing to.

    Raises:
        UsageError: There is none.
        StorageError: It is damaged, of another version, no ledger, or a link.
    """
    if not os.path.isfile(path):
        raise UsageError(f"there is no ledger in {os.path.dirname(os.path.dirname(path))}: no run has kept one there")
    with translating("read", path):
        _refuse_links(path, ("", *_COMPANIONS))
        try:
            # A reader of a ledger in WAL mode writes, too, into its index.
            return _open_reader(path, "mode=rw")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode not in _NOT_WRITABLE or os.path.exists(f"{path}-wal"):
                raise
            # On a disk that cannot be written nobody else writes.
            return _open_reader(path, "mode=ro&immutable=1")


def _open_reader(path: str, how: str) -> sqlite3.Connection:
    connection = sqlite3.connect(f"file:{quote(path)}?{how}", uri=True, timeout=_PATIENCE, isolation_level=None)
    try:
        connection.executescript(_ALWAYS + "PRAGMA query_only = ON;")
        if connection.execute("SELECT 1 FROM main.sqlite_master LIMIT 1").fetchone() is None:
            raise UsageError(f"the ledger {path} is empty: the run that began it has noted nothing yet")
        check_identity(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def check_identity(connection: sqlite3.Connection, path: str) -> None:
    """Make sure that a database is a ledger that we can read.

    Raises:
        StorageError: It is not.
    """
    (application,) = connection.execute("PRAGMA main.application_id").fetchone()
    if application != _APPLICATION_ID:
        raise _damaged_error(path, "it is another database")
    (version,) = connection.execute("PRAGMA main.user_version").fetchone()
    if version != SCHEMA_VERSION:
        message = (
            f"the ledger {path} was written by another version of aioflags (format {version}, this one writes "
            f"{SCHEMA_VERSION}): use that version, or move the ledger away and go on with --existing skip"
        )
        raise StorageError("storage", message, None)
    found = {sql for (sql,) in connection.execute("SELECT sql FROM main.sqlite_master WHERE sql IS NOT NULL")}
    if found != _TABLES:
        raise _damaged_error(path, "its tables are not those of a ledger")


def _damaged_error(path: str, reason: str) -> StorageError:
    message = (
        f"the ledger {path} cannot be used ({reason}): move it away; with --existing skip the files that are there "
        "are kept"
    )
    return StorageError("storage", message, None)


_ERRNOS = {
    sqlite3.SQLITE_FULL: errno.ENOSPC,
    sqlite3.SQLITE_READONLY: errno.EROFS,
    sqlite3.SQLITE_PERM: errno.EACCES,
    sqlite3.SQLITE_CANTOPEN: errno.ENOENT,
}


def _is_full(path: str) -> bool:
    """Tell whether there is no room for another page: what SQLite maps to memory fails with other words then."""
    try:
        return shutil.disk_usage(os.path.dirname(path)).free < _ROOM
    except OSError:
        return False


@contextmanager
def translating(what: str, path: str) -> Iterator[None]:
    """Turn what SQLite and the system say into a `StorageError` whose cause is a fault of the destination.

    Args:
        what: What is done to the ledger, as in `cannot … the ledger`.
        path: Where it lies.
    """
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_IOERR) & 0xFF
        if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
            raise _damaged_error(path, str(error)) from error
        fault = OSError(errno.ENOSPC if _is_full(path) else _ERRNOS.get(code, errno.EIO), str(error))
        raise translate_os_error(fault, f"{what} the ledger {path}") from fault
    except OSError as error:
        raise translate_os_error(error, f"{what} the ledger {path}") from error
