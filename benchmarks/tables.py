"""Results as tables in Markdown, every figure from the rounds. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.figures import ceiling_of, figure_of, order, rank_figure, show, show_spread
from benchmarks.results import Case, Ceiling, Column, Series

__all__ = ["cells", "heads", "line", "show_rounds", "show_spoiled", "table"]


def heads(case: Case) -> list[str]:
    """Give the heads of a case's table."""
    return ["", *(column.title for column in _columns(case)), "n", "least to most"]


def _columns(case: Case) -> list[Column]:
    return [column for column in case.columns if figure_of(case, column.key) is not None]


def cells(case: Case) -> Iterator[tuple[Series | None, list[str]]]:
    """Give the rows of a case's table: of whom, and its cells; first the server's ceiling, which is nobody's."""
    columns = _columns(case)
    if case.ceiling is not None and not case.ceiling.absent:
        yield None, _ceiling(case, case.ceiling, columns)
    for series in order(case):
        row = [f"{series.name} {series.version}".strip()]
        row += [_cell(case, series, column) for column in columns]
        row.append(show_rounds(series))
        row.append(_spread(case, series) if series.is_clean else show_spoiled(series))
        yield series, row


def _cell(case: Case, series: Series, column: Column) -> str:
    figure = figure_of(case, column.key)
    assert figure is not None
    if all(each.exit is None for each in series.rounds):
        return ""  # It was ended: there is no account of what it used.
    return show(series.median(figure), column.unit)


def _spread(case: Case, series: Series) -> str:
    return show_spread(series, rank_figure(case), case.columns[0].unit) if len(series.rounds) > 1 else ""


def _ceiling(case: Case, limit: Ceiling, columns: Sequence[Column]) -> list[str]:
    reached = [(ceiling_of(case, column.key), column.unit) for column in columns]
    row = [show(value, unit) if value is not None else "" for value, unit in reached]
    return [f"the server's ceiling, by {limit.tool}", *row, "", ""]


def show_rounds(series: Series) -> str:
    """Write down how many rounds there were, and whether the only one was the first run."""
    return f"{len(series.rounds)}{', cold' if series.is_cold else ''}"


def show_spoiled(series: Series) -> str:
    """Say why a contender is not ranked."""
    bad = [each for each in series.rounds if not each.is_clean]
    worst = max(bad, key=lambda each: each.missing + each.wrong + each.extra)
    files = ", ".join(
        f"{count:,} {word}"
        for count, word in ((worst.missing, "missing"), (worst.wrong, "wrong"), (worst.extra, "extra"))
        if count
    )
    status = f"took too long, ended after {worst.wall:,.0f} s" if worst.exit is None else f"exit {worst.exit}"
    return f"not ranked: {files + ', ' if files else ''}{status}, in {len(bad)} of {len(series.rounds)} rounds"


def table(case: Case) -> str:
    """Write a case as a table."""
    head = heads(case)
    lines = [line(head), "|---|" + "---:|" * (len(head) - 2) + "---|"]
    for _, row in cells(case):
        lines.append(line([f"**{row[0]}**" if row[0].startswith("aioflags") else row[0], *row[1:]]))
    return "\n".join(lines)


def line(row: Sequence[str]) -> str:
    """Write a row of a table."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
