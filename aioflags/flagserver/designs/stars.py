"""Flags of bands, triangles, stars and crescents; every length is a share of the construction sheet's unit."""

from __future__ import annotations

import math
from collections.abc import Callable

from aioflags.flagserver.designs.bands import across, upright
from aioflags.flagserver.shapes import Design, Shape, circle, path, place, polygon, rect, star

__all__ = ["STARS", "pentagram"]


def pentagram(x: float, y: float, radius: float, width: float, colour: str) -> Shape:
    """A star of five straight bars; `radius` reaches to the tips, `width` is that of a bar."""
    mitre = width / math.sin(math.radians(18))
    tips = [(math.sin(turn), -math.cos(turn)) for turn in (index * 0.4 * math.pi for index in range(5))]
    bars = []
    for index in range(5):
        one, other = tips[index], tips[(index + 2) % 5]
        ends = ((one, radius), (other, radius), (other, radius - mitre), (one, radius - mitre))
        bars.append("L".join(f"{x + tip[0] * length:.4f} {y + tip[1] * length:.4f}" for tip, length in ends))
    return path("".join(f"M{bar}Z" for bar in bars), colour)


def china() -> Design:
    """The large star's centre is at (5, 5) of a grid of 30 by 20; the small ones each point to it."""
    shapes = [star(5, 5, 3, "#FFFF00")]
    for x, y in ((10, 2), (12, 4), (12, 7), (10, 9)):
        shapes.append(star(x, y, 1, "#FFFF00", angle=math.degrees(math.atan2(5 - x, y - 5))))
    return across(30, 20, "#EE1C25", *shapes)


def united_states() -> Design:
    """Source: Executive Order 10834, whose unit is the height, here 100."""
    canton_width, canton_height = 76.0, 700 / 13
    stars = [
        star(canton_width / 12 * column, canton_height / 10 * row, 3.08, "#FFFFFF")
        for row in range(1, 10)
        for column in range(1, 12)
        if (row + column) % 2 == 0
    ]
    canton = rect(0, 0, canton_width, canton_height, "#0A3161")
    return across(190, 100, " ".join(["#B31942 #FFFFFF"] * 6 + ["#B31942"]), canton, *stars)


def pakistan() -> Design:
    """Source: resolution of the Constituent Assembly of 1947; all along the diagonal of the green part."""
    length = math.hypot(2.25, 2)

    def along(distance: float) -> tuple[float, float]:
        return 3 - 2.25 * distance / length, 2 * distance / length

    green = "#01411C"
    moon = [circle(*along(length / 2), 0.5, "#FFFFFF"), circle(*along(1.3), 0.55, green)]
    # The star's circle touches, from within, the point where the larger arc would cut the diagonal.
    rank = star(*along(0.75 + 0.2), 0.2, "#FFFFFF", angle=math.degrees(math.atan2(2.25, 2)))
    return across(3, 2, green, rect(0, 0, 0.75, 2, "#FFFFFF"), *moon, rank)


def turkey() -> Design:
    """Source: Turkish Flag Law of 1983, whose unit is the height."""
    inner = 0.5625 - 0.2
    moon = [circle(0.5, 0.5, 0.25, "#FFFFFF"), circle(0.5625, 0.5, 0.2, "#E30A17")]
    return across(1.5, 1, "#E30A17", *moon, star(inner + 1 / 3 + 0.125, 0.5, 0.125, "#FFFFFF", angle=-90))


def congo_kinshasa() -> Design:
    yellow = polygon([(750, 0), (0, 450), (0, 600), (50, 600), (800, 150), (800, 0)], "#F7D618")
    red = polygon([(800, 0), (0, 480), (0, 600), (800, 120)], "#CE1021")
    return across(800, 600, "#007FFF", yellow, red, star(146, 152, 116, "#F7D618"))


def united_kingdom() -> Design:
    """Crosses of 10, 6 and 2 thirtieths of the height, the red saltire on one side of the white one's middle."""
    white = [(0.0, 0.0), (6.708, 0.0), (60.0, 26.646), (60.0, 30.0), (53.292, 30.0), (0.0, 3.354)]
    shapes = [polygon(white, "#FFFFFF"), polygon([(60 - x, y) for x, y in white], "#FFFFFF")]
    for arm in (
        [(0.0, 0.0), (30.0, 15.0), (25.528, 15.0), (0.0, 2.236)],
        [(0.0, 30.0), (30.0, 15.0), (30.0, 17.236), (4.472, 30.0)],
    ):
        shapes += [polygon(arm, "#C8102E"), polygon([(60 - x, 30 - y) for x, y in arm], "#C8102E")]
    for width, colour in ((10, "#FFFFFF"), (6, "#C8102E")):
        shapes += [rect(30 - width / 2, 0, width, 30, colour), rect(0, 15 - width / 2, 60, width, colour)]
    return across(60, 30, "#012169", *shapes)


def south_africa() -> Design:
    """Green is a fifth of the height, with its borders a third."""
    white = [(0, 0), (18.03, 0), (48.03, 20), (90, 20), (90, 40), (48.03, 40), (18.03, 60), (0, 60)]
    green = [(0, 0), (10.82, 0), (46.82, 24), (90, 24), (90, 36), (46.82, 36), (10.82, 60), (0, 60)]
    return across(
        90,
        60,
        "#E03C31 #001489",
        polygon(white, "#FFFFFF"),
        polygon(green, "#007749"),
        polygon([(0, 7.21), (34.18, 30), (0, 52.79)], "#FFB81C"),
        polygon([(0, 12.02), (26.97, 30), (0, 47.98)], "#000000"),
    )


def south_korea() -> Design:
    """The disc is half as high as the flag; the trigrams lie across the diagonals, a quarter disc away from it."""
    red, blue = "#CD2E3A", "#0047A0"
    half = polygon([(6 * math.cos(turn * math.pi / 32), -6 * math.sin(turn * math.pi / 32)) for turn in range(33)], red)
    disc = place([circle(0, 0, 6, blue), half, circle(-3, 0, 3, red), circle(3, 0, 3, blue)], 18, 12, angle=33.69)
    shapes = [disc]
    for angle, bars in ((-56.31, "111"), (56.31, "010"), (123.69, "000"), (236.31, "101")):
        trigram = []
        for index, bar in enumerate(bars):
            y = -9 - 1.5 * index - 1
            trigram += [rect(-3, y, 6, 1, "#000000")] if bar == "1" else []
            trigram += [rect(x, y, 2.75, 1, "#000000") for x in (-3, 0.25)] if bar == "0" else []
        shapes.append(place(trigram, 18, 12, angle=angle))
    return across(36, 24, "#FFFFFF", *shapes)


def greece() -> Design:
    blue, white = "#0D5EAF", "#FFFFFF"
    canton = [rect(0, 0, 10, 10, blue), rect(4, 0, 2, 10, white), rect(0, 4, 10, 2, white)]
    return across(27, 18, " ".join([blue, white] * 4 + [blue]), *canton)


def togo() -> Design:
    canton = [rect(0, 0, 3, 3, "#D21034"), star(1.5, 1.5, 0.95, "#FFFFFF")]
    return across(8.09, 5, "#006A4E #FFCE00 #006A4E #FFCE00 #006A4E", *canton)


def panama() -> Design:
    corners = [rect(0, 0, 3, 2, "#FFFFFF"), rect(3, 0, 3, 2, "#DA121A"), rect(0, 2, 3, 2, "#072357")]
    return across(6, 4, "#FFFFFF", *corners, star(1.5, 1, 0.5, "#072357"), star(4.5, 3, 0.5, "#DA121A"))


def tunisia() -> Design:
    red, white = "#E70013", "#FFFFFF"
    moon = [circle(30, 20, 10, white), circle(30, 20, 7.5, red), circle(31.6, 20, 6, white)]
    return across(60, 40, red, *moon, star(31.9, 20, 4.5, red, angle=-90))


def serrated(width: float, height: float, ground: str, points: int, base: float, tip: float) -> Design:
    """White at the hoist, ending in points towards the fly."""
    step = height / points
    edge = [(0.0, 0.0), (base, 0.0)]
    for index in range(points):
        edge += [(tip, (index + 0.5) * step), (base, (index + 1) * step)]
    return across(width, height, ground, polygon([*edge, (0.0, height)], "#FFFFFF"))


def wedge(width: float, height: float, depth: float, colour: str) -> Shape:
    """A triangle based on the hoist; `width` is not used up by it but tells the unit."""
    return polygon([(0.0, 0.0), (depth * width, height / 2), (0.0, height)], colour)


STARS: dict[str, Callable[[], Design]] = {
    "CN": china,
    "US": united_states,
    "PK": pakistan,
    "VN": lambda: across(30, 20, "#DA251D", star(15, 10, 6, "#FFFF00")),
    "TR": turkey,
    "CD": congo_kinshasa,
    "BH": lambda: serrated(5, 3, "#DA291C", 5, 1.2, 2.05),
    "BS": lambda: across(2, 1, "#00778B #FFC72C #00778B", wedge(1, 1, 0.866, "#000000")),
    "CG": lambda: across(
        9,
        6,
        "#FBDE4A",
        polygon([(0, 0), (6, 0), (0, 6)], "#009543"),
        polygon([(9, 6), (3, 6), (9, 0)], "#DC241F"),
    ),
    "CL": lambda: across(3, 2, "#FFFFFF #DA291C", rect(0, 0, 1, 1, "#0032A0"), star(0.5, 0.5, 0.25, "#FFFFFF")),
    "CM": lambda: upright(3, 2, "#007A5E #CE1126 #FCD116", star(1.5, 1, 0.28, "#FCD116")),
    "CU": lambda: across(
        2,
        1,
        "#002590 #FFFFFF #002590 #FFFFFF #002590",
        wedge(1, 1, 0.866, "#CC0D0D"),
        star(0.2887, 0.5, 0.1667, "#FFFFFF"),
    ),
    "CZ": lambda: across(3, 2, "#FFFFFF #D7141A", wedge(3, 2, 0.5, "#11457E")),
    "GB": united_kingdom,
    "GH": lambda: across(3, 2, "#CE1126 #FCD116 #006B3F", star(1.5, 1.035, 0.3685, "#000000")),
    "GR": greece,
    "JM": lambda: across(
        60,
        30,
        "#FFB81C",
        polygon([(6.708, 0), (53.292, 0), (30, 11.646)], "#007749"),
        polygon([(6.708, 30), (53.292, 30), (30, 18.354)], "#007749"),
        polygon([(0, 3.354), (0, 26.646), (23.292, 15)], "#000000"),
        polygon([(60, 3.354), (60, 26.646), (36.708, 15)], "#000000"),
    ),
    "KR": south_korea,
    "KW": lambda: across(6, 3, "#007A3D #FFFFFF #CE1126", polygon([(0, 0), (1.5, 1), (1.5, 2), (0, 3)], "#000000")),
    "MA": lambda: across(90, 60, "#C1272D", pentagram(45, 31, 15.5, 1.3, "#006233")),
    "PA": panama,
    "PS": lambda: across(6, 3, "#000000 #FFFFFF #009639", wedge(6, 3, 1 / 3, "#ED2E38")),
    "QA": lambda: serrated(28, 11, "#8A1538", 9, 8.1, 11.3),
    "SD": lambda: across(6, 3, "#D21034 #FFFFFF #000000", wedge(6, 3, 1 / 3, "#007229")),
    "SN": lambda: upright(3, 2, "#00853F #FDEF42 #E31B23", star(1.5, 1.02, 0.33, "#00853F")),
    "SO": lambda: across(27, 18, "#4189DD", star(13.5, 9.4, 5, "#FFFFFF")),
    "SY": lambda: across(6, 4, "#007A3D #FFFFFF #000000", *(star(x, 2.05, 0.5, "#CE1126") for x in (1.5, 3, 4.5))),
    "TG": togo,
    "TN": tunisia,
    "TZ": lambda: across(
        72,
        48,
        "#FCD116",
        polygon([(0, 0), (54.87, 0), (0, 36.58)], "#1EB53A"),
        polygon([(72, 48), (17.13, 48), (72, 11.42)], "#00A3DD"),
        polygon([(0, 48), (0, 40.19), (60.28, 0), (72, 0), (72, 7.81), (11.72, 48)], "#000000"),
    ),
    "ZA": south_africa,
}
