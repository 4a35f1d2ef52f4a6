"""What was measured, as plain data: read from JSON and written to it. Times in seconds, sizes in bytes.

A result is a scenario's cases; a case is what all contenders did in turn; a series is one contender's rounds.
"""

from __future__ import annotations

import json
import os
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

__all__ = [
    "ORDER",
    "RESULTS",
    "SCHEMA",
    "Case",
    "Ceiling",
    "Column",
    "Result",
    "Round",
    "Series",
    "read_folder",
    "read_result",
    "write_result",
]

ORDER = ("engines", "small", "large", "latency", "startup", "memory", "scale", "rerun", "disk")
"""Scenarios by name, in the order in which they run and are shown."""

RESULTS = Path(__file__).parent / "results"
"""What the README's figures are made from; committed."""

SCHEMA = 1
"""Goes up when what was written before cannot be read any more."""


@dataclass(frozen=True, slots=True)
class Round:
    """One run of one contender.

    Args:
        wall: From start to end.
        user: Of processor outside the kernel, children included.
        system: Of processor inside the kernel, children included.
        memory: Peak of the largest process.
        exit: Exit status; `None` if it took too long and was ended.
        missing: Files that did not come.
        wrong: Files with other bytes.
        extra: Files that nobody asked for.
        figures: What else was measured, by the key of its column.
    """

    wall: float
    user: float
    system: float
    memory: int
    exit: int | None = 0
    missing: int = 0
    wrong: int = 0
    extra: int = 0
    figures: Mapping[str, float] = field(default_factory=dict)

    @property
    def cpu(self) -> float:
        """Seconds of processor."""
        return self.user + self.system

    @property
    def is_clean(self) -> bool:
        """Every file came, whole, and the contender says so."""
        return self.exit == 0 and not (self.missing or self.wrong or self.extra)


@dataclass(frozen=True, slots=True)
class Series:
    """All rounds of one contender in a case.

    Args:
        name: Of the contender.
        version: As it tells it.
        why: Why it is called so.
        command: Its command line; what differs from run to run is a word in capitals.
        rounds: In order, the warm-up not among them.
        said: The end of what it wrote to standard error in the last round that was not clean.
        is_cold: Its only round is its first run, the warm-up, for another did not fit into its share of time.
    """

    name: str
    version: str
    why: str
    command: Sequence[str]
    rounds: Sequence[Round]
    said: str = ""
    is_cold: bool = False

    @property
    def is_clean(self) -> bool:
        """No round lost or spoiled a file; only such a series is ranked."""
        return bool(self.rounds) and all(each.is_clean for each in self.rounds)

    def values(self, figure: Callable[[Round], float]) -> list[float]:
        """Give one figure of all rounds."""
        return [figure(each) for each in self.rounds]

    def median(self, figure: Callable[[Round], float]) -> float:
        """Give the median of one figure."""
        return statistics.median(self.values(figure))


@dataclass(frozen=True, slots=True)
class Ceiling:
    """What the server gives a client that does nothing with it.

    Args:
        tool: With its version; empty if none was there.
        command: Its command line.
        requests: Answered in a second.
        bytes: Sent in a second.
        absent: Why there is none.
    """

    tool: str = ""
    command: Sequence[str] = ()
    requests: float = 0.0
    bytes: float = 0.0
    absent: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a case's table.

    Args:
        key: A name that `benchmarks.figures` knows, or one of the rounds' own figures.
        title: Its head.
        unit: How it is shown: `s`, `ms`, `us`, `MiB`, `MB/s`, `per second`, `times` or `count`.
    """

    key: str
    title: str
    unit: str


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that all contenders did in turn.

    Args:
        key: Names it within its scenario.
        title: For people.
        items: How many files each was to fetch; 0 if it is not about files.
        bytes: Of all those files.
        connections: At once.
        server: Name and version.
        columns: What its table shows.
        series: One for each contender, in the order in which they ran.
        ceiling: The server's.
        ideal: Seconds that it takes at least, by what the server was told; `None` where there is no such bound.
        baseline: The contender that others are measured by.
        notes: What one must know to read it.
    """

    key: str
    title: str
    items: int
    bytes: int
    connections: int
    server: str
    columns: Sequence[Column]
    series: Sequence[Series]
    ceiling: Ceiling | None = None
    ideal: float | None = None
    baseline: str = "curl"
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """A scenario's run.

    Args:
        scenario: Its name.
        summary: What it is about.
        started: ISO 8601, with its zone.
        quick: With few and small files: for a look, not for quoting.
        machine: What it ran on.
        cases: In order.
        skipped: Contenders that are not installed, each with the command that installs it.
        schema: Of the file.
    """

    scenario: str
    summary: str
    started: str
    quick: bool
    machine: Mapping[str, str]
    cases: Sequence[Case]
    skipped: Mapping[str, str] = field(default_factory=dict)
    schema: int = SCHEMA

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what `asdict` gave.

        Raises:
            ValueError: Written by another version of this format.
        """
        if data.get("schema") != SCHEMA:
            raise ValueError(f"schema {data.get('schema')} is not {SCHEMA}: measure again")
        return cls(**{**data, "cases": [_case(case) for case in data["cases"]]})


def _case(data: Mapping[str, Any]) -> Case:
    return Case(
        **{
            **data,
            "columns": [Column(**column) for column in data["columns"]],
            "series": [_series(series) for series in data["series"]],
            "ceiling": data["ceiling"] and Ceiling(**data["ceiling"]),
        }
    )


def _series(data: Mapping[str, Any]) -> Series:
    return Series(**{**data, "rounds": [Round(**each) for each in data["rounds"]]})


def write_result(result: Result, folder: Path) -> Path:
    """Write it to `folder`, named after its scenario; gives the path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{result.scenario}.json"
    path.write_text(json.dumps(asdict(result), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def read_result(path: Path) -> Result:
    """Read a file.

    Raises:
        ValueError: It is no result of this format.
    """
    return Result.from_json(json.loads(path.read_text(encoding="utf-8")))


def read_folder(folder: Path) -> list[Result]:
    """Read the results in a folder, one a scenario, in the order of `ORDER`.

    Raises:
        OSError: There is no such folder.
        ValueError: A file is no result of this format.
    """
    results = [read_result(folder / each) for each in os.listdir(folder) if each.endswith(".json")]
    return sorted(results, key=lambda each: (ORDER.index(each.scenario), each.started))
