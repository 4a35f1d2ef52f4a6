"""The destination directory: private part files that appear whole under their final names. Blocking.

Bytes arrive in `DIR/.aioflags/run-…/`, a private folder that its run holds locked; what a killed run left behind is
swept by the next. A final name only ever holds a whole file, by rename.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress

from aioflags.digests import Digests
from aioflags.disk_errors import exists_error, translate_os_error
from aioflags.errors import UsageError, make_error
from aioflags.folders import Folder
from aioflags.parts import Part
from aioflags.redact import escape_text

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

__all__ = ["STATE_FOLDER", "Destination"]

STATE_FOLDER = ".aioflags"
_RUN_PREFIX = "run-"
_OPEN_FOLDERS = 64
# Far more than other runs that start and end at this moment; a destination that was removed is no matter of trying.
_TRIES = 100


class Destination:
    """A directory that files appear in.

    Args:
        directory: Where; made if it is not there, when `open` is called.

    Raises:
        UsageError: No directory can have this path.
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self.path = os.path.abspath(os.fsdecode(directory))
        if "\0" in self.path:
            raise UsageError("the path of the destination holds a null character")
        self._folders: dict[tuple[str, ...], Folder] = {}
        self._root: Folder | None = None
        self._identity: tuple[int, int] | None = None
        self._state: Folder | None = None
        self._run: Folder | None = None
        self._run_name = ""
        self._count = 0
        # Several threads publish; a directory must not be closed while another thread steps from it.
        self._guard = threading.Lock()

    def open(self) -> None:
        """Make and lock the private folder of this run, and prove that the destination can be written.

        Raises:
            StorageError: It is a file, may not be written, is full, or its state folder is a link.
        """
        try:
            os.makedirs(self.path, exist_ok=True)
            self._root = self._open_root()
            self._enter(self._root)
            self._probe()
        except OSError as error:
            self.close()
            raise translate_os_error(error, f"use {self.path} as destination") from error

    def _open_root(self) -> Folder:
        root = Folder.open(self.path)
        self._identity = None if root.fd is None else _identity_of(os.fstat(root.fd))
        return root

    def join(self, run_name: str) -> None:
        """Work in the private folder of a run that another process has opened, and will close.

        Raises:
            StorageError: It is not there.
        """
        try:
            self._root = self._open_root()
            self._state = self._root.child(STATE_FOLDER)
            self._run = self._state.child(run_name)
        except OSError as error:
            raise translate_os_error(error, f"use {self.path} as destination") from error

    def _enter(self, root: Folder) -> None:
        """Make the private folder and lock it; once more if another run swept or removed a folder in between."""
        for tries_left in reversed(range(_TRIES)):
            try:
                self._state = root.child(STATE_FOLDER, create=True, mode=0o700)
                self._sweep(self._state)
                self._run_name = _RUN_PREFIX + secrets.token_hex(8)
                self._run = self._state.child(self._run_name, create=True, mode=0o700)
                _lock(self._run)
                if self._state.look(self._run_name) is not None:
                    return
            except (FileNotFoundError, BlockingIOError):
                if not tries_left:
                    raise
            self._leave()

    def _probe(self) -> None:
        assert self._run is not None
        probe = Part(self._run, "probe", ())
        try:
            probe.write(b"aioflags")
            probe.close()
        finally:
            probe.discard()

    @property
    def run_name(self) -> str:
        """Name of the private folder of this run."""
        return self._run_name

    @property
    def run_path(self) -> str:
        """Path of the private folder of this run."""
        assert self._run is not None
        return self._run.path

    def new_part(self, algorithms: Iterable[str] = ()) -> Part:
        """Create a part.

        Raises:
            StorageError: The system refused.
        """
        assert self._run is not None
        self._count += 1
        try:
            return Part(self._run, f"{self._count:x}-{secrets.token_hex(4)}.part", algorithms)
        except OSError as error:
            raise translate_os_error(error, f"create a file in {self.path}") from error

    def publish(self, part: Part, name: str, *, may_replace: bool) -> None:
        """Let a closed part appear under its final name.

        Args:
            part: Whole, checked and closed; its error at close has counted.
            name: Relative, `/` between folders, safe (see `aioflags.names`).
            may_replace: Replace a file or link of that name.

        Raises:
            RefusedError: `exists`: the name is taken. `name`: a folder of it is a file or a link.
            StorageError: The system refused.
        """
        assert self._run is not None
        move = self._run.move_over if may_replace else self._run.move_new
        try:
            with self._guard:
                self._check_place()
                move(part.part_name, *self._folder_of(name))
        except (FileExistsError, IsADirectoryError) as error:
            raise exists_error(name, is_file=isinstance(error, FileExistsError)) from error
        except OSError as error:
            raise translate_os_error(error, f"rename to {name}") from error

    def _check_place(self) -> None:
        """Make sure that the path still leads to the open folder: one that was renamed takes files that nobody finds.

        Raises:
            FileNotFoundError: It does not.
        """
        if self._identity is not None and _identity_of(os.stat(self.path)) != self._identity:
            raise FileNotFoundError(errno.ENOENT, "the destination was moved or replaced", self.path)

    def look(self, name: str) -> os.stat_result | None:
        """Describe what has this final name, without following links; `None` if nothing has."""
        try:
            with self._guard:
                folder, leaf = self._folder_of(name, create=False)
                return folder.look(leaf)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise translate_os_error(error, f"look at {name}") from error

    def digest(self, name: str, algorithms: Sequence[str]) -> dict[str, str]:
        """Read a file and give its digests; what is no file (a link, a directory, a pipe) has none.

        Raises:
            StorageError: The system refused.
        """
        digests = Digests(algorithms)
        try:
            with self._guard:
                folder, leaf = self._folder_of(name, create=False)
                found = folder.look(leaf)
                if found is None or not stat.S_ISREG(found.st_mode):
                    return {}
                descriptor = folder.open_file(leaf)
            with open(descriptor, "rb", buffering=0) as file:
                while chunk := file.read(1 << 20):
                    digests.update(chunk)
        except OSError as error:
            raise translate_os_error(error, f"read {name}") from error
        return digests.as_hex()

    def sync_folders(self, names: Iterable[str]) -> None:
        """Force the directory entries of these final names and of their folders to stable storage, each once.

        Raises:
            StorageError: The system refused.
        """
        try:
            steps = [name.split("/")[:-1] for name in names]
            # A new folder is an entry of the one above it, up to the destination.
            for path in {"/".join([*parts[:depth], ""]) for parts in steps for depth in range(len(parts) + 1)}:
                with self._guard:
                    folder, _ = self._folder_of(path)
                    folder.sync()
        except OSError as error:
            raise translate_os_error(error, f"sync {self.path}") from error

    def close(self) -> None:
        """Remove what is private; a part that somebody left goes, too."""
        self._leave()
        for folder in self._folders.values():
            folder.close()
        self._folders.clear()
        if self._root is not None:
            self._root.close()
            self._root = None

    def _leave(self) -> None:
        if self._run is not None and self._state is not None:
            with suppress(OSError):
                _empty(self._run)
                self._state.remove_folder(self._run_name)
        if self._state is not None and self._root is not None:
            with suppress(OSError):
                self._root.remove_folder(STATE_FOLDER)
        for folder in filter(None, (self._run, self._state)):
            folder.close()
        self._state = self._run = None

    def _folder_of(self, name: str, *, create: bool = True) -> tuple[Folder, str]:
        """Walk to the folder of a final name, one open directory at a time."""
        assert self._root is not None
        *parents, leaf = name.split("/")
        key = tuple(parents)
        if not key:
            return self._root, leaf
        folder = self._folders.pop(key, None)
        if folder is None:
            folder = self._walk(key, create)
        self._folders[key] = folder
        if len(self._folders) > _OPEN_FOLDERS:
            self._folders.pop(next(iter(self._folders))).close()
        return folder, leaf

    def _walk(self, parents: tuple[str, ...], create: bool) -> Folder:
        assert self._root is not None
        folder = self._root
        for parent in parents:
            try:
                child = folder.child(parent, create=create)
            except NotADirectoryError as error:
                where = escape_text(os.path.join(folder.path, parent))
                raise make_error("name", f"{where} is a file or a link, not a folder; choose another name") from error
            finally:
                if folder is not self._root:
                    folder.close()
            folder = child
        return folder

    def _sweep(self, state: Folder) -> None:
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


def _identity_of(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino
