"""Digests of a file, computed while its bytes pass by; knows algorithms, no files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Protocol

import xxhash

__all__ = ["Digests", "digests_of"]


class _Hash(Protocol):
    def update(self, data: bytes | memoryview, /) -> None: ...
    def hexdigest(self) -> str: ...


class Digests:
    """`xxh128` and the algorithms of hashlib that are asked for besides.

    xxh128 guards against rot, not against people; it costs next to nothing (30 GB/s, measured).

    Args:
        algorithms: Names of fixed-length algorithms of hashlib.

    >>> digests = Digests(["md5"])
    >>> digests.update(b"flag")
    >>> digests.as_hex()["md5"]
    '327a6c4304ad5938eaf0efb6cc3e53dc'
    """

    __slots__ = ("_hashes",)

    def __init__(self, algorithms: Iterable[str] = ()) -> None:
        self._hashes: dict[str, _Hash] = {"xxh128": xxhash.xxh3_128()}
        for name in algorithms:
            self._hashes[name] = hashlib.new(name, usedforsecurity=False)

    def update(self, data: bytes | memoryview) -> None:
        """Let bytes pass by."""
        for digest in self._hashes.values():
            digest.update(data)

    def as_hex(self) -> dict[str, str]:
        """Give algorithm to hexadecimal digest of what has passed by."""
        return {name: digest.hexdigest() for name, digest in self._hashes.items()}


def digests_of(chunks: Sequence[bytes | memoryview], algorithms: Iterable[str] = ()) -> dict[str, str]:
    """Give what `Digests` gives, of bytes that are all at hand; for a small file at half the price.

    >>> digests_of([b"fl", b"ag"], ["md5"])["md5"]
    '327a6c4304ad5938eaf0efb6cc3e53dc'
    """
    xxh128 = xxhash.xxh3_128()
    for chunk in chunks:
        xxh128.update(chunk)
    digests = {"xxh128": xxh128.hexdigest()}
    for name in algorithms:
        digest = hashlib.new(name, usedforsecurity=False)
        for chunk in chunks:
            digest.update(chunk)
        digests[name] = digest.hexdigest()
    return digests
