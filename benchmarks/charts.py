"""A case as a picture: a bar of the median for each contender, a line from its least to its most. From rounds alone."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from benchmarks.figures import ceiling_of, order, rank_figure, reference_of, show
from benchmarks.results import Case, Result, Series
from benchmarks.tables import show_spoiled

__all__ = ["CLIP", "OURS", "STYLE", "chart", "picture"]

OURS = ("aioflags", "aioflags asyncio", "groups")
"""What a reader gets without choosing anything: the program, its default engine, its way to the disk."""

CLIP = 20.0
"""A bar longer than so many times the shortest is torn off: else the short ones could not be told apart."""

STYLE = Path(__file__).with_name("charts.css").read_text(encoding="utf-8")

_WIDTH = 390
_ROW = 34
_LINE = 17
_GAP = 24
_MARGIN = 10
# A name or a reason of so many letters has room on a line.
_LETTERS = 56
_TITLE_LETTERS = 50


def chart(case: Case) -> str:
    """Draw one case as an SVG element for a page that has `STYLE`."""
    rows = list(_rows(case))
    height = _LINE + _ROW * len(rows) + 8
    return (
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(case.title)}">\n'
        f"{_subtitle(case, 0)}{_stack(rows, _LINE + 4)}\n</svg>"
    )


def picture(result: Result) -> str:
    """Draw all cases of a scenario, two beside each other, as an SVG file that needs nothing else."""
    columns = min(2, max(1, len(result.cases)))
    parts, top = [], _MARGIN
    for begin in range(0, len(result.cases), columns):
        group = result.cases[begin : begin + columns]
        titles = [textwrap.wrap(case.title, _TITLE_LETTERS) for case in group]
        head = _LINE * max(map(len, titles))
        for number, (case, lines) in enumerate(zip(group, titles, strict=True)):
            title = "".join(_title(text, _LINE * line) for line, text in enumerate(lines))
            left = _MARGIN + number * (_WIDTH + _GAP)
            drawn = f"{title}{_subtitle(case, head)}{_stack(list(_rows(case)), head + _LINE + 4)}"
            parts.append(f'<g transform="translate({left} {top})">{drawn}</g>')
        top += head + _LINE + _ROW * max(len(case.series) + 1 for case in group) + _GAP
    width = 2 * _MARGIN + columns * _WIDTH + (columns - 1) * _GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 {width} {top}" width="{width}" '
        f'height="{top}">\n<title>{escape(result.summary)}</title>\n<style>\n{STYLE}</style>\n'
        f'<rect class="paper" width="{width}" height="{top}" rx="8"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _title(text: str, top: int) -> str:
    return f'<text class="title" x="0" y="{top + 13}">{escape(text)}</text>'


def _subtitle(case: Case, top: int) -> str:
    """Say what the bars are, and by whom the others are measured."""
    rounds, reference = max(len(series.rounds) for series in case.series), reference_of(case)
    times = "" if reference is None else f"; x: times {reference.name}"
    text = f"{case.columns[0].title}, n = {rounds}{times}"
    return f'<text class="faint" x="0" y="{top + 13}">{escape(text)}</text>\n'


def _stack(rows: Sequence[str], top: int) -> str:
    return "\n".join(f'<g transform="translate(0 {top + _ROW * number})">{row}</g>' for number, row in enumerate(rows))


def _rows(case: Case) -> Iterator[str]:
    """Give what stands on each line: the server's ceiling, then everybody in order."""
    column, figure = case.columns[0], rank_figure(case)
    limit = ceiling_of(case, column.key)
    longest = _longest(case, limit)
    if limit is not None:
        tool = case.ceiling.tool.split()[0] if case.ceiling else ""
        label = f"the server's ceiling, by {tool}"
        yield _texts(label, show(limit, column.unit), "faint") + _box("limit", limit, longest)
    reference = reference_of(case)
    for series in order(case):
        if not series.is_clean:
            yield _spoiled(series)
            continue
        values, median = series.values(figure), series.median(figure)
        value = show(median, column.unit)
        if reference is not None and series is not reference:
            value += f" · {show(median / reference.median(figure), 'times')}"
        kind = "ours" if series.name in OURS else "bar"
        yield _texts(series.name, value, kind) + _box(f"bar {kind}", median, longest) + _spread(values, longest)


def _longest(case: Case, limit: float | None) -> float:
    """Give the value that fills the width."""
    figure = rank_figure(case)
    clean = [series for series in case.series if series.is_clean]
    most = max([*(max(series.values(figure)) for series in clean), limit or 0.0], default=0.0)
    least = min((series.median(figure) for series in clean), default=0.0)
    return min(most, least * CLIP) or most or 1.0


def _texts(label: str, value: str, kind: str) -> str:
    return (
        f'<text class="{kind}" x="0" y="12">{_shortened(label)}</text>'
        f'<text class="value {kind}" x="{_WIDTH}" y="12">{escape(value)}</text>'
    )


def _spoiled(series: Series) -> str:
    return (
        f'<text class="faint" x="0" y="12">{_shortened(series.name)}</text>'
        f'<text class="bad" x="0" y="27">{_shortened(show_spoiled(series))}</text>'
    )


def _box(kind: str, value: float, longest: float) -> str:
    width = _x(value, longest)
    box = f'<rect class="{kind}" x="0" y="17" width="{max(1.0, width):.1f}" height="9" rx="1"/>'
    return box + (f'<path class="torn" d="M{_WIDTH - 18} 28l6 -12"/>' if value > longest else "")


def _spread(values: Sequence[float], longest: float) -> str:
    left, right = _x(min(values), longest), _x(max(values), longest)
    if right - left < 1:
        return ""
    return f'<path class="spread" d="M{left:.1f} 21.5H{right:.1f}M{left:.1f} 18.5v6M{right:.1f} 18.5v6"/>'


def _x(value: float, longest: float) -> float:
    return _WIDTH * min(1.0, value / longest)


def _shortened(text: str) -> str:
    return escape(text if len(text) <= _LETTERS else text[: _LETTERS - 1] + "…")
