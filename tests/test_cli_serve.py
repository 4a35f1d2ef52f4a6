"""`aioflags serve`: announced, reachable, ended by signals, and clear about why it cannot start."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from aioflags.cli.main import run
from aioflags.flagserver.server import ServerThread

FIRST_LINE = r"Serving flags on (http://127\.0\.0\.1:[0-9]+/) \(Ctrl-C stops\)\n"


def _start(*arguments: str) -> subprocess.Popen[str]:
    program = [sys.executable, "-m", "aioflags", "serve", "--port", "0", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    return subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_server_says_where_it_is_and_ends_at_a_signal(number: signal.Signals, status: int) -> None:
    """The first line names the URL, a flag can be had there, and a signal ends it without a word."""
    with _start() as process:
        assert process.stdout is not None
        found = re.fullmatch(FIRST_LINE, process.stdout.readline())
        assert found is not None
        with urllib.request.urlopen(found[1] + "fr/fr.gif") as answer:
            assert answer.read(6) == b"GIF89a"
        process.send_signal(number)
        assert process.communicate(timeout=30) == ("", "")
    assert process.returncode == status


@pytest.mark.slow
def test_options_reach_the_server() -> None:
    """With an error rate of 1 every answer is an error."""
    with _start("--error-rate", "1", "--seed", "1", "--jitter", "0.001") as process:
        assert process.stdout is not None
        found = re.fullmatch(FIRST_LINE, process.stdout.readline())
        assert found is not None
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(found[1] + "fr/fr.gif")
        assert caught.value.code == 503
        caught.value.close()
        process.terminate()
        process.communicate(timeout=30)


def test_port_in_use_is_a_local_fault(capsys: pytest.CaptureFixture[str]) -> None:
    """One line on standard error says which address could not be had."""
    with ServerThread() as server:
        port = server.server.port
        assert run(["serve", "--port", str(port)]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"aioflags: cannot listen on 127.0.0.1 port {port}: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    ["--port 65536", "--port x", "--port -1", "--error-rate 1.1", "--error-rate nan", "--delay -1", "--jitter inf"],
)
def test_impossible_option_is_a_wrong_call(arguments: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be meant is refused before anything listens."""
    with pytest.raises(SystemExit) as caught:
        run(["serve", *arguments.split()])
    assert caught.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_help_lists_routes_and_misbehaviours(capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever the server understands in a query stands in the help."""
    from aioflags.flagserver.behaviour import _READERS

    with pytest.raises(SystemExit):
        run(["serve", "--help"])
    text = capsys.readouterr().out
    assert {name for name in _READERS if not re.search(rf"[?&]{name}=", text)} == set()
    assert "/bytes/N" in text
