"""The destination directory: private part files that appear whole under their final names. Blocking.

Bytes arrive in a private folder, see `aioflags.private`. A final name only ever holds a whole file, by rename.
"""

from __future__ import annotations

import errno
import itertools
import os
import secrets
import stat
import threading
from collections.abc import Callable, Container, Iterable, Sequence
from contextlib import suppress

from aioflags.boot import boot_time
from aioflags.digests import Digests
from aioflags.disk_errors import exists_error, translate_os_error
from aioflags.errors import DownloadError, StorageError, UsageError, make_error
from aioflags.folders import Folder
from aioflags.journal import Half
from aioflags.parts import Part, WholePart
from aioflags.private import STATE_FOLDER, PrivateFolder
from aioflags.redact import escape_text
from aioflags.retry import OUT_OF_RESOURCES

__all__ = ["STATE_FOLDER", "Destination"]

_OPEN_FOLDERS = 64
_WALKED_FOLDERS = 10_000


class Destination:
    """A directory that files appear in.

    Args:
        directory: Where; made if it is not there, when `open` is called.
        is_kept: A ledger is kept there: one run at a time, and parts stay for the next.

    Raises:
        UsageError: No directory can have this path.
    """

    def __init__(self, directory: str | os.PathLike[str], *, is_kept: bool = False) -> None:
        self.path = os.path.abspath(os.fsdecode(directory))
        if "\0" in self.path:
            raise UsageError("the path of the destination holds a null character")
        self._folders: dict[tuple[str, ...], Folder] = {}
        self._walked: set[str] = set()
        self._root: Folder | None = None
        self._root_fd: int | None = None
        self._identity: tuple[int, int] | None = None
        self._is_kept = is_kept
        self._private: PrivateFolder | None = None
        # Workers in other processes, and later runs, put their parts beside ours.
        self._token = secrets.token_hex(4)
        self._numbers = itertools.count(1)
        # Several threads publish; a directory must not be closed while another thread steps from it.
        self._guard = threading.Lock()

    def open(self) -> None:
        """Make and lock the private folder of this run, and prove that the destination can be written.

        Raises:
            StorageError: It is a file, may not be written, is full, in use by another run, or its state folder is a
                link.
        """
        try:
            os.makedirs(self.path, exist_ok=True)
            self._root = self._open_root()
            self._private = PrivateFolder(self._root, is_kept=self._is_kept)
            self._private.enter()
            self._probe()
        except OSError as error:
            self.close()
            raise translate_os_error(error, f"use {self.path} as destination") from error
        except StorageError:
            self.close()
            raise

    def open_for_reading(self) -> None:
        """Look at what is there, and make or lock nothing.

        Raises:
            StorageError: It is not there, or no directory.
        """
        try:
            self._root = self._open_root()
        except OSError as error:
            raise translate_os_error(error, f"read {self.path}") from error

    def _open_root(self) -> Folder:
        root = Folder.open(self.path)
        self._root_fd = root.fd
        self._identity = None if root.fd is None else _identity_of(os.fstat(root.fd))
        return root

    def join(self, run_name: str) -> None:
        """Work in the private folder of a run that another process has opened, and will close.

        Raises:
            StorageError: It is not there.
        """
        try:
            self._root = self._open_root()
            self._private = PrivateFolder(self._root)
            self._private.join(run_name)
        except OSError as error:
            raise translate_os_error(error, f"use {self.path} as destination") from error

    def _probe(self) -> None:
        probe = Part(self._own.folder, f"probe-{secrets.token_hex(4)}", ())
        try:
            probe.write(b"aioflags")
            probe.close()
        finally:
            probe.discard()

    @property
    def _own(self) -> PrivateFolder:
        assert self._private is not None
        return self._private

    @property
    def run_name(self) -> str:
        """Name of the private folder of this run."""
        return self._own.name

    @property
    def run_path(self) -> str:
        """Path of the private folder of this run."""
        return self._own.folder.path

    @property
    def state_path(self) -> str:
        """Path of the folder that private folders and the ledger are in."""
        return self._own.state_path

    def new_part(self, algorithms: Iterable[str] = ()) -> Part:
        """Create a part.

        Raises:
            StorageError: The system refused.
        """
        try:
            return Part(self._own.folder, self._new_name(), algorithms)
        except OSError as error:
            raise translate_os_error(error, f"create a file in {self.path}") from error

    def new_whole_part(self, algorithms: Iterable[str] = ()) -> WholePart:
        """Create a part for bytes that are all at hand.

        Raises:
            StorageError: The system refused.
        """
        try:
            return WholePart(self._own.folder, self._new_name(), algorithms)
        except OSError as error:
            raise translate_os_error(error, f"create a file in {self.path}") from error

    def _new_name(self) -> str:
        return f"{next(self._numbers):x}-{self._token}.part"

    def open_part(self, half: Half, algorithms: Iterable[str], check: Callable[[], None] = lambda: None) -> Part | None:
        """Open a part to go on after `half`; `None` if it is not fit for that. See `Part.reopen`.

        Raises:
            StorageError: There are too many open files; the part may be as good as ever.
        """
        try:
            return Part.reopen(self._own.folder, half, algorithms, check)
        except OSError as error:
            if error.errno not in OUT_OF_RESOURCES:
                return None
            raise translate_os_error(error, f"go on with a file in {self.path}") from error

    def remove_part(self, name: str) -> None:
        """Remove a part; it is no error if it is gone or cannot be removed."""
        with suppress(OSError):
            self._own.folder.clear(name)

    def check_place(self, names: Iterable[str]) -> None:
        """Make sure that paths still lead to the open folders: one that was renamed takes files that nobody finds.

        To be called before files appear, once for all that do so together. A folder of theirs that is not what it was
        is walked to anew; the destination itself must not change.

        Args:
            names: Their final names.

        Raises:
            StorageError: The destination was moved or replaced.
        """
        try:
            if self._identity is not None and _identity_of(os.stat(self.path)) != self._identity:
                raise FileNotFoundError(errno.ENOENT, "the destination was moved or replaced", self.path)
        except OSError as error:
            raise translate_os_error(error, f"put files into {self.path}") from error
        with self._guard:
            for parents in {name.rpartition("/")[0] for name in names}:
                self._check_folder(parents)

    def _check_folder(self, parents: str) -> None:
        key = tuple(parents.split("/"))
        folder = self._folders.get(key)
        if folder is None or folder.fd is None:
            return
        try:
            is_there = self._identity_at(key) == _identity_of(os.fstat(folder.fd))
        except OSError:
            is_there = False
        if not is_there:
            del self._folders[key]
            folder.close()

    def _identity_at(self, parents: tuple[str, ...]) -> tuple[int, int] | None:
        """Tell which folder a path leads to; `None` if a link is on the way, or something else that is no folder."""
        for depth in range(1, len(parents) + 1):
            found = os.stat("/".join(parents[:depth]), dir_fd=self._root_fd, follow_symlinks=False)
            if not stat.S_ISDIR(found.st_mode):
                return None
        return _identity_of(found)

    def publish(self, part: Part | WholePart, name: str, *, may_replace: bool) -> None:
        """Let a closed part appear under its final name.

        Args:
            part: Whole, checked and closed; its error at close has counted.
            name: Relative, `/` between folders, safe (see `aioflags.names`).
            may_replace: Replace a file or link of that name.

        Raises:
            RefusedError: `exists`: the name is taken. `name`: a folder of it is a file or a link.
            StorageError: The system refused.
        """
        folder = self._own.folder
        move = folder.move_over if may_replace else folder.move_new
        try:
            with self._guard:
                move(part.part_name, *self._folder_of(name))
        except (FileExistsError, IsADirectoryError) as error:
            raise exists_error(name, is_file=isinstance(error, FileExistsError)) from error
        except OSError as error:
            raise translate_os_error(error, f"rename to {name}") from error

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

    def is_older(self, name: str) -> bool:
        """Tell whether what has this final name was there, and under it, before the system was started."""
        try:
            found = self.look(name)
        except DownloadError:
            return False
        # The time of the last change of the directory entry as well, and nobody can set it.
        return found is not None and found.st_ctime < boot_time()

    def size_of(self, name: str) -> int | None:
        """Tell the size in bytes of the file of this final name; `None` if there is none, or nobody can tell."""
        assert self._root is not None
        parents = name.rpartition("/")[0]
        try:
            if self._root_fd is None or (parents and parents not in self._walked):
                found = self.look(name)
                self._note_walk(parents)
            else:
                # A finished job of a million items has nothing else to do.
                found = os.stat(name, dir_fd=self._root_fd, follow_symlinks=False)
        except (OSError, ValueError, DownloadError):
            # Another's ledger may hold a name with a NUL in it.
            return None
        return found.st_size if found is not None and stat.S_ISREG(found.st_mode) else None

    def _note_walk(self, parents: str) -> None:
        """There is no link on the way to these folders, and it need not be gone step by step only to look there."""
        if len(self._walked) >= _WALKED_FOLDERS:
            self._walked.clear()
        self._walked.add(parents)

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

    def part_size(self, part_name: str) -> int | None:
        """Tell the size in bytes of a part; `None` if there is no such file, or nobody can tell."""
        try:
            found = self._own.folder.look(part_name)
        except OSError:
            return None
        return found.st_size if found is not None and stat.S_ISREG(found.st_mode) else None

    def sweep_parts(self, kept: Container[str]) -> None:
        """Remove what earlier runs left in the private folder, but for the parts whose names are in `kept`.

        Raises:
            StorageError: The system refused.
        """
        try:
            self._own.sweep(kept)
        except OSError as error:
            raise translate_os_error(error, f"use {self.path} as destination") from error

    def close(self) -> None:
        """Remove what is private and not to be kept."""
        if self._private is not None:
            self._private.leave()
        for folder in self._folders.values():
            folder.close()
        self._folders.clear()
        if self._root is not None:
            self._root.close()
            self._root = self._root_fd = None

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


def _identity_of(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino
