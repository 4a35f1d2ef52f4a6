"""Which URL and which name are taken: decided once for each item, before the first byte, in the order of the list.

Blocking, meant for a thread of its own. The register lives on disk (SQLite, in the run's private folder), so that
ten million names cost no more memory than ten.
"""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from os.path import join

from aioflags.destination import Destination
from aioflags.disk_errors import exists_error
from aioflags.errors import DownloadError, StorageError, make_error
from aioflags.items import Item, Rejected
from aioflags.names import fold, name_from_url, safe_name, with_suffix
from aioflags.redact import escape_text
from aioflags.settings import Existing, check_checksum
from aioflags.urls import Target, parse_url

__all__ = ["Claim", "Register"]

_SCHEMA = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA cache_size = -1024;
PRAGMA temp_store = MEMORY;
CREATE TABLE urls (lane_and_url BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE items (url_and_wish BLOB PRIMARY KEY, name TEXT, was_there INTEGER) WITHOUT ROWID;
CREATE TABLE names (name BLOB PRIMARY KEY, is_folder INTEGER) WITHOUT ROWID;
BEGIN;
"""
_SUFFIX_DIGITS = (8, 16, 32, 64)


@dataclass(frozen=True, slots=True)
class Claim:
    """What the register says of one item.

    Args:
        item: The item, or the line that cannot be one.
        target: Its URL, taken apart; `None` if it has none that can be used.
        name: Its final name; `None` if it gets none.
        digests: Algorithm to hexadecimal digest that the content must have.
        error: Why it cannot be fetched.
        is_duplicate: The same URL stood in the same list before.
        present: Size in bytes of the file that is there already and will do, else `None`.
        present_digests: Digests of that file, where they had to be compared.
    """

    item: Item | Rejected
    target: Target | None = None
    name: str | None = None
    digests: Mapping[str, str] = field(default_factory=dict)
    error: DownloadError | None = None
    is_duplicate: bool = False
    present: int | None = None
    present_digests: Mapping[str, str] = field(default_factory=dict)


class Register:
    """Gives each URL its name.

    Args:
        destination: Open.
        existing: What to do about a file that is there already.
        algorithms: Digests that a record wants, besides xxh128.

    Raises:
        StorageError: The register itself cannot be written.
    """

    def __init__(self, destination: Destination, existing: Existing, algorithms: Sequence[str] = ()) -> None:
        self._destination = destination
        self._existing = existing
        self._algorithms = tuple(algorithms)
        # Opened by one thread, used by another; never by two at a time.
        path = join(destination.run_path, "register")
        try:
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._db.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise _storage_error(error) from error

    def close(self) -> None:
        """Forget everything; the file goes with the run's private folder."""
        self._db.close()

    def claim(self, entries: Sequence[tuple[Item | Rejected, int]]) -> list[Claim]:
        """Decide what becomes of each entry, in their order; with it comes the number of the list it stands in.

        Raises:
            StorageError: The register itself cannot be written.
        """
        try:
            return [self._claim(entry, lane) for entry, lane in entries]
        except sqlite3.Error as error:
            raise _storage_error(error) from error

    def _claim(self, entry: Item | Rejected, lane: int) -> Claim:
        if isinstance(entry, Rejected):
            return Claim(entry, error=entry.error)
        target = None
        try:
            target = parse_url(entry.url)
            return self._claim_url(entry, lane, target, dict(map(check_checksum, entry.checksums)))
        except DownloadError as error:
            return Claim(entry, target, error=error)

    def _claim_url(self, item: Item, lane: int, target: Target, digests: Mapping[str, str]) -> Claim:
        if not self._db.execute("INSERT OR IGNORE INTO urls VALUES (?)", (_key(f"{lane} {item.url}"),)).rowcount:
            return Claim(item, target, is_duplicate=True)
        wanted = name_from_url(item.url) if item.name is None else safe_name(item.name)
        # The same URL in another list is the same file, unless it is wanted under another name.
        key = _key(f"{item.url}\n{wanted}")
        row = self._db.execute("SELECT name, was_there FROM items WHERE url_and_wish = ?", (key,)).fetchone()
        if row is not None:
            return self._look(Claim(item, target, row[0], digests), key=None, is_ours=not row[1])
        name = self._take_name(wanted, item.url)
        self._db.execute("INSERT INTO items VALUES (?, ?, 0)", (key, name))
        return self._look(Claim(item, target, name, digests), key=key, is_ours=False)

    def _take_name(self, wanted: str, url: str) -> str:
        self._take_folders(wanted)
        for digits in (0, *_SUFFIX_DIGITS):
            name = with_suffix(wanted, url, digits) if digits else wanted
            taken = self._db.execute("INSERT OR IGNORE INTO names VALUES (?, 0)", (_key(fold(name)),))
            if taken.rowcount:
                return name
        raise make_error("name", f"no name like {escape_text(wanted)} is free; give this item a name of its own")

    def _take_folders(self, name: str) -> None:
        """Take the folders of a name, so that no file gets the name of one."""
        parents = name.split("/")[:-1]
        for depth in range(1, len(parents) + 1):
            folder = "/".join(parents[:depth])
            key = _key(fold(folder))
            self._db.execute("INSERT OR IGNORE INTO names VALUES (?, 1)", (key,))
            (is_folder,) = self._db.execute("SELECT is_folder FROM names WHERE name = ?", (key,)).fetchone()
            if not is_folder:
                raise make_error("name", f"{escape_text(folder)} is a file of another item and cannot be a folder, too")

    def _look(self, claim: Claim, *, key: bytes | None, is_ours: bool) -> Claim:
        """See whether the name is on disk already, and what that means."""
        assert claim.name is not None
        found = self._destination.look(claim.name)
        if found is None:
            return claim
        if key is not None:
            self._db.execute("UPDATE items SET was_there = 1 WHERE url_and_wish = ?", (key,))
        if self._existing == "replace" and not is_ours and not stat.S_ISDIR(found.st_mode):
            return claim
        if not stat.S_ISREG(found.st_mode):
            # What a link leads to is not looked at, so nobody can say that it will do.
            return _with_error(claim, exists_error(claim.name, is_file=False))
        return self._compare(claim, found.st_size, is_trusted=is_ours or self._existing == "skip")

    def _compare(self, claim: Claim, size: int, *, is_trusted: bool) -> Claim:
        """Take the file that is there for the item's if its declared digest says so, or if it is trusted by name."""
        assert claim.name is not None
        assert isinstance(claim.item, Item)
        declared = claim.item.bytes
        found: Mapping[str, str] = {}
        if declared is not None and declared != size:
            return _with_error(claim, exists_error(claim.name))
        if claim.digests:
            found = self._destination.digest(claim.name, [*self._algorithms, *claim.digests])
            if any(found.get(algorithm) != digest for algorithm, digest in claim.digests.items()):
                return _with_error(claim, exists_error(claim.name))
        elif not is_trusted:
            return _with_error(claim, exists_error(claim.name))
        return Claim(claim.item, claim.target, claim.name, present=size, present_digests=found)


def _storage_error(error: sqlite3.Error) -> StorageError:
    return StorageError("storage", f"cannot write the register of names: {error}", None)


def _with_error(claim: Claim, error: DownloadError) -> Claim:
    return Claim(claim.item, claim.target, error=error)


def _key(text: str) -> bytes:
    # Not a fast hash for everyone's good: who writes the list must not be able to make two URLs one.
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
