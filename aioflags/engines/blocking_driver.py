"""One attempt in a thread that may block: urllib3's connections, our deadlines, the same `transfer` as asyncio's."""

from __future__ import annotations

import ssl
from contextlib import ExitStack, suppress
from dataclasses import replace

from urllib3.response import BaseHTTPResponse

from aioflags.disk_errors import translate_os_error
from aioflags.drafts import Draft
from aioflags.engines.answers import (
    BodyRules,
    has_private_host,
    judge_rest,
    keeps_half,
    result_of_bodiless,
    result_of_saved,
    result_of_unsaved,
    wanted_of,
)
from aioflags.engines.blocking_body import BlockingBody, SharedByteRate
from aioflags.engines.blocking_connection import Connection, Connections
from aioflags.engines.blocking_names import BlockingNames
from aioflags.engines.faults import private_address_error
from aioflags.engines.guard import ExpiredError, Guard
from aioflags.engines.seam import Attempt, AttemptResult
from aioflags.engines.translate_blocking import BLOCKING_ERRORS, translate_blocking
from aioflags.errors import DownloadError, StorageError
from aioflags.journal import Half
from aioflags.ranges import going_on_from, range_headers
from aioflags.settings import Settings
from aioflags.transfer import Accept, judge_response
from aioflags.writer import Saved, Whole, Writer

__all__ = ["BlockingDriver"]

#: Bodies up to here are written at once, longer ones as they come.
_WHOLE = 1 << 20
_CHUNK = 1 << 16
#: Bodies of answers that are not wanted are read to keep the connection, up to here.
_DRAIN = 1 << 16
#: Seconds for that.
_DRAIN_TIME = 1.0


class BlockingDriver:
    """Makes attempts in one thread; its connections are its own.

    Args:
        writer: Where bodies go.
        settings: Deadlines, limits, proxy.
        ssl_context: For https.
        names: Knows addresses.
        byte_rate: The job's limit, `None` without.
    """

    def __init__(
        self,
        writer: Writer,
        settings: Settings,
        ssl_context: ssl.SSLContext,
        names: BlockingNames,
        byte_rate: SharedByteRate | None = None,
    ) -> None:
        self._writer = writer
        self._settings = settings
        self._connections = Connections(settings, ssl_context, names)
        self._byte_rate = byte_rate

    def fetch(self, attempt: Attempt, guard: Guard) -> AttemptResult:
        """Make one attempt.

        Raises:
            AbandonedError: Nobody wants the file any more; nothing is left of it.
        """
        host = attempt.target.host
        if attempt.is_public_only and has_private_host(attempt):
            return AttemptResult(error=private_address_error(host), requests=0)
        draft = Draft(self._writer, attempt.row, attempt.half)
        result: AttemptResult | None = None
        try:
            result = judge_rest(self._try(attempt, draft, guard), has_asked=draft.head is not None)
        finally:
            half = draft.settle(keeps=keeps_half(attempt, result, has_begun=draft.has_begun))
        return result if half is None else replace(result, half=half)

    def _try(self, attempt: Attempt, draft: Draft, guard: Guard) -> AttemptResult:
        half = going_on_from(attempt.half, attempt.target)
        try:
            if half is not None:
                draft.open_head(wanted_of(attempt), half, guard.check_wanted)
        except StorageError as error:
            return replace(result_of_unsaved(error, attempt, None), requests=0)
        try:
            connection, is_reused = self._connections.take(attempt)
        except BLOCKING_ERRORS as error:
            result = translate_blocking(
                error, attempt.target.host, via_proxy=self._connections.via_proxy, is_connecting=True
            )
            if result.detail == "out of resources":
                self._connections.close()
            return result
        result = self._use(connection, attempt, draft, guard, is_reused)
        return replace(result, requests=max(1, guard.requests))

    def close(self) -> None:
        """Close the connections."""
        self._connections.close()

    def _use(
        self, connection: Connection, attempt: Attempt, draft: Draft, guard: Guard, is_reused: bool
    ) -> AttemptResult:
        with ExitStack() as stack:
            # Closed unless it turns out that it can be used again.
            stack.callback(connection.close)
            try:
                response = self._ask(connection, attempt, draft.head, guard)
                stack.callback(response.close)
                result = self._answer(connection, attempt, response, draft, guard)
            except ExpiredError as error:
                return AttemptResult(error=error.error)
            except BLOCKING_ERRORS as error:
                result = translate_blocking(error, attempt.target.host, via_proxy=self._connections.via_proxy)
                is_stale = is_reused and result.error is not None and result.error.kind == "disconnected"
                return replace(result, is_stale=is_stale)
            if _is_read(response):
                stack.pop_all()
                self._connections.give_back(attempt, connection)
            return result

    def _ask(self, connection: Connection, attempt: Attempt, head: Half | None, guard: Guard) -> BaseHTTPResponse:
        guard.connected()
        connection.sock.guard = guard  # type: ignore[union-attr]
        proxy_headers = self._connections.proxy_headers(attempt.target)
        headers = {"Host": attempt.target.netloc, **proxy_headers, **attempt.headers, **range_headers(head)}
        # http.client makes Latin-1 of them; they are to go as UTF-8, as in every engine.
        connection.request(
            "GET",
            self._connections.request_line_target(attempt.target),
            headers={name: value.encode().decode("latin-1") for name, value in headers.items()},
            preload_content=False,
            decode_content=False,
        )
        guard.sent()
        return connection.getresponse()

    def _answer(
        self, connection: Connection, attempt: Attempt, response: BaseHTTPResponse, draft: Draft, guard: Guard
    ) -> AttemptResult:
        verdict = judge_response(
            response.status,
            response.headers,
            host=attempt.target.host,
            expected=attempt.expected_bytes,
            max_bytes=self._settings.max_bytes,
            half=draft.head,
            is_conditional=attempt.is_conditional,
        )
        if isinstance(verdict, Accept):
            return self._receive(attempt, verdict, response, draft, guard)
        _drain(response, guard)
        # Behind a proxy the peer is the proxy, which says nothing about the server.
        is_private = connection.is_private and not self._connections.via_proxy
        return result_of_bodiless(verdict, response.status, response.headers, is_private=is_private)

    def _receive(
        self, attempt: Attempt, accept: Accept, response: BaseHTTPResponse, draft: Draft, guard: Guard
    ) -> AttemptResult:
        guard.meter.received = accept.start
        guard.meter.total = accept.length
        body = BlockingBody(BodyRules(attempt, accept, self._settings.max_bytes), response, guard, self._byte_rate)
        wanted = wanted_of(attempt, accept)
        draft.accept(wanted, accept.start)
        try:
            chunks = body.read(_CHUNK if accept.start else _WHOLE)
            if body.has_ended and not accept.start:
                body.judge()
                guard.check_wanted()
                saved = self._writer.write(Whole(wanted, chunks))
            else:
                saved = self._stream(body, chunks, draft, guard)
        except DownloadError as error:
            return result_of_unsaved(error, attempt, response.status, accept.start)
        return result_of_saved(saved, accept, response.status)

    def _stream(self, body: BlockingBody, chunks: list[bytes], draft: Draft, guard: Guard) -> Saved:
        part = draft.begin()
        while chunks:
            try:
                part.writelines(chunks)
            except OSError as error:
                raise translate_os_error(error, "write") from error
            chunks = [] if body.has_ended else body.read(_CHUNK)
        body.judge()
        guard.check_wanted()
        return draft.commit()


def _drain(response: BaseHTTPResponse, guard: Guard) -> None:
    """Read a small body that nobody wants, so that the connection can be used again."""
    announced = response.headers.get("Content-Length", "")
    if announced.isdigit() and int(announced) <= _DRAIN:
        # The status is known, and a body that comes late or never does not change it.
        guard.hurry(_DRAIN_TIME)
        with suppress(ExpiredError, *BLOCKING_ERRORS):
            response.read(decode_content=False)


def _is_read(response: BaseHTTPResponse) -> bool:
    """Nothing of the answer is left on the connection; urllib3 tells only whether it was closed."""
    return bool(response._original_response.is_read)  # type: ignore[attr-defined]
