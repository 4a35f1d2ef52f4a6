"""Processes for the lab: really others, never forked, and gone at the end."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys

import pytest

from aioflags.futures_lab.lab import Facts, NotTriedError
from aioflags.futures_lab.workers import observe_in_child, process_pool

pytestmark = pytest.mark.slow


def see() -> Facts:
    return {"process": os.getpid(), "started by": multiprocessing.get_start_method()}


def fail() -> Facts:
    raise ValueError("of the probe")


def end() -> Facts:
    os._exit(3)


def test_pool_is_of_other_processes() -> None:
    """Each at work at once, and gone when the block is left."""
    with process_pool(2) as pool:
        children = {child.pid for child in multiprocessing.active_children()}
        assert len(children) == 2
        assert pool.submit(os.getpid).result() in children
        # Started afresh: what this process has imported is not there.
        assert __name__ in sys.modules
        assert not pool.submit(eval, f"{__name__!r} in __import__('sys').modules").result()
    assert multiprocessing.active_children() == []


def test_interrupts_do_not_reach_processes_not_even_as_they_begin() -> None:
    """They inherit SIGINT blocked, before their first line runs; this thread hears it again at once."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    assert signal.SIGINT not in before
    with process_pool(1) as pool:
        assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == before
        assert signal.SIGINT in pool.submit(signal.pthread_sigmask, signal.SIG_BLOCK, []).result()


def test_probe_is_run_in_a_process_of_its_own() -> None:
    """What it saw comes back as data."""
    assert observe_in_child(see)["process"] != os.getpid()
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize(
    ("probe", "reason"), [(fail, "ValueError: of the probe"), (end, "its process ended without an answer")]
)
def test_probe_that_gives_nothing_was_not_tried(probe: object, reason: str) -> None:
    """An error or the end of the process is the reason."""
    with pytest.raises(NotTriedError, match=reason):
        observe_in_child(probe)  # type: ignore[arg-type]
    assert multiprocessing.active_children() == []
