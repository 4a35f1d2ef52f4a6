"""Results as tables in Markdown, every figure from the rounds. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.figures import figure_of, order, show, show_spread
from benchmarks.results import Case, Column, Series

__all__ = ["cells", "heads", "table"]


def heads(case: Case) -> list[str]:
    """Give the heads of a case's table."""
    return ["", *(column.title for column in _columns(case)), "n", "fastest to slowest"]


def _columns(case: Case) -> list[Column]:
    return [column for column in case.columns if figure_of(case, column.key) is not None]


def cells(case: Case) -> Iterator[tuple[bool, list[str]]]:
    """Give the rows of a case's table: whether it is ranked, and its cells; first the server's ceiling."""
    columns = _columns(case)
    if case.ceiling is not None and not case.ceiling.absent:
        yield False, _ceiling(case, columns)
    for series in order(case):
        row = [f"{series.name} {series.version}".strip()]
        row += [_cell(case, series, column) for column in columns]
        wall = figure_of(case, case.columns[0].key)
        assert wall is not None
        row.append(f"{len(series.rounds)}{', cold' if series.is_cold else ''}")
        row.append(_spoiled(series) if not series.is_clean else show_spread(series, wall, case.columns[0].unit))
        yield series.is_clean, row


def _cell(case: Case, series: Series, column: Column) -> str:
    figure = figure_of(case, column.key)
    assert figure is not None
    return show(series.median(figure), column.unit)


def _ceiling(case: Case, columns: Sequence[Column]) -> list[str]:
    limit = case.ceiling
    assert limit is not None
    seconds = max(
        case.items / limit.requests if limit.requests else 0.0, case.bytes / limit.bytes if limit.bytes else 0
    )
    known = {"wall": seconds, "rate": limit.requests, "throughput": limit.bytes}
    row = [f"the server's ceiling, by {limit.tool}"]
    row += [show(known[column.key], column.unit) if known.get(column.key) else "" for column in columns]
    return [*row, "", ""]


def _spoiled(series: Series) -> str:
    bad = [each for each in series.rounds if not each.is_clean]
    worst = max(bad, key=lambda each: each.missing + each.wrong + each.extra)
    files = ", ".join(
        f"{count:,} {word}"
        for count, word in ((worst.missing, "missing"), (worst.wrong, "wrong"), (worst.extra, "extra"))
        if count
    )
    status = "took too long" if worst.exit is None else f"exit {worst.exit}"
    return f"not ranked: {files + ', ' if files else ''}{status}, in {len(bad)} of {len(series.rounds)} rounds"


def table(case: Case) -> str:
    """Write a case as a table."""
    head = heads(case)
    lines = [_line(head), "|---|" + "---:|" * (len(head) - 2) + "---|"]
    for _, row in cells(case):
        lines.append(_line([f"**{row[0]}**" if row[0].startswith("aioflags") else row[0], *row[1:]]))
    return "\n".join(lines)


def _line(row: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
