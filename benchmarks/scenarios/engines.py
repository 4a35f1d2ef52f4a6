"""The same items through every engine: where waiting decides, where work does, and where one host of ten is slow."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import get_args

from aioflags.flagserver.countries import MOST_POPULOUS
from aioflags.settings import EngineName
from benchmarks.bench import Bench, Heading
from benchmarks.contenders import Contender, aioflags
from benchmarks.corpus import Corpus, flags, like_flags, numbered, sized
from benchmarks.figures import CPU, MEMORY, RATE, WALL
from benchmarks.results import Case, Column
from benchmarks.servers import serve_files, serve_late

__all__ = ["run"]

_BASELINE = "aioflags sequential"
_SPEED = Column("times", "of sequential", "times")
_WAITING = (WALL, _SPEED, Column("ideal", "times the ideal", "times"), CPU, MEMORY)
_WORKING = (WALL, _SPEED, RATE, CPU, MEMORY)

_WITHOUT_LOOP = frozenset({"sequential", "threads", "processes"})
_POOLS = (8, 256)
_HOSTS = 10


def run(bench: Bench) -> Iterator[Case]:
    """Give the cases."""
    yield _late(bench, "lesson", flags(MOST_POPULOUS), 0.4, "the classic lesson's case", len(MOST_POPULOUS))
    yield _late(bench, "late", sized(bench.pick(2_000, 100), 1_000), 0.05, "small files", 64)
    yield from _near(bench)
    yield _one_slow_host(bench)


def _engines(bench: Bench, *options: str, pools: Sequence[int] = ()) -> list[Contender]:
    """Give all engines that there are; those on a loop also without uvloop; threads in pools of other sizes, too."""
    contenders = []
    for engine in sorted(get_args(EngineName), key=lambda name: (name not in _WITHOUT_LOOP, name)):
        why = f"--engine {engine}, all else by default"
        contenders.append(aioflags(f"aioflags {engine}", why, "--engine", engine, *options))
        if engine not in _WITHOUT_LOOP:
            name = f"aioflags {engine}, no uvloop"
            why = f"--engine {engine} on asyncio's own loop"
            contenders.append(aioflags(name, why, "--engine", engine, *options, without_uvloop=True))
    for size in pools:
        why = f"a pool of {size} threads"
        contenders.append(
            aioflags(f"aioflags threads -j {size}", why, "--engine", "threads", *options, "-j", str(size))
        )
    return bench.present(contenders)


def _late(bench: Bench, key: str, corpus: Corpus, delay: float, what: str, connections: int) -> Case:
    count = len(corpus.files)
    ideal = count * delay / min(connections, count)
    title = f"{count:,} files, each answered {delay * 1000:.0f} ms late ({what}), {connections} connections"
    note = f"ideal: {count:,} x {delay} s / {connections} = {ideal:.2f} s"
    heading = Heading(key, title, _WAITING, ideal, _BASELINE, [note])
    contenders = _engines(bench, pools=_POOLS if count > _POOLS[-1] else _POOLS[:1])
    with serve_late(delay) as server:
        return bench.downloads(heading, server, corpus, contenders, connections=connections)


def _near(bench: Bench) -> Iterator[Case]:
    """Nothing to wait for: what is left is work."""
    corpora = {
        "small": (numbered("engines", bench.pick(20_000, 200), 2048), "files of 2 KiB"),
        "mixed": (like_flags("mixed", bench.pick(1_940, 194)), "files of the sizes of a set of flags, about 10 kB"),
    }
    with tempfile.TemporaryDirectory(prefix="benchmarks-root-", dir=bench.directory) as folder:
        for corpus, _ in corpora.values():
            corpus.write(Path(folder))
        with serve_files(Path(folder)) as server:
            for key, (corpus, what) in corpora.items():
                title = f"{len(corpus.files):,} {what}, no delay, 64 connections"
                heading = Heading(key, title, _WORKING, baseline=_BASELINE)
                yield bench.downloads(heading, server, corpus, _engines(bench))


def _one_slow_host(bench: Bench) -> Case:
    """Ten hosts in no order, one of which answers late: the others must not wait for it."""
    each, delay, per_host = bench.pick(100, 20), 0.25, 16
    corpus = sized(_HOSTS * each, 1_000)
    with (
        tempfile.TemporaryDirectory(prefix="benchmarks-root-", dir=bench.directory) as folder,
        serve_late(delay) as slow,
    ):
        corpus.write(Path(folder))
        with serve_files(Path(folder), hosts=_HOSTS) as server:
            others = [server.url.replace("127.0.0.1", f"127.0.0.{number}") for number in range(2, _HOSTS + 1)]
            hosts = [slow.url, *others] * each
            random.Random(_HOSTS).shuffle(hosts)
            urls = [host + file.path for host, file in zip(hosts, corpus.files, strict=True)]
            ideal = each * delay / per_host
            note = f"ideal: the slow host's {each} x {delay} s / {per_host} = {ideal:.2f} s"
            title = (
                f"{_HOSTS} hosts, {each} files each, one answers {delay * 1000:.0f} ms late, {per_host} at once each"
            )
            heading = Heading("slow host", title, _WAITING, ideal, _BASELINE, [note])
            contenders = _engines(bench, "--per-host", str(per_host))
            return bench.downloads(heading, server, corpus, contenders, urls=urls, ceiling=False)
