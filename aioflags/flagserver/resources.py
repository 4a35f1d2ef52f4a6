"""What the flag server has: a path leads to a resource, whose bytes, if they are many, are made as they are read."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from functools import cache, lru_cache

from aioflags.flagserver.countries import COUNTRIES
from aioflags.flagserver.index_page import make_index_page
from aioflags.flagserver.pictures import flag_gif, flag_svg
from aioflags.records import dataclass

__all__ = ["LAST_MODIFIED", "Resource", "find_resource", "make_bytes", "make_text"]

LAST_MODIFIED = "Thu, 01 Jan 2026 00:00:00 GMT"
"""The same for every resource and every start, so that a validator of yesterday still holds."""

_CHUNK = 64 * 1024
_MAX_SIZE = 1 << 60
_FLAG = re.compile(r"/([a-z]{2})/(?:([a-z]{2})\.(svg|gif)|metadata\.json)")
_BYTES = re.compile(r"/bytes/(0|[1-9][0-9]{0,18})")


@dataclass(frozen=True, slots=True)
class Resource:
    """Something to serve.

    Args:
        content_type: Its media type.
        size: Its length in bytes.
        etag: A strong validator, quotes included.
        read: Gives the bytes from a start to a stop, both offsets, in pieces of at most 64 KiB or the whole.
    """

    content_type: str
    size: int
    etag: str
    read: Callable[[int, int], Iterator[bytes]]


def make_content(content_type: str, content: bytes) -> Resource:
    """A resource whose bytes are in memory."""

    def read(start: int, stop: int) -> Iterator[bytes]:
        yield content[start:stop] if stop - start < len(content) else content

    etag = f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
    return Resource(content_type, len(content), etag, read)


def make_text(text: str) -> Resource:
    """A line of plain text, for answers that only say what happened."""
    return make_content("text/plain; charset=utf-8", f"{text}\n".encode())


def make_bytes(size: int, seed: str) -> Resource:
    """Bytes that look random, and depend on offset and `seed` only, so that any part can be made and checked alone."""

    def read(start: int, stop: int) -> Iterator[bytes]:
        while start < stop:
            index, skip = divmod(start, _CHUNK)
            end = min(_CHUNK, skip + stop - start)
            yield _make_chunk(seed, index)[skip:end]
            start += end - skip

    key = hashlib.blake2b(f"{size} {seed}".encode(), digest_size=12).hexdigest()
    return Resource("application/octet-stream", size, f'"{key}"', read)


def _make_chunk(seed: str, index: int) -> bytes:
    # A slice of one random block at memory speed; the digest in front makes every chunk unlike any other, so that a
    # chunk at the wrong place is seen by whoever compares.
    digest = hashlib.blake2b(f"{index} {seed}".encode(), digest_size=16).digest()
    start = int.from_bytes(digest[:3], "big") % (3 * _CHUNK)
    return digest + _random_block()[start : start + _CHUNK - len(digest)]


@cache
def _random_block() -> bytes:
    return hashlib.shake_128(b"aioflags").digest(4 * _CHUNK)


@lru_cache(maxsize=4096)
def find_resource(path: str, seed: str = "") -> Resource | None:
    """Find what `path` names: a decoded path without its query. `seed` chooses among the contents of `/bytes/N`."""
    if path == "/":
        return make_content("text/html; charset=utf-8", make_index_page())
    if found := _BYTES.fullmatch(path):
        size = int(found[1])
        return make_bytes(size, seed) if size <= _MAX_SIZE else None
    if path.startswith("/status/"):
        return make_text("200 OK")
    found = _FLAG.fullmatch(path)
    if found is None or found[1].upper() not in COUNTRIES or found[2] not in (None, found[1]):
        return None
    cc = found[1].upper()
    if found[3] == "svg":
        return make_content("image/svg+xml", flag_svg(cc))
    if found[3] == "gif":
        return make_content("image/gif", flag_gif(cc))
    metadata = {"country": COUNTRIES[cc], "gif_cc": found[1]}
    return make_content("application/json", json.dumps(metadata, ensure_ascii=False).encode())
