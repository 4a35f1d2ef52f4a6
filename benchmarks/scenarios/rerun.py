"""A finished job again, by the same command: how many requests, how many seconds.

Each round begins with a first run into an empty folder, which does not count.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.bench import Bench, Heading
from benchmarks.corpus import numbered
from benchmarks.figures import CPU, TIMES, WALL
from benchmarks.processes import Cost
from benchmarks.results import Case, Column
from benchmarks.servers import Server, serve_files

__all__ = ["run"]

_SIZE = 2048


def run(bench: Bench) -> Iterator[Case]:
    """Give one case."""
    contenders = bench.contenders("aioflags", "curl", "wget2 -N", "aria2 --conditional-get", "parfive", "pypdl")
    count = bench.pick(10_000, 200)
    with tempfile.TemporaryDirectory(prefix="benchmarks-root-", dir=bench.directory) as folder:
        corpus = numbered("again", count, _SIZE)
        corpus.write(Path(folder))
        with serve_files(Path(folder)) as server:
            counter = _Counter(server)
            columns = (WALL, Column("requests", "requests", "count"), CPU, TIMES)
            heading = Heading("again", f"{count:,} files of 2 KiB, all of them there already", columns)
            yield bench.downloads(
                heading,
                server,
                corpus,
                contenders,
                ceiling=False,
                is_again=True,
                prepare=counter.begin,
                figures=counter.end,
            )


class _Counter:
    """Asks the server how many requests it has had."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._before = 0

    def begin(self, _: Path) -> None:
        """What came before does not count."""
        self._before = self._server.requests()

    def end(self, _: Path, __: Cost) -> Mapping[str, float]:
        """Give those since, without this question."""
        return {"requests": self._server.requests() - self._before - 1}
