"""Every option is checked before anything is requested, and the message says which one is wrong."""

from __future__ import annotations

import dataclasses
import hashlib
import typing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioflags.errors import UsageError
from aioflags.settings import Options, Settings, check_checksum, check_header, check_header_field

NOT_WHOLE = [-1, 1.5, 2.0, "4", None, True, float("nan"), [], 10**400]
NOT_NUMBERS = [-1, -0.001, "4", True, float("nan"), float("inf"), [], 10**400]
NOT_BOOLEAN: list[Any] = [None, 0, 1, "no", []]

WRONG: dict[str, list[Any]] = {
    "concurrency": [0, *NOT_WHOLE],
    "processes": [0, *NOT_WHOLE],
    "per_host": NOT_WHOLE,
    "retries": NOT_WHOLE,
    "max_wait": [None, *NOT_NUMBERS],
    "connect_timeout": [0, 0.0, None, *NOT_NUMBERS],
    "first_byte_timeout": [0, None, *NOT_NUMBERS],
    "idle_timeout": [0, None, *NOT_NUMBERS],
    "min_speed": [None, *NOT_NUMBERS],
    "max_bytes": [value for value in NOT_WHOLE if value is not None],
    "rate": [0, *NOT_NUMBERS],
    "limit_rate": [0, *NOT_NUMBERS],
    "existing": ["", "overwrite", "FAIL", None, 3, ["fail"]],
    "header": [
        "A: b",
        3,
        None,
        ["A b"],
        [3],
        [("A", "b")],
        {"A": 3},
        {3: "A"},
        {"A": "b\n"},
        ["Host: h"],
        ["A: \udcff"],
    ],
    "hash": ["sha256", 3, None, [3], ["crc32"], [""], ["shake_256"], ["sha\0256"], ["\udcff"]],
    "allow_private_redirects": NOT_BOOLEAN,
    "address_policy": ["", "private", "PUBLIC", None, True, ["public"]],
    "insecure": NOT_BOOLEAN,
    "cacert": [3, b"ca.pem", True],
    "proxy": [
        3,
        "",
        "localhost:8080",
        "https://proxy:3128",
        "socks5://proxy",
        "http://",
        "http://:80",
        "http://proxy:0",
        "http://proxy:99999",
        "http://proxy:x",
        "http://a b",
        "http://proxy\n",
    ],
    "netrc": NOT_BOOLEAN,
    "durability": ["", "always", None, 3, ["file"]],
    "ledger": NOT_BOOLEAN,
    "update": NOT_BOOLEAN,
}

RIGHT: dict[str, list[Any]] = {
    "concurrency": [1, 10_000],
    "processes": [1, 16],
    "per_host": [0, 1, 1000],
    "retries": [0, 100],
    "max_wait": [0, 0.5, 3600],
    "connect_timeout": [0.001, 5],
    "first_byte_timeout": [0.001, 5],
    "idle_timeout": [0.001, 5],
    "min_speed": [0, 0.5, 10**9],
    "max_bytes": [None, 0, 1 << 50],
    "rate": [None, 0.1, 1000],
    "limit_rate": [None, 1, 1e9],
    "existing": ["fail", "skip", "replace"],
    "header": [{}, (), {"A": "b"}, ["A: b"], iter(["A: b"])],
    "hash": [(), ["sha256"], iter(["md5"]), ["xxh128"]],
    "allow_private_redirects": [True, False],
    "address_policy": ["any", "public"],
    "insecure": [True, False],
    "cacert": [None, "ca.pem"],
    "proxy": [None, "http://proxy", "http://me:pw@proxy:3128", "http://[::1]:80/"],
    "netrc": [True, False],
    "durability": ["none", "batch", "file"],
    "ledger": [True, False],
    "update": [False],
}


def brief(value: object) -> str:
    return value if isinstance(value, str) and value.isidentifier() else ascii(value)[:30]


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG.items() for value in values], ids=brief
)
def test_wrong_value_is_refused_by_name(name: str, value: Any) -> None:
    """The message names the option, so that one of twenty is found."""
    with pytest.raises(UsageError, match=name):
        Settings(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in RIGHT.items() for value in values], ids=brief
)
def test_right_value_is_taken(name: str, value: Any) -> None:
    """What the contract allows goes through, unchanged where it is plain."""
    settings = Settings(**{name: value})
    if name not in {"header", "hash"}:
        assert getattr(settings, name) == value


def test_tables_above_forget_no_option() -> None:
    """An option that is added must be attacked, too."""
    names = [field.name for field in dataclasses.fields(Settings)]
    assert list(WRONG) == list(RIGHT) == names


def test_options_and_settings_agree() -> None:
    """What a caller may write is what there is: the same names in the same order, of the same types."""
    settings = typing.get_type_hints(Settings)
    assert list(Options.__annotations__) == [field.name for field in dataclasses.fields(Settings)]
    assert typing.get_type_hints(Options) == settings
    assert Options.__total__ is False


def test_defaults_are_those_of_the_contract() -> None:
    """The table of options, once more."""
    settings = Settings()
    assert {field.name: getattr(settings, field.name) for field in dataclasses.fields(settings)} == {
        "concurrency": 64,
        "processes": 1,
        "per_host": 16,
        "retries": 4,
        "max_wait": 300,
        "connect_timeout": 20,
        "first_byte_timeout": 60,
        "idle_timeout": 60,
        "min_speed": 1,
        "max_bytes": None,
        "rate": None,
        "limit_rate": None,
        "existing": "fail",
        "header": {},
        "hash": (),
        "allow_private_redirects": False,
        "address_policy": "any",
        "insecure": False,
        "cacert": None,
        "proxy": None,
        "netrc": False,
        "durability": "none",
        "ledger": False,
        "update": False,
    }


def test_settings_show_no_secret() -> None:
    """Headers and the proxy's password are for the wire, not for a log."""
    settings = Settings(header={"Authorization": "Bearer hunter2"}, proxy="http://me:hunter2@proxy:80")
    assert "hunter2" not in repr(settings)
    assert "concurrency=64" in repr(settings)


@pytest.mark.parametrize("header", [{"A": " b\t", "c": ""}, ["A:b", "c :"], iter(["A:\tb ", "c:"])])
def test_headers_come_as_mapping_or_lines(header: Any) -> None:
    """Blanks around the value go; a line may lack a value, not a colon."""
    assert Settings(header=header).headers == {"A": "b", "c": ""}


def test_the_callers_mapping_is_copied() -> None:
    """What the caller changes later has no effect on a job that runs."""
    header = {"A": "b"}
    settings = Settings(header=header)
    header["Host"] = "evil"
    assert settings.headers == {"A": "b"}


def test_hashes_are_named_as_hashlib_names_them_once_each() -> None:
    """`xxh128` is there anyway; spellings of one algorithm are one."""
    assert Settings(hash=["SHA-256", "xxh128", "md5", "sha256", " MD5 "]).hashes == ("sha256", "md5")


@pytest.mark.parametrize("name", ["accept-encoding", "Connection", "Content-Length", "HOST", "If-Range", "Range", "TE"])
def test_headers_that_are_ours_are_refused(name: str) -> None:
    """Framing, ranges and the coding are decided by the downloader."""
    with pytest.raises(UsageError, match=f"header {name} is set by aioflags"):
        check_header(f"{name}: x")


@given(st.text(), st.text())
def test_header_is_refused_or_can_be_sent(name: str, value: str) -> None:
    """Whatever passes is a token and a value without line breaks that has a form in bytes."""
    try:
        sent_name, sent_value = check_header_field(name, value)
    except UsageError:
        return
    wire = f"{sent_name}: {sent_value}".encode()
    assert sent_name.isascii()
    assert ":" not in sent_name
    assert not {*range(9), *range(10, 32), 127} & set(wire)
    assert sent_value == sent_value.strip(" \t")


def test_message_on_a_header_does_not_quote_its_value() -> None:
    """A value may be a password."""
    for line in ("Authorization: hunter2\n", "Authorization hunter2", "Host: hunter2"):
        with pytest.raises(UsageError) as caught:
            check_header(line)
        assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("name", ["md5", "sha1", "sha256", "SHA-512", "sha3_256", "blake2b"])
def test_checksum_of_any_fixed_length_algorithm(name: str) -> None:
    """The name becomes hashlib's, the digest lower case."""
    algorithm = name.lower().replace("sha-", "sha")
    digest = hashlib.new(algorithm, b"flag").hexdigest()
    assert check_checksum(f"{name}:{digest.upper()}") == (algorithm, digest)


@pytest.mark.parametrize(
    "text",
    ["", ":", "sha256", "sha256:", "sha256:" + "0" * 63, "sha256:" + "0" * 65, "sha256:" + "g" * 64, ":" + "0" * 64],
)
def test_what_is_no_checksum_is_refused(text: str) -> None:
    """A digest of the wrong length would fail every file."""
    with pytest.raises(UsageError):
        check_checksum(text)


def test_long_nonsense_is_cut_in_messages() -> None:
    """A megabyte given by mistake does not become a megabyte of message."""
    with pytest.raises(UsageError) as caught:
        Settings(existing="x" * 1_000_000)  # type: ignore[arg-type]
    assert len(str(caught.value)) < 300
