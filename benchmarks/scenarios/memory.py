"""Peak memory for lists of 10,000, 100,000 and 1,000,000 URLs, with and without ledger; peers at 100,000.

These runs are long, and nothing has to be warm for a peak of memory: no warm-up.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.bench import Bench, Heading
from benchmarks.contenders import aioflags
from benchmarks.corpus import same
from benchmarks.figures import CPU, MEMORY, WALL
from benchmarks.results import Case
from benchmarks.scenarios.small import PEERS
from benchmarks.servers import serve_files

__all__ = ["run"]

_PEERS_AT = 100_000


def run(bench: Bench) -> Iterator[Case]:
    """Give a case for each length."""
    bench = replace(bench, warm_up=False)
    ours = [
        *bench.contenders("aioflags"),
        aioflags("aioflags --no-ledger", "as one runs it to leave nothing behind", "--no-ledger"),
    ]
    peers = bench.contenders(*PEERS)
    for full in (10_000, _PEERS_AT, 1_000_000):
        count = bench.pick(full, full // 200)
        if not bench.has_room(count, f"a list of {count:,}"):
            continue
        with tempfile.TemporaryDirectory(prefix="benchmarks-root-", dir=bench.directory) as folder:
            corpus = same(count)
            corpus.write(Path(folder))
            with serve_files(Path(folder)) as server:
                heading = Heading(f"{full:,} URLs", f"peak memory for a list of {count:,} URLs", (MEMORY, WALL, CPU))
                contenders = [*ours, *peers] if full == _PEERS_AT else ours
                yield bench.downloads(heading, server, corpus, contenders, ceiling=False)
