"""What a layer costs, by taking it out: the other way to the profile, which needs no samples."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.corpus import Check, Corpus, check
from benchmarks.results import Series
from benchmarks.rounds import Entrant, run_rounds
from benchmarks.servers import Server
from benchmarks.stripped import KEEPS_FILES, VARIANTS

__all__ = ["BASE", "measure_layers"]

BASE = "the library, whole"
_COMMAND = "aioflags get"


def measure_layers(
    server: Server, corpus: Corpus, connections: int, rounds: int, directory: Path
) -> dict[str, dict[str, Any]]:
    """Run all variants in turn; gives microseconds per file for each, wall clock and processor.

    Args:
        server: At work, and has the files.
        corpus: The files.
        connections: At once.
        rounds: Of each variant, the warm-up not counted.
        directory: Where files go.

    Raises:
        RuntimeError: A variant did not do its job.
    """
    with tempfile.TemporaryDirectory(prefix="benchmarks-lists-") as folder:
        entrants = _entrants(server, corpus, connections, Path(folder))
        series = run_rounds(entrants, rounds, directory, lambda _: None)
    return {each.name: _figures(each, len(corpus.files)) for each in series}


def _entrants(server: Server, corpus: Corpus, connections: int, folder: Path) -> list[Entrant]:
    urls = folder / "urls"
    urls.write_text("".join(f"{server.url}{file.path}\n" for file in corpus.files))
    right = partial(check, corpus.files)
    child = [sys.executable, "-m", "benchmarks.stripped"]

    def strip(variant: str, directory: Path) -> list[str]:
        return [*child, variant, str(urls), str(directory), str(connections)]

    entrants = [
        Entrant(name, "", "", partial(strip, name), right if name in KEEPS_FILES else _expect_nothing)
        for name in VARIANTS
    ]
    entrants.append(Entrant(_COMMAND, "", "", partial(_get, urls, connections, []), right))
    if server.secure is not None and server.certificate is not None:
        secure = folder / "secure"
        secure.write_text("".join(f"{server.secure}{file.path}\n" for file in corpus.files))
        trust = ["--cacert", str(server.certificate)]
        entrants.append(Entrant(f"{_COMMAND}, https", "", "", partial(_get, secure, connections, trust), right))
    return entrants


def _expect_nothing(_: Path) -> Check:
    """What keeps no files tells itself whether it did its job."""
    return Check()


def _get(urls: Path, connections: int, options: Sequence[str], directory: Path) -> list[str]:
    limits = ["-j", str(connections), "--per-host", "0", "--progress", "none"]
    return [sys.executable, "-m", "aioflags", "get", "-i", str(urls), "-d", str(directory), *limits, *options]


def _figures(series: Series, files: int) -> dict[str, Any]:
    if not series.is_clean:
        raise RuntimeError(f"{series.name}: {asdict(series)}")
    scale = 1e6 / files
    return {
        "wall": [each.wall * scale for each in series.rounds],
        "cpu": [each.cpu * scale for each in series.rounds],
    }
