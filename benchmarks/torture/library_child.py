"""Downloads a list with a library that has no program of its own; run by the interpreter that has it installed.

`python library_child.py LIBRARY` prints its version, `python library_child.py LIBRARY LIST DIR` downloads and ends
with 1 when the library itself said that something failed. It imports nothing of the project, so that the peers' own
environment is enough.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
from pathlib import Path
from typing import Any

__all__ = ["main"]

_IDLE = 3
_RETRIES = 3


def _with_parfive(urls: list[str], directory: Path) -> bool:
    parfive: Any = importlib.import_module("parfive")
    aiohttp: Any = importlib.import_module("aiohttp")
    config = parfive.SessionConfig(timeouts=aiohttp.ClientTimeout(total=0, sock_connect=_IDLE, sock_read=_IDLE))
    downloader = parfive.Downloader(max_conn=5, max_splits=1, progress=False, config=config)
    for url in urls:
        downloader.enqueue_file(url, path=directory)
    results = downloader.download()
    for _ in range(_RETRIES):
        if results.errors:
            results = downloader.retry(results)
    print(results.errors)
    return not results.errors


def _with_pypdl(urls: list[str], directory: Path) -> bool:
    pypdl: Any = importlib.import_module("pypdl")
    aiohttp: Any = importlib.import_module("aiohttp")
    downloader = pypdl.Pypdl(max_concurrent=5)
    tasks = [{"url": url, "file_path": str(directory / url.rpartition("/")[2].partition("?")[0])} for url in urls]
    timeout = aiohttp.ClientTimeout(sock_connect=_IDLE, sock_read=_IDLE)
    downloader.start(tasks=tasks, retries=_RETRIES, overwrite=False, display=False, timeout=timeout)
    print(downloader.failed)
    return not downloader.failed


def _with_pooch(urls: list[str], directory: Path) -> bool:
    pooch: Any = importlib.import_module("pooch")
    names = {pooch.utils.unique_file_name(url): url for url in urls}
    store = pooch.create(
        directory, base_url="", registry=dict.fromkeys(names), urls=names, retry_if_failed=_RETRIES, allow_updates=True
    )
    is_clean = True
    for name in names:
        try:
            store.fetch(name, downloader=pooch.HTTPDownloader(timeout=_IDLE))
        except Exception as error:  # whatever it raises is its way to say that this one failed
            print(type(error).__name__, error)
            is_clean = False
    return is_clean


_WAYS = {"parfive": _with_parfive, "pypdl": _with_pypdl, "pooch": _with_pooch}


def main(arguments: list[str]) -> int:
    """Tell the version, or download."""
    library, *rest = arguments
    if not rest:
        try:
            print(importlib.metadata.version(library))
        except importlib.metadata.PackageNotFoundError:
            return 1
        return 0
    urls = Path(rest[0]).read_text().split()
    return 0 if _WAYS[library](urls, Path(rest[1])) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
