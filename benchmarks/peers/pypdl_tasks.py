"""pypdl: one Pypdl with as many tasks at once, one segment each (`multisegment=False`), its display off."""

from __future__ import annotations

import ssl
from typing import Any

import pypdl

from benchmarks.peers.call import Call, name_of, run

__all__ = ["download_many"]


def download_many(call: Call) -> bool:
    """Download all; tells whether all went well."""
    tasks = [{"url": url, "file_path": str(call.directory / name_of(url))} for url in call.urls]
    trust: dict[str, Any] = {"ssl": ssl.create_default_context(cafile=call.certificate)} if call.certificate else {}
    downloader = pypdl.Pypdl(max_concurrent=call.connections)
    downloader.start(tasks=tasks, multisegment=False, display=False, overwrite=False, retries=0, **trust)
    return not downloader.failed


if __name__ == "__main__":
    run("pypdl", download_many)
