"""Every answer comes 100 ms late, 100 and 1,000 connections: how far from number x delay / connections.

The server is our own, on the same two or more cores as the client: its ceiling shows where it is what limits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from benchmarks.bench import Bench, Heading
from benchmarks.corpus import sized
from benchmarks.figures import CPU, IDEAL, MEMORY, WALL
from benchmarks.results import Case
from benchmarks.scenarios.small import PEERS
from benchmarks.servers import serve_late

__all__ = ["run"]

_DELAY = 0.1
_SMALLEST = 1000
# Many times the ideal: by how much more somebody misses it is not worth the wait.
_PATIENCE = 60.0
_WITHOUT_PYPDL = "pypdl is left out: it asks for one head after the other, however many connections it has"


def run(bench: Bench) -> Iterator[Case]:
    """Give a case for each number of connections."""
    bench = replace(bench, patience=min(bench.patience, _PATIENCE))
    contenders = bench.contenders("aioflags", *(peer for peer in PEERS if peer != "pypdl"))
    for connections, full in ((100, 2_000), (1_000, 10_000)):
        count = bench.pick(full, connections * 2)
        ideal = count * _DELAY / connections
        title = f"{count:,} small files, each answered {_DELAY * 1000:.0f} ms late, {connections:,} connections"
        note = f"ideal: {count:,} x {_DELAY} s / {connections:,} = {ideal:.2f} s"
        heading = Heading(
            f"{connections:,} connections", title, (WALL, IDEAL, CPU, MEMORY), ideal=ideal, notes=[note, _WITHOUT_PYPDL]
        )
        with serve_late(_DELAY) as server:
            yield bench.downloads(heading, server, sized(count, _SMALLEST), contenders, connections=connections)
