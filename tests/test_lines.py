"""Lines come out of a stream whole, counted, and none of them fills the memory."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioflags.errors import UsageError
from aioflags.lines import LONGEST_LINE, Lines


class Chunks(io.RawIOBase):
    """A stream that gives one prepared chunk a read."""

    def __init__(self, chunks: list[bytes]) -> None:
        self.chunks = chunks

    def read(self, size: int = -1) -> bytes:
        return self.chunks.pop(0) if self.chunks else b""


def drain(lines: Lines) -> list[bytes | None]:
    taken = []
    while lines.pending or lines.fill():
        while lines.pending:
            taken.append(lines.take())
    return taken


@given(st.lists(st.sampled_from([b"a", b"\n", b"\r\n", b"bc", b"\xff", b"\x00"]).filter(len), max_size=30))
def test_chunks_do_not_matter(chunks: list[bytes]) -> None:
    """However a stream is cut into reads, its lines are the same, and every byte is counted once."""
    whole = b"".join(chunks)
    lines = Lines(Chunks(chunks[:]), "x")  # type: ignore[arg-type]
    expected = whole.split(b"\n")
    if not expected[-1]:
        expected.pop()
    assert drain(lines) == expected
    assert lines.number == len(expected)
    assert lines.consumed == len(whole)


def test_a_byte_order_mark_is_no_text() -> None:
    """The mark before the first line is dropped, and only there."""
    data = b"\xef\xbb\xbfa\n\xef\xbb\xbfb"
    lines = Lines(io.BytesIO(data), "x")
    assert drain(lines) == [b"a", b"\xef\xbb\xbfb"]
    assert lines.consumed == len(data)


def test_a_line_without_end_is_not_held() -> None:
    """Of an endless line no more than the bound is kept, and the next line comes out as always."""
    chunks = [b"a\n", *[b"x" * 65536] * 40, b"x\nb\n", b"y" * LONGEST_LINE, b"\n", b"z" * (LONGEST_LINE + 1)]
    size = sum(map(len, chunks))
    lines = Lines(Chunks(chunks), "x")  # type: ignore[arg-type]
    taken: list[bytes | None] = []
    while lines.fill():
        assert len(lines._rest) <= LONGEST_LINE
        while lines.pending:
            taken.append(lines.take())
    assert taken == [b"a", None, b"b", b"y" * LONGEST_LINE, None]
    assert lines.consumed == size


def test_lines_can_be_put_back() -> None:
    """A line put back comes again, under the same number."""
    lines = Lines(io.BytesIO(b"a\nbb\nccc\n"), "x")
    lines.fill()
    first = lines.take()
    others = [lines.take(), lines.take()]
    lines.put_back(others)
    assert (lines.number, lines.consumed) == (1, 2)
    assert [first, *drain(lines)] == [b"a", b"bb", b"ccc"]
    assert (lines.number, lines.consumed) == (3, 9)


def test_some_lines_are_taken_with_their_numbers() -> None:
    """As many as are wanted or there, and all is counted as if they were taken one by one."""
    lines = Lines(io.BytesIO(b"a\nbb\nccc\nd\n"), "x")
    lines.fill()
    assert lines.take() == b"a"
    assert list(lines.take_some(2)) == [(2, b"bb"), (3, b"ccc")]
    assert (lines.number, lines.consumed) == (3, 9)
    assert list(lines.take_some(9)) == [(4, b"d")]
    assert list(lines.take_some(9)) == []
    assert (lines.number, lines.consumed) == (4, 11)


def test_a_stream_that_fails_is_named() -> None:
    """A read error, or a stream that has nothing yet but will not wait, stops the list rather than ends it."""

    class Broken(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise OSError(5, "Input/output error")

    class Impatient(io.RawIOBase):
        def read(self, size: int = -1) -> None:
            return None

    with pytest.raises(UsageError, match=r"urls.txt cannot be read: Input/output error"):
        Lines(Broken(), "urls.txt").fill()  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="non-blocking"):
        Lines(Impatient(), "urls.txt").fill()  # type: ignore[arg-type]
