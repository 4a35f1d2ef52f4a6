"""Files read again and held against what the ledger says of them. Blocking, several files at once; changes nothing."""

from __future__ import annotations

import stat
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future
from enum import StrEnum

from aioflags.audit import Audit
from aioflags.audit_rows import FileRow
from aioflags.destination import Destination
from aioflags.disk_errors import is_out_of_resources
from aioflags.errors import DownloadError, make_error
from aioflags.records import dataclass
from aioflags.threads import Threads

__all__ = ["Fault", "Finding", "inspect"]

# Reading lets go of the interpreter, and so does hashing; small files pay for more threads than that (two cores,
# 80,000 files of 1 kB: 2.5 s with one thread, 2.1 with two, 2.3 with four, 3.1 with eight). A slow disk wants some.
_THREADS = 4
_AHEAD = 64


class Fault(StrEnum):
    """What is wrong with a file."""

    WRONG = "wrong"
    GONE = "gone"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Finding:
    """A file, and what is wrong with it if it is not what was fetched.

    Args:
        row: What the ledger says.
        fault: What is wrong, `None` for nothing.
        error: The same in words.
    """

    row: FileRow
    fault: Fault | None = None
    error: DownloadError | None = None

    @property
    def is_to_be_fetched(self) -> bool:
        """Another copy would be better; not so where only this moment is bad."""
        return self.error is not None and not is_out_of_resources(self.error)


def inspect(
    destination: Destination, audit: Audit, on_wait: Callable[[], None] = lambda: None, interval: float = 5.0
) -> Generator[Finding, None, None]:
    """Compare all files that are done, in the order of the ledger, some ahead of the one that is given.

    When whoever takes the findings stops, what is being read is left alone with it; nobody waits.

    Args:
        destination: Open, at least for reading.
        audit: Its ledger.
        on_wait: Called whenever a finding is waited for longer than `interval`.
        interval: Seconds.

    Raises:
        StorageError: The ledger cannot be read.
    """
    executor = Threads(_THREADS, thread_name_prefix="aioflags-verify")
    ahead: deque[Future[Finding]] = deque()

    def take() -> Iterator[Finding]:
        future = ahead.popleft()
        while not future.done():
            try:
                future.result(interval)
            except TimeoutError:
                on_wait()
        yield from _confirm(destination, audit, future.result())

    try:
        for rows in audit.files():
            for row in rows:
                ahead.append(executor.submit(_compare, destination, row))
                if len(ahead) >= _AHEAD:
                    yield from take()
        while ahead:
            yield from take()
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


def _confirm(destination: Destination, audit: Audit, finding: Finding) -> Iterator[Finding]:
    """Look at the ledger again before a file is said to be wrong: a run may have replaced it meanwhile."""
    while finding.error is not None:
        now = audit.file(finding.row.row)
        if now is None:
            return
        if now == finding.row:
            break
        finding = _compare(destination, now)
    yield finding


def _compare(destination: Destination, row: FileRow) -> Finding:
    if not row.name:
        return _wrong(row, "the ledger gives it a name that no file may have")
    if row.is_distrusted:
        return _wrong(row, "it was found wrong or gone before, and is not fetched again yet")
    try:
        found = destination.look(row.name)
        if found is None:
            return _gone(row, "there is no such file any more")
        if not stat.S_ISREG(found.st_mode):
            return _gone(row, "there is something of its name that is no file")
        if found.st_size != row.size:
            return _wrong(row, f"it has {found.st_size} bytes, {row.size} were fetched")
        if not row.digests:
            return Finding(row)
        digests = destination.digest(row.name, [name for name in row.digests if name != "xxh128"])
    except DownloadError as error:
        if error.kind == "name":
            return _gone(row, error.message)
        return Finding(row, Fault.UNREADABLE, error)
    different = [name for name, digest in row.digests.items() if digests.get(name) != digest]
    return _wrong(row, f"its {different[0]} is not that of what was fetched") if different else Finding(row)


def _wrong(row: FileRow, message: str) -> Finding:
    return Finding(row, Fault.WRONG, make_error("checksum", message))


def _gone(row: FileRow, message: str) -> Finding:
    return Finding(row, Fault.GONE, make_error("storage", message))
