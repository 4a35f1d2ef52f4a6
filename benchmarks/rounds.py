"""Contenders in turn: A B C A B C, a warm-up first, each time into an empty folder, every byte read after each run."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.budget import Share
from benchmarks.corpus import Check
from benchmarks.processes import Cost, measure
from benchmarks.results import Round, Series

__all__ = ["Entrant", "run_rounds"]

DESTINATION = "DIR"


def _no_check(_: Path) -> Check:
    return Check()


def _no_preparation(_: Path) -> None:
    pass


def _no_figures(_: Path, __: Cost) -> Mapping[str, float]:
    return {}


@dataclass(frozen=True, slots=True)
class Entrant:
    """A contender in one case.

    Args:
        name: Unique in the case.
        version: As it tells it.
        why: Why it is called so, in one line.
        command: Makes the command line for a destination, which exists and is empty.
        check: Reads what is in the destination after a run.
        prepare: Brings the destination into the state that the run begins with; its time does not count.
        figures: What else there is to know after a run, by column.
        shown: What command lines and complaints show in place of long paths, such as `{"/tmp/x/urls": "URLS"}`.
    """

    name: str
    version: str
    why: str
    command: Callable[[Path], list[str]]
    check: Callable[[Path], Check] = _no_check
    prepare: Callable[[Path], None] = _no_preparation
    figures: Callable[[Path, Cost], Mapping[str, float]] = _no_figures
    shown: Mapping[str, str] | None = None


@dataclass(slots=True)
class _Turns:
    """What one entrant has done so far."""

    entrant: Entrant
    share: Share
    rounds: list[Round] = field(default_factory=list)
    said: str = ""
    is_cold: bool = False

    def run(self, directory: Path, limit: float, *, is_warm_up: bool) -> Round:
        """Run once; the time of preparation and check is paid from the share, too."""
        begun = time.monotonic()
        done, said = _run_once(self.entrant, directory, limit)
        counts = self.share.add(time.monotonic() - begun, is_warm_up=is_warm_up)
        if not done.is_clean:
            self.said = said
        if counts:
            self.rounds.append(done)
            self.is_cold = is_warm_up
        return done

    def series(self) -> Series:
        """Give what is kept."""
        own = self.entrant
        command = _shown_command(own)
        return Series(own.name, own.version, own.why, command, self.rounds, self.said, is_cold=self.is_cold)


def run_rounds(
    entrants: Sequence[Entrant],
    rounds: int,
    directory: Path,
    tell: Callable[[str], None],
    *,
    warm_up: bool = True,
    limit: float = 3600.0,
    budget: float | None = None,
) -> list[Series]:
    """Run all entrants `rounds` times, in turn.

    Args:
        entrants: At least one.
        rounds: At least one.
        directory: Where each gets an empty folder, which is gone afterwards.
        tell: Called after each run with what there is to say.
        warm_up: Run each once before, and forget it.
        limit: Seconds after which a run is ended.
        budget: Seconds of each entrant for all its runs: whose next one would not fit has no more. If that is so
            after the warm-up, the warm-up was its only round.
    """
    turns = [_Turns(entrant, Share(rounds, budget)) for entrant in entrants]
    for number in range(0 if warm_up else 1, rounds + 1):
        for each in turns:
            if not each.share.allows_another:
                continue
            done = each.run(directory, limit, is_warm_up=not number)
            tell(f"{f'round {number}' if number else 'warm-up'}  {each.entrant.name:24} {_brief(done)}")
    return [each.series() for each in turns]


def _run_once(entrant: Entrant, directory: Path, limit: float) -> tuple[Round, str]:
    with tempfile.TemporaryDirectory(prefix="benchmarks-files-", dir=directory) as folder:
        destination = Path(folder)
        entrant.prepare(destination)
        cost = measure(entrant.command(destination), limit=limit)
        checked = entrant.check(destination)
        figures = entrant.figures(destination, cost)
    whole = Round(
        cost.wall,
        cost.user,
        cost.system,
        cost.memory,
        cost.exit,
        checked.missing,
        checked.wrong,
        checked.extra,
        dict(figures),
    )
    return whole, _shorten(cost.stderr, {folder: DESTINATION, **(entrant.shown or {})})[-500:]


def _shown_command(entrant: Entrant) -> list[str]:
    places = {DESTINATION: DESTINATION, **(entrant.shown or {})}
    words = entrant.command(Path(DESTINATION))
    return [_shorten(word, places) for word in words]


def _shorten(word: str, places: Mapping[str, str]) -> str:
    for long, short in places.items():
        word = word.replace(long, short)
    return word


def _brief(done: Round) -> str:
    text = f"{done.wall:9.3f} s  cpu {done.cpu:8.3f} s  {done.memory / 2**20:7.1f} MiB"
    if done.is_clean:
        return text
    status = "took too long" if done.exit is None else f"exit {done.exit}"
    return f"{text}  NOT CLEAN: {status}, {done.missing} missing, {done.wrong} wrong, {done.extra} extra"
