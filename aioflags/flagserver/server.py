"""The flag server as a whole: listens, decides between answer and misbehaviour, counts; runs in a loop or a thread."""

from __future__ import annotations

import asyncio
import ssl as tls
import threading
import time
from collections import Counter
from contextlib import suppress
from random import Random
from typing import Any, Self

from aioflags.flagserver.answers import Answer, answer_content, answer_status
from aioflags.flagserver.behaviour import Behaviour, read_behaviour
from aioflags.flagserver.connection import Connection
from aioflags.flagserver.messages import Request, format_date
from aioflags.flagserver.resources import find_resource

__all__ = ["FlagServer", "ServerThread", "new_event_loop"]

_BACKLOG = 1024
_STOP_TIMEOUT = 5.0


class FlagServer:
    """Serves flags and sized bodies over HTTP/1.1, on the running loop, asyncio's or uvloop's.

    Args:
        log: Every request is appended as (method, target, headers); header names are in lower case.

    Attributes:
        requests: How many requests came in that could be understood.
        url: Where to reach it, with a slash at the end.
        port: The port it listens on.
    """

    def __init__(self, log: list[tuple[str, str, dict[str, str]]] | None = None) -> None:
        self.log = log
        self.requests = 0
        self.url = ""
        self.port = 0
        self.connections: set[Connection] = set()
        self._server: asyncio.Server | None = None
        self._failures: Counter[str] = Counter()
        self._date = (0, "")

    async def start(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        delay: float = 0.0,
        jitter: float = 0.0,
        error_rate: float = 0.0,
        seed: int | None = None,
        ssl: tls.SSLContext | None = None,
    ) -> None:
        """Listen and return; requests are served from then on.

        Args:
            host: Address to listen on.
            port: Port to listen on; 0 = a free one.
            delay: Seconds before each answer.
            jitter: Up to so many seconds more, uniformly distributed.
            error_rate: Share of requests, 0 to 1, that get 503 in place of their answer. 503 and not the 418 of the
                lesson this server descends from, because 503 says that it may pass and a retry can be seen at work.
            seed: Makes jitter and errors the same in every run.
            ssl: Serve https with this context.

        Raises:
            OSError: The address is in use or not ours.
        """
        self._delay, self._jitter, self._error_rate = delay, jitter, error_rate
        self._random = Random(seed)  # noqa: S311 - repeatable misfortune is wanted, not secrecy
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Connection(self), host, port, ssl=ssl, backlog=_BACKLOG)
        self.port = self._server.sockets[0].getsockname()[1]
        name = f"[{host}]" if ":" in host else host
        self.url = f"{'https' if ssl else 'http'}://{name}:{self.port}/"

    async def close(self) -> None:
        """Stop listening and drop every client."""
        if self._server is None:
            return
        self._server.close()
        answers = [connection.abort() for connection in list(self.connections)]
        await asyncio.gather(*filter(None, answers), return_exceptions=True)
        await self._server.wait_closed()
        self._server = None

    async def __aenter__(self) -> Self:
        if self._server is None:
            await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def answer(self, request: Request) -> tuple[Answer, Behaviour, float]:
        """Decide what a request gets, how it is sent, and after how many seconds.

        Raises:
            BadRequestError: The query holds a value that cannot be.
        """
        self.requests += 1
        if self.log is not None:
            self.log.append((request.method, request.target, request.headers))
        behaviour = read_behaviour(request.target)
        delay = self._delay + behaviour.delay
        if self._jitter:
            delay += self._random.uniform(0.0, self._jitter)
        if self._error_rate and self._random.random() < self._error_rate:
            return answer_status(503, "this request was unlucky, try again"), behaviour, delay
        return self._answer(request, behaviour), behaviour, delay

    def _answer(self, request: Request, behaviour: Behaviour) -> Answer:
        if request.method not in ("GET", "HEAD"):
            return answer_status(405)
        if behaviour.status and self._is_failing(request.target, behaviour):
            return answer_status(behaviour.status, fields=behaviour.fields)
        resource = find_resource(behaviour.path, behaviour.seed)
        if resource is None:
            return answer_status(404)
        return answer_content(request, resource, ranges=behaviour.ranges)

    def _is_failing(self, target: str, behaviour: Behaviour) -> bool:
        if behaviour.times is None:
            return True
        self._failures[target] += 1
        return self._failures[target] <= behaviour.times

    def date(self) -> str:
        """The current time as an HTTP date."""
        now = int(time.time())
        if now != self._date[0]:
            self._date = (now, format_date(now))
        return self._date[1]


class ServerThread:
    """A `FlagServer` in a thread of its own, on a free loopback port: a context manager, gone when the block ends.

    Args:
        server: The server to run; a new one by default.
        options: Those of `FlagServer.start`.

    Attributes:
        server: The server; read its `requests` and `log` from any thread.
        url: Where to reach it, with a slash at the end.
    """

    def __init__(self, server: FlagServer | None = None, **options: Any) -> None:
        self.server = server or FlagServer()
        self.url = ""
        self._options = options
        self._is_ready = threading.Event()
        self._error: BaseException | None = None
        # A daemon, so that not even a stuck server can keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="aioflags-server", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._is_ready.wait()
        if self._error is not None:
            self._thread.join(_STOP_TIMEOUT)
            raise self._error
        return self

    def __exit__(self, *_: object) -> None:
        # A loop that has ended already is what is wanted.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_STOP_TIMEOUT)

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=new_event_loop) as runner:
                runner.run(self._serve())
        except BaseException as error:
            self._error = error
        finally:
            self._is_ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        await self.server.start(**self._options)
        self.url = self.server.url
        self._is_ready.set()
        try:
            await self._stop.wait()
        finally:
            await self.server.close()


def new_event_loop() -> asyncio.AbstractEventLoop:
    """A uvloop loop where uvloop is installed, else the standard library's."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
