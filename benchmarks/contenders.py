"""Child processes that benchmarks measure: the server, the downloader, and what they cost."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Cost", "measure", "serve"]


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run cost: seconds of wall clock and of processor, peak memory in bytes."""

    wall: float
    cpu: float
    memory: int


@contextmanager
def serve() -> Iterator[str]:
    """Run the flag server in a process of its own; gives its URL without the last slash."""
    command = [sys.executable, "-m", "aioflags", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout is not None
            words = server.stdout.readline().split()
            yield next(word for word in words if word.startswith("http://")).rstrip("/")
        finally:
            server.terminate()


def measure(command: list[str], *, directory: Path | None = None, stdin: Iterator[bytes] | None = None) -> Cost:
    """Run `command` to its end and tell what it cost, by the operating system's own account.

    Raises:
        RuntimeError: It failed.
    """
    started = time.perf_counter()
    with open(os.devnull, "wb") as null:
        child = subprocess.Popen(
            command, cwd=directory, stdout=null, stderr=subprocess.PIPE, stdin=subprocess.PIPE if stdin else None
        )
        if stdin is not None:
            assert child.stdin is not None
            for block in stdin:
                child.stdin.write(block)
            child.stdin.close()
        assert child.stderr is not None
        said = child.stderr.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.stderr.close()
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"{command[:4]} ended with {child.returncode}: {said[-500:].decode(errors='replace')}")
    scale = 1 if sys.platform == "darwin" else 1024
    return Cost(time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * scale)
