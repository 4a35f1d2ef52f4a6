"""What has come of one answer: its head, judged, and its body, counted. No loop, no clock, and no socket."""

from __future__ import annotations

from aioflags.engines.answers import BodyRules
from aioflags.engines.bodies import Body, ChunkedBody, LengthBody, OpenBody
from aioflags.engines.chunks import ChunkError
from aioflags.engines.heads import Head, HeadError, HeadReader
from aioflags.engines.seam import Attempt, Meter
from aioflags.errors import DownloadError, make_error
from aioflags.journal import Half
from aioflags.settings import Settings
from aioflags.transfer import Accept, Ending, Verdict, judge_response

__all__ = ["Arrival"]

#: Bodies of answers that are not wanted are received to keep the connection, up to so many bytes.
_DRAIN = 1 << 16


class Arrival:
    """The answer to one request, as far as it has come.

    `head` and `verdict` are `None` before the head is all there. `body` is `None` before that, and if it is not worth
    receiving; if it `is_drained`, it is received for the connection's sake, and nobody wants it.

    Args:
        attempt: What is asked for.
        half: The head of the file whose rest is asked for.
        meter: Told what comes and when.
        settings: Limits.
        scratch: Memory to receive into as long as nobody knows how much comes.
        block: Bytes of a body of known length that are received at once at most.
    """

    __slots__ = (
        "_attempt", "_block", "_half", "_heads", "_rules", "_scratch", "_settings", "body", "head", "is_drained",
        "meter", "verdict",
    )  # fmt: skip

    def __init__(
        self, attempt: Attempt, half: Half | None, meter: Meter, settings: Settings, scratch: memoryview, block: int
    ) -> None:
        self._attempt = attempt
        self._half = half
        self._settings = settings
        self._scratch = scratch
        self._block = block
        self._heads = HeadReader()
        self._rules: BodyRules | None = None
        self.meter = meter
        self.body: Body | None = None
        self.head: Head | None = None
        self.verdict: Verdict | None = None
        self.is_drained = False

    def room(self) -> memoryview:
        """Give the memory that the next bytes are to be written to; never empty."""
        return self._scratch if self.body is None else self.body.room()

    def take_in(self, size: int, now: float) -> int:
        """Take in so many bytes, which came at the time `now`; gives how many of them are of the body.

        Raises:
            DownloadError: It is no HTTP, or more than is allowed.
        """
        try:
            body = self.body
            size = self._take_in_head(bytes(self._scratch[:size])) if body is None else body.received(size)
        except HeadError as error:
            raise self._broken(f"the answer is not valid HTTP ({error})") from error
        except ChunkError as error:
            raise self._broken("the chunked framing of the body is broken") from error
        if self.body is not None and not self.is_drained:
            self._count(self.body, size, now)
        return size

    def _broken(self, message: str) -> DownloadError:
        return make_error("protocol", message, self._attempt.target.host)

    def _take_in_head(self, data: bytes) -> int:
        found = self._heads.feed(data)
        if found is None:
            return 0
        self.head, rest = found
        verdict = self.verdict = judge_response(
            self.head.status,
            self.head.fields,
            host=self._attempt.target.host,
            expected=self._attempt.expected_bytes,
            max_bytes=self._settings.max_bytes,
            half=self._half,
            is_conditional=self._attempt.is_conditional,
        )
        if isinstance(verdict, Accept):
            self._rules = BodyRules(self._attempt, verdict, self._settings.max_bytes)
            self.meter.received = verdict.start
            self.meter.total = verdict.length
            self.body = self._body_of(self.head, verdict)
        elif (length := _drain_length(self.head)) is not None:
            self.is_drained = True
            self.body = LengthBody(length)
        return self.body.feed(rest) if rest and self.body is not None else 0

    def _body_of(self, head: Head, accept: Accept) -> Body:
        if accept.is_chunked:
            return ChunkedBody(self._scratch)
        if accept.length is None or "content-length" not in head.fields:
            # A rest may say in its range only how long it is, but ends with the connection all the same.
            return OpenBody(self._scratch)
        return LengthBody(accept.length - accept.start, self._block)

    def _count(self, body: Body, size: int, now: float) -> None:
        meter = self.meter
        if meter.first_byte is None and (size or body.has_ended):
            meter.first_byte = now
        if body.has_ended:
            meter.last_byte = now
        meter.received += size
        if type(body) is not LengthBody:
            assert self._rules is not None
            self._rules.check_size(meter.received)

    @property
    def ending_by_close(self) -> Ending:
        """What it means if the connection ends now, without a complaint of the system."""
        return Ending.CLEAN if type(self.body) is OpenBody else Ending.CUT

    @property
    def leaves_link_good(self) -> bool:
        """All of it has come and nothing more, and the server has not said that the connection ends with it."""
        head, body = self.head, self.body
        return head is not None and head.is_persistent and body is not None and body.has_ended and not body.excess

    def judge_end(self, ending: Ending) -> None:
        """Hold the body, which has ended like this, against its head and the list.

        Raises:
            DownloadError: It is not whole.
        """
        assert self._rules is not None
        excess = self.body.excess if isinstance(self.body, LengthBody) else 0
        self._rules.check_end(self.meter.received + excess, ending)


def _drain_length(head: Head) -> int | None:
    """Bytes of a body that nobody wants and that is worth receiving; `None` if the connection is better closed."""
    if not head.is_persistent or "transfer-encoding" in head.fields:
        return None
    # Of these statuses there is no body, whatever the fields say (RFC 9112, section 6.3).
    length = "0" if head.status in {204, 304} else head.fields.get("content-length", "")
    is_small = length.isascii() and length.isdigit() and len(length) <= 6 and int(length) <= _DRAIN
    return int(length) if is_small else None
