"""What the lab knows of the machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from aioflags.futures_lab.machine import count_cores, describe, has_gil

BOUND = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@pytest.mark.parametrize(
    ("text", "cores"),
    [
        ("max 100000\n", BOUND),
        ("100000 100000\n", 1),
        ("50000 100000\n", 1),
        ("100000000 100000\n", BOUND),
        ("nonsense", BOUND),
    ],
)
def test_cores_are_those_that_may_be_used(text: str, cores: int, tmp_path: Path) -> None:
    """A quota of time counts in whole cores, at least one; without one that can be read all that we are bound to."""
    quota = tmp_path / "cpu.max"
    quota.write_text(text, encoding="ascii")
    assert count_cores(quota) == cores
    assert count_cores(tmp_path / "absent") == BOUND


@pytest.mark.parametrize(("answer", "words"), [(True, "with a GIL"), (False, "without a GIL")])
def test_interpreter_is_asked_whether_it_has_a_gil(answer: bool, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that cannot be asked has one."""
    monkeypatch.setattr(sys, "_is_gil_enabled", lambda: answer, raising=False)
    assert has_gil() is answer
    assert words in describe()
    monkeypatch.delattr(sys, "_is_gil_enabled")
    assert has_gil()
