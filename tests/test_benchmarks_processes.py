"""What a run costs is the operating system's own account."""

from __future__ import annotations

import os
import sys

import pytest

from benchmarks.processes import measure

BURN = "import time\nwhile time.process_time() < 0.2: pass\n"


def test_processor_time_is_counted() -> None:
    """Of who has burnt a fifth of a second it is that at least, inside the kernel and outside taken together."""
    cost = measure([sys.executable, "-c", BURN])
    assert cost.exit == 0
    assert cost.cpu == cost.user + cost.system >= 0.2


def test_children_are_counted() -> None:
    """Those that were waited for: a contender may well be a script that starts another program."""
    code = "import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-c', sys.argv[1]]))"
    assert measure([sys.executable, "-c", code, BURN]).cpu >= 0.2


def test_peak_memory_is_counted() -> None:
    """What was held for a moment only, too; and it is not ours, who hold more than the child."""
    ours = bytearray(200 << 20)
    small = measure([sys.executable, "-I", "-S", "-c", "pass"])
    large = measure([sys.executable, "-I", "-S", "-c", "bytearray(b'x') * (100 << 20)"])
    assert small.memory < 100 << 20 <= large.memory < 200 << 20
    assert len(ours) > large.memory


def test_exit_status_and_output_are_told() -> None:
    """As they were; of a process that was killed it is the signal."""
    cost = measure([sys.executable, "-c", "import sys; print('out'); print('err', file=sys.stderr); sys.exit(7)"])
    assert (cost.exit, cost.stdout, cost.stderr) == (7, "out\n", "err\n")
    assert measure([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"]).exit == -9


def test_standard_input_is_empty() -> None:
    """Nobody waits for somebody to type."""
    assert measure([sys.executable, "-c", "import sys; print(repr(sys.stdin.read()))"]).stdout == "''\n"


def test_program_that_does_not_exist_is_an_error() -> None:
    """Of the benchmark, not a bad round."""
    with pytest.raises(OSError, match="no-such-program: No such file"):
        measure(["no-such-program"])


def test_run_that_takes_too_long_has_no_exit_status() -> None:
    """What it said until then is kept."""
    code = "import sys, time; print('here', file=sys.stderr, flush=True); time.sleep(600)"
    cost = measure([sys.executable, "-c", code], limit=2.0)
    assert (cost.exit, cost.stderr) == (None, "here\n")


def test_launcher_is_in_no_environment_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command has the environment that it would have without it."""
    monkeypatch.setenv("AIOFLAGS_TEST", "x")
    cost = measure([sys.executable, "-c", "import os; print(os.environ['AIOFLAGS_TEST'], os.getcwd())"])
    assert cost.stdout.startswith("x ")
    assert os.path.isdir(cost.stdout.split()[1])
