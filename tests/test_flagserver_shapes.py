"""Shapes: the contours agree with what their SVG markup means."""

from __future__ import annotations

import math

import pytest

from aioflags.flagserver.shapes import Contour, circle, line, path, place, polygon, rect, ring, star


def _area(contour: Contour) -> float:
    """Signed area by the shoelace rule."""
    return sum(x * y2 - x2 * y for (x, y), (x2, y2) in zip(contour, contour[1:] + contour[:1], strict=True)) / 2


def test_rectangle_in_markup_and_contour() -> None:
    """Numbers are written without needless digits, corners are where they should be."""
    shape = rect(1, 2.50, 3, 1 / 3, "#FF0000")
    assert shape.markup == '<rect x="1" y="2.5" width="3" height="0.3333" fill="#FF0000"/>'
    assert _area(shape.areas[0].contours[0]) == pytest.approx(1.0)


def test_circle_and_ring_have_their_areas() -> None:
    """The polygon of a disc is a hair smaller than the disc; a ring has a hole that turns the other way."""
    (disc,) = circle(5, 5, 2, "#FF0000").areas[0].contours
    assert abs(_area(disc)) == pytest.approx(math.pi * 4, rel=0.01)
    outer, hole = ring(0, 0, 2, 1, "#FF0000").areas[0].contours
    assert _area(outer) + _area(hole) == pytest.approx(math.pi * (2.5**2 - 1.5**2), rel=0.01)


def test_star_points_upwards_with_straight_sides() -> None:
    """The first point is on top; a pentagram's tips and far notches lie on one line."""
    (contour,) = star(0, 0, 10, "#FF0000").areas[0].contours
    assert contour[0] == pytest.approx((0, -10))
    assert len(contour) == 10
    assert contour[9][1] == pytest.approx(contour[2][1], abs=1e-4)


def test_star_turns_clockwise() -> None:
    """A quarter turn brings the first point to the right."""
    assert star(0, 0, 1, "#FF0000", angle=90).areas[0].contours[0][0] == pytest.approx((1, 0))


@pytest.mark.parametrize(
    ("data", "contour"),
    [
        ("M0 0H2V1H0Z", ((0, 0), (2, 0), (2, 1), (0, 1), (0, 0))),
        ("m1 1h2v1h-2z", ((1, 1), (3, 1), (3, 2), (1, 2), (1, 1))),
        ("M0 0 1 0-1.5.5", ((0, 0), (1, 0), (-1.5, 0.5))),
        ("M0 0l1 0l0 1", ((0, 0), (1, 0), (1, 1))),
    ],
)
def test_straight_paths_are_followed(data: str, contour: Contour) -> None:
    """Absolute and relative commands, repeated and closed ones, lead to the same points as in SVG."""
    assert path(data, "#FF0000").areas[0].contours == (contour,)


def test_parts_of_a_path_are_contours_of_their_own() -> None:
    """Each move begins another contour; after a close a relative move counts from the start."""
    contours = path("M0 0h1v1zm5 5h1v1z", "#FF0000").areas[0].contours
    assert [contour[0] for contour in contours] == [(0, 0), (5, 5)]


def test_curves_pass_where_they_must() -> None:
    """Quadratic and cubic curves end at their end and pass the point that half their parameter gives."""
    quadratic = path("M0 0Q1 2 2 0", "#FF0000").areas[0].contours[0]
    assert quadratic[-1] == pytest.approx((2, 0))
    assert quadratic[len(quadratic) // 2] == pytest.approx((1, 1))
    cubic = path("M0 0c0 4 4 4 4 0", "#FF0000").areas[0].contours[0]
    assert cubic[len(cubic) // 2] == pytest.approx((2, 3))


@pytest.mark.parametrize(
    ("flags", "middle"),
    [("0 1", (1, 1 - math.sqrt(2))), ("0 0", (1, math.sqrt(2) - 1)), ("1 1", (1, -1 - math.sqrt(2)))],
)
def test_arcs_choose_side_and_size(flags: str, middle: tuple[float, float]) -> None:
    """The two flags of an arc choose one of the four arcs through two points."""
    contour = path(f"M0 0A{math.sqrt(2)} {math.sqrt(2)} 0 {flags} 2 0", "#FF0000").areas[0].contours[0]
    assert contour[-1] == pytest.approx((2, 0))
    assert min(math.dist(point, middle) for point in contour) < 0.1


def test_line_covers_its_width() -> None:
    """All pieces of a line turn the same way, whatever way the line goes, so that none cuts a hole into another."""
    contours = line("M0 0H10V10H0", 2, "#FF0000").areas[0].contours
    assert len({_area(contour) > 0 for contour in contours}) == 1
    assert max(x for contour in contours for x, _ in contour) == pytest.approx(11)


def test_placed_shapes_are_mirrored_scaled_turned_and_moved() -> None:
    """The order is that of the SVG transform which is written."""
    shape = place([polygon([(1, 0)], "#FF0000")], 10, 20, scale=2, angle=90, mirror=True)
    assert shape.areas[0].contours[0][0] == pytest.approx((10, 18))
    assert shape.markup.startswith('<g transform="translate(10 20) rotate(90) scale(-2 2)">')
