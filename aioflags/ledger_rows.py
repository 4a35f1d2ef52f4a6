"""What a row of the ledger holds, and how it is written down. Knows no database."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import IntEnum
from functools import lru_cache
from hashlib import algorithms_available, blake2b

from aioflags.errors import DownloadError
from aioflags.items import Item
from aioflags.names import name_from_url
from aioflags.records import dataclass

__all__ = [
    "DONE",
    "NOT_AS_IT_WAS",
    "READY",
    "WANTED",
    "Known",
    "NameKey",
    "Row",
    "State",
    "key_of",
    "name_key_of",
    "plain_error",
    "read_asked",
    "read_digests",
    "storable",
    "twin_key_of",
    "wish_of",
    "write_asked",
    "write_digests",
]


_ALGORITHMS = frozenset({"xxh128", *(name for name in algorithms_available if not name.startswith("shake"))})


# Characters; a name that is longer than that is often a digest itself, and in no order.
_LONGEST_END = 24

#: Of a name that is taken: itself, or its digest.
NameKey = str | bytearray

#: What is said of a file that was found changed or gone, as long as nothing else was tried.
NOT_AS_IT_WAS = "the file is not what it was"


class State(IntEnum):
    """What is known of an item's file."""

    WANTED = 0
    #: Whole, and about to have its final name: it has it, or the run died just before.
    READY = 1
    DONE = 2
    FAILED = 3
    MISSING = 4
    #: Was done, but its file is not what it was any more; to be fetched again.
    WRONG = 5
    #: Done, and its file is as it came; asking whether it has changed since has failed.
    STALE = 6


#: For statements that come once for each item: `sqlite3` looks for an adapter for what is not exactly an `int`, which
#: takes as long as the rest of a column; for `None` as well, and so they take an empty text for it.
WANTED, READY, DONE = int(State.WANTED), int(State.READY), int(State.DONE)


@dataclass(slots=True)
class Row:
    """What the ledger knows of one item.

    Args:
        id: Its number.
        name: Final name of its file; `None` if it never had one.
        state: A `State`: what is known of the file.
        was_there: Something had this name already when it was given away.
        is_ours: The file of this name was put there by us.
        size: Bytes of the file, if it is done or ready.
        digests: Likewise, as text.
        etag: Of the answer that it came with.
        last_modified: Likewise.
        wish: The name that the list asked for, if it is not the URL's own.
        asked: What else it asked for, see `write_asked`.
    """

    id: int
    name: str | None
    state: int
    was_there: bool = False
    is_ours: bool = False
    size: int | None = None
    digests: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    wish: str | None = None
    asked: str | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger knows of a URL.

    Args:
        key: Of the item's row, be it there or not.
        first: The row under which it came first, whatever its name.
        row: That of the item: its URL under the name that the list asks for.
    """

    key: bytearray
    first: Row | None = None
    row: Row | None = None


def plain_error(error: DownloadError | None) -> tuple[str | None, str | None, str | None]:
    return (None, None, None) if error is None else (error.kind, error.message, error.host)


def write_digests(digests: Mapping[str, str]) -> str:
    return " ".join(map(":".join, digests.items()))


def read_digests(text: str | None) -> dict[str, str]:
    """Give algorithm to hexadecimal digest, of those that can be compared; another's ledger may name any."""
    if text is not None and " " not in text:
        name, _, digest = text.partition(":")
        return {name: digest} if digest and name in _ALGORITHMS else {}
    pairs = (part.partition(":") for part in (text or "").split())
    return {name: digest for name, _, digest in pairs if digest and name in _ALGORITHMS}


def write_asked(item: Item) -> str | None:
    """Keep what the list says of an item besides URL and name; `retry` has no list."""
    if item.sha256 is None and item.checksum is None and item.bytes is None and not item.headers:
        return None
    asked = {
        "sha256": item.sha256,
        "checksum": item.checksum,
        "bytes": item.bytes,
        "headers": dict(item.headers) or None,
    }
    kept = {name: value for name, value in asked.items() if value is not None}
    return json.dumps(kept)


def read_asked(text: str | None) -> dict[str, object]:
    """Give what `Item` takes besides URL and name."""
    try:
        asked = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return asked if isinstance(asked, dict) else {}


def wish_of(item: Item) -> str | None:
    """The name that a list asks for; the one that the URL has anyway is no wish."""
    if item.name is None:
        return None
    try:
        return None if name_from_url(item.url) == item.name else item.name
    except DownloadError:
        return item.name


def storable(text: str) -> str:
    """A list may hold what is no Unicode, and SQLite takes no such text."""
    return text.encode("utf-8", "backslashreplace").decode()


def key_of(url: str) -> bytearray:
    """Give the key of the first row of a URL; those under other names have another, see `twin_key_of`.

    So the first row of a URL tells whether it stood in a list, whatever the names there. Files of one folder have keys
    that differ by the ends of their URLs, so those that follow each other in a list go to the same pages: of 300,000
    numbered ones each took 4 us to add, and 12 with digests alone.
    """
    start = url.rfind("/") + 1
    if len(url) - start > _LONGEST_END:
        return _digest_of(url)
    key = bytearray(_digest_of_folder(url[:start]))
    key += url[start:].encode("utf-8", "surrogatepass")
    return key


def twin_key_of(url: str, wish: str | None) -> bytearray:
    """Give the key of a row for a URL under another name than that under which it came first."""
    # No text has such a byte in UTF-8, so no URL has such a key, whatever is in it.
    return key_of(url) + b"\xff" + _digest_of(wish or "")


def name_key_of(folded: str) -> NameKey:
    """Give the key under which a name is taken, of what `fold` makes of it: in order, if it is short."""
    return folded if len(folded) <= _LONGEST_END else _digest_of(folded)


def _digest_of(text: str) -> bytearray:
    # Not a fast hash for everyone's good: who writes the list must not be able to make two URLs one. And no bytes:
    # `sqlite3` looks for an adapter for whatever is not exactly an int, a float, a str or a bytearray.
    return bytearray(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest())


# Lists name few folders many times.
_digest_of_folder = lru_cache(maxsize=256)(_digest_of)
