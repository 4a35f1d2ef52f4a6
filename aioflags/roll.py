"""One list being read: which items of it came before, and what the ledger knows of those that probably come next.

A list that is run again comes in the order in which the ledger got to know it. So rows are read ahead in that order and
compared by URL: a finished job of ten million is gone through without one look-up for each item.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from aioflags.items import Item, Outcome, Rejected, Status
from aioflags.ledger_rows import read_digests, wish_of, write_asked
from aioflags.settings import check_checksum

__all__ = ["STRETCH", "Done", "Roll"]

#: Rows that are read ahead at a time.
STRETCH = 1024
# Rows that have a bit; a ledger of a stranger may number its rows as it likes.
_MOST_ROWS = 1 << 30
# The numbers of two that follow each other in a list differ by little.
_NEAR = 64
# An Enum looks its members up by Python code before 3.12.
_PRESENT = Status.PRESENT

#: A row of the ledger whose file is done, the first of its URL: number, URL, name, bytes, digests as text, the name
#: that the list asked for, if it is not the URL's own, and what else it asked for.
Done = tuple[int, str, str, int, str | None, str | None, str | None]
_ReadAhead = Callable[[int], dict[str, Done]]


class Roll:
    """One list."""

    __slots__ = ("_ahead", "_behind", "_last", "_odd", "_read_to", "_seen")

    def __init__(self) -> None:
        self._behind: dict[str, Done] = {}
        self._ahead: dict[str, Done] = {}
        # Number up to which rows were read ahead.
        self._read_to = -1
        # One bit for each row of the ledger, a megabyte for eight million; that of a URL is its first one.
        self._seen = bytearray()
        # Numbers that no run of ours gives.
        self._odd: set[int] = set()
        self._last = 0

    def recognise(
        self,
        entries: Sequence[Item | Rejected],
        size_of: Callable[[str], int | None],
        read_ahead: _ReadAhead,
    ) -> Iterator[Outcome | Item | Rejected]:
        """Give the outcomes of entries whose files are done and there, and as it is what needs a closer look.

        What comes of that look is to be noted before the next one is asked for: it may be the same file.

        Args:
            entries: Of the list, in its order.
            size_of: Gives the size of the file of a name in bytes, `None` if there is no such file.
            read_ahead: Gives those rows that are done by URL, of the stretch that comes after a number.
        """
        for entry in entries:
            row = self._behind.get(entry.url) or self._look_up(entry.url, read_ahead)
            yield entry if row is None else self._compare(entry, row, size_of)

    def _compare(
        self, item: Item | Rejected, row: Done, size_of: Callable[[str], int | None]
    ) -> Outcome | Item | Rejected:
        """Give the outcome of an item whose file is done, or the item where that cannot be said at a glance."""
        if not isinstance(item, Item):
            return item
        number, url, name, size, text, wish, asked = row
        digests = read_digests(text)
        # A name that is the file's very own is the one that was given for it.
        if item.name not in (wish, name) and wish_of(item) != wish:
            return item
        is_plain = item.sha256 is None and item.checksum is None and item.bytes is None and not item.headers
        if (asked is not None) if is_plain else not _has_what_is_asked(item, asked, size, digests):
            return item
        if size_of(name) != size:
            return item
        if not self.note(number):
            return Outcome(url, Status.DUPLICATE, line=item.line)
        return Outcome(url, _PRESENT, name, size, digests, line=item.line)

    def _look_up(self, url: str, read_ahead: _ReadAhead) -> Done | None:
        if self._read_to < 0:
            self._read_on(0, read_ahead)
        row = self._ahead.get(url)
        if row is not None:
            # The first of the stretch ahead: the list goes on there.
            self._read_on(self._read_to, read_ahead)
        return row

    def _read_on(self, after: int, read_ahead: _ReadAhead) -> None:
        self._behind, self._ahead = self._ahead, read_ahead(after)
        self._read_to = after + STRETCH

    def note(self, row: int) -> bool:
        """Note that the item of a row came; false if it came before."""
        if not 0 <= row < _MOST_ROWS:
            is_new = row not in self._odd
            self._odd.add(row)
            return is_new
        place, bit = row >> 3, 1 << (row & 7)
        if place >= len(self._seen):
            self._seen.extend(bytes(place + 1 - len(self._seen) + 4096))
        if self._seen[place] & bit:
            return False
        self._seen[place] |= bit
        return True

    def has_seen(self, row: int) -> bool:
        """Tell whether the item of a row came before."""
        if row in self._odd:
            return True
        place = row >> 3
        return 0 <= place < len(self._seen) and bool(self._seen[place] & 1 << (row & 7))

    def found(self, row: int, read_ahead: _ReadAhead) -> None:
        """An item had to be looked up, and this is its row: where the list seems to go on, rows are read ahead."""
        is_near = 0 < row - self._last < _NEAR
        self._last = row
        if is_near and not self._read_to - STRETCH <= row <= self._read_to:
            self._read_on(row, read_ahead)


def _has_what_is_asked(item: Item, asked: str | None, size: int, digests: Mapping[str, str]) -> bool:
    """Tell whether a row was asked for as an item is, and has what it declares; else it needs a close look."""
    if write_asked(item) != asked or item.bytes not in {None, size}:
        return False
    return all(digests.get(algorithm) == digest for algorithm, digest in map(check_checksum, item.checksums))
