"""What the hands tell the record while a file comes into being; the ledger listens, and without one nobody does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Protocol

from aioflags.items import Outcome
from aioflags.records import dataclass

__all__ = ["End", "Half", "Journal", "NoJournal", "Ready"]


@dataclass(frozen=True, slots=True)
class Half:
    """The head of a file whose transfer was cut, and what its tail has to fit.

    Args:
        part: Name of the part in the private folder.
        size: Bytes at its beginning to go on after; never more than were hashed.
        validator: Strong ETag or Last-Modified under which they came, as `If-Range` sends it.
        source: Scheme, host, port and path that they came from; a query may be a signature that changes.
        total: Bytes of the whole file, `None` where the server did not say.
        hashed: Bytes at its beginning whose digest was taken when it was last noted.
        digest: Their xxh128: if they have another now, they never reached the disk, or somebody else has changed them.

    Source: RFC 9110, section 13.1.5 (If-Range); FAULTS: resume is as safe as validator, sole owner, length and hash.
    """

    part: str
    size: int
    validator: str
    source: str
    total: int | None = None
    hashed: int = 0
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Ready:
    """A file that is whole, checked and about to appear under its final name.

    Args:
        row: Number of its item in the ledger.
        size: Bytes.
        digests: Algorithm to hexadecimal digest.
        etag: As the server sent it, `None` if it sent none.
        last_modified: Likewise.
        content_encoding: Coding in which the file was sent and is stored.
        is_synced: Its bytes have been forced to stable storage.
    """

    row: int
    size: int
    digests: Mapping[str, str] = field(default_factory=dict)
    etag: str | None = None
    last_modified: str | None = None
    content_encoding: str | None = None
    is_synced: bool = False


@dataclass(frozen=True, slots=True)
class End:
    """How an item ended.

    Args:
        row: Its number in the ledger.
        outcome: What became of it.
        has_file: A file that was there already is there as it was, if no other has been saved.
    """

    row: int
    outcome: Outcome
    has_file: bool = False


class Journal(Protocol):
    """Takes notes, from any thread; what it has returned from survives the death of this process."""

    def ready(self, files: Sequence[Ready]) -> None:
        """Note files before they appear, so that a final name can never be unknown to the next run.

        Raises:
            StorageError: They must not appear.
        """

    def half(self, row: int, half: Half | None) -> None:
        """Note the part of an item from which a later run may go on; `None`: there is none any more.

        What lies behind `half.hashed` is nobody's word: a later run cuts it off.

        Raises:
            StorageError: The record cannot be written.
        """


class NoJournal:
    """Takes no notes."""

    def ready(self, files: Sequence[Ready]) -> None:
        """See `Journal`."""

    def half(self, row: int, half: Half | None) -> None:
        """See `Journal`."""
