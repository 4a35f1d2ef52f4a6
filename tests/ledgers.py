"""A ledger's rows as its tests make and read them; what the tests of its parts share."""

from __future__ import annotations

from aioflags.items import Item, Outcome, Status
from aioflags.ledger import Ledger
from aioflags.ledger_rows import Row

__all__ = ["DIGESTS", "URL", "add", "find", "saved"]

URL = "http://h/a"
DIGESTS = {"xxh128": "00" * 16, "sha256": "11" * 32}


def add(ledger: Ledger, url: str = URL, name: str = "a", wish: str | None = None) -> Row:
    """Claim an item that has no row yet."""
    with ledger.claiming():
        row = ledger.add(Item(url), wish, name, ledger.find(url, wish))
    assert row is not None
    return row


def find(ledger: Ledger, url: str = URL, wish: str | None = None) -> Row:
    """Give the row of an item that has one."""
    row = ledger.find(url, wish).row
    assert row is not None
    return row


def saved(size: int = 4) -> Outcome:
    """Give the outcome of an item whose file has come, at the second attempt."""
    return Outcome(URL, Status.SAVED, "a", size, DIGESTS, 200, 2, content_encoding="gzip")
