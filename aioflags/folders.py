"""Open directories: every step below the destination is taken from a directory that is already open, never through a
symbolic link. Blocking; knows nothing of downloads.

Where the system has no calls relative to a directory (Windows), the same steps go by path and look for links first.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress

__all__ = ["Folder"]

_HAS_DIR_FD = {os.open, os.mkdir, os.stat, os.link, os.unlink, os.rename, os.rmdir} <= os.supports_dir_fd
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_CLOSE_ON_EXEC = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOINHERIT", 0) | getattr(os, "O_BINARY", 0)
_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | _NO_FOLLOW | _CLOSE_ON_EXEC
# A pipe must not be waited for.
_NO_WAIT = getattr(os, "O_NONBLOCK", 0)
# A name may come from a ledger that a stranger has written.
_NO_COMPONENTS = {"", os.curdir, os.pardir}
# Of Windows, besides the slash.
_BACKSLASH = os.sep if os.sep != "/" else None
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK}


class Folder:
    """One directory, kept open. All names are single components, else `OSError` with `EINVAL` is raised; any other as
    the system gives it.

    Args:
        path: Where it is; used by itself only where the system has no calls relative to a directory.
        fd: Its descriptor, owned from now on; `None` where the system cannot open directories.
    """

    __slots__ = ("_fd", "path")

    def __init__(self, path: str, fd: int | None) -> None:
        self.path = path
        self._fd = fd

    @classmethod
    def open(cls, path: str) -> Folder:
        """Open the directory that the user named; this one may be a link, it is the user's own word."""
        if not _HAS_DIR_FD:
            if not stat.S_ISDIR(os.stat(path).st_mode):
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
            return cls(path, None)
        return cls(path, os.open(path, os.O_RDONLY | os.O_DIRECTORY | _CLOSE_ON_EXEC))

    def close(self) -> None:
        """Give the descriptor back; the directory stays."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    @property
    def fd(self) -> int | None:
        """The descriptor, `None` where the system cannot open directories."""
        return self._fd

    def _at(self, name: str) -> str:
        if "/" in name or name in _NO_COMPONENTS or (_BACKSLASH is not None and _BACKSLASH in name):
            raise OSError(errno.EINVAL, "is no name inside a folder", name)
        return name if self._fd is not None else os.path.join(self.path, name)

    def child(self, name: str, *, create: bool = False, mode: int = 0o777) -> Folder:
        """Open a directory inside this one; `create` makes it if it is not there.

        Raises:
            NotADirectoryError: It is a file or a symbolic link.
        """
        place = self._at(name)
        if create:
            with suppress(FileExistsError):
                os.mkdir(place, mode, dir_fd=self._fd)
        path = os.path.join(self.path, name)
        if self._fd is None:
            if not stat.S_ISDIR(os.lstat(path).st_mode):
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
            return Folder(path, None)
        flags = os.O_RDONLY | os.O_DIRECTORY | _NO_FOLLOW | _CLOSE_ON_EXEC
        try:
            return Folder(path, os.open(place, flags, dir_fd=self._fd))
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise NotADirectoryError(errno.ENOTDIR, "is a symbolic link", path) from error
            raise

    def create_file(self, name: str) -> int:
        """Create a file that was not there, readable and writable as the umask says; returns its descriptor."""
        return os.open(self._at(name), _CREATE, 0o666, dir_fd=self._fd)

    def open_note(self, name: str) -> int:
        """Open a file for reading and writing, made for us alone if it is not there, never through a link."""
        flags = os.O_RDWR | os.O_CREAT | _NO_FOLLOW | _NO_WAIT | _CLOSE_ON_EXEC
        return os.open(self._at(name), flags, 0o600, dir_fd=self._fd)

    def open_part(self, name: str) -> int:
        """Open a file that is there for reading and writing, never through a link; returns its descriptor."""
        return os.open(self._at(name), os.O_RDWR | _NO_FOLLOW | _NO_WAIT | _CLOSE_ON_EXEC, dir_fd=self._fd)

    def open_file(self, name: str) -> int:
        """Open a file for reading, never through a link; returns its descriptor."""
        return os.open(self._at(name), os.O_RDONLY | _NO_FOLLOW | _NO_WAIT | _CLOSE_ON_EXEC, dir_fd=self._fd)

    def look(self, name: str) -> os.stat_result | None:
        """Describe an entry without following links; `None` if there is none."""
        try:
            return os.stat(self._at(name), dir_fd=self._fd, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def move_new(self, name: str, to: Folder, new_name: str) -> None:
        """Move a file to a name that is free.

        Raises:
            FileExistsError: It is not free; nothing has changed.
        """
        source, goal = self._at(name), to._at(new_name)
        if self._fd is None:
            os.rename(source, goal)  # Windows refuses to overwrite
            return
        try:
            os.link(source, goal, src_dir_fd=self._fd, dst_dir_fd=to._fd, follow_symlinks=False)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            # A file system without hard links: a look and a rename are the best there is.
            if to.look(new_name) is not None:
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), goal) from error
            os.rename(source, goal, src_dir_fd=self._fd, dst_dir_fd=to._fd)
            return
        try:
            os.unlink(source, dir_fd=self._fd)
        except OSError:
            # It has its new name; the old one is swept with the rest. `suppress` would cost a tenth of the call.
            return

    def move_over(self, name: str, to: Folder, new_name: str) -> None:
        """Move a file to a name, replacing the file or link that has it; a directory is not replaced."""
        os.replace(self._at(name), to._at(new_name), src_dir_fd=self._fd, dst_dir_fd=to._fd)

    def remove(self, name: str) -> None:
        """Remove a file; it is no error if it is gone."""
        with suppress(FileNotFoundError):
            os.unlink(self._at(name), dir_fd=self._fd)

    def clear(self, name: str) -> None:
        """Remove what has this name, be it a link or an empty directory; what is in another one is somebody's."""
        found = self.look(name)
        if found is not None and stat.S_ISDIR(found.st_mode):
            self.remove_folder(name)
        else:
            self.remove(name)

    def holds_file(self, name: str) -> bool:
        """Tell whether a file has this name, not a link, a directory or a pipe."""
        found = self.look(name)
        return found is not None and stat.S_ISREG(found.st_mode)

    def remove_folder(self, name: str) -> None:
        """Remove an empty directory."""
        os.rmdir(self._at(name), dir_fd=self._fd)

    def names(self) -> list[str]:
        """List the entries."""
        return os.listdir(self.path if self._fd is None else self._fd)

    def is_empty(self, but: str) -> bool:
        """Tell whether nothing is there, or only an entry of the name `but`."""
        with os.scandir(self.path if self._fd is None else self._fd) as entries:
            return all(entry.name == but for entry in entries)

    def sync(self) -> None:
        """Force the directory's entries to stable storage, where the system can."""
        if self._fd is not None:
            os.fsync(self._fd)
