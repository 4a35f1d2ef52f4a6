"""What a row of the ledger holds is read as it was written, and what nobody of us has written is read as nothing."""

from __future__ import annotations

from string import hexdigits

from hypothesis import given
from hypothesis import strategies as st

from aioflags.items import Item
from aioflags.ledger_rows import (
    key_of,
    read_asked,
    read_digests,
    storable,
    write_asked,
    write_digests,
)

WORDS = st.text("abcdefghijklmnopqrstuvwxyz0123456789_-", min_size=1)


@given(st.dictionaries(WORDS, st.text(hexdigits, min_size=1), max_size=4))
def test_digests_come_back(digests: dict[str, str]) -> None:
    """One or many, in their order."""
    assert read_digests(write_digests(digests)) == digests


def test_what_a_list_says_comes_back() -> None:
    """All but URL, name and line, and nothing where it says nothing."""
    item = Item("http://h/a", "b", "0" * 64, 4, {"X-Key": "1"}, "md5:" + "1" * 32, 7)
    assert Item("http://h/a", "b", line=7, **read_asked(write_asked(item))) == item  # type: ignore[arg-type]
    assert write_asked(Item("http://h/a", "b", line=7)) is None


def test_what_is_no_object_says_nothing() -> None:
    """A ledger may come from anywhere."""
    for text in ("[1]", None, "", "{", "[" * 100_000):
        assert read_asked(text) == {}
    assert read_digests(None) == read_digests("") == read_digests(":") == read_digests("a b") == {}


@given(st.text(), st.text())
def test_url_and_wish_have_a_key_of_their_own(url: str, wish: str) -> None:
    """Whatever is in them; a name that is asked for makes another item of the URL."""
    url = url.replace(" ", "")
    assert len(key_of(url, None)) == len(key_of(url + "\ud800", wish)) == 16
    assert key_of(url, wish) != key_of(url, None)
    assert key_of(url, wish) != key_of(url + "x", wish)


def test_text_that_is_none_can_be_stored() -> None:
    """As one can see what it was."""
    assert storable("fl\udcffag") == "fl\\udcffag"
