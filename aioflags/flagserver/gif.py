"""Pixels to GIF: a palette of at most 256 colours and LZW. Source: GIF89a specification, appendix F for LZW."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

__all__ = ["encode_gif"]

_MAX_COLOURS = 256
_MAX_CODES = 4096


def encode_gif(rows: Sequence[Sequence[int]]) -> bytes:
    """Encode rows of colours, 0xRRGGBB each, as a GIF of one picture.

    >>> encode_gif([[0xFF0000]])[:10]
    b'GIF89a\\x01\\x00\\x01\\x00'
    """
    width, height = len(rows[0]), len(rows)
    palette, codes = _make_palette(Counter(colour for row in rows for colour in row))
    bits = max(2, (len(palette) - 1).bit_length())
    table = b"".join(colour.to_bytes(3, "big") for colour in palette).ljust(3 << bits, b"\0")
    size = width.to_bytes(2, "little") + height.to_bytes(2, "little")
    screen = b"GIF89a" + size + bytes([0b1111_0000 | bits - 1, 0, 0]) + table
    picture = b"," + bytes(4) + size + bytes([0, bits])
    return screen + picture + _make_blocks(_compress((codes[colour] for row in rows for colour in row), bits)) + b"\0;"


def _make_palette(counts: Counter[int]) -> tuple[list[int], dict[int, int]]:
    """The most frequent colours, and for each colour the index of the nearest of them."""
    palette = [colour for colour, _ in counts.most_common(_MAX_COLOURS)]
    codes = {colour: index for index, colour in enumerate(palette)}
    for colour in counts.keys() - codes.keys():
        codes[colour] = min(range(len(palette)), key=lambda index: _distance(palette[index], colour))
    return palette, codes


def _distance(one: int, other: int) -> int:
    return sum(((one >> shift & 255) - (other >> shift & 255)) ** 2 for shift in (16, 8, 0))


def _compress(pixels: Iterable[int], bits: int) -> bytes:
    out, buffer, filled = bytearray(), 0, 0
    for code, length in _codes(pixels, bits):
        buffer |= code << filled
        filled += length
        while filled >= 8:
            out.append(buffer & 255)
            buffer >>= 8
            filled -= 8
    if filled:
        out.append(buffer)
    return bytes(out)


def _codes(pixels: Iterable[int], bits: int) -> Iterator[tuple[int, int]]:
    """LZW codes and how many bits each takes."""
    clear, stop = 1 << bits, (1 << bits) + 1
    known: dict[tuple[int, int], int] = {}
    following, length = stop + 1, bits + 1
    yield clear, length
    stream = iter(pixels)
    current = next(stream)
    for pixel in stream:
        longer = known.get((current, pixel))
        if longer is not None:
            current = longer
            continue
        yield current, length
        if following < _MAX_CODES:
            known[current, pixel] = following
            if following == 1 << length:
                length += 1
            following += 1
        else:
            yield clear, length
            known.clear()
            following, length = stop + 1, bits + 1
        current = pixel
    yield current, length
    # A decoder has one code more than was needed to write this one, and may read the last one wider for it.
    yield stop, length + 1 if following == 1 << length and length < 12 else length


def _make_blocks(data: bytes) -> bytes:
    pieces = (data[start : start + 255] for start in range(0, len(data), 255))
    return b"".join(bytes([bits]) + piece for piece in pieces if (bits := len(piece)))
