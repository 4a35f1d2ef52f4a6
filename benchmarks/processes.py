"""One run of one command as a whole process, and what it cost by the operating system's own account."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ROOT", "Cost", "measure"]

ROOT = Path(__file__).resolve().parent.parent
"""The clone; what runs with `-m benchmarks…` runs here."""

_LAUNCH = str(ROOT / "benchmarks" / "launch.py")


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run cost.

    Args:
        wall: Seconds from start to end.
        user: Seconds of processor outside the kernel, children included.
        system: Seconds inside the kernel, children included.
        memory: Peak of the largest process in bytes.
        exit: Its status; `None` if it took too long and was ended.
        stdout: What it wrote there.
        stderr: The end of what it wrote there.
    """

    wall: float
    user: float
    system: float
    memory: int
    exit: int | None
    stdout: str
    stderr: str

    @property
    def cpu(self) -> float:
        """Seconds of processor."""
        return self.user + self.system


def measure(command: Sequence[str], *, limit: float = 3600.0) -> Cost:
    """Run `command` to its end, or for `limit` seconds at most, and tell what it cost.

    Raises:
        OSError: There is no such program.
    """
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        output = Path(folder, "stdout")
        launcher = subprocess.Popen(
            [sys.executable, "-I", "-S", _LAUNCH, str(output), *command],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            told, said = launcher.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            _, said = _end(launcher)
            return Cost(limit, 0.0, 0.0, 0, None, "", said[-2000:].decode(errors="replace"))
        except BaseException:
            _end(launcher)
            raise
        stderr = said[-2000:].decode(errors="replace")
        if launcher.returncode:
            raise OSError(stderr.strip() or f"{command[0]} could not be run")
        status, *figures = told.split()
        wall, user, system, kibibytes = map(float, figures)
        stdout = output.read_text(errors="replace")
        return Cost(wall, user, system, int(kibibytes) * 1024, int(status), stdout, stderr)


def _end(launcher: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    """End the launcher's whole session: what it started has no other parent to end it."""
    os.killpg(launcher.pid, signal.SIGKILL)
    return launcher.communicate()
