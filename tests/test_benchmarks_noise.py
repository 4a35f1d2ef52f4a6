"""What is more than noise: by how much medians differ, and how likely it is that chance put the rounds in order."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from benchmarks.noise import CHANCE, COARSE, FLOOR, chance_of, change_of, is_beyond_noise

ROUNDS = st.lists(st.floats(0.01, 100), min_size=1, max_size=8)


@pytest.mark.parametrize(("old", "new"), [(1, 1), (2, 3), (4, 4), (5, 3)])
def test_chance_is_what_counting_all_orders_gives(old: int, new: int) -> None:
    """Of all ways to choose which rounds are the new ones, so many are as one-sided as the one seen, either way."""
    ranks = range(old + new)
    choices = list(itertools.combinations(ranks, new))

    def above(chosen: tuple[int, ...]) -> int:
        return sum(one > other for one in chosen for other in set(ranks) - set(chosen))

    for chosen in choices:
        least = min(above(chosen), old * new - above(chosen))
        share = sum(min(above(each), old * new - above(each)) <= least for each in choices) / len(choices)
        seen = chance_of([rank for rank in ranks if rank not in chosen], chosen)
        # Counted once each, both ends are the two halves of what is counted; in the very middle they overlap.
        assert seen == pytest.approx(share) or share == 1.0


@given(ROUNDS, ROUNDS)
def test_old_and_new_may_be_swapped(old: list[float], new: list[float]) -> None:
    """What was slower is then faster, by the same factor, and as likely."""
    assert change_of(old, new) == -change_of(new, old)
    assert chance_of(old, new) == chance_of(new, old)
    assert is_beyond_noise(old, new) is is_beyond_noise(new, old)


@given(ROUNDS, ROUNDS)
def test_chance_is_a_probability(old: list[float], new: list[float]) -> None:
    """More than nothing, and at most one."""
    assert 0 < chance_of(old, new) <= 1


@given(ROUNDS)
def test_a_run_does_not_differ_from_itself(rounds: list[float]) -> None:
    """Nor from itself in another order."""
    assert not is_beyond_noise(rounds, rounds[::-1])


@given(ROUNDS, ROUNDS, st.floats(0.01, 100))
def test_the_unit_does_not_matter(old: list[float], new: list[float], scale: float) -> None:
    """Seconds or milliseconds: the same verdict, but for what lies within rounding of a limit."""
    size = abs(change_of(old, new))
    assume(all(abs(size - math.log1p(limit)) > 1e-9 for limit in (FLOOR, COARSE)))
    scaled = [[value * scale for value in values] for values in (old, new)]
    assume(len({*scaled[0], *scaled[1]}) == len({*old, *new}))
    assert is_beyond_noise(*scaled) is is_beyond_noise(old, new)


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [
        ([1.0, 1.1, 1.2, 1.3, 1.4], [1.41, 1.5, 1.6, 1.7, 1.8], True),
        ([1.0, 1.1, 1.2, 1.3, 1.4], [1.39, 1.5, 1.6, 1.7, 1.8], False),
        ([1.0, 1.01, 1.02, 1.03, 1.04], [1.05, 1.06, 1.07, 1.08, 1.09], False),
        ([1.0, 1.1, 1.2], [1.8, 1.9, 2.0], True),
        ([1.0, 1.1, 1.2], [1.6, 1.61, 1.64], False),
        ([1.0], [1.49], False),
        ([1.0], [1.51], True),
        ([1.0, 1.6], [1.5, 9.0], False),
    ],
    ids=["apart", "one overlaps", "apart, too little", "few", "few, too little", "one, little", "one", "few, overlap"],
)
def test_the_rule(old: list[float], new: list[float], *, verdict: bool) -> None:
    """Five rounds must be apart and differ by the floor; fewer must be apart and differ by much more."""
    assert is_beyond_noise(old, new) is verdict


def test_of_many_rounds_some_may_overlap() -> None:
    """One slow round of twenty does not hide a change."""
    old = [1.0 + number / 1000 for number in range(19)] + [9.0]
    assert is_beyond_noise(old, [value * 1.2 for value in old])


def test_from_nothing_to_something_is_a_change_however_small() -> None:
    """Requests of a finished job, for instance, which are to be none."""
    assert is_beyond_noise([0.0] * 5, [1.0] * 5)
    assert not is_beyond_noise([0.0] * 5, [0.0] * 5)
    assert math.isinf(change_of([0.0], [1.0]))


def test_five_rounds_are_enough_and_four_are_not() -> None:
    """That five can reach the limit is why five are the default."""
    five, more = [1.0, 2.0, 3.0, 4.0, 5.0], [6.0, 7.0, 8.0, 9.0, 10.0]
    assert chance_of(five, more) <= CHANCE < chance_of(five[:4], more[:4])
