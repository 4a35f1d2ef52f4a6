"""A list that is run again is recognised at a glance, and not one item of it wrongly."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioflags.errors import make_error
from aioflags.items import Item, Outcome, Rejected, Status
from aioflags.ledger_rows import write_asked
from aioflags.roll import STRETCH, Done, Roll

SHA256 = "0" * 64
DIGESTS = {"xxh128": "00", "sha256": SHA256}


class Shelf:
    """Rows and files as the ledger and the destination show them; counts how often rows were read ahead."""

    def __init__(self, rows: Sequence[Done]) -> None:
        self.rows = rows
        self.sizes = {row[2]: row[3] for row in rows}
        self.readings = 0

    def read_ahead(self, after: int) -> dict[str, Done]:
        self.readings += 1
        return {row[1]: row for row in self.rows if after < row[0] <= after + STRETCH}

    def read(self, roll: Roll, *entries: Item | Rejected | str) -> Iterator[Outcome | Item | Rejected]:
        items = [Item(entry) if isinstance(entry, str) else entry for entry in entries]
        return roll.recognise(items, self.sizes.get, self.read_ahead)

    def recognise(self, roll: Roll, *entries: Item | Rejected | str) -> list[Outcome]:
        return [known for known in self.read(roll, *entries) if isinstance(known, Outcome)]


def url(number: int) -> str:
    return f"http://h/{number}"


def row(number: int) -> Done:
    return number, url(number), f"{number}", number, f"xxh128:00 sha256:{SHA256}", None, None


@pytest.fixture
def make() -> Callable[..., Shelf]:
    return lambda *numbers: Shelf([row(number) for number in numbers])


def test_what_is_done_is_present(make: Callable[..., Shelf]) -> None:
    """With all that is known of it, and the line of this list."""
    shelf = make(1, 2)
    assert shelf.recognise(Roll(), Item(url(1), line=7), url(2)) == [
        Outcome(url(1), Status.PRESENT, "1", 1, DIGESTS, line=7),
        Outcome(url(2), Status.PRESENT, "2", 2, DIGESTS),
    ]


def test_second_time_is_a_duplicate(make: Callable[..., Shelf]) -> None:
    """In the same batch or in a later one; in another list it is not."""
    shelf, roll = make(1), Roll()
    statuses = [outcome.status for outcome in shelf.recognise(roll, url(1), url(1))]
    statuses += [outcome.status for outcome in shelf.recognise(roll, url(1))]
    assert statuses == [Status.PRESENT, Status.DUPLICATE, Status.DUPLICATE]
    assert shelf.recognise(Roll(), url(1))[0].status is Status.PRESENT


@pytest.mark.parametrize(
    "entry",
    [
        url(9),
        Item(url(2), bytes=3),
        Item(url(2), sha256="1" * 64),
        Item(url(2), checksum="md5:" + "0" * 32),
        Item(url(2), name="3"),
        Rejected(url(2), make_error("url", "no")),
    ],
    ids=repr,
)
def test_what_needs_a_closer_look_is_given_back(make: Callable[..., Shelf], entry: Item | Rejected | str) -> None:
    """As it is and in its place, and those behind it are recognised all the same."""
    shelf = make(1, 2, 3)
    first, found, last = shelf.read(Roll(), url(1), entry, url(3))
    assert [type(first), type(last)] == [Outcome, Outcome]
    assert found == (Item(entry) if isinstance(entry, str) else entry)


def test_what_is_behind_a_closer_look_is_not_decided_before(make: Callable[..., Shelf]) -> None:
    """It may be the same file: what comes of the look is noted first."""
    shelf, roll = make(1), Roll()
    reading = shelf.read(roll, Item(url(1), bytes=2), url(1))
    assert isinstance(next(reading), Item)
    roll.note(1)
    assert next(reading) == Outcome(url(1), Status.DUPLICATE)


@pytest.mark.parametrize("size", [None, 0, 3])
def test_file_that_is_not_as_it_was_needs_a_closer_look(make: Callable[..., Shelf], size: int | None) -> None:
    """Gone, or of another size."""
    shelf = make(1, 2)
    if size is None:
        del shelf.sizes["2"]
    else:
        shelf.sizes["2"] = size
    assert [outcome.url for outcome in shelf.recognise(Roll(), url(1), url(2))] == [url(1)]


def test_what_a_list_declares_is_compared() -> None:
    """Name, size and digest, as far as they are on record."""
    asked = write_asked(Item(url(1), bytes=1, sha256=SHA256)), write_asked(Item(url(2), bytes=2))
    shelf = Shelf([(*row(1)[:-1], asked[0]), (2, url(2), "x", 2, None, "x", asked[1])])
    entries = Item(url(1), name="1", bytes=1, sha256=SHA256.upper()), Item(url(2), name="x", bytes=2)
    assert [outcome.path for outcome in shelf.recognise(Roll(), *entries)] == ["1", "x"]
    assert shelf.recognise(Roll(), Item(url(2))) == []


def test_what_a_list_says_anew_is_looked_at_closely(make: Callable[..., Shelf]) -> None:
    """The file will do, but what `retry` and `verify --fix` go by is to be noted."""
    shelf = make(1, 2)
    assert shelf.recognise(Roll(), Item(url(1), sha256=SHA256)) == []
    assert shelf.recognise(Roll(), Item(url(1), headers={"A": "1"})) == []


def test_url_under_another_name_is_looked_at_closely(make: Callable[..., Shelf]) -> None:
    """It is the same item of the list, and only what is known of the URL tells."""
    shelf, roll = make(1, 2), Roll()
    assert len(shelf.recognise(roll, url(1), Item(url(1), name="x"))) == 1
    assert roll.has_seen(1)
    assert len(shelf.recognise(roll, url(2))) == 1


def test_long_list_is_read_ahead_in_stretches() -> None:
    """One reading for each, whatever the size of the batches."""
    shelf, roll = Shelf([row(number) for number in range(1, 5 * STRETCH + 1)]), Roll()
    for start in range(1, 5 * STRETCH, 100):
        numbers = range(start, min(start + 100, 5 * STRETCH + 1))
        assert len(shelf.recognise(roll, *map(url, numbers))) == len(numbers)
    assert shelf.readings <= 7


def test_list_that_begins_in_the_middle_is_caught_up_with(make: Callable[..., Shelf]) -> None:
    """After two items that follow each other the rest is recognised."""
    shelf, roll = Shelf([row(number) for number in range(5000, 5000 + 2 * STRETCH)]), Roll()
    for number in (5000, 5001):
        assert shelf.recognise(roll, url(number)) == []
        roll.found(number, shelf.read_ahead)
        roll.note(number)
    assert len(shelf.recognise(roll, *map(url, range(5002, 5000 + STRETCH)))) == STRETCH - 2
    assert roll.has_seen(5001)


def test_list_in_another_order_does_not_read_ahead_for_each_item() -> None:
    """What is looked up anyway costs no more than that."""
    shelf, roll = Shelf([]), Roll()
    for number in range(1, 50 * STRETCH, STRETCH // 2):
        assert shelf.recognise(roll, url(number)) == []
        roll.found(number, shelf.read_ahead)
    assert shelf.readings == 1


def test_list_of_failures_does_not_read_ahead_for_each_item() -> None:
    """One reading for each stretch is enough to see that nothing of it is done."""
    shelf, roll = Shelf([]), Roll()
    for number in range(1, 5 * STRETCH):
        assert shelf.recognise(roll, url(number)) == []
        roll.found(number, shelf.read_ahead)
    assert shelf.readings <= 6


@given(st.lists(st.integers(1, 60)), st.sets(st.integers(1, 60)))
def test_nothing_is_said_twice_or_wrongly(numbers: list[int], done: set[int]) -> None:
    """Whatever the order: what is recognised is done, the first time present, after that a duplicate."""
    shelf, roll = Shelf([row(number) for number in sorted(done)]), Roll()
    seen: set[int] = set()
    for number in numbers:
        outcomes = shelf.recognise(roll, url(number))
        if outcomes:
            assert number in done
            assert outcomes[0].status is (Status.DUPLICATE if number in seen else Status.PRESENT)
        else:
            # What the register does after a closer look.
            assert roll.has_seen(number) == (number in seen)
            roll.note(number)
            roll.found(number, shelf.read_ahead)
        seen.add(number)


@pytest.mark.parametrize("number", [-1, -(1 << 63), 1 << 40, (1 << 63) - 1])
def test_rows_may_be_numbered_oddly(number: int) -> None:
    """A ledger of a stranger costs no memory by it, and its items are known again all the same."""
    roll = Roll()
    roll.note(1)
    assert not roll.has_seen(number)
    assert [roll.note(number), roll.note(number), roll.has_seen(number)] == [True, False, True]
    assert len(roll._seen) < 10_000
