"""What the system says when the disk refuses, as errors of ours: whose fault it is, and what to do. Touches no file."""

from __future__ import annotations

import errno

from aioflags.errors import DownloadError, StorageError, make_error
from aioflags.redact import escape_text
from aioflags.retry import OUT_OF_RESOURCES

__all__ = [
    "LostBytesError",
    "exists_error",
    "is_destination_fault",
    "is_out_of_resources",
    "is_worth_another_file",
    "translate_os_error",
]

#: Faults of one file; any other error of the system is one of the destination, and ends the run.
_FILE_FAULTS = frozenset({errno.EFBIG, errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL, errno.EISDIR, errno.EEXIST})


class LostBytesError(OSError):
    """What was written may not have reached the disk, and to ask the system again would be answered with a lie.

    Linux tells of it once and marks the pages as clean. Source: fsyncgate, LWN 752063; FAULTS, F54.
    """


def translate_os_error(error: OSError, what: str) -> StorageError:
    """Say what the disk refused and what to do.

    Args:
        error: What the system said.
        what: What was tried, for instance `write fr.svg`.
    """
    reason = error.strerror or type(error).__name__
    advice = {
        errno.ENOSPC: "; free some space and run the same command again",
        errno.EDQUOT: "; your quota is used up",
        errno.EROFS: "; choose another destination with --dir",
        errno.EEXIST: "; it is a file, not a folder: choose another destination with --dir",
        errno.ENOTDIR: "; there is a file or a link where a folder must be: choose another destination with --dir",
        errno.EACCES: "; choose a destination that you may write to with --dir",
        errno.EFBIG: "; the file system or a limit forbids files of this size",
    }.get(error.errno or 0, "")
    return StorageError("storage", f"cannot {escape_text(what)}: {reason}{advice}", None)


def is_destination_fault(error: DownloadError) -> bool:
    """Tell whether a storage error is one of the whole destination (disk full, gone, read-only), not of one file."""
    code = _errno_of(error)
    return code is not None and code not in _FILE_FAULTS | OUT_OF_RESOURCES


def is_worth_another_file(error: DownloadError) -> bool:
    """Tell whether bytes were lost on their way to the disk that another file may keep."""
    return isinstance(error.__cause__, LostBytesError) and _errno_of(error) == errno.EIO


def is_out_of_resources(error: DownloadError) -> bool:
    """Tell whether a storage error comes of too many open files or too little memory, which other ends give back."""
    return _errno_of(error) in OUT_OF_RESOURCES


def _errno_of(error: DownloadError) -> int | None:
    cause = error.__cause__
    return cause.errno if isinstance(error, StorageError) and isinstance(cause, OSError) else None


def exists_error(name: str, *, is_file: bool = True) -> DownloadError:
    """The error for a final name that is taken by a file we do not know, or by something that is no file."""
    advice = "; use --existing skip or replace, or" if is_file else " and is no file; use another name or"
    return make_error("exists", f"{escape_text(name)} exists already{advice} another --dir")
