"""Results of benchmarks as tests need them: contenders by their seconds, each in rounds of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures import SMALL_FILES
from benchmarks.results import Case, Ceiling, Column, Result, Round, Series, write_result

__all__ = ["a_case", "a_ceiling", "a_result", "a_series", "spoiled", "write_all"]

MACHINE = {"system": "Linux 6", "processor": "one", "cores": "2", "python": "CPython 3.11", "load at the start": "0.1"}


def a_series(name: str, *walls: float, memory: int = 20 << 20, version: str = "1.0", is_cold: bool = False) -> Series:
    """Somebody who took so long in each round, half of it at work, and did everything right."""
    rounds = [Round(wall, wall / 4, wall / 4, memory) for wall in walls]
    return Series(name, version, f"why <{name}>", [name, "-i", "URLS & more"], rounds, is_cold=is_cold)


def spoiled(name: str = "wget", *, missing: int = 3, wrong: int = 2) -> Series:
    """Somebody who lost and spoiled files in the second of two rounds, faster than anybody else."""
    rounds = [Round(0.01, 0.01, 0.01, 1), Round(0.01, 0.01, 0.01, 1, 8, missing, wrong)]
    return Series(name, "2.0", "in a hurry", [name], rounds, "it is <full>")


def a_ceiling() -> Ceiling:
    """A server that answers a thousand requests a second."""
    return Ceiling("wrk 4", ["wrk", "-c", "64"], 1000.0, 1e9)


def a_case(
    *series: Series,
    key: str = "2 KiB",
    items: int = 100,
    ceiling: Ceiling | None = None,
    ideal: float | None = None,
    columns: Sequence[Column] = SMALL_FILES,
    baseline: str = "curl",
) -> Case:
    """A case of small files."""
    title = f"{items} files of <{key}>"
    return Case(
        key,
        title,
        items,
        items * 2048,
        64,
        "nginx 1",
        list(columns),
        list(series),
        ceiling,
        ideal,
        baseline,
        ["a note & more"],
    )


def a_result(*cases: Case, scenario: str = "small", quick: bool = False, **machine: str) -> Result:
    """A run of a scenario."""
    skipped = {"aria2": "apt-get install aria2"}
    return Result(
        scenario,
        f"What <{scenario}> costs",
        "2026-01-02T03:04:05+00:00",
        quick,
        MACHINE | machine,
        list(cases),
        skipped,
    )


def write_all(folder: Path, *results: Result) -> Path:
    """Write results to a folder, and give it."""
    for result in results:
        write_result(result, folder)
    return folder
