"""Attempts arranged in lanes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aioflags.compare.lanes import lanes_of, ticks
from aioflags.compare.runs import Span
from tests.test_compare_runs import span


def test_a_lane_for_each_worker_in_natural_order() -> None:
    """Slot 10 comes after slot 9, and each lane holds what its worker did, in order of time."""
    lanes = lanes_of([span("task 10", 0, 1), span("task 9", 2, 3), span("task 9", 0, 1)], 0.01)
    assert [lane.worker for lane in lanes] == ["task 9", "task 10"]
    assert [cell.begin for cell in lanes[0].cells] == [0, 2]


def test_neighbours_too_short_to_be_seen_are_one() -> None:
    """Their number, times and failures are added up; a long one between them stays apart."""
    short = [
        Span("w", str(n), (0.0, n / 100, n / 100, n / 100 + 0.01, n / 100 + 0.01, n / 100 + 0.01), n == 1)
        for n in range(4)
    ]
    (lane,) = lanes_of([*short, span("w", 0.04, 1.0), span("w", 1.0, 1.01)], 0.5)
    first, long, last = lane.cells
    assert (first.count, first.failed, first.begin, first.end) == (4, 1, 0.0, 0.04)
    assert abs(sum(first.work) - 0.04) < 1e-9
    assert abs(first.waited - 0.06) < 1e-9
    assert (long.count, last.count) == (1, 1)


def test_waits_of_a_lane_are_one_line_where_they_overlap() -> None:
    """Two files that wait at the same time make one line; where nobody waits there is none."""
    (lane,) = lanes_of([span("w", 1, 2), span("w", 2, 3), span("w", 6, 7, queued=5)], 0.01)
    assert lane.waits == ((0.0, 2.0), (5.0, 6.0))


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 5)), max_size=300), st.floats(0.01, 10))
def test_nothing_is_lost_and_nothing_grows(times: list[tuple[float, float]], shortest: float) -> None:
    """Every attempt is in one cell, and there are no more cells than can be seen."""
    lanes = lanes_of([span("w", begin, begin + length) for begin, length in times], shortest)
    cells = [cell for lane in lanes for cell in lane.cells]
    assert sum(cell.count for cell in cells) == len(times)
    assert abs(sum(sum(cell.work) for cell in cells) - sum(length for _, length in times)) < 1e-6
    long = sum(length >= shortest for _, length in times)
    assert len(cells) <= 2 * (105 / shortest + long) + 2


@given(st.floats(1e-4, 1e5))
def test_axis_has_few_round_marks(length: float) -> None:
    """From 0 on, none beyond the end, never more than fit."""
    marks = ticks(length)
    assert marks[0] == 0
    assert marks[-1] <= length * (1 + 1e-6)
    assert 2 <= len(marks) <= 6
