"""What the register asks: each item has its row and its name, and whoever asks later is told so."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioflags.errors import StorageError, make_error
from aioflags.items import Item, Rejected
from aioflags.journal import End, Ready
from aioflags.ledger import Ledger
from aioflags.ledger_rows import State, read_asked
from tests.ledgers import DIGESTS, URL, add, find, saved

Open = Callable[[], Ledger]


@pytest.fixture
def open_ledger(tmp_path: Path) -> Iterator[Open]:
    """Open a ledger as a run does; one that the test has not closed is closed in the end."""
    opened: list[Ledger] = []

    def open_it() -> Ledger:
        opened.append(Ledger.open(str(tmp_path), str(tmp_path), is_kept=True, is_left_over=lambda *_: False))
        return opened[-1]

    yield open_it
    for ledger in opened:
        with suppress(StorageError):
            ledger.close()


def test_name_is_given_once(open_ledger: Open) -> None:
    """Not even in another case, in another run, or to a folder."""
    first = open_ledger()
    add(first)
    first.close()
    ledger = open_ledger()
    with ledger.claiming():
        assert ledger.add(Item("http://h/A"), None, "A", ledger.find("http://h/A", None)) is None
        assert not ledger.take_folder("A")
        assert ledger.take_folder("b")
        assert ledger.take_folder("B")
        known = ledger.find("http://h/b", None)
        assert ledger.add(Item("http://h/b"), None, "b", known) is None
        assert ledger.add(Item("http://h/b"), None, "b/c", known) is not None


@pytest.mark.parametrize("first", [None, "b"])
def test_url_and_wish_are_the_item(open_ledger: Open, first: str | None) -> None:
    """The same URL under another name is another file, whichever came first, and that is known of both."""
    ledger = open_ledger()
    second = "b" if first is None else None
    rows = {wish: add(ledger, name=wish or "a", wish=wish) for wish in (first, second, "c")}
    for wish, row in rows.items():
        known = ledger.find(URL, wish)
        assert known.row == row
        assert known.first == rows[first]
    known = ledger.find(URL, "d")
    assert (known.first, known.row) == (rows[first], None)


def test_last_word_of_a_list_is_on_record(open_ledger: Open) -> None:
    """What was asked for besides URL and name, as it was asked for last."""
    ledger = open_ledger()
    row = add(ledger)
    assert row.asked is None
    wanted = Item(URL, sha256="0" * 64, headers={"X-Key": "1"})
    with ledger.claiming():
        ledger.renew(row, wanted)
    assert read_asked(find(ledger).asked) == {"sha256": "0" * 64, "headers": {"X-Key": "1"}}
    with ledger.claiming():
        ledger.renew(find(ledger), Item(URL))
    assert find(ledger).asked is None


@pytest.mark.parametrize(("has_file", "state"), [(True, State.DONE), (False, State.FAILED)])
def test_bad_line_takes_no_file_from_the_record(open_ledger: Open, has_file: bool, state: State) -> None:
    """A URL that is done stays done, whatever another line says of it; one that is not has a new reason."""
    ledger = open_ledger()
    row = add(ledger)
    if has_file:
        ledger.ready([Ready(row.id, 4, DIGESTS)])
        ledger.record([End(row.id, saved())])
    error = make_error("url", "no")
    with ledger.claiming():
        assert ledger.refuse(Rejected(URL, error), None, error, ledger.find(URL, None)) == row.id
    assert find(ledger).state == state


def test_refused_item_has_a_row_that_is_used_when_it_is_mended(open_ledger: Open) -> None:
    """Under the same number, be it the first of its URL or not."""
    ledger = open_ledger()
    error = make_error("name", "no")
    for wish in (None, "../x"):
        with ledger.claiming():
            number = ledger.refuse(Item(URL, wish), wish, error, ledger.find(URL, wish))
            known = ledger.find(URL, wish)
            assert known.row is not None
            assert (known.row.id, known.row.name) == (number, None)
            assert ledger.refuse(Item(URL, wish), wish, error, known) == number
            row = ledger.add(Item(URL, wish), wish, f"{number}", known)
        assert row is not None
        assert (row.id, find(ledger, wish=wish).name) == (number, f"{number}")


def test_first_rows_are_read_ahead(open_ledger: Open) -> None:
    """Those under other names are not: a URL is one item of a list."""
    ledger = open_ledger()
    rows = [add(ledger, name=wish, wish=wish) for wish in ("b", "c")]
    ledger.record([End(row.id, saved()) for row in rows])
    assert ledger.done_after(0) == {URL: (rows[0].id, URL, "b", 4, find(ledger, wish="b").digests, "b", None)}


@given(st.lists(st.tuples(st.text(min_size=1), st.none() | st.text(min_size=1)), unique=True, max_size=20))
def test_keys_keep_items_apart(items: list[tuple[str, str | None]]) -> None:
    """Whatever stands in a list, two items are never one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("aioflags.ledger.boot_id", lambda: "boot")
        with tempfile.TemporaryDirectory() as path:
            ledger = Ledger.open(path, path, is_kept=False, is_left_over=lambda *_: False)
            with ledger.claiming():
                # Two blanks part URL and wish, and a URL has none.
                items = [(url.replace(" ", ""), wish) for url, wish in items]
                for number, (url, wish) in enumerate(dict.fromkeys(items)):
                    known = ledger.find(url, wish)
                    assert known.row is None
                    assert ledger.add(Item(url), wish, f"{number}", known) is not None
            ledger.close()


def test_new_ledger_finds_what_was_put_there(open_ledger: Open) -> None:
    """Whether it was given a name or refused; also a URL that cannot be told from another without a look."""
    first, second = twins()
    ledger = open_ledger()
    known = ledger.find(first, None)
    assert known.first is None
    with ledger.claiming():
        ledger.refuse(Rejected(first, make_error("url", "bad"), 1), None, make_error("url", "bad"), known)
    assert find(ledger, first).state == State.FAILED
    assert ledger.find(second, None).first is None
    add(ledger, second, "b")
    add(ledger, second, "c", wish="c")
    assert find(ledger, second).name == "b"
    assert find(ledger, second, "c").name == "c"


def test_line_that_reads_like_an_item_under_another_name_has_its_own_row(open_ledger: Open) -> None:
    """What is no URL may have the blanks that part URL and name in a key: a new ledger looks before it says new."""
    ledger = open_ledger()
    rows = [add(ledger, name=wish or "a", wish=wish).id for wish in (None, "b")]
    bad = Rejected(f"{URL}  b", make_error("url", "no"))
    with ledger.claiming():
        assert ledger.refuse(bad, None, bad.error, ledger.find(bad.url, None)) not in rows
    assert find(ledger, wish="b").state == State.WANTED


def twins() -> tuple[str, str]:
    """Two URLs that a new ledger cannot tell from each other without a look."""
    seen: dict[int, str] = {}
    for number in count():
        url = f"http://h/{number}"
        if (other := seen.setdefault(hash(url) & 0xFFFFFF, url)) != url:
            return other, url
    raise AssertionError


def test_claims_are_on_record_together(open_ledger: Open) -> None:
    """If one of a group cannot be, none is."""
    ledger = open_ledger()
    with pytest.raises(RuntimeError), ledger.claiming():
        ledger.add(Item(URL), None, "a", ledger.find(URL, None))
        raise RuntimeError
    assert ledger.find(URL, None).first is None


def test_name_is_free_again_when_its_claim_is_not_on_record(open_ledger: Open) -> None:
    """Others who asked for it meanwhile may have it then."""
    ledger = open_ledger()
    with pytest.raises(RuntimeError), ledger.claiming():
        assert ledger.add(Item(URL), None, "a", ledger.find(URL, None)) is not None
        assert ledger.add(Item(f"{URL}b"), None, "A", ledger.find(f"{URL}b", None)) is None
        raise RuntimeError
    add(ledger, f"{URL}b", "A")


def test_name_that_many_ask_for_is_looked_up_once(open_ledger: Open) -> None:
    """A list of folders has one name for all; what was refused stays refused."""
    ledger = open_ledger()
    add(ledger)
    statements: list[str] = []
    with ledger.claiming():
        ledger._file.connection.set_trace_callback(statements.append)
        for number in range(9):
            url = f"{URL}{number}"
            assert ledger.add(Item(url), None, "a", ledger.find(url, None)) is None
        ledger._file.connection.set_trace_callback(None)
    assert len(statements) == 1


def test_claims_are_on_record_while_a_file_is_read(open_ledger: Open) -> None:
    """Whoever has a file to note meanwhile finds its row."""
    ledger = open_ledger()
    with ledger.claiming():
        row = ledger.add(Item(URL), None, "a", ledger.find(URL, None))
        assert row is not None
        with ledger.aside():
            ledger.ready([Ready(row.id, 4, DIGESTS)])
    assert find(ledger).state == State.READY


def test_name_of_a_folder_is_no_file_s(open_ledger: Open) -> None:
    """Be the folder there first or the file; the names that a run gave away itself count as those of earlier ones."""
    for number in range(2):
        ledger = open_ledger()
        with ledger.claiming():
            assert ledger.take_folder("Folder")
            assert ledger.add(Item(f"{URL}{number}"), None, "folder", ledger.find(f"{URL}{number}", None)) is None
            known = ledger.find(f"{URL}/{number}", None)
            assert (ledger.add(Item(f"{URL}/{number}"), None, "File", known) is None) == bool(number)
            assert not ledger.take_folder("file")
        ledger.close()
