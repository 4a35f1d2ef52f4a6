"""What the flag server has under which path."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioflags.flagserver.countries import COUNTRIES
from aioflags.flagserver.resources import Resource, find_resource, make_bytes


def _content(resource: Resource | None) -> bytes:
    assert resource is not None
    content = b"".join(resource.read(0, resource.size))
    assert len(content) == resource.size
    return content


@given(st.integers(0, 200_000), st.integers(0, 200_000))
def test_any_part_of_sized_bytes_fits_the_whole(one: int, other: int) -> None:
    """Content depends on the offset only, so a part read alone equals the slice of the whole."""
    start, stop = sorted((one, other))
    resource = make_bytes(200_000, "")
    assert b"".join(resource.read(start, stop)) == _content(resource)[start:stop]


def test_sized_bytes_look_random_and_differ_by_seed() -> None:
    """Every byte value is about equally frequent, no two 64 KiB are alike, and each seed has its own content."""
    content = _content(find_resource("/bytes/1048576"))
    counts = Counter(content)
    assert len(counts) == 256
    assert max(counts.values()) < 1.15 * len(content) / 256
    assert len({content[start : start + 65536] for start in range(0, len(content), 65536)}) == 16
    assert _content(find_resource("/bytes/1000", "1")) != _content(find_resource("/bytes/1000", "2"))


def test_sized_bytes_are_the_same_forever() -> None:
    """The first bytes are pinned: a file of an older version can be continued from a newer server."""
    assert _content(find_resource("/bytes/8")).hex() == "959e0f81d0630297"


def test_huge_size_costs_nothing_until_read() -> None:
    """An exabyte is there at once, and its end can be read alone."""
    resource = find_resource(f"/bytes/{1 << 60}")
    assert resource is not None
    assert len(b"".join(resource.read(resource.size - 10, resource.size))) == 10


def test_validator_belongs_to_the_content() -> None:
    """Same content, same ETag; another size or seed, another."""
    tags = [make_bytes(size, seed).etag for size, seed in ((5, ""), (5, "1"), (6, ""), (5, ""))]
    assert tags[0] == tags[3]
    assert len(set(tags)) == 3


@pytest.mark.parametrize("cc", [cc.lower() for cc in COUNTRIES])
def test_every_country_has_its_metadata(cc: str) -> None:
    """Name and code stand in the file of the classic layout."""
    metadata = json.loads(_content(find_resource(f"/{cc}/metadata.json")))
    assert metadata == {"country": COUNTRIES[cc.upper()], "gif_cc": cc}


@pytest.mark.parametrize(
    ("path", "content_type"),
    [("/", "text/html; charset=utf-8"), ("/fr/fr.svg", "image/svg+xml"), ("/fr/fr.gif", "image/gif")],
)
def test_pages_and_pictures_have_their_types(path: str, content_type: str) -> None:
    """The media type fits what is served."""
    resource = find_resource(path)
    assert resource is not None
    assert resource.content_type == content_type
    assert resource.size > 100


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/fr",
        "/fr/",
        "/fr/de.gif",
        "/FR/FR.gif",
        "/xx/xx.gif",
        "/xx/metadata.json",
        "/fr/fr.png",
        "/fr/fr.gif/",
        "/bytes/",
        "/bytes/-1",
        "/bytes/01",
        "/bytes/x",
        "/bytes/²",
        f"/bytes/{1 << 61}",
        "/../etc/passwd",
    ],
)
def test_anything_else_is_not_there(path: str) -> None:
    """A path that names nothing finds nothing."""
    assert find_resource(path) is None
