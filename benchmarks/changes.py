"""Two sets of results side by side: what changed beyond noise, and what cannot be compared. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.figures import CPU, MEMORY, WALL, figure_of
from benchmarks.noise import FLOOR, change_of, is_beyond_noise
from benchmarks.results import Case, Column, Result, Series

__all__ = ["Change", "Changes", "find_changes"]

_ALWAYS = (WALL, CPU, MEMORY)
_TIMES = frozenset({WALL.key, CPU.key})
# Said by another figure already, the other way round.
_INVERSE = frozenset({"written"})
_CONTROLS = 3
_PASSING = "load at the start"


@dataclass(frozen=True, slots=True)
class Change:
    """One figure of one contender, in old and new; less is better.

    Args:
        place: Scenario and case.
        name: Of the contender.
        column: What was compared.
        old: Median before.
        new: Median now.
        change: Logarithm of new by old, less what the machine contributes.
        is_beyond: More than noise.
        is_ours: It is of this repository; a program of others, of the same version, did not change itself.
    """

    place: str
    name: str
    column: Column
    old: float
    new: float
    change: float
    is_beyond: bool
    is_ours: bool

    @property
    def is_worse(self) -> bool:
        """More than before, beyond noise."""
        return self.is_beyond and self.change > 0

    @property
    def is_better(self) -> bool:
        """Less than before, beyond noise."""
        return self.is_beyond and self.change < 0


@dataclass(slots=True)
class Changes:
    """What came of a comparison.

    Args:
        figures: All that were compared.
        spoiled: Contenders, with their case, who came through before and lose or spoil files now; ours only.
        remarks: What was not compared, and what one must know of the rest.
    """

    figures: list[Change] = field(default_factory=list)
    spoiled: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def is_worse(self) -> bool:
        """Something of ours got worse."""
        return bool(self.spoiled) or any(each.is_worse and each.is_ours for each in self.figures)


def find_changes(old: Sequence[Result], new: Sequence[Result], *, floor: float = FLOOR) -> Changes:
    """Compare results, scenario by scenario.

    Args:
        old: Before, one a scenario.
        new: After.
        floor: Share by which medians must differ at least.
    """
    changes = Changes()
    before, after = ({each.scenario: each for each in results} for results in (old, new))
    changes.remarks += _alone("scenario", before, after)
    for name, one in before.items():
        if name in after:
            _compare_results(changes, one, after[name], floor)
    return changes


def _alone(what: str, old: Mapping[str, object], new: Mapping[str, object]) -> list[str]:
    """Say what is only in one of the two."""
    alone = [f"{what} {name}: only in OLD" for name in old if name not in new]
    return alone + [f"{what} {name}: only in NEW" for name in new if name not in old]


def _compare_results(changes: Changes, old: Result, new: Result, floor: float) -> None:
    if old.quick is not new.quick:
        kinds = ["quick" if each.quick else "full" for each in (old, new)]
        changes.remarks.append(f"{old.scenario}: {kinds[0]} against {kinds[1]}: not compared")
        return
    for fact in sorted((old.machine.keys() | new.machine.keys()) - {_PASSING}):
        values = [each.machine.get(fact, "unknown") for each in (old, new)]
        if values[0] != values[1]:
            changes.remarks.append(f"{old.scenario}: {fact}: {values[0]} -> {values[1]}")
    before, after = ({f"{old.scenario}, {each.key}": each for each in result.cases} for result in (old, new))
    changes.remarks += _alone("case", before, after)
    for place, case in before.items():
        if place in after:
            _compare_cases(changes, place, case, after[place], floor)


def _compare_cases(changes: Changes, place: str, old: Case, new: Case, floor: float) -> None:
    for what in ("items", "bytes", "connections", "server"):
        values = [getattr(case, what) for case in (old, new)]
        if values[0] != values[1] and what != "server":
            changes.remarks.append(f"{place}: {values[0]} -> {values[1]} {what}: not compared")
            return
        if values[0] != values[1]:
            changes.remarks.append(f"{place}: server {values[0]} -> {values[1]}")
    pairs = list(_pairs(changes, place, old, new))
    for column in _columns(old, new):
        _compare_figures(changes, place, column, (old, new), pairs, floor)


def _pairs(changes: Changes, place: str, old: Case, new: Case) -> Iterator[tuple[Series, Series]]:
    """Give those that can be compared, and say why the others cannot."""
    before, after = ({each.name: each for each in case.series} for case in (old, new))
    changes.remarks += _alone(f"{place}:", before, after)
    for name, one in before.items():
        other = after.get(name)
        if other is None:
            continue
        if one.version != other.version:
            changes.remarks.append(f"{place}: {name} {one.version} -> {other.version}")
        if one.is_clean and other.is_clean:
            yield one, other
        elif one.is_clean and _is_ours(one):
            changes.spoiled.append(f"{place}: {name}")
        else:
            states = ["came through" if each.is_clean else "lost or spoiled files" for each in (one, other)]
            changes.remarks.append(f"{place}: {name} {states[0]} before, {states[1]} now: not compared")


def _is_ours(series: Series) -> bool:
    """Tell whether it is of this repository: aioflags, or a part of it that has no version of its own."""
    return series.name.startswith("aioflags") or not series.version


def _columns(old: Case, new: Case) -> list[Column]:
    """Give what both have: what the system says of any process, and figures of the case's own."""
    own = [
        {key for series in case.series for each in series.rounds for key in each.figures} - _INVERSE
        for case in (old, new)
    ]
    return [*_ALWAYS, *(column for column in new.columns if column.key in own[0] & own[1])]


def _compare_figures(
    changes: Changes,
    place: str,
    column: Column,
    cases: tuple[Case, Case],
    pairs: Sequence[tuple[Series, Series]],
    floor: float,
) -> None:
    values = {}
    for pair in pairs:
        figures = [figure_of(case, column.key) for case in cases]
        assert figures[0] is not None
        assert figures[1] is not None
        values[pair[0].name] = pair[0].values(figures[0]), pair[1].values(figures[1])
    drift = _drift(pairs, values) if column.key in _TIMES else 0.0
    if abs(drift) >= math.log1p(floor):
        changes.remarks.append(
            f"{place}: programs that are the same took {math.exp(drift):.2f} times the {column.title}: "
            "so much is put down to the machine"
        )
    for one, _ in pairs:
        old, new = values[one.name]
        expected = [value * math.exp(drift) for value in old]
        changes.figures.append(
            Change(
                place,
                one.name,
                column,
                statistics.median(old),
                statistics.median(new),
                change_of(expected, new),
                is_beyond_noise(expected, new, floor=floor),
                _is_ours(one),
            )
        )


def _drift(
    pairs: Sequence[tuple[Series, Series]], values: Mapping[str, tuple[Sequence[float], Sequence[float]]]
) -> float:
    """Give the logarithm of how much slower the machine got, by programs that are the same; 0 if they are too few."""
    same = [one.name for one, other in pairs if not _is_ours(one) and one.version == other.version]
    changes = [change_of(*values[name]) for name in same]
    return statistics.median(changes) if len(changes) >= _CONTROLS else 0.0
