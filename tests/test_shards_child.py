"""Worker processes as their parent sees them; real ones."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from aioflags.settings import Settings
from aioflags.shards import child as module
from aioflags.shards.child import Child
from aioflags.shards.messages import Place, Plan, Report

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="there are no Unix sockets"),
    pytest.mark.slow,
]


def is_there(pid: int) -> bool:
    """Tell whether there is such a process, a dead one that nobody has asked for included."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_worker_ends_when_it_is_told_to() -> None:
    """Also one that has nothing to do, and is gone without a trace."""
    child = await Child.start()
    assert is_there(child.pid)
    await child.end()
    assert not is_there(child.pid)


async def test_worker_that_was_killed_is_noticed(tmp_path: Path) -> None:
    """It says nothing more, and leaves no dead process behind."""
    child = await Child.start()
    os.kill(child.pid, signal.SIGKILL)
    while await child.wire.receive() is not None:
        pass
    await child.end()
    assert not is_there(child.pid)


async def test_worker_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that hangs holds nobody up for longer than it is given."""
    monkeypatch.setattr(module, "_PATIENCE", 0.05)
    child = await Child.start()
    os.kill(child.pid, signal.SIGSTOP)
    await child.end()
    assert not is_there(child.pid)


async def test_worker_that_cannot_open_its_place_says_so(tmp_path: Path) -> None:
    """It is the destination's fault, in words for people, and the worker ends by itself."""
    child = await Child.start()
    child.wire.send(Plan(Place(str(tmp_path / "none"), "run", None), Settings(), "asyncio", {}))
    said = []
    while (message := await child.wire.receive()) is not None:
        said.append(message)
    assert "No such file" in str([each for each in said if not isinstance(each, Report)])
    await child.end()
    assert not is_there(child.pid)
