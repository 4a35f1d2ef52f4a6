"""What a row of the ledger holds is read as it was written, and what nobody of us has written is read as nothing."""

from __future__ import annotations

from hashlib import blake2b
from itertools import count
from string import hexdigits

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioflags.items import Item
from aioflags.ledger_rows import (
    key_of,
    name_key_of,
    read_asked,
    read_digests,
    storable,
    twin_key_of,
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
    twin = twin_key_of(url, wish)
    assert twin not in (key_of(url), twin_key_of(url, "x" + (wish or "")), twin_key_of(url + "x", wish))
    # Whoever writes a list may write a URL that looks like two.
    assert twin not in [key_of(f"{url}{between}{wish or ''}") for between in ("  ", "\n", "\xff", "")]


def test_no_url_is_written_like_a_twin() -> None:
    """Not even with an end that is what the name's digest would be as a text: one name in some thousands has such."""

    def text_of(wish: str) -> str:
        return blake2b(wish.encode(), digest_size=16).digest().decode(errors="replace")

    wish = next(wish for wish in map(str, count()) if not {"\ufffd", "/"} & {*text_of(wish)})
    assert twin_key_of("http://h/", wish) != key_of(f"http://h/{text_of(wish)}")


# Short and long ends, folders and none, what is no Unicode, and what would be the end of another.
ODD_URLS = [
    "",
    "/",
    "a",
    "/a",
    "//",
    "//a",
    "h/a",
    "h/a/",
    "h/a/a",
    "h/a" + "b" * 24,
    "h/" + "b" * 25,
    "h/\ud800",
    "\ud800/a",
]


@given(st.lists(st.sampled_from(ODD_URLS) | st.text("/ab", max_size=30), unique=True))
def test_each_url_has_its_own_key(urls: list[str]) -> None:
    """Wherever it is taken apart."""
    assert len({bytes(key_of(url)) for url in urls}) == len(urls)


def test_keys_of_a_folder_are_in_the_order_of_its_files() -> None:
    """Files that follow each other in a list are neighbours in the ledger; their names, too."""
    urls = [f"http://h/{number:04}.gif" for number in range(300)]
    assert [key_of(url) for url in urls] == sorted(key_of(url) for url in urls)
    names = [name_key_of(url[-8:]) for url in urls]
    assert names == sorted(names)


def test_keys_are_short() -> None:
    """However long a URL or a name is."""
    assert max(len(key_of("http://h/" + "a" * length)) for length in range(100)) == 16 + 24
    assert max(len(name_key_of("a" * length)) for length in range(100)) == 24


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
