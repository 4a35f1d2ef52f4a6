"""A destination with a ledger that a test fills, row by row."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path

from aioflags.digests import Digests
from aioflags.errors import make_error
from aioflags.items import Item, Outcome, Status
from aioflags.journal import End, Ready
from aioflags.ledger import Ledger
from aioflags.ledger_rows import read_digests, write_digests

DIGESTS = {"xxh128": "00" * 16}


class Home:
    """A destination with a ledger that a test fills."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / ".aioflags").mkdir(parents=True)
        state = str(path / ".aioflags")
        self.ledger = Ledger.open(state, state, is_kept=True, is_left_over=lambda *_: False)

    def add(
        self,
        name: str,
        status: Status | None,
        *,
        http_status: int | None = None,
        size: int = 4,
        digests: Mapping[str, str] = DIGESTS,
    ) -> int:
        """Add an item and, unless it is not fetched yet, how it ended."""
        item = Item(f"http://h/{name}", headers={"X-Key": "1"}, bytes=4)
        with self.ledger.claiming():
            row = self.ledger.add(item, None, name, self.ledger.find(item.url, None))
        assert row is not None
        if status is Status.SAVED:
            self.ledger.ready([Ready(row.id, size, dict(digests))])
            self.ledger.record([End(row.id, Outcome(item.url, status, name, size, digests, 200, 1))])
        elif status is not None:
            error = make_error("http", "status 503", "h")
            outcome = Outcome(item.url, status, http_status=http_status, attempts=1, error=error)
            self.ledger.record([End(row.id, outcome)])
        return row.id

    def change(self, query: str, *values: object) -> None:
        """Write what no run of ours would have written."""
        with sqlite3.connect(self.path / ".aioflags" / "ledger") as connection:
            connection.execute(query, values)
        connection.close()

    def save(self, name: str, data: bytes = b"flag") -> int:
        """Add an item whose file is there."""
        row = self.add(name, Status.SAVED, size=len(data), digests=read_digests(self.digests_of(data)))
        (self.path / name).parent.mkdir(exist_ok=True)
        (self.path / name).write_bytes(data)
        return row

    @staticmethod
    def digests_of(data: bytes) -> str:
        """Give digests as the ledger has them."""
        digests = Digests()
        digests.update(data)
        return write_digests(digests.as_hex())
