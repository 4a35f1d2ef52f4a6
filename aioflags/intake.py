"""From a list to the dispatcher: entries are claimed in batches, and what the register says sends each on its way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from functools import partial

from aioflags.chain import JobHeaders
from aioflags.credentials import Credentials
from aioflags.dispatcher import Dispatcher
from aioflags.groups import GroupCommit
from aioflags.items import Item, Outcome, Status
from aioflags.jobs import Job
from aioflags.journal import End
from aioflags.pursuit import Pursuit, outcome_of_claim
from aioflags.recorder import Recorder
from aioflags.records import dataclass
from aioflags.register import Claim
from aioflags.roll import Roll
from aioflags.schedule import Lane
from aioflags.settings import Settings
from aioflags.shards.team import Team
from aioflags.streams import Entry, OutcomeStream, as_entry
from aioflags.trace import Finished, Tracer

__all__ = ["Claims", "Intake", "Ticket"]

Claims = GroupCommit[tuple[Sequence[Entry], Roll | None], Sequence[Claim | Outcome]]


@dataclass(frozen=True, slots=True)
class Ticket:
    """Where entries come from and where their outcomes go.

    Args:
        roll: Of the list; `None` for an item that stands in none.
        lane: Its jobs.
        deliver: Called with outcomes.
        abandon: Called when an entry ends without one.
        fail: Called with an error that is nobody's outcome.
        is_wanted: Somebody still waits.
    """

    roll: Roll | None
    lane: Lane
    deliver: Callable[[Sequence[Outcome]], None]
    abandon: Callable[[], None]
    fail: Callable[[BaseException], None]
    is_wanted: Callable[[], bool]


class Intake:
    """Lets entries in.

    Args:
        claims: Asks the register.
        dispatcher: Makes the attempts.
        recorder: Keeps outcomes, `None` without a ledger.
        settings: Of the job.
        headers: Fields sent with every request.
        credentials: From netrc.
        tracer: Told of outcomes that need no attempt, `None` for nobody.
    """

    def __init__(
        self,
        claims: Claims,
        dispatcher: Dispatcher | Team,
        recorder: Recorder | None,
        settings: Settings,
        headers: Mapping[str, str],
        credentials: Credentials,
        tracer: Tracer | None,
    ) -> None:
        self._claims = claims
        self._dispatcher = dispatcher
        self._recorder = recorder
        self._settings = settings
        self._headers = JobHeaders(headers, settings.headers)
        self._credentials = credentials
        self._tracer = tracer
        self._busy_names: set[str] = set()

    async def read(
        self,
        source: AsyncGenerator[Sequence[str | Entry], None],
        stream: OutcomeStream,
        ticket: Ticket,
        is_over: Callable[[], bool],
    ) -> None:
        """Let the entries of a list in, as long as there is room; `is_over` tells when to read no further.

        Raises:
            Exception: What the list raises, and `UsageError` for what is no entry.
        """
        stock: list[Entry] = []

        def flush() -> None:
            if stock:
                entries = tuple(stock)
                stock.clear()
                stream.begin_claims(len(entries))
                self.submit(entries, ticket).add_done_callback(partial(_end_claims, stream, len(entries)))

        loop = asyncio.get_running_loop()
        room = stream.room
        try:
            async with aclosing(source):
                async for batch in source:
                    taken = 0
                    while taken < len(batch):
                        if not stock:
                            if is_over():
                                return
                            # When this task waits, be it for the list: what has come is not to wait for what comes.
                            loop.call_soon(flush)
                        part = batch[taken : taken + max(1, room)]
                        stock += [item if item.__class__ is Item else as_entry(item) for item in part]
                        taken += len(part)
                        room -= len(part)
                        if room <= 0:
                            flush()
                            await stream.wait_for_room()
                            room = stream.room
        finally:
            flush()

    def submit(self, entries: Sequence[Entry], ticket: Ticket) -> asyncio.Future[Sequence[Claim | Outcome]]:
        """Have entries claimed and sent on their way."""
        claimed = self._claims.submit((entries, ticket.roll))
        claimed.add_done_callback(partial(self._admit, ticket))
        return claimed

    def _admit(self, ticket: Ticket, claimed: asyncio.Future[Sequence[Claim | Outcome]]) -> None:
        if claimed.cancelled():
            ticket.abandon()
            return
        error = claimed.exception()
        if error is not None:
            ticket.fail(error)
            return
        if not ticket.is_wanted():
            return
        try:
            self._send(claimed.result(), ticket)
        except Exception as bug:
            # Of ours or of a tracer: in a callback nobody would hear of it, and the reader would wait for ever.
            ticket.fail(bug)

    def _send(self, claims: Iterable[Claim | Outcome], ticket: Ticket) -> None:
        """Send each to the dispatcher, or straight to its outcome."""
        settled = []
        is_traced = self._tracer is not None
        for claim in claims:
            # A finished job has nothing else.
            outcome = claim if claim.__class__ is Outcome and not is_traced else self._settle(claim)
            if outcome is not None:
                settled.append(outcome)
            elif isinstance(claim, Claim):
                self._dispatcher.add(self._job(claim, ticket))
        if settled:
            ticket.deliver(settled)

    def _settle(self, claim: Claim | Outcome) -> Outcome | None:
        if isinstance(claim, Outcome):
            outcome: Outcome | None = claim
            name = claim.path
        else:
            outcome = outcome_of_claim(claim)
            name = claim.name
            if outcome is None and name in self._busy_names:
                # The same URL by another call; its name is its own, so this is the very same file.
                outcome = Outcome(claim.item.url, Status.DUPLICATE, line=claim.item.line)
        if self._tracer is not None and outcome is not None:
            self._tracer.finished(Finished(outcome.url, name, outcome))
        return outcome

    def _job(self, claim: Claim, ticket: Ticket) -> Job:
        assert claim.name is not None
        assert claim.target is not None
        assert isinstance(claim.item, Item)
        name = claim.name
        self._busy_names.add(name)

        def deliver(outcome: Outcome) -> None:
            self._busy_names.discard(name)
            if self._recorder is not None:
                self._recorder.add(End(claim.row, outcome, claim.is_refresh))
            ticket.deliver((outcome,))

        def abandon() -> None:
            self._busy_names.discard(name)
            ticket.abandon()

        credentials = self._credentials.headers_for(claim.target.host, claim.target.port)
        return Job(
            Pursuit(claim, self._settings, self._headers, credentials),
            ticket.lane,
            deliver,
            abandon,
        )


def _end_claims(stream: OutcomeStream, count: int, claimed: asyncio.Future[Sequence[Claim | Outcome]]) -> None:
    is_done = not claimed.cancelled() and claimed.exception() is None
    stream.end_claims(count, are_settled=is_done and {*map(type, claimed.result())} == {Outcome})
    stream.offer_room()
    stream.finish_if_drained()
