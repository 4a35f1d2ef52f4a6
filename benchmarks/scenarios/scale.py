"""What a file costs in a list of 10,000, 100,000 and 1,000,000, ledger on: is it flat?"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.bench import Bench, Heading
from benchmarks.corpus import same
from benchmarks.figures import CPU_EACH, MEMORY, WALL, WALL_EACH
from benchmarks.results import Case
from benchmarks.servers import serve_files

__all__ = ["run"]

_LONGEST = 1_000_000


def run(bench: Bench) -> Iterator[Case]:
    """Give a case for each length; the longest without warm-up: what it needs is warm by then."""
    contenders = bench.contenders("aioflags", "curl")
    for full in (10_000, 100_000, _LONGEST):
        count = bench.pick(full, full // 200)
        if not bench.has_room(count, f"a list of {count:,}"):
            continue
        turns = replace(bench, warm_up=False) if full == _LONGEST else bench
        with tempfile.TemporaryDirectory(prefix="benchmarks-root-", dir=bench.directory) as folder:
            corpus = same(count)
            corpus.write(Path(folder))
            with serve_files(Path(folder)) as server:
                heading = Heading(
                    f"{full:,} files", f"{count:,} files of one byte", (WALL_EACH, CPU_EACH, WALL, MEMORY)
                )
                yield turns.downloads(heading, server, corpus, contenders, ceiling=False)
