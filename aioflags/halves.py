"""Which parts are kept when a transfer is cut, and what the journal is told of them. Blocking."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial

from aioflags.destination import Destination
from aioflags.errors import DownloadError
from aioflags.journal import Half, Journal
from aioflags.parts import Part
from aioflags.ranges import LEAST_HALF

__all__ = ["Halves"]

#: Bytes after which a long part is forced to stable storage and noted again. Source: FAULTS, section 5.
_SYNC_EVERY = 64 << 20
#: Bytes after which a long part is noted again, where nothing is forced anywhere: a transaction, and as much at most to
#: fetch again after a kill.
_NOTE_EVERY = 4 << 20


class Halves:
    """Parts that somebody can go on with.

    How the rest of one can be asked for is told as a `Half` whose part and size are still open, `None` if in no way.

    Args:
        destination: Open.
        journal: Takes notes.
        is_durable: What is noted is on stable storage.
    """

    def __init__(self, destination: Destination, journal: Journal, *, is_durable: bool) -> None:
        self._destination = destination
        self._journal = journal
        self._is_durable = is_durable

    def attend(self, row: int, rest: Half | None, part: Part) -> None:
        """Have it noted from where to go on with a part, as it grows.

        Told as soon as there is enough of it, and again as it grows, so that a later run finds it even if this one is
        killed; only what was told is gone on from. Durable, it is on stable storage before it is told.
        """
        if rest is not None:
            part.on_growth = partial(self._note_growth, row, rest)

    def _note_growth(self, row: int, rest: Half, part: Part) -> None:
        step = (_SYNC_EVERY if self._is_durable else _NOTE_EVERY) if part.noted else LEAST_HALF
        if part.size - part.noted >= step:
            self._note(row, rest, part)

    def _note(self, row: int, rest: Half, part: Part) -> None:
        if self._is_durable:
            part.sync()
        self._journal.half(row, self._describe(rest, part))
        part.noted = part.size

    def _describe(self, rest: Half, part: Part) -> Half:
        digest = part.digests.as_hex()["xxh128"]
        return replace(rest, part=part.part_name, size=part.size, hashed=part.size, digest=digest)

    def keep(self, row: int, rest: Half | None, part: Part) -> Half | None:
        """Close a part for another attempt to go on with; `None` if nobody can, and it is to be discarded."""
        if rest is None or part.size < LEAST_HALF:
            return None
        try:
            self._note(row, rest, part)
            part.close()
        except (DownloadError, OSError):
            # The transfer has failed anyway, and its error says more.
            return None
        return self._describe(rest, part)

    def remove(self, half: Half) -> None:
        """Remove a part that nobody goes on with."""
        self._destination.remove_part(half.part)

    def forget(self, row: int) -> None:
        """Have it noted that there is no part of an item any more."""
        # Who finds the note all the same finds no part, and begins at the first byte.
        with suppress(DownloadError):
            self._journal.half(row, None)
