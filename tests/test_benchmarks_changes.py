"""Two sets of results side by side: what is compared, what is put down to the machine, and what is said aloud."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from benchmarks.changes import Changes, find_changes
from benchmarks.noise import COARSE, FLOOR
from benchmarks.results import Column, Result, Round, Series
from tests.measured import a_case, a_result, a_series, spoiled

FIVE = (1.0, 1.01, 1.02, 1.03, 1.04)
OURS = a_series("aioflags", *FIVE)
PEERS = [a_series(name, *FIVE) for name in ("curl", "wget2", "aria2")]
ROUNDS = st.lists(st.floats(0.01, 100), min_size=1, max_size=6)


def slower(series: Series, times: float) -> Series:
    """The same contender, when all takes longer."""
    rounds = [
        replace(one, **{key: getattr(one, key) * times for key in ("wall", "user", "system")}) for one in series.rounds
    ]
    return replace(series, rounds=rounds)


def changes(old: list[Series], new: list[Series]) -> Changes:
    """What came of two runs of one case."""
    return find_changes([a_result(a_case(*old))], [a_result(a_case(*new))])


def verdicts(found: Changes) -> set[tuple[str, str, int]]:
    """Contender, figure, and 1 for worse or -1 for better, of all that changed."""
    return {(each.name, each.column.key, each.is_worse - each.is_better) for each in found.figures if each.is_beyond}


def test_nothing_changes_by_itself() -> None:
    """The same results: every figure of everybody is compared, and nothing is worse or better."""
    found = changes([OURS, *PEERS], [OURS, *PEERS])
    assert len(found.figures) == 4 * 3
    assert (verdicts(found), found.remarks, found.is_worse) == (set(), [], False)


def test_slower_is_worse_and_faster_is_better() -> None:
    """In wall and processor time; memory has not changed."""
    times = {("aioflags", "wall", 1), ("aioflags", "cpu", 1)}
    found = changes([OURS], [slower(OURS, 1.3)])
    assert (verdicts(found), found.is_worse) == (times, True)
    found = changes([slower(OURS, 1.3)], [OURS])
    assert (verdicts(found), found.is_worse) == ({(name, key, -sign) for name, key, sign in times}, False)


def test_more_memory_is_worse() -> None:
    """Whatever the machine's pace."""
    found = changes([OURS, *PEERS], [a_series("aioflags", *FIVE, memory=30 << 20), *PEERS])
    assert verdicts(found) == {("aioflags", "memory", 1)}


@given(ROUNDS, ROUNDS)
def test_swapping_old_and_new_swaps_worse_and_better(ours: list[float], ours_new: list[float]) -> None:
    """Figure by figure."""
    old, new = [a_series("aioflags", *ours)], [a_series("aioflags", *ours_new)]
    swapped = {(name, key, -sign) for name, key, sign in verdicts(changes(new, old))}
    assert verdicts(changes(old, new)) == swapped


@given(ROUNDS, ROUNDS, st.integers(-3, 3))
def test_swapping_swaps_what_the_machine_is_charged_with(ours: list[float], ours_new: list[float], power: int) -> None:
    """However much faster or slower it got."""
    times = 2.0**power
    old = [a_series("aioflags", *ours), *PEERS]
    new = [a_series("aioflags", *ours_new), *(slower(each, times) for each in PEERS)]
    # What is charged is a logarithm: rounds that tie but for rounding may fall on either side.
    assume(all(abs(one * times - other) > 1e-9 * other for one in ours for other in ours_new))
    there, back = changes(old, new), changes(new, old)
    assert [each.change for each in there.figures] == pytest.approx([-each.change for each in back.figures], abs=1e-9)
    limits = [math.log1p(limit) for limit in (FLOOR, COARSE)]
    assume(all(abs(abs(each.change) - limit) > 1e-9 for each in there.figures for limit in limits))
    assert verdicts(there) == {(name, key, -sign) for name, key, sign in verdicts(back)}


def test_what_all_peers_got_slower_by_is_the_machine() -> None:
    """Ours took no more beside them than before; it is said, and nobody is blamed."""
    found = changes([OURS, *PEERS], [slower(each, 1.5) for each in (OURS, *PEERS)])
    assert verdicts(found) == set()
    assert found.remarks == [
        f"small, 2 KiB: programs that are the same took 1.50 times the {what}: so much is put down to the machine"
        for what in ("wall", "cpu")
    ]


def test_slower_than_the_machine_is_worse() -> None:
    """By what is left when the peers' share is taken off."""
    found = changes([OURS, *PEERS], [slower(OURS, 3.0), *(slower(each, 1.5) for each in PEERS)])
    assert verdicts(found) == {("aioflags", "wall", 1), ("aioflags", "cpu", 1)}
    assert found.figures[0].change == pytest.approx(0.6931, abs=1e-3)


def test_a_new_version_of_a_peer_tells_nothing_of_the_machine() -> None:
    """Then there are too few programs that are the same: it is said, and times are compared as they are."""
    new = [replace(slower(each, 1.5), version="2.0") for each in PEERS]
    found = changes([OURS, *PEERS], [slower(OURS, 1.5), *new])
    assert ("aioflags", "wall", 1) in verdicts(found)
    assert "small, 2 KiB: curl 1.0 -> 2.0" in found.remarks


def test_a_peer_that_got_worse_is_not_our_regression() -> None:
    """It is among the figures, and the verdict is good."""
    found = changes([OURS, *PEERS], [OURS, slower(PEERS[0], 2.0), *PEERS[1:]])
    assert verdicts(found) == {("curl", "wall", 1), ("curl", "cpu", 1)}
    assert not found.is_worse


def test_who_spoils_files_now_got_worse() -> None:
    """Ours is a regression, whatever its times; a peer is a remark."""
    found = changes([OURS, PEERS[0]], [spoiled("aioflags"), spoiled("curl")])
    assert (found.spoiled, found.figures, found.is_worse) == (["small, 2 KiB: aioflags"], [], True)
    assert "small, 2 KiB: curl came through before, lost or spoiled files now: not compared" in found.remarks


def test_who_spoiled_files_before_is_not_compared() -> None:
    """It is said, and is no regression."""
    found = changes([spoiled("aioflags")], [OURS])
    assert (found.figures, found.is_worse) == ([], False)
    assert "aioflags lost or spoiled files before, came through now: not compared" in found.remarks[-1]


def test_what_is_in_one_only_is_said() -> None:
    """Scenarios, cases and contenders, on either side."""
    old = [a_result(a_case(OURS), a_case(OURS, key="old")), a_result(scenario="large")]
    new = [a_result(a_case(OURS, PEERS[0]), a_case(OURS, key="new")), a_result(scenario="scale")]
    assert find_changes(old, new).remarks == [
        "scenario large: only in OLD",
        "scenario scale: only in NEW",
        "case small, old: only in OLD",
        "case small, new: only in NEW",
        "small, 2 KiB: curl: only in NEW",
    ]


def compared(old: Result, new: Result) -> tuple[list[str], bool]:
    """What is said of two results, and whether figures were compared."""
    found = find_changes([old], [new])
    return found.remarks, bool(found.figures)


def test_quick_is_not_compared_with_full() -> None:
    """They are other jobs."""
    full = a_result(a_case(OURS))
    assert compared(full, replace(full, quick=True)) == (["small: full against quick: not compared"], False)


def test_another_job_under_the_same_name_is_not_compared() -> None:
    """More files, for instance."""
    remarks, is_compared = compared(a_result(a_case(OURS)), a_result(a_case(OURS, items=200)))
    assert (remarks, is_compared) == (["small, 2 KiB: 100 -> 200 items: not compared"], False)


def test_machines_that_differ_are_said_aloud() -> None:
    """Fact by fact; how busy it was at the start is no fact about a machine."""
    old, new = a_result(a_case(OURS)), a_result(a_case(OURS), cores="8", uvloop="1")
    new = replace(new, machine={**new.machine, "load at the start": "9"})
    assert compared(old, new) == (["small: cores: 2 -> 8", "small: uvloop: unknown -> 1"], True)


def test_figures_of_a_case_are_compared_too() -> None:
    """Such as the requests of a finished job; one that says the same the other way round is left out."""

    def asked(count: float) -> Series:
        figures = {"requests": count, "written": 1 / (count + 1)}
        return Series("aioflags", "1", "", [], [Round(1.0, 0.1, 0.1, 1, figures=figures)] * 5)

    columns = [Column("requests", "requests", "count"), Column("written", "files/s", "per second")]
    old, new = (a_result(a_case(asked(count), columns=columns)) for count in (0, 7))
    found = find_changes([old], [new])
    assert verdicts(found) == {("aioflags", "requests", 1)}
    assert len(found.figures) == 4
