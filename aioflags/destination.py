"""The destination directory: private part files that appear whole under their final names. Blocking.

Bytes arrive in a private folder, see `aioflags.private`. A final name only ever holds a whole file, by rename.
"""

from __future__ import annotations

import itertools
import os
import secrets
import stat
import time
from collections.abc import Callable, Container, Iterable, Sequence
from contextlib import suppress

from aioflags.boot import boot_time
from aioflags.digests import Digests
from aioflags.disk_errors import exists_error, translate_os_error
from aioflags.errors import DownloadError, StorageError, UsageError
from aioflags.journal import Half
from aioflags.parts import Part, WholePart
from aioflags.private import STATE_FOLDER, PrivateFolder
from aioflags.retry import OUT_OF_RESOURCES
from aioflags.tree import Tree

__all__ = ["STATE_FOLDER", "Destination", "lag_of"]

# Seconds that the times of files may be behind the clock: Linux takes that of the last of its 100 ticks a second, and
# some file systems round down to whole seconds, or even ones.
_TICK = 0.02
_ROUNDED = 2.0


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
        self._tree: Tree | None = None
        self._is_kept = is_kept
        self._private: PrivateFolder | None = None
        # Workers in other processes, and later runs, put their parts beside ours.
        self._token = secrets.token_hex(4)
        self._numbers = itertools.count(1)
        self._lag = _TICK

    def open(self) -> None:
        """Make and lock the private folder of this run, and prove that the destination can be written.

        Raises:
            StorageError: It is a file, may not be written, is full, in use by another run, or its state folder is a
                link.
        """
        try:
            os.makedirs(self.path, exist_ok=True)
            self._tree = Tree(self.path)
            self._private = PrivateFolder(self._tree.root, is_kept=self._is_kept)
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
            self._tree = Tree(self.path)
        except OSError as error:
            raise translate_os_error(error, f"read {self.path}") from error

    def join(self, run_name: str) -> None:
        """Work in the private folder of a run that another process has opened, and will close.

        Raises:
            StorageError: It is not there.
        """
        try:
            self._tree = Tree(self.path)
            self._private = PrivateFolder(self._tree.root)
            self._private.join(run_name)
        except OSError as error:
            raise translate_os_error(error, f"use {self.path} as destination") from error

    def _probe(self) -> None:
        probe = Part(self._own.folder, f"probe-{secrets.token_hex(4)}", ())
        try:
            now = time.time()
            probe.write(b"aioflags")
            self._lag = lag_of(os.fstat(probe.fileno()), now)
            probe.close()
        finally:
            probe.discard()

    @property
    def _open_tree(self) -> Tree:
        assert self._tree is not None
        return self._tree

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

    def new_whole_part(self) -> WholePart:
        """Create a part for bytes that are all at hand.

        Raises:
            StorageError: The system refused.
        """
        try:
            return WholePart(self._own.folder, self._new_name())
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
            self._open_tree.check(names)
        except OSError as error:
            raise translate_os_error(error, f"put files into {self.path}") from error

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
        parts, tree = self._own.folder, self._open_tree
        try:
            with tree.guard:
                folder, leaf = tree.folder_of(name)
                if may_replace:
                    parts.move_over(part.part_name, folder, leaf)
                else:
                    parts.move_new(part.part_name, folder, leaf)
        except (FileExistsError, IsADirectoryError) as error:
            raise exists_error(name, is_file=isinstance(error, FileExistsError)) from error
        except OSError as error:
            raise translate_os_error(error, f"rename to {name}") from error

    def look(self, name: str) -> os.stat_result | None:
        """Describe what has this final name, without following links; `None` if nothing has."""
        try:
            return self._open_tree.look(name)
        except OSError as error:
            raise translate_os_error(error, f"look at {name}") from error

    def is_free(self, name: str) -> bool:
        """Tell without a look that nothing had a final name which was given away just now and never before.

        So it is in a folder that was empty when the run first had to do with it, but for what somebody else has put
        there since; that is found when the file is to appear, and stays.
        """
        return self._open_tree.was_empty(name, STATE_FOLDER)

    def is_left_over(self, name: str, since: float) -> bool:
        """Tell whether what has this final name got it after `since`, and before the system was started.

        Args:
            name: A final name.
            since: Seconds since the epoch.
        """
        try:
            found = self.look(name)
        except DownloadError:
            return False
        # The time of the last change of the directory entry as well, and nobody can set it.
        return found is not None and since - self._lag <= found.st_ctime < boot_time()

    def size_of(self, name: str) -> int | None:
        """Tell the size in bytes of the file of this final name; `None` if there is none, or nobody can tell."""
        try:
            found = self._open_tree.look_again(name)
        except (OSError, ValueError, DownloadError):
            return None
        return found.st_size if found is not None and stat.S_ISREG(found.st_mode) else None

    def digest(self, name: str, algorithms: Sequence[str]) -> dict[str, str]:
        """Read a file and give its digests; what is no file (a link, a directory, a pipe) has none.

        Raises:
            StorageError: The system refused.
        """
        digests = Digests(algorithms)
        try:
            with self._open_tree.guard:
                folder, leaf = self._open_tree.folder_of(name, create=False)
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
            self._open_tree.sync(names)
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
        if self._tree is not None:
            self._tree.close()
            self._tree = None


def lag_of(found: os.stat_result, now: float) -> float:
    """Tell by how many seconds times of files may be behind the clock, from one that was written to just after `now`.

    A file server may have a clock of its own.
    """
    tick = _TICK if found.st_ctime_ns % 1_000_000_000 else _ROUNDED
    return tick + max(0.0, now - found.st_ctime)
