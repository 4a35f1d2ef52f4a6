"""The charts: bars as long as medians, lines from least to most, and nobody ranked who lost files."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.charts import CLIP, chart, picture
from benchmarks.results import Case
from tests.measured import a_case, a_ceiling, a_result, a_series, spoiled

SVG = "{http://www.w3.org/2000/svg}"
SECONDS = st.floats(1e-4, 1e4)


def drawn(case: Case) -> ElementTree.Element:
    """The chart of a case, as a tree."""
    return ElementTree.fromstring(chart(case))


def widths(case: Case) -> list[float]:
    """How long the bars are, from top to bottom, the ceiling's among them."""
    return [float(bar.get("width", "nan")) for bar in drawn(case).iter("rect")]


def texts(case: Case) -> list[str]:
    """All that is written, in order."""
    return [text.text or "" for text in drawn(case).iter("text")]


def test_a_bar_is_as_long_as_the_median() -> None:
    """The least comes first; the longest round of all fills the width."""
    fast, slow = widths(a_case(a_series("aioflags", 3.0, 2.0, 4.0), a_series("curl", 1.0)))
    assert slow == pytest.approx(3 * fast, abs=0.1)
    assert widths(a_case(a_series("curl", 1.0))) == [pytest.approx(4 * fast, abs=0.5)]


def test_the_line_goes_from_least_to_most() -> None:
    """Its ends are in proportion to the bar, which ends at the median."""
    case = a_case(a_series("curl", 1.0, 2.0, 4.0))
    path = next(each for each in drawn(case).iter("path") if each.get("class") == "spread")
    left, right = (float(number) for number in path.get("d", "")[1:].partition("M")[0].replace("21.5H", "").split())
    assert [left, right] == pytest.approx([widths(case)[0] / 2, widths(case)[0] * 2], abs=0.1)


def test_who_spoiled_files_has_no_bar() -> None:
    """It stands last, with what was wrong."""
    case = a_case(spoiled("aria2"), a_series("curl", 1.0), a_series("aioflags", 2.0))
    assert len(widths(case)) == 2
    assert texts(case)[-2:] == ["aria2", "not ranked: 3 missing, 2 wrong, exit 8, in 1 of 2 rounds"]


def test_ratios_stand_beside_the_medians() -> None:
    """To the baseline, which has none itself."""
    case = a_case(a_series("aioflags", 2.0), a_series("curl", 1.0))
    assert texts(case) == ["wall, n = 1; x: times curl", "curl", "1.00 s", "aioflags", "2.00 s · 2.00x"]


def test_ours_is_told_apart() -> None:
    """The program as it is by default has a bar of another colour, and nobody else has."""
    case = a_case(a_series("aioflags", 2.0), a_series("aioflags --no-ledger", 1.9), a_series("curl", 1.0))
    assert [bar.get("class") for bar in drawn(case).iter("rect")] == ["bar bar", "bar bar", "bar ours"]


def test_the_server_has_a_bar_of_its_own() -> None:
    """On top, as long as what it would take the server alone."""
    case = a_case(a_series("curl", 1.0), ceiling=a_ceiling())
    assert texts(case)[1:3] == ["the server's ceiling, by wrk", "0.100 s"]
    assert widths(case)[0] == pytest.approx(widths(case)[1] / 10, abs=0.1)


@given(st.lists(SECONDS, min_size=1, max_size=6))
def test_bars_keep_to_the_picture(medians: list[float]) -> None:
    """However far apart the contenders are: who takes more than `CLIP` times the least is torn off, nobody else."""
    case = a_case(*(a_series(f"contender {number}", median) for number, median in enumerate(medians)))
    tree = drawn(case)
    right = float(tree.get("viewBox", "").split()[2])
    torn = [each for each in tree.iter("path") if each.get("class") == "torn"]
    assert all(1 <= width <= right for width in widths(case))
    assert len(torn) == sum(median > CLIP * min(medians) for median in medians)


def test_a_case_that_nobody_came_through_is_drawn() -> None:
    """With what was wrong, and no bar."""
    assert widths(a_case(spoiled("curl"), spoiled("aioflags"))) == []


def test_a_picture_has_all_cases_and_needs_nothing_else() -> None:
    """Titles in full, on several lines if need be; styles of its own, light and dark, and no reference."""
    case = a_case(a_series("curl", 1.0), key="a key so long that a single line has no room for it, nor has the next")
    file = picture(a_result(case, a_case(a_series("aioflags", 1.0)), a_case(spoiled())))
    tree = ElementTree.fromstring(file)
    title = " ".join(text.text or "" for text in tree.iter(f"{SVG}text") if text.get("class") == "title")
    assert title == f"{case.title} 100 files of <2 KiB> 100 files of <2 KiB>"
    assert "prefers-color-scheme: dark" in file
    assert "href" not in file
    assert "url(" not in file


def test_charts_of_a_picture_do_not_overlap() -> None:
    """Two beside each other, the next below the higher of both, all within the frame."""
    cases = [a_case(*(a_series(f"{n}", 1.0) for n in range(count))) for count in (2, 5, 3)]
    tree = ElementTree.fromstring(picture(a_result(*cases)))
    places = [each.get("transform", "") for each in tree.findall(f"{SVG}g")]
    (left, top), (right, beside), (_, below) = (
        map(float, place.removeprefix("translate(").rstrip(")").split()) for place in places
    )
    assert (top, left < right) == (beside, True)
    assert below >= top + 5 * 34
    assert float(tree.get("height", 0)) >= below + 3 * 34
