"""One run at a time works with a ledger: the lock dies with its process, and says who holds it."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aioflags.boot import boot_id
from aioflags.errors import StorageError
from aioflags.folders import Folder
from aioflags.lock import RunLock, holder_of

HOLDER = """
import sys, time
from aioflags.folders import Folder
from aioflags.lock import RunLock
RunLock(Folder.open(sys.argv[1])).acquire()
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder.open(str(tmp_path))
    yield folder
    folder.close()


def note_of(path: Path) -> dict[str, object]:
    note = json.loads((path / "lock").read_text())
    assert isinstance(note, dict)
    return note


def without_locks(*_: object) -> None:
    raise OSError(errno.ENOLCK, "no locks available")


def test_lock_is_signed_and_leaves_nothing(folder: Folder, tmp_path: Path) -> None:
    """Who holds it stands in a file that nobody else may read; given back, the file is gone."""
    lock = RunLock(folder)
    lock.acquire()
    assert note_of(tmp_path)["pid"] == os.getpid()
    assert note_of(tmp_path)["boot"] == boot_id()
    assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o600
    lock.release()
    lock.release()
    assert os.listdir(tmp_path) == []


def test_second_one_is_told_who_holds_it(folder: Folder, tmp_path: Path) -> None:
    """It fails at once and names the process."""
    holder = RunLock(folder)
    holder.acquire()
    with pytest.raises(StorageError, match=f"in use by the run with process id {os.getpid()} on .*another --dir"):
        RunLock(folder).acquire()
    assert note_of(tmp_path)["pid"] == os.getpid()
    holder.release()
    RunLock(folder).acquire()


def test_lock_of_a_killed_process_is_taken_over(folder: Folder, tmp_path: Path) -> None:
    """Its note stays behind and bothers nobody."""
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(StorageError, match=f"process id {process.pid} "):
            RunLock(folder).acquire()
        process.send_signal(signal.SIGKILL)
    assert note_of(tmp_path)["pid"] == process.pid
    RunLock(folder).acquire()
    assert note_of(tmp_path)["pid"] == os.getpid()


def test_lock_that_is_removed_meanwhile_is_no_lock(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A holder that ends between our opening and locking takes the file along; ours is the one that is there."""
    flock, removed = fcntl.flock, list[int]()

    def remove_first(fd: int, operation: int) -> None:
        if not removed:
            removed.append(fd)
            (tmp_path / "lock").unlink()
        flock(fd, operation)

    monkeypatch.setattr(fcntl, "flock", remove_first)
    RunLock(folder).acquire()
    with pytest.raises(StorageError):
        RunLock(folder).acquire()


@pytest.mark.parametrize(
    ("change", "is_held"),
    [
        ({}, True),
        ({"host": "another"}, True),
        ({"pid": 0}, False),
        ({"pid": "?"}, False),
        ({"pid": None}, False),
        ({"boot": "before"}, False),
    ],
)
def test_without_locks_the_note_is_believed(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, object], is_held: bool
) -> None:
    """Process id and boot id tell whether its holder may live; another machine cannot be asked."""
    monkeypatch.setattr(fcntl, "flock", without_locks)
    # The parent of the tests lives as long as they do.
    note = {"pid": os.getppid(), "host": socket.gethostname(), "boot": boot_id()} | change
    (tmp_path / "lock").write_text(json.dumps(note))
    if is_held:
        with pytest.raises(StorageError, match="in use by"):
            RunLock(folder).acquire()
    else:
        RunLock(folder).acquire()
        assert note_of(tmp_path)["pid"] == os.getpid()


def test_dead_process_holds_nothing_without_locks(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its id names nobody any more."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    monkeypatch.setattr(fcntl, "flock", without_locks)
    (tmp_path / "lock").write_text(json.dumps({"pid": process.pid, "host": socket.gethostname(), "boot": boot_id()}))
    RunLock(folder).acquire()


@pytest.mark.parametrize("content", [b"", b"\xff", b"[" * 5000, b"[1]", b"3"])
def test_note_that_is_none_is_overwritten(folder: Folder, tmp_path: Path, content: bytes) -> None:
    """A crash may leave anything in it."""
    (tmp_path / "lock").write_bytes(content)
    RunLock(folder).acquire()
    assert note_of(tmp_path)["pid"] == os.getpid()


@pytest.mark.parametrize("pid", [True, 10**30, -1, "1"])
def test_who_cannot_be_holds_nothing(folder: Folder, tmp_path: Path, pid: object) -> None:
    """No process has such a number."""
    (tmp_path / "lock").write_text(json.dumps({"pid": pid, "host": socket.gethostname(), "boot": boot_id()}))
    assert holder_of(folder) is None


def test_link_is_not_followed(folder: Folder, tmp_path: Path) -> None:
    """A lock that leads elsewhere is refused, and what it leads to stays as it is."""
    target = tmp_path / "precious"
    target.write_text("mine")
    (tmp_path / "lock").symlink_to(target)
    with pytest.raises(OSError, match="symbolic"):
        RunLock(folder).acquire()
    assert target.read_text() == "mine"


def test_refusal_of_the_system_is_passed_on(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is neither held nor unknown to the file system is an error of the system."""

    def broken(*_: object) -> None:
        raise OSError(errno.EIO, "input/output error")

    monkeypatch.setattr(fcntl, "flock", broken)
    with pytest.raises(OSError, match="input/output"):
        RunLock(folder).acquire()
