"""Where an item's redirects lead, and which fields go along: decided without I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from aioflags.errors import make_error
from aioflags.records import dataclass
from aioflags.urls import Target, resolve_location

__all__ = ["MAX_HOPS", "Chain", "JobHeaders", "request_headers"]

#: Redirects followed for one item at most. Source: contract; aiohttp and requests allow 10 and 30.
MAX_HOPS = 10


def request_headers(*layers: Mapping[str, str]) -> dict[str, str]:
    """Merge header fields by name, ignoring case; later layers win. The coding is always ours.

    Source: `Accept-Encoding: identity` asks for the bytes as the origin stores them (RFC 9110, section 12.5.3).

    >>> request_headers({"User-Agent": "a"}, {"user-agent": "b"})
    {'user-agent': 'b', 'Accept-Encoding': 'identity'}
    """
    ours = {"Accept-Encoding": "identity"}
    merged = {name.lower(): (name, value) for layer in (*layers, ours) for name, value in layer.items()}
    return dict(merged.values())


class JobHeaders:
    """The header fields of a job's requests.

    Args:
        defaults: Sent with every request.
        users: Set by the user for all items; they go where the items point, and nowhere else.
    """

    def __init__(self, defaults: Mapping[str, str], users: Mapping[str, str]) -> None:
        self._defaults = defaults
        self._users = users
        # Most items have none of their own, and share these.
        self._plain = request_headers(defaults, users)

    def of_item(
        self, secrets: Mapping[str, str], own: Mapping[str, str], condition: Mapping[str, str], *, is_foreign: bool
    ) -> Mapping[str, str]:
        """Give those of one request.

        Args:
            secrets: What netrc or the URL say for its host; the user's word counts more.
            own: Set by the user for this item; they count most.
            condition: Under which the file is wanted.
            is_foreign: The request goes where only a server has pointed.
        """
        if is_foreign:
            return request_headers(self._defaults, condition)
        if secrets or own or condition:
            return request_headers(self._defaults, secrets, self._users, own, condition)
        return self._plain


@dataclass(frozen=True, slots=True)
class Chain:
    """Where an item's redirects have led so far.

    Args:
        target: Where the next request goes.
        hops: Redirects followed.
        is_foreign: A hop left the origin of the user's URL; from then on nothing the user gave goes along.
    """

    target: Target
    hops: int = 0
    is_foreign: bool = False

    def follow(self, location: str) -> Chain:
        """Take one hop.

        Raises:
            ProtocolError: `redirect`: too many hops, or a Location that cannot be followed.
            RefusedError: `policy`: from https to http.

        Source: RFC 9110, section 15.4; Fetch standard, HTTP-redirect fetch (an origin once left stays left).
        """
        host = self.target.host
        if self.hops >= MAX_HOPS:
            raise make_error("redirect", f"more than {MAX_HOPS} redirects", host)
        target = resolve_location(self.target, location)
        if self.target.scheme == "https" and target.scheme == "http":
            raise make_error("policy", f"redirect from https to http ({target.host}) refused", host)
        is_foreign = self.is_foreign or target.origin != self.target.origin
        return replace(self, target=target, hops=self.hops + 1, is_foreign=is_foreign)
