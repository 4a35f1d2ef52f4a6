"""The private folder of a run: nobody else's, swept when its run is dead, kept where a ledger is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from aioflags.errors import StorageError
from aioflags.folders import Folder
from aioflags.private import STATE_FOLDER, PrivateFolder


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder.open(str(tmp_path))
    yield folder
    folder.close()


def entered(root: Folder, *, is_kept: bool) -> PrivateFolder:
    private = PrivateFolder(root, is_kept=is_kept)
    private.enter()
    return private


@pytest.mark.parametrize("is_kept", [False, True])
def test_folder_is_private_and_goes_with_its_run(root: Folder, tmp_path: Path, is_kept: bool) -> None:
    """Nobody else may look into it, and an empty one leaves nothing behind."""
    private = entered(root, is_kept=is_kept)
    state = tmp_path / STATE_FOLDER
    assert private.state_path == str(state)
    assert state.stat().st_mode & 0o777 == 0o700
    assert (state / private.name).stat().st_mode & 0o777 == 0o700
    private.leave()
    private.leave()
    assert os.listdir(tmp_path) == []


def test_parts_stay_where_a_ledger_is_kept(root: Folder, tmp_path: Path) -> None:
    """The next run finds them under the same name, and sweeps those that nobody knows."""
    private = entered(root, is_kept=True)
    for name in ("known", "unknown"):
        os.close(private.folder.create_file(name))
    private.leave()
    assert sorted(os.listdir(tmp_path / STATE_FOLDER)) == ["parts"]
    again = entered(root, is_kept=True)
    again.sweep({"known"})
    assert again.folder.names() == ["known"]
    again.leave()
    assert os.listdir(tmp_path / STATE_FOLDER / "parts") == ["known"]


def test_what_is_no_file_is_swept_with_the_parts(root: Folder, tmp_path: Path) -> None:
    """Whatever its name is; not what a link leads to, and not a directory that somebody keeps something in."""
    (tmp_path / "outside").mkdir()
    private = entered(root, is_kept=True)
    parts = tmp_path / STATE_FOLDER / "parts"
    (parts / "link").symlink_to(tmp_path / "outside")
    (parts / "empty").mkdir()
    (parts / "somebody's" / "more").mkdir(parents=True)
    os.mkfifo(parts / "pipe")
    private.sweep({"link", "empty", "pipe"})
    assert private.folder.names() == ["somebody's"]
    assert (tmp_path / "outside").is_dir()
    private.leave()


def test_parts_go_without_a_ledger(root: Folder, tmp_path: Path) -> None:
    """Nobody would go on with them."""
    private = entered(root, is_kept=False)
    os.close(private.folder.create_file("part"))
    private.leave()
    assert os.listdir(tmp_path) == []


def test_one_run_at_a_time_works_with_a_ledger(root: Folder, tmp_path: Path) -> None:
    """The second one is told so and takes nothing away; a run without ledger disturbs nobody."""
    first = entered(root, is_kept=True)
    os.close(first.folder.create_file("part"))
    with pytest.raises(StorageError, match="in use by"):
        entered(root, is_kept=True)
    other = entered(root, is_kept=False)
    other.leave()
    assert first.folder.names() == ["part"]
    assert sorted(os.listdir(tmp_path / STATE_FOLDER)) == ["lock", "parts"]
    first.leave()


@pytest.mark.parametrize("is_kept", [False, True])
def test_what_a_dead_run_left_is_swept(root: Folder, tmp_path: Path, is_kept: bool) -> None:
    """Its folder is locked by nobody; that of a living run is left alone."""
    living = entered(root, is_kept=False)
    dead = tmp_path / STATE_FOLDER / "run-0123456789abcdef"
    dead.mkdir()
    (dead / "part").write_bytes(b"half")
    private = entered(root, is_kept=is_kept)
    assert not dead.exists()
    assert (tmp_path / STATE_FOLDER / living.name).exists()
    private.leave()
    living.leave()


def test_worker_joins_and_removes_nothing(root: Folder, tmp_path: Path) -> None:
    """The folder is its parent's to leave."""
    private = entered(root, is_kept=False)
    os.close(private.folder.create_file("part"))
    worker = PrivateFolder(root)
    worker.join(private.name)
    worker.leave()
    assert private.folder.names() == ["part"]
    private.leave()
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
def test_folder_of_another_user_is_refused(root: Folder, tmp_path: Path) -> None:
    """Its owner could put anything into it; one that belongs to whom the destination belongs to is theirs to use."""
    state = tmp_path / STATE_FOLDER
    state.mkdir()
    os.chown(state, 12345, -1)
    with pytest.raises(PermissionError, match="another user"):
        entered(root, is_kept=True)
    assert os.listdir(state) == []
    os.chown(tmp_path, 12345, -1)
    entered(root, is_kept=True).leave()
