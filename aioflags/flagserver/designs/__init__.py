"""How each flag is built, by country code: official proportions, layout and colours, as far as we know them."""

from __future__ import annotations

from collections.abc import Callable

from aioflags.flagserver.designs.bands import BANDS
from aioflags.flagserver.designs.eagles import EAGLES
from aioflags.flagserver.designs.emblems import EMBLEMS
from aioflags.flagserver.designs.stars import STARS
from aioflags.flagserver.shapes import Design

__all__ = ["DESIGNS"]

DESIGNS: dict[str, Callable[[], Design]] = {**BANDS, **STARS, **EMBLEMS, **EAGLES}
