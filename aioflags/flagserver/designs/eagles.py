"""The two eagles, Mexico's and Egypt's: drawn by hand, simplified, in a box of 100 by 100 around (0, 0)."""

from __future__ import annotations

import math
from collections.abc import Callable

from aioflags.flagserver.designs.bands import across, upright
from aioflags.flagserver.shapes import Design, Shape, circle, line, path, place, rect

__all__ = ["EAGLES"]


def mexico() -> Design:
    """The eagle on the cactus with the serpent, over water, above a wreath of oak and laurel."""
    eagle = place([*_mexican_eagle(), *_serpent()], 0, -7, scale=0.9)
    emblem = [*_wreath(), *_lake(), *_cactus(), eagle]
    return upright(7, 4, "#006341 #FFFFFF #C8102E", place(emblem, 3.5, 2.0, scale=0.0196))


def _wreath() -> list[Shape]:
    shapes = []
    for side in (False, True):
        leaf, dark = ("#5E8C3A", "#34602A") if side else ("#7A8F2E", "#4A6B22")
        branch = [line("M-41 4C-40 26-22 41-3 43", 1.4, dark)]
        for index in range(8):
            turn = math.radians(4 + 11 * index)
            x, y = -41 * math.cos(turn), 3 + 41 * math.sin(turn)
            for lean in (-38, 38):
                blade = path("M0 0C3-3.4 8-3.2 11 0C8 3.2 3 3.4 0 0Z", leaf if lean < 0 else dark)
                branch.append(place([blade], x, y, angle=-90 + math.degrees(turn) * -1 + lean))
        shapes.append(place(branch, mirror=side))
    ribbon = [
        rect(-9.8, 38.2, 19.6, 7.6, "#B8963A"),
        path("M-9 39L-15 50L-8 47L0 43V39Z", "#006341"),
        path("M9 39L15 50L8 47L0 43V39Z", "#C8102E"),
        *(rect(-9, 39, 6, 6, "#006341"), rect(-3, 39, 6, 6, "#FFFFFF"), rect(3, 39, 6, 6, "#C8102E")),
    ]
    return [*shapes, *ribbon]


def _lake() -> list[Shape]:
    water = [path("M-30 27C-22 22 22 22 30 27C24 36 10 38 0 38C-10 38-24 36-30 27Z", "#2A9DC4")]
    ripples = [line(f"M{x} {y}q3-2.6 6 0q3 2.6 6 0", 1.0, "#CDEBF4") for x, y in ((-22, 31), (-6, 34), (9, 31))]
    stone = path("M-15 28C-12 21-6 20 0 20C7 20 12 21 15 28C8 30-8 30-15 28Z", "#9C7A4D")
    return [*water, *ripples, stone]


# Where the pads of the cactus grow: place, lean in degrees, size.
_PADS = ((-21, 9, -25, 1.0), (21, 9, 25, 1.0), (-11, 17, -45, 1.15), (11, 17, 45, 1.15), (0, 19, 0, 1.3))


def _cactus() -> list[Shape]:
    green, dark, fruit = "#4F8A3C", "#2F5F28", "#C8283C"
    shapes = []
    for x, y, angle, size in _PADS:
        pad = path("M0 6C-6 4-6.5-6 0-8C6.5-6 6 4 0 6Z", green)
        spine = line("M-2-3L-1-1M2-3L1-1M0 1V3", 0.8, dark)
        fruits = [circle(dx, dy, 1.6, fruit) for dx, dy in ((-3.4, -6.6), (0, -8.6), (3.4, -6.6))]
        shapes.append(place([*fruits, pad, spine], x, y, scale=size, angle=angle))
    return shapes


def _mexican_eagle() -> list[Shape]:
    brown, dark, light, gold = "#8A5A2B", "#4E3015", "#B98A4E", "#E5B02A"
    far_wing = path(
        "M-8-10C-13-20-22-29-33-31L-38-26L-35-23L-40-18L-35-15L-38-9L-33-7L-34-1L-28-1L-27 5L-21 3L-15 6"
        "C-10 3-8-3-8-10Z",
        brown,
    )
    near_wing = path(
        "M3-12C8-24 18-36 33-41L39-37L37-32L43-28L39-23L43-18L38-14L41-8L35-6L36 0L30 1L29 7L22 6L17 10C9 8 4 0 3-12Z",
        brown,
    )
    feathers = [
        line("M12-12L37-28M13-8L37-19M13-4L34-9M13 0L29-1M14 4L23 4", 1.1, dark),
        line("M-14-10L-34-20M-15-6L-33-12M-15-2L-28-4", 1.1, dark),
        line("M9-16Q18-30 32-37M-11-14Q-19-24-32-27", 1.6, light),
    ]
    tail = path("M4 6L22 20L19 24L15 23L14 28L9 26L6 29L-1 12Z", dark)
    body = path(
        "M-8-32C-1-35 6-31 6-24C6-19 5-16 8-11C13-3 13 6 8 12C3 17-5 15-9 8C-13 1-13-8-11-14C-10-17-10-20-11-22Z", brown
    )
    breast = line("M-8-10Q-5-7-2-10M-8-4Q-5-1-2-4M-6 2Q-3 5 0 2M1-6Q3-4 5-6M1 0Q3 2 6 0", 1.1, light)
    beak = path("M-9-30C-15-31-20-28-20-22L-16-24L-10-23Z", gold)
    legs = [line("M-6 9L-15 5M3 13L3 20", 3.0, gold), line("M-15 5L-20 2M-15 5L-20 7M3 20L-2 22M3 20L8 22", 1.8, gold)]
    return [tail, far_wing, near_wing, *feathers, body, breast, beak, circle(-7, -28, 1.3, "#1A1008"), *legs]


def _serpent() -> list[Shape]:
    skin, dark = "#3F7F4A", "#1F4A2A"
    coil = "M-27-36C-34-30-24-26-18-24C-10-21-18-12-23-9C-29-5-28 2-20 4C-12 6-12 14-19 15C-24 16-27 13-26 10"
    return [
        line(coil, 3.4, dark),
        line(coil, 2.0, skin),
        circle(-27, -36, 2.2, dark),
        line("M-29-38L-32-41", 0.8, "#C8102E"),
    ]


def egypt() -> Design:
    """The eagle of Saladin in gold, looking to the hoist, a shield on its breast, a scroll in its claws."""
    return across(6, 4, "#CE1126 #FFFFFF #000000", place(_egyptian_eagle(), 3, 2.0, scale=0.0125))


def _egyptian_eagle() -> list[Shape]:
    gold, dark, white = "#C09300", "#7A5C00", "#FFFFFF"
    wing = [
        path("M5-27C9-38 20-44 33-40C36-36 37-30 37-22V26L33 31L29 27L26 32L22 27L19 31L15 25L12 20L8 6Z", gold),
        line("M14-20V18M20-24V24M26-26V25M32-27V25", 1.5, white),
        line("M9-24C14-31 22-34 35-31", 1.5, white),
    ]
    tail = path("M-7 20L-14 41H14L7 20Z", gold)
    body = path("M-7-30C-10-22-12-8-11 6C-10 18-6 26 0 28C6 26 10 18 11 6C12-8 10-22 7-30Z", gold)
    head = path(
        "M-6-26C-8-32-7-37-6-41L-13-38C-14-42-10-46-6-47C-1-51 6-48 7-41C8-36 6-31 7-26Z",
        gold,
    )
    shield = [
        path("M-9.5-17H9.5V6C9.5 14 5 19 0 22C-5 19-9.5 14-9.5 6Z", white),
        path("M-7.5-15H7.5V6C7.5 12 4 16.5 0 19.2C-4 16.5-7.5 12-7.5 6Z", gold),
        path("M-2.6-15H2.6V17.2L0 19.2L-2.6 17.2Z", white),
    ]
    legs = [path("M8 22L17 26L15 40H9Z", gold), line("M8 41V38M12 41V38M16 41V38", 2.2, gold)]
    scroll = [
        path("M-27 39H27L23 44L27 49H-27L-23 44Z", gold),
        line("M-16 44H-10M-7 42V46M-4 44H3M6 42V46M9 44H16", 1.6, white),
    ]
    tail_lines = line("M-4 26L-6 38M0 28V38M4 26L6 38", 1.4, white)
    return [
        *(tail, place(wing), place(wing, mirror=True), place(legs), place(legs, mirror=True), body, tail_lines),
        *(*shield, head, circle(-1.5, -42, 1.5, white), line("M-6-41L-11-40", 0.8, dark), *scroll),
    ]


EAGLES: dict[str, Callable[[], Design]] = {"MX": mexico, "EG": egypt}
