"""Which URL and which name are taken, and what is there already: decided once for each item, before the first byte, in
the order of the list. Blocking, meant for a thread of its own.
"""

from __future__ import annotations

import stat
from collections.abc import Mapping, Sequence
from dataclasses import field, replace

from aioflags.destination import Destination
from aioflags.disk_errors import exists_error
from aioflags.errors import DownloadError, make_error
from aioflags.items import Item, Outcome, Rejected
from aioflags.journal import Half
from aioflags.ledger_claims import LedgerClaims
from aioflags.ledger_rows import Known, Row, State, read_digests, wish_of
from aioflags.names import is_safe_name, name_from_url, safe_name, with_suffix
from aioflags.ranges import LEAST_HALF
from aioflags.records import dataclass
from aioflags.redact import escape_text
from aioflags.roll import Roll
from aioflags.settings import Existing, check_checksum
from aioflags.urls import Target, parse_url

__all__ = ["Claim", "Register"]

#: Digits of the digest that a name is tried with; most need none.
_SUFFIX_DIGITS = (0, 8, 16, 32, 64)
_AS_IT_CAME = {State.DONE, State.STALE}


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
        present_digests: Digests of that file, where they are known.
        row: Number of the item in the ledger, 0 without.
        may_replace: The file of that name is ours, or the user said so: the new one takes its place.
        half: Part of the file that an earlier run has left.
        etag: Ask only whether the file that is present has changed since it came with this.
        last_modified: Likewise.
        is_refresh: The file that is there will do, and stays if no newer one can be had.
    """

    item: Item | Rejected
    target: Target | None = None
    name: str | None = None
    digests: Mapping[str, str] = field(default_factory=dict)
    error: DownloadError | None = None
    is_duplicate: bool = False
    present: int | None = None
    present_digests: Mapping[str, str] = field(default_factory=dict)
    row: int = 0
    may_replace: bool = False
    half: Half | None = None
    etag: str | None = None
    last_modified: str | None = None
    is_refresh: bool = False


class Register:
    """Gives each URL its name.

    Args:
        destination: Open.
        ledger: Where names are on record; open.
        existing: What to do about a file that is there already and that the ledger does not know.
        algorithms: Digests that a record wants, besides xxh128.
        update: Have files that are present asked for again, in case they have changed.
    """

    def __init__(
        self,
        destination: Destination,
        ledger: LedgerClaims,
        existing: Existing,
        algorithms: Sequence[str] = (),
        *,
        update: bool = False,
    ) -> None:
        self._destination = destination
        self._ledger = ledger
        self._existing = existing
        self._algorithms = tuple(algorithms)
        self._update = update
        # Without a ledger other runs may be at work in the same destination.
        self._is_look_in_vain = existing == "fail" and ledger.is_kept

    def claim_lists(
        self, batches: Sequence[tuple[Sequence[Item | Rejected], Roll | None]]
    ) -> list[Sequence[Claim | Outcome]]:
        """Do `claim` for several batches at once.

        Raises:
            StorageError: The ledger cannot be written.
        """
        with self._ledger.claiming():
            return [self._claim_batch(entries, roll) for entries, roll in batches]

    def claim(self, entries: Sequence[Item | Rejected], roll: Roll | None) -> Sequence[Claim | Outcome]:
        """Decide what becomes of each entry of a batch, in their order.

        Args:
            entries: Items, and lines that cannot be one.
            roll: Of the list that they stand in; `None` for items that stand in none.

        Returns:
            A claim for each, or its outcome at once where the ledger says that it is done.

        Raises:
            StorageError: The ledger cannot be written.
        """
        (claims,) = self.claim_lists([(entries, roll)])
        return claims

    def _claim_batch(self, entries: Sequence[Item | Rejected], roll: Roll | None) -> Sequence[Claim | Outcome]:
        if roll is None or self._update or not self._ledger.is_kept:
            return [self._claim(entry, roll) for entry in entries]
        recognised = roll.recognise(entries, self._destination.size_of, self._ledger.done_after)
        return [known if isinstance(known, Outcome) else self._claim(known, roll) for known in recognised]

    def _claim(self, entry: Item | Rejected, roll: Roll | None) -> Claim:
        wish = wish_of(entry) if isinstance(entry, Item) else None
        known = self._ledger.find(entry.url, wish)
        if isinstance(entry, Rejected):
            return self._refuse(entry, None, entry.error, known)
        if roll is not None and known.first is not None and roll.has_seen(known.first.id):
            return Claim(entry, is_duplicate=True)
        claim = self._claim_item(entry, wish, known)
        if roll is not None:
            # The same URL under two names is one item of the list.
            roll.note(claim.row if known.first is None else known.first.id)
            roll.found(claim.row, self._ledger.done_after)
        return claim

    def _claim_item(self, item: Item, wish: str | None, known: Known) -> Claim:
        target, row = None, known.row
        try:
            target = parse_url(item.url)
            digests = dict(map(check_checksum, item.checksums))
            is_known = row is not None and row.name is not None
            if row is not None:
                self._ledger.renew(row, item)
            if row is None or row.name is None:
                row = self._take_name(item, wish, known)
            elif not is_safe_name(row.name):
                # No run of ours has written that.
                raise make_error("name", "the ledger gives it a name that no file may have; move the ledger away")
            claim = Claim(item, target, row.name, digests, row=row.id)
            if is_known or not self._may_spare_look(claim):
                return self._look(claim, row, is_known=is_known)
            return claim
        except DownloadError as error:
            return self._refuse(item, wish, error, Known(known.key, known.first, row), target)

    def _refuse(
        self, entry: Item | Rejected, wish: str | None, error: DownloadError, known: Known, target: Target | None = None
    ) -> Claim:
        return Claim(entry, target, error=error, row=self._ledger.refuse(entry, wish, error, known))

    def _take_name(self, item: Item, wish: str | None, known: Known) -> Row:
        wanted = name_from_url(item.url) if wish is None else safe_name(wish)
        if "/" in wanted:
            self._take_folders(wanted)
        for digits in _SUFFIX_DIGITS:
            name = with_suffix(wanted, item.url, digits) if digits else wanted
            row = self._ledger.add(item, wish, name, known)
            if row is not None:
                return row
        raise make_error("name", f"no name like {escape_text(wanted)} is free; give this item a name of its own")

    def _take_folders(self, name: str) -> None:
        """Take the folders of a name, so that no file gets the name of one."""
        parents = name.split("/")[:-1]
        for depth in range(1, len(parents) + 1):
            folder = "/".join(parents[:depth])
            if not self._ledger.take_folder(folder):
                raise make_error("name", f"{escape_text(folder)} is a file of another item and cannot be a folder, too")

    def _may_spare_look(self, claim: Claim) -> bool:
        """Tell whether a file of that name would only fail the item, and most likely is not there.

        A look is a call of the system, with which the loop takes the interpreter away from this thread: 12 us of the
        150 that a small file costs.
        """
        assert claim.name is not None
        return self._is_look_in_vain and not claim.digests and self._destination.is_free(claim.name)

    def _look(self, claim: Claim, row: Row, *, is_known: bool) -> Claim:
        """See whether the name is on disk already, and what that means."""
        assert claim.name is not None
        found = self._destination.look(claim.name)
        if found is None:
            if is_known and row.state not in _AS_IT_CAME:
                self._ledger.note_free(row)
            return self._wanted(claim, row, is_known=is_known)
        is_file = stat.S_ISREG(found.st_mode)
        if is_file and self._is_believed(row, claim, found.st_size):
            return self._believe(claim, row, found.st_size)
        if row.is_ours and is_file:
            # Cut, changed, or not what the list declares now: it came from there, and comes from there again.
            if row.state in _AS_IT_CAME and self._is_changed(row, claim, found.st_size):
                self._ledger.note_wrong(row)
            return replace(self._wanted(claim, row, is_known=True), may_replace=True)
        if not is_known:
            self._ledger.note_was_there(row)
        return self._meet_stranger(claim, row, found.st_size, is_file=is_file, is_folder=stat.S_ISDIR(found.st_mode))

    def _wanted(self, claim: Claim, row: Row, *, is_known: bool) -> Claim:
        half = self._half(row) if is_known else None
        return claim if half is None else replace(claim, half=half)

    def _half(self, row: Row) -> Half | None:
        """Give the part that an earlier run has left, if there is enough of it."""
        half = self._ledger.half_of(row)
        if half is None or not half.validator.isprintable():
            return None
        if (self._destination.part_size(half.part) or 0) < half.hashed:
            return None
        return half if LEAST_HALF <= half.size <= half.hashed else None

    def _is_believed(self, row: Row, claim: Claim, size: int) -> bool:
        """Tell whether a file is the one on record; where no run has said that it is done, its digests decide.

        A run may have died before it said so, or the disk failed after the file had its name.
        """
        assert claim.name is not None
        assert isinstance(claim.item, Item)
        if row.size != size or claim.item.bytes not in {None, size}:
            return False
        recorded = read_digests(row.digests)
        is_done = row.state in _AS_IT_CAME
        if not is_done and not recorded:
            return False
        if not is_done or claim.digests.keys() - recorded.keys():
            found = self._digest(claim.name, [*recorded.keys() - {"xxh128"}, *claim.digests])
            if any(found.get(algorithm) != digest for algorithm, digest in recorded.items()):
                return False
            recorded = found
        return all(recorded.get(algorithm) == digest for algorithm, digest in claim.digests.items())

    def _is_changed(self, row: Row, claim: Claim, size: int) -> bool:
        """Tell whether a file that is not believed is itself to blame, and not what the list declares now."""
        assert isinstance(claim.item, Item)
        recorded = read_digests(row.digests)
        is_as_declared = claim.item.bytes in {None, row.size} and all(
            recorded.get(algorithm) == digest for algorithm, digest in claim.digests.items()
        )
        return row.size != size or is_as_declared

    def _believe(self, claim: Claim, row: Row, size: int) -> Claim:
        is_ours = row.is_ours or row.state not in _AS_IT_CAME
        if row.state not in _AS_IT_CAME:
            self._ledger.confirm(row)
        present = replace(claim, present=size, present_digests=read_digests(row.digests))
        if not (self._update or row.state == State.STALE) or not is_ours:
            return present
        etag, last_modified = _as_field(row.etag), _as_field(row.last_modified)
        if etag is None and last_modified is None:
            # Nothing to ask with whether it has changed.
            return replace(claim, may_replace=True, is_refresh=True)
        return replace(present, etag=etag, last_modified=last_modified, may_replace=True, is_refresh=True)

    def _meet_stranger(self, claim: Claim, row: Row, size: int, *, is_file: bool, is_folder: bool) -> Claim:
        """Decide about a file of the item's name that the ledger does not know."""
        assert claim.name is not None
        # Without a ledger nobody notes what was saved: a file that has appeared since is that of another list.
        is_ours = not self._ledger.is_kept and row.state == State.WANTED and not row.was_there
        if self._existing == "replace" and not is_ours and not is_folder:
            return replace(self._wanted(claim, row, is_known=True), may_replace=True)
        if not is_file:
            # What a link leads to is not looked at, so nobody can say that it will do.
            raise exists_error(claim.name, is_file=False)
        return self._compare(claim, row, size, is_trusted=is_ours or self._existing == "skip")

    def _compare(self, claim: Claim, row: Row, size: int, *, is_trusted: bool) -> Claim:
        """Take the file that is there for the item's if its declared digest says so, or if it is trusted by name."""
        assert claim.name is not None
        assert isinstance(claim.item, Item)
        declared = claim.item.bytes
        found: Mapping[str, str] = {}
        if declared is not None and declared != size:
            raise exists_error(claim.name)
        if claim.digests:
            found = self._digest(claim.name, [*self._algorithms, *claim.digests])
            if any(found.get(algorithm) != digest for algorithm, digest in claim.digests.items()):
                raise exists_error(claim.name)
        elif not is_trusted:
            raise exists_error(claim.name)
        self._ledger.adopt(row, size, found)
        return replace(claim, present=size, present_digests=found)

    def _digest(self, name: str, algorithms: Sequence[str]) -> dict[str, str]:
        with self._ledger.aside():
            return self._destination.digest(name, algorithms)


def _as_field(value: str | None) -> str | None:
    """What is on record of an answer, if it can be sent back; another's ledger may hold what would end the field."""
    return value if value is not None and value.isprintable() else None
