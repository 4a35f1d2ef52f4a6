"""A journal that remembers what it was told, and refuses when it is to."""

from __future__ import annotations

from collections.abc import Sequence

from aioflags.errors import make_error
from aioflags.journal import Half, Ready

__all__ = ["Notes"]


class Notes:
    """Takes notes in memory; `refuses` makes each of them fail."""

    def __init__(self) -> None:
        self.groups: list[list[Ready]] = []
        self.halves: list[tuple[int, Half | None]] = []
        self.refuses = False

    def ready(self, files: Sequence[Ready]) -> None:
        """See `Journal`."""
        self._refuse()
        self.groups.append(list(files))

    def half(self, row: int, half: Half | None) -> None:
        """See `Journal`."""
        self._refuse()
        self.halves.append((row, half))

    def _refuse(self) -> None:
        if self.refuses:
            raise make_error("storage", "the ledger cannot be written")
