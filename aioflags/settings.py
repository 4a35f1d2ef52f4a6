"""The options of a download job, checked once: names, defaults and units are those of the command line."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypedDict
from urllib.parse import urlsplit

from aioflags.errors import UsageError

__all__ = ["EngineName", "Options", "Settings", "check_checksum", "check_header", "check_header_field"]

EngineName = Literal["asyncio", "aiohttp", "threads", "processes", "sequential"]
Existing = Literal["fail", "skip", "replace"]
Durability = Literal["none", "batch", "file"]
AddressPolicy = Literal["any", "public"]

# What the system counts bytes and time with; more than that is no limit of anything.
_LARGEST = 2**63 - 1
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
# The framing of the request and the coding of the answer are ours (RFC 9112, section 6; contract, section 2).
_OUR_HEADERS = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "host",
        "if-range",
        "range",
        "te",
        "transfer-encoding",
        "upgrade",
    }
)


class Options(TypedDict, total=False):
    """Keyword arguments of `Downloader` and `download_many`; meaning and defaults are those of `Settings`."""

    concurrency: int
    processes: int
    per_host: int
    retries: int
    max_wait: float
    connect_timeout: float
    first_byte_timeout: float
    idle_timeout: float
    min_speed: float
    max_bytes: int | None
    rate: float | None
    limit_rate: float | None
    existing: Existing
    header: Mapping[str, str] | Iterable[str]
    hash: Iterable[str]
    allow_private_redirects: bool
    address_policy: AddressPolicy
    insecure: bool
    cacert: str | None
    proxy: str | None
    netrc: bool
    durability: Durability
    ledger: bool
    update: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All options of a job.

    Args:
        concurrency: Attempts in flight at most.
        processes: Event loops over one list, each in a process of its own if there are more than one.
        per_host: Attempts in flight to one host at most; 0 for no such limit.
        retries: Further attempts after the first, for what can pass.
        max_wait: Seconds: the longest `Retry-After` that is waited for.
        connect_timeout: Seconds to resolve, connect and shake hands.
        first_byte_timeout: Seconds from the request sent to the first byte of the body.
        idle_timeout: Seconds without any byte after which a body is stalled.
        min_speed: Bytes per second, mean over the idle window, under which a body is stalled; 0 for off.
        max_bytes: Largest body accepted, in bytes; `None` for no limit.
        rate: Requests started per second and host; `None` for no limit.
        limit_rate: Bytes per second for the whole job; `None` for no limit.
        existing: What to do about a file of the same name: fail the item, skip it, or replace the file.
        header: User headers, a mapping or lines `Name: value`; sent to the origin of each item only.
        hash: Digests to record besides xxh128, names of hashlib.
        allow_private_redirects: Follow a redirect from a public to a private address.
        address_policy: Connect to `any` address, or to `public` ones only, redirects included whatever
            `allow_private_redirects` says: for URLs from strangers.
        insecure: Do not verify certificates.
        cacert: File of CA certificates in PEM form to trust instead of the system's.
        proxy: URL of an http proxy for all requests.
        netrc: Read credentials by host from the user's netrc file.
        durability: When bytes are forced to stable storage: not at all, once a group, or each file.
        ledger: Keep a record in the destination: a later run asks for nothing that is done and goes on with parts.
        update: Ask whether files that are present have changed, and fetch those again; goes by the ledger.

    Raises:
        UsageError: An option has a value outside its range; the message names it.
    """

    concurrency: int = 64
    processes: int = 1
    per_host: int = 16
    retries: int = 4
    max_wait: float = 300.0
    connect_timeout: float = 20.0
    first_byte_timeout: float = 60.0
    idle_timeout: float = 60.0
    min_speed: float = 1.0
    max_bytes: int | None = None
    rate: float | None = None
    limit_rate: float | None = None
    existing: Existing = "fail"
    header: Mapping[str, str] | Iterable[str] = field(default=(), repr=False)
    hash: Iterable[str] = ()
    allow_private_redirects: bool = False
    address_policy: AddressPolicy = "any"
    insecure: bool = False
    cacert: str | None = None
    proxy: str | None = field(default=None, repr=False)
    netrc: bool = False
    durability: Durability = "none"
    ledger: bool = False
    update: bool = False

    def __post_init__(self) -> None:
        _need_whole("concurrency", self.concurrency, at_least=1)
        _need_whole("processes", self.processes, at_least=1)
        _need_whole("per_host", self.per_host, at_least=0)
        _need_whole("retries", self.retries, at_least=0)
        if self.max_bytes is not None:
            _need_whole("max_bytes", self.max_bytes, at_least=0)
        for name in ("connect_timeout", "first_byte_timeout", "idle_timeout"):
            _need_number(name, getattr(self, name), above=True)
        for name in ("max_wait", "min_speed"):
            _need_number(name, getattr(self, name), above=False)
        for name in ("rate", "limit_rate"):
            if getattr(self, name) is not None:
                _need_number(name, getattr(self, name), above=True)
        for name in ("allow_private_redirects", "insecure", "netrc", "ledger", "update"):
            _need_bool(name, getattr(self, name))
        if self.update and not self.ledger:
            raise UsageError("update goes by what earlier runs have recorded: it needs the ledger")
        if self.cacert is not None and not isinstance(self.cacert, str):
            raise UsageError(f"cacert must be the path of a file, as str, not {_show(self.cacert)}")
        _need_choice("existing", self.existing, ("fail", "skip", "replace"))
        _need_choice("durability", self.durability, ("none", "batch", "file"))
        _need_choice("address_policy", self.address_policy, ("any", "public"))
        object.__setattr__(self, "header", _check_headers(self.header))
        object.__setattr__(self, "hash", _check_hashes(self.hash))
        if self.proxy is not None:
            _check_proxy(self.proxy)

    @property
    def headers(self) -> Mapping[str, str]:
        """The user headers as a checked mapping."""
        assert isinstance(self.header, Mapping)
        return self.header

    @property
    def hashes(self) -> tuple[str, ...]:
        """The checked names of the digests to record besides xxh128."""
        assert isinstance(self.hash, tuple)
        return self.hash


def check_header(line: str) -> tuple[str, str]:
    """Split `Name: value` and check both parts.

    Raises:
        UsageError: Not of that form, a forbidden character, or a header that aioflags sets itself.

    Source: RFC 9110, sections 5.1 and 5.5.

    >>> check_header("Accept:  image/gif ")
    ('Accept', 'image/gif')
    """
    if not isinstance(line, str):
        raise UsageError("a header must be a str of the form 'Name: value'")
    name, colon, value = line.partition(":")
    if not colon:
        raise UsageError("a header has no colon; write it as 'Name: value'")
    return check_header_field(name.strip(" \t"), value)


def check_header_field(name: str, value: str) -> tuple[str, str]:
    """Check the two parts of a header field; returns them with blanks around the value removed.

    Raises:
        UsageError: A forbidden character, or a header that aioflags sets itself.
    """
    if not isinstance(name, str) or not isinstance(value, str):
        raise UsageError("header names and values must be str")
    if not _TOKEN.fullmatch(name):
        raise UsageError(
            f"header name {_show(name)} is not a token of letters, digits and -; write it as 'Name: value'"
        )
    if any((ord(char) < 32 and char != "\t") or ord(char) == 127 for char in value):
        raise UsageError(f"the value of header {name} holds a line break or another control character; remove it")
    if _SURROGATE.search(value):
        raise UsageError(f"the value of header {name} is not valid UTF-8")
    if name.lower() in _OUR_HEADERS:
        raise UsageError(f"header {name} is set by aioflags itself; remove it")
    return name, value.strip(" \t")


def _check_headers(headers: Mapping[str, str] | Iterable[str]) -> dict[str, str]:
    if isinstance(headers, Mapping):
        return dict(check_header_field(name, value) for name, value in headers.items())
    if isinstance(headers, str) or not isinstance(headers, Iterable):
        raise UsageError("header must be a mapping or a sequence of 'Name: value', not one value")
    return dict(check_header(line) for line in headers)


def check_checksum(text: str) -> tuple[str, str]:
    """Split `ALGO:HEX` and check that the algorithm exists and the digest has its length.

    Returns:
        Name as hashlib knows it, and the digest in lower case.

    Raises:
        UsageError: Unknown algorithm, no hexadecimal digits, or a wrong number of them.

    >>> check_checksum("CRC:00")
    Traceback (most recent call last):
    aioflags.errors.UsageError: unknown checksum algorithm 'CRC'; use a fixed-length name of hashlib such as sha256
    """
    if not isinstance(text, str):
        raise UsageError("a checksum must be a str of the form ALGO:HEX")
    name, colon, digest = text.partition(":")
    if not colon:
        raise UsageError(f"checksum {_show(text)} is not of the form ALGO:HEX, for instance sha256:9f86d0…")
    algorithm = _check_algorithm(name)
    digest = digest.strip().lower()
    size = hashlib.new(algorithm, usedforsecurity=False).digest_size * 2
    if not re.fullmatch(r"[0-9a-f]*", digest) or len(digest) != size:
        raise UsageError(f"{algorithm} digest {_show(digest)} is not {size} hexadecimal digits")
    return algorithm, digest


def _check_algorithm(name: str) -> str:
    algorithm = str(name).strip().lower().replace("sha-", "sha")
    try:
        size = hashlib.new(algorithm, usedforsecurity=False).digest_size
    except (ValueError, TypeError):
        size = 0
    if not size:
        raise UsageError(f"unknown checksum algorithm {_show(name)}; use a fixed-length name of hashlib such as sha256")
    return algorithm


def _check_hashes(names: Iterable[str]) -> tuple[str, ...]:
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise UsageError("hash must be a sequence of algorithm names, not one value")
    checked = (_check_algorithm(name) for name in names if name != "xxh128")
    return tuple(dict.fromkeys(checked))


def _check_proxy(url: str) -> None:
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme == "http" and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except (ValueError, TypeError, AttributeError):
        is_usable = False
    if not is_usable or any(ord(char) <= 32 for char in url):
        raise UsageError("proxy must be a URL of the form http://host:port")


def _need_whole(name: str, value: object, *, at_least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not at_least <= value <= _LARGEST:
        raise UsageError(f"{name} must be a whole number of at least {at_least}, not {_show(value)}")


def _need_number(name: str, value: object, *, above: bool) -> None:
    # Not a number compares as false, too.
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _LARGEST
    if not is_number or (above and value == 0):
        raise UsageError(f"{name} must be a number {'above' if above else 'of at least'} 0, not {_show(value)}")


def _need_bool(name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise UsageError(f"{name} must be True or False, not {_show(value)}")


def _need_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise UsageError(f"{name} must be one of {', '.join(choices)}, not {_show(value)}")


def _show(value: object) -> str:
    """`repr`, cut: what a caller gave may be long."""
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "…'"
