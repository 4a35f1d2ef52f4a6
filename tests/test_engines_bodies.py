"""Bodies while they come: received where they stay, given away in order, never past their end."""

from __future__ import annotations

import pytest

from aioflags.engines.bodies import Body, ChunkedBody, LengthBody, OpenBody


def pour(body: Body, data: bytes, step: int) -> bytes:
    """Receive `data` in steps and take what is at hand after each; gives all that was taken."""
    found = b""
    while data and not body.has_ended:
        room = body.room()
        size = min(step, len(room), len(data))
        room[:size] = data[:size]
        data = data[size:]
        body.received(size)
        found += b"".join(body.take())
    return found + b"".join(body.take_all())


@pytest.mark.parametrize("step", [1, 3, 4, 100])
@pytest.mark.parametrize("length", [1, 4, 11, 64])
def test_body_of_known_length_comes_whole(length: int, step: int) -> None:
    """In whatever steps, whatever its blocks, whose memory is used again; and there is no room behind its end."""
    data = bytes(range(length))
    body = LengthBody(length, block=4)
    assert pour(body, data + b"more", step) == data
    assert (body.has_ended, body.excess, body.stocked) == (True, 0, 0)


def test_what_was_given_away_stays_until_the_second_call_after() -> None:
    """The disk has as long to write it as the attempt takes to come back twice."""
    body = LengthBody(64, block=4)
    given = []
    for number in range(16):
        body.room()[:4] = bytes([number] * 4)
        body.received(4)
        given.append(body.take())
        assert [b"".join(each) for each in given[-2:]] == [bytes([n] * 4) for n in range(16)][: number + 1][-2:]
    memory = {id(chunk.obj) for chunks in given for chunk in chunks if isinstance(chunk, memoryview)}
    assert len(memory) < 6


def test_blocks_of_another_size_come_after_what_was_begun() -> None:
    """What was given away by then is not used again, as it has another size."""
    body = LengthBody(64, block=4)
    for size in (4, 4, 4, 8, 8, 2, 2, 2):
        body.resize(size)
        assert len(body.room()) == size
        body.room()[:] = bytes(size)
        body.received(size)
        assert [len(chunk) for chunk in body.take()] == [size]
    body.room()[:1] = b"x"
    body.received(1)
    body.resize(16)
    assert len(body.room()) == 1


def test_bytes_behind_the_announced_end_are_counted_and_left_out() -> None:
    """Those that came together with the head, as the others are never read."""
    body = LengthBody(3)
    assert (body.feed(b"abcd"), body.excess, body.has_ended, body.take_all()) == (3, 1, True, [b"abc"])
    assert LengthBody(0).has_ended


def test_what_was_begun_is_given_at_the_end_only() -> None:
    """A block that is not full waits for its rest, unless no more will come."""
    body = LengthBody(8, block=4)
    body.room()[:2] = b"ab"
    body.received(2)
    assert (body.stocked, body.take()) == (0, [])
    assert b"".join(body.take_all()) == b"ab"


def test_other_bodies_end_by_their_framing_or_with_their_connection() -> None:
    """Their bytes are copied out of memory that all share."""
    scratch = memoryview(bytearray(16))
    assert pour(OpenBody(scratch), b"abcdefghij", 3) == b"abcdefghij"
    body = ChunkedBody(scratch)
    assert pour(body, b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", 4) == b"abcde"
    assert body.has_ended
    body = ChunkedBody(scratch)
    assert (body.feed(b"1\r\na\r\n0\r\n\r\nmore"), body.stocked, body.excess) == (1, 1, 4)


@pytest.mark.parametrize("is_chunked", [False, True])
def test_body_that_comes_byte_by_byte_is_kept_in_pieces_of_some_size(is_chunked: bool) -> None:
    """Each piece costs as much memory as many bytes."""
    scratch = memoryview(bytearray(1 << 16))
    body = ChunkedBody(scratch) if is_chunked else OpenBody(scratch)
    for _ in range(10_000):
        body.feed(b"1\r\nx\r\n" if is_chunked else b"x")
    pieces = body.take_all()
    assert b"".join(pieces) == b"x" * 10_000
    assert len(pieces) < 10
