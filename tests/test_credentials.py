"""Credentials come from the user's netrc file only, go to the host they are for, and are never shown."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest

from aioflags.credentials import Credentials, read_netrc
from aioflags.errors import UsageError


def write(path: Path, text: str | bytes) -> None:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(0o600)


@pytest.fixture
def netrc_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A path that the variable NETRC names."""
    path = tmp_path / "my-netrc"
    monkeypatch.setenv("NETRC", str(path))
    return path


def decoded(headers: object) -> str:
    assert isinstance(headers, dict)
    assert list(headers) == ["Authorization"]
    scheme, _, token = headers["Authorization"].partition(" ")
    assert scheme == "Basic"
    return base64.b64decode(token, validate=True).decode()


def test_host_gets_its_own_entry(netrc_file: Path) -> None:
    """Login and password, in UTF-8."""
    write(netrc_file, "machine a.example login me password hunter2\nmachine b.example login you password pässwörd")
    credentials = read_netrc()
    assert decoded(credentials.headers_for("a.example")) == "me:hunter2"
    assert decoded(credentials.headers_for("b.example")) == "you:pässwörd"


@pytest.mark.parametrize("host", ["c.example", "sub.a.example", "example", "default", ""])
def test_no_other_host_gets_any(netrc_file: Path, host: str) -> None:
    """Neither a subdomain nor, by the `default` entry, a stranger; not even one who is called so."""
    write(netrc_file, "machine a.example login me password hunter2\ndefault login all password hunter3")
    assert read_netrc().headers_for(host) == {}


def test_entry_for_one_port_is_for_no_other(netrc_file: Path) -> None:
    """Who writes the port down means that server; an entry without is for those that have none of their own."""
    write(netrc_file, "machine a.example:8443 login you password hunter3\nmachine b.example login me password hunter2")
    write(netrc_file, netrc_file.read_text() + "\nmachine b.example:8443 login you password hunter4")
    credentials = read_netrc()
    assert credentials.headers_for("a.example", 443) == credentials.headers_for("a.example") == {}
    assert decoded(credentials.headers_for("a.example", 8443)) == "you:hunter3"
    assert decoded(credentials.headers_for("b.example", 443)) == "me:hunter2"
    assert decoded(credentials.headers_for("b.example", 8443)) == "you:hunter4"


def test_case_of_a_host_does_not_matter(netrc_file: Path) -> None:
    """The name system knows no case, and a target's host is in lower case."""
    write(netrc_file, "machine A.Example login me password hunter2")
    assert decoded(read_netrc().headers_for("a.example")) == "me:hunter2"


def test_without_a_file_there_are_none() -> None:
    """Not asked for, not read."""
    assert Credentials().headers_for("a.example") == {}


def test_home_directory_is_the_default_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`.netrc` there, if the variable says nothing."""
    monkeypatch.delenv("NETRC", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    write(tmp_path / ("_netrc" if os.name == "nt" else ".netrc"), "machine h login me")
    assert decoded(read_netrc().headers_for("h")) == "me:"


def test_missing_file_is_a_wrong_call(netrc_file: Path) -> None:
    """Who asks for netrc has one."""
    with pytest.raises(UsageError, match=r"--netrc: cannot read .*my-netrc"):
        read_netrc()


@pytest.mark.parametrize(
    "text", ["machine h login me password hunter2 hunter3 x", b"machine h login \xff\xfe hunter2 x y"]
)
def test_unreadable_file_is_reported_without_its_words(netrc_file: Path, text: str | bytes) -> None:
    """What the parser stumbles over may be the password."""
    write(netrc_file, text)
    with pytest.raises(UsageError, match="is not a netrc file") as caught:
        read_netrc()
    assert "hunter" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_credentials_show_no_secret(netrc_file: Path) -> None:
    """Printing them says nothing."""
    write(netrc_file, "machine h login me password hunter2")
    assert "hunter2" not in repr(read_netrc())
