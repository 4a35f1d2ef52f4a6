"""What a row of the ledger holds is read as it was written, and what nobody of us has written is read as nothing."""

from __future__ import annotations

from string import hexdigits

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioflags.items import Item
from aioflags.ledger_rows import (
    key_of,
    read_asked,
    read_digests,
    storable,
    wish_of,
    write_asked,
    write_digests,
)

ALGORITHMS = ["xxh128", "md5", "sha256", "sha3_256", "blake2b"]


@given(st.dictionaries(st.sampled_from(ALGORITHMS), st.text(hexdigits, min_size=1)))
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
    assert read_digests("foo:1") == read_digests("foo:1 shake_128:2") == {}


@given(st.text(), st.none() | st.text())
def test_twins_have_keys_of_their_own(url: str, wish: str | None) -> None:
    """Whatever is in them: the first of a URL has that of the URL, those under other names have others."""
    url = url.replace(" ", "")
    assert len(key_of(url)) == len(key_of(url + "\ud800", wish, is_twin=True)) == 16
    assert key_of(url) == key_of(url, wish)
    assert key_of(url, wish, is_twin=True) not in (key_of(url), key_of(url, "x" + (wish or ""), is_twin=True))
    assert key_of(url, wish, is_twin=True) != key_of(url + "x", wish, is_twin=True)


@pytest.mark.parametrize(
    ("url", "name", "wish"),
    [
        ("http://h/a.gif", None, None),
        ("http://h/a.gif", "a.gif", None),
        ("http://h/a.gif", "b.gif", "b.gif"),
        ("http://h/%41", "A", None),
        ("http://h/", "index.html", None),
    ],
)
def test_name_that_the_url_has_anyway_is_no_wish(url: str, name: str | None, wish: str | None) -> None:
    """Such an item is that of the URL alone."""
    assert wish_of(Item(url, name)) == wish


def test_text_that_is_none_can_be_stored() -> None:
    """As one can see what it was."""
    assert storable("fl\udcffag") == "fl\\udcffag"
