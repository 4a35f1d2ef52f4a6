"""What a scenario works with: who takes part, how large it is to be, and one call for a case of downloads."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.ceiling import measure_ceiling
from benchmarks.contenders import CONTENDERS, Contender, Job, version_of
from benchmarks.corpus import Corpus, check
from benchmarks.processes import ROOT, measure
from benchmarks.results import Case, Ceiling, Column, Series
from benchmarks.rounds import Entrant, run_rounds
from benchmarks.servers import Server

__all__ = ["Bench", "Heading"]

# A page, what the file system keeps of a file, and as much again, for the first file is not the only one on earth.
_ROOM_EACH = 8192


@dataclass(frozen=True, slots=True)
class Heading:
    """What a case is about.

    Args:
        key: Names it within its scenario.
        title: For people.
        columns: What its table shows.
        ideal: Seconds that it takes at least, by what the server was told.
        baseline: The contender that others are measured by.
        notes: What one must know to read it.
    """

    key: str
    title: str
    columns: Sequence[Column]
    ideal: float | None = None
    baseline: str = "curl"
    notes: Sequence[str] = ()


@dataclass(slots=True)
class Bench:
    """A run of a scenario.

    Args:
        directory: A folder on the file system that files are to go to.
        rounds: Of each contender, the warm-up not counted.
        quick: For a look and for tests: few and small files.
        warm_up: Run everybody once before, and forget it.
        budget: Seconds of each contender in a case, see `run_rounds`.
        patience: Seconds after which a run is ended, and its contender not ranked.
        peers: Only these take part besides ours; `None` for all that are installed.
        tell: Says something to whoever is watching.
        skipped: Who is not installed, with the command that installs it; grows as contenders are asked for.
    """

    directory: Path
    rounds: int = 5
    quick: bool = False
    warm_up: bool = True
    budget: float | None = None
    patience: float = 3600.0
    peers: frozenset[str] | None = None
    tell: Callable[[str], None] = lambda _: None
    skipped: dict[str, str] = field(default_factory=dict)

    def pick(self, full: int, quick: int) -> int:
        """Give the size for this run."""
        return quick if self.quick else full

    def contenders(self, *names: str) -> list[Contender]:
        """Give those of `CONTENDERS` that were asked for and are installed."""
        return self.present(CONTENDERS[name] for name in names if self.wants(CONTENDERS[name]))

    def wants(self, contender: Contender) -> bool:
        """Tell whether somebody asked for it; ours always take part."""
        return contender.is_ours or self.peers is None or contender.name in self.peers

    def has_room(self, files: int, what: str) -> bool:
        """Tell whether so many small files find room, in memory if that is where they go; says so if they do not."""
        state = os.statvfs(self.directory)
        room = min(state.f_bavail * state.f_frsize, os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
        if room > files * _ROOM_EACH:
            return True
        self.tell(
            f"{what}: skipped, for {room / 2**30:.1f} GiB are free and {files * _ROOM_EACH / 2**30:.1f} are needed"
        )
        return False

    def present(self, contenders: Iterable[Contender]) -> list[Contender]:
        """Give those that are installed; the others are skipped aloud."""
        here = []
        for contender in contenders:
            if version_of(contender) is not None:
                here.append(contender)
            elif contender.name not in self.skipped:
                self.skipped[contender.name] = contender.install
                self.tell(f"{contender.name} is not installed: skipped ({contender.install})")
        return here

    def take_turns(self, entrants: Sequence[Entrant], directory: Path) -> list[Series]:
        """Run entrants in turn, in folders below `directory`, as often and as long as this run is to be."""
        return run_rounds(
            entrants,
            self.rounds,
            directory,
            self.tell,
            warm_up=self.warm_up,
            limit=self.patience,
            budget=self.budget,
        )

    def downloads(
        self,
        heading: Heading,
        server: Server,
        corpus: Corpus,
        contenders: Sequence[Contender],
        *,
        connections: int = 64,
        secure: bool = False,
        urls: Sequence[str] | None = None,
        ceiling: bool = True,
        is_again: bool = False,
        **entrant: Any,
    ) -> Case:
        """Have contenders download a corpus in turn.

        Args:
            heading: What it is about.
            server: At work, and has the files.
            corpus: The files.
            contenders: From `contenders` or `present`.
            connections: At once.
            secure: By https.
            urls: Where the files are, in order; by default all of them on `server`.
            ceiling: Ask wrk before.
            is_again: Measure a second run into the same folder; the first does not count.
            entrant: More of `Entrant`, the same for all.
        """
        base = server.secure if secure else server.url
        assert base is not None
        urls = urls or [base + file.path for file in corpus.files]
        self.tell(f"{heading.title}, from {server.name}")
        notes = list(heading.notes)
        with tempfile.TemporaryDirectory(prefix="benchmarks-lists-") as folder:
            job = _write_lists(Path(folder), urls, connections, server.certificate if secure else None)
            shown = {str(job.urls): "URLS", str(job.config): "CONFIG"}
            if job.certificate is not None:
                shown[str(job.certificate)] = "CERTIFICATE"
            fitting = [each for each in contenders if each.most is None or connections <= each.most]
            notes += [
                f"{each.name} takes {each.most} connections at most" for each in contenders if each not in fitting
            ]
            entrants = [self._enter(each, job, corpus, shown, entrant, is_again) for each in fitting]
            limit = self._ceiling(urls, connections) if ceiling else None
            series = self.take_turns(entrants, self.directory)
        return Case(
            heading.key,
            heading.title,
            len(corpus.files),
            corpus.bytes,
            connections,
            server.name,
            heading.columns,
            series,
            limit,
            heading.ideal,
            heading.baseline,
            notes,
        )

    def _enter(
        self,
        contender: Contender,
        job: Job,
        corpus: Corpus,
        shown: Mapping[str, str],
        more: Mapping[str, Any],
        is_again: bool,
    ) -> Entrant:
        entrant = Entrant(
            contender.name,
            version_of(contender) or "",
            contender.why,
            partial(contender.command, job),
            partial(check, corpus.files),
            shown={**shown, str(ROOT) + "/": "", sys.executable: "python", sys.prefix + "/": ""},
            **more,
        )
        return _again(entrant) if is_again else entrant

    def _ceiling(self, urls: Sequence[str], connections: int) -> Ceiling:
        limit = measure_ceiling(urls, connections, 1.0 if self.quick else 5.0)
        self.tell(
            limit.absent or f"ceiling: {limit.requests:,.0f} requests/s, {limit.bytes / 1e6:,.0f} MB/s by {limit.tool}"
        )
        return limit


def _again(entrant: Entrant) -> Entrant:
    """Let an entrant run once before each round."""

    def prepare(directory: Path) -> None:
        measure(entrant.command(directory))
        entrant.prepare(directory)

    return replace(entrant, prepare=prepare)


def _write_lists(folder: Path, urls: Iterable[str], connections: int, certificate: Path | None) -> Job:
    job = Job(folder / "urls.txt", folder / "curl.cfg", connections, certificate)
    with open(job.urls, "w") as plain, open(job.config, "w") as config:
        for url in urls:
            plain.write(f"{url}\n")
            config.write(f'url="{url}"\nremote-name\n')
    return job
