"""The life of the system has a name and a beginning, and where it does not tell, nothing is made up."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from aioflags import boot


def test_boot_id_stays_the_same() -> None:
    """It names the life of the system, not that of a process."""
    assert boot.boot_id() == boot.boot_id()


def test_start_lies_between_what_is_old_and_what_is_new(tmp_path: Path) -> None:
    """A file that has just been made is younger, this process as well."""
    (tmp_path / "new").touch()
    assert 0 < boot.boot_time() < os.stat(tmp_path / "new").st_ctime


def test_system_that_does_not_tell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It has no name, and its beginning is told by the clock that began with it."""
    (tmp_path / "stat").write_text("cpu 1 2 3\n")
    for path in (tmp_path / "none", tmp_path / "stat"):
        monkeypatch.setattr(boot, "_BOOT_ID", str(tmp_path / "none"))
        monkeypatch.setattr(boot, "_STATISTICS", str(path))
        (tmp_path / "new").touch()
        assert boot.boot_id() is None
        assert boot.boot_time() < os.stat(tmp_path / "new").st_ctime
