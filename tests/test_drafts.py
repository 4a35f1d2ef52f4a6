"""One file on its way to disk: what is there at the end of an attempt is kept for somebody, or is gone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from aioflags.destination import Destination
from aioflags.digests import Digests
from aioflags.drafts import Draft
from aioflags.errors import ChecksumError, RefusedError, StorageError
from aioflags.journal import Half
from aioflags.ranges import LEAST_HALF
from aioflags.settings import Durability
from aioflags.writer import Wanted, Writer
from tests.notes import Notes

HEAD = b"x" * LEAST_HALF
REST = Half("", 0, '"a"', "http://h/a", 2 * LEAST_HALF)
WANTED = Wanted("a", row=7, rest=REST)


def noted(part_name: str, data: bytes) -> Half:
    """How a part that holds `data` is described."""
    digests = Digests()
    digests.update(data)
    return replace(REST, part=part_name, size=len(data), hashed=len(data), digest=digests.as_hex()["xxh128"])


class Desk:
    """An open destination, a writer and its journal."""

    def __init__(self, home: Path, durability: Durability = "none") -> None:
        self.home = home
        self.destination = Destination(home)
        self.destination.open()
        self.notes = Notes()
        self.writer = Writer(self.destination, durability=durability, journal=self.notes)

    def draft(self, half: Half | None = None) -> Draft:
        return Draft(self.writer, 7, half)

    def leave_half(self, data: bytes = HEAD) -> Half:
        """What an earlier attempt has left."""
        draft = self.draft()
        draft.accept(WANTED, 0)
        draft.begin().writelines([data])
        half = draft.settle(keeps=True)
        assert half is not None
        self.notes.halves.clear()
        return half

    @property
    def parts(self) -> list[str]:
        return os.listdir(self.destination.run_path)

    @property
    def files(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.home.iterdir() if path.is_file()}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.destination.close()


def test_file_from_its_first_byte(desk: Desk) -> None:
    """It appears, it was noted before, and nothing is left to go on from."""
    draft = desk.draft()
    assert (draft.is_blank, draft.has_begun) == (True, False)
    draft.accept(WANTED, 0)
    draft.begin().writelines([b"fl", b"ag"])
    assert (draft.is_blank, draft.has_begun) == (False, True)
    assert draft.commit().bytes == 4
    assert draft.settle(keeps=True) is None
    assert (desk.files, desk.parts) == ({"a": b"flag"}, [])
    assert [[ready.row for ready in group] for group in desk.notes.groups] == [[7]]


def test_empty_file(desk: Desk) -> None:
    """No byte ever came, and that is all of it."""
    draft = desk.draft()
    draft.accept(WANTED, 0)
    draft.commit()
    draft.settle(keeps=False)
    assert desk.files == {"a": b""}


def test_head_and_tail_become_one_file(desk: Desk) -> None:
    """The part grows, and is noted anew as soon as it does: the system may have been started since."""
    half = desk.leave_half()
    draft = desk.draft(half)
    draft.open_head(WANTED, half)
    assert draft.head == half
    draft.accept(WANTED, half.size)
    draft.begin().writelines([b"tail"])
    assert desk.notes.halves == [(7, noted(half.part, HEAD + b"tail"))]
    draft.commit()
    assert draft.settle(keeps=True) is None
    assert (desk.files, desk.parts) == ({"a": HEAD + b"tail"}, [])


@pytest.mark.parametrize("keeps", [True, False])
def test_draft_that_is_cut(desk: Desk, keeps: bool) -> None:
    """It is kept with its exact size, or gone without a trace."""
    draft = desk.draft()
    draft.accept(WANTED, 0)
    part = draft.begin()
    part.writelines([HEAD])
    part.writelines([b"more"])
    half = draft.settle(keeps=keeps)
    assert part.closed
    data = HEAD + b"more"
    assert half == (noted(part.part_name, data) if keeps else None)
    assert desk.parts == ([part.part_name] if keeps else [])
    assert desk.notes.halves[-1] == (7, noted(part.part_name, data) if keeps else None)


@pytest.mark.parametrize("keeps", [True, False])
def test_little_is_not_kept(desk: Desk, keeps: bool) -> None:
    """And nobody was told of it."""
    draft = desk.draft()
    draft.accept(WANTED, 0)
    draft.begin().writelines([HEAD[:-1]])
    assert draft.settle(keeps=keeps) is None
    assert (desk.parts, desk.notes.halves) == ([], [])


def test_what_cannot_be_gone_on_with_is_not_kept(desk: Desk) -> None:
    """The answer had no validator."""
    draft = desk.draft()
    draft.accept(replace(WANTED, rest=None), 0)
    draft.begin().writelines([HEAD])
    assert draft.settle(keeps=True) is None
    assert (desk.parts, desk.notes.halves) == ([], [])


@pytest.mark.parametrize("is_opened", [True, False])
@pytest.mark.parametrize("keeps", [True, False])
def test_head_outlives_an_attempt_that_brings_nothing(desk: Desk, keeps: bool, is_opened: bool) -> None:
    """If it may: as it was, and closed."""
    half = desk.leave_half()
    before = len(os.listdir("/proc/self/fd"))
    draft = desk.draft(half)
    if is_opened:
        draft.open_head(WANTED, half)
    assert draft.settle(keeps=keeps) == (half if keeps else None)
    assert desk.parts == ([half.part] if keeps else [])
    assert desk.notes.halves == ([] if keeps else [(7, None)])
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("body", [HEAD + b"new", b"little", None])
@pytest.mark.parametrize("keeps", [True, False])
def test_old_head_is_gone_when_the_whole_file_comes(desk: Desk, keeps: bool, body: bytes | None) -> None:
    """Whether the new one is streamed, or at hand and written elsewhere; nothing of the old is in the new."""
    half = desk.leave_half(b"y" * LEAST_HALF)
    draft = desk.draft(half)
    draft.open_head(WANTED, half)
    draft.accept(WANTED, 0)
    if body is not None:
        draft.begin().writelines([body])
    kept = draft.settle(keeps=keeps)
    assert (kept is not None) == (keeps and body is not None and len(body) > LEAST_HALF)
    assert desk.parts == ([kept.part] if kept else [])
    if kept is not None:
        assert (Path(desk.destination.run_path) / kept.part).read_bytes() == body


def test_part_that_is_gone_is_no_error(desk: Desk) -> None:
    """The file is fetched from its first byte, and the note goes with the part."""
    half = desk.leave_half()
    os.unlink(os.path.join(desk.destination.run_path, half.part))
    draft = desk.draft(half)
    draft.open_head(WANTED, half)
    assert draft.head is None
    assert draft.is_blank
    assert desk.notes.halves == [(7, None)]


@pytest.mark.parametrize(
    ("wanted", "error"),
    [(replace(WANTED, digests={"md5": "00"}), ChecksumError), (replace(WANTED, name="b"), RefusedError)],
)
def test_whole_file_that_may_not_appear_is_not_kept(desk: Desk, wanted: Wanted, error: type[Exception]) -> None:
    """It would fail again."""
    (desk.home / "b").write_bytes(b"taken")
    draft = desk.draft()
    draft.accept(wanted, 0)
    draft.begin().writelines([HEAD])
    with pytest.raises(error):
        draft.commit()
    assert draft.settle(keeps=True) is None
    assert desk.parts == []


def test_part_that_cannot_be_noted_is_not_kept(desk: Desk) -> None:
    """The transfer failed of itself; that the ledger does, too, is told by others."""
    draft = desk.draft()
    draft.accept(WANTED, 0)
    draft.begin().writelines([HEAD])
    desk.notes.refuses = True
    assert draft.settle(keeps=True) is None
    assert desk.parts == []


def test_growth_that_cannot_be_noted_ends_the_transfer(desk: Desk) -> None:
    """A ledger that cannot be written stops the run."""
    draft = desk.draft()
    draft.accept(WANTED, 0)
    desk.notes.refuses = True
    with pytest.raises(StorageError, match="ledger"):
        draft.begin().writelines([HEAD])
    draft.settle(keeps=False)
    assert desk.parts == []
