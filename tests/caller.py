"""Commands called as the program calls them, in an empty directory, against a server of their own."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aioflags.cli.main import run
from aioflags.flagserver.server import ServerThread

Result = tuple[int, str, str]


class Caller:
    """Calls a command; gives exit status, output and error output. `@` in an argument is the server."""

    def __init__(
        self, server: ServerThread, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.chdir(home)
        monkeypatch.setattr("sys.argv", ["/x/aioflags/__main__.py"])
        self._server = server
        self.url = server.url
        self._read: Callable[[], tuple[str, str]] = capsys.readouterr

    def __call__(self, *arguments: str) -> Result:
        status = 0
        try:
            status = run([argument.replace("@", self.url) for argument in arguments])
        except SystemExit as exit_:
            status = int(str(exit_.code))
        return status, *self._read()

    def do_job(self) -> None:
        """A run with every kind of ending; the server forgets that it was asked."""
        urls = ["@bytes/1", "@bytes/2000", "@bytes/3", "@status/404", "@status/503?token=s3cret", "nonsense"]
        assert self("get", *urls, "--retries", "0", "-q")[0] == 1
        self.requests()

    def requests(self) -> list[str]:
        """Give the targets that were asked for since the last time, sorted."""
        log = self._server.server.log
        assert log is not None
        targets = sorted(entry[1] for entry in log)
        log.clear()
        return targets


def records(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def change_ledger(query: str, *values: object) -> None:
    """Write what no run of ours has written."""
    with sqlite3.connect("downloads/.aioflags/ledger") as connection:
        connection.execute(query, values)
    connection.close()
