"""Figures of runs, and how they are summed up."""

from __future__ import annotations

import json

from aioflags.compare.runs import Run, Span, summarise


def span(worker: str, started: float, ended: float, *, queued: float = 0.0) -> Span:
    """An attempt that waits for its first byte only."""
    return Span(worker, "a", (queued, started, started, ended, ended, ended))


def a_run(wall: float, *spans: Span, failed: int = 0, memory: int | None = 100) -> Run:
    """A run of the threads engine."""
    return Run("threads", wall, wall / 10, memory, 3, 1, wall / 2, len(spans), failed, 9, spans)


def test_crosses_a_pipe() -> None:
    """A run is the same after it has been JSON."""
    run = a_run(1.5, span("w", 0.25, 1.0), Span("v", "b", (0.0,) * 6, is_failed=True))
    assert Run.from_json(json.loads(json.dumps(run.as_json()))) == run


def test_figures_are_medians_and_the_picture_is_of_the_middle_run() -> None:
    """One run that was disturbed changes nothing."""
    runs = [a_run(9.0), a_run(1.0, span("w", 0, 1)), a_run(1.2, span("w", 0, 1.2), failed=2)]
    summary = summarise(runs)
    assert (summary.wall, summary.cpu, summary.memory, summary.first_file) == (1.2, 0.12, 100, 0.6)
    assert summary.typical is runs[2]
    assert (summary.spread, summary.failed) == ((1.0, 9.0), 2)


def test_unknown_figures_stay_unknown() -> None:
    """What a system does not tell is not made up."""
    assert summarise([a_run(1.0, memory=None)]).memory is None


def test_work_is_counted_without_waits_for_a_slot() -> None:
    """Sum, longest and the most at once are of attempts from when a worker took them up."""
    summary = summarise([a_run(3.0, span("1", 0, 2), span("2", 0.5, 1), span("1", 2, 3, queued=0))])
    assert (summary.busy, summary.longest, summary.at_once, summary.workers) == (3.5, 2.0, 2, 2)


def test_file_that_is_being_written_is_not_in_flight() -> None:
    """The next transfer may begin while the last one's file goes to disk: that is one at once, not two."""
    first = Span("1", "a", (0, 0, 0, 0, 1, 3))
    assert summarise([a_run(4.0, first, span("2", 1, 2), span("1", 2, 4))]).at_once == 1
