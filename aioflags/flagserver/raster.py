"""From contours to pixels: a scanline rasteriser with smooth edges, in plain Python; knows no flags, no files."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from aioflags.flagserver.shapes import Area, Contour

__all__ = ["draw"]

_LINES = 4
"""Scanlines to a row of pixels. Along a line the cover is exact, so that four are enough for a smooth look."""

_SHADES = 16
"""Steps of cover that are told apart; more would only fill the palette."""


def draw(areas: Iterable[Area], width: int, height: int, scale: float) -> list[list[int]]:
    """Paint areas one over the other on white.

    Args:
        areas: From the back to the front.
        width: Pixels in a row.
        height: Rows.
        scale: Pixels to a unit of the contours.

    Returns:
        Rows of colours, each a number 0xRRGGBB.
    """
    rows = [[0xFFFFFF] * width for _ in range(height)]
    for area in areas:
        colour = int(area.colour.lstrip("#"), 16)
        mixer = _Mixer(colour)
        for row, changes in _cover(area.contours, width, height, scale).items():
            _paint(rows[row], changes, mixer)
    return rows


def _cover(contours: Iterable[Contour], width: int, height: int, scale: float) -> dict[int, dict[int, float]]:
    """By row and column: how much the cover changes there, counted in scanlines."""
    rows: dict[int, dict[int, float]] = {}
    for scanline, crossings in _cross(contours, height, scale).items():
        changes = rows.setdefault(scanline // _LINES, {})
        for start, stop in _spans(crossings):
            for x, sign in ((start, 1.0), (stop, -1.0)):
                place = min(max(x, 0.0), float(width))
                column = int(place)
                part = place - column
                changes[column] = changes.get(column, 0.0) + sign * (1.0 - part)
                changes[column + 1] = changes.get(column + 1, 0.0) + sign * part
    return rows


def _cross(contours: Iterable[Contour], height: int, scale: float) -> dict[int, list[tuple[float, int]]]:
    """By scanline: where contours cross it, and whether downwards (1) or upwards (-1)."""
    crossings: dict[int, list[tuple[float, int]]] = {}
    for contour in contours:
        points = [(x * scale, y * scale * _LINES - 0.5) for x, y in contour]
        for (x, y), (x2, y2) in zip(points, points[1:] + points[:1], strict=True):
            sign = 1
            if y > y2:
                x, y, x2, y2, sign = x2, y2, x, y, -1
            first, last = max(0, math.ceil(y)), min(height * _LINES, math.ceil(y2))
            slope = (x2 - x) / (y2 - y) if last > first else 0.0
            for scanline in range(first, last):
                crossings.setdefault(scanline, []).append((x + (scanline - y) * slope, sign))
    return crossings


def _spans(crossings: list[tuple[float, int]]) -> Iterator[tuple[float, float]]:
    winding, start = 0, 0.0
    for x, sign in sorted(crossings):
        if winding == 0:
            start = x
        winding += sign
        if winding == 0:
            yield start, x


def _paint(row: list[int], changes: dict[int, float], mixer: _Mixer) -> None:
    columns = sorted(changes)
    cover = 0.0
    for column, stop in zip(columns, [*columns[1:], len(row)], strict=True):
        cover += changes[column]
        shade = round(cover / _LINES * _SHADES)
        if shade >= _SHADES:
            row[column:stop] = [mixer.colour] * (min(stop, len(row)) - column)
        elif shade > 0:
            for index in range(column, min(stop, len(row))):
                row[index] = mixer.mix(row[index], shade)


class _Mixer:
    """Lays one colour over others, and remembers what came of it."""

    def __init__(self, colour: int) -> None:
        self.colour = colour
        self._known: dict[tuple[int, int], int] = {}

    def mix(self, below: int, shade: int) -> int:
        mixed = self._known.get((below, shade))
        if mixed is None:
            mixed = 0
            for shift in (16, 8, 0):
                under, over = below >> shift & 255, self.colour >> shift & 255
                mixed |= round(under + (over - under) * shade / _SHADES) << shift
            self._known[below, shade] = mixed
        return mixed
