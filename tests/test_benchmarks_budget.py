"""A contender has as many rounds as fit into its share of time, and one at least."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.bench import Bench
from benchmarks.budget import Share
from benchmarks.rounds import Entrant, run_rounds

SECONDS = st.floats(0.001, 100)


def rounds_of(seconds: list[float], limit: float | None, rounds: int = 5) -> tuple[Share, int]:
    """Let a contender run whose runs, the warm-up first, take so long; gives its share and how often it has run."""
    share = Share(rounds, limit)
    for number, each in enumerate(seconds):
        if not share.allows_another:
            break
        share.add(each, is_warm_up=number == 0)
    return share, share.runs


@pytest.mark.parametrize(
    ("each", "limit", "measured", "runs"),
    [(1.0, None, 5, 6), (1.0, 6.0, 5, 6), (1.0, 5.9, 4, 5), (3.0, 6.0, 1, 2), (3.0, 5.0, 1, 1), (6.0, 5.0, 1, 1)],
)
def test_rounds_that_fit(each: float, limit: float | None, measured: int, runs: int) -> None:
    """Warm-up included; who has no time for a run besides the warm-up has no other run, and that one counts."""
    share, run = rounds_of([each] * 6, limit)
    assert (share.measured, run) == (measured, runs)


@given(st.lists(SECONDS, min_size=9, max_size=9), st.none() | SECONDS, st.integers(1, 8))
def test_nobody_goes_without_a_round_nor_far_beyond_the_share(
    seconds: list[float], limit: float | None, rounds: int
) -> None:
    """At least one round is measured and never more than asked for; before the last run the share was not used up."""
    share, runs = rounds_of(seconds, limit, rounds)
    assert 1 <= share.measured <= rounds
    if limit is None:
        assert share.measured == rounds
    elif runs > 1:
        assert sum(seconds[: runs - 1]) <= limit


def doing(name: str, code: str = "") -> Entrant:
    """A contender that runs some code, which finds its folder as its argument."""
    shown = {sys.executable: "python"}
    return Entrant(
        name, "", "", lambda folder: [sys.executable, "-I", "-S", "-c", code, str(folder), sys.executable], shown=shown
    )


@pytest.mark.parametrize(("budget", "rounds", "is_cold"), [(None, 2, False), (1e-9, 1, True), (1000.0, 2, False)])
def test_the_rounds_of_a_case_keep_to_the_budget(
    budget: float | None, rounds: int, *, is_cold: bool, tmp_path: Path
) -> None:
    """Each contender by itself; a warm-up that took more than the share is kept, and marked."""
    said: list[str] = []
    series = run_rounds([doing("a"), doing("b")], 2, tmp_path, said.append, budget=budget)
    assert [(len(each.rounds), each.is_cold) for each in series] == [(rounds, is_cold)] * 2
    assert len(said) == (2 if is_cold else 6)


def test_who_takes_too_long_is_ended(tmp_path: Path) -> None:
    """After as many seconds as there is patience for; that is no clean round."""
    bench = Bench(tmp_path, rounds=1, warm_up=False, patience=0.1)
    (series,) = bench.take_turns([doing("a", "while True: pass")], tmp_path)
    assert [each.exit for each in series.rounds] == [None]
    assert not series.is_clean


def test_complaints_name_no_folder_of_this_machine(tmp_path: Path) -> None:
    """What somebody said who failed is kept with short words for long paths, as command lines are."""
    complains = doing("a", "import sys; sys.exit(f'{sys.argv[1]}/x is full, says {sys.argv[2]}')")
    (series,) = run_rounds([complains], 1, tmp_path, lambda _: None)
    assert series.said == "DIR/x is full, says python\n"
