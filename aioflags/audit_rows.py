"""What people are told of a row of a ledger: the item that was asked for, its outcome, its file. Touches nothing.

A ledger lies in a directory that others may have given to us, and a column holds what its writer has put there: what
is not of its kind is taken for nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Self

from aioflags.errors import KINDS, UsageError, make_error
from aioflags.items import Item, Outcome, Rejected, Status
from aioflags.ledger_rows import State, read_asked, read_digests
from aioflags.names import is_safe_name
from aioflags.records import dataclass
from aioflags.settings import check_checksum

__all__ = ["AuditRow", "FileRow", "as_number", "as_text"]

_STATUSES = {State.DONE: Status.SAVED, State.MISSING: Status.MISSING}


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file that is done, according to the ledger.

    Args:
        row: Number of its item.
        url: Of its item.
        name: Where it is; empty if that can be no name of ours.
        size: Bytes.
        digests: Algorithm to hexadecimal digest, as far as they can be computed.
        is_distrusted: It was found wrong before, and not fetched again yet.
    """

    row: int
    url: str
    name: str
    size: int
    digests: Mapping[str, str] = field(default_factory=dict)
    is_distrusted: bool = False


@dataclass(frozen=True, slots=True)
class AuditRow:
    """A row of the items, each value of its kind or `None`; the fields are columns, in this order."""

    id: int
    url: str
    wish: str | None
    asked: str | None
    state: State
    name: str | None
    size: int
    digests: str | None
    http_status: int | None
    attempts: int
    content_encoding: str | None
    kind: str | None
    message: str | None
    host: str | None

    @classmethod
    def read(cls, values: tuple[Any, ...]) -> Self:
        """Take the columns of a row whose state is a known one."""
        number, url, wish, asked, state, name, size, digests, http_status, attempts, *texts = values
        return cls(
            number,
            as_text(url) or "",
            as_text(wish),
            as_text(asked),
            State(state),
            name if is_safe_name(name) else None,
            as_number(size) or 0,
            as_text(digests),
            as_number(http_status),
            as_number(attempts) or 0,
            *map(as_text, texts),
        )

    @property
    def was_tried(self) -> bool:
        """A run has come to an end with it."""
        return self.state not in {State.WANTED, State.READY}

    def as_entry(self) -> Item | Rejected:
        """Give the item as it was asked for; what could be none then can be none now."""
        if self.name is None and self.wish is None and self.kind in KINDS:
            return Rejected(self.url, make_error(self.kind, self.message or "", self.host))
        asked: dict[str, Any] = read_asked(self.asked)
        try:
            return Item(self.url, name=self.wish, **asked)
        except (UsageError, TypeError, AttributeError):
            error = make_error("url", "the ledger holds what can be no item; give the list again")
            return Rejected(self.url, error)

    def as_outcome(self) -> Outcome:
        """Give what became of the item; one that was not tried has failed without an error."""
        is_done = self.state == State.DONE
        has_error = self.was_tried and not is_done and self.kind in KINDS
        return Outcome(
            self.url,
            _STATUSES.get(self.state, Status.FAILED),
            path=self.name if is_done else None,
            bytes=self.size if is_done else 0,
            digests=_computable(self.digests) if is_done else {},
            http_status=self.http_status,
            attempts=self.attempts,
            content_encoding=self.content_encoding if is_done else None,
            error=make_error(self.kind or "", self.message or "", self.host) if has_error else None,
        )

    def as_file(self) -> FileRow:
        """Give the file of the item."""
        is_distrusted = self.state == State.WRONG
        return FileRow(self.id, self.url, self.name or "", self.size, _computable(self.digests), is_distrusted)


def as_text(value: object) -> str | None:
    """Give a text, `None` for anything else."""
    return value if isinstance(value, str) else None


def as_number(value: object) -> int | None:
    """Give a whole number of at least 0, `None` for anything else."""
    return value if isinstance(value, int) and value >= 0 else None


def _computable(text: str | None) -> dict[str, str]:
    """Give the digests that can be computed."""
    found = {}
    for name, digest in read_digests(text).items():
        try:
            if name != "xxh128":
                check_checksum(f"{name}:{digest}")
        except UsageError:
            continue
        found[name] = digest
    return found
