"""The files that a server has and contenders fetch: deterministic content, its digest, and whether it arrived."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import xxhash

from aioflags.flagserver.resources import find_resource, make_bytes

__all__ = ["Check", "Corpus", "File", "check", "flags", "like_flags", "numbered", "same", "sized"]

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is to arrive.

    Args:
        path: Below the server's URL; its last segment is the name.
        size: Bytes.
        digest: xxh128 of its content.
    """

    path: str
    size: int
    digest: str

    @property
    def name(self) -> str:
        """What it is called on disk."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Corpus:
    """All files of a case.

    Args:
        files: In the order of the list.
        write: Puts them below a server's root; the flag server makes its own itself.
    """

    files: Sequence[File]
    write: Callable[[Path], None]

    @property
    def bytes(self) -> int:
        """Of all files."""
        return sum(file.size for file in self.files)


def numbered(folder: str, count: int, size: int) -> Corpus:
    """Make `count` files of `size` bytes, no two the same, below `folder`."""
    return _written(folder, [(f"{number:07d}", size) for number in range(count)])


def like_flags(folder: str, count: int) -> Corpus:
    """Make `count` files of the sizes of a set of flags: median about 10 kB, few under 1 kB, none over 36 kB.

    Source: the sizes of the 194 GIF files that the classic lesson serves.
    """
    chance = random.Random(194)
    sizes = [min(36_000, max(300, round(chance.lognormvariate(9.3, 0.6)))) for _ in range(count)]
    return _written(folder, [(f"{number:07d}", size) for number, size in enumerate(sizes)])


def _written(folder: str, names: Sequence[tuple[str, int]]) -> Corpus:
    files = [File(f"{folder}/{name}", size, _digest(_content(f"{folder}/{name}", size))) for name, size in names]

    def write(root: Path) -> None:
        (root / folder).mkdir(parents=True, exist_ok=True)
        for file in files:
            with open(root / file.path, "wb") as target:
                target.writelines(_content(file.path, file.size))

    return Corpus(files, write)


def _content(path: str, size: int) -> Iterator[bytes]:
    return make_bytes(size, path).read(0, size)


def same(count: int, content: bytes = b"x") -> Corpus:
    """Make a list of any length whose URLs all lead to one content: servers answer so below `same/`."""
    digest = _digest([content])
    files = [File(f"same/{number:07d}", len(content), digest) for number in range(count)]

    def write(root: Path) -> None:
        (root / "same").mkdir(parents=True, exist_ok=True)
        (root / "same" / "same").write_bytes(content)

    return Corpus(files, write)


def sized(count: int, first: int) -> Corpus:
    """List what the flag server has by size: `count` files of `first` bytes and more, each one byte longer."""
    return _made([f"bytes/{first + number}" for number in range(count)])


def flags(codes: Iterable[str]) -> Corpus:
    """List flags that the flag server draws."""
    return _made([f"{code.lower()}/{code.lower()}.svg" for code in codes])


def _made(paths: Iterable[str]) -> Corpus:
    files = []
    for path in paths:
        content = b"".join(_made_content(path))
        files.append(File(path, len(content), _digest([content])))

    def write(root: Path) -> None:
        for file in files:
            (root / file.path).parent.mkdir(parents=True, exist_ok=True)
            (root / file.path).write_bytes(b"".join(_made_content(file.path)))

    return Corpus(files, write)


def _made_content(path: str) -> Iterator[bytes]:
    resource = find_resource(f"/{path}")
    assert resource is not None, path
    return resource.read(0, resource.size)


@dataclass(frozen=True, slots=True)
class Check:
    """What is not as it should be, in files.

    Args:
        missing: Not there.
        wrong: There, with other bytes.
        extra: There, and nobody asked for it.
    """

    missing: int = 0
    wrong: int = 0
    extra: int = 0


def check(files: Sequence[File], directory: Path, private: str = ".aioflags") -> Check:
    """Read every byte below `directory` and hold it against what was to arrive.

    Args:
        files: What was to arrive, by name.
        directory: Flat; where a contender was told to put them.
        private: A folder of the contender's own, which is no file.
    """
    try:
        present = {entry.name: entry.path for entry in os.scandir(directory) if entry.name != private}
    except FileNotFoundError:
        present = {}
    missing = wrong = 0
    for file in files:
        path = present.pop(file.name, None)
        if path is None:
            missing += 1
        elif not _is_right(path, file):
            wrong += 1
    return Check(missing, wrong, len(present))


def _is_right(path: str, file: File) -> bool:
    if not os.path.isfile(path) or os.path.getsize(path) != file.size:
        return False
    with open(path, "rb") as source:
        return _digest(iter(lambda: source.read(_BLOCK), b"")) == file.digest


def _digest(blocks: Iterable[bytes]) -> str:
    digest = xxhash.xxh3_128()
    for block in blocks:
        digest.update(block)
    return digest.hexdigest()
