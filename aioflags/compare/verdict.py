"""What the figures say: who was fastest, by how much, and why. Everything is computed, nothing is known beforehand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aioflags.compare.measure import Comparison
from aioflags.compare.runs import Summary
from aioflags.trace import PHASES

__all__ = ["explain", "judge", "show_seconds"]

# Runs differ by as much from one time to the next.
_SAME = 1.1
# So much of the time of one that works alone, and it is work that keeps it, not waiting.
_MOSTLY = 0.5
_LATE = 0.2
_ONE = 1.2
_WAITING = {"connecting", "waiting for the first byte"}


def judge(comparison: Comparison, capacities: Mapping[str, int]) -> list[str]:
    """Say in two sentences or three who was fastest, and why that was to be expected from the figures.

    Args:
        comparison: What was measured.
        capacities: How many files each engine could have had in flight at once.
    """
    ranking = sorted(comparison.engines, key=lambda summary: summary.wall)
    lines = [_tell_ranking(ranking)]
    if len(ranking) > 1:
        lines.append(_tell_reason(comparison, capacities))
        if any(summary.engine == "asyncio" for summary in ranking) and "asyncio" not in _winners(ranking):
            lines.append("asyncio does not win here.")
        elif _winners(ranking) != ["asyncio"] and "asyncio" in _winners(ranking):
            lines.append("asyncio is as good as others here, not better.")
    if comparison.differing:
        lines.append(f"Files that are not the same in all runs: {', '.join(comparison.differing)}.")
    return lines


def explain(summary: Summary) -> str:
    """Say in one sentence what one sees of an engine in its picture."""
    count = len(summary.typical.spans)
    if not count:
        return "Nothing was attempted."
    busy, longest, wall = show_seconds(summary.busy), show_seconds(summary.longest), show_seconds(summary.typical.wall)
    if count == 1:
        text = f"One file, which took {busy}"
    elif summary.at_once == 1:
        text = f"One after the other, so it takes the sum: {count} files, {busy} together"
    elif summary.at_once < count:
        share = show_seconds(summary.busy / summary.at_once)
        text = (
            f"{summary.at_once} at once, so it takes the sum over the workers: {count} files, {busy} together, "
            f"{share} for each of {summary.at_once}"
        )
    else:
        text = f"All {count} at once, so it takes as long as the longest, {longest}; together they took {busy}"
    begin = min(span.started for span in summary.typical.spans)
    if begin > _LATE * summary.typical.wall:
        text += f"; {show_seconds(begin)} went by before the first of them was taken up"
    return f"{text}. It was done after {wall}."


def show_seconds(seconds: float) -> str:
    """Write a duration for people.

    >>> show_seconds(0.0124), show_seconds(1.5), show_seconds(75)
    ('12 ms', '1.50 s', '75.0 s')
    """
    if seconds < 0.9995:
        return f"{1000 * seconds:.1f} ms" if seconds < 0.00995 else f"{1000 * seconds:.0f} ms"
    return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.1f} s"


def _winners(ranking: Sequence[Summary]) -> list[str]:
    """The fastest, and those that cannot be told from it."""
    first = ranking[0]
    return [each.engine for each in ranking if each.wall <= _SAME * first.wall or each.spread[0] < first.spread[1]]


def _tell_ranking(ranking: Sequence[Summary]) -> str:
    winners = _winners(ranking)
    best = ranking[0].wall
    losers = [f"{each.engine} took {each.wall / best:.1f} times as long" for each in ranking[len(winners) :]]
    if len(winners) == 1:
        head = f"Fastest: {winners[0]}, {show_seconds(best)}"
    else:
        head = f"No difference that counts between {_and(winners)}, {show_seconds(best)}"
    return "; ".join([head, *losers]) + "."


def _tell_reason(comparison: Comparison, capacities: Mapping[str, int]) -> str:
    base = comparison.baseline
    engines = comparison.engines
    if comparison.items == 1:
        return "There is one file only: nobody has anything else to do while it comes, so nothing can overlap."
    if not base.typical.spans:
        return "Nothing was attempted, so nothing can be said about why."
    work = base.cpu / base.wall
    if work >= _MOSTLY:
        return (
            f"Expected: {base.engine} kept a processor at work for {work:.0%} of its time. Waiting can be shared by "
            f"one thread, work cannot: what helps is several processors. {_tell_processors(engines)}"
        )
    most = max(summary.at_once for summary in engines)
    held = [e.engine for e in engines if e.at_once == most < min(comparison.items, capacities[e.engine])]
    if held:
        return (
            f"Expected: {_and(held)} could have had more files in flight, but never had more than {most} at once. "
            "The limit decides, not the engine."
        )
    waited = sum(
        duration
        for span in base.typical.spans
        for phase, duration in zip(PHASES, span.durations, strict=True)
        if phase in _WAITING
    )
    return (
        f"Expected: {base.engine} waited for the server for {waited / base.busy:.0%} of the "
        f"{show_seconds(base.busy)} that its files took, and waiting can be shared. At once were in flight "
        f"{_and([f'{each.at_once} with {each.engine}' for each in engines])}."
    )


def _tell_processors(engines: Sequence[Summary]) -> str:
    if all(each.cpu / each.wall < _ONE for each in engines):
        return "No engine had more than one at work here."
    return f"At work were {_and([f'{each.cpu / each.wall:.1f} with {each.engine}' for each in engines])}."


def _and(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
