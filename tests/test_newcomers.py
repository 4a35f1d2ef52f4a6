"""New items on their way into the table: all arrive, in their order, and nobody is taken for new who is not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioflags.ledger_file import LedgerFile
from aioflags.newcomers import Newcomers, _Marks


@pytest.fixture
def file(tmp_path: Path) -> Iterator[LedgerFile]:
    file = LedgerFile(str(tmp_path / "ledger"), is_kept=True)
    yield file
    file.close()


def values(number: int) -> tuple[object, ...]:
    return f"http://h/{number}", "", "{}", f"{number}", f"{number}", 1, 0.5, 0, bytearray(f"{number}".encode())


@pytest.mark.parametrize("count", [0, 1, 31, 32, 33, 64, 70])
def test_all_arrive_under_the_numbers_that_were_given(file: LedgerFile, count: int) -> None:
    """However many there are, and whatever came before by another way; what is empty is nothing."""
    db = file.connection
    newcomers = Newcomers(db)
    for start in (0, count + 1):
        db.execute("INSERT INTO items (key, url) VALUES (?, 'http://h/')", (f"other {start}".encode(),))
        numbers = [newcomers.add(values(start + number)) for number in range(count)]
        newcomers.flush()
        found = db.execute("SELECT id, url, wish, asked, name FROM items WHERE id > ?", (start + 1,)).fetchall()
        assert numbers == list(range(start + 2, start + 2 + count))
        assert found == [(row, f"http://h/{row - 2}", None, "{}", f"{row - 2}") for row in numbers]


def test_who_is_forgotten_does_not_arrive(file: LedgerFile) -> None:
    """And the number is another's."""
    newcomers = Newcomers(file.connection)
    newcomers.add(values(1))
    newcomers.forget()
    assert newcomers.add(values(2)) == 1
    newcomers.flush()
    assert file.connection.execute("SELECT name FROM items").fetchall() == [("2",)]


def test_nobody_is_certainly_new_among_others(file: LedgerFile) -> None:
    """What earlier runs have put there has to be looked up."""
    assert Newcomers(file.connection).is_new_key("http://h/b")
    file.connection.execute("INSERT INTO items (key, url) VALUES (x'00', 'http://h/a')")
    newcomers = Newcomers(file.connection)
    assert not newcomers.is_new_key("http://h/b")
    assert not newcomers.is_new_name("b")


@given(st.lists(st.text(max_size=2)))
def test_no_text_is_new_twice(texts: list[str]) -> None:
    """Some that were never seen are taken for old, but never the other way round."""
    marks = _Marks(is_blank=True)
    said = [marks.set(text) for text in texts]
    assert sum(said) <= len(set(texts))
    assert not any(marks.set(text) for text in texts)
