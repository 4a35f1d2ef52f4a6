"""Says something on standard output, for commands without a downloader; `Screen` does it for those with one."""

from __future__ import annotations

import sys
from typing import TextIO

__all__ = ["OutputError", "flush", "say"]


class OutputError(Exception):
    """Standard output cannot be written, and not because its reader wanted no more."""


def say(text: str, *, end: str = "\n", file: TextIO | None = None) -> None:
    """Print a line.

    Args:
        text: It.
        end: What comes after it.
        file: Standard output by default.

    Raises:
        OutputError: It cannot be written.
        BrokenPipeError: Its reader is gone.
    """
    try:
        print(text, end=end, file=file)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"standard output cannot be written: {error.strerror}") from error


def flush() -> None:
    """Have the system take what was said.

    Raises:
        OutputError: It does not.
        BrokenPipeError: Its reader is gone.
    """
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"standard output cannot be written: {error.strerror}") from error
