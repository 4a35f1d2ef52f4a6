"""The program itself, in processes of its own, used as people use it."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from aioflags.flagserver.server import ServerThread
from tests.leftovers import files_in

pytestmark = pytest.mark.slow

PROGRAM = [sys.executable, "-m", "aioflags"]


@pytest.fixture(scope="module")
def server() -> Iterator[ServerThread]:
    """A flag server."""
    with ServerThread() as server:
        yield server


@pytest.fixture(autouse=True)
def empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a directory of its own, with the package on the path."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent.parent))
    monkeypatch.chdir(tmp_path)


def call(*arguments: str, program: Sequence[str] = PROGRAM) -> subprocess.CompletedProcess[str]:
    """Run the program to its end."""
    return subprocess.run([*program, *arguments], capture_output=True, text=True, timeout=60, check=False)


def start(*arguments: str, program: Sequence[str] = PROGRAM) -> subprocess.Popen[str]:
    """Start the program with pipes on all sides."""
    pipe = subprocess.PIPE
    return subprocess.Popen([*program, *arguments], stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def test_one_command_twenty_flags() -> None:
    """The program without arguments ends with twenty flags on disk, and its server is gone with it."""
    done = call()
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"20 flags downloaded in \d+\.\d\ds", done.stdout.splitlines()[-1])
    assert len(os.listdir("downloads")) == 20


@pytest.mark.parametrize("arguments", [["--help"], ["get", "--help"], ["flags", "--help"], ["serve", "--help"]])
def test_help_imports_no_more_than_it_needs(arguments: list[str]) -> None:
    """Help is there at once: neither aiohttp nor rich nor uvloop is imported for it."""
    code = (
        "import sys\nfrom aioflags.__main__ import main\n"
        f"sys.argv = ['aioflags', *{arguments!r}]\n"
        "try: main()\nexcept SystemExit as exit: assert not exit.code\n"
        "print({'aiohttp', 'rich', 'uvloop'} & set(sys.modules), file=sys.stderr)"
    )
    done = call("-c", code, program=[sys.executable])
    assert done.stdout.startswith("usage: aioflags")
    assert done.stderr == "set()\n"


def test_collector_rests_while_the_program_starts() -> None:
    """What is imported stays, and is not looked at again and again."""
    code = (
        "import gc, sys\nfrom aioflags.__main__ import main\nseen = []\ngc.collect()\n"
        "gc.callbacks.append(lambda phase, _: seen.append(phase))\nsys.argv = ['aioflags', 'get', '--help']\n"
        "try: main()\nexcept SystemExit: print(seen, file=sys.stderr)"
    )
    assert call("-c", code, program=[sys.executable]).stderr == "[]\n"


def test_second_signal_stops_at_once(server: ServerThread) -> None:
    """The first Ctrl-C announces the grace, the second ends it; the last line on stderr is how to carry on."""
    with start("get", f"{server.url}bytes/1000?stall=10", "-v", f"{server.url}bytes/1", "--json") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert json.loads(process.stdout.readline())["bytes"] == 1
        process.send_signal(signal.SIGINT)
        while not process.stderr.readline().startswith("interrupted: waiting up to 5 s for 1 transfer"):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=4)
        assert process.returncode == 130
        assert json.loads(out.splitlines()[-1])["saved"] == 1
        assert err.splitlines()[-1].endswith("--json")
        assert files_in("downloads") == ["1"]


INTERRUPTED = """
import os, sys
from aioflags.__main__ import main

module, number, *sys.argv[1:] = sys.argv[1:]
sys.argv[0] = "aioflags"

class Tripwire:
    def find_spec(self, name, *_):
        if name == module:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), int(number))

sys.meta_path.insert(0, Tripwire())
main()
"""


@pytest.mark.parametrize("module", ["aioflags.cli.exits", "aioflags.cli.main", "aioflags.downloader"])
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signal_while_everything_is_imported(module: str, number: int, status: int) -> None:
    """Nothing has begun, and the last line on stderr is how to carry on."""
    done = call("-c", INTERRUPTED, module, str(int(number)), "get", "http://h.test/x", program=[sys.executable])
    assert done.returncode == status
    assert done.stderr.splitlines() == ["Interrupted. To carry on:", "aioflags get http://h.test/x"]


def test_silent_standard_input_holds_nothing_up(server: ServerThread) -> None:
    """With a pipe that stays open and silent, SIGTERM ends the program, and what came before is on disk."""
    with start("get", "-i", "-", "--json") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for number in (1, 2):
            process.stdin.write(f"{server.url}bytes/{number}\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["bytes"] == number
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=4) == 143
        assert json.loads(process.stdout.read())["saved"] == 2
        process.communicate()
        assert files_in("downloads") == ["1", "2"]


def test_stuck_resolver_holds_nothing_up() -> None:
    """A thread that will not come back from the system does not keep the program after Ctrl-C."""
    code = (
        "import os, signal, socket, sys, threading\n"
        "def stick(*_, **__):\n"
        "    os.kill(os.getpid(), signal.SIGINT); threading.Event().wait(1); os.kill(os.getpid(), signal.SIGTERM)\n"
        "    threading.Event().wait()\n"
        "socket.getaddrinfo = stick\n"
        "from aioflags.__main__ import main\n"
        "sys.argv = ['aioflags', 'get', 'http://stuck.test/']\n"
        "main()"
    )
    done = call("-c", code, program=[sys.executable])
    assert done.returncode == 130
    assert done.stderr.splitlines()[-1] == "aioflags get http://stuck.test/"


def test_reader_that_has_seen_enough(server: ServerThread, tmp_path: Path) -> None:
    """When the reader of the records goes away, the program ends without a word."""
    (tmp_path / "list").write_text("".join(f"{server.url}bytes/{number}\n" for number in range(20_000)))
    with start("get", "-i", "list", "--json") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert json.loads(process.stdout.readline())["status"] == "saved"
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(timeout=10) == 3
        assert len(files_in("downloads")) < 20_000


def test_closed_standard_output(server: ServerThread) -> None:
    """Without a standard output the files are fetched all the same, and nothing is printed into a socket."""
    done = call("-c", f'"{sys.executable}" -m aioflags get {server.url}bytes/3 >&-', program=["sh"])
    assert (done.returncode, done.stderr) == (0, "")
    assert files_in("downloads") == ["3"]


def test_full_disk_behind_standard_output(server: ServerThread) -> None:
    """Records that cannot be written end the run with exit 3, and the reason is given."""
    with open("/dev/full", "w") as full:
        command = [*PROGRAM, "get", f"{server.url}bytes/3", "--json"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert done.returncode == 3
    assert done.stderr.splitlines()[-1] == (
        "aioflags: error: standard output cannot be written: No space left on device"
    )


def test_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal there is a bar while it runs, each flag has its line, and the result stands last."""
    monkeypatch.setenv("TERM", "xterm")
    master, slave = pty.openpty()
    process = subprocess.Popen([*PROGRAM, "flags", "FR", "DE", "--delay", "0.5"], stdout=slave, stderr=slave)
    os.close(slave)
    shown = b"".join(iter(lambda: _read(master), b"")).decode()
    os.close(master)
    assert process.wait(timeout=10) == 0
    assert "0/2 files" in shown
    assert "FR  France\r\n" in shown
    after_bar = shown.rpartition("\x1b[2K")[2]
    assert re.fullmatch(r"(FR  France\r\n|DE  Germany\r\n)*2 flags downloaded in \d+\.\d\ds\r\n", after_bar)


def _read(master: int) -> bytes:
    try:
        return os.read(master, 65536)
    except OSError:  # Linux says EIO when the last holder of the other end is gone
        return b""
