"""One file on its way to disk bit by bit, from its first byte or from where an earlier attempt was cut. Blocking.

A draft lives as long as one attempt; at its end `settle` says what becomes of the bytes that are there.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from aioflags.journal import Half
from aioflags.parts import Part
from aioflags.writer import Saved, Wanted, Writer

__all__ = ["Draft"]


class Draft:
    """What one attempt holds of its file.

    `head` is what can be gone on from in this attempt.

    Args:
        writer: Where it goes.
        row: Number of the item in the ledger.
        half: What an earlier attempt has left of it, if anything.
    """

    __slots__ = (
        "_half", "_head", "_is_published", "_is_whole", "_part", "_row", "_wanted", "_writer", "head",
    )  # fmt: skip

    def __init__(self, writer: Writer, row: int = 0, half: Half | None = None) -> None:
        self._writer = writer
        self._row = row
        self.head: Half | None = None
        self._half = half
        self._head: Part | None = None
        self._part: Part | None = None
        self._wanted: Wanted | None = None
        self._is_whole = False
        self._is_published = False

    @property
    def has_begun(self) -> bool:
        """An answer has brought the file, or its rest."""
        return self._wanted is not None

    @property
    def is_blank(self) -> bool:
        """There is nothing on disk that something must become of."""
        return self._half is None and self._part is None

    def open_head(self, wanted: Wanted, half: Half, check: Callable[[], None] = lambda: None) -> None:
        """Get ready to go on after `half`, which is `head` from then on; `None` if it is gone or not what it was.

        Args:
            wanted: Says which digests count.
            half: What to keep of the head that there is.
            check: Called now and then while the head is hashed; what it raises ends that.

        Raises:
            StorageError: The system refused.
        """
        self._head = self._writer.open_half(wanted, half, check)
        if self._head is None:
            self._drop_half()
        else:
            self.head = half

    def accept(self, wanted: Wanted, start: int) -> None:
        """An answer brings the file, or its rest: what is written from now on comes after `start` bytes."""
        self._wanted = wanted
        if start:
            assert self._head is not None
            assert self._head.size == start
            self._part, self._head = self._head, None

    def begin(self) -> Part:
        """Give the part that the body is to be written to.

        Raises:
            StorageError: The system refused.
        """
        assert self._wanted is not None
        if self._part is None:
            self._drop_half()
            self._part = self._writer.new_part(self._wanted)
        self._writer.halves.attend(self._wanted.row, self._wanted.rest, self._part)
        return self._part

    def commit(self) -> Saved:
        """Let the file appear.

        Raises:
            ChecksumError, RefusedError, StorageError: It has not.
        """
        assert self._wanted is not None
        part = self._part or self.begin()
        self._is_whole = True
        saved = self._writer.commit(self._wanted, part)
        # Noted in the thread: a caller that is cancelled meanwhile must not take a published file for a part.
        self._is_published = True
        return saved

    def settle(self, *, keeps: bool) -> Half | None:
        """End the draft: what is not published is kept for another attempt, or removed.

        Args:
            keeps: Keep it, if there is enough of it and it can be gone on with.

        Returns:
            What is left to go on from.
        """
        if self._is_published:
            return None
        if self._wanted is None:
            return self._settle_half(keeps=keeps)
        part = self._part
        if part is None:
            self._drop_half()
            return None
        # What was whole and could not appear fails again.
        keeps = keeps and not self._is_whole
        half = self._writer.halves.keep(self._wanted.row, self._wanted.rest, part) if keeps else None
        if half is None:
            part.discard()
            self._forget(part.noted > 0 or self._half is not None)
        return half

    def _settle_half(self, *, keeps: bool) -> Half | None:
        """Nothing has come: the head is as it was."""
        if not keeps:
            self._drop_half()
            return None
        if self._head is not None:
            with suppress(OSError):
                self._head.close()
        return self._half

    def _drop_half(self) -> None:
        half, self._half = self._half, None
        head, self._head = self._head, None
        if head is not None:
            head.discard()
        elif half is not None:
            self._writer.halves.remove(half)
        self._forget(half is not None)

    def _forget(self, was_known: bool) -> None:
        if was_known:
            self._writer.halves.forget(self._row)
