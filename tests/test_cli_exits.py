"""How the program ends; tried in processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from aioflags.cli.exits import ExitStatus, status_of_signal


def run(code: str) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process of its own, whose output is buffered."""
    environment = {**os.environ, "PYTHONUNBUFFERED": ""}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, check=False)


def test_status_of_signals() -> None:
    """128 and the number of the signal, as shells say it."""
    assert status_of_signal(signal.SIGINT) == ExitStatus.INTERRUPTED == 128 + signal.SIGINT
    assert status_of_signal(signal.SIGTERM) == ExitStatus.TERMINATED == 128 + signal.SIGTERM


@pytest.mark.slow
def test_stuck_thread_holds_nothing_up() -> None:
    """A thread that never ends is left behind, with all that was printed printed."""
    done = run(
        "import threading; from aioflags.cli.exits import leave\n"
        "threading.Thread(target=threading.Event().wait).start()\n"
        "print('all of it'); leave(7, patience=0.01)"
    )
    assert (done.returncode, done.stdout, done.stderr) == (7, "all of it\n", "")


@pytest.mark.slow
def test_without_stuck_threads_the_interpreter_ends_as_usual() -> None:
    """Exit handlers run when nothing is in the way."""
    done = run("import atexit; from aioflags.cli.exits import leave\natexit.register(print, 'goodbye'); leave(3)")
    assert (done.returncode, done.stdout) == (3, "goodbye\n")


@pytest.mark.slow
def test_closed_standard_files_are_filled() -> None:
    """No later file becomes standard output because that was closed."""
    done = run(
        "import os; os.close(0); os.close(1)\n"
        "from aioflags.cli.exits import fill_standard_files\n"
        "fill_standard_files(); print(os.open('/', os.O_RDONLY) > 2, file=__import__('sys').stderr)"
    )
    assert done.stderr == "True\n"


@pytest.mark.slow
def test_silenced_output_does_not_complain() -> None:
    """Output that nobody reads any more is dropped without a word."""
    code = (
        "import os, sys; from aioflags.cli.exits import silence_stdout\n"
        "r, w = os.pipe(); os.dup2(w, 1); os.close(r); os.close(w); print('x')\n"
        "silence_stdout()"
    )
    done = run(code)
    assert (done.returncode, done.stderr) == (0, "")
