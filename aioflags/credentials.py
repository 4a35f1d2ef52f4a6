"""Credentials by host from the user's netrc file; read once, only when asked for. Blocking."""

from __future__ import annotations

import base64
import netrc
import os
from collections.abc import Mapping
from pathlib import Path

from aioflags.errors import UsageError

__all__ = ["Credentials", "read_netrc"]


_NONE: Mapping[str, str] = {}


class Credentials:
    """Gives the `Authorization` field for a host.

    Args:
        entries: What was read, `None` for no credentials at all.
    """

    def __init__(self, entries: netrc.netrc | None = None) -> None:
        hosts = {} if entries is None else entries.hosts
        # The `default` entry is not used: it would hand one password to every host of a list.
        self._entries = {host.lower(): entry for host, entry in hosts.items() if host != "default"}

    def headers_for(self, host: str, port: int | None = None) -> Mapping[str, str]:
        """Give the fields to send to `host`, a name in lower case; empty if the file does not name it.

        An entry for `host:port` goes before one for the host, which is for all its ports, as in other programs.
        """
        if not self._entries:
            return _NONE
        shown = f"[{host}]" if ":" in host else host
        entry = self._entries.get(f"{shown}:{port}") or self._entries.get(host)
        if entry is None:
            return _NONE
        login, _, password = entry
        token = base64.b64encode(f"{login}:{password or ''}".encode()).decode("ascii")
        return {"Authorization": f"Basic {token}"}


def read_netrc() -> Credentials:
    """Read the file that the variable NETRC names, else `.netrc` (`_netrc` on Windows) in the home directory.

    Raises:
        UsageError: There is none, or it cannot be read.
    """
    path = os.environ.get("NETRC") or str(Path.home() / ("_netrc" if os.name == "nt" else ".netrc"))
    try:
        return Credentials(netrc.netrc(path))
    except OSError as error:
        raise UsageError(f"--netrc: cannot read {path}: {error.strerror}") from error
    except (netrc.NetrcParseError, UnicodeDecodeError) as error:
        # The parser's own words may quote a password.
        line = getattr(error, "lineno", None)
        raise UsageError(f"--netrc: {path} is not a netrc file (line {line})") from None
