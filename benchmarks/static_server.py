"""A server of files for machines without nginx: `python -m benchmarks.static_server ROOT PORT HOSTS`.

It is slower than some of the clients it serves, which the ceiling in each table shows.
"""

from __future__ import annotations

import sys
from pathlib import Path

from aiohttp import web

__all__ = ["main"]


def _make_application(root: Path) -> web.Application:
    count = 0

    @web.middleware
    async def counted(request: web.Request, handler: web.Handler) -> web.StreamResponse:  # type: ignore[name-defined]
        nonlocal count
        count += 1
        answer: web.StreamResponse = await handler(request)
        return answer

    async def requests(_: web.Request) -> web.Response:
        return web.Response(text=str(count))

    async def same(_: web.Request) -> web.FileResponse:
        return web.FileResponse(root / "same" / "same")

    application = web.Application(middlewares=[counted])
    application.add_routes([web.get("/requests", requests), web.get("/same/{name}", same), web.static("/", root)])
    return application


def main() -> None:
    """Serve until the end."""
    root, port, hosts = sys.argv[1:]
    addresses = [f"127.0.0.{number}" for number in range(1, int(hosts) + 1)]
    web.run_app(_make_application(Path(root)), host=addresses, port=int(port), print=None)


if __name__ == "__main__":
    main()
