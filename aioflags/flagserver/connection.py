"""One client's connection: requests are answered in their order, one write for a short answer, at the client's pace."""

from __future__ import annotations

import asyncio
from typing import Protocol

from aioflags.flagserver.answers import Answer, answer_status
from aioflags.flagserver.behaviour import Behaviour
from aioflags.flagserver.messages import MAX_HEAD, BadRequestError, Request, read_head, write_head

__all__ = ["Connection", "Host"]

_MAX_PENDING = 4 * MAX_HEAD
_MAX_WHOLE = 64 * 1024
_HIGH_WATER = 256 * 1024
_PACED_CHUNK = 4 * 1024
_BREAK_EVERY = 16


class Host(Protocol):
    """What a connection asks the server that it belongs to."""

    connections: set[Connection]

    def answer(self, request: Request) -> tuple[Answer, Behaviour, float]:
        """The answer, how to send it, and the seconds to wait before."""

    def date(self) -> str:
        """The current time as an HTTP date."""


class Connection(asyncio.Protocol):
    """Reads requests from a transport, asks `host` for answers and writes them."""

    _transport: asyncio.Transport

    def __init__(self, host: Host) -> None:
        self._host = host
        self._pending = b""
        self._task: asyncio.Task[None] | None = None
        self._may_write = asyncio.Event()
        self._may_write.set()
        self._is_ending = False
        self._is_half_closed = False
        self._is_stalled = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # uvloop's is no subclass of asyncio.Transport
        self._transport.set_write_buffer_limits(_HIGH_WATER)
        self._host.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_ending = True
        self._host.connections.discard(self)
        if self._task is not None:
            self._task.cancel()

    def abort(self) -> asyncio.Task[None] | None:
        """Drop the client at once; returns the answer that was under way, cancelled."""
        self._is_ending = True
        self._transport.abort()
        if self._task is not None:
            self._task.cancel()
        return self._task

    def data_received(self, data: bytes) -> None:
        self._pending += data
        self._serve_pending()
        if len(self._pending) > _MAX_PENDING and not self._is_ending:
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        # A client that has said all still gets its answers. TLS cannot be closed by halves.
        self._is_half_closed = self._transport.get_extra_info("sslcontext") is None
        is_idle = self._task is None and self._may_write.is_set()
        return self._is_half_closed and not (is_idle or self._is_stalled)

    def pause_writing(self) -> None:
        self._may_write.clear()

    def resume_writing(self) -> None:
        self._may_write.set()
        self._carry_on()

    def _carry_on(self) -> None:
        """Turn to the requests that came in while none could be answered."""
        if self._is_ending or self._task is not None:
            return
        self._serve_pending()
        if len(self._pending) <= _MAX_PENDING and not self._is_ending:
            self._transport.resume_reading()
        if self._is_half_closed and self._task is None and self._may_write.is_set():
            self._close()

    def _serve_pending(self) -> None:
        position = 0
        while self._task is None and self._may_write.is_set() and not self._is_ending:
            # An empty line before a request is to be ignored: RFC 9112, section 2.2.
            while self._pending.startswith(b"\r\n", position):
                position += 2
            end = self._pending.find(b"\r\n\r\n", position) + 4
            length = (end if end > 3 else len(self._pending)) - position
            if length > MAX_HEAD:
                self._refuse(BadRequestError(431, f"the request head is longer than {MAX_HEAD} bytes"))
            elif end > 3:
                self._serve(self._pending[position:end])
                position = end
            else:
                break
        self._pending = self._pending[position:]

    def _serve(self, head: bytes) -> None:
        try:
            request = read_head(head)
            answer, behaviour, delay = self._host.answer(request)
        except BadRequestError as error:
            self._refuse(error)
            return
        if delay or not behaviour.is_plain or answer.stop - answer.start > _MAX_WHOLE:
            work = self._serve_slowly(request, answer, behaviour, delay)
            self._task = asyncio.get_running_loop().create_task(work)
            return
        self._send_whole(request, answer)

    def _refuse(self, error: BadRequestError) -> None:
        request = Request("GET", "/", {}, is_http_1_1=True, is_keep_alive=False)
        self._send_whole(request, answer_status(error.status, error.message))

    def _send_whole(self, request: Request, answer: Answer) -> None:
        head = self._make_head(request, answer, is_chunked=False)
        if answer.has_body and request.method != "HEAD":
            head += b"".join(answer.resource.read(answer.start, answer.stop))
        self._transport.write(head)
        if not request.is_keep_alive:
            self._close()

    def _make_head(self, request: Request, answer: Answer, *, is_chunked: bool) -> bytes:
        fields = answer.fields
        if is_chunked and request.is_http_1_1:
            fields += "Transfer-Encoding: chunked\r\n"
        elif answer.has_body and not is_chunked:
            fields += f"Content-Length: {answer.stop - answer.start}\r\n"
        if not request.is_keep_alive:
            fields += "Connection: close\r\n"
        elif not request.is_http_1_1:
            fields += "Connection: keep-alive\r\n"
        return write_head(answer.status, fields, self._host.date())

    async def _serve_slowly(self, request: Request, answer: Answer, behaviour: Behaviour, delay: float) -> None:
        if delay:
            await asyncio.sleep(delay)
        is_chunked = behaviour.chunked and answer.has_body
        if is_chunked and not request.is_http_1_1:
            request = request._replace(is_keep_alive=False)
        is_whole = True
        self._transport.write(self._make_head(request, answer, is_chunked=is_chunked))
        if answer.has_body and request.method != "HEAD":
            is_whole = await self._send_body(answer, behaviour, is_chunked and request.is_http_1_1)
        self._task = None
        if not is_whole or not request.is_keep_alive:
            self._close()
        self._carry_on()

    async def _send_body(self, answer: Answer, behaviour: Behaviour, is_chunked: bool) -> bool:
        """Send the body as far as `behaviour` lets it go; tell whether that was the whole."""
        limits = [limit for limit in (behaviour.truncate, behaviour.stall) if limit is not None]
        stop = min([answer.stop, *(answer.start + limit for limit in limits)])
        for count, piece in enumerate(answer.resource.read(answer.start, stop)):
            await self._send_piece(piece, behaviour.rate, is_chunked)
            # A client that always keeps up would otherwise keep the loop to itself.
            if count % _BREAK_EVERY == 0:
                await asyncio.sleep(0)
        is_cut = stop < answer.stop
        if is_cut and stop - answer.start == behaviour.stall and not self._is_half_closed:
            self._is_stalled = True
            await asyncio.get_running_loop().create_future()
        if is_chunked and not is_cut:
            self._transport.write(b"0\r\n\r\n")
        return not is_cut

    async def _send_piece(self, piece: bytes, rate: int | None, is_chunked: bool) -> None:
        step = min(_PACED_CHUNK, rate) if rate else len(piece)
        for start in range(0, len(piece), step):
            part = piece[start : start + step] if rate else piece
            self._transport.write(b"%x\r\n%b\r\n" % (len(part), part) if is_chunked else part)
            await self._may_write.wait()
            if rate:
                await asyncio.sleep(len(part) / rate)

    def _close(self) -> None:
        self._is_ending = True
        self._transport.close()
