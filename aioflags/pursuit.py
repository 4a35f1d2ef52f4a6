"""What comes after an attempt: saved, once more, over there, or failed. All policy of one item; no I/O, no clock.

The downloader asks for the next attempt, makes it through an engine, and tells the result.
"""

from __future__ import annotations

from collections.abc import Mapping

from aioflags.chain import Chain, JobHeaders
from aioflags.engines.seam import Attempt, AttemptResult
from aioflags.errors import DownloadError, make_error
from aioflags.items import Item, Outcome, Status
from aioflags.lessons import pause_of
from aioflags.records import dataclass
from aioflags.register import Claim
from aioflags.retry import (
    MISSING_STATUSES,
    UNKNOWN_HOST_REST,
    backoff,
    retries_allowed,
)
from aioflags.settings import Settings

__all__ = ["Again", "Pursuit", "outcome_of_claim"]

# A kept connection that the server closed is asked again for free, but not for ever.
_FREE_TRIES = 3
# Sockets and open files come back when other attempts end.
_RESOURCE_TRIES = 20


@dataclass(frozen=True, slots=True)
class Again:
    """The item is to be tried again.

    Args:
        delay: Seconds to wait first; 0 for as soon as its host may be asked.
    """

    delay: float = 0.0


class Pursuit:
    """The attempts at one item.

    Args:
        claim: An item with a target and a name.
        settings: The user's limits.
        headers: Fields of the job's requests.
        credentials: `Authorization` for the item's own origin, where netrc knows one.
    """

    __slots__ = (
        "_attempts",
        "_chain",
        "_claim",
        "_failures",
        "_free_tries",
        "_half",
        "_headers",
        "_http_status",
        "_is_fresh",
        "_is_private",
        "_is_whole_only",
        "_item",
        "_secrets",
        "_settings",
    )

    def __init__(
        self,
        claim: Claim,
        settings: Settings,
        headers: JobHeaders,
        credentials: Mapping[str, str],
    ) -> None:
        assert claim.target is not None
        assert isinstance(claim.item, Item)
        self._claim = claim
        self._item = claim.item
        self._settings = settings
        self._headers = headers
        self._chain = Chain(claim.target)
        own = claim.target.authorization
        self._secrets = credentials if own is None else {"Authorization": own}
        self._attempts = 0
        self._failures = 0
        self._free_tries = 0
        self._http_status: int | None = None
        self._is_fresh = False
        self._is_private: bool | None = None
        self._half = claim.half
        # A rest that did not fit is asked for once, not each time the whole is cut.
        self._is_whole_only = False

    @property
    def name(self) -> str:
        """Final name of the file."""
        assert self._claim.name is not None
        return self._claim.name

    @property
    def claim(self) -> Claim:
        """What it began with."""
        return self._claim

    def with_claim(self, claim: Claim) -> Pursuit:
        """Give one that begins with another claim of the same item."""
        return Pursuit(claim, self._settings, self._headers, self._secrets)

    @property
    def credentials(self) -> Mapping[str, str]:
        """`Authorization` for the item's own origin, if there is one."""
        return self._secrets

    @property
    def url(self) -> str:
        """The URL as the user gave it."""
        return self._item.url

    @property
    def host(self) -> str:
        """Host and port that the next attempt goes to."""
        return self._chain.target.netloc

    @property
    def hostname(self) -> str:
        """The name or address alone."""
        return self._chain.target.host

    @property
    def _must_be_public(self) -> bool:
        if self._settings.address_policy == "public":
            return True
        return self._chain.hops > 0 and not self._is_private and not self._settings.allow_private_redirects

    @property
    def _condition(self) -> Mapping[str, str]:
        """Ask for the file only if it has changed since it came with what is on record. Source: RFC 9110, 13.1."""
        if self._claim.etag is not None:
            return {"If-None-Match": self._claim.etag}
        if self._claim.last_modified is not None:
            return {"If-Modified-Since": self._claim.last_modified}
        return {}

    @property
    def _may_keep(self) -> bool:
        """Somebody will go on with a file that is cut: a later run, or another attempt."""
        return not self._is_whole_only and (self._settings.ledger or self._failures < self._settings.retries)

    def next_attempt(self) -> Attempt:
        """Say what to try now."""
        chain, claim, item, condition = self._chain, self._claim, self._item, self._condition
        # By place: by name it would take 1.3 us for each file instead of 1.1.
        return Attempt(
            chain.target,
            self.name,
            self._headers.of_item(self._secrets, item.headers, condition, is_foreign=chain.is_foreign),
            item.bytes,
            claim.digests,
            claim.may_replace or self._settings.existing == "replace",
            self._must_be_public,
            self._is_fresh,
            claim.row if self._settings.ledger else 0,
            self._half,
            self._may_keep,
            bool(condition),
        )

    def conclude(
        self, result: AttemptResult, *, jitter: float, elapsed: float, is_charged: bool = True
    ) -> Outcome | Again:
        """Decide what an attempt's end means for the item.

        Args:
            result: How it ended.
            jitter: A number from 0 to 1 for the backoff, drawn by the caller.
            elapsed: Seconds since the first attempt began.
            is_charged: A failure counts against the retries; if not, neither item nor host is to blame.
        """
        self._attempts += result.requests
        self._http_status = result.http_status
        self._is_fresh = result.is_stale
        self._half = result.half
        if result.location is not None:
            return self._follow(result.location, result, elapsed)
        if result.must_restart:
            self._is_whole_only = True
            return Again()
        if result.is_unchanged:
            return self._present(elapsed)
        if result.error is None:
            return self._saved(result, elapsed)
        if not is_charged:
            return Again()
        again = self._again(result.error, result, jitter)
        if isinstance(again, DownloadError):
            return self.fail(again, elapsed)
        return again

    def _follow(self, location: str, result: AttemptResult, elapsed: float) -> Outcome | Again:
        if self._is_private is None:
            self._is_private = result.is_private
        try:
            self._chain = self._chain.follow(location)
        except DownloadError as error:
            return self.fail(error, elapsed)
        self._http_status = None
        return Again()

    def _again(self, error: DownloadError, result: AttemptResult, jitter: float) -> Again | DownloadError:
        """Say how to go on, or with which error to end."""
        if result.is_stale and self._free_tries < _FREE_TRIES:
            self._free_tries += 1
            return Again()
        if result.detail == "out of resources" and self._free_tries < _RESOURCE_TRIES:
            self._free_tries += 1
            return Again(delay=backoff(self._free_tries, jitter))
        pause = pause_of(result)
        if pause > self._settings.max_wait:
            message = f"{error.message}; the server asks to wait {pause:.0f} s, longer than --max-wait"
            return make_error(error.kind, message, error.host)
        allowed = retries_allowed(
            error.kind, http_status=result.http_status, detail=result.detail, retries=self._settings.retries
        )
        if self._failures >= allowed:
            return error
        self._failures += 1
        # Another part may fare better at once, and the network is not to blame.
        if pause or result.detail == "lost bytes":
            return Again()
        delay = backoff(self._failures, jitter)
        return Again(delay=max(delay, UNKNOWN_HOST_REST) if result.detail == "unknown host" else delay)

    def _saved(self, result: AttemptResult, elapsed: float) -> Outcome:
        return Outcome(
            self.url,
            Status.SAVED,
            path=self.name,
            bytes=result.bytes,
            digests=result.digests,
            http_status=result.http_status,
            attempts=self._attempts,
            resumed_from=result.resumed_from,
            content_encoding=result.content_encoding,
            elapsed=elapsed,
            line=self._item.line,
        )

    def _present(self, elapsed: float) -> Outcome:
        return Outcome(
            self.url,
            Status.PRESENT,
            path=self.name,
            bytes=self._claim.present or 0,
            digests=self._claim.present_digests,
            http_status=self._http_status,
            attempts=self._attempts,
            elapsed=elapsed,
            line=self._item.line,
        )

    def fail(self, error: DownloadError, elapsed: float) -> Outcome:
        """Give the item up, with the reason and the seconds since its first attempt began."""
        is_missing = error.kind == "http" and self._http_status in MISSING_STATUSES
        return Outcome(
            self.url,
            Status.MISSING if is_missing else Status.FAILED,
            http_status=self._http_status,
            attempts=self._attempts,
            elapsed=elapsed,
            error=error,
            line=self._item.line,
        )


def outcome_of_claim(claim: Claim) -> Outcome | None:
    """Give the outcome of an item that needs no request; `None` if it needs one, be it to ask for changes."""
    item = claim.item
    if claim.is_duplicate:
        return Outcome(item.url, Status.DUPLICATE, line=item.line)
    if claim.error is not None:
        return Outcome(item.url, Status.FAILED, error=claim.error, line=item.line)
    if claim.present is not None and claim.etag is None and claim.last_modified is None:
        return Outcome(
            item.url,
            Status.PRESENT,
            path=claim.name,
            bytes=claim.present,
            digests=claim.present_digests,
            line=item.line,
        )
    return None
