"""Flags as files: a design becomes an SVG or a GIF, made when first asked for and kept."""

from __future__ import annotations

from functools import cache
from html import escape

from aioflags.flagserver.countries import COUNTRIES
from aioflags.flagserver.designs import DESIGNS
from aioflags.flagserver.gif import encode_gif
from aioflags.flagserver.raster import draw
from aioflags.flagserver.shapes import Design

__all__ = ["flag_gif", "flag_svg"]

_SVG_WIDTH = 600
_GIF_WIDTH = 320


@cache
def find_design(cc: str) -> Design:
    """Draw the flag of a country.

    Raises:
        KeyError: There is none.
    """
    return DESIGNS[cc]()


@cache
def flag_svg(cc: str) -> bytes:
    """The flag of a country, by its code in upper case, as an SVG file of its own.

    Raises:
        KeyError: There is no such flag.
    """
    design = find_design(cc)
    title = escape(COUNTRIES[cc])
    size = f'width="{_SVG_WIDTH}" height="{_SVG_WIDTH * design.height / design.width:g}"'
    box = f'viewBox="0 0 {design.width:g} {design.height:g}"'
    markup = "\n".join(shape.markup for shape in design.shapes)
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {box}>\n<title>{title}</title>\n{markup}\n</svg>\n'.encode()


@cache
def flag_gif(cc: str) -> bytes:
    """The flag of a country, by its code in upper case, as a GIF file.

    Raises:
        KeyError: There is no such flag.
    """
    design = find_design(cc)
    scale = _GIF_WIDTH / design.width
    areas = (area for shape in design.shapes for area in shape.areas)
    return encode_gif(draw(areas, _GIF_WIDTH, round(design.height * scale), scale))
