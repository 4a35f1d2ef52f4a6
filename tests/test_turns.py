"""One at a time, and nobody who can go waits."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from aioflags import turns as module
from aioflags.turns import Turns

fcntl = pytest.importorskip("fcntl")


def test_one_has_its_turn_at_a_time(tmp_path: Path) -> None:
    """The other has it as soon as the first has given it up, however it came to that."""
    first, second = Turns(str(tmp_path)), Turns(str(tmp_path))
    has_turn = threading.Event()

    def take() -> None:
        with second:
            has_turn.set()

    thread = threading.Thread(target=take)
    with pytest.raises(RuntimeError), first:
        thread.start()
        assert not has_turn.wait(0.02)
        raise RuntimeError
    assert has_turn.wait(10)
    thread.join()
    first.close()
    second.close()


def test_turn_ends_with_whoever_has_it(tmp_path: Path) -> None:
    """One that is closed in its turn, as by the death of its process, holds nobody up."""
    first, second = Turns(str(tmp_path)), Turns(str(tmp_path))
    first.take()
    first.close()
    with second:
        first.take()
        first.give_up()
    second.close()


def test_nobody_waits_where_there_are_no_others(tmp_path: Path) -> None:
    """Nothing is locked for what one process has for itself."""
    with Turns(None), Turns(None):
        pass


@pytest.mark.parametrize("has_locks", [True, False])
def test_nobody_waits_where_there_are_no_locks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_locks: bool
) -> None:
    """Neither the system's nor the file system's: what takes turns is safe without."""

    def refuse(*_: object) -> None:
        raise OSError(9, "Bad file descriptor")

    monkeypatch.setattr(fcntl, "flock", refuse)
    if not has_locks:
        monkeypatch.setattr(module, "fcntl", None)
    first, second = Turns(str(tmp_path)), Turns(str(tmp_path))
    with first, second:
        pass
    first.close()
    second.close()


def test_folder_has_to_be_there(tmp_path: Path) -> None:
    """Or it could not be known to the others."""
    with pytest.raises(FileNotFoundError):
        Turns(str(tmp_path / "none"))
