"""The tools: what is called, with which options, and what each keeps for itself beside the files.

Options are those that one would choose for a bulk job that must not go wrong, and the same for all where a tool has
them: three further tries, three seconds without a byte, names kept apart, what is there continued or skipped.

* aioflags: its defaults;
* curl: `-f` keeps error pages out, `--retry-all-errors` tries a cut again, `--remove-on-error` leaves no half file; not
  `-C -`, which joins two versions of an object;
* aria2c: `-c` continues;
* wget, wget2: `-x` makes a folder for each host and path, so that names do not collide; `-N` fetches what has changed;
* parfive: no splitting (`max_splits=1`), its `retry` while there are errors, three times;
* pypdl: `overwrite=False`, which skips what is there; the caller must name each file: the last segment of the URL;
* pooch: names by its `unique_file_name`, `retry_if_failed`.

Of several ways to call a tool the one that survives most is taken: wget with `-N` rather than `-c` or `-nc`, parfive
without splitting, pypdl with it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["LIBRARIES", "TOOLS", "Tool", "absent", "present"]

_CHILD = Path(__file__).with_name("library_child.py")
LIBRARIES = ("parfive", "pypdl", "pooch")

Command = Callable[[Path, Path], list[str]]


@dataclass(frozen=True, slots=True)
class Tool:
    """One contender.

    Args:
        name: For the table.
        version: Its version, as it tells it.
        command: Makes the command line of a URL list (one a line) and a destination.
        private: Patterns of paths below the destination that are the tool's own, none of them a final name.
    """

    name: str
    version: str
    command: Command
    private: tuple[str, ...] = ()


def _aioflags(urls: Path, directory: Path) -> list[str]:
    times = ["--retries", "3", "--first-byte-timeout", "3", "--idle-timeout", "3", "--connect-timeout", "3"]
    command = [sys.executable, "-m", "aioflags", "get", "-i", str(urls), "-d", str(directory), *times]
    return [*command, "--progress", "none"]


def _curl(urls: Path, directory: Path) -> list[str]:
    safety = ["-f", "--retry", "3", "--retry-all-errors", "--remove-on-error"]
    times = ["--connect-timeout", "3", "--speed-limit", "1", "--speed-time", "3"]
    # Its own list knows more than URLs, so they are given as arguments.
    addresses = urls.read_text().split()
    return ["curl", "-sS", "-Z", *safety, *times, "--output-dir", str(directory), "--remote-name-all", *addresses]


def _aria2(urls: Path, directory: Path) -> list[str]:
    tries = ["--max-tries=4", "--retry-wait=1", "--timeout=3", "--connect-timeout=3"]
    return ["aria2c", "--no-conf", "-c", *tries, "-i", str(urls), "-d", str(directory), "--console-log-level=warn"]


def _wget(urls: Path, directory: Path) -> list[str]:
    return ["wget", "--no-config", "-nv", *_like_wget("wget", urls, directory)]


def _wget2(urls: Path, directory: Path) -> list[str]:
    return ["wget2", "--no-config", "-nv", *_like_wget("wget2", urls, directory)]


def _like_wget(program: str, urls: Path, directory: Path) -> list[str]:
    tries = ["--tries=4", "--waitretry=1", "--timeout=3"]
    # The older wget2 has no such option.
    if "--retry-on-http-error" in _output([program, "--help"]):
        tries.append("--retry-on-http-error=429,503")
    return ["-N", "-x", *tries, "-i", str(urls), "-P", str(directory)]


_PROGRAMS: dict[str, tuple[Command, tuple[str, ...], list[str]]] = {
    "aioflags": (_aioflags, (".aioflags", ".aioflags/*"), [sys.executable, "-m", "aioflags", "--version"]),
    "curl": (_curl, (), ["curl", "--version"]),
    "aria2c": (_aria2, ("*.aria2",), ["aria2c", "--version"]),
    "wget": (_wget, (), ["wget", "--version"]),
    "wget2": (_wget2, (), ["wget2", "--version"]),
}
_LIBRARY_PRIVATE = {"parfive": (), "pypdl": ("*.json", "*.bin.[0-9]*"), "pooch": ("tmp*",)}
TOOLS = (*_PROGRAMS, *LIBRARIES)


def present(name: str, peers: str) -> Tool | None:
    """Find a tool, or `None` if it is not installed.

    Args:
        name: One of `TOOLS`.
        peers: The interpreter that has the libraries among them.
    """
    if name in LIBRARIES:
        version = _first_line([peers, str(_CHILD), name])
        command: Command = lambda urls, directory: [peers, str(_CHILD), name, str(urls), str(directory)]  # noqa: E731
        return Tool(name, version, command, _LIBRARY_PRIVATE[name]) if version else None
    make, private, ask = _PROGRAMS[name]
    if not shutil.which(ask[0]):
        return None
    return Tool(name, next(word for word in _first_line(ask).split() if word[0].isdigit()), make, private)


def absent(name: str) -> str:
    """Tell how a tool is installed that is not there."""
    if name in LIBRARIES:
        install = f"python3 -m venv peers && peers/bin/pip install {' '.join(LIBRARIES)}"
        return f"{name} is not installed: skipped ({install}, then --peers peers/bin/python)"
    return f"{name} is not installed: skipped (apt-get install {name.removesuffix('c') if name == 'aria2c' else name})"


def _first_line(command: list[str]) -> str:
    return _output(command).partition("\n")[0].strip()


def _output(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except OSError:
        return ""
    return done.stdout if done.returncode == 0 else ""
