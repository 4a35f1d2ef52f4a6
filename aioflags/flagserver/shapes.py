"""The few shapes that flags are made of, each known twice: as SVG markup, and as contours for the rasteriser."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from aioflags.records import dataclass

__all__ = ["Area", "Design", "Shape", "circle", "line", "path", "place", "polygon", "rect", "ring", "star"]

Point = tuple[float, float]
Contour = tuple[Point, ...]

_CURVE_STEPS = 12
_TOKENS = re.compile(r"[MLHVCQAZmlhvcqaz]|-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)")


@dataclass(frozen=True, slots=True)
class Area:
    """One colour inside contours: whatever they wind around, as `fill-rule: nonzero` has it."""

    colour: str
    contours: tuple[Contour, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """A piece of a picture: its SVG markup, and the same as areas, painted in their order."""

    markup: str
    areas: tuple[Area, ...]


@dataclass(frozen=True, slots=True)
class Design:
    """A flag: its size in units of its own, and its shapes from the back to the front."""

    width: float
    height: float
    shapes: tuple[Shape, ...]


def rect(x: float, y: float, width: float, height: float, colour: str) -> Shape:
    """A rectangle from its upper left corner."""
    markup = f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" fill="{colour}"/>'
    corners = ((x, y), (x + width, y), (x + width, y + height), (x, y + height))
    return Shape(markup, (Area(colour, (corners,)),))


def circle(x: float, y: float, radius: float, colour: str) -> Shape:
    """A disc."""
    markup = f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}" fill="{colour}"/>'
    return Shape(markup, (Area(colour, (_round(x, y, radius),)),))


def ring(x: float, y: float, radius: float, width: float, colour: str) -> Shape:
    """A circle line; `radius` is that of the middle of the line."""
    markup = (
        f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}" fill="none" stroke="{colour}" stroke-width="{_n(width)}"/>'
    )
    hole = _round(x, y, radius - width / 2)[::-1]
    return Shape(markup, (Area(colour, (_round(x, y, radius + width / 2), hole)),))


def polygon(points: Iterable[Point], colour: str) -> Shape:
    """A filled polygon."""
    corners = tuple(points)
    text = " ".join(f"{_n(x)},{_n(y)}" for x, y in corners)
    return Shape(f'<polygon points="{text}" fill="{colour}"/>', (Area(colour, (corners,)),))


def star(
    x: float, y: float, radius: float, colour: str, *, points: int = 5, inner: float = 0.381966, angle: float = 0.0
) -> Shape:
    """A star around (x, y), one point upwards.

    Args:
        x: Centre, to the right.
        y: Centre, downwards.
        radius: From the centre to the points.
        colour: As in SVG.
        points: How many.
        inner: Radius of the notches as a share of `radius`; the default makes the sides of a pentagram straight.
        angle: Turn clockwise, in degrees.
    """
    corners = []
    for index in range(2 * points):
        length = radius * inner if index % 2 else radius
        turn = math.radians(angle) + math.pi * index / points
        corners.append((x + length * math.sin(turn), y - length * math.cos(turn)))
    return polygon(corners, colour)


def path(data: str, colour: str) -> Shape:
    """A filled SVG path of the commands M L H V C Q A Z, upper or lower case."""
    return Shape(f'<path d="{data}" fill="{colour}"/>', (Area(colour, tuple(_flatten(data))),))


def line(data: str, width: float, colour: str) -> Shape:
    """An SVG path drawn as a line with round ends and joints."""
    markup = (
        f'<path d="{data}" fill="none" stroke="{colour}" stroke-width="{_n(width)}" stroke-linecap="round"'
        ' stroke-linejoin="round"/>'
    )
    return Shape(markup, (Area(colour, tuple(_thicken(_flatten(data), width / 2))),))


def place(
    shapes: Sequence[Shape],
    x: float = 0.0,
    y: float = 0.0,
    *,
    scale: float = 1.0,
    angle: float = 0.0,
    mirror: bool = False,
) -> Shape:
    """Several shapes as one: mirrored left to right, scaled, turned clockwise by degrees, moved; in this order."""
    wide = -scale if mirror else scale
    steps = [f"translate({_n(x)} {_n(y)})"] if x or y else []
    steps += [f"rotate({_n(angle)})"] if angle else []
    steps += [f"scale({_n(wide)} {_n(scale)})"] if mirror else [f"scale({_n(scale)})"] if scale != 1 else []
    cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))

    def move(point: Point) -> Point:
        across, down = point[0] * wide, point[1] * scale
        return x + across * cosine - down * sine, y + across * sine + down * cosine

    areas = tuple(
        Area(area.colour, tuple(tuple(map(move, contour)) for contour in area.contours))
        for shape in shapes
        for area in shape.areas
    )
    inside = "".join(shape.markup for shape in shapes)
    return Shape(f'<g transform="{" ".join(steps)}">{inside}</g>', areas)


def _n(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def _round(x: float, y: float, radius: float, count: int = 64) -> Contour:
    turns = (2 * math.pi * index / count for index in range(count))
    return tuple((x + radius * math.cos(turn), y + radius * math.sin(turn)) for turn in turns)


def _flatten(data: str) -> Iterator[Contour]:
    """Turn path data into polygons, curves into chords."""
    tokens = _TOKENS.findall(data)
    points: list[Point] = []
    index, command = 0, ""
    while index < len(tokens):
        if tokens[index].isalpha():
            command, index = tokens[index], index + 1
        kind = command.upper()
        if kind == "Z":
            if points:
                yield (*points, points[0])
                points = points[:1]
            continue
        numbers = [float(token) for token in tokens[index : index + _ARGUMENTS[kind]]]
        index += len(numbers)
        here = points[-1] if points else (0.0, 0.0)
        if kind == "M":
            if len(points) > 1:
                yield tuple(points)
            points = [_targets(command, numbers, here)[0]]
            command = "l" if command == "m" else "L"
        elif kind == "A":
            end = _targets(command, numbers[5:], here)[0]
            points += _arc(here, end, numbers[0], large=bool(numbers[3]), clockwise=bool(numbers[4]))
        else:
            points += _curve(here, _targets(command, numbers, here))
    if len(points) > 1:
        yield tuple(points)


_ARGUMENTS = {"M": 2, "L": 2, "H": 1, "V": 1, "Q": 4, "C": 6, "A": 7}


def _targets(command: str, numbers: list[float], here: Point) -> list[Point]:
    """The points that a command names, in absolute terms."""
    x, y = here if command.islower() else (0.0, 0.0)
    if command in "Hh":
        return [(x + numbers[0], here[1])]
    if command in "Vv":
        return [(here[0], y + numbers[0])]
    return [(x + across, y + down) for across, down in zip(numbers[::2], numbers[1::2], strict=True)]


def _curve(start: Point, targets: list[Point]) -> list[Point]:
    """A Bézier curve of any degree, by de Casteljau's rule; of degree one it is a straight line."""
    if len(targets) == 1:
        return targets
    curve = []
    for step in range(1, _CURVE_STEPS + 1):
        share, points = step / _CURVE_STEPS, [start, *targets]
        while len(points) > 1:
            points = [(a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share) for a, b in pairwise(points)]
        curve.append(points[0])
    return curve


def _arc(start: Point, end: Point, radius: float, *, large: bool, clockwise: bool) -> list[Point]:
    """A circular arc as SVG has it. Source: SVG 2, section B.2.4, for equal radii."""
    across, down = (end[0] - start[0]) / 2, (end[1] - start[1]) / 2
    half = math.hypot(across, down)
    radius = max(radius, half)
    distance = math.sqrt(radius * radius - half * half) * (-1 if large == clockwise else 1)
    x = start[0] + across - distance * down / half
    y = start[1] + down + distance * across / half
    first, last = math.atan2(start[1] - y, start[0] - x), math.atan2(end[1] - y, end[0] - x)
    if clockwise and last < first:
        last += 2 * math.pi
    if not clockwise and last > first:
        last -= 2 * math.pi
    count = max(2, math.ceil(abs(last - first) / math.pi * 2 * _CURVE_STEPS))
    turns = (first + (last - first) * step / count for step in range(1, count + 1))
    return [(x + radius * math.cos(turn), y + radius * math.sin(turn)) for turn in turns]


def _thicken(contours: Iterable[Contour], half: float) -> Iterator[Contour]:
    # All pieces turn the same way, so that where they overlap the nonzero rule unites them.
    for contour in contours:
        for x, y in contour:
            yield _round(x, y, half, 12)
        for (x, y), (x2, y2) in pairwise(contour):
            length = math.hypot(x2 - x, y2 - y)
            if length:
                across, down = (y2 - y) / length * half, (x - x2) / length * half
                yield (x + across, y + down), (x2 + across, y2 + down), (x2 - across, y2 - down), (x - across, y - down)
