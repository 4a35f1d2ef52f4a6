"""Figures of a series that follow from its rounds, by the key of their column. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from benchmarks.results import Case, Column, Round, Series

__all__ = [
    "LARGE_FILES",
    "SMALL_FILES",
    "ceiling_of",
    "figure_of",
    "order",
    "rank_figure",
    "reference_of",
    "show",
    "show_spread",
]

WALL = Column("wall", "wall", "s")
CPU = Column("cpu", "cpu", "s")
MEMORY = Column("memory", "peak memory", "MiB")
TIMES = Column("times", "times curl", "times")
RATE = Column("rate", "files/s", "per second")
THROUGHPUT = Column("throughput", "MB/s", "MB/s")
CPU_EACH = Column("cpu each", "cpu a file", "us")
WALL_EACH = Column("wall each", "wall a file", "us")
IDEAL = Column("ideal", "times the ideal", "times")

SMALL_FILES = (WALL, TIMES, RATE, CPU, CPU_EACH, MEMORY)
LARGE_FILES = (WALL, TIMES, THROUGHPUT, CPU, MEMORY)


def figure_of(case: Case, key: str) -> Callable[[Round], float] | None:
    """Give the function that reads a figure off a round; `None` if the case has nothing to make it from."""
    items = max(1, case.items)
    base = next((each for each in case.series if each.name == case.baseline and each.is_clean), None)
    made: dict[str, Callable[[Round], float]] = {
        "wall": lambda each: each.wall,
        "cpu": lambda each: each.cpu,
        "user": lambda each: each.user,
        "system": lambda each: each.system,
        "memory": lambda each: float(each.memory),
        "rate": lambda each: items / each.wall,
        "throughput": lambda each: case.bytes / each.wall,
        "cpu each": lambda each: each.cpu / items,
        "wall each": lambda each: each.wall / items,
    }
    if base is not None:
        walled = base.median(made["wall"])
        made["times"] = lambda each: each.wall / walled
    if case.ideal:
        ideal = case.ideal
        made["ideal"] = lambda each: each.wall / ideal
    if key in made:
        return made[key]
    if any(key in each.figures for series in case.series for each in series.rounds):
        return lambda each: each.figures.get(key, float("nan"))
    return None


def rank_figure(case: Case) -> Callable[[Round], float]:
    """Give the function that reads the first column, which ranks; NaN where a round has no such figure."""
    return figure_of(case, case.columns[0].key) or (lambda _: math.nan)


def order(case: Case) -> Sequence[Series]:
    """Put the least of the first column first; those that lost or spoiled files come last, unranked."""
    figure = rank_figure(case)
    return sorted(case.series, key=lambda each: (not each.is_clean, each.median(figure)))


def reference_of(case: Case) -> Series | None:
    """Give whom the others are measured by: the baseline, else the best; `None` if nobody is clean."""
    clean = [each for each in order(case) if each.is_clean]
    return next((each for each in clean if each.name == case.baseline), clean[0] if clean else None)


def ceiling_of(case: Case, key: str) -> float | None:
    """Give what the server alone would reach in a column; `None` where that was not measured or means nothing."""
    limit = case.ceiling
    if limit is None or limit.absent:
        return None
    seconds = max(
        case.items / limit.requests if limit.requests else 0.0, case.bytes / limit.bytes if limit.bytes else 0.0
    )
    known = {"wall": seconds, "rate": limit.requests, "throughput": limit.bytes}
    return known.get(key) or None


_SCALES = {
    "s": 1.0,
    "ms": 1e3,
    "us": 1e6,
    "MiB": 1 / 2**20,
    "MB/s": 1e-6,
    "per second": 1.0,
    "times": 1.0,
    "count": 1.0,
}
_SUFFIXES = {"s": " s", "ms": " ms", "us": " µs", "MiB": " MiB", "times": "x"}


def show(value: float, unit: str) -> str:
    """Write a figure down, with three digits that mean something.

    >>> show(0.012345, "s"), show(25 * 2**20, "MiB"), show(12345.6, "per second"), show(1.5, "times")
    ('0.0123 s', '25.0 MiB', '12,346', '1.50x')
    """
    if value != value:
        return "-"
    return _digits(value * _SCALES[unit], unit) + _SUFFIXES.get(unit, "")


def _digits(value: float, unit: str) -> str:
    if unit == "count":
        return f"{value:,.0f}"
    size = abs(value)
    places = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 or not size else 3 if size >= 0.1 else 4
    return f"{value:,.{places}f}"


def show_spread(series: Series, figure: Callable[[Round], float], unit: str) -> str:
    """Write down the smallest and the largest of all rounds, the unit once."""
    values = series.values(figure)
    return f"{show(min(values), unit).removesuffix(_SUFFIXES.get(unit, ''))} to {show(max(values), unit)}"
