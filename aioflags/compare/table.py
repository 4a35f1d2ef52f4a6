"""The comparison as a table, as text for a terminal and as JSON for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aioflags.cli.quantities import show_count, show_size
from aioflags.compare.measure import Comparison
from aioflags.compare.runs import Summary
from aioflags.compare.verdict import judge

__all__ = ["COLUMNS", "NOTES", "as_record", "cells_of", "headline", "show_table"]

COLUMNS = ("engine", "wall s", "speed-up", "cpu s", "memory", "threads", "first file s", "failed")

NOTES = (
    "Medians. Speed-up over {baseline}. Not counted: starting Python and importing; counted: starting workers. "
    "Processor and memory are those of the downloader with all its processes, not of the server; memory is the sum "
    "of each process's peak, so what processes share counts in each. Threads are all that Python needed, not only "
    "workers."
)


def headline(comparison: Comparison) -> str:
    """Say what was compared."""
    repeat = len(comparison.engines[0].runs)
    times = "once" if repeat == 1 else f"{repeat} times in turn"
    equal = "not the same in all runs" if comparison.differing else "the same in all runs"
    return (
        f"{show_count(comparison.items, 'file')}, {show_size(comparison.bytes)}, through "
        f"{show_count(len(comparison.engines), 'engine')}, {times}; every byte compared by SHA-256: {equal}"
    )


def cells_of(summary: Summary, baseline: Summary) -> tuple[str, ...]:
    """Write the row of an engine, one text for each of `COLUMNS`."""
    processes = f" in {summary.processes} processes" if summary.processes > 1 else ""
    return (
        summary.engine,
        f"{summary.wall:.3f}",
        f"{baseline.wall / summary.wall:.1f}x",
        f"{summary.cpu:.3f}",
        "?" if summary.memory is None else show_size(summary.memory),
        f"{summary.threads}{processes}",
        "-" if summary.first_file is None else f"{summary.first_file:.3f}",
        str(summary.failed),
    )


def show_table(comparison: Comparison) -> list[str]:
    """Write all rows as lines of equal columns."""
    rows = [COLUMNS, *(cells_of(summary, comparison.baseline) for summary in comparison.engines)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [_show_row(row, widths) for row in rows]


def _show_row(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = row
    return "  ".join(
        [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True))]
    )


def as_record(comparison: Comparison, scenario: str | None, capacities: Mapping[str, int]) -> dict[str, Any]:
    """Give everything but the single attempts as a JSON object; seconds and bytes."""
    baseline = comparison.baseline
    return {
        "type": "comparison",
        "scenario": scenario,
        "items": comparison.items,
        "bytes": comparison.bytes,
        "is_equal": not comparison.differing,
        "differing": list(comparison.differing),
        "baseline": baseline.engine,
        "engines": [_record_of(summary, baseline, capacities[summary.engine]) for summary in comparison.engines],
        "verdict": judge(comparison, capacities),
    }


def _record_of(summary: Summary, baseline: Summary, capacity: int) -> dict[str, Any]:
    return {
        "engine": summary.engine,
        "wall": round(summary.wall, 6),
        "speed_up": round(baseline.wall / summary.wall, 3),
        "cpu": round(summary.cpu, 6),
        "memory": summary.memory,
        "threads": summary.threads,
        "processes": summary.processes,
        "first_file": summary.first_file and round(summary.first_file, 6),
        "failed": summary.failed,
        "capacity": capacity,
        "workers": summary.workers,
        "at_once": summary.at_once,
        "busy": round(summary.busy, 6),
        "longest": round(summary.longest, 6),
        "runs": [{"wall": round(run.wall, 6), "cpu": round(run.cpu, 6), "memory": run.memory} for run in summary.runs],
    }
