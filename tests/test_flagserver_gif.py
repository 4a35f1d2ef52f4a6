"""GIF: a decoder written from the specification gets the pixels back."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioflags.flagserver.countries import COUNTRIES
from aioflags.flagserver.gif import encode_gif
from aioflags.flagserver.pictures import flag_gif


def decode_gif(data: bytes) -> list[list[int]]:
    """Read a GIF of one picture without extensions, the way a viewer does."""
    assert data[:6] == b"GIF89a"
    width, height = int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
    assert data[10] & 0x80
    size = 2 << (data[10] & 7)
    palette = [int.from_bytes(data[13 + 3 * index : 16 + 3 * index], "big") for index in range(size)]
    position = 13 + 3 * size
    assert data[position : position + 10] == b"," + bytes(4) + data[6:10] + b"\0"
    bits, position = data[position + 10], position + 11
    packed = b""
    while data[position]:
        packed += data[position + 1 : position + 1 + data[position]]
        position += data[position] + 1
    assert data[position:] == b"\0;"
    pixels = [palette[index] for index in _decompress(packed, bits)]
    assert len(pixels) == width * height
    return [pixels[start : start + width] for start in range(0, len(pixels), width)]


def _decompress(packed: bytes, bits: int) -> bytes:
    clear, stop = 1 << bits, (1 << bits) + 1
    table: list[bytes] = []
    previous, position, length = b"", 0, bits + 1
    stream = int.from_bytes(packed, "little")
    pieces: list[bytes] = []
    while True:
        code = stream >> position & (1 << length) - 1
        position += length
        if code == stop:
            assert len(packed) * 8 - position < 8
            return b"".join(pieces)
        if code == clear:
            table = [bytes([index]) for index in range(clear)] + [b"", b""]
            length, previous = bits + 1, b""
            continue
        entry = table[code] if code < len(table) else previous + previous[:1]
        pieces.append(entry)
        if previous and len(table) < 4096:
            table.append(previous + entry[:1])
        if len(table) == 1 << length and length < 12:
            length += 1
        previous = entry


@given(st.integers(1, 12), st.lists(st.integers(0, 5), min_size=1, max_size=300))
def test_pixels_come_back(width: int, colours: list[int]) -> None:
    """Pictures of few colours and any size survive."""
    rows = [(colours * width)[start : start + width] for start in range(0, len(colours), 1)][:20]
    assert decode_gif(encode_gif(rows)) == rows


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 16, 17, 256])
def test_palette_of_any_size_comes_back(count: int) -> None:
    """The code size follows the number of colours; noise fills the code table and clears it."""
    chance = random.Random(count)
    rows = [[chance.randrange(count) * 0x010101 for _ in range(150)] for _ in range(120)]
    assert decode_gif(encode_gif(rows)) == rows


@pytest.mark.parametrize("length", range(1, 600, 7))
def test_every_length_of_one_colour_comes_back(length: int) -> None:
    """Growing repeats reach each width of codes, the moments of change among them."""
    assert decode_gif(encode_gif([[0xABCDEF] * length])) == [[0xABCDEF] * length]


def test_rare_colours_give_way_to_their_neighbours() -> None:
    """More than 256 colours become the nearest of the most frequent 256."""
    common = [index * 0x010101 for index in range(256)]
    rows = [[*common, *common, 0x808180]]
    assert decode_gif(encode_gif(rows))[0][-1] == 0x808080


@pytest.mark.parametrize("cc", COUNTRIES)
def test_every_flag_can_be_decoded(cc: str) -> None:
    """The flags themselves are readable to the last pixel."""
    rows = decode_gif(flag_gif(cc))
    assert len(rows[0]) == 320
