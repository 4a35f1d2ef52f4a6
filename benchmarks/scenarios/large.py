"""One file of 1 GiB, and 8 of 128 MiB, http and https: what a byte costs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.bench import Bench, Heading
from benchmarks.corpus import numbered
from benchmarks.figures import LARGE_FILES
from benchmarks.results import Case
from benchmarks.servers import serve_files

__all__ = ["run"]

_TOTAL = 1024


def run(bench: Bench) -> Iterator[Case]:
    """Give a case for each number of files and scheme."""
    contenders = bench.contenders("aioflags", "curl", "wget", "aria2", "aria2 -x4")
    for count in (1, 8):
        mebibytes = bench.pick(_TOTAL, 32) // count
        with tempfile.TemporaryDirectory(prefix="benchmarks-root-", dir=bench.directory) as folder:
            corpus = numbered("large", count, mebibytes << 20)
            corpus.write(Path(folder))
            with serve_files(Path(folder)) as server:
                for scheme in ("http", "https") if server.secure else ("http",):
                    what = "1 file" if count == 1 else f"{count} files at once, each"
                    title = f"{what} of {mebibytes:,} MiB, {scheme}"
                    heading = Heading(f"{count} x {_TOTAL // count} MiB {scheme}", title, LARGE_FILES)
                    yield bench.downloads(
                        heading, server, corpus, contenders, connections=count, secure=scheme == "https"
                    )
