"""A part that an earlier attempt left is gone on with only if it is a file of ours alone and long enough."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aioflags.digests import Digests
from aioflags.folders import Folder
from aioflags.journal import Half
from aioflags.parts import Part, WholePart

HEAD = bytes(range(256)) * 10_000  # 2.4 MiB: more than is read at a time


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder.open(str(tmp_path))
    yield folder
    folder.close()


def reopen(folder: Folder, size: int, check: Callable[[], None] = lambda: None) -> Part | None:
    half = Half("part", size, '"a"', "http://h/a", None, len(HEAD), digests_of(HEAD)["xxh128"])
    return Part.reopen(folder, half, ["sha256"], check)


def digests_of(data: bytes) -> dict[str, str]:
    digests = Digests(["sha256"])
    digests.update(data)
    return digests.as_hex()


@pytest.mark.parametrize("longer", [b"", b"never trusted"])
def test_head_is_hashed_again_and_the_tail_comes_after_it(folder: Folder, tmp_path: Path, longer: bytes) -> None:
    """What lies behind the bytes that can be relied upon is cut off; the digests are those of the whole."""
    (tmp_path / "part").write_bytes(HEAD + longer)
    part = reopen(folder, len(HEAD))
    assert part is not None
    assert (part.size, part.digests.as_hex()) == (len(HEAD), digests_of(HEAD))
    part.writelines([b"the ", b"tail"])
    part.close()
    assert (tmp_path / "part").read_bytes() == HEAD + b"the tail"
    assert (part.size, part.digests.as_hex()) == (len(HEAD) + 8, digests_of(HEAD + b"the tail"))


def symbolic_link(path: Path) -> None:
    (path / "other").write_bytes(HEAD)
    (path / "part").symlink_to(path / "other")


def hard_link(path: Path) -> None:
    (path / "other").write_bytes(HEAD)
    os.link(path / "other", path / "part")


@pytest.mark.parametrize(
    "make",
    [
        lambda path: None,
        lambda path: (path / "part").write_bytes(HEAD[:-1]),
        lambda path: (path / "part").mkdir(),
        lambda path: os.mkfifo(path / "part"),
        symbolic_link,
        hard_link,
    ],
)
def test_what_is_no_part_of_ours_is_left_as_it_is(
    folder: Folder, tmp_path: Path, make: Callable[[Path], object]
) -> None:
    """Gone, shorter, a folder, a pipe, a link, or with another name somewhere: it is not opened, cut or written to."""
    make(tmp_path)
    before = sorted(
        (path.name, path.is_file() and path.read_bytes()) for path in tmp_path.iterdir() if not path.is_fifo()
    )
    assert reopen(folder, len(HEAD)) is None
    assert before == sorted(
        (path.name, path.is_file() and path.read_bytes()) for path in tmp_path.iterdir() if not path.is_fifo()
    )


def test_reading_ends_when_nobody_waits_for_it(folder: Folder, tmp_path: Path) -> None:
    """A head may be long; the file stays, and is closed."""
    (tmp_path / "part").write_bytes(HEAD)
    asked: list[None] = []

    def check() -> None:
        asked.append(None)
        if len(asked) == 2:
            raise InterruptedError

    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(InterruptedError):
        reopen(folder, len(HEAD), check)
    assert len(os.listdir("/proc/self/fd")) == before
    assert (tmp_path / "part").read_bytes() == HEAD


def test_growth_is_told_after_each_batch(folder: Folder) -> None:
    """When its bytes are with the system."""
    part = Part(folder, "part")
    sizes: list[tuple[int, int]] = []
    part.on_growth = lambda grown: sizes.append((grown.size, os.fstat(grown.fileno()).st_size))
    part.writelines([b"12", b"34"])
    part.writelines([b"5"])
    part.discard()
    assert sizes == [(4, 4), (5, 5)]


@pytest.mark.parametrize("size", [len(HEAD) - 1, len(HEAD), len(HEAD) + 5])
@pytest.mark.parametrize("hashed", [0, len(HEAD) - 1, len(HEAD)])
@pytest.mark.parametrize("changed", [None, 0, len(HEAD) // 2 - 1, len(HEAD) - 1])
def test_head_that_is_not_what_it_was_is_not_gone_on_with(
    folder: Folder, tmp_path: Path, size: int, hashed: int, changed: int | None
) -> None:
    """All of it is proven by its digest, or it is left; where the last byte is to be fetched again, that is, too."""
    body = bytearray(HEAD + b"later")
    digest = digests_of(bytes(body[:hashed]))["xxh128"]
    if changed is not None:
        body[changed] ^= 1
    (tmp_path / "part").write_bytes(body)
    half = Half("part", size, '"a"', "http://h/a", None, hashed, digest)
    part = Part.reopen(folder, half, ["sha256"], lambda: None)
    assert (part is None) == (size > hashed or (changed is not None and changed < hashed))
    if part is None:
        assert (tmp_path / "part").read_bytes() == body
        return
    assert (part.size, part.tell(), part.digests.as_hex()) == (size, size, digests_of(bytes(body[:size])))
    assert os.fstat(part.fileno()).st_size == size
    part.close()


def test_whole_part_takes_all_bytes_whatever_the_system_takes_at_once(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one call if it can; what is discarded afterwards is gone, and its descriptor with it."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, bytes(data)[:1_000_000]))
    part = WholePart(folder, "whole")
    part.fill([HEAD, memoryview(b"tail")], is_synced=False)
    assert part.fileno() == -1
    assert (tmp_path / "whole").read_bytes() == HEAD + b"tail"
    assert part.size == len(HEAD) + 4
    with pytest.raises(FileExistsError):
        WholePart(folder, "whole")
    part.discard()
    assert list(tmp_path.iterdir()) == []


def test_error_of_the_close_of_a_whole_part_counts(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told only then that nothing was kept, it says so; and it closes nothing twice, which may be another's by now."""
    closed = []
    close = os.close

    def refuse(descriptor: int) -> None:
        closed.append(descriptor)
        close(descriptor)
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    part = WholePart(folder, "whole")
    with monkeypatch.context() as patch:
        patch.setattr(os, "close", refuse)
        with pytest.raises(OSError, match=os.strerror(errno.EDQUOT)):
            part.fill([b"flag"], is_synced=False)
        part.discard()
    assert len(closed) == 1
    assert folder.names() == []
