"""One answer on its way: what comes is taken in, deadlines and pace are kept, the connection goes where it belongs.

What has come is `arrival`'s. All happens in the calls that bring the bytes; the attempt is woken when there is
something for it to do.
"""

from __future__ import annotations

import asyncio
import time

from aioflags.engines.arrival import Arrival
from aioflags.engines.bodies import BLOCK, Body, LengthBody
from aioflags.engines.link import Link
from aioflags.engines.pool import Pool, PoolKey
from aioflags.engines.portions import Portions
from aioflags.engines.readiness import Readiness
from aioflags.engines.seam import Attempt, Meter
from aioflags.engines.watchdog import Watchdog
from aioflags.errors import DownloadError, make_error
from aioflags.journal import Half
from aioflags.pace import ByteRate, Pace
from aioflags.records import dataclass
from aioflags.settings import Settings
from aioflags.transfer import Ending

__all__ = ["Gear", "LostError", "Reception"]

#: Bytes of a body that are waited for before it goes to disk bit by bit; less is handed over whole.
_WHOLE = 1 << 20
#: Seconds for the body of an answer that is not wanted.
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


class Reception(Arrival):
    """Takes in the answer to one request: the user of its link, and watched by the watchdog.

    `head` and `verdict` are there after `read`; `ending` tells how the body ended, `None` before all of it was read.

    Args:
        attempt: What is asked for.
        half: The head of the file whose rest is asked for.
        meter: Told what comes and when.
        gear: What all receptions share.
    """

    __slots__ = (
        "_ending", "_error", "_gear", "_hold", "_is_long", "_is_stopped", "_key", "_link", "_pace", "_waiter",
        "_wanted", "due", "ending",
    )  # fmt: skip

    def __init__(self, attempt: Attempt, half: Half | None, meter: Meter, gear: Gear) -> None:
        block = BLOCK if gear.byte_rate is None else _SMALL_BLOCK
        super().__init__(attempt, half, meter, gear.settings, gear.readiness.scratch, block)
        self._gear = gear
        self._link: Link | None = None
        self._key: PoolKey | None = None
        self._pace: Pace | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._hold: asyncio.TimerHandle | None = None
        self._error: Exception | None = None
        self._wanted = _WHOLE
        self._is_long = False
        self._is_stopped = False
        self.due = _NEVER
        self._ending: Ending | None = None
        self.ending: Ending | None = None

    # What the attempt does

    def begin(self, link: Link, request: bytes, key: PoolKey | None) -> None:
        """Send a request over `link`; from now on the server has to answer.

        Args:
            link: Closed when the answer has come, or given to the pool.
            request: The head.
            key: Under which the pool keeps the link; `None` if it must not.
        """
        self.meter.sent = now = time.monotonic()
        self.take_over(link, key, now + self._gear.settings.first_byte_timeout)
        try:
            link.send(request)
        except OSError as error:
            self.ended(error)

    def take_over(self, link: Link, key: PoolKey | None, due: float) -> None:
        """Go on with a request that was sent over `link`: the first byte of its answer is `due`; see `begin`."""
        self._link = link
        self._key = key
        self.due = due
        link.user = self
        self._gear.watchdog.watch(self)

    async def read(self) -> list[bytes | memoryview]:
        """Wait for the head, and for much of the body or its end.

        Returns:
            What is at hand of a body that is wanted, good until the second call after this.

        Raises:
            DownloadError: A deadline has passed, or it is no HTTP, or more than is allowed.
            LostError: The connection has ended before the head.
        """
        if not self._is_ready():
            self._waiter = self._gear.readiness.loop.create_future()
            await self._waiter
        if self._error is not None:
            raise self._error
        if self.body is None or self.is_drained:
            return []
        self.ending = self._ending
        if self.ending is not None:
            return self.body.take_all()
        self._note_long()
        portion = self.body.take()
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
        if type(self.body) is LengthBody and self._gear.byte_rate is None:
            self.body.resize(self._wanted)

    def judge(self) -> None:
        """Hold the whole body against its head and the list.

        Raises:
            DownloadError: It is not whole.
        """
        assert self.ending is not None
        self.judge_end(self.ending)

    def leave(self) -> None:
        """The attempt is over; what is still under way is not wanted."""
        if self._hold is not None:
            self._hold.cancel()
        if self._is_long:
            self._is_long = False
            self._gear.portions.leave()
        self._let_go(is_good=False)
        # The error knows the frames that know this: a circle with the body in it, until the collector comes.
        self._error = self.body = None

    def _is_ready(self) -> bool:
        if self._error is not None:
            return True
        if self._hold is not None:
            return False
        return self._ending is not None or (self.body is not None and self.body.stocked >= self._wanted)

    # What comes from the link

    def received(self, size: int) -> None:
        """See `aioflags.engines.link.LinkUser`."""
        now = time.monotonic()
        is_first = self.head is None
        try:
            size = self.take_in(size, now)
        except DownloadError as error:
            self._give_up(error)
            return
        if is_first:
            self._meet_head(now)
        if self._link is not None and self.body is not None:
            self._go_on(self.body, size, now)

    def ended(self, error: OSError | None) -> None:
        """See `aioflags.engines.link.LinkUser`."""
        if self.head is None:
            lost = LostError()
            lost.__cause__ = error
            self._give_up(lost)
        elif error is not None:
            self._end(Ending.RESET)
        else:
            self._end(self.ending_by_close)

    def check(self, now: float) -> None:
        """See `aioflags.engines.watchdog.Watched`."""
        if self.is_drained:
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

    def _meet_head(self, now: float) -> None:
        """The head may have come; what it says of the body decides how long and how much to wait for."""
        if self.head is None:
            return
        if self.body is None:
            self._end(Ending.CUT)
        elif self.is_drained:
            # The status is known, and a body that comes late or never does not change it.
            self.due = now + _DRAIN_TIME
        elif type(self.body) is LengthBody and (self.meter.total or 0) > _WHOLE:
            self._wanted = BLOCK

    def _go_on(self, body: Body, size: int, now: float) -> None:
        """Act on `size` bytes of the body that have come."""
        if not self.is_drained:
            self._charge(size, now)
        if body.has_ended:
            self._end(Ending.CLEAN)
        elif not self.is_drained:
            self._keep_pace(size, now)
            if self._hold is not None or body.stocked >= self._wanted:
                self._steer(now)
                self._wake()

    def _charge(self, size: int, now: float) -> None:
        """Count bytes against the rate of the job; once it is used up, nothing more is read for a while."""
        # A head costs nothing: who has only that yet would wait off what the whole job owes.
        if size and self._gear.byte_rate is not None:
            delay = self._gear.byte_rate.take(size, now)
            if delay > 0:
                self._hold = self._gear.readiness.loop.call_later(delay, self._release)

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
        link, body = self._link, self.body
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
        self._let_go(is_good=ending is Ending.CLEAN and self.leaves_link_good)
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
