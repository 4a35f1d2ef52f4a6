"""The private folder of a run, where bytes are that are not yet whole. Blocking.

Without a ledger it is `DIR/.aioflags/run-…/`, which its run holds locked and removes; what a killed run left behind
is swept by the next. With one it is `DIR/.aioflags/parts/`, of one run at a time, and a later run may go on with the
parts in it.
"""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Container
from contextlib import suppress

from aioflags.folders import Folder
from aioflags.lock import RunLock

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

__all__ = ["PARTS_FOLDER", "STATE_FOLDER", "PrivateFolder"]

STATE_FOLDER = ".aioflags"
PARTS_FOLDER = "parts"
_RUN_PREFIX = "run-"
# Far more than other runs that start and end at this moment; a destination that was removed is no matter of trying.
_TRIES = 100


class PrivateFolder:
    """A folder that nobody else works in; `folder` is open.

    Args:
        root: The destination.
        is_kept: A ledger is kept, and parts with it.
    """

    def __init__(self, root: Folder, *, is_kept: bool = False) -> None:
        self._root = root
        self._is_kept = is_kept
        self._state: Folder | None = None
        self._lock: RunLock | None = None
        self._folder: Folder | None = None
        self._is_joined = False
        self.name = ""

    @property
    def folder(self) -> Folder:
        """The folder itself."""
        assert self._folder is not None
        return self._folder

    @property
    def state_path(self) -> str:
        """Path of the folder that the private folder is in; the ledger is there."""
        assert self._state is not None
        return self._state.path

    def enter(self) -> None:
        """Make it and lock it; once more if another run swept or removed a folder in between.

        Raises:
            StorageError: A ledger is kept, and another run is at work with it.
            OSError: As the system gives it.
        """
        for tries_left in reversed(range(_TRIES)):
            try:
                self._state = _open_state(self._root)
                if self._try_enter(self._state):
                    return
            except (FileNotFoundError, BlockingIOError):
                if not tries_left:
                    raise
            except BaseException:
                self.leave()
                raise
            self.leave()

    def _try_enter(self, state: Folder) -> bool:
        if self._is_kept:
            self._lock = RunLock(state)
            self._lock.acquire()
        _sweep_dead_runs(state)
        self.name = PARTS_FOLDER if self._is_kept else _RUN_PREFIX + secrets.token_hex(8)
        self._folder = state.child(self.name, create=True, mode=0o700)
        if not self._is_kept:
            _lock(self._folder)
        return state.look(self.name) is not None

    def join(self, name: str) -> None:
        """Work in the private folder that another process has entered, and will leave.

        Raises:
            OSError: As the system gives it.
        """
        self._is_joined = True
        self.name = name
        self._state = self._root.child(STATE_FOLDER)
        self._folder = self._state.child(name)

    def sweep(self, kept: Container[str]) -> None:
        """Remove all but the files whose names are in `kept`; what took the place of one is no file of ours."""
        for name in self.folder.names():
            with suppress(OSError):
                if name not in kept or not self.folder.holds_file(name):
                    self.folder.clear(name)

    def leave(self) -> None:
        """Close it; remove it if nothing in it is to be kept. It is no error if it was not entered."""
        if not self._is_joined:
            self._remove()
        if self._lock is not None:
            self._lock.release()
            self._lock = None
        if self._state is not None and not self._is_joined:
            with suppress(OSError):
                self._root.remove_folder(STATE_FOLDER)
        for folder in filter(None, (self._folder, self._state)):
            folder.close()
        self._state = self._folder = None

    def _remove(self) -> None:
        if self._folder is None or self._state is None:
            return
        with suppress(OSError):
            if not self._is_kept:
                _empty(self._folder)
            self._state.remove_folder(self.name)


def _open_state(root: Folder) -> Folder:
    state = root.child(STATE_FOLDER, create=True, mode=0o700)
    try:
        _check_owner(root, state)
    except BaseException:
        state.close()
        raise
    return state


def _check_owner(root: Folder, state: Folder) -> None:
    """Make sure that nobody has laid out a folder for us whose owner could put anything into it.

    Raises:
        PermissionError: It belongs neither to us nor to the owner of the destination.
    """
    if root.fd is None or state.fd is None:
        return
    owner = os.fstat(state.fd).st_uid
    if owner not in {os.geteuid(), os.fstat(root.fd).st_uid}:
        raise PermissionError(errno.EACCES, "it belongs to another user", state.path)


def _sweep_dead_runs(state: Folder) -> None:
    """Remove the private folders of runs that are dead; without locks nobody knows, and nothing is swept."""
    for name in state.names():
        if fcntl is None or not name.startswith(_RUN_PREFIX):
            continue
        with suppress(OSError):
            folder = state.child(name)
            try:
                _lock(folder)
                _empty(folder)
                state.remove_folder(name)
            finally:
                folder.close()


def _lock(folder: Folder) -> None:
    """Hold a folder for the life of this process.

    Raises:
        BlockingIOError: A living process holds it.
    """
    if fcntl is not None and folder.fd is not None:
        fcntl.flock(folder.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _empty(folder: Folder) -> None:
    for name in folder.names():
        folder.remove(name)
