"""The short form of failing system calls."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.torture.calls import CALLS, Figures, Job, can_forge, fail_each_call
from tests.torture.origin import Origin

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(can_forge() is not None, reason=f"system calls cannot be made to fail: {can_forge()}"),
]


def test_no_call_that_fails_leads_to_a_lie(tmp_path: Path) -> None:
    """Whatever the disk refuses: no wrong file, no false row, and the same command completes the job."""
    figures = fail_each_call(tmp_path, picks=6, seed=1)
    assert figures.wrong == []
    assert figures.runs == 6
    assert figures.faults


@pytest.mark.parametrize(("kind", "error"), [("write", "ENOSPC"), ("sync", "EIO"), ("link", "EIO")])
def test_calls_do_fail(tmp_path: Path, kind: str, error: str) -> None:
    """The fault is met by the program, and what comes too late in it is not."""
    figures = Figures()
    job = Job(tmp_path, figures)
    with Origin(job.bodies, 0) as origin:
        job.write_list(origin)
        assert job.run(kind, error, 1)
        assert not job.run(kind, error, 10_000)
    assert figures.faults
    assert figures.wrong == []


def test_places_go_far() -> None:
    """The first ones one by one, later ones ever wider apart."""
    job = Job(Path(os.devnull), Figures())
    places = list(job.places())
    assert places[:12] == list(range(1, 13))
    assert places[-1] > 150
    assert set(CALLS) >= {"open", "write", "sync", "link"}
