"""niquests in a pool of threads that share one Session, which its documentation says is safe."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import niquests

from benchmarks.peers.call import Call, name_of, run

__all__ = ["download_many"]

_CHUNK = 64 * 1024


def download_many(call: Call) -> bool:
    """Download all; tells whether all went well."""
    # One host, and as many connections to it as there are threads.
    with niquests.Session(pool_connections=1, pool_maxsize=call.connections) as session:

        def download_one(url: str) -> None:
            # The session's own `verify` yields to REQUESTS_CA_BUNDLE in the environment.
            response = session.get(url, stream=True, verify=call.certificate or True)
            response.raise_for_status()
            with open(call.directory / name_of(url), "wb") as file:
                for chunk in response.iter_content(_CHUNK):
                    file.write(chunk)

        with ThreadPoolExecutor(call.connections) as pool:
            for _ in pool.map(download_one, call.urls):
                pass
    return True


if __name__ == "__main__":
    run("niquests", download_many)
