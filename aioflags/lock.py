"""One run at a time where a ledger is kept: a lock that dies with its process, and a note of who holds it. Blocking."""

from __future__ import annotations

import errno
import json
import os
import socket
import sys
import time
from contextlib import suppress

from aioflags.boot import boot_id
from aioflags.errors import StorageError
from aioflags.folders import Folder
from aioflags.redact import escape_text

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

__all__ = ["RunLock", "holder_of"]

LOCK_FILE = "lock"
_HELD = {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK}
# Network file systems may know no locks; there the note is all that there is.
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL}
# Windows forbids others to read what is locked: not the note, but a byte far behind it.
_LOCKED_BYTE = 1 << 30
_TRIES = 100
_LONGEST_NOTE = 4096


class RunLock:
    """The right to work with the ledger of a destination.

    Args:
        state: The folder of the ledger.
    """

    def __init__(self, state: Folder) -> None:
        self._state = state
        self._fd: int | None = None

    def acquire(self) -> None:
        """Take the lock and note who we are; a note that a dead run left behind is overwritten.

        Raises:
            StorageError: Another run holds it; the message says which.
            OSError: As the system gives it.
        """
        for _ in range(_TRIES):
            fd = self._state.open_note(LOCK_FILE)
            try:
                self._lock(fd)
                is_ours = self._is_there(fd)
            except BaseException:
                os.close(fd)
                raise
            if is_ours:
                self._fd = fd
                self._sign(fd)
                return
            # Its last holder removed it between our opening and locking.
            os.close(fd)
        raise BlockingIOError(errno.EAGAIN, "the lock is taken and given back all the time", LOCK_FILE)

    def release(self) -> None:
        """Give the lock back; it is no error if it is not held."""
        if self._fd is None:
            return
        fd, self._fd = self._fd, None
        with suppress(OSError):
            self._state.remove(LOCK_FILE)
        os.close(fd)

    def _lock(self, fd: int) -> None:
        try:
            _try_lock(fd)
        except OSError as error:
            if error.errno in _HELD:
                raise _held_error(_read_note(fd)) from error
            if error.errno not in _NO_LOCKS:
                raise
            note = _read_note(fd)
            if _may_live(note):
                raise _held_error(note) from error

    def _is_there(self, fd: int) -> bool:
        found = self._state.look(LOCK_FILE)
        return found is not None and os.path.samestat(found, os.fstat(fd))

    def _sign(self, fd: int) -> None:
        note = {"pid": os.getpid(), "host": socket.gethostname(), "boot": boot_id(), "started": time.time()}
        os.ftruncate(fd, 0)
        os.lseek(fd, 0, os.SEEK_SET)
        os.write(fd, json.dumps(note).encode() + b"\n")


def holder_of(state: Folder) -> str | None:
    """Say who holds the lock, for people; `None` if nobody seems to. Goes by the note: asking the lock would take it.

    Raises:
        OSError: As the system gives it.
    """
    if state.look(LOCK_FILE) is None:
        return None
    fd = state.open_file(LOCK_FILE)
    try:
        note = _read_note(fd)
    finally:
        os.close(fd)
    return _name_holder(note) if _may_live(note) else None


def _try_lock(fd: int) -> None:
    if sys.platform == "win32":
        os.lseek(fd, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _read_note(fd: int) -> dict[str, object]:
    os.lseek(fd, 0, os.SEEK_SET)
    try:
        note = json.loads(os.read(fd, _LONGEST_NOTE))
    except (ValueError, RecursionError):
        return {}
    return note if isinstance(note, dict) else {}


def _may_live(note: dict[str, object]) -> bool:
    """Tell whether the process that signed may still be at work; one of another machine cannot be asked."""
    pid = note.get("pid")
    if type(pid) is not int or pid <= 0:
        return False
    if note.get("host") != socket.gethostname():
        return True
    if note.get("boot") != boot_id() or pid == os.getpid():
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True


def _name_holder(note: dict[str, object]) -> str:
    if isinstance(note.get("pid"), int):
        return f"the run with process id {note['pid']} on {escape_text(str(note.get('host')))[:80]}"
    return "another run"


def _held_error(note: dict[str, object]) -> StorageError:
    who = _name_holder(note)
    return StorageError(
        "storage",
        f"the directory is in use by {who}: wait until it has ended, or use another --dir; nothing was requested",
        None,
    )
