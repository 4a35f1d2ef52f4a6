"""The page of results: complete in itself, for any window, and everything that is in the JSON can be read on it."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from benchmarks.page import make_page
from benchmarks.results import Ceiling, Round
from tests.browser import CHROMIUM, open_browser
from tests.measured import a_case, a_ceiling, a_result, a_series, spoiled

VOID = {"meta", "link", "br"}
SERIES = (a_series("aioflags", 2.0, 2.2, 2.4), a_series("curl", 1.0, 1.1, 1.2), a_series("pypdl", 30.0, is_cold=True))
CASE = a_case(*SERIES, spoiled(), ceiling=a_ceiling(), ideal=0.5)
RESULTS = [a_result(CASE), a_result(replace(CASE, ceiling=Ceiling(absent="no wrk")), scenario="large", quick=True)]


class Text(HTMLParser):
    """Sees that every element is closed, and collects texts and references."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.references: list[str] = []
        self.tags: list[str] = []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note it."""
        self.tags.append(tag)
        self.references += [value or "" for name, value in attrs if name in {"src", "href", "srcset", "action"}]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """What was opened last is closed first."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Note it."""
        self.texts.append(data)


def test_the_page_needs_nothing_else() -> None:
    """No script, and no reference but into itself."""
    page = Text(make_page(RESULTS))
    assert "script" not in page.tags
    assert set(page.references) == {"data:,", "#small", "#large"}


@pytest.mark.parametrize(
    "fact",
    [
        "What <small> costs",
        "Measured 2026-01-02T03:04:05+00:00.",
        "aioflags 1.0",
        "why <curl>",
        "curl -i 'URLS & more'",
        "wrk -c 64",
        "1, cold",
        "1.00 to 1.20 s",
        "the server's ceiling, by wrk 4",
        "a note & more.",
        "no wrk.",
        "not ranked: 3 missing, 2 wrong, exit 8, in 1 of 2 rounds",
        "it is <full>",
        "Not installed, and skipped: aria2.",
        "apt-get install aria2",
        "Linux 6",
        "Quick: few and small files, for a look and not for quoting.",
    ],
)
def test_everything_can_be_read(fact: str) -> None:
    """As it stands in the results, whatever letters it has."""
    assert fact in Text(make_page(RESULTS)).texts


def test_one_round_has_no_spread() -> None:
    """Nothing is said of least and most where there was one round only."""
    assert "30.0 to 30.0 s" not in make_page(RESULTS)


def test_who_was_ended_has_no_figures() -> None:
    """Nobody knows what it used: only after how long it was ended is said."""
    ended = replace(SERIES[2], rounds=[Round(150.0, 0.0, 0.0, 0, None, missing=70)])
    page = Text(make_page([a_result(a_case(SERIES[0], ended))]))
    assert "not ranked: 70 missing, took too long, ended after 150 s, in 1 of 1 rounds" in page.texts
    assert {"150 s", "0.00 MiB", "0.00 s"} & set(page.texts) == set()


def test_a_page_of_nothing_is_a_page() -> None:
    """Without scenarios, and one whose case nobody came through."""
    Text(make_page([]))
    assert "not ranked: 3 missing" in make_page([a_result(a_case(spoiled("aioflags"), spoiled("curl")))])


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: apt-get install chromium")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1280])
async def test_a_browser_shows_the_page(tmp_path: Path, width: int, scheme: str) -> None:
    """It asks for nothing but the page, complains of nothing, fits the window, and writes dark on light or reverse."""
    page = tmp_path / "page.html"
    page.write_text(make_page(RESULTS), encoding="utf-8")
    async with open_browser(tmp_path / "profile") as browser:
        await browser.show(page.as_uri(), width=width, scheme=scheme)
        assert browser.complaints == []
        assert {url for url in browser.requests if not url.startswith("data:")} == {page.as_uri()}
        assert await browser.evaluate("document.documentElement.scrollWidth") <= width
        ink = await browser.evaluate("getComputedStyle(document.querySelector('.chart text')).fill")
        letters = await browser.evaluate("document.querySelector('.chart text').getBoundingClientRect().height")
    shades = [int(part) for part in ink.removeprefix("rgb(").rstrip(")").split(",")]
    assert (sum(shades) > 3 * 128) is (scheme == "dark")
    assert letters >= 11
