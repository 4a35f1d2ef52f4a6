"""What the journal is told of parts while they grow: soon enough to survive a kill, and never more than is true."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from aioflags.destination import Destination
from aioflags.digests import Digests
from aioflags.halves import Halves
from aioflags.journal import Half
from aioflags.parts import Part
from aioflags.ranges import LEAST_HALF
from tests.notes import Notes

REST = Half("", 0, '"a"', "http://h/a")
BLOCK = bytes(LEAST_HALF // 2)
SYNC_EVERY = 64 << 20


@pytest.fixture
def destination(tmp_path: Path) -> Iterator[Destination]:
    destination = Destination(tmp_path)
    destination.open()
    yield destination
    destination.close()


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Sizes of the parts at the moments in which they were forced to stable storage."""
    sizes: list[int] = []
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: sizes.append(os.fstat(descriptor).st_size))
    return sizes


def noted(part: Part, blocks: int) -> Half:
    """How a part of so many blocks is described."""
    digests = Digests()
    digests.update(BLOCK * blocks)
    size = blocks * len(BLOCK)
    return replace(REST, part=part.part_name, size=size, hashed=size, digest=digests.as_hex()["xxh128"])


def grow(part: Part, blocks: int) -> None:
    for _ in range(blocks):
        part.writelines([BLOCK])


def test_part_is_noted_when_there_is_enough_of_it_and_as_it_grows(destination: Destination, synced: list[int]) -> None:
    """With what its digest proves; nothing is forced to stable storage for that."""
    notes, part = Notes(), destination.new_part()
    Halves(destination, notes, is_durable=False).attend(7, REST, part)
    grow(part, 1)
    assert notes.halves == []
    grow(part, 20)
    assert notes.halves == [(7, noted(part, blocks)) for blocks in (2, 10, 18)]
    assert synced == []
    part.discard()


def test_note_says_what_is_on_stable_storage(destination: Destination, synced: list[int]) -> None:
    """Forced there before it is said, at first and every 64 MiB, and at the end."""
    notes, part = Notes(), destination.new_part()
    halves = Halves(destination, notes, is_durable=True)
    halves.attend(7, REST, part)
    grow(part, 300)
    moments = [LEAST_HALF, LEAST_HALF + SYNC_EVERY, LEAST_HALF + 2 * SYNC_EVERY]
    assert synced == moments
    assert [half.size for _, half in notes.halves if half is not None] == moments
    half = halves.keep(7, REST, part)
    assert half == notes.halves[-1][1] == noted(part, 300)
    part.discard()


def test_part_that_nobody_can_go_on_with_is_not_noted(destination: Destination) -> None:
    """However large it grows."""
    notes, part = Notes(), destination.new_part()
    halves = Halves(destination, notes, is_durable=True)
    halves.attend(7, None, part)
    grow(part, 3)
    assert halves.keep(7, None, part) is None
    assert notes.halves == []
    part.discard()


def test_half_is_removed_and_forgotten(destination: Destination) -> None:
    """Gone already it is removed all the same, and a ledger that refuses is told of by others."""
    notes, part = Notes(), destination.new_part()
    halves = Halves(destination, notes, is_durable=False)
    grow(part, 2)
    half = halves.keep(7, REST, part)
    assert half is not None
    for _ in range(2):
        halves.remove(half)
    assert os.listdir(destination.run_path) == []
    halves.forget(7)
    notes.refuses = True
    halves.forget(7)
    assert notes.halves[-1] == (7, None)
