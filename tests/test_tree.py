"""The way from a final name to its folder: never through a link, with few folders open, and noticed when it moves."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from aioflags.errors import RefusedError
from aioflags.folders import Folder
from aioflags.tree import Tree


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def is_open(folder: Folder) -> bool:
    return folder.fd is not None


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    """The folders below an empty directory."""
    (tmp_path / "home").mkdir()
    tree = Tree(str(tmp_path / "home"))
    yield tree
    tree.close()


@pytest.fixture
def home(tree: Tree) -> Path:
    """Where it is."""
    return Path(tree.root.path)


def test_folders_of_a_name_are_made_on_demand(tree: Tree, home: Path) -> None:
    """Only whoever puts a file there makes them; a look leaves no trace."""
    with pytest.raises(FileNotFoundError):
        tree.folder_of("a/b/flag", create=False)
    assert tree.look("a/b/flag") is None
    assert list(home.iterdir()) == []
    folder, leaf = tree.folder_of("a/b/flag")
    assert (folder.path, leaf) == (str(home / "a" / "b"), "flag")
    assert (home / "a" / "b").is_dir()
    assert tree.folder_of("flag") == (tree.root, "flag")


def test_few_folders_are_open_at_a_time(tree: Tree) -> None:
    """However many there are; the one that was wanted last is not gone to again, and all are closed in the end."""
    before = open_descriptors()
    for number in range(200):
        last, _ = tree.folder_of(f"{number}/flag")
    assert open_descriptors() - before <= 64
    assert tree.folder_of("199/other") == (last, "other")
    tree.close()
    assert open_descriptors() < before


def test_folder_in_the_way_of_a_name(tree: Tree, home: Path, tmp_path: Path) -> None:
    """A file or a link where a folder should be refuses the name, and no descriptor is lost over it."""
    (home / "file").touch()
    (home / "link").symlink_to(tmp_path)
    (home / "deep").mkdir()
    (home / "deep" / "link").symlink_to(tmp_path)
    before = open_descriptors()
    for name in ("file/flag", "link/flag", "deep/link/flag"):
        for create in (True, False):
            with pytest.raises(RefusedError, match="is a file or a link, not a folder") as caught:
                tree.folder_of(name, create=create)
            assert caught.value.kind == "name"
    assert open_descriptors() == before


@pytest.mark.parametrize("instead", ["nothing", "folder", "link to it"])
def test_folder_that_was_moved_is_gone_to_anew(tree: Tree, home: Path, instead: str) -> None:
    """A check finds that the open one is not where it was, and closes it."""
    first, _ = tree.folder_of("a/b/flag")
    tree.check(["a/b/flag"])
    assert tree.folder_of("a/b/flag")[0] is first
    (home / "a").rename(home / "away")
    if instead == "folder":
        (home / "a" / "b").mkdir(parents=True)
    elif instead == "link to it":
        (home / "a").symlink_to(home / "away")
    tree.check(["other/flag"])
    assert is_open(first)
    tree.check(["a/b/flag"])
    assert not is_open(first)
    if instead == "link to it":
        with pytest.raises(RefusedError):
            tree.folder_of("a/b/flag")
    else:
        assert tree.folder_of("a/b/flag")[0].path == str(home / "a" / "b")


def test_destination_that_was_moved_is_no_destination(tree: Tree, home: Path) -> None:
    """Whether something else stands in its place or nothing."""
    tree.check([])
    home.rename(home.parent / "elsewhere")
    with pytest.raises(FileNotFoundError):
        tree.check([])
    home.mkdir()
    with pytest.raises(FileNotFoundError, match="moved or replaced"):
        tree.check([])


def test_second_look_into_a_folder_costs_one_call(tree: Tree, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever its depth; and what it tells is what is there now."""
    (home / "a" / "b").mkdir(parents=True)
    (home / "a" / "b" / "flag").write_bytes(b"flag")
    found = tree.look_again("a/b/flag")
    assert found is not None
    assert found.st_size == 4
    monkeypatch.setattr(os, "open", None)
    (home / "a" / "b" / "other").write_bytes(b"others")
    found = tree.look_again("a/b/other")
    assert found is not None
    assert found.st_size == 6
    with pytest.raises(FileNotFoundError):
        tree.look_again("a/b/none")


@pytest.mark.parametrize(
    ("there", "name", "was_empty"),
    [
        ([], "flag", True),
        ([], "a/b/flag", True),
        (["private/"], "flag", True),
        (["a/"], "a/flag", True),
        (["other"], "flag", False),
        (["private/", "other"], "flag", False),
        (["a/", "a/other"], "a/flag", False),
        (["a/", "a/private/"], "a/flag", True),
        (["link"], "link/flag", False),
        (["file"], "file/flag", False),
    ],
)
def test_folder_was_empty_or_not(tree: Tree, home: Path, there: list[str], name: str, was_empty: bool) -> None:
    """What is not there is empty, the private folder does not count, and of what is no folder nobody says so."""
    for entry in there:
        if entry.endswith("/"):
            (home / entry).mkdir()
        elif entry == "link":
            (home / "link").symlink_to(home)
        else:
            (home / entry).touch()
    assert tree.was_empty(name, "private") is was_empty


def test_folder_is_asked_about_once(tree: Tree, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is what it was, however many names and whatever has come into it; another folder is another question."""
    assert tree.was_empty("flag", "")
    (home / "flag").touch()
    (home / "a").mkdir()
    (home / "a" / "flag").touch()
    assert not tree.was_empty("a/flag", "")
    monkeypatch.setattr(os, "scandir", None)
    assert tree.was_empty("other", "")
    assert not tree.was_empty("a/other", "")
