"""Tables in Markdown: whoever reads one sees who was first, who is not ranked and why, and what the server can do."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.results import Column, Round
from benchmarks.tables import cells, heads, line, show_rounds, show_spoiled, table
from tests.measured import a_case, a_ceiling, a_series, spoiled


def test_table_of_a_case() -> None:
    """Ceiling first, then the least, ours in bold, the spoiled last; as many cells in each row as heads."""
    case = a_case(spoiled(), a_series("curl", 1.0, 3.0), a_series("aioflags", 1.5, 1.5), ceiling=a_ceiling())
    rows = table(case).split("\n")
    assert [row.split("|")[1].strip() for row in rows] == [
        "", "---", "the server's ceiling, by wrk 4", "**aioflags 1.0**", "curl 1.0", "wget 2.0"
    ]  # fmt: skip
    assert len({row.count("|") for row in rows}) == 1
    assert rows[4].endswith("| 2 | 1.00 to 3.00 s |")
    assert rows[5].endswith("| 2 | not ranked: 3 missing, 2 wrong, exit 8, in 1 of 2 rounds |")


def test_columns_without_figures_are_left_out() -> None:
    """Nobody is measured by a baseline that did not take part."""
    assert "times curl" in heads(a_case(a_series("curl", 1.0)))
    assert "times curl" not in heads(a_case(a_series("aioflags", 1.0)))


def test_who_was_ended_has_no_figures() -> None:
    """There is no account of what it used; how long it was given is said."""
    ended = replace(spoiled("pypdl"), rounds=[Round(180.0, 0.0, 0.0, 0, None, missing=1200)])
    ((_, row),) = cells(a_case(ended, columns=[Column("wall", "wall", "s")]))
    assert row[1:] == ["", "1", "not ranked: 1,200 missing, took too long, ended after 180 s, in 1 of 1 rounds"]


def test_single_round_has_no_spread() -> None:
    """And whether it was the first run is said."""
    cold = a_series("curl", 1.0, is_cold=True)
    assert show_rounds(cold) == "1, cold"
    assert table(a_case(cold)).endswith("| 1, cold |  |")


def test_worst_round_is_the_one_that_is_told() -> None:
    """With how many were bad."""
    bad = [Round(1, 0, 0, 1, 0, missing=1), Round(1, 0, 0, 1, 1, wrong=5, extra=1), Round(1, 0, 0, 1)]
    assert show_spoiled(replace(spoiled(), rounds=bad)) == "not ranked: 5 wrong, 1 extra, exit 1, in 2 of 3 rounds"


def test_bar_in_a_cell_is_no_border() -> None:
    """Nobody's name breaks a table."""
    assert line(["a|b", "c"]) == "| a\\|b | c |"
