"""How the scripts beside this one are called."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Call", "name_of", "run"]


@dataclass(frozen=True, slots=True)
class Call:
    """What is to be done.

    Args:
        urls: In the order of the list.
        directory: Where the files go; it exists.
        connections: At once, at most.
        certificate: A file with what to trust for https, if it is not the system's.
    """

    urls: list[str]
    directory: Path
    connections: int
    certificate: str | None


def name_of(url: str) -> str:
    """Give the last segment of a URL."""
    return url.rpartition("/")[2]


def run(library: str, work: Callable[[Call], bool]) -> None:
    """Tell the library's version, or do the work, which tells whether all went well.

    Raises:
        SystemExit: Always; with 1 if something failed, or if the library is not there.
    """
    if sys.argv[1:] == ["--version"]:
        try:
            print(importlib.metadata.version(library))
        except importlib.metadata.PackageNotFoundError:
            sys.exit(1)
        sys.exit(0)
    urls, directory, connections, *certificate = sys.argv[1:]
    call = Call(Path(urls).read_text().split(), Path(directory), int(connections), next(iter(certificate), None))
    sys.exit(0 if work(call) else 1)
