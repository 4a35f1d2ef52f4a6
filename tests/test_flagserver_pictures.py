"""The flags: proportions, colours at known places, and files that stand alone."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections import Counter

import pytest

from aioflags.flagserver.countries import COUNTRIES, MOST_POPULOUS
from aioflags.flagserver.designs import DESIGNS
from aioflags.flagserver.pictures import find_design, flag_gif, flag_svg
from tests.test_flagserver_gif import decode_gif

SVG = "{http://www.w3.org/2000/svg}"

# Height to width as the law of each country has it.
PROPORTIONS = {
    **dict.fromkeys(("CN", "IN", "ID", "PK", "RU", "JP", "VN", "EG", "TR", "FR"), 2 / 3),
    "US": 10 / 19,
    "BR": 7 / 10,
    "NG": 1 / 2,
    "BD": 3 / 5,
    "MX": 4 / 7,
    "PH": 1 / 2,
    "ET": 1 / 2,
    "DE": 3 / 5,
    "IR": 4 / 7,
    "CD": 3 / 4,
}

# What colour stands at which share of width and height, away from all edges.
PLACES = [
    ("CN", 5 / 30, 5 / 20, 0xFFFF00),
    ("CN", 0.8, 0.8, 0xEE1C25),
    ("IN", 0.5, 0.5, 0x06038D),
    ("IN", 0.5, 0.1, 0xFF671F),
    ("IN", 0.5, 0.9, 0x046A38),
    ("US", 6.333 / 190, 5.385 / 100, 0xFFFFFF),
    ("US", 12.667 / 190, 5.385 / 100, 0x0A3161),
    ("US", 0.9, 0.04, 0xB31942),
    ("US", 0.9, 0.11, 0xFFFFFF),
    ("ID", 0.5, 0.25, 0xFF0000),
    ("ID", 0.5, 0.75, 0xFFFFFF),
    ("BR", 0.02, 0.5, 0x009739),
    ("BR", 0.2, 0.5, 0xFEDD00),
    ("BR", 0.4, 0.58, 0x012169),
    ("PK", 0.1, 0.5, 0xFFFFFF),
    ("PK", 0.3, 0.9, 0x01411C),
    ("PK", 0.5, 0.6, 0xFFFFFF),
    ("NG", 0.5, 0.5, 0xFFFFFF),
    ("BD", 0.45, 0.5, 0xF42A41),
    ("BD", 0.8, 0.5, 0x006A4E),
    ("RU", 0.5, 0.5, 0x0039A6),
    ("JP", 0.5, 0.5, 0xBC002D),
    ("JP", 0.1, 0.1, 0xFFFFFF),
    ("MX", 0.1, 0.5, 0x006341),
    ("MX", 0.36, 0.2, 0xFFFFFF),
    ("MX", 0.9, 0.5, 0xC8102E),
    ("PH", 0.1443, 0.5, 0xFCD116),
    ("PH", 0.7, 0.2, 0x0038A8),
    ("PH", 0.7, 0.8, 0xCE1126),
    ("VN", 0.5, 0.5, 0xFFFF00),
    ("ET", 0.5, 0.46, 0x0F47AF),
    ("ET", 0.1, 0.5, 0xFCDD09),
    ("EG", 0.1, 0.5, 0xFFFFFF),
    ("EG", 0.5, 0.9, 0x000000),
    ("DE", 0.5, 0.9, 0xFFCC00),
    ("IR", 0.5, 0.5, 0xDA0000),
    ("IR", 0.1, 0.1, 0x239F40),
    ("TR", 0.2, 0.5, 0xFFFFFF),
    ("TR", 0.40, 0.5, 0xE30A17),
    ("TR", 0.55, 0.5, 0xFFFFFF),
    ("CD", 0.1825, 0.25, 0xF7D618),
    ("CD", 0.5, 0.5, 0xCE1021),
    ("CD", 0.9, 0.9, 0x007FFF),
    ("FR", 0.1, 0.5, 0x000091),
    ("FR", 0.9, 0.5, 0xE1000F),
]


def test_every_country_has_a_design() -> None:
    """The list of names and the list of designs are the same, the twenty of the demo among them."""
    assert set(DESIGNS) == set(COUNTRIES)
    assert list(COUNTRIES)[:20] == list(MOST_POPULOUS)


@pytest.mark.parametrize("cc", COUNTRIES)
def test_svg_stands_alone(cc: str) -> None:
    """It is well-formed, sized, titled with the country, refers to nothing outside and draws something."""
    root = ElementTree.fromstring(flag_svg(cc))
    assert root.tag == f"{SVG}svg"
    assert root.findtext(f"{SVG}title") == COUNTRIES[cc]
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    assert float(root.attrib["height"]) / float(root.attrib["width"]) == pytest.approx(height / width, rel=1e-4)
    assert b"href" not in flag_svg(cc)
    assert sum(1 for _ in root.iter()) > 3


@pytest.mark.parametrize(("cc", "proportion"), PROPORTIONS.items())
def test_flag_has_its_proportion(cc: str, proportion: float) -> None:
    """Height to width is what the law says, in the design and in the pixels."""
    design = find_design(cc)
    assert design.height / design.width == pytest.approx(proportion)
    rows = decode_gif(flag_gif(cc))
    assert len(rows) == round(320 * proportion)


@pytest.mark.parametrize(("cc", "x", "y", "colour"), PLACES)
def test_flag_has_its_colour_in_its_place(cc: str, x: float, y: float, colour: int) -> None:
    """Layout and colours are right where an error would be seen first."""
    rows = decode_gif(flag_gif(cc))
    assert f"{rows[int(y * len(rows))][int(x * 320)]:06X}" == f"{colour:06X}"


@pytest.mark.parametrize(("cc", "count"), [("CN", 5), ("US", 50), ("BR", 27), ("PH", 3), ("PK", 1), ("TR", 1)])
def test_stars_are_counted(cc: str, count: int) -> None:
    """As many stars as the flag has: polygons of ten corners."""
    polygons = ElementTree.fromstring(flag_svg(cc)).iter(f"{SVG}polygon")
    assert sum(len(polygon.attrib["points"].split()) == 10 for polygon in polygons) == count


def test_wheel_of_india_has_its_spokes() -> None:
    """Around the hub there are 24 spokes with 24 gaps."""
    turns = Counter(place.attrib["transform"] for place in ElementTree.fromstring(flag_svg("IN")).iter(f"{SVG}g"))
    spokes = [turn for turn in turns if turn == "" or (turn.startswith("rotate(") and not turn.endswith(".5)"))]
    assert len(spokes) == 24


def test_picture_of_an_unknown_country_is_an_error() -> None:
    """There is no blank flag."""
    with pytest.raises(KeyError):
        flag_svg("XX")
    with pytest.raises(KeyError):
        flag_gif("XX")
