"""One answer, taken in as it comes: its head is judged, its body stocked, its deadlines kept.

All happens in the calls that bring the bytes; the attempt is woken when there is something for it to do.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from aioflags.engines.answers import BodyRules
from aioflags.engines.bodies import BLOCK, Body, ChunkedBody, LengthBody, OpenBody
from aioflags.engines.chunks import ChunkError
from aioflags.engines.heads import Head, HeadError, HeadReader
from aioflags.engines.link import Link
from aioflags.engines.pool import Pool, PoolKey
from aioflags.engines.portions import Portions
from aioflags.engines.readiness import Readiness
from aioflags.engines.seam import Attempt, Meter
from aioflags.engines.watchdog import Watchdog
from aioflags.errors import DownloadError, make_error
from aioflags.journal import Half
from aioflags.pace import ByteRate, Pace
from aioflags.settings import Settings
from aioflags.transfer import Accept, Ending, Verdict, judge_response

__all__ = ["Gear", "LostError", "Reception"]

#: Bytes of a body that are waited for before it goes to disk bit by bit; less is handed over whole.
_WHOLE = 1 << 20
#: Bodies of answers that are not wanted are received to keep the connection, up to so many bytes.
_DRAIN = 1 << 16
#: Seconds for that.
_DRAIN_TIME = 1.0
#: Bytes that are received at once at most while a rate is to be kept.
_SMALL_BLOCK = 1 << 16
_NEVER = float("inf")


class LostError(Exception):
    """The connection has ended before the answer; what the system says of it is the cause, if anything."""


@dataclass(frozen=True, slots=True)
class Gear:
    """What all receptions of an engine share.

    Args:
        settings: Deadlines and limits.
        readiness: Memory to receive into.
        watchdog: Looks after deadlines.
        pool: Where connections go back to.
        portions: Says how much of a long body to take at a time.
        byte_rate: The job's limit, `None` without.
    """

    settings: Settings
    readiness: Readiness
    watchdog: Watchdog
    pool: Pool
    portions: Portions
    byte_rate: ByteRate | None


class Reception:
    """Takes in the answer to one request: the user of its link, and watched by the watchdog.

    `head` and `verdict` are there after `read`; `ending` tells how the body ended, `None` before all of it was read.

    Args:
        attempt: What is asked for.
        half: The head of the file whose rest is asked for.
        meter: Told what comes and when.
        gear: What all receptions share.
    """

    __slots__ = (
        "_attempt", "_body", "_ending", "_error", "_gear", "_half", "_heads", "_hold", "_is_drained", "_is_long",
        "_is_stopped", "_key", "_link", "_pace", "_rules", "_waiter", "_wanted", "due", "ending", "head", "meter",
        "verdict",
    )  # fmt: skip

    def __init__(self, attempt: Attempt, half: Half | None, meter: Meter, gear: Gear) -> None:
        self._attempt = attempt
        self._half = half
        self.meter = meter
        self._gear = gear
        self._heads = HeadReader()
        self._link: Link | None = None
        self._key: PoolKey | None = None
        self._body: Body | None = None
        self._rules: BodyRules | None = None
        self._pace: Pace | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._hold: asyncio.TimerHandle | None = None
        self._error: Exception | None = None
        self._wanted = _WHOLE
        self._is_drained = False
        self._is_long = False
        self._is_stopped = False
        self.due = _NEVER
        self.head: Head | None = None
        self.verdict: Verdict | None = None
        self._ending: Ending | None = None
        self.ending: Ending | None = None

    # What the attempt does

    def begin(self, link: Link, request: bytes, key: PoolKey | None) -> None:
        """Send a request over `link`; from now on the server has to answer.

        Args:
            link: Closed when the answer has come, or given to the pool.
            request: The head.
            key: Under which the pool keeps the link; `None` if it must not.

        Raises:
            LostError: The connection has ended.
        """
        self._link = link
        self._key = key
        link.user = self
        self.meter.sent = now = time.monotonic()
        self.due = now + self._gear.settings.first_byte_timeout
        self._gear.watchdog.watch(self)
        try:
            link.send(request)
        except OSError as error:
            raise LostError from error

    async def read(self) -> list[bytes | memoryview]:
        """Wait for the head, and for much of the body or its end.

        Returns:
            What is at hand of a body that is wanted, good until the second call after this.

        Raises:
            DownloadError: A deadline has passed, or it is no HTTP, or more than is allowed.
            LostError: The connection has ended before the head.
        """
        if not self._is_ready():
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        if self._error is not None:
            raise self._error
        if self._body is None or self._is_drained:
            return []
        self.ending = self._ending
        if self.ending is not None:
            return self._body.take_all()
        self._note_long()
        portion = self._body.take()
        if self._is_stopped and self._hold is None:
            self._steer(time.monotonic())
        return portion

    def _note_long(self) -> None:
        """The body goes to disk bit by bit; how much at a time depends on how many others do."""
        portions = self._gear.portions
        if not self._is_long:
            self._is_long = True
            portions.enter()
        self._wanted = portions.size

    def judge(self) -> None:
        """Hold the whole body against its head and the list.

        Raises:
            DownloadError: It is not whole.
        """
        assert self._rules is not None
        assert self._body is not None
        assert self.ending is not None
        has_length = isinstance(self._body, LengthBody)
        self._rules.check_end(self.meter.received + (self._body.excess if has_length else 0), self.ending)

    def leave(self) -> None:
        """The attempt is over; what is still under way is not wanted."""
        if self._hold is not None:
            self._hold.cancel()
        if self._is_long:
            self._is_long = False
            self._gear.portions.leave()
        self._let_go(is_good=False)

    def _is_ready(self) -> bool:
        if self._error is not None:
            return True
        if self._hold is not None:
            return False
        return self._ending is not None or (self._body is not None and self._body.stocked >= self._wanted)

    # What comes from the link

    def room(self) -> memoryview:
        """See `aioflags.engines.link.LinkUser`."""
        return self._gear.readiness.scratch if self._body is None else self._body.room()

    def received(self, size: int) -> None:
        """See `aioflags.engines.link.LinkUser`."""
        now = time.monotonic()
        try:
            if self._body is None:
                self._take_head(bytes(self._gear.readiness.scratch[:size]), now)
            else:
                self._take_body(self._body.received(size), now)
        except HeadError as error:
            self._fail("protocol", f"the answer is not valid HTTP ({error})")
        except ChunkError:
            self._fail("protocol", "the chunked framing of the body is broken")
        except DownloadError as error:
            self._give_up(error)

    def ended(self, error: OSError | None) -> None:
        """See `aioflags.engines.link.LinkUser`."""
        if self.head is None:
            lost = LostError()
            lost.__cause__ = error
            self._give_up(lost)
        elif error is not None:
            self._end(Ending.RESET)
        else:
            self._end(Ending.CLEAN if type(self._body) is OpenBody else Ending.CUT)

    def check(self, now: float) -> None:
        """See `aioflags.engines.watchdog.Watched`."""
        if self._is_drained:
            self._end(Ending.CUT)
        elif self._pace is None:
            limit = self._gear.settings.first_byte_timeout
            self._fail("timeout", f"no answer within --first-byte-timeout {limit:g} s")
        else:
            complaint = self._pace.complaint(now)
            self.due = self._pace.check_at(now)
            if complaint is not None:
                self._fail("stalled", f"stalled after {self.meter.received} bytes: {complaint}")

    # What follows from it

    def _take_head(self, data: bytes, now: float) -> None:
        found = self._heads.feed(data)
        if found is None:
            return
        self.head, rest = found
        settings = self._gear.settings
        self.verdict = judge_response(
            self.head.status,
            self.head.fields,
            host=self._attempt.target.host,
            expected=self._attempt.expected_bytes,
            max_bytes=settings.max_bytes,
            half=self._half,
            is_conditional=self._attempt.is_conditional,
        )
        if isinstance(self.verdict, Accept):
            self._rules = BodyRules(self._attempt, self.verdict, settings.max_bytes)
            self.meter.received = self.verdict.start
            self.meter.total = self.verdict.length
            self._body = self._body_of(self.head, self.verdict)
        else:
            length = _drain_length(self.head)
            if length is None:
                self._end(Ending.CUT)
                return
            self._is_drained = True
            self._body = LengthBody(length)
            # The status is known, and a body that comes late or never does not change it.
            self.due = now + _DRAIN_TIME
        if rest or self._body.has_ended:
            self._take_body(self._body.feed(rest), now)

    def _body_of(self, head: Head, accept: Accept) -> Body:
        scratch = self._gear.readiness.scratch
        if accept.is_chunked:
            return ChunkedBody(scratch)
        if accept.length is None or "content-length" not in head.fields:
            # A rest may say in its range only how long it is, but ends with the connection all the same.
            return OpenBody(scratch)
        if accept.length > _WHOLE:
            self._wanted = BLOCK
        return LengthBody(accept.length - accept.start, BLOCK if self._gear.byte_rate is None else _SMALL_BLOCK)

    def _take_body(self, size: int, now: float) -> None:
        """Take note of `size` bytes of the body.

        Raises:
            RefusedError, ChecksumError: They are too many.
        """
        body = self._body
        assert body is not None
        if not self._is_drained:
            self._count(size, now)
        if body.has_ended:
            self._end(Ending.CLEAN)
        elif not self._is_drained:
            self._keep_pace(size, now)
            if self._hold is not None or body.stocked >= self._wanted:
                self._steer(now)
                self._wake()

    def _count(self, size: int, now: float) -> None:
        meter = self.meter
        assert self._body is not None
        assert self._rules is not None
        if meter.first_byte is None and (size or self._body.has_ended):
            meter.first_byte = now
        if self._body.has_ended:
            meter.last_byte = now
        meter.received += size
        if type(self._body) is not LengthBody:
            self._rules.check_size(meter.received)
        if self._gear.byte_rate is not None:
            delay = self._gear.byte_rate.take(size, now)
            if delay > 0:
                self._hold = asyncio.get_running_loop().call_later(delay, self._release)

    def _keep_pace(self, size: int, now: float) -> None:
        """From the first byte of the body on, the pace decides what is too late."""
        if self._pace is None:
            if not size:
                return
            settings = self._gear.settings
            self._pace = Pace(settings.idle_timeout, settings.min_speed)
            self._pace.wait(now)
            self.due = self._pace.check_at(now)
        self._pace.receive(size, now)
        self._pace.wait(now)

    def _release(self) -> None:
        self._hold = None
        self._steer(time.monotonic())
        self._wake()

    def _steer(self, now: float) -> None:
        """Receive on; or let the server wait, while enough is at hand or the rate is used up."""
        link, body = self._link, self._body
        if link is None or body is None:
            return
        # The next portion comes while the disk has this one.
        self._is_stopped = self._hold is not None or body.stocked >= 2 * self._wanted
        if self._is_stopped:
            if self._pace is not None:
                self._pace.receive(0, now)
            link.pause()
        else:
            if self._pace is not None:
                self._pace.wait(now)
            link.resume()

    # How it ends

    def _end(self, ending: Ending) -> None:
        self._ending = ending
        head, body = self.head, self._body
        is_whole = ending is Ending.CLEAN and body is not None and body.has_ended and not body.excess
        self._let_go(is_good=is_whole and head is not None and head.is_persistent)
        self._wake()

    def _fail(self, kind: str, message: str) -> None:
        self._give_up(make_error(kind, message, self._attempt.target.host))

    def _give_up(self, error: Exception) -> None:
        self._error = error
        self._let_go(is_good=False)
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done() and self._is_ready():
            self._waiter.set_result(None)

    def _let_go(self, *, is_good: bool) -> None:
        link, self._link = self._link, None
        if link is None:
            return
        self._gear.watchdog.leave(self)
        if is_good and self._key is not None and link.is_open:
            self._gear.pool.put(self._key, link)
        else:
            link.close()


def _drain_length(head: Head) -> int | None:
    """Bytes of a body that nobody wants and that is worth receiving; `None` if the connection is better closed."""
    if not head.is_persistent or "transfer-encoding" in head.fields:
        return None
    # Of these statuses there is no body, whatever the fields say (RFC 9112, section 6.3).
    length = "0" if head.status in {204, 304} else head.fields.get("content-length", "")
    is_small = length.isascii() and length.isdigit() and len(length) <= 6 and int(length) <= _DRAIN
    return int(length) if is_small else None
