"""Makes one page of results, and the README's tables and pictures."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.page import make_page
from benchmarks.processes import ROOT
from benchmarks.readme_tables import draw_pictures, rewrite
from benchmarks.results import RESULTS, Result, read_folder

__all__ = ["PAGE", "add_parser", "write_page", "write_readme"]

PAGE = "report.html"


def add_parser(commands: Any) -> None:
    """Add the command `report`."""
    parser = commands.add_parser("report", help=__doc__, description=__doc__)
    parser.add_argument("results", type=Path, nargs="?", default=RESULTS, help="a folder (default: %(default)s)")
    parser.add_argument("--output", type=Path, default=Path(PAGE), metavar="FILE", help="default: %(default)s")
    parser.add_argument("--readme", action="store_true", help="rewrite the README's tables and pictures, too")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Write what is asked for."""
    try:
        results = read_folder(args.results)
    except (OSError, ValueError) as error:
        raise SystemExit(f"{args.results}: {error}") from error
    if not results:
        raise SystemExit(f"{args.results}: no results; python -m benchmarks all --results {args.results} makes them")
    print(write_page(results, args.output))
    if args.readme:
        print(*write_readme(results, ROOT), sep="\n")


def write_page(results: Sequence[Result], path: Path) -> Path:
    """Write the page; gives its path."""
    path.write_text(make_page(results), encoding="utf-8")
    return path


def write_readme(results: Sequence[Result], root: Path) -> list[Path]:
    """Rewrite what stands between markers in `README.md` of `root`, and the pictures in `.assets`; gives the paths."""
    readme = root / "README.md"
    readme.write_text(rewrite(readme.read_text(encoding="utf-8"), results), encoding="utf-8")
    written = [readme]
    for name, picture in draw_pictures(results).items():
        path = root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(picture, encoding="utf-8")
        written.append(path)
    return written
