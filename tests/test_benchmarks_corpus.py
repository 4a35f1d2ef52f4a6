"""The files of a case: always the same, all different, and every byte that is not as it should be is found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.corpus import Check, Corpus, check, flags, like_flags, numbered, same, sized

CORPORA: dict[str, Callable[[], Corpus]] = {
    "numbered": lambda: numbered("small", 20, 2048),
    "like flags": lambda: like_flags("flags", 20),
    "sized": lambda: sized(3, 100),
    "flags": lambda: flags(["FR", "DE"]),
}


@pytest.mark.parametrize("name", CORPORA)
def test_what_is_written_is_what_is_to_arrive(tmp_path: Path, name: str) -> None:
    """Sizes, digests and names; twice the same, and no two files alike."""
    corpus, again = CORPORA[name](), CORPORA[name]()
    assert corpus.files == again.files
    assert len({file.digest for file in corpus.files}) == len({file.name for file in corpus.files}) == len(corpus.files)
    corpus.write(tmp_path)
    flat = tmp_path / "flat"
    flat.mkdir()
    for file in corpus.files:
        (tmp_path / file.path).rename(flat / file.name)
    assert check(corpus.files, flat) == Check()
    assert corpus.bytes == sum(path.stat().st_size for path in flat.iterdir())


def test_one_content_has_many_names(tmp_path: Path) -> None:
    """For lists of a million one file is enough."""
    corpus = same(1000, b"abc")
    corpus.write(tmp_path)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["same"]
    assert (len(corpus.files), corpus.bytes) == (1000, 3000)
    assert len({file.digest for file in corpus.files}) == 1


def test_sizes_are_like_those_of_flags() -> None:
    """Median about ten kilobytes, and none larger than the largest flag."""
    sizes = sorted(file.size for file in like_flags("flags", 1001).files)
    assert 9_000 < sizes[500] < 12_000
    assert 300 <= sizes[0] < sizes[-1] <= 36_000


def change(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def to_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (lambda _: None, Check()),
        (change, Check(wrong=1)),
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), Check(wrong=1)),
        (lambda path: path.write_bytes(path.read_bytes() + b"x"), Check(wrong=1)),
        (to_folder, Check(wrong=1)),
        (lambda path: path.unlink(), Check(missing=1)),
        (lambda path: path.rename(path.with_suffix(".part")), Check(missing=1, extra=1)),
        (lambda path: path.with_name("index.html").touch(), Check(extra=1)),
        (lambda path: path.with_name(".aioflags").mkdir(), Check()),
    ],
)
def test_every_byte_counts(tmp_path: Path, spoil: Callable[[Path], object], found: Check) -> None:
    """One bit of one file, a byte too few or too many, and what nobody asked for."""
    corpus = numbered("small", 3, 5000)
    corpus.write(tmp_path)
    spoil(tmp_path / corpus.files[1].path)
    assert check(corpus.files, tmp_path / "small") == found


def test_folder_that_is_not_there_has_no_file(tmp_path: Path) -> None:
    """All are missing; that is no error."""
    assert check(numbered("small", 3, 10).files, tmp_path / "none") == Check(missing=3)
