"""The aiohttp engine: one attempt by aiohttp, one response body to storage. What HTTP means is asked of `transfer`."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import replace

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from aioflags.engines.answers import (
    BodyRules,
    result_of_bodiless,
    result_of_saved,
    result_of_unsaved,
    wanted_of,
)
from aioflags.engines.body import Body
from aioflags.engines.connector import Connector
from aioflags.engines.exchange import Exchange, trace_exchanges
from aioflags.engines.fetching import fetch_with
from aioflags.engines.resolver import Resolver
from aioflags.engines.seam import Attempt, AttemptResult, Meter
from aioflags.engines.session_resolver import SessionResolver
from aioflags.engines.translate import NETWORK_ERRORS, translate
from aioflags.errors import DownloadError
from aioflags.pace import ByteRate
from aioflags.ranges import range_headers
from aioflags.settings import Settings
from aioflags.storage import Saved, Storage, Stream
from aioflags.transfer import Accept, judge_response
from aioflags.urls import Target

__all__ = ["AiohttpEngine"]

#: Bodies up to here are handed to storage whole, longer ones stream.
_WHOLE = 1 << 20
#: Bytes handed over at a time when a body streams.
_BATCH = 1 << 18
#: Bodies of answers that are not wanted are read to keep the connection, up to here.
_DRAIN = 1 << 16
#: Seconds for that.
_DRAIN_TIME = 1.0
_MAX_FIELD = 1 << 16


class AiohttpEngine:
    """Makes attempts with aiohttp on the running loop.

    Args:
        storage: Where bodies go.
        settings: Deadlines, limits, TLS and proxy.
        ssl_context: See `aioflags.engines.tls`; `None` for the system's certificates.
    """

    capacity: int | None = None

    def __init__(self, storage: Storage, settings: Settings, ssl_context: ssl.SSLContext | None = None) -> None:
        self._storage = storage
        self._settings = settings
        self._ssl: ssl.SSLContext | bool = not settings.insecure if ssl_context is None else ssl_context
        self._resolver = Resolver()
        self._connectors: dict[tuple[bool, bool], Connector] = {}
        self._sessions: dict[tuple[bool, bool], aiohttp.ClientSession] = {}
        self._byte_rate = None if settings.limit_rate is None else ByteRate(settings.limit_rate)
        self._proxy = None if settings.proxy is None else URL(settings.proxy)

    async def fetch(self, attempt: Attempt, meter: Meter) -> AttemptResult:
        """Make one attempt, see `aioflags.engines.seam.Engine`."""
        if meter.on_scheduled is not None:
            meter.scheduled(asyncio.current_task())
        return await fetch_with(self._storage, attempt, meter, self._try)

    async def _try(self, attempt: Attempt, stream: Stream, meter: Meter) -> AttemptResult:
        exchange = Exchange(self._settings, meter)
        try:
            async with exchange:
                result = await self._request(attempt, stream, exchange)
        except TimeoutError:
            if not exchange.is_expired:
                raise
            result = exchange.complaint(attempt.target.host)
        if result.detail == "out of resources":
            for connector in self._connectors.values():
                connector.close_idle()
        # A try that got no connection is a try all the same, unless it was not allowed to.
        return replace(result, requests=max(result.requests, exchange.requests))

    async def close(self) -> None:
        """Close the connections and end the threads."""
        for session in self._sessions.values():
            await session.close()
        await self._resolver.close()

    def _session(self, is_public_only: bool, is_fresh: bool) -> aiohttp.ClientSession:
        """One session and pool for each address policy: a pooled connection must not pass a check it never had.

        An attempt that must not meet a kept connection goes through a session that keeps none.
        """
        kind = (is_public_only, is_fresh)
        session = self._sessions.get(kind)
        if session is None:
            resolver = SessionResolver(self._resolver, is_public_only=is_public_only)
            connector = self._connectors[kind] = Connector(resolver, self._ssl, is_fresh=is_fresh)
            session = aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=None, connect=None, sock_connect=None, sock_read=None),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                requote_redirect_url=False,
                trust_env=False,
                read_bufsize=1 << 16,
                max_line_size=_MAX_FIELD,
                max_field_size=_MAX_FIELD,
                max_headers=1000,
                trace_configs=[trace_exchanges()],
            )
            # A request that aiohttp repeats on its own is one that no retry rule of ours has seen (aiohttp#10790).
            session._retry_connection = False
            self._sessions[kind] = session
        return session

    async def _request(self, attempt: Attempt, stream: Stream, exchange: Exchange) -> AttemptResult:
        host = attempt.target.host
        # The proxy that the user chose may stand in a private network; where it leads is beyond our sight.
        session = self._session(attempt.is_public_only and self._proxy is None, attempt.is_fresh)
        try:
            response = await session.get(
                _wire_url(attempt.target),
                headers={**attempt.headers, **range_headers(stream.head)},
                allow_redirects=False,
                proxy=self._proxy,
                trace_request_ctx=exchange,
            )
        except TimeoutError:
            raise
        except NETWORK_ERRORS as error:
            result = translate(error, host, via_proxy=self._proxy is not None)
            return replace(result, is_stale=_is_stale(result, exchange))
        try:
            return await self._answer(attempt, response, stream, exchange)
        finally:
            _leave(response)

    async def _answer(
        self,
        attempt: Attempt,
        response: aiohttp.ClientResponse,
        stream: Stream,
        exchange: Exchange,
    ) -> AttemptResult:
        verdict = judge_response(
            response.status,
            _joined(response.headers),
            host=attempt.target.host,
            expected=attempt.expected_bytes,
            max_bytes=self._settings.max_bytes,
            half=stream.head,
            is_conditional=attempt.is_conditional,
        )
        if isinstance(verdict, Accept):
            return await self._receive(attempt, verdict, response, stream, exchange)
        await _drain(response)
        is_private = self._resolver.is_private(attempt.target.host)
        return result_of_bodiless(verdict, response.status, response.headers, is_private=is_private)

    async def _receive(
        self,
        attempt: Attempt,
        accept: Accept,
        response: aiohttp.ClientResponse,
        stream: Stream,
        exchange: Exchange,
    ) -> AttemptResult:
        exchange.meter.received = accept.start
        exchange.meter.total = accept.length
        body = Body(BodyRules(attempt, accept, self._settings.max_bytes), response, exchange, self._byte_rate)
        wanted = wanted_of(attempt, accept)
        stream.accept(wanted, accept.start)
        try:
            chunks = await body.read(_WHOLE if not accept.start else _BATCH)
            if body.has_ended and not accept.start:
                body.judge()
                exchange.meter.received_whole()
                saved = await self._storage.save(wanted, chunks)
            else:
                saved = await self._stream(stream, chunks, body)
        except DownloadError as error:
            return result_of_unsaved(error, attempt, response.status, accept.start)
        return result_of_saved(saved, accept, response.status)

    async def _stream(self, stream: Stream, chunks: list[bytes], body: Body) -> Saved:
        await stream.write(chunks)
        while not body.has_ended:
            await stream.write(await body.read(_BATCH))
        body.judge()
        return await stream.finish()


async def _drain(response: aiohttp.ClientResponse) -> None:
    """Read a small body that nobody wants, so that the connection can be used again."""
    if (response.content_length or _DRAIN + 1) > _DRAIN:
        return
    try:
        # The status is known, and a body that comes late or never does not change it.
        async with asyncio.timeout(_DRAIN_TIME):
            await response.content.read()
    except NETWORK_ERRORS:
        return


def _wire_url(target: Target) -> URL:
    """The URL as it is to be sent: query and all in the path, for yarl drops a question mark with nothing behind it."""
    root = f"{target.scheme}://{target.netloc}"
    return URL.build(scheme=target.scheme, authority=target.netloc, path=target.url[len(root) :], encoded=True)


def _joined(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Give one value for each name, as the other engines see it; look-up took the first of several.

    Source: RFC 9110, section 5.3.
    """
    joined: CIMultiDict[str] = CIMultiDict()
    for name, value in headers.items():
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined


def _leave(response: aiohttp.ClientResponse) -> None:
    """Let go of a response; of one that is not read to its end the connection is aborted.

    Under uvloop and TLS a closed response goes on downloading (uvloop#471).
    """
    connection = response.connection
    if connection is not None and not response.content.is_eof():
        transport = connection.transport
        if transport is not None:
            transport.abort()
        response.close()
    else:
        response.release()


def _is_stale(result: AttemptResult, exchange: Exchange) -> bool:
    return exchange.is_reused and result.error is not None and result.error.kind == "disconnected"
