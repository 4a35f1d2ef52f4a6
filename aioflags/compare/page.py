"""The picture: one page with a lane for each worker and a bar for each file, complete in itself, without a script."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping
from html import escape
from importlib.resources import files

from aioflags.compare.lanes import Cell, Lane, lanes_of, ticks
from aioflags.compare.measure import Comparison
from aioflags.compare.runs import Summary
from aioflags.compare.table import COLUMNS, NOTES, cells_of, headline
from aioflags.compare.verdict import explain, judge, show_seconds
from aioflags.redact import escape_text
from aioflags.trace import PHASES
from aioflags.version import __version__

__all__ = ["make_page"]

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_CLASSES = ("w", "c", "f", "r", "d")
_WIDTH = 1000
_LANES = 64
# A page stays small and quick however many files there are: so many bars in a picture at most, and none narrower
# than a pixel or two.
_BARS = 900
_FINEST = 400
_HEIGHTS = ((8, 30), (26, 18), (_LANES, 9))
_CLOSER = 0.6


def make_page(comparison: Comparison, capacities: Mapping[str, int], title: str) -> str:
    """Make the page.

    Args:
        comparison: What was measured.
        capacities: How many files each engine could have had in flight at once.
        title: What was downloaded, in a few words.
    """
    length = max(map(_length, comparison.engines))
    best = min(summary.wall for summary in comparison.engines)
    style = files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    parts = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n',
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
        '<meta name="color-scheme" content="light dark">\n<link rel="icon" href="data:,">\n',
        f"<title>Who waited when: {_text(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n",
        f'<h1>Who waited when</h1>\n<p class="faint">{_text(title)}. {_text(headline(comparison))}.</p>\n',
        _section("verdict", "".join(f"<p>{_text(line)}</p>\n" for line in judge(comparison, capacities))),
        _section("figures", _table(comparison)),
        _section("key", _legend(comparison)),
        *(_engine(summary, length, is_open=summary.wall == best) for summary in comparison.engines),
        f"<footer>{_text(NOTES.format(baseline=comparison.baseline.engine))} ",
        "Each picture is of the run whose time is in the middle, all on one time axis. ",
        f"{_text(_circumstances())}</footer>\n</main>\n</body>\n</html>\n",
    ]
    return "".join(parts)


def _text(text: str) -> str:
    return escape(escape_text(text))


def _section(kind: str, content: str) -> str:
    return f'<section class="card {kind}">\n{content}</section>\n'


def _circumstances() -> str:
    processors = os.cpu_count() or 1
    return (
        f"aioflags {__version__}, {platform.python_implementation()} {platform.python_version()}, "
        f"{platform.system()} {platform.machine()}, {processors} processor{'s' if processors > 1 else ''}."
    )


def _table(comparison: Comparison) -> str:
    best = min(summary.wall for summary in comparison.engines)
    head = "".join(f"<th>{_text(name)}</th>" for name in COLUMNS)
    rows = []
    for summary in comparison.engines:
        cells = [_text(cell) for cell in cells_of(summary, comparison.baseline)]
        cells[2] = f'<span class="speed">{cells[2].replace("x", "&times;")}</span>'
        data = "".join(
            f'<td data-name="{name}"><span>{cell}</span></td>' for name, cell in zip(COLUMNS, cells, strict=True)
        )
        rows.append(f"<tr{' class=best' if summary.wall == best else ''}>{data}</tr>\n")
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{''.join(rows)}</tbody>\n</table>\n"


def _legend(comparison: Comparison) -> str:
    entries = list(zip(_CLASSES, PHASES, strict=True))
    if any(span.is_failed for summary in comparison.engines for span in summary.typical.spans):
        entries.append(("x", "failed"))
    return (
        f'<ul class="legend">{"".join(f"<li><i class={kind}></i>{name}</li>" for kind, name in entries)}</ul>\n'
        '<p class="faint">A lane for each worker, a bar for each file; point at a bar to read its times. The thin line '
        "below a lane says that a file which this worker took up later was already waiting.</p>\n"
    )


def _engine(summary: Summary, length: float, *, is_open: bool) -> str:
    own = _length(summary)
    parts = [
        f'<div class="head"><h2>{summary.engine}</h2><b>{show_seconds(summary.wall)}</b></div>\n',
        f'<p class="faint">{_text(explain(summary))}</p>\n',
        _plot(summary, length),
    ]
    if 0 < own < _CLOSER * length:
        title = f"A closer look: the same {show_seconds(own)}, stretched"
        mark = " open" if is_open else ""
        parts.append(f"<details{mark}><summary>{title}</summary>\n{_plot(summary, own)}</details>\n")
    return _section("engine", "".join(parts))


def _length(summary: Summary) -> float:
    return max((span.ended for span in summary.typical.spans), default=0.0)


def _plot(summary: Summary, length: float) -> str:
    """Draw the lanes of one engine on an axis of `length` seconds."""
    shown = min(_LANES, max(1, summary.workers))
    finest = max(4, min(_FINEST, _BARS // shown))
    lanes = lanes_of(summary.typical.spans, length / finest)
    height = next(height for most, height in _HEIGHTS if shown <= most)
    rows = [_lane(lane, index, length, height) for index, lane in enumerate(lanes[:_LANES])]
    more = f'<p class="faint">and {len(lanes) - _LANES} more lanes like these</p>\n' if len(lanes) > _LANES else ""
    return f'<div class="plot" style="--height:{height}px">\n{_axis(length)}{"".join(rows)}</div>\n{more}'


def _axis(length: float) -> str:
    marks = []
    for tick in ticks(length):
        place = 100 * tick / length if length else 0.0
        side = ' class="start"' if tick == 0 else ' class="end"' if place > 94 else ""
        marks.append(f'<i style="left:{place:.2f}%"></i><b{side} style="left:{place:.2f}%">{_tick(tick)}</b>')
    return f'<div class="axis">{"".join(marks)}</div>\n'


def _tick(seconds: float) -> str:
    return "0" if seconds == 0 else f"{1000 * seconds:g} ms" if seconds < 1 else f"{seconds:g} s"


def _lane(lane: Lane, index: int, length: float, height: int) -> str:
    name = _text(_label(lane.worker, index))
    label = name if height > 10 or index % 8 == 0 else ""
    scale = _WIDTH / length if length else 0.0
    waits = "".join(_box("w", begin * scale, (end - begin) * scale, 20, 3) for begin, end in lane.waits)
    bars = "".join(_bar(cell, scale) for cell in lane.cells)
    picture = f'<svg viewBox="0 0 {_WIDTH} 24" preserveAspectRatio="none" aria-label="{name}">'
    return f'<div class="lane"><span>{label}</span>{picture}{waits}{bars}</svg></div>\n'


def _label(worker: str, index: int) -> str:
    """Number threads and processes as task slots are: from 1 on, without gaps."""
    kind, _, number = worker.replace("aioflags-worker_", "thread ").rpartition(" ")
    return f"{kind} {number if kind == 'task' else index + 1}"


def _bar(cell: Cell, scale: float) -> str:
    total = sum(cell.work)
    # Merged attempts have gaps between them: their phases share the whole width.
    stretch = (cell.end - cell.begin) * scale / total if total else 0.0
    boxes, place = [], cell.begin * scale
    for kind, seconds in zip(_CLASSES[1:], cell.work, strict=True):
        if seconds * stretch > 0.005:
            boxes.append(_box(kind, place, seconds * stretch, 2, 16))
        place += seconds * stretch
    if cell.failed:
        boxes.append(_box("x", cell.begin * scale, (cell.end - cell.begin) * scale, 0, 3))
    return f"<g><title>{_text(_describe(cell))}</title>{''.join(boxes)}</g>"


def _box(kind: str, left: float, width: float, top: int, height: int) -> str:
    return f'<path class="{kind}" d="M{left:.2f} {top}h{max(width, 0.3):.2f}v{height}H{left:.2f}z"/>'


def _describe(cell: Cell) -> str:
    return ", ".join(_facts(cell))


def _facts(cell: Cell) -> Iterator[str]:
    yield cell.name if cell.count == 1 else f"{cell.count} files, {cell.name} first"
    if cell.failed:
        yield "failed" if cell.count == 1 else f"{cell.failed} failed"
    yield f"from {show_seconds(cell.begin)} to {show_seconds(cell.end)}"
    each = "" if cell.count == 1 else " together"
    for phase, seconds in zip(PHASES, (cell.waited, *cell.work), strict=True):
        yield f"{phase} {show_seconds(seconds)}{each}"
