"""httpx: one AsyncClient for all, its pool as large as the number of workers, bodies streamed to the file."""

from __future__ import annotations

import asyncio
import ssl

import httpx

from benchmarks.peers.call import Call, name_of, run

__all__ = ["download_many"]


def download_many(call: Call) -> bool:
    """Download all; tells whether all went well."""
    asyncio.run(_download_many(call))
    return True


async def _download_many(call: Call) -> None:
    limits = httpx.Limits(max_connections=call.connections, max_keepalive_connections=call.connections)
    verify = ssl.create_default_context(cafile=call.certificate)
    waiting = iter(call.urls)
    async with httpx.AsyncClient(limits=limits, verify=verify) as client:

        async def work() -> None:
            for url in waiting:
                async with client.stream("GET", url) as response:
                    response.raise_for_status()
                    with open(call.directory / name_of(url), "wb") as file:  # noqa: ASYNC230 - as people write it, and quickest here
                        async for chunk in response.aiter_bytes():
                            file.write(chunk)

        async with asyncio.TaskGroup() as group:
            for _ in range(call.connections):
                group.create_task(work())


if __name__ == "__main__":
    run("httpx", download_many)
