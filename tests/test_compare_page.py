"""The page that shows who waited when."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from aioflags.compare.measure import Comparison
from aioflags.compare.page import make_page
from aioflags.compare.runs import Run, Span, Summary, summarise
from tests.browser import CHROMIUM, open_browser

CAPACITIES = {"sequential": 1, "threads": 6, "asyncio": 64}
VOID = {"meta", "link", "br"}


def an_engine(name: str, workers: int, files: int, *, failed: int = 0) -> Summary:
    """An engine whose workers take files in turn; each file waits, connects, receives and is written."""
    spans = []
    for number in range(files):
        begin = number // workers * 0.1
        marks = (0.0, begin, begin + 0.005, begin + 0.07, begin + 0.09, begin + 0.0999)
        spans.append(Span(f"task {number % workers + 1}", f"{number}.svg", marks, is_failed=number < failed))
    wall = -(-files // workers) * 0.1
    return summarise([Run(name, wall, 0.05, 40_000_000, 3, 1, 0.1, files - failed, failed, 9000, tuple(spans))])


def a_comparison(files: int, *, failed: int = 0) -> Comparison:
    """Three engines with the same files."""
    engines = (
        an_engine("sequential", 1, files),
        an_engine("threads", 6, files),
        an_engine("asyncio", min(64, files), files, failed=failed),
    )
    return Comparison(engines, files, 9000, ())


def page_of(files: int, *, failed: int = 0) -> str:
    """The page of such a comparison."""
    return make_page(a_comparison(files, failed=failed), CAPACITIES, "a <test>")


class Outline(HTMLParser):
    """Sees that every element is closed, and collects what a page refers to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.references: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note it."""
        self.tags.append(tag)
        self.references += [value or "" for name, value in attrs if name in {"src", "href", "srcset", "action"}]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note it; it is closed at once."""
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """What ends is what began last."""
        assert self.open.pop() == tag


def test_page_is_whole_and_refers_to_nothing_outside() -> None:
    """Every element is closed; no script, no reference but an empty icon, and a policy that forbids any."""
    page = page_of(20)
    outline = Outline(page)
    assert outline.open == []
    assert outline.references == ["data:,"]
    assert not {"script", "img", "iframe", "object"} & set(outline.tags)
    assert not re.search(r"https?:|url\(|@import|//[a-z]", page)
    assert "default-src 'none'" in page


def test_page_holds_what_was_measured() -> None:
    """Every engine with its figures and its sentence, every file with its times, the title escaped."""
    page = page_of(20)
    for text in ("2.000", "5.0&times;", "20.0&times;", "40.0 MB", "a &lt;test&gt;"):
        assert text in page
    assert "One after the other, so it takes the sum: 20 files, 2.00 s together." in page
    assert "All 20 at once, so it takes as long as the longest, 100 ms" in page
    assert "7.svg, from 700 ms to 800 ms, waiting for a slot 700 ms, connecting 5.0 ms" in page
    assert page.count("<title>7.svg, ") >= 3


def test_failed_files_are_marked_and_explained() -> None:
    """A bar of a failed file is striped and the legend says so; without failures neither is there."""
    assert 'class="x"' not in page_of(20)
    assert "<li><i class=x>" not in page_of(20)
    page = page_of(20, failed=1)
    assert "<title>0.svg, failed, " in page
    assert "<li><i class=x></i>failed</li>" in page


@pytest.mark.slow
@pytest.mark.parametrize("files", [5_000, 20_000])
def test_page_of_many_files_stays_small(files: int) -> None:
    """Under 2 MB, some thousand bars at most, and no file is left out of the count."""
    page = page_of(files)
    assert len(page.encode()) < 2_000_000
    assert page.count("<g>") <= 4_500
    assert "files, 0.svg first" in page


def test_lanes_beyond_those_that_can_be_shown_are_counted() -> None:
    """Of a hundred task slots 64 are drawn, and the others are mentioned."""
    comparison = replace(a_comparison(100), engines=(an_engine("asyncio", 100, 100),))
    page = make_page(comparison, {"asyncio": 100}, "t")
    assert page.count('<div class="lane">') == 64
    assert "and 36 more lanes like these" in page


def test_nothing_attempted_has_a_page_all_the_same() -> None:
    """A run in which no request was made is no reason to fail."""
    empty = summarise([Run("asyncio", 1.0, 0.1, None, 1, 1, None, 0, 1, 0, ())])
    assert "Nothing was attempted." in make_page(Comparison((empty,), 1, 0, ()), {"asyncio": 64}, "t")


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: what the page looks like is not tested")
async def test_page_in_a_real_browser(tmp_path: Path) -> None:
    """On a desk and on a phone, light and dark, few files and many: no complaint, no request, nothing runs wide."""
    async with open_browser(tmp_path / "profile") as browser:
        grounds = set()
        for files in (20, 5_000):
            path = tmp_path / f"{files}.html"
            path.write_text(page_of(files, failed=1), encoding="utf-8")
            for width, scheme in ((1280, "light"), (390, "dark"), (390, "light"), (320, "dark")):
                await browser.show(path.as_uri(), width=width, scheme=scheme)
                wide, there = await browser.evaluate(
                    "[document.body.scrollWidth, document.documentElement.clientWidth]"
                )
                assert wide <= there <= width
                assert await browser.evaluate("document.querySelectorAll('.lane svg g').length") > 50
                assert await browser.evaluate("document.querySelector('.lane svg').clientWidth") > width / 2
                assert browser.complaints == []
                assert {url for url in browser.requests if not url.startswith("data:")} == {path.as_uri()}
                grounds.add(await browser.evaluate("getComputedStyle(document.body).backgroundColor"))
        assert len(grounds) == 2
