"""The file of a ledger: written at once or not at all, readable for us only, and refused if it is something else."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aioflags import ledger_file
from aioflags.disk_errors import is_destination_fault
from aioflags.errors import StorageError, UsageError
from aioflags.ledger_file import SCHEMA_VERSION, LedgerFile, open_for_reading, translating

ADD = "INSERT INTO items (key, url) VALUES (?, 'http://h/a')"

Open = Callable[..., LedgerFile]


@pytest.fixture
def path(tmp_path: Path) -> str:
    folder = tmp_path / "downloads" / ".aioflags"
    folder.mkdir(parents=True)
    return str(folder / "ledger")


@pytest.fixture
def open_ledger(path: str, tmp_path: Path) -> Iterator[Open]:
    """Open the ledger, kept or not; all are closed in the end."""
    files: list[LedgerFile] = []

    def open_it(*, is_kept: bool = True) -> LedgerFile:
        files.append(LedgerFile(path, is_kept=is_kept))
        return files[-1]

    yield open_it
    for file in files:
        file.close()


def count(connection: sqlite3.Connection) -> int:
    (number,) = connection.execute("SELECT count(*) FROM items").fetchone()
    assert isinstance(number, int)
    return number


def test_what_is_written_is_read_by_the_next(open_ledger: Open, path: str) -> None:
    """A transaction that has ended is there for whoever opens the ledger after that."""
    file = open_ledger()
    with file.transaction() as db:
        db.execute(ADD, (b"a",))
    file.close()
    assert count(open_ledger().connection) == 1
    assert os.stat(path).st_mode & 0o777 == 0o600


def test_log_goes_into_the_file_at_the_end(open_ledger: Open, path: str) -> None:
    """After closing there is one file, and no log beside it."""
    file = open_ledger()
    with file.transaction() as db:
        db.execute(ADD, (b"a",))
    file.close()
    assert os.listdir(os.path.dirname(path)) == ["ledger"]


def test_failed_transaction_leaves_nothing(open_ledger: Open) -> None:
    """All of it or none, whatever went wrong in it."""
    file = open_ledger()
    with pytest.raises(RuntimeError), file.transaction() as db:
        db.execute(ADD, (b"a",))
        raise RuntimeError
    with pytest.raises(StorageError), file.transaction() as db:
        db.execute(ADD, (b"b",))
        db.execute("INSERT INTO nothing VALUES (1)")
    assert count(file.connection) == 0


def test_others_have_their_turn_beside_what_takes_long(open_ledger: Open) -> None:
    """What was done before is written; what comes after is done or not as one."""
    first, second = open_ledger(), open_ledger()
    boots = "INSERT INTO runs (boot, started) VALUES (?, 0)"
    done: list[str] = []

    def write() -> None:
        with first.transaction() as db:
            db.execute(boots, ("thread",))
        done.append("thread")

    with pytest.raises(RuntimeError), first.transaction() as db:
        db.execute(boots, ("before",))
        with first.aside():
            thread = threading.Thread(target=write)
            thread.start()
            thread.join(10)
            with second.transaction() as other:
                other.execute(boots, ("process",))
        db.execute(boots, ("after",))
        raise RuntimeError
    assert done == ["thread"]
    rows = second.connection.execute("SELECT boot FROM runs ORDER BY id")
    assert [boot for (boot,) in rows] == ["before", "thread", "process"]


def test_forgotten_ledger_has_nobody_to_wait_for(open_ledger: Open) -> None:
    """Nothing is written in between, and nothing is lost."""
    ledger = open_ledger(is_kept=False)
    with ledger.transaction() as db, ledger.aside():
        db.execute("INSERT INTO runs (boot, started) VALUES ('x', 0)")
    assert ledger.connection.execute("SELECT count(*) FROM runs").fetchone() == (1,)


def test_who_waits_for_another_writer_waits_for_its_turn(open_ledger: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """And not for the database, which lets whoever waits sleep; nor does who goes on after what takes long."""
    monkeypatch.setattr(ledger_file, "_PATIENCE", 0.0)
    first, second = open_ledger(), open_ledger()
    is_begun, may_end = threading.Event(), threading.Event()

    def write() -> None:
        with second.transaction() as db:
            is_begun.set()
            db.execute(ADD, (b"b",))
            may_end.wait(10)

    with first.transaction() as db:
        db.execute(ADD, (b"a",))
        thread = threading.Thread(target=write)
        thread.start()
        assert not is_begun.wait(0.02)
        with first.aside():
            assert is_begun.wait(10)
            threading.Timer(0.02, may_end.set).start()
        db.execute(ADD, (b"c",))
    thread.join()
    assert count(first.connection) == 3


def test_ledger_that_is_not_needed_is_removed(open_ledger: Open, path: str) -> None:
    """Nothing of it stays."""
    open_ledger().close(is_needed=False)
    assert os.listdir(os.path.dirname(path)) == []


def test_threads_and_connections_take_turns(open_ledger: Open) -> None:
    """Four threads with two connections write a hundred rows each, and none is lost."""
    files = [open_ledger(), open_ledger()]

    def write(number: int) -> None:
        for row in range(100):
            with files[number % 2].transaction() as db:
                db.execute(ADD, (f"{number} {row}".encode(),))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count(files[0].connection) == 400


def test_forgotten_ledger_works_without_transactions(open_ledger: Open, path: str) -> None:
    """One that goes with its run has no log and is written when memory is short."""
    file = open_ledger(is_kept=False)
    with file.transaction() as db:
        db.execute(ADD, (b"a",))
    with file.transaction() as db:
        assert count(db) == 1
    assert os.listdir(os.path.dirname(path)) == ["ledger"]


# What is no ledger


@pytest.mark.parametrize(
    "content", [b"this is not a database, it is a text" * 100, b"SQLite format 3\0" + b"\xff" * 4096]
)
def test_what_is_no_database_is_left_alone(open_ledger: Open, path: str, content: bytes) -> None:
    """The message says to move it away, and it is as it was."""
    Path(path).write_bytes(content)
    with pytest.raises(StorageError, match=r"cannot be used .*move it away"):
        open_ledger()
    assert Path(path).read_bytes() == content


def test_another_database_is_left_alone(open_ledger: Open, path: str) -> None:
    """Some program's own, under our name."""
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs (id)")
    connection.close()
    with pytest.raises(StorageError, match="another database"):
        open_ledger()
    with pytest.raises(StorageError, match="another database"):
        open_for_reading(path)


def test_ledger_of_another_version_is_left_alone(open_ledger: Open, path: str) -> None:
    """It is neither read nor changed; the message names both versions."""
    open_ledger().close()
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    with pytest.raises(StorageError, match=f"format {SCHEMA_VERSION + 1}, this one writes {SCHEMA_VERSION}"):
        open_ledger()


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", "-journal"])
def test_ledger_that_is_a_link_is_refused(open_ledger: Open, path: str, tmp_path: Path, suffix: str) -> None:
    """It would be written somewhere else."""
    target = tmp_path / "elsewhere"
    Path(path + suffix).symlink_to(target)
    with pytest.raises(StorageError, match="open the ledger"):
        open_ledger()
    assert not target.exists()


def test_damage_is_found(open_ledger: Open, path: str) -> None:
    """Bytes that were overwritten in the middle are seen by a look through it."""
    file = open_ledger()
    with file.transaction() as db:
        db.executemany(ADD, ((f"{number:09}".encode(),) for number in range(10_000)))
    file.check()
    file.close()
    with open(path, "r+b") as raw:
        raw.seek(os.path.getsize(path) // 2)
        raw.write(b"\xff" * 8192)
    file = open_ledger()
    with pytest.raises(StorageError, match="cannot be used"):
        file.check()


# What the system refuses


FULL = """
import resource, signal, sys
from aioflags import ledger_file
from aioflags.disk_errors import is_destination_fault
from aioflags.errors import StorageError
from aioflags.ledger_file import LedgerFile
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
file = LedgerFile(sys.argv[1], is_kept=True)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
number = 0
try:
    while True:
        with file.transaction() as db:
            db.execute("INSERT INTO items (key, url) VALUES (?, ?)", (str(number).encode(), "u" * 1000))
        number += 1
except StorageError as error:
    print(number, is_destination_fault(error))
"""


def test_disk_that_is_full_is_a_fault_of_the_destination(path: str) -> None:
    """The transaction that did not fit is not there, those before it are, and the run has a reason to end."""
    done = subprocess.run([sys.executable, "-c", FULL, path], capture_output=True, text=True, check=True)
    written, is_fault = done.stdout.split()
    assert is_fault == "True"
    reader = open_for_reading(path)
    assert count(reader) == int(written) > 0
    reader.close()


@pytest.mark.parametrize(
    ("code", "number"),
    [
        (sqlite3.SQLITE_FULL, errno.ENOSPC),
        (sqlite3.SQLITE_READONLY, errno.EROFS),
        (sqlite3.SQLITE_IOERR, errno.EIO),
        (sqlite3.SQLITE_IOERR | 12 << 8, errno.EIO),
        (sqlite3.SQLITE_BUSY, errno.EIO),
    ],
)
def test_errors_of_sqlite_have_the_numbers_of_the_system(code: int, number: int) -> None:
    """So that everyone who looks at errors of the disk understands these, too."""
    fault = sqlite3.OperationalError("no")
    fault.sqlite_errorcode = code
    with (
        pytest.raises(StorageError, match="cannot write the ledger /d/ledger: no") as caught,
        translating("write", "/d/ledger"),
    ):
        raise fault
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.__cause__.errno == number
    assert is_destination_fault(caught.value)


def test_folder_that_may_not_be_written(path: str) -> None:
    """What the system says is passed on."""
    os.mkdir(path)
    with pytest.raises(StorageError, match="cannot open the ledger"):
        LedgerFile(path, is_kept=True)


# Reading


def test_reader_sees_a_run_at_work(open_ledger: Open, path: str) -> None:
    """Whoever reads neither waits for the run nor can change anything."""
    file = open_ledger()
    with file.transaction() as db:
        db.execute(ADD, (b"a",))
    reader = open_for_reading(path)
    assert count(reader) == 1
    with file.transaction() as db:
        db.execute(ADD, (b"b",))
    assert count(reader) == 2
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.execute("DELETE FROM items")
    reader.close()


def test_directory_without_ledger_is_wrong_use(path: str) -> None:
    """The message names the directory that was asked for."""
    with pytest.raises(UsageError, match=r"no ledger in .*downloads: no run"):
        open_for_reading(path)


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", "-journal"])
def test_reader_follows_no_link(open_ledger: Open, path: str, tmp_path: Path, suffix: str) -> None:
    """A reader writes, too: what was not yet in the file, and the index."""
    open_ledger().close()
    target = tmp_path / "elsewhere"
    if suffix:
        target.write_bytes(b"")
    else:
        os.rename(path, target)
    Path(path + suffix).symlink_to(target)
    with pytest.raises(StorageError, match="symbolic link"):
        open_for_reading(path)


def test_reader_needs_not_write(open_ledger: Open, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ledger on a disk that cannot be written is read as it is; with a log beside it nobody knows what is in it."""
    file = open_ledger()
    with file.transaction() as db:
        db.execute(ADD, (b"a",))
    file.close()
    connect = sqlite3.connect

    def refuse(database: str, **options: Any) -> sqlite3.Connection:
        # Root may write everywhere: the system's answer is ours to give.
        connection: sqlite3.Connection = connect(
            "file:/nowhere/ledger?mode=rw" if "mode=rw" in database else database, **options
        )
        return connection

    monkeypatch.setattr(sqlite3, "connect", refuse)
    reader = open_for_reading(path)
    assert count(reader) == 1
    reader.close()
    Path(f"{path}-wal").write_bytes(b"x")
    with pytest.raises(StorageError, match="unable to open"):
        open_for_reading(path)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE VIEW more AS SELECT abs(random()) AS id FROM items",
        "CREATE TRIGGER t AFTER UPDATE ON items BEGIN DELETE FROM runs; END",
        "DROP TABLE halves",
        "ALTER TABLE items ADD COLUMN more",
    ],
)
def test_tables_of_strangers_are_no_ledger(open_ledger: Open, path: str, statement: str) -> None:
    """What is computed whenever it is read, or does something when it is written, is no record of a run."""
    open_ledger().close()
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    connection.close()
    for open_it in (open_ledger, lambda: open_for_reading(path)):
        with pytest.raises(StorageError, match="its tables are not those of a ledger"):
            open_it()


def test_full_disk_is_called_so(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite has other words for it where it maps its log to memory."""
    usage = shutil.disk_usage(os.path.dirname(path))
    fault = sqlite3.OperationalError("disk I/O error")
    fault.sqlite_errorcode = sqlite3.SQLITE_IOERR
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=100))
    with pytest.raises(StorageError, match="free some space"), translating("write", path):
        raise fault
