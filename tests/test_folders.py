"""Every step goes from an open directory to the next, never through a link; by path where there is no other way."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aioflags.folders import Folder


@pytest.fixture(params=["by descriptor", "by path"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Folder]:
    """An open directory; the second way is that of systems without calls relative to a directory."""
    (tmp_path / "root").mkdir()
    root = str(tmp_path / "root")
    folder = Folder.open(root) if request.param == "by descriptor" else Folder(root, None)
    yield folder
    folder.close()


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A directory that must stay as it is."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("secret")
    return tmp_path / "outside"


def write(folder: Folder, name: str, data: bytes = b"flag") -> None:
    with open(folder.create_file(name), "wb") as file:
        file.write(data)


def read(folder: Folder, name: str) -> bytes:
    with open(folder.open_file(name), "rb") as file:
        return file.read()


def test_file_is_created_read_described_moved_and_removed(folder: Folder) -> None:
    """The life of a file, in a folder below."""
    child = folder.child("sub", create=True)
    write(folder, "part")
    folder.move_new("part", child, "flag")
    assert (folder.names(), child.names(), read(child, "flag")) == (["sub"], ["flag"], b"flag")
    found = child.look("flag")
    assert found is not None
    assert found.st_size == 4
    child.remove("flag")
    child.remove("flag")
    assert child.look("flag") is None
    child.sync()
    child.close()
    folder.remove_folder("sub")
    assert folder.names() == []


def test_directory_is_made_once_and_opened_ever_after(folder: Folder) -> None:
    """It is no error if it is there; without leave to make one it is, if not."""
    folder.child("sub", create=True).close()
    folder.child("sub", create=True).close()
    folder.child("sub").close()
    with pytest.raises(FileNotFoundError):
        folder.child("other")


@pytest.mark.parametrize("create", [True, False])
def test_link_is_no_directory(folder: Folder, outside: Path, create: bool) -> None:
    """Wherever it leads."""
    os.symlink(outside, os.path.join(folder.path, "sub"))
    os.symlink("nowhere", os.path.join(folder.path, "dangling"))
    for name in ("sub", "dangling"):
        with pytest.raises(NotADirectoryError):
            folder.child(name, create=create)


def test_file_is_no_directory(folder: Folder) -> None:
    """Neither is a file."""
    write(folder, "file")
    with pytest.raises(NotADirectoryError):
        folder.child("file", create=True)


@pytest.mark.parametrize("name", ["../outside/secret", "..", ".", "", "/etc/passwd", "sub/flag"])
def test_names_lead_nowhere_else(folder: Folder, outside: Path, name: str) -> None:
    """Whoever made them up: what is no single component is refused, whatever is to be done with it."""
    write(folder, "flag")
    folder.child("sub", create=True).close()
    steps: list[Callable[[], object]] = [
        lambda: folder.child(name),
        lambda: folder.child(name, create=True),
        lambda: folder.look(name),
        lambda: folder.open_part(name),
        lambda: folder.open_note(name),
        lambda: folder.create_file(name),
        lambda: folder.open_file(name),
        lambda: folder.remove(name),
        lambda: folder.remove_folder(name),
        lambda: folder.move_new("flag", folder, name),
        lambda: folder.move_over(name, folder, "flag"),
    ]
    for step in steps:
        with pytest.raises(OSError, match="no name inside a folder") as caught:
            step()
        assert caught.value.errno == errno.EINVAL
    assert os.listdir(outside) == ["secret"]


def test_link_is_not_written_through(folder: Folder, outside: Path) -> None:
    """A file is created, never opened; not even where a link leads to nothing."""
    os.symlink(outside / "secret", os.path.join(folder.path, "a"))
    os.symlink(outside / "new", os.path.join(folder.path, "b"))
    for name in ("a", "b"):
        with pytest.raises(FileExistsError):
            folder.create_file(name)
    assert sorted(entry.name for entry in outside.iterdir()) == ["secret"]


def test_link_is_not_read_through_and_is_described_itself(folder: Folder, outside: Path) -> None:
    """What it leads to is nobody's business here."""
    os.symlink(outside / "secret", os.path.join(folder.path, "a"))
    with pytest.raises(OSError, match=r".") as caught:
        folder.open_file("a")
    assert caught.value.errno == errno.ELOOP
    found = folder.look("a")
    assert found is not None
    assert found.st_ino == os.lstat(os.path.join(folder.path, "a")).st_ino


def test_replacing_a_link_leaves_its_goal_alone(folder: Folder, outside: Path) -> None:
    """The link goes, the file behind it stays."""
    os.symlink(outside / "secret", os.path.join(folder.path, "a"))
    write(folder, "part")
    folder.move_over("part", folder, "a")
    assert read(folder, "a") == b"flag"
    assert (outside / "secret").read_text() == "secret"


def test_directory_is_not_replaced(folder: Folder) -> None:
    """A file does not take the place of what may hold a thousand."""
    folder.child("sub", create=True).close()
    write(folder, "part")
    with pytest.raises(OSError, match=r"."):
        folder.move_over("part", folder, "sub")
    assert sorted(folder.names()) == ["part", "sub"]


def test_opening_a_pipe_does_not_wait_for_its_writer(folder: Folder) -> None:
    """Nobody may ever write to it."""
    os.mkfifo(os.path.join(folder.path, "pipe"))
    os.close(folder.open_file("pipe"))


@pytest.mark.parametrize(
    "block",
    [
        lambda path: path.write_text("old"),
        lambda path: path.mkdir(),
        lambda path: path.symlink_to("nowhere"),
    ],
    ids=["file", "directory", "dangling link"],
)
def test_taken_name_is_not_taken_again(tmp_path: Path, block: Callable[[Path], object]) -> None:
    """Whatever has it, and the file that was to move stays where it is."""
    folder = Folder.open(str(tmp_path))
    write(folder, "part")
    block(tmp_path / "flag")
    with pytest.raises(FileExistsError):
        folder.move_new("part", folder, "flag")
    assert read(folder, "part") == b"flag"
    folder.close()


@pytest.mark.parametrize("refusal", [errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK])
def test_file_system_without_hard_links_is_served_by_rename(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: int
) -> None:
    """FAT and some network shares know none; a taken name is still refused."""

    def no_link(*_: object, **__: object) -> None:
        raise OSError(refusal, os.strerror(refusal))

    monkeypatch.setattr(os, "link", no_link)
    folder = Folder.open(str(tmp_path))
    write(folder, "part")
    write(folder, "other", b"other")
    folder.move_new("part", folder, "flag")
    with pytest.raises(FileExistsError):
        folder.move_new("other", folder, "flag")
    assert (read(folder, "flag"), read(folder, "other")) == (b"flag", b"other")
    folder.close()


def test_other_refusals_of_a_link_are_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is not a file system without links."""

    def no_space(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "link", no_space)
    folder = Folder.open(str(tmp_path))
    write(folder, "part")
    with pytest.raises(OSError, match="No space left"):
        folder.move_new("part", folder, "flag")
    assert folder.names() == ["part"]
    folder.close()


def test_users_own_directory_may_be_a_link(tmp_path: Path, outside: Path) -> None:
    """The user named it; what is inside of it is another matter."""
    (tmp_path / "link").symlink_to(outside)
    folder = Folder.open(str(tmp_path / "link"))
    assert folder.names() == ["secret"]
    folder.close()
    folder.close()


def test_open_directory_stays_the_same_when_its_name_changes(tmp_path: Path, outside: Path) -> None:
    """Whoever puts a link in its place gains nothing."""
    (tmp_path / "root").mkdir()
    folder = Folder.open(str(tmp_path / "root"))
    (tmp_path / "root").rename(tmp_path / "moved")
    (tmp_path / "root").symlink_to(outside)
    write(folder, "flag")
    assert (tmp_path / "moved" / "flag").read_bytes() == b"flag"
    assert sorted(entry.name for entry in outside.iterdir()) == ["secret"]
    folder.close()


def test_descriptors_are_not_inherited(tmp_path: Path) -> None:
    """A child process has no business with our directories and files."""
    folder = Folder.open(str(tmp_path))
    child = folder.child("sub", create=True)
    descriptor = folder.create_file("file")
    for fd in (folder.fd, child.fd, descriptor):
        assert fd is not None
        assert not os.get_inheritable(fd)
    os.close(descriptor)
    child.close()
    folder.close()


def test_new_file_has_the_rights_of_the_umask(tmp_path: Path) -> None:
    """As any file that the user creates."""
    folder = Folder.open(str(tmp_path))
    before = os.umask(0o027)
    try:
        write(folder, "file")
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640
    folder.close()


def test_file_that_has_its_new_name_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An old name that cannot be removed is no reason to say that the file has not moved."""
    folder = Folder.open(str(tmp_path))
    write(folder, "part")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", refuse)
        folder.move_new("part", folder, "flag")
    assert read(folder, "flag") == b"flag"
    folder.close()


def test_folder_is_empty_but_for_one_name(folder: Folder) -> None:
    """A file, a folder and a link all count; the entry of that name does not, and asking changes nothing."""
    assert folder.is_empty("private")
    folder.child("private", create=True).close()
    assert folder.is_empty("private")
    assert not folder.is_empty("other")
    os.symlink("nowhere", os.path.join(folder.path, "link"))
    for _ in range(2):
        assert not folder.is_empty("private")
    assert sorted(folder.names()) == ["link", "private"]
