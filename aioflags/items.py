"""What goes in and what comes out: items, outcomes, the report. Frozen, plain data that crosses process boundaries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import field
from enum import StrEnum
from operator import attrgetter
from typing import Any

from aioflags.errors import DownloadError, UsageError
from aioflags.records import dataclass
from aioflags.redact import redact_url
from aioflags.settings import check_checksum, check_header_field

__all__ = ["Item", "Outcome", "Rejected", "Report", "Status", "Tally"]


class Status(StrEnum):
    """What became of an item."""

    SAVED = "saved"
    PRESENT = "present"
    MISSING = "missing"
    FAILED = "failed"
    DUPLICATE = "duplicate"

    # That of its text, which it is equal to; an Enum's own is Python code, run twice for each outcome that is counted.
    __hash__ = str.__hash__


@dataclass(frozen=True, slots=True)
class Item:
    """One file that is wanted.

    Args:
        url: An http or https URL, sent as it is given.
        name: File name below the destination, `/` between folders; default: the last path segment of the URL.
        sha256: Hexadecimal digest that the content must have.
        bytes: Size in bytes that the content must have.
        headers: Request headers for this item only, sent to its own origin only.
        checksum: `ALGO:HEX`, like `sha256` for any fixed-length algorithm of hashlib.
        line: Number of the line of the list that the item comes from, for the record; 1 is the first.

    Raises:
        UsageError: A digest, size or header can be no such thing. Whether URL and name can be used shows later, in
            the outcome.
    """

    url: str
    name: str | None = None
    sha256: str | None = None
    bytes: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    checksum: str | None = None
    line: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.url, str) or not (self.name is None or isinstance(self.name, str)):
            raise UsageError("url and name of an item must be str")
        if self.sha256 is None and self.checksum is None and self.bytes is None and not self.headers:
            # Most items are like that, and a list that is run again has nothing else to wait for.
            if self.headers.__class__ is not dict:
                _need_mapping(self.headers)
            return
        for text in self.checksums:
            check_checksum(text)
        size = self.bytes
        if size is not None and (not isinstance(size, int) or isinstance(size, bool) or size < 0):
            raise UsageError("bytes of an item must be a whole number of at least 0")
        _need_mapping(self.headers)
        for name, value in self.headers.items():
            check_header_field(name, value)

    @property
    def checksums(self) -> tuple[str, ...]:
        """The digests that the content must have, as `ALGO:HEX`."""
        others = () if self.checksum is None else (self.checksum,)
        return others if self.sha256 is None else (f"sha256:{self.sha256}", *others)

    def __repr__(self) -> str:
        name = f", name={self.name!r}" if self.name is not None else ""
        return f"Item({redact_url(self.url)!r}{name})"


def _need_mapping(headers: object) -> None:
    if not isinstance(headers, Mapping):
        raise UsageError("headers of an item must be a mapping of names to values")


@dataclass(frozen=True, slots=True)
class Rejected:
    """A line of a list that cannot become an item; it still yields its one outcome.

    Args:
        url: What stood in place of the URL, for the record.
        error: What is wrong with the line.
        line: Its number; 1 is the first.
    """

    url: str
    error: DownloadError
    line: int | None = None

    def __repr__(self) -> str:
        return f"Rejected({redact_url(self.url)!r}, error={self.error}, line={self.line})"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one item ended. Failure is data: see `status` and `error`.

    Args:
        url: The URL as it was given; `as_record` and `repr` redact its secrets.
        status: What became of the item.
        path: The file, relative to the destination, `/` between folders; `None` if there is no file.
        bytes: Size of the file in bytes; 0 if there is none.
        digests: Algorithm to hexadecimal digest; `xxh128` always for a saved file.
        http_status: Final HTTP status, `None` if no answer came.
        attempts: HTTP requests that were started.
        resumed_from: Offset in bytes at which the last request continued an earlier part; 0 for a whole one.
        content_encoding: The coding in which the file was sent and is stored, if any.
        elapsed: Seconds from the start of the first attempt to the end, waits between attempts included.
        error: Why it failed, `None` if it did not.
        line: Line of the list that the item came from, if any.
    """

    url: str
    status: Status
    path: str | None = None
    bytes: int = 0
    digests: Mapping[str, str] = field(default_factory=dict)
    http_status: int | None = None
    attempts: int = 0
    resumed_from: int = 0
    content_encoding: str | None = None
    elapsed: float = 0.0
    error: DownloadError | None = None
    line: int | None = None

    def as_record(self) -> dict[str, Any]:
        """Give the outcome as the JSON object of the command line, secrets redacted."""
        error = self.error
        return {
            "type": "outcome",
            "url": redact_url(self.url),
            "path": self.path,
            "status": self.status.value,
            "bytes": self.bytes,
            "digests": dict(self.digests),
            "http_status": self.http_status,
            "attempts": self.attempts,
            "resumed_from": self.resumed_from,
            "content_encoding": self.content_encoding,
            "elapsed": round(self.elapsed, 6),
            "error": error and {"kind": error.kind, "message": error.message, "host": error.host},
            "line": self.line,
        }

    def __repr__(self) -> str:
        error = f", error={self.error}" if self.error else ""
        return f"Outcome({redact_url(self.url)!r}, {self.status.value}, path={self.path!r}{error})"


_STATUS_OF = attrgetter("status")


class Tally:
    """Counts outcomes as they come, without keeping them."""

    __slots__ = ("bytes", "errors", "items", "statuses")

    def __init__(self) -> None:
        self.items = 0
        self.bytes = 0
        self.statuses: Counter[Status] = Counter()
        self.errors: Counter[str] = Counter()

    def add(self, outcome: Outcome) -> None:
        """Count one outcome."""
        self.add_all((outcome,))

    def add_all(self, outcomes: Collection[Outcome]) -> None:
        """Count some outcomes. `bytes` counts what was fetched now, not what was there."""
        self.items += len(outcomes)
        self.statuses.update(map(_STATUS_OF, outcomes))
        self.bytes += sum(outcome.bytes for outcome in outcomes if outcome.status is Status.SAVED)
        self.errors.update(outcome.error.kind for outcome in outcomes if outcome.error is not None)

    @property
    def is_clean(self) -> bool:
        """No item failed or is missing."""
        return not (self.statuses[Status.FAILED] or self.statuses[Status.MISSING])

    def as_record(self, elapsed: float) -> dict[str, Any]:
        """Give the summary as the JSON object of the command line; `elapsed` in seconds."""
        return {
            "type": "summary",
            "items": self.items,
            **{status.value: self.statuses[status] for status in Status},
            "bytes": self.bytes,
            "elapsed": round(elapsed, 6),
            "errors": dict(self.errors),
        }


@dataclass(frozen=True, slots=True)
class Report:
    """All outcomes of `download_many`, in order of completion.

    Args:
        outcomes: One for each item of the input.
        elapsed: Seconds that the whole job took.
    """

    outcomes: tuple[Outcome, ...]
    elapsed: float = 0.0

    def __iter__(self) -> Iterator[Outcome]:
        return iter(self.outcomes)

    def __len__(self) -> int:
        return len(self.outcomes)

    def __repr__(self) -> str:
        counts = self.summary
        parts = ", ".join(f"{counts[status.value]} {status.value}" for status in Status if counts[status.value])
        return f"Report({len(self)} items: {parts or 'none'})"

    @property
    def failures(self) -> tuple[Outcome, ...]:
        """The outcomes that are failed or missing."""
        return tuple(o for o in self.outcomes if o.status in {Status.FAILED, Status.MISSING})

    @property
    def summary(self) -> dict[str, Any]:
        """Counts, bytes, seconds and errors by kind, as in the summary record of the command line."""
        tally = Tally()
        tally.add_all(self.outcomes)
        return tally.as_record(self.elapsed)

    def raise_for_failures(self) -> None:
        """Raise one error for all failed and missing items; do nothing if there is none.

        Raises:
            ExceptionGroup: Its members are the `DownloadError` of each of them.
        """
        errors = [outcome.error for outcome in self.failures if outcome.error is not None]
        if errors:
            raise ExceptionGroup(f"{len(errors)} of {len(self)} items failed", errors)
