"""Digests are those of the bytes that passed by, whatever the pieces."""

from __future__ import annotations

import hashlib

import xxhash
from hypothesis import given
from hypothesis import strategies as st

from aioflags.digests import Digests, digests_of


@given(chunks=st.lists(st.binary(max_size=50), max_size=10))
def test_digests_do_not_depend_on_the_pieces(chunks: list[bytes]) -> None:
    """Three chunks or one: the digest is that of the whole."""
    digests = Digests(["sha256", "md5", "blake2b"])
    for chunk in chunks:
        digests.update(memoryview(chunk))
    whole = b"".join(chunks)
    assert digests.as_hex() == digests_of(chunks, ["sha256", "md5", "blake2b"])
    assert digests.as_hex() == {
        "xxh128": xxhash.xxh3_128_hexdigest(whole),
        "sha256": hashlib.sha256(whole).hexdigest(),
        "md5": hashlib.md5(whole).hexdigest(),
        "blake2b": hashlib.blake2b(whole).hexdigest(),
    }


def test_xxh128_is_always_there() -> None:
    """Nobody has to ask for it; asking on the way changes nothing."""
    digests = Digests()
    assert digests.as_hex() == {"xxh128": "99aa06d3014798d86001c324468d497f"}
    digests.update(b"")
    assert digests.as_hex() == {"xxh128": "99aa06d3014798d86001c324468d497f"}
