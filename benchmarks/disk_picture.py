"""The picture of the ways to the disk: how fast, beside how late the loop is meanwhile. From the result alone.

`python -m benchmarks.disk_picture RESULT.json PICTURE.svg` draws it.
"""

from __future__ import annotations

import html
import math
import sys
from pathlib import Path

from benchmarks.results import Case, Result, Series, read_result

__all__ = ["draw"]

_WIDTH = 900
_LEFT = 110
_BAR = 290
_RIGHT = 520
_SCALE = 330
_ROW = 18
_HEAD = 46
_COLOURS = {"inline": "#c0504d", "job": "#d99a3d", "aiofiles": "#7f7f9f", "groups": "#2f8f5b"}
_POWERS = range(-5, 1)
_LIMITS = (_POWERS[0], _POWERS[-1])


def draw(result: Result, loop: str = "uvloop") -> str:
    """Draw the cases of one loop, one below the other, as a self-contained SVG.

    Left, files (of a stream, MB) a second with their spread; right, on a logarithmic scale, how late a timer of a
    millisecond fires: a dot at the median, a bar up to the 99th percentile, a line up to the worst.
    """
    cases = [case for case in result.cases if case.key.endswith(loop) and case.bytes]
    parts = [_text(_LEFT, 22, "how fast", 14), _text(_RIGHT, 22, "how late a timer of 1 ms fires on the loop", 14)]
    top = 56
    for case in cases:
        parts += _draw_case(case, case.key.removesuffix(f", {loop}"), top)
        top += _HEAD + _ROW * len(case.series)
    rounds = len(cases[0].series[0].rounds) if cases else 0
    lines = (
        f"{loop}, {result.machine.get('python', '')}, {result.machine.get('cores', '?')} cores; medians of {rounds} "
        "rounds. Left: line = least to most.",
        "Right: dot = median, bar = up to the 99th percentile, line = up to the worst; each the median of the rounds.",
    )
    parts += [_text(_LEFT, top + 14 * number, line, 11) for number, line in enumerate(lines)]
    height = top + 30
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}">\n'
        "<title>Four ways from the event loop to the disk: how fast, and how late the loop is meanwhile</title>\n"
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>\n'
        '<g font-family="system-ui, sans-serif" font-size="12" fill="#222">\n' + "\n".join(parts) + "\n</g>\n</svg>\n"
    )


def _draw_case(case: Case, title: str, top: int) -> list[str]:
    rates = [rate for series in case.series for rate in _rates(series)]
    scale = _BAR / (max(rates, default=0.0) or 1.0)
    bottom = top + 6 + _ROW * len(case.series)
    unit, divisor = ("MB/s", 1e6) if case.items == 1 else ("files/s", 1.0)
    parts = [_text(_LEFT, top, f"{title} ({unit})", 13)]
    for power in _POWERS:
        x = _late_x(10.0**power)
        parts.append(f'<line x1="{x:.1f}" y1="{top - 8}" x2="{x:.1f}" y2="{bottom}" stroke="#ddd"/>')
        parts.append(f'<text x="{x:.1f}" y="{top - 10}" font-size="9" text-anchor="middle">{_tick(power)}</text>')
    for number, series in enumerate(case.series):
        parts += _draw_row(series, top + 6 + _ROW * number, scale, divisor)
    return parts


def _tick(power: int) -> str:
    return f"{10 ** (power + 3):g} ms" if power < 0 else f"{10**power} s"


def _rates(series: Series) -> list[float]:
    return [each.figures["written"] for each in series.rounds if "written" in each.figures]


def _draw_row(series: Series, y: int, scale: float, divisor: float) -> list[str]:
    middle = y + _ROW / 2 - 1
    parts = [f'<text x="{_LEFT - 8}" y="{middle + 4}" text-anchor="end">{html.escape(series.name)}</text>']
    if not series.is_clean:
        return [*parts, _text(_LEFT + 6, middle + 4, "lost or spoiled files: not ranked", 11)]
    colour = _COLOURS.get(series.name, "#555")
    rates = _rates(series)
    rate = series.median(lambda each: each.figures["written"])
    least, most = _LEFT + min(rates) * scale, _LEFT + max(rates) * scale
    dot, p99, worst = (
        _late_x(series.median(lambda each, key=f"late {part}": each.figures[key]))  # type: ignore[misc]
        for part in ("median", "p99", "max")
    )
    return [
        *parts,
        f'<rect x="{_LEFT}" y="{y}" width="{rate * scale:.1f}" height="{_ROW - 4}" fill="{colour}"/>',
        f'<line x1="{least:.1f}" y1="{middle}" x2="{most:.1f}" y2="{middle}" stroke="#222"/>',
        _text(most + 6, middle + 4, f"{rate / divisor:,.0f}", 11),
        f'<rect x="{_RIGHT}" y="{y}" width="{p99 - _RIGHT:.1f}" height="{_ROW - 4}" fill="{colour}" opacity="0.75"/>',
        f'<line x1="{p99:.1f}" y1="{middle}" x2="{worst:.1f}" y2="{middle}" stroke="{colour}" stroke-width="2"/>',
        f'<circle cx="{dot:.1f}" cy="{middle}" r="3.5" fill="#222"/>',
    ]


def _late_x(seconds: float) -> float:
    low, high = _LIMITS
    power = min(high, max(low, math.log10(max(seconds, 10.0**low))))
    return _RIGHT + _SCALE * (power - low) / (high - low)


def _text(x: float, y: float, text: str, size: int) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}">{html.escape(text)}</text>'


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(draw(read_result(Path(sys.argv[1]))))
