"""The table and the record of a comparison."""

from __future__ import annotations

from aioflags.compare.measure import Comparison
from aioflags.compare.runs import Run, summarise
from aioflags.compare.table import COLUMNS, as_record, headline, show_table

RUNS = (
    Run("sequential", 2.0, 0.5, 40_000_000, 3, 1, 0.25, 20, 0, 9_000),
    Run("processes", 0.5, 0.75, None, 9, 4, None, 19, 1, 9_000),
)


def a_comparison(*differing: str) -> Comparison:
    """Two engines, one run each."""
    return Comparison(tuple(summarise([run]) for run in RUNS), 20, 9_000, differing)


def test_columns_stand_below_one_another() -> None:
    """Engines to the left, figures to the right; what is unknown is no number."""
    lines = show_table(a_comparison())
    assert len({len(line) for line in lines}) == 1
    assert lines[1].split() == ["sequential", "2.000", "1.0x", "0.500", "40.0", "MB", "3", "0.250", "0"]
    assert lines[2].split() == ["processes", "0.500", "4.0x", "0.750", "?", "9", "in", "4", "processes", "-", "1"]
    assert all(name in lines[0] for name in COLUMNS)


def test_headline_says_what_and_whether_it_is_the_same() -> None:
    """Items, bytes, engines, runs, and the outcome of holding files against each other."""
    assert headline(a_comparison()) == (
        "20 files, 9.0 kB, through 2 engines, once; every byte compared by SHA-256: the same in all runs"
    )
    assert headline(a_comparison("x")).endswith(": not the same in all runs")


def test_record_has_numbers() -> None:
    """For programs: no units, no text where a number is meant, unknown is null."""
    record = as_record(a_comparison("x"), None, {"sequential": 1, "processes": 2})
    first, second = record["engines"]
    assert (first["wall"], first["speed_up"], first["memory"], first["capacity"]) == (2.0, 1.0, 40_000_000, 1)
    assert (second["speed_up"], second["memory"], second["first_file"], second["failed"]) == (4.0, None, None, 1)
    assert (record["is_equal"], record["differing"], record["baseline"]) == (False, ["x"], "sequential")
