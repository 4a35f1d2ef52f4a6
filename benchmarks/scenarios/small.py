"""Many small files from one host over 64 connections, http and https: what a file costs beyond the network.

The server is on the same machine, so there is nothing to wait for: what is compared is overhead.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.bench import Bench, Heading
from benchmarks.corpus import numbered
from benchmarks.figures import SMALL_FILES
from benchmarks.results import Case
from benchmarks.servers import serve_files

__all__ = ["PEERS", "run"]

PEERS = ("curl", "wget2", "aria2", "pycurl", "requests", "niquests", "httpx", "parfive", "pypdl")
"""Who can download many files at once."""

_SIZES = (2, 10)


def run(bench: Bench) -> Iterator[Case]:
    """Give a case for each size and scheme."""
    contenders = bench.contenders("aioflags", *PEERS)
    count = bench.pick(20_000, 300)
    for kibibytes in _SIZES:
        with tempfile.TemporaryDirectory(prefix="benchmarks-root-", dir=bench.directory) as folder:
            corpus = numbered("small", count, kibibytes * 1024)
            corpus.write(Path(folder))
            with serve_files(Path(folder)) as server:
                for scheme in ("http", "https") if server.secure else ("http",):
                    title = f"{count:,} files of {kibibytes} KiB, {scheme}, 64 connections"
                    heading = Heading(f"{kibibytes} KiB {scheme}", title, SMALL_FILES)
                    yield bench.downloads(heading, server, corpus, contenders, secure=scheme == "https")
