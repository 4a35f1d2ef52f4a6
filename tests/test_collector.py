"""The garbage collector of a process of ours."""

from __future__ import annotations

import subprocess
import sys


def test_collector_comes_seldom() -> None:
    """What is there is not looked at again, and far more may come before the rest is; in a process of its own."""
    code = (
        "import gc\nfrom aioflags.collector import collect_seldom\n"
        "before = gc.get_threshold()\ncollect_seldom()\n"
        "assert gc.isenabled() and gc.get_freeze_count() > 1000\n"
        "assert gc.get_threshold()[0] >= 10 * before[0] and gc.get_threshold()[1:] == before[1:]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
