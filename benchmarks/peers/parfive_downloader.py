"""parfive: one Downloader with as many connections, files whole (its documentation: splitting is for large files)."""

from __future__ import annotations

import ssl
from typing import Any

import aiohttp
import parfive

from benchmarks.peers.call import Call, run

__all__ = ["download_many"]


def download_many(call: Call) -> bool:
    """Download all; tells whether all went well."""
    context = ssl.create_default_context(cafile=call.certificate)

    def make_session(config: Any) -> aiohttp.ClientSession:
        # Its own connector has aiohttp's limit of 100, which is no less than what is asked for here.
        return aiohttp.ClientSession(headers=config.headers, connector=aiohttp.TCPConnector(ssl=context))

    config = parfive.SessionConfig(aiohttp_session_generator=make_session if call.certificate else None)
    downloader = parfive.Downloader(max_conn=call.connections, max_splits=1, progress=False, config=config)
    for url in call.urls:
        downloader.enqueue_file(url, path=call.directory)
    return not downloader.download().errors


if __name__ == "__main__":
    run("parfive", download_many)
