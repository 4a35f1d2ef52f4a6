"""Runs every engine in turn, each time in a fresh process, and holds their files against each other."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from aioflags.compare.runs import Run, Summary, summarise
from aioflags.errors import StorageError
from aioflags.items import Item
from aioflags.records import dataclass

__all__ = ["Comparison", "compare", "serve"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that was measured.

    Args:
        engines: In the order in which they were run.
        items: How many each of them was given.
        bytes: Of the files of a run, the most of all.
        differing: Names of files that are not the same in all runs; some, if there are many.
    """

    engines: tuple[Summary, ...]
    items: int
    bytes: int
    differing: tuple[str, ...]

    @property
    def is_clean(self) -> bool:
        """Every engine delivered every file, and all the same."""
        return not self.differing and not any(summary.failed for summary in self.engines)

    @property
    def baseline(self) -> Summary:
        """What speed is compared with: the sequential engine if it took part, else the slowest."""
        sequential = [summary for summary in self.engines if summary.engine == "sequential"]
        return sequential[0] if sequential else max(self.engines, key=lambda summary: summary.wall)


@contextmanager
def serve() -> Iterator[str]:
    """Run the flag server in a process of its own, so that what it costs is nobody else's; gives its URL.

    Raises:
        RuntimeError: It did not start.
    """
    command = [sys.executable, "-m", "aioflags", "serve", "--port", "0"]
    with subprocess.Popen(  # noqa: S603 - ourselves
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        try:
            url = next((word for word in server.stdout.readline().split() if word.startswith("http://")), None)
            if url is None:
                raise RuntimeError("the flag server did not start")
            yield url
        finally:
            server.terminate()


def compare(
    items: Sequence[Item],
    options: Mapping[str, Mapping[str, Any]],
    *,
    repeat: int,
    tell: Callable[[int, Run], None],
) -> Comparison:
    """Run every engine `repeat` times, in turn: A B C A B C.

    Args:
        items: What each is given.
        options: Engine to its options, see `aioflags.settings.Options`; at least one.
        repeat: At least 1.
        tell: Called after each run with its round, from 1 on.

    Raises:
        StorageError: The temporary folder is full or not writable.
        RuntimeError: A run ended without a result.
    """
    runs: dict[str, list[Run]] = {engine: [] for engine in options}
    files = _Files()
    for number in range(1, repeat + 1):
        for engine in options:
            with tempfile.TemporaryDirectory(prefix="aioflags-compare-") as directory:
                run = _run(engine, directory, items, options[engine])
                files.add(directory)
            runs[engine].append(run)
            tell(number, run)
    return Comparison(
        engines=tuple(summarise(each) for each in runs.values()),
        items=len(items),
        bytes=max(run.bytes for each in runs.values() for run in each),
        differing=files.differing(),
    )


def _run(engine: str, directory: str, items: Sequence[Item], options: Mapping[str, Any]) -> Run:
    wish = {"engine": engine, "directory": directory, "items": [asdict(item) for item in items], "options": options}
    done = subprocess.run(
        [sys.executable, "-m", "aioflags.compare.child"],
        input=json.dumps(wish),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode or not done.stdout:
        raise RuntimeError(f"the run of {engine} ended with {done.returncode}: {done.stderr[-2000:]}")
    row = json.loads(done.stdout)
    if "fault" in row:
        raise StorageError("storage", row["fault"])
    return Run.from_json(row)


class _Files:
    """Digests of the files of all runs."""

    _SHOWN = 20

    def __init__(self) -> None:
        self._digests: dict[str, set[str]] = {}
        self._counts: dict[str, int] = {}
        self._runs = 0

    def add(self, directory: str) -> None:
        """Read all files of one run."""
        self._runs += 1
        for name, digest in _digests_of(directory):
            self._digests.setdefault(name, set()).add(digest)
            self._counts[name] = self._counts.get(name, 0) + 1

    def differing(self) -> tuple[str, ...]:
        """Names of files that differ between runs, or are not there in all."""
        names = (name for name, all_ in self._digests.items() if len(all_) > 1 or self._counts[name] < self._runs)
        return tuple(sorted(names)[: self._SHOWN])


def _digests_of(directory: str) -> Iterator[tuple[str, str]]:
    for folder, _, names in os.walk(directory):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                yield os.path.relpath(path, directory), hashlib.file_digest(file, "sha256").hexdigest()
