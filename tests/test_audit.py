"""A ledger read for people: what it says is counted, and not believed further than a list would be."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aioflags.audit import NOT_RIGHT, Audit, Failure
from aioflags.audit_rows import FileRow
from aioflags.errors import StorageError, UsageError
from aioflags.items import Item, Rejected, Status
from aioflags.journal import Half
from aioflags.ledger_rows import State
from tests.home import DIGESTS, Home


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path / "downloads")
    yield home
    home.ledger.close()


@pytest.fixture
def audit(home: Home) -> Iterator[Callable[[], Audit]]:
    """Open an audit when the ledger is as it is to be."""
    opened: list[Audit] = []

    def open_one() -> Audit:
        opened.append(Audit(str(home.path)))
        return opened[-1]

    yield open_one
    for each in opened:
        each.close()


def test_everything_is_counted(home: Home, audit: Callable[[], Audit]) -> None:
    """By state, failures by kind, status and host with the first of each, and while a run is at work."""
    home.add("done", Status.SAVED)
    for name in ("a", "b"):
        home.add(name, Status.FAILED, http_status=503)
    home.add("c", Status.MISSING, http_status=404)
    home.ledger.half(home.add("d", None), Half("x.part", 1 << 20, '"v"', "http://h/d"))
    home.ledger.half(home.add("e", None), Half("gone.part", 1 << 20, '"v"', "http://h/e"))
    (home.path / ".aioflags" / "parts").mkdir()
    (home.path / ".aioflags" / "parts" / "x.part").write_bytes(b"x" * 1000)
    standing = audit().standing()
    assert standing.counts == {State.DONE: 1, State.FAILED: 2, State.MISSING: 1, State.WANTED: 2}
    assert (standing.size, standing.wanted, standing.wrong) == (4, 2, 3)
    assert (standing.halves, standing.half_size) == (1, 1000)
    assert standing.failures == (
        Failure("http", 503, "h", 2, "http://h/a", "status 503"),
        Failure("http", 404, "h", 1, "http://h/c", "status 503"),
    )
    assert standing.started is not None
    assert standing.ended is None
    home.ledger.close()
    assert audit().standing().ended is not None


def test_items_come_back_as_they_were_asked_for(home: Home, audit: Callable[[], Audit]) -> None:
    """With all that the list said of them, in its order, batch by batch."""
    for number in range(1200):
        home.add(f"{number}", Status.FAILED)
    home.add("done", Status.SAVED)
    batches = list(audit().entries(NOT_RIGHT))
    assert [len(batch) for batch in batches] == [512, 512, 176]
    assert batches[0][0] == Item("http://h/0", headers={"X-Key": "1"}, bytes=4)
    assert audit().count(NOT_RIGHT) == 1200


def test_files_that_are_done(home: Home, audit: Callable[[], Audit]) -> None:
    """What they are called and what they have to be."""
    row = home.add("a", Status.SAVED)
    home.add("b", Status.FAILED)
    assert list(audit().files()) == [[FileRow(row, "http://h/a", "a", 4, DIGESTS)]]


def test_outcome_of_each_item(home: Home, audit: Callable[[], Audit]) -> None:
    """Of those that were not tried that, too."""
    home.add("a", Status.SAVED)
    home.add("b", Status.MISSING, http_status=404)
    home.add("c", None)
    rows = [(row.as_outcome(), row.was_tried) for row in audit().rows()]
    found = [(outcome.status, was_tried, outcome.path) for outcome, was_tried in rows]
    assert found == [(Status.SAVED, True, "a"), (Status.MISSING, True, None), (Status.FAILED, False, None)]


# What no run of ours has written


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "", "a\0b", None, b"a", ".aioflags/ledger"])
def test_name_that_leads_elsewhere_is_none(home: Home, audit: Callable[[], Audit], name: object) -> None:
    """Nothing outside the destination is opened because a ledger says so."""
    home.add("a", Status.SAVED)
    home.change("UPDATE items SET name = ?", name)
    assert [row.name for rows in audit().files() for row in rows] == [""]


@pytest.mark.parametrize(
    "asked", ['{"headers": {"Host": "x"}}', '{"bytes": "many"}', '{"colour": 1}', '{"sha256": 3}', '{"headers": 5}']
)
def test_item_that_can_be_none_is_rejected(home: Home, audit: Callable[[], Audit], asked: str) -> None:
    """It yields its failure, and the others go on."""
    home.add("a", Status.FAILED)
    home.add("b", Status.FAILED)
    home.change("UPDATE items SET asked = ? WHERE name = 'a'", asked)
    ((first, second),) = audit().entries(NOT_RIGHT)
    assert isinstance(first, Rejected)
    assert isinstance(second, Item)


def test_strange_digests_and_kinds(home: Home, audit: Callable[[], Audit]) -> None:
    """What cannot be computed is not compared; an error of no known kind is no error of ours."""
    home.add("a", Status.SAVED)
    home.add("b", Status.FAILED)
    home.change("UPDATE items SET digests = 'rot13:00 xxh128:1 sha256:zz', kind = 'magic'")
    assert [row.digests for rows in audit().files() for row in rows] == [{"xxh128": "1"}]
    assert [row.as_outcome().error for row in audit().rows()] == [None, None]
    assert audit().standing().failures[0].kind == "magic"


def test_no_ledger_and_a_broken_one(tmp_path: Path) -> None:
    """Wrong use, and a fault of the disk."""
    with pytest.raises(UsageError, match="no ledger in"):
        Audit(str(tmp_path))
    (tmp_path / ".aioflags").mkdir()
    (tmp_path / ".aioflags" / "ledger").write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    with pytest.raises(StorageError, match="cannot be used"):
        Audit(str(tmp_path))


def test_file_is_looked_up_again(home: Home, audit: Callable[[], Audit]) -> None:
    """As it is now; one that is about to be replaced is not done any more."""
    row = home.save("a", b"old")
    reader = audit()
    ((first,),) = reader.files()
    assert reader.file(row) == first
    home.change("UPDATE items SET size = 9 WHERE id = ?", row)
    again = reader.file(row)
    assert again is not None
    assert again.size == 9
    home.change("UPDATE items SET state = 1 WHERE id = ?", row)
    assert reader.file(row) is None


def test_files_that_were_found_wrong_are_told_apart(home: Home, audit: Callable[[], Audit]) -> None:
    """They were done, and are not any more."""
    first, second = home.save("a"), home.save("b")
    home.ledger.distrust([second])
    assert [(row.row, row.is_distrusted) for rows in audit().files() for row in rows] == [
        (first, False),
        (second, True),
    ]


def test_what_comes_meanwhile_has_no_end_to_wait_for(home: Home, audit: Callable[[], Audit]) -> None:
    """Whoever writes what it reads would otherwise read what it writes."""
    home.add("a", Status.FAILED)
    reader = audit()
    found = []
    for number, batch in enumerate(reader.entries(NOT_RIGHT)):
        found += batch
        home.add(f"later{number}", Status.FAILED)
    assert len(found) == reader.count(NOT_RIGHT) == 1
    assert reader.standing().wrong == 2


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch, lambda path: path.symlink_to("/etc/passwd"), os.mkfifo])
def test_whoever_holds_it_cannot_always_be_named(
    home: Home, audit: Callable[[], Audit], make: Callable[[Path], object]
) -> None:
    """What is no note stops nobody from looking."""
    make(home.path / ".aioflags" / "lock")
    holder = audit().holder()
    assert holder is None or holder.startswith("somebody whose note cannot be read")


def test_sums_do_not_overflow(home: Home, audit: Callable[[], Audit]) -> None:
    """Sizes that nobody has are counted as if somebody had; what is no size is none."""
    for name in ("a", "b", "c", "d"):
        home.add(name, Status.SAVED)
    home.change("UPDATE items SET size = ? WHERE name IN ('a', 'b')", (1 << 63) - 1)
    home.change("UPDATE items SET size = 'big' WHERE name = 'c'")
    assert audit().standing().size == 1 << 64


def test_text_that_is_none(home: Home, audit: Callable[[], Audit]) -> None:
    """Bytes that are no Unicode are shown as what they are."""
    home.add("a", Status.FAILED)
    home.change("UPDATE items SET message = CAST(x'66ff' AS TEXT)")
    assert audit().standing().failures[0].message == "f\\xff"
