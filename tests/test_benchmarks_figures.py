"""Figures follow from rounds, and only those that were measured are ranked."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.figures import (
    LARGE_FILES,
    SMALL_FILES,
    ceiling_of,
    figure_of,
    order,
    rank_figure,
    reference_of,
    show,
    show_spread,
)
from benchmarks.results import Case, Ceiling, Column
from tests.measured import a_case, a_ceiling, a_series, spoiled


def value(case: Case, key: str, name: str = "aioflags") -> float:
    """The median of a figure of somebody."""
    figure = figure_of(case, key)
    assert figure is not None
    return next(each for each in case.series if each.name == name).median(figure)


def test_figures_of_a_round() -> None:
    """By hand: a hundred files of 2 KiB in four seconds, two of them at work, against a curl of two."""
    case = a_case(a_series("curl", 1.0, 2.0, 3.0), a_series("aioflags", 4.0), ideal=0.5)
    found = {key: value(case, key) for key in ("wall", "cpu", "rate", "cpu each", "wall each", "times", "ideal")}
    assert found == {
        "wall": 4.0, "cpu": 2.0, "rate": 25.0, "cpu each": 0.02, "wall each": 0.04, "times": 2.0, "ideal": 8.0
    }  # fmt: skip
    assert value(case, "throughput") == 100 * 2048 / 4
    assert value(case, "memory") == 20 << 20


def test_what_was_not_measured_is_no_figure() -> None:
    """No baseline, or one that is not clean; no ideal; nothing of that name."""
    for case in (a_case(a_series("aioflags", 1.0)), a_case(a_series("aioflags", 1.0), spoiled("curl"))):
        assert [figure_of(case, key) for key in ("times", "ideal", "requests")] == [None] * 3


def test_own_figures_of_a_scenario() -> None:
    """By their key; who has none has no number in that column, not a zero."""
    ours = a_series("aioflags", 1.0)
    ours = replace(ours, rounds=[replace(ours.rounds[0], figures={"requests": 3.0})])
    case = a_case(ours, a_series("curl", 1.0))
    assert value(case, "requests") == 3.0
    assert math.isnan(value(case, "requests", "curl"))
    assert show(value(case, "requests", "curl"), "count") == "-"


def test_least_comes_first_and_the_spoiled_last() -> None:
    """However fast they were; the others are measured by the baseline, else by the best."""
    case = a_case(spoiled("fast"), a_series("slow", 3.0), a_series("best", 1.0), a_series("curl", 2.0))
    assert [each.name for each in order(case)] == ["best", "curl", "slow", "fast"]
    reference = reference_of(case)
    assert reference is not None
    assert reference.name == "curl"
    best = reference_of(replace(case, baseline="wget"))
    assert best is not None
    assert best.name == "best"
    assert reference_of(a_case(spoiled())) is None


def test_first_column_ranks() -> None:
    """Whatever it is, in the case's own order of columns."""
    frugal, fast = a_series("frugal", 2.0, memory=1), a_series("fast", 1.0, memory=2)
    case = a_case(fast, frugal, columns=[Column("memory", "peak", "MiB")])
    assert [each.name for each in order(case)] == ["frugal", "fast"]
    assert rank_figure(case)(fast.rounds[0]) == 2.0
    assert math.isnan(rank_figure(a_case(fast, columns=[Column("none", "", "s")]))(fast.rounds[0]))


def test_ceiling_is_the_tighter_of_two() -> None:
    """A server that answers so many requests and sends so many bytes takes the longer of both times."""
    case = a_case(a_series("curl", 1.0), ceiling=a_ceiling())
    assert {key: ceiling_of(case, key) for key in ("wall", "rate", "cpu")} == {"wall": 0.1, "rate": 1000.0, "cpu": None}
    narrow = replace(case, ceiling=Ceiling("wrk", [], 1e9, 2048.0))
    assert ceiling_of(narrow, "wall") == 100.0
    for absent in (None, Ceiling(absent="no wrk")):
        assert ceiling_of(replace(case, ceiling=absent), "wall") is None


@given(st.floats(0.0001, 1e6), st.sampled_from(["s", "ms", "us", "MiB", "MB/s", "per second", "times"]))
def test_shown_figures_are_close_to_the_measured(number: float, unit: str) -> None:
    """Three digits that mean something are right to a hundredth, but for figures next to nothing."""
    scale = {"ms": 1e3, "us": 1e6, "MiB": 1 / 2**20, "MB/s": 1e-6}.get(unit, 1.0)
    shown = float(show(number, unit).rstrip("smxMiBµ ").replace(",", ""))
    assert shown == pytest.approx(number * scale, rel=0.01, abs=0.0001)


def test_spread_has_its_unit_once() -> None:
    """From the least to the most of all rounds."""
    series = a_series("curl", 2.0, 0.5, 1.0)
    assert show_spread(series, lambda each: each.wall, "s") == "0.500 to 2.00 s"


def test_columns_of_files_have_figures() -> None:
    """Each of them, or its table would be narrower than the page says."""
    case = a_case(a_series("curl", 1.0))
    assert all(figure_of(case, column.key) is not None for column in (*SMALL_FILES, *LARGE_FILES))
