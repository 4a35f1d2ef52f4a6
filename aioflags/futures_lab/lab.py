"""What a claim is, how it is tried, and how its verdict follows from what was observed; knows no single claim."""

from __future__ import annotations

import asyncio
import inspect
import textwrap
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import EllipsisType
from typing import Any, TypeAlias

from aioflags.records import dataclass

__all__ = [
    "KINDS",
    "AtLeast",
    "AtMost",
    "Claim",
    "Expected",
    "Facts",
    "Finding",
    "NotTriedError",
    "Value",
    "try_claim",
]

Value: TypeAlias = str | int | float | bool | None
Facts: TypeAlias = Mapping[str, Value]
Probe: TypeAlias = Callable[[], Facts] | Callable[[], Coroutine[Any, Any, Facts]]

# By the key of each kind in records, the module whose Future it is.
KINDS: Mapping[str, str] = {
    "concurrent": "concurrent.futures",
    "asyncio": "asyncio",
    "dask": "distributed",
}


@dataclass(frozen=True, slots=True)
class AtLeast:
    """A measured number is expected to be `limit` or more."""

    limit: float

    def admits(self, value: Value) -> bool:
        """Tell whether `value` is such a number."""
        return isinstance(value, int | float) and value >= self.limit

    def __str__(self) -> str:
        return f"{self.limit} or more"


@dataclass(frozen=True, slots=True)
class AtMost:
    """A measured number is expected to be `limit` or less."""

    limit: float

    def admits(self, value: Value) -> bool:
        """Tell whether `value` is such a number."""
        return isinstance(value, int | float) and value <= self.limit

    def __str__(self) -> str:
        return f"{self.limit} or less"


# The ellipsis claims nothing: the fact is shown only.
Expected: TypeAlias = Value | AtLeast | AtMost | EllipsisType


class NotTriedError(Exception):
    """A probe cannot be run here; the message says why. Its kind of Future then has no part in the verdict."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence about Futures, and how it is tried.

    Args:
        name: In kebab case.
        sentence: What is claimed.
        lesson: What to do about it.
        probes: One function for each of `KINDS`, in their order; each gives what it observed. A coroutine function
            runs on an event loop of its own, in a thread named "loop", any other in a thread named "caller".
        expected: What each fact is claimed to be, a column for each probe.
        helpers: Functions that the probes call and that the reader should see, too.
        patience: Seconds during which a probe is run again until it observes what is expected: more than none where
            it measures time, because other programs disturb that.
    """

    name: str
    sentence: str
    lesson: str
    probes: tuple[Probe, ...]
    expected: Mapping[str, tuple[Expected, ...]]
    helpers: tuple[Callable[..., object], ...] = ()
    patience: float = 0.0

    @property
    def code(self) -> str:
        """The source of the very functions that are run."""
        functions = (*self.helpers, *self.probes)
        return "\n\n".join(textwrap.dedent(inspect.getsource(function)).rstrip() for function in functions)

    def contradictions(self, kind: str, facts: Facts) -> Iterator[str]:
        """Name what was observed otherwise than claimed, for one of `KINDS`."""
        column = list(KINDS).index(kind)
        for fact, row in self.expected.items():
            expected, seen = row[column], facts.get(fact)
            if not _is_expected(expected, seen) or (fact not in facts and expected is not ...):
                yield f"{KINDS[kind]}, {fact}: {_show(seen)} where {_show(expected)} is claimed"


def _is_expected(expected: Expected, seen: Value) -> bool:
    if expected is ...:
        return True
    if isinstance(expected, AtLeast | AtMost):
        return expected.admits(seen)
    return type(seen) is type(expected) and seen == expected


def _show(value: Expected) -> str:
    return "nothing" if value is None or value is ... else str(value)


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of a claim.

    Args:
        claim: What was tried.
        observations: For each of `KINDS` that was tried, its facts.
        not_tried: For each of `KINDS` that could not be tried, the reason.
        elapsed: Seconds.
    """

    claim: Claim
    observations: Mapping[str, Facts]
    not_tried: Mapping[str, str]
    elapsed: float

    @property
    def contradictions(self) -> list[str]:
        """All that was observed otherwise than claimed."""
        return [line for kind, facts in self.observations.items() for line in self.claim.contradictions(kind, facts)]

    @property
    def holds(self) -> bool:
        """Nothing was observed otherwise than claimed."""
        return not self.contradictions

    @property
    def verdict(self) -> str:
        """The verdict in words."""
        gaps = "".join(f"; {KINDS[kind]} was not tried: {reason}" for kind, reason in self.not_tried.items())
        return ("holds" if self.holds else "does not hold") + gaps

    def record(self) -> dict[str, object]:
        """Give all of it as data that JSON can carry; `elapsed` in seconds."""
        reasons = {kind: {"not tried": reason} for kind, reason in self.not_tried.items()}
        return {
            "name": self.claim.name,
            "claim": self.claim.sentence,
            "code": self.claim.code,
            "observations": {kind: dict(facts) for kind, facts in self.observations.items()} | reasons,
            "verdict": self.verdict,
            "holds": self.holds,
            "elapsed": round(self.elapsed, 6),
        }


def try_claim(claim: Claim) -> Finding:
    """Run the probes of a claim, one after the other.

    An exception that leaves a probe is an observation like any other: the fact "raised".
    """
    started = time.perf_counter()
    observations: dict[str, Facts] = {}
    not_tried: dict[str, str] = {}
    for kind, probe in zip(KINDS, claim.probes, strict=False):
        try:
            observations[kind] = _observe(claim, kind, probe)
        except NotTriedError as error:
            not_tried[kind] = str(error)
    return Finding(claim, observations, not_tried, time.perf_counter() - started)


def _observe(claim: Claim, kind: str, probe: Probe) -> Facts:
    deadline = time.perf_counter() + claim.patience
    while True:
        facts = _run(probe)
        if time.perf_counter() >= deadline or not any(claim.contradictions(kind, facts)):
            return facts


def _run(probe: Probe) -> Facts:
    """Run a probe in a thread of its own: so it has the same surroundings wherever the lab is called from."""
    with ThreadPoolExecutor(1) as executor:
        try:
            return executor.submit(_run_here, probe).result()
        except NotTriedError:
            raise
        except Exception as error:
            return {"raised": f"{type(error).__name__}: {error}"}


def _run_here(probe: Probe) -> Facts:
    threading.current_thread().name = "loop" if inspect.iscoroutinefunction(probe) else "caller"
    facts = probe()
    if isinstance(facts, Mapping):
        return facts
    # The loop of asyncio itself, and not in debug mode, whatever the environment asks for.
    with asyncio.Runner(debug=False, loop_factory=asyncio.new_event_loop) as runner:
        return runner.run(facts)
