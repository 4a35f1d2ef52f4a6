"""Runs one tool through one mishap: server, child process, time limit, and a look at what is on disk afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from benchmarks.torture.mishaps import Mishap, Scene
from benchmarks.torture.server import MishapServer
from benchmarks.torture.tools import Tool
from benchmarks.torture.verdict import Ending, Verdict, judge

__all__ = ["Result", "run"]

# Seconds that a client gets to put on disk what has reached it, before it is killed.
_BEFORE_KILL = 0.7


@dataclass(frozen=True, slots=True)
class Result:
    """What one tool made of one mishap.

    Args:
        mishap: Its number.
        tool: Its name.
        verdict: What became of it.
        command: The command line, with the addresses of this run.
        status: Exit status of the last run.
        elapsed: Seconds, all runs together.
        files: Paths that were left below the destination, the tool's own ones included.
        said: The end of what it printed.
    """

    mishap: str
    tool: str
    verdict: Verdict
    command: list[str]
    status: int | None
    elapsed: float
    files: list[str]
    said: str


def run(mishap: Mishap, tool: Tool, limit: float) -> Result:
    """Put a tool through a mishap, in a folder and against a server of its own; `limit` in seconds for each run."""
    scene = mishap.prepare()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as root, MishapServer(scene.routes) as server:
        home, urls = Path(root, "home"), Path(root, "home", "urls.txt")
        # Deep enough that a name with `../` in it does not leave the folder that is searched.
        directory = Path(root, "one", "two", "files")
        home.mkdir()
        directory.mkdir(parents=True)
        urls.write_text("".join(f"{server.url}{path}\n" for path in scene.routes))
        command = tool.command(urls, directory)
        status, said, before, asked = None, "", 0, 0
        for number in range(scene.runs):
            if number:
                scene.between()
            before, asked = server.sent, server.requests.total()
            status, said = _start(command, home, scene, limit, is_last=number == scene.runs - 1)
        found = _files(Path(root, "one"))
        inside = {
            name.removeprefix("two/files/"): body for name, body in found.items() if name.startswith("two/files/")
        }
        ending = Ending(
            status,
            {name: body for name, body in inside.items() if not any(fnmatch(name, each) for each in tool.private)},
            tuple(found.keys() - {f"two/files/{name}" for name in inside}),
            server.sent - before,
            server.requests.total() - asked,
        )
    elapsed = round(time.monotonic() - started, 1)
    return Result(mishap.key, tool.name, judge(scene, ending), command, status, elapsed, sorted(found), said)


def _start(command: list[str], home: Path, scene: Scene, limit: float, *, is_last: bool) -> tuple[int | None, str]:
    """Run to the end, to the moment of the kill, or to the limit; gives the status and the end of what was said."""
    log = home / "log.txt"
    environment = {name: os.environ[name] for name in ("PATH", "LANG", "VIRTUAL_ENV") if name in os.environ}
    with log.open("wb") as output:
        child = subprocess.Popen(
            command,
            cwd=home,
            env=environment | {"HOME": str(home)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        if scene.kill is not None and not is_last:
            scene.kill.wait(limit)
            time.sleep(_BEFORE_KILL)
            os.killpg(child.pid, signal.SIGKILL)
        try:
            status: int | None = child.wait(limit)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            status = None
    return status, log.read_text(errors="replace")[-2000:]


def _files(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}
