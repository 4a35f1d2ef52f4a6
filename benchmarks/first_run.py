"""Runs `aioflags` for the first time, in an empty folder, and draws what one sees: the picture of the README."""

from __future__ import annotations

import argparse
import base64
import html
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

__all__ = ["add_parser"]

_LINE = 19
_COLUMNS = 4
_CELL = (128, 92)
_TERMINAL = 330
_FRAME = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">
<title>The first run of aioflags: its output, and the files in downloads/</title>
<rect width="{width}" height="{height}" rx="10" fill="#1e2430"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="13" fill="#d7dde8">
{text}
</g>
<rect x="{left}" y="16" width="{inner}" height="{inner_height}" rx="8" fill="#f4f5f7"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="11" fill="#4a5263">
{flags}
</g>
</svg>
"""


def add_parser(commands: Any) -> None:
    """Add the command `first-run`."""
    parser = commands.add_parser("first-run", help=__doc__, description=__doc__)
    parser.add_argument("file", type=Path, nargs="?", default=Path(".assets/first-run.svg"))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Run it and write the picture."""
    with tempfile.TemporaryDirectory() as directory:
        command = [sys.executable, "-m", "aioflags"]
        done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=True)
        files = sorted(Path(directory, "downloads").iterdir())
        args.file.write_text(_draw(done.stdout.splitlines(), files))


def _draw(lines: list[str], files: list[Path]) -> str:
    text = [_text(24, 34, "$ aioflags", "#8bd49c")]
    text += [_text(24, 34 + _LINE * row, line) for row, line in enumerate(lines, 1)]
    text.append(_text(24, 34 + _LINE * (len(lines) + 1), "$ ▮", "#8bd49c"))
    height = 34 + _LINE * (len(lines) + 2)
    cells = [_flag(file, index) for index, file in enumerate(files)]
    inner = _COLUMNS * _CELL[0] + 24
    return _FRAME.format(
        width=_TERMINAL + inner + 16,
        height=height,
        text="\n".join(text),
        left=_TERMINAL,
        inner=inner,
        inner_height=height - 32,
        flags="\n".join(cells),
    )


def _text(x: int, y: int, line: str, colour: str = "#d7dde8") -> str:
    return f'<text x="{x}" y="{y}" fill="{colour}" xml:space="preserve">{html.escape(line)}</text>'


def _flag(file: Path, index: int) -> str:
    column, row = index % _COLUMNS, index // _COLUMNS
    x, y = _TERMINAL + 20 + column * _CELL[0], 34 + row * (_CELL[1] - 8)
    picture = base64.b64encode(file.read_bytes()).decode("ascii")
    image = f'<image x="{x}" y="{y}" width="112" height="58" href="data:image/svg+xml;base64,{picture}"/>'
    return f'{image}<text x="{x + 56}" y="{y + 72}" text-anchor="middle">{file.name}</text>'
