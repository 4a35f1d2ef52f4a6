"""The folders below the destination: gone to one open directory at a time, the latest kept open. Blocking.

All raise what the system says as `OSError`; for the words see `aioflags.destination`.
"""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Iterable

from aioflags.errors import DownloadError, make_error
from aioflags.folders import Folder
from aioflags.redact import escape_text

__all__ = ["Tree"]

_OPEN_FOLDERS = 64
_WALKED_FOLDERS = 10_000


class Tree:
    """Leads from final names to the folders that they are in.

    A final name is relative, with `/` between folders, and safe (see `aioflags.names`).

    Args:
        path: Of the destination, which is there.

    Raises:
        OSError: It cannot be opened, or is no directory.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self.root = Folder.open(path)
        self._fd = self.root.fd
        self._identity = None if self._fd is None else _identity_of(os.fstat(self._fd))
        self._folders: dict[tuple[str, ...], Folder] = {}
        self._walked: set[str] = set()
        self._was_empty: dict[str, bool] = {}
        #: Several threads publish: to be held from `folder_of` until its folder is not needed any more, or another
        #: thread closes it.
        self.guard = threading.Lock()

    def close(self) -> None:
        """Give the descriptors back."""
        for folder in self._folders.values():
            folder.close()
        self._folders.clear()
        self.root.close()
        self._fd = None

    def folder_of(self, name: str, *, create: bool = True) -> tuple[Folder, str]:
        """Give the folder of a final name, open, and the last component of the name; hold `guard`.

        Args:
            name: A final name; what ends with `/` is the folder itself.
            create: Make the folders that are not there.

        Raises:
            RefusedError: `name`: a folder of it is a file or a link.
            OSError: The system refused.
        """
        if "/" not in name:
            return self.root, name
        *parents, leaf = name.split("/")
        key = tuple(parents)
        folder = self._folders.pop(key, None)
        if folder is None:
            folder = self._walk(key, create)
        self._folders[key] = folder
        if len(self._folders) > _OPEN_FOLDERS:
            self._folders.pop(next(iter(self._folders))).close()
        return folder, leaf

    def _walk(self, parents: tuple[str, ...], create: bool) -> Folder:
        folder = self.root
        for parent in parents:
            try:
                child = folder.child(parent, create=create)
            except NotADirectoryError as error:
                where = escape_text(os.path.join(folder.path, parent))
                raise make_error("name", f"{where} is a file or a link, not a folder; choose another name") from error
            finally:
                if folder is not self.root:
                    folder.close()
            folder = child
        return folder

    def look(self, name: str) -> os.stat_result | None:
        """Describe what has this final name, without following links; `None` if nothing has.

        Raises:
            RefusedError: As for `folder_of`.
            OSError: The system refused.
        """
        try:
            with self.guard:
                folder, leaf = self.folder_of(name, create=False)
                return folder.look(leaf)
        except FileNotFoundError:
            return None

    def was_empty(self, name: str, but: str) -> bool:
        """Tell whether the folder of a final name was empty when it was asked about first, or not there.

        What has come since by other names than those that were asked about is somebody else's.

        Args:
            name: A final name.
            but: Name of an entry that does not count.
        """
        parents = name.rpartition("/")[0]
        known = self._was_empty.get(parents)
        if known is None:
            if len(self._was_empty) >= _WALKED_FOLDERS:
                self._was_empty.clear()
            known = self._was_empty[parents] = self._is_empty(name, but)
        return known

    def _is_empty(self, name: str, but: str) -> bool:
        try:
            with self.guard:
                folder, _ = self.folder_of(name, create=False)
                return folder.is_empty(but)
        except FileNotFoundError:
            return True
        except (OSError, DownloadError):
            # Whoever looks closer is told.
            return False

    def look_again(self, name: str) -> os.stat_result | None:
        """Do `look`, but in one call of the system where the folder was gone to before.

        There was no link on the way then; if there is one now, no more comes of it than a look. A finished job of a
        million items has nothing else to do.

        Raises:
            RefusedError, OSError: As `look`; `FileNotFoundError` as well.
            ValueError: It is no name: another's ledger may hold one with a NUL in it.
        """
        parents = name.rpartition("/")[0]
        if self._fd is not None and (not parents or parents in self._walked):
            return os.stat(name, dir_fd=self._fd, follow_symlinks=False)
        found = self.look(name)
        if len(self._walked) >= _WALKED_FOLDERS:
            self._walked.clear()
        self._walked.add(parents)
        return found

    def sync(self, names: Iterable[str]) -> None:
        """Force the directory entries of these final names and of their folders to stable storage, each once.

        Raises:
            RefusedError: As for `folder_of`.
            OSError: The system refused.
        """
        steps = [name.split("/")[:-1] for name in names]
        # A new folder is an entry of the one above it, up to the destination.
        for path in {"/".join([*parts[:depth], ""]) for parts in steps for depth in range(len(parts) + 1)}:
            with self.guard:
                folder, _ = self.folder_of(path)
                folder.sync()

    def check(self, names: Iterable[str]) -> None:
        """Make sure that paths still lead to the open folders; a folder that is not what it was is gone to anew.

        Args:
            names: The final names whose folders matter.

        Raises:
            OSError: The destination itself was moved or replaced.
        """
        if self._identity is not None and _identity_of(os.stat(self._path)) != self._identity:
            raise FileNotFoundError(errno.ENOENT, "the destination was moved or replaced", self._path)
        with self.guard:
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
            found = os.stat("/".join(parents[:depth]), dir_fd=self._fd, follow_symlinks=False)
            if not stat.S_ISDIR(found.st_mode):
                return None
        return _identity_of(found)


def _identity_of(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino
