"""The picture of the ways to the disk: how fast, beside how late the loop is meanwhile. From the result alone."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["draw"]

_WIDTH = 900
_LEFT = 110
_BAR = 290
_RIGHT = 520
_SCALE = 330
_ROW = 18
_HEAD = 44
_COLOURS = {"inline": "#c0504d", "job": "#d99a3d", "aiofiles": "#7f7f9f", "groups": "#2f8f5b"}
_LIMITS = (0.01, 1000.0)
_STYLE = 'font-family="system-ui, sans-serif" font-size="12" fill="#222"'


def draw(result: Mapping[str, Any], loop: str = "uvloop") -> str:
    """Draw the cases of one loop, one below the other, as a self-contained SVG.

    Left, files (of a stream, MiB) a second with their spread; right, on a logarithmic scale, how late a timer of a
    millisecond fires: a dot at the median, a bar up to the 99th percentile, a line up to the worst.
    """
    rows = [row for row in result["rows"] if row["loop"] == loop and row["way"] in _COLOURS]
    cases = list(dict.fromkeys((row["place"], row["case"]) for row in rows))
    top, parts = (
        54,
        [_text(_LEFT, 22, "how fast", 14), _text(_RIGHT, 22, "how late a 1 ms timer of the loop fires", 14)],
    )
    for place, case in cases:
        these = [row for row in rows if (row["place"], row["case"]) == (place, case)]
        parts += _draw_case(f"{case}, in {place}" if place == "memory" else f"{case}, on {place}", these, top)
        top += _HEAD + _ROW * len(these)
    foot = (
        f"{loop}, Python {result['python']}, {result['cores']} cores; medians of {result['rounds']} rounds, whiskers: "
        "least to most. Right: dot = median, bar = 99th percentile, line = worst."
    )
    parts.append(_text(_LEFT, top + 6, foot, 11))
    height = top + 20
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}">\n'
        "<title>Four ways from the event loop to the disk: files a second, and how late the loop is</title>\n"
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>\n<g {_STYLE}>\n'
        + "\n".join(parts)
        + "\n</g>\n</svg>\n"
    )


def _draw_case(title: str, rows: Sequence[Mapping[str, Any]], top: int) -> list[str]:
    most = max(row["rate"]["most"] for row in rows) or 1.0
    bottom = top + 6 + _ROW * len(rows)
    parts = [_text(_LEFT, top, f"{title} ({rows[0]['unit']}/s)", 13)]
    for power in range(-2, 4):
        x = _late_x(10.0**power)
        parts.append(f'<line x1="{x:.1f}" y1="{top - 8}" x2="{x:.1f}" y2="{bottom}" stroke="#ddd"/>')
        parts.append(f'<text x="{x:.1f}" y="{top - 10}" font-size="9" text-anchor="middle">{10.0**power:g} ms</text>')
    for number, row in enumerate(rows):
        parts += _draw_row(row, top + 6 + _ROW * number, _BAR / most)
    return parts


def _draw_row(row: Mapping[str, Any], y: int, scale: float) -> list[str]:
    colour, rate = _COLOURS[row["way"]], row["rate"]
    middle = y + _ROW / 2 - 1
    ends = [_LEFT + rate[key] * scale for key in ("least", "most")]
    dot, p99, worst = (_late_x(row[key]["median"]) for key in ("late_median", "late_p99", "late_max"))
    wrong = f" - {row['wrong']} files wrong" if row["wrong"] else ""
    return [
        f'<text x="{_LEFT - 8}" y="{middle + 4}" text-anchor="end">{html.escape(row["way"])}</text>',
        f'<rect x="{_LEFT}" y="{y}" width="{rate["median"] * scale:.1f}" height="{_ROW - 4}" fill="{colour}"/>',
        f'<line x1="{ends[0]:.1f}" y1="{middle}" x2="{ends[1]:.1f}" y2="{middle}" stroke="#222"/>',
        _text(max(ends) + 6, middle + 4, f"{rate['median']:,.0f}{wrong}", 11),
        f'<rect x="{_RIGHT}" y="{y}" width="{p99 - _RIGHT:.1f}" height="{_ROW - 4}" fill="{colour}" opacity="0.75"/>',
        f'<line x1="{p99:.1f}" y1="{middle}" x2="{worst:.1f}" y2="{middle}" stroke="{colour}" stroke-width="2"/>',
        f'<circle cx="{dot:.1f}" cy="{middle}" r="3.5" fill="#222"/>',
    ]


def _late_x(milliseconds: float) -> float:
    low, high = (math.log10(limit) for limit in _LIMITS)
    power = min(high, max(low, math.log10(max(milliseconds, _LIMITS[0]))))
    return _RIGHT + _SCALE * (power - low) / (high - low)


def _text(x: float, y: float, text: str, size: int) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}">{html.escape(text)}</text>'
