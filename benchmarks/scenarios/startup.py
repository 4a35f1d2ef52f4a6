"""What the start of the program costs: `--help`, `--version`, one small file, against curl, wget and parfive."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.bench import Bench, Heading
from benchmarks.contenders import CONTENDERS, Command, Contender, Job, beside_peers
from benchmarks.corpus import Corpus, numbered
from benchmarks.figures import MEMORY, TIMES
from benchmarks.results import Case, Column
from benchmarks.servers import serve_files

__all__ = ["run"]

_SIZE = 2048
_MORE_ROUNDS = 4
_COLUMNS = (Column("wall", "wall", "ms"), TIMES, Column("cpu", "cpu", "ms"), MEMORY)


def run(bench: Bench) -> Iterator[Case]:
    """Give a case for each of the three; they are short, so there are more rounds."""
    bench = replace(bench, rounds=bench.rounds * _MORE_ROUNDS)
    with tempfile.TemporaryDirectory(prefix="benchmarks-root-", dir=bench.directory) as folder:
        one = numbered("one", 1, _SIZE)
        one.write(Path(folder))
        none = Corpus((), one.write)
        with serve_files(Path(folder)) as server:
            for option in ("--help", "--version"):
                heading = Heading(option, f"`{option}`", _COLUMNS)
                contenders = bench.present(_asking(bench, option))
                yield bench.downloads(heading, server, none, contenders, connections=1, ceiling=False)
            heading = Heading("one file", "one file of 2 KiB", _COLUMNS)
            contenders = bench.contenders("aioflags", "curl", "wget") + bench.present(_parfive(bench))
            yield bench.downloads(heading, server, one, contenders, connections=1, ceiling=False)


def _asking(bench: Bench, option: str) -> Iterator[Contender]:
    for contender in _wanted(bench, "aioflags", "curl", "wget"):
        program = contender.asks[:-1]
        yield replace(contender, command=_constant([*program, option]), why=f"the program with {option}")
    for contender in _parfive(bench):
        yield replace(contender, command=_constant([*contender.asks[:-1], option]), why=f"its command with {option}")


def _parfive(bench: Bench) -> Iterator[Contender]:
    program = beside_peers("parfive")

    def command(job: Job, directory: Path) -> list[str]:
        return [program, "--no-progress", "--directory", str(directory), *job.urls.read_text().split()]

    for contender in _wanted(bench, "parfive"):
        yield replace(contender, command=command, asks=[program, "--version"], why="its command, without progress bar")


def _wanted(bench: Bench, *names: str) -> Iterator[Contender]:
    for name in names:
        if bench.wants(CONTENDERS[name]):
            yield CONTENDERS[name]


def _constant(words: Sequence[str]) -> Command:
    return lambda _, __: list(words)
