"""Chunked framing: the same body in whatever pieces it comes, and nothing that could be read in two ways."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioflags.engines.chunks import ChunkError, Chunks


def framed(bodies: list[bytes], end: bytes = b"0\r\n\r\n") -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(body), body) for body in bodies) + end


def feed(chunks: Chunks, data: bytes) -> bytes:
    return bytes(chunks.feed(data))


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=6), st.integers(1, 17))
def test_body_is_the_same_in_whatever_pieces_it_comes(bodies: list[bytes], size: int) -> None:
    """And its end is known with the last byte, no earlier; what comes behind it is counted."""
    data = framed(bodies)
    chunks = Chunks()
    found = b""
    for at in range(0, len(data), size):
        assert not chunks.has_ended
        found += feed(chunks, data[at : at + size])
    assert (found, chunks.has_ended, chunks.excess) == (b"".join(bodies), True, 0)
    assert (feed(chunks, b"more"), chunks.excess) == (b"", 4)


@pytest.mark.parametrize(
    "data",
    [b"3;a=b\r\nabc\r\n0;c\r\n\r\n", b"03 \r\nabc\r\n000\r\nX-T: t\r\nX-U: u\r\n\r\n", b"3\t;x\r\nabc\r\n0\r\n\r\n"],
)
def test_extensions_and_trailers_are_passed_over(data: bytes) -> None:
    """They change nothing of the body (RFC 9112, sections 7.1.1 and 7.1.2)."""
    chunks = Chunks()
    assert (feed(chunks, data), chunks.has_ended) == (b"abc", True)


@pytest.mark.parametrize(
    "data",
    [
        b"-5\r\n", b"+5\r\n", b"8_0\r\n", b"0x8\r\n", b" 8\r\n", b"\r\n", b"xyz\r\n", b"f" * 17 + b"\r\n",
        b"0" * 60 + b"1\r\n", b"1" * 5000 + b"\r\n", b"3\nabc\n0\n\n", b"3;a\0\r\n", b"3;" + b"a" * 65536,
        b"2\r\nabc\r\n", b"3\r\nabcd", b"3\r\nabc\n", b"0\r\nno field\r\n", b"0\r\n" + b"A: b\r\n" * 1001,
    ],
)  # fmt: skip
def test_framing_that_could_be_read_in_two_ways_is_broken(data: bytes) -> None:
    """What Python takes for a number is not what HTTP takes for one; and nothing goes on for ever."""
    with pytest.raises(ChunkError):
        Chunks().feed(data)


def test_what_is_little_keeps_no_more_in_memory_than_itself() -> None:
    """A slice would keep all that it came with; most of it may be framing."""
    assert type(Chunks().feed(framed([b"x"]))) is bytes
    assert type(Chunks().feed(framed([b"x"] * 100))) is bytes
    assert type(Chunks().feed(framed([b"x" * 100]))) is memoryview


def test_framing_out_of_proportion_is_broken() -> None:
    """Extensions could make of a small file anything that never ends; those of an honest server are short."""
    chunks = Chunks()
    with pytest.raises(ChunkError, match="framing"):
        for _ in range(200):
            chunks.feed(b"1;" + b"a" * 60_000 + b"\r\nx\r\n")
    honest = Chunks()
    for _ in range(200_000):
        honest.feed(b"1;a=b\r\nx\r\n")
