"""Flags with a wheel, a globe, a sun or a monogram: figures that geometry gives."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from aioflags.flagserver.designs.bands import across
from aioflags.flagserver.designs.stars import pentagram
from aioflags.flagserver.shapes import Design, Shape, circle, line, path, place, polygon, rect, ring, star

__all__ = ["EMBLEMS"]


def india() -> Design:
    """The wheel has 24 spokes; its proportions are those of the Bureau of Indian Standards' drawing, radius 20."""
    navy = "#06038D"
    wheel = [ring(0, 0, 18.75, 2.5, navy), circle(0, 0, 3.5, navy)]
    for index in range(24):
        spoke = polygon([(0, -17.8), (0.65, -7), (0.25, -2), (-0.25, -2), (-0.65, -7)], navy)
        wheel += [place([spoke], angle=15 * index), place([circle(0, -17.5, 0.9, navy)], angle=15 * index + 7.5)]
    return across(90, 60, "#FF671F #FFFFFF #046A38", place(wheel, 45, 30, scale=9.25 / 20))


# Where the stars stand, in units of 1/210 module from the globe's centre, by size. Source: Brazilian law 5700 of 1971,
# as amended in 1992: the sky over Rio de Janeiro on 15 November 1889, seen from outside.
_BRAZILIAN_SKY = {
    0.15: [(-600, -132), (-535, 177), (228, -228), (515, 258), (0, 330), (-295, 390)],
    0.125: [(-625, 243), (-382, 250), (545, 323), (368, 477), (500, 382), (-280, 30), (85, 184), (0, 118), (220, 495)],
    0.1: [
        *[(-404, 323), (617, 265), (367, 551), (441, 419), (365, 405), (200, -37), (-74, 184), (283, 430), (162, 412)]
    ],
    1 / 14: [(-463, 132), (-37, 235)],
    0.05: [(0, 575)],
}

# Letters in a box 0.7 wide and 1 high, as lines.
_LETTERS = {
    "O": "M.35 0C-.08 0-.08 1 .35 1C.78 1 .78 0 .35 0Z",
    "R": "M.05 1V0H.35C.75 0 .75 .55 .35 .55H.05M.38 .55L.66 1",
    "D": "M.05 0V1H.25C.8 1 .8 0 .25 0Z",
    "E": "M.62 0H.08V1H.62M.08 .48H.52",
    "M": "M.02 1V0L.35 .7L.68 0V1",
    "P": "M.05 1V0H.35C.75 0 .75 .58 .35 .58H.05",
    "G": "M.65 .2C.5-.12 .02-.08 .02 .5C.02 1.08 .6 1.1 .66 .75V.55H.4",
    "S": "M.62 .15C.45-.1 .05-.05 .08 .25C.12 .55 .6 .42 .63 .74C.65 1.06 .15 1.08 .05 .82",
}


def brazil() -> Design:
    """A rhombus 1.7 modules from the edges, a globe of radius 3.5, a band between radii 8 and 8.5 around (8, 14)."""
    green, yellow, blue, white = "#009739", "#FEDD00", "#012169", "#FFFFFF"
    rhombus = polygon([(1.7, 7), (10, 1.7), (18.3, 7), (10, 12.3)], yellow)
    upper, lower = _globe_crossings(8.5), _globe_crossings(8)
    start, *ends = (f"{x:.4f} {y:.4f}" for x, y in (*upper, *reversed(lower)))
    sides = zip(("8.5 8.5 0 0 1", "3.5 3.5 0 0 1", "8 8 0 0 0", "3.5 3.5 0 0 1"), (*ends, start), strict=True)
    band = path(f"M{start}{''.join(f'A{side} {end}' for side, end in sides)}Z", white)
    sky = [
        star(10 + x / 210, 7 + y / 210, radius, white) for radius, places in _BRAZILIAN_SKY.items() for x, y in places
    ]
    return across(20, 14, green, rhombus, circle(10, 7, 3.5, blue), band, *_motto(green), *sky)


def _globe_crossings(radius: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """Where a circle around (8, 14) meets the globe, left and right."""
    distance = math.hypot(2, 7)
    along = (radius**2 - 3.5**2 + distance**2) / (2 * distance)
    aside = math.sqrt(radius**2 - along**2)
    right, down = 2 / distance, -7 / distance
    x, y = 8 + along * right, 14 + along * down
    return (x + aside * down, y - aside * right), (x - aside * down, y + aside * right)


def _motto(colour: str) -> list[Shape]:
    """ORDEM E PROGRESSO along the band, the P on the globe's upright diameter."""
    letters = []
    for text, start, step in (("ORDEM", -7.6, 2.75), ("E", 8.9, 0), ("PROGRESSO", 14.03, 2.95)):
        for index, letter in enumerate(text):
            turn = math.radians(start + index * step)
            glyph = place([line(_LETTERS[letter], 0.19, colour)], -0.12, -0.165, scale=0.33)
            x, y = 8 + 8.25 * math.sin(turn), 14 - 8.25 * math.cos(turn)
            letters.append(place([glyph], x, y, angle=math.degrees(turn)))
    return letters


def philippines() -> Design:
    """Source: Executive Order 23 of 1936: the sun's disc is a fifth of the height (180), a beam 5/9 of that."""
    yellow = "#FCD116"
    depth = 180 * math.sqrt(3) / 2
    beams = []
    for index in range(8):
        for aside, length, wide in ((0.0, 20, 3.2), (-11.0, 16, 1.6), (11.0, 16, 1.6)):
            tip = -18 - length
            beam = [(-wide * 0.55, -17), (-wide, tip + 5), (0, tip), (wide, tip + 5), (wide * 0.55, -17)]
            beams.append(place([polygon(beam, yellow)], angle=45 * index + aside))
    sun = place([circle(0, 0, 18, yellow), *beams], depth / 3, 90)
    # Each star's nearest point is half a disc from its corner.
    stars = [
        star(14, 28 * math.sqrt(3) / 2, 10, yellow, angle=-30),
        star(14, 180 - 28 * math.sqrt(3) / 2, 10, yellow, angle=210),
        star(depth - 28, 90, 10, yellow, angle=90),
    ]
    triangle = polygon([(0, 0), (depth, 90), (0, 180)], "#FFFFFF")
    return across(360, 180, "#0038A8 #CE1126", triangle, sun, *stars)


def ethiopia() -> Design:
    """Source: Proclamation 48/1996: the disc reaches to the middle of the green and of the red band."""
    yellow = "#FCDD09"
    rays = [place([rect(-0.009, -0.275, 0.018, 0.135, yellow)], 1, 0.5, angle=36 + 72 * index) for index in range(5)]
    emblem = [circle(1, 0.5, 1 / 3, "#0F47AF"), pentagram(1, 0.5, 0.29, 0.016, yellow), *rays]
    return across(2, 1, "#078930 #FCDD09 #DA121A", *emblem)


# "Allahu akbar" on a grid, right to left, as the square Kufic of the flag has it, simplified.
_KUFIC = (
    "..........#..#.#.#",
    "..####....#..#.#.#",
    "..#.......#..#.#.#",
    "#.####.#..####.#.#",
    "#....#.#..#..#.#.#",
    "#.########.#######",
    "#.................",
)


def iran() -> Design:
    """Eleven times the words along each of the coloured bands; the emblem in the middle of the white one."""
    green, white, red = "#239F40", "#FFFFFF", "#DA0000"
    cell = 630 / (11 * (len(_KUFIC[0]) + 2))
    words = [path(_grid(_KUFIC), white)]
    top, bottom = 120 - (len(_KUFIC) + 1) * cell, 240 + cell
    script = [place(words, 630 / 11 * index + cell, y, scale=cell) for y in (top, bottom) for index in range(11)]
    return across(630, 360, f"{green} {white} {red}", *script, place(_iranian_emblem(red), 315, 180, scale=4.6))


def _grid(rows: tuple[str, ...]) -> str:
    """A path around each stretch of `#`; one path, so that no seam shines through between rows."""
    stretches = ((found.start(), y, len(found[0])) for y, row in enumerate(rows) for found in re.finditer("#+", row))
    return "".join(f"M{x} {y}h{length}v1h-{length}z" for x, y, length in stretches)


def _iranian_emblem(red: str) -> list[Shape]:
    """Four crescents and a sword, in a circle of radius 10, under the sign of doubling."""
    crescents = [
        path("M-5.2-7.6A9.6 9.6 0 0 0 -.7 9.8A11.6 11.6 0 0 1 -5.2-7.6Z", red),
        path("M-2.6-5.6A7.7 7.7 0 0 0 -.6 8.4A10.2 10.2 0 0 1 -2.6-5.6Z", red),
    ]
    sword = path("M0 10.6L-.75 8.4L-.95-4.6L0-6.6L.95-4.6L.75 8.4Z", red)
    sign = line("M-2.1-9.4Q-2-7.9-1-7.9Q-.1-7.9 0-9.2Q.1-7.9 1-7.9Q2-7.9 2.1-9.4", 0.85, red)
    return [*crescents, place(crescents, mirror=True), sword, sign]


EMBLEMS: dict[str, Callable[[], Design]] = {
    "IN": india,
    "BR": brazil,
    "PH": philippines,
    "ET": ethiopia,
    "IR": iran,
}
