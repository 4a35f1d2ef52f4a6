"""Turns at something that several processes write to, one at a time. Blocking; for one thread of a process at a time.

SQLite has locks of its own, but whoever waits for one sleeps and looks again, at last ten times a second: that was a
seventh of the time that two workers took. For its turn a process waits in the system, which wakes it at once.
"""

from __future__ import annotations

import os
from contextlib import suppress

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

__all__ = ["Turns"]


class Turns:
    """A context manager: inside it is our turn.

    Time may depend on it, and nothing else: where the system or the file system has no such locks, nobody waits. A
    process that dies has given its turn up; one that waits for something else in its turn has the others wait, too.

    Args:
        folder: Path of a folder that all of them know, and that nobody locks for anything else; `None` if there are no
            others.

    Raises:
        OSError: It cannot be opened.
    """

    def __init__(self, folder: str | None) -> None:
        self._fd = None if fcntl is None or folder is None else os.open(folder, os.O_RDONLY)

    def close(self) -> None:
        """Take no more turns."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def take(self) -> None:
        """Wait until it is our turn."""
        if self._fd is not None:
            with suppress(OSError):
                fcntl.flock(self._fd, fcntl.LOCK_EX)

    def give_up(self) -> None:
        """Let others have theirs; it is no error if it is not ours."""
        if self._fd is not None:
            with suppress(OSError):
                fcntl.flock(self._fd, fcntl.LOCK_UN)

    def __enter__(self) -> None:
        self.take()

    def __exit__(self, *_: object) -> None:
        self.give_up()
