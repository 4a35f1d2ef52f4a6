"""Pixels: areas cover what they should, smoothly."""

from __future__ import annotations

from aioflags.flagserver.raster import draw
from aioflags.flagserver.shapes import Area, circle, rect, ring

BLACK = "#000000"
WHITE = 0xFFFFFF


def _ink(rows: list[list[int]]) -> float:
    """How many pixels are black, shades of grey in proportion."""
    return sum((255 - (colour & 255)) / 255 for row in rows for colour in row)


def test_whole_pixels_are_filled_exactly() -> None:
    """A rectangle on pixel edges has no grey around it."""
    rows = draw(rect(1, 1, 2, 1, "#123456").areas, 4, 3, 1)
    assert rows == [[WHITE] * 4, [WHITE, 0x123456, 0x123456, WHITE], [WHITE] * 4]


def test_half_pixels_are_grey() -> None:
    """An edge through the middle of pixels leaves half the colour, to the right and below alike."""
    assert draw(rect(0.5, 0, 1, 1, BLACK).areas, 2, 1, 1) == [[0x808080, 0x808080]]
    assert draw(rect(0, 0.5, 1, 1, BLACK).areas, 1, 2, 1) == [[0x808080], [0x808080]]


def test_disc_and_ring_have_the_ink_of_their_areas() -> None:
    """Cover adds up to the area within a percent, and a ring is hollow."""
    assert abs(_ink(draw(circle(50, 50, 40, BLACK).areas, 100, 100, 1)) / (3.14159 * 1600) - 1) < 0.01
    rows = draw(ring(50, 50, 30, 10, BLACK).areas, 100, 100, 1)
    assert abs(_ink(rows) / (3.14159 * (35**2 - 25**2)) - 1) < 0.01
    assert rows[50][50] == WHITE


def test_overlap_of_one_area_stays_filled() -> None:
    """Contours that turn the same way unite; what one winds around twice is inside."""
    square = ((0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 2.0))
    assert draw([Area(BLACK, (square, square))], 2, 2, 1) == [[0, 0], [0, 0]]


def test_what_sticks_out_is_cut_off() -> None:
    """Shapes beyond the picture's edges do no harm."""
    assert draw(rect(-5, -5, 20, 20, BLACK).areas, 3, 2, 1) == [[0] * 3, [0] * 3]
    assert draw(rect(10, 10, 5, 5, BLACK).areas, 2, 2, 1) == [[WHITE] * 2] * 2


def test_later_areas_cover_earlier_ones() -> None:
    """The picture is painted from the back to the front, in pixels of the scale."""
    areas = [*rect(0, 0, 2, 1, "#FF0000").areas, *rect(1, 0, 1, 1, "#0000FF").areas]
    assert draw(areas, 4, 2, 2) == [[0xFF0000, 0xFF0000, 0x0000FF, 0x0000FF]] * 2
