"""Write, check, sync, note, publish: in this order, and a failure at any step leaves nothing under a name."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import pytest

from aioflags.destination import Destination
from aioflags.errors import ChecksumError, DownloadError, RefusedError, StorageError
from aioflags.journal import Ready
from aioflags.parts import WholePart
from aioflags.settings import Durability
from aioflags.writer import Saved, Wanted, Whole, Writer
from tests.notes import Notes

FLAG = b"flag"
SHA256 = hashlib.sha256(FLAG).hexdigest()


@pytest.fixture
def destination(tmp_path: Path) -> Iterator[Destination]:
    """Open, and empty at the end but for what is published."""
    destination = Destination(tmp_path / "downloads")
    destination.open()
    yield destination
    destination.close()


def files(destination: Destination) -> list[str]:
    """Final names that have appeared."""
    found = [os.path.join(folder, name) for folder, _, names in os.walk(destination.path) for name in names]
    return sorted(os.path.relpath(path, destination.path) for path in found if ".aioflags" not in path)


def parts(destination: Destination) -> list[str]:
    """What is in the private folder."""
    return os.listdir(destination.run_path)


class Tape:
    """Records the calls to the system that order matters for, with the names they are about."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, home: str) -> None:
        self.calls: list[str] = []
        self.failing = ""
        self._home = home
        for name in ("fdatasync", "fsync", "link", "replace"):
            monkeypatch.setattr(os, name, self._wrap(name, getattr(os, name)))

    def _wrap(self, name: str, function: Callable[..., None]) -> Callable[..., None]:
        def recorded(*arguments: int | str, **options: int) -> None:
            if name == "fdatasync":
                about = str(os.fstat(int(arguments[0])).st_size)
            elif name == "fsync":
                about = os.path.relpath(os.readlink(f"/proc/self/fd/{arguments[0]}"), self._home)
            else:
                about = str(arguments[1])
            self.calls.append(f"{name} {about}")
            if self.calls[-1] == self.failing:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            function(*arguments, **options)

        return recorded


@pytest.fixture
def tape(monkeypatch: pytest.MonkeyPatch, destination: Destination) -> Tape:
    """Recording."""
    return Tape(monkeypatch, destination.path)


GROUP = [Whole(Wanted("a"), [b"1"]), Whole(Wanted("sub/b"), [b"2", b"2"]), Whole(Wanted("c"), [b"333"])]


@pytest.mark.parametrize(
    ("durability", "calls"),
    [
        ("none", ["link a", "link b", "link c"]),
        (
            "file",
            [
                *("fdatasync 1", "fdatasync 2", "fdatasync 3"),
                *("link a", "fsync ."),
                *("link b", "fsync sub", "fsync ."),
                *("link c", "fsync ."),
            ],
        ),
        (
            "batch",
            ["fdatasync 1", "fdatasync 2", "fdatasync 3", "link a", "link b", "link c", "fsync sub", "fsync ."],
        ),
    ],
)
def test_bytes_are_safe_before_the_name_and_the_name_before_it_is_said(
    destination: Destination, tape: Tape, durability: Durability, calls: list[str]
) -> None:
    """Each file's bytes, whole, then its name, then the folders that it is in; a batch does each step together."""
    results = Writer(destination, durability=durability).write_group(GROUP)
    assert [result.bytes for result in results if isinstance(result, Saved)] == [1, 2, 3]
    syncs = [index for index, call in enumerate(tape.calls) if call.startswith("fsync")]
    assert sorted(tape.calls[index] for index in syncs) == sorted(call for call in calls if call.startswith("fsync"))
    assert [call for call in tape.calls if not call.startswith("fsync")] == [
        call for call in calls if not call.startswith("fsync")
    ]
    assert syncs == [index for index, call in enumerate(calls) if call.startswith("fsync")]


@pytest.mark.parametrize("durability", ["batch", "file"])
def test_bytes_that_cannot_be_made_safe_get_no_name(
    destination: Destination, tape: Tape, durability: Durability
) -> None:
    """The others of the group get theirs."""
    tape.failing = "fdatasync 2"
    results = Writer(destination, durability=durability).write_group(GROUP)
    assert [type(result) for result in results] == [Saved, StorageError, Saved]
    assert (files(destination), parts(destination)) == (["a", "c"], [])


@pytest.mark.parametrize(("durability", "said"), [("batch", [0, 0, 0]), ("file", [1, 0, 1])])
def test_name_that_is_not_safe_is_not_said_to_be_saved(
    destination: Destination, tape: Tape, durability: Durability, said: list[int]
) -> None:
    """The file is there, but nobody may rely on it."""
    tape.failing = "fsync sub"
    results = Writer(destination, durability=durability).write_group(GROUP)
    assert [isinstance(result, Saved) for result in results] == [bool(flag) for flag in said]
    assert all(isinstance(result, Saved | StorageError) for result in results)
    assert parts(destination) == []


@pytest.mark.parametrize("durability", ["none", "batch", "file"])
def test_group_keeps_failures_apart(destination: Destination, durability: Durability) -> None:
    """Wrong digest, taken name, folder that is a file: each has its error at its place, and no part is left."""
    group = [
        Whole(Wanted("a", {"sha256": SHA256}), [FLAG]),
        Whole(Wanted("b", {"sha256": "0" * 64}), [FLAG]),
        Whole(Wanted("a"), [b"other"]),
        Whole(Wanted("a/c"), [FLAG]),
        Whole(Wanted("d/e"), []),
        Whole(Wanted("a", may_replace=True), [b"new"]),
    ]
    results = Writer(destination, durability=durability).write_group(group)
    assert [result.kind if isinstance(result, DownloadError) else "saved" for result in results] == [
        "saved",
        "checksum",
        "exists",
        "name",
        "saved",
        "saved",
    ]
    assert (files(destination), parts(destination)) == (["a", "d/e"], [])
    with open(os.path.join(destination.path, "a"), "rb") as file:
        assert file.read() == b"new"


def test_wrong_digest_leaves_nothing(destination: Destination) -> None:
    """The message says both, and what was there under the name stays, even if it might be replaced."""
    writer = Writer(destination)
    writer.write(Whole(Wanted("a"), [b"old"]))
    with pytest.raises(ChecksumError, match=f"sha256 is {SHA256}, the list declares 00"):
        writer.write(Whole(Wanted("a", {"sha256": "00"}, may_replace=True), [FLAG]))
    with open(os.path.join(destination.path, "a"), "rb") as file:
        assert file.read() == b"old"
    assert parts(destination) == []


def test_saved_tells_size_and_digests(destination: Destination) -> None:
    """xxh128, those that were asked for, and those that were compared, once each."""
    saved = Writer(destination, algorithms=["md5", "sha256"]).write(
        Whole(Wanted("a", {"sha256": SHA256}), [b"fl", b"ag"])
    )
    assert (saved.bytes, list(saved.digests)) == (4, ["xxh128", "md5", "sha256"])
    assert saved.digests["sha256"] == SHA256


class BadClose(WholePart):
    """A file on a server that says only at the end that it kept nothing."""

    def fill(self, chunks: Iterable[bytes | memoryview], *, is_synced: bool) -> None:
        super().fill(chunks, is_synced=is_synced)
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))


class FullDisk(WholePart):
    """A file that takes no byte: what is written goes to a device that is always full."""

    def fill(self, chunks: Iterable[bytes | memoryview], *, is_synced: bool) -> None:
        full = os.open("/dev/full", os.O_WRONLY)
        os.dup2(full, self.fileno())
        os.close(full)
        super().fill(chunks, is_synced=is_synced)


class Faulty(Destination):
    """A destination whose parts are of the given class."""

    part: type[WholePart] = WholePart

    def new_whole_part(self) -> WholePart:
        return self.part(self._own.folder, "part")


def test_wrong_body_at_hand_is_not_even_written(tmp_path: Path) -> None:
    """Its digest is known before a file of it is; so the disk has no part in its error."""
    destination = Faulty(tmp_path / "downloads")
    destination.open()
    destination.part = FullDisk
    with pytest.raises(ChecksumError):
        Writer(destination).write(Whole(Wanted("a", {"sha256": "00"}), [FLAG]))
    destination.close()


@pytest.mark.parametrize("durability", ["none", "batch"])
@pytest.mark.parametrize(("part", "reason"), [(BadClose, "quota is used up"), (FullDisk, "No space left on device")])
def test_error_of_the_disk_counts_whenever_it_is_told(
    tmp_path: Path, part: type[WholePart], reason: str, durability: Durability
) -> None:
    """At the write or only at the close: nothing appears, and the message names the file."""
    destination = Faulty(tmp_path / "downloads")
    destination.open()
    destination.part = part
    (error,) = Writer(destination, durability=durability).write_group([Whole(Wanted("a"), [FLAG])])
    assert isinstance(error, StorageError)
    assert isinstance(error.__cause__, OSError)
    assert str(error).startswith("storage: cannot write a: ")
    assert reason in str(error)
    assert (files(destination), parts(destination)) == ([], [])
    destination.close()


def test_part_of_a_stream_is_committed_or_still_the_callers(destination: Destination) -> None:
    """After a failed commit the caller has it to discard."""
    writer = Writer(destination, algorithms=["md5"])
    wanted = Wanted("a", {"sha256": SHA256})
    part = writer.new_part(wanted)
    part.write(FLAG)
    assert writer.commit(wanted, part).digests["sha256"] == SHA256
    again = writer.new_part(wanted)
    again.write(FLAG)
    with pytest.raises(RefusedError):
        writer.commit(wanted, again)
    assert len(parts(destination)) == 1
    again.discard()
    assert (files(destination), parts(destination)) == (["a"], [])


@pytest.mark.parametrize(
    ("durability", "calls"),
    [
        ("none", ["link a"]),
        ("batch", ["fdatasync 4", "link a", "fsync sub", "fsync ."]),
        ("file", ["fdatasync 4", "link a", "fsync sub", "fsync ."]),
    ],
)
def test_stream_is_as_safe_as_a_body_at_hand(
    destination: Destination, tape: Tape, durability: Durability, calls: list[str]
) -> None:
    """Its bytes before its name, its name before it is said to be saved; alone, it is a batch of one."""
    writer = Writer(destination, durability=durability)
    wanted = Wanted("sub/a")
    part = writer.new_part(wanted)
    part.write(FLAG)
    writer.commit(wanted, part)
    assert sorted(tape.calls[2:]) == sorted(calls[2:])
    assert tape.calls[:2] == calls[:2]


def test_bug_in_the_middle_leaves_no_part(destination: Destination) -> None:
    """It is raised, for it is ours; but it does not litter."""
    with pytest.raises(TypeError):
        Writer(destination).write(Whole(Wanted("a"), ["no bytes"]))  # type: ignore[list-item]
    assert (files(destination), parts(destination)) == ([], [])


@pytest.mark.parametrize("durability", ["none", "batch", "file"])
def test_group_is_noted_once_before_any_of_it_appears(
    destination: Destination, tape: Tape, durability: Durability
) -> None:
    """With all that is known of its files, those that failed left out."""
    seen: list[list[str]] = []

    class Watching(Notes):
        def ready(self, group: Sequence[Ready]) -> None:
            seen.append(files(destination))
            super().ready(group)

    notes = Watching()
    group = [
        Whole(Wanted("a", row=1, etag='"e"', last_modified="then", content_encoding="gzip"), [FLAG]),
        Whole(Wanted("b", {"sha256": "0" * 64}, row=2), [FLAG]),
        Whole(Wanted("c", {"sha256": SHA256}, row=3), [FLAG]),
    ]
    results = Writer(destination, durability=durability, journal=notes).write_group(group)
    assert [type(result) for result in results] == [Saved, ChecksumError, Saved]
    assert seen == [[]]
    ((first, third),) = notes.groups
    is_synced = durability != "none"
    assert first == Ready(1, 4, first.digests, '"e"', "then", "gzip", is_synced)
    assert (third.row, third.digests["sha256"], third.is_synced) == (3, SHA256, is_synced)
    links = [index for index, call in enumerate(tape.calls) if call.startswith("link")]
    syncs = [index for index, call in enumerate(tape.calls) if call.startswith("fdatasync")]
    assert (len(syncs), max(syncs, default=-1) < min(links)) == (2 if is_synced else 0, True)


@pytest.mark.parametrize("durability", ["none", "batch", "file"])
def test_group_that_cannot_be_noted_does_not_appear(destination: Destination, durability: Durability) -> None:
    """A final name must never be unknown to the next run; each of its files has the error."""
    notes = Notes()
    notes.refuses = True
    writer = Writer(destination, durability=durability, journal=notes)
    results = writer.write_group([*GROUP, Whole(Wanted("d", {"sha256": "00"}), [FLAG])])
    assert [type(result) for result in results] == [StorageError, StorageError, StorageError, ChecksumError]
    part = writer.new_part(Wanted("e"))
    with pytest.raises(StorageError, match="ledger"):
        writer.commit(Wanted("e"), part)
    part.discard()
    assert (files(destination), parts(destination)) == ([], [])


def test_group_of_failures_is_not_noted(destination: Destination) -> None:
    """There is nothing to say."""
    notes = Notes()
    (result,) = Writer(destination, journal=notes).write_group([Whole(Wanted("a", {"sha256": "00"}), [FLAG])])
    assert isinstance(result, ChecksumError)
    assert notes.groups == []


def test_bug_in_the_journal_leaves_no_part(destination: Destination) -> None:
    """It is raised, and what was written is removed."""

    class Broken(Notes):
        def ready(self, _: Sequence[Ready]) -> None:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Writer(destination, journal=Broken()).write_group(GROUP)
    assert (files(destination), parts(destination)) == ([], [])
