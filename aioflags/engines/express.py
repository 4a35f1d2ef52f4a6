"""A request over a kept connection whose answer comes whole and at once: what most requests of a big job are.

It only ever succeeds. Whatever is no plain success is handed over to a `Reception`, with all that has come, so there is
one place that knows what else an answer may be, and two that know what a good one is.
"""

from __future__ import annotations

import asyncio
import time

from aioflags.engines.answers import wanted_of
from aioflags.engines.heads import read_at_once
from aioflags.engines.link import Link
from aioflags.engines.pool import PoolKey
from aioflags.engines.reception import Gear, Reception
from aioflags.engines.seam import Attempt, Meter
from aioflags.storage import Saved, Storage
from aioflags.transfer import Accept, judge_response

__all__ = ["Express", "is_plain"]


def is_plain(attempt: Attempt) -> bool:
    """Tell whether nothing about an attempt asks for more than a request and its answer."""
    return attempt.half is None and not (attempt.is_fresh or attempt.is_public_only)


class Express:
    """The user of a link until its answer has come, and watched by the watchdog.

    `end` is done when the file has appeared, and fails with a `DownloadError` if it could not; what it gives is a
    `Reception` if the attempt has to go on with that. `accept` is the verdict on the answer that has brought the file.

    Args:
        attempt: What is asked for, `is_plain`.
        meter: Told what comes and when.
        gear: What all receptions share, without a rate to keep.
        storage: Where the body goes.
    """

    __slots__ = ("_attempt", "_gear", "_key", "_link", "_meter", "_reception", "_storage", "accept", "due", "end")

    def __init__(self, attempt: Attempt, meter: Meter, gear: Gear, storage: Storage) -> None:
        self._attempt = attempt
        self._meter = meter
        self._gear = gear
        self._storage = storage
        self._link: Link | None = None
        self._key: PoolKey | None = None
        self.due = 0.0
        self.accept: Accept | None = None
        self._reception: Reception | None = None
        self.end: asyncio.Future[Saved | Reception] = gear.readiness.loop.create_future()

    def begin(self, link: Link, request: bytes, key: PoolKey) -> None:
        """Send a request over `link`, which comes from the pool and goes back under `key`."""
        self._link = link
        self._key = key
        link.user = self
        self._meter.connected = self._meter.sent = now = time.monotonic()
        self.due = now + self._gear.settings.first_byte_timeout
        self._gear.watchdog.watch(self)
        try:
            link.send(request)
        except OSError as error:
            self.ended(error)

    async def abandon(self) -> None:
        """Nobody waits for the file any more; returns when nothing is at work for it."""
        if self._reception is not None:
            self._reception.leave()
        elif self._link is not None:
            self._gear.watchdog.leave(self)
            self._link.close()
        else:
            await self._storage.withdraw(self.end)

    # What comes from the link

    def room(self) -> memoryview:
        """See `aioflags.engines.link.LinkUser`."""
        return self._gear.readiness.scratch

    def received(self, size: int) -> None:
        """See `aioflags.engines.link.LinkUser`."""
        if self.end.done():
            # Cancelled just now.
            return
        body = self._whole_body(bytes(self._gear.readiness.scratch[:size]))
        if body is None:
            self._hand_over().received(size)
        else:
            self._save(body)

    def ended(self, error: OSError | None) -> None:
        """See `aioflags.engines.link.LinkUser`."""
        if not self.end.done():
            self._hand_over().ended(error)

    def check(self, now: float) -> None:
        """See `aioflags.engines.watchdog.Watched`."""
        if not self.end.done():
            self._hand_over().check(now)

    def _whole_body(self, data: bytes) -> bytes | None:
        """Give the body of a plain success that leaves its connection good; `None` for anything else."""
        found = read_at_once(data)
        if found is None:
            return None
        head, body = found
        if head.status != 200 or not head.is_persistent:
            return None
        attempt, settings = self._attempt, self._gear.settings
        verdict = judge_response(
            200,
            head.fields,
            host=attempt.target.host,
            expected=attempt.expected_bytes,
            max_bytes=settings.max_bytes,
            is_conditional=attempt.is_conditional,
        )
        # That of chunked framing is none: its end is not known here. The length itself has been judged with the head.
        if not isinstance(verdict, Accept) or verdict.length != len(body):
            return None
        self.accept = verdict
        return body

    def _save(self, body: bytes) -> None:
        link, key, meter, accept = self._link, self._key, self._meter, self.accept
        assert link is not None
        assert key is not None
        assert accept is not None
        self._link = None
        self._gear.watchdog.leave(self)
        self._gear.pool.put(key, link)
        meter.received = meter.total = len(body)
        meter.first_byte = meter.last_byte = time.monotonic()
        self._storage.submit(wanted_of(self._attempt, accept), [body], self.end)
        meter.received_whole()

    def _hand_over(self) -> Reception:
        link, key = self._link, self._key
        assert link is not None
        self._link = None
        self._gear.watchdog.leave(self)
        reception = self._reception = Reception(self._attempt, None, self._meter, self._gear)
        reception.take_over(link, key, self.due)
        self.end.set_result(reception)
        return reception
