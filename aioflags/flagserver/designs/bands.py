"""Flags that are bands, crosses or one disc: a table of proportions and colours."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from aioflags.flagserver.shapes import Design, Shape, circle, rect

__all__ = ["BANDS", "across", "upright"]

Bands = str | Iterable[tuple[str, float]]


def across(width: float, height: float, bands: Bands, *more: Shape) -> Design:
    """Horizontal bands, from the top: colours, or pairs of a colour and its share; then what lies on them."""
    return Design(width, height, (*_stack(width, height, bands, is_upright=False), *more))


def upright(width: float, height: float, bands: Bands, *more: Shape) -> Design:
    """Vertical bands, from the hoist."""
    return Design(width, height, (*_stack(width, height, bands, is_upright=True), *more))


def _stack(width: float, height: float, bands: Bands, *, is_upright: bool) -> Iterable[Shape]:
    pairs = [(colour, 1.0) for colour in bands.split()] if isinstance(bands, str) else list(bands)
    unit = (width if is_upright else height) / sum(share for _, share in pairs)
    start = 0.0
    for colour, share in pairs:
        # Each band reaches to the far edge, so that no seam shines through between two.
        if is_upright:
            yield rect(start, 0, width - start, height, colour)
        else:
            yield rect(0, start, width, height - start, colour)
        start += share * unit


def nordic(width: float, height: float, ground: str, *crosses: tuple[str, float, float, float]) -> Design:
    """A cross to the edges: colour, centre from the hoist, width upright, width across; the widest first."""
    shapes = [rect(0, 0, width, height, ground)]
    for colour, centre, wide, high in crosses:
        shapes += [rect(centre - wide / 2, 0, wide, height, colour), rect(0, (height - high) / 2, width, high, colour)]
    return Design(width, height, tuple(shapes))


_ROWS: dict[str, tuple[float, float, Bands]] = {
    "ID": (3, 2, "#FF0000 #FFFFFF"),
    "RU": (3, 2, "#FFFFFF #0039A6 #D52B1E"),
    "DE": (5, 3, "#000000 #DD0000 #FFCC00"),
    "AM": (2, 1, "#D90012 #0033A0 #F2A800"),
    "AT": (3, 2, "#C8102E #FFFFFF #C8102E"),
    "BG": (5, 3, "#FFFFFF #00966E #D62612"),
    "BO": (22, 15, "#DA291C #F4E400 #007A33"),
    "BW": (3, 2, [("#6DA9D2", 9), ("#FFFFFF", 1), ("#000000", 4), ("#FFFFFF", 1), ("#6DA9D2", 9)]),
    "CO": (3, 2, [("#FFCD00", 2), ("#003087", 1), ("#C8102E", 1)]),
    "EE": (11, 7, "#0072CE #000000 #FFFFFF"),
    "GA": (4, 3, "#009E60 #FCD116 #3A75C4"),
    "GM": (3, 2, [("#CE1126", 6), ("#FFFFFF", 1), ("#0C1C8C", 4), ("#FFFFFF", 1), ("#3A7728", 6)]),
    "HU": (2, 1, "#CE2939 #FFFFFF #477050"),
    "LT": (5, 3, "#FFB81C #046A38 #BE3A34"),
    "LU": (5, 3, "#EF3340 #FFFFFF #00A3E0"),
    "LV": (2, 1, [("#A4343A", 2), ("#FFFFFF", 1), ("#A4343A", 2)]),
    "MC": (5, 4, "#CE1126 #FFFFFF"),
    "MU": (3, 2, "#EA2839 #1A206D #FFD500 #00A551"),
    "NL": (3, 2, "#AE1C28 #FFFFFF #21468B"),
    "PL": (8, 5, "#FFFFFF #DC143C"),
    "SL": (3, 2, "#1EB53A #FFFFFF #0072C6"),
    "TH": (3, 2, [("#EF3340", 1), ("#FFFFFF", 1), ("#00247D", 2), ("#FFFFFF", 1), ("#EF3340", 1)]),
    "UA": (3, 2, "#0057B7 #FFD700"),
    "YE": (3, 2, "#CE1126 #FFFFFF #000000"),
}

_COLUMNS: dict[str, tuple[float, float, Bands]] = {
    "NG": (2, 1, "#008751 #FFFFFF #008751"),
    "FR": (3, 2, "#000091 #FFFFFF #E1000F"),
    "BE": (15, 13, "#000000 #FFD90C #EF3340"),
    "CI": (3, 2, "#F77F00 #FFFFFF #009E60"),
    "GN": (3, 2, "#CE1126 #FCD116 #009460"),
    "IE": (2, 1, "#169B62 #FFFFFF #FF883E"),
    "IT": (3, 2, "#008C45 #F4F9FF #CD212A"),
    "ML": (3, 2, "#14B53A #FCD116 #CE1126"),
    "PE": (3, 2, "#D91023 #FFFFFF #D91023"),
    "RO": (3, 2, "#002B7F #FCD116 #CE1126"),
    "TD": (3, 2, "#002664 #FECB00 #C60C30"),
}

BANDS: dict[str, Callable[[], Design]] = {
    **{cc: partial(across, *row) for cc, row in _ROWS.items()},
    **{cc: partial(upright, *column) for cc, column in _COLUMNS.items()},
    # The disc is centred at nine twentieths of the length, its radius is a fifth of it.
    "BD": lambda: across(10, 6, "#006A4E", circle(4.5, 3, 2, "#F42A41")),
    "JP": lambda: across(3, 2, "#FFFFFF", circle(1.5, 1, 0.6, "#BC002D")),
    "PW": lambda: across(8, 5, "#0099FF", circle(3.5, 2.5, 1.5, "#FFFF00")),
    "NE": lambda: across(7, 6, "#E05206 #FFFFFF #0DB02B", circle(3.5, 3, 0.85, "#E05206")),
    "LA": lambda: across(3, 2, [("#CE1126", 1), ("#002868", 2), ("#CE1126", 1)], circle(1.5, 1, 0.4, "#FFFFFF")),
    "MG": lambda: across(3, 2, "#FC3D32 #007E3A", rect(0, 0, 1, 2, "#FFFFFF")),
    "BJ": lambda: across(3, 2, "#FCD116 #E8112D", rect(0, 0, 1.2, 2, "#008751")),
    "AE": lambda: across(2, 1, "#00843D #FFFFFF #000000", rect(0, 0, 0.5, 1, "#C8102E")),
    "DK": lambda: nordic(37, 28, "#C8102E", ("#FFFFFF", 14, 4, 4)),
    "FI": lambda: nordic(18, 11, "#FFFFFF", ("#002F6C", 6.5, 3, 3)),
    "SE": lambda: nordic(16, 10, "#006AA7", ("#FECC02", 6, 2, 2)),
    "NO": lambda: nordic(22, 16, "#BA0C2F", ("#FFFFFF", 8, 4, 4), ("#00205B", 8, 2, 2)),
    "IS": lambda: nordic(25, 18, "#02529C", ("#FFFFFF", 9, 4, 4), ("#DC1E35", 9, 2, 2)),
    "CH": lambda: across(32, 32, "#DA291C", rect(13, 6, 6, 20, "#FFFFFF"), rect(6, 13, 20, 6, "#FFFFFF")),
}
