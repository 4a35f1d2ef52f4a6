"""Threads that the system does not give: fewer do the work, and where there is none the run ends and says why."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import aioflags
from aioflags.threads import REFUSAL, Threads, was_refused
from tests.faultserver import FaultServer

# Root may start as many as it likes; whoever gives that up may still read what root may read.
RUN = """
import ctypes, os, resource, sys
sys.path[:0] = {path!r}
from aioflags.__main__ import main

def become_somebody_with_a_limit():
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(8, 1, 0, 0, 0) == 0  # PR_SET_KEEPCAPS
    os.setgroups([])
    os.setresuid({user}, {user}, {user})
    head = (ctypes.c_uint32 * 2)(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3
    kept = 1 << 1 | 1 << 2  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
    data = (ctypes.c_uint32 * 6)(kept, kept, kept, 0, 0, 0)
    assert libc.capset(head, data) == 0
    for number in (1, 2):
        assert libc.prctl(47, 2, number, 0, 0) == 0  # PR_CAP_AMBIENT_RAISE
    resource.setrlimit(resource.RLIMIT_NPROC, ({limit}, {limit}))

if __name__ == "__main__":
    become_somebody_with_a_limit()
    main()
"""


class _Refusing(threading.Thread):
    left = 0

    def start(self) -> None:
        if _Refusing.left <= 0:
            raise RuntimeError("can't start new thread")
        _Refusing.left -= 1
        super().start()


def test_work_is_done_by_the_threads_that_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it, in more time."""
    monkeypatch.setattr(threading, "Thread", _Refusing)
    _Refusing.left = 1
    with Threads(8) as threads:
        futures = [threads.submit(threading.get_ident) for _ in range(50)]
        assert len({future.result(10) for future in futures}) == 1


def test_without_any_thread_the_refusal_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody would do the work."""
    monkeypatch.setattr(threading, "Thread", _Refusing)
    _Refusing.left = 0
    with Threads(8) as threads, pytest.raises(RuntimeError) as caught:
        threads.submit(int)
    assert was_refused(caught.value)


def test_refusal_is_found_wherever_it_is() -> None:
    """In a group, behind an error, or while another one was dealt with; other errors are none."""
    refusal = RuntimeError("can't start new thread")
    behind = ValueError("x")
    behind.__cause__ = refusal
    meanwhile = ValueError("y")
    meanwhile.__context__ = ExceptionGroup("g", [behind])
    assert all(map(was_refused, [refusal, behind, meanwhile, ExceptionGroup("h", [KeyError(), meanwhile])]))
    loop = ValueError("z")
    loop.__context__ = KeyError()
    loop.__context__.__context__ = loop
    assert not any(map(was_refused, [loop, RuntimeError("no"), OSError("can't start new thread")]))


@pytest.mark.slow
@pytest.mark.skipif(
    not sys.platform.startswith("linux") or not hasattr(os, "geteuid") or os.geteuid() != 0,
    reason="takes root on Linux, who can become somebody with a limit",
)
@pytest.mark.parametrize("limit", [1, 4, 6, 8, 10, 12])
@pytest.mark.parametrize("engine", ["asyncio", "aiohttp", "threads", "processes", "sequential"])
def test_limit_on_processes_ends_a_run_with_its_cause_or_not_at_all(tmp_path: Path, engine: str, limit: int) -> None:
    """Exit status 3 and one line that says so, if the threads that there are do not do; no bug, no abort, no hang."""
    # A user of this test's own: what others run as the same one would count.
    user = 60_000 + os.getpid() % 5_000
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(0o777)
    script = tmp_path / "run.py"
    script.write_text(RUN.format(path=[str(Path(aioflags.__file__).parents[1])], user=user, limit=limit))
    with FaultServer() as server:
        urls = [f"{server.url}/saved/{number}" for number in range(4)]
        command = [sys.executable, str(script), "get", *urls, "-d", str(home / "files"), "--engine", engine]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if ended.returncode == 0:
        assert len(list((home / "files").glob("[0-9]"))) == 4
        return
    assert ended.returncode == 3, ended.stderr
    causes = (REFUSAL, "cannot start a worker process")
    assert any(cause in ended.stderr for cause in causes), ended.stderr
    assert "bug" not in ended.stderr
