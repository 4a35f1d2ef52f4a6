"""The page at the root of the flag server."""

from __future__ import annotations

from html.parser import HTMLParser

from aioflags.flagserver.countries import COUNTRIES
from aioflags.flagserver.index_page import make_index_page
from aioflags.flagserver.resources import find_resource


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.places: set[str] = set()
        self.labels: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.places |= {place for name in ("href", "src") if (place := found.get(name)) is not None}
        if tag == "img":
            self.labels.append(found["alt"] or "")


def test_page_shows_every_flag_and_leads_only_to_what_exists() -> None:
    """Each country is shown by name, and every link finds something on the same server."""
    page = _Page()
    page.feed(make_index_page().decode())
    assert page.labels == [f"Flag of {name}" for name in COUNTRIES.values()]
    assert {place for place in page.places if find_resource(place) is None} == set()


def test_page_follows_light_and_dark() -> None:
    """Both colour schemes are declared, and nothing is taken from elsewhere."""
    page = make_index_page()
    assert b"prefers-color-scheme: dark" in page
    assert b"//" not in page
