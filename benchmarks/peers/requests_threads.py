"""requests in a pool of threads, each with a Session of its own: it keeps connections, and is not for several threads.

Bodies are streamed to the file, as its documentation has it for downloads.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import requests

from benchmarks.peers.call import Call, name_of, run

__all__ = ["download_many"]

_CHUNK = 64 * 1024


def download_many(call: Call) -> bool:
    """Download all; tells whether all went well."""
    mine = threading.local()

    def download_one(url: str) -> None:
        if not hasattr(mine, "session"):
            mine.session = requests.Session()
        # The session's own `verify` yields to REQUESTS_CA_BUNDLE in the environment.
        with mine.session.get(url, stream=True, verify=call.certificate or True) as response:
            response.raise_for_status()
            with open(call.directory / name_of(url), "wb") as file:
                for chunk in response.iter_content(_CHUNK):
                    file.write(chunk)

    with ThreadPoolExecutor(call.connections) as pool:
        for _ in pool.map(download_one, call.urls):
            pass
    return True


if __name__ == "__main__":
    run("requests", download_many)
