"""A record becomes an item, or an error that says which of its values is wrong."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from aioflags.errors import DownloadError
from aioflags.items import Item
from aioflags.rows import read_row

SHA256 = hashlib.sha256(b"").hexdigest()
MD5 = hashlib.md5(b"").hexdigest()


def test_every_known_key_reaches_the_item() -> None:
    """Values are checked, digests put in lower case, and other keys ignored."""
    row = {
        "url": " http://h/a ",
        "name": "x/y",
        "sha256": SHA256.upper(),
        "checksum": f"MD5:{MD5.upper()}",
        "bytes": 512,
        "headers": {"X-A": " b "},
        "comment": ["?"],
    }
    assert read_row(row, 7) == Item("http://h/a", "x/y", SHA256, 512, {"X-A": "b"}, f"md5:{MD5}", 7)


def test_absent_and_empty_values_are_none() -> None:
    """What a record does not say, or says with null or an empty string, takes the default."""
    bare = Item("http://h/a", line=1)
    assert read_row({"url": "http://h/a"}, 1) == bare
    assert read_row(dict.fromkeys(("name", "sha256", "checksum", "bytes"), None) | {"url": "http://h/a"}, 1) == bare
    assert read_row({"url": "http://h/a", "name": "", "sha256": "", "checksum": ""}, 1) == bare


@pytest.mark.parametrize(("value", "size"), [("0", 0), ("512", 512), (0, 0), (1 << 40, 1 << 40)])
def test_sizes_may_be_digits_or_numbers(value: object, size: int) -> None:
    """CSV has strings where JSON has numbers."""
    assert read_row({"url": "u", "bytes": value}, 1).bytes == size


@pytest.mark.parametrize(
    ("values", "kind", "word"),
    [
        ({"url": None}, "url", "no url"),
        ({"url": ""}, "url", "no url"),
        ({"url": " "}, "url", "no url"),
        ({"url": 3}, "url", "no url"),
        ({"name": 3}, "url", "name"),
        ({"sha256": ["a"]}, "url", "sha256"),
        ({"checksum": 1.5}, "url", "checksum"),
        ({"headers": ["a: b"]}, "url", "headers"),
        ({"headers": {"a": 1}}, "url", "headers"),
        ({"headers": {"a:b": "c"}}, "url", "headers"),
        ({"headers": {"a": "b\r\nc: d"}}, "policy", "line break"),
        ({"headers": {"a b": "c"}}, "policy", "token"),
        ({"headers": {"Host": "evil"}}, "policy", "Host"),
        ({"headers": {"a": "\ud800"}}, "policy", "Unicode"),
        ({"sha256": "00"}, "checksum", "64"),
        ({"sha256": "z" * 64}, "checksum", "64"),
        ({"sha256": f"sha256:{SHA256}"}, "checksum", "64"),
        ({"checksum": MD5}, "checksum", "ALGO:HEX"),
        ({"checksum": f"crc:{MD5}"}, "checksum", "algorithm"),
        ({"checksum": "md5:00"}, "checksum", "32"),
        ({"bytes": "-1"}, "checksum", "bytes"),
        ({"bytes": "1.0"}, "checksum", "bytes"),
        ({"bytes": "\u0661"}, "checksum", "bytes"),
        ({"bytes": "9" * 5000}, "checksum", "bytes"),
        ({"bytes": 1.0}, "checksum", "bytes"),
        ({"bytes": True}, "checksum", "bytes"),
        ({"bytes": -1}, "checksum", "bytes"),
        ({"bytes": 1 << 63}, "checksum", "bytes"),
    ],
)
def test_a_wrong_value_is_named(values: dict[str, Any], kind: str, word: str) -> None:
    """The error has the kind that fits, and says which value it is about."""
    with pytest.raises(DownloadError, match=word) as caught:
        read_row({"url": "http://h/a"} | values, 1)
    assert caught.value.kind == kind
