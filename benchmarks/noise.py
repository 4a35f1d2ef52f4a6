"""Whether two series of the same figure differ by more than chance. Pure.

The rule: the medians differ by `FLOOR` or more, and an order of the rounds that is so one-sided comes about by chance
once in a hundred times at most. Five rounds against five pass that only if all of one side are beyond all of the other.
With too few rounds for the second half (four against four and fewer) the two must be apart and differ by `COARSE`.

Source: H. B. Mann and D. R. Whitney, "On a test of whether one of two random variables is stochastically larger than
the other", 1947, its exact distribution; it asks nothing of how the noise is distributed, and one slow round of many
does not upset it. `FLOOR` is about what medians of the same program differ by between two runs on a shared machine.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from functools import cache

__all__ = ["CHANCE", "COARSE", "FLOOR", "chance_of", "change_of", "is_beyond_noise"]

CHANCE = 0.01
FLOOR = 0.1
COARSE = 0.5


def change_of(old: Sequence[float], new: Sequence[float]) -> float:
    """Give the logarithm of how many times the old median the new one is; infinite from or to zero.

    >>> change_of([1, 2, 3], [2, 2, 2]), change_of([0], [1])
    (0.0, inf)
    """
    before, after = statistics.median(old), statistics.median(new)
    if before == after:
        return 0.0
    if not (before and after):
        return math.inf if after else -math.inf
    return math.log(after) - math.log(before)


def chance_of(old: Sequence[float], new: Sequence[float]) -> float:
    """Give the probability that rounds of one and the same thing are ordered so one-sidedly, either way.

    >>> chance_of([1, 2, 3, 4, 5], [6, 7, 8, 9, 10]) == 2 / 252
    True
    """
    above = sum((one > other) + (one == other) / 2 for one in new for other in old)
    pairs = len(old) * len(new)
    # Of equal rounds each counts half; to round up is to be cautious.
    extreme = math.ceil(min(above, pairs - above))
    ways = sum(_ways(len(old), len(new), number) for number in range(extreme + 1))
    return min(1.0, 2 * ways / math.comb(len(old) + len(new), len(old)))


@cache
def _ways(old: int, new: int, above: int) -> int:
    """Count the orders of so many rounds in which `above` pairs have the new one above the old one."""
    if above < 0:
        return 0
    if not (old and new):
        return int(above == 0)
    # The largest of all is either one of the new, and above each of the old, or one of the old.
    return _ways(old, new - 1, above - old) + _ways(old - 1, new, above)


def is_beyond_noise(old: Sequence[float], new: Sequence[float], *, floor: float = FLOOR) -> bool:
    """Tell whether the difference is more than noise, see the rule above.

    Args:
        old: One figure of all rounds, at least one.
        new: The same, measured anew.
        floor: Share by which medians must differ at least.
    """
    size = abs(change_of(old, new))
    if 2 / math.comb(len(old) + len(new), len(old)) <= CHANCE:
        return size >= math.log1p(floor) and chance_of(old, new) <= CHANCE
    apart = max(old) < min(new) or max(new) < min(old)
    return apart and size >= math.log1p(max(floor, COARSE))
