"""Who takes part: for each its command line for a job, how its version is asked, how it is installed, and why so.

Each is run as its own documentation recommends for many files over few connections. What all have in common: the same
URLs, the same number of connections, keep-alive, names by the last segment of the URL, no second try, no output.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from benchmarks.processes import ROOT

__all__ = ["APT", "CONTENDERS", "PIP", "Command", "Contender", "Job", "aioflags", "beside_peers", "version_of"]

APT = "apt-get install nginx-light wrk curl aria2 wget wget2 openssl"
PIP = (
    "python3 -m venv .peers && .peers/bin/pip install -q 'pip>=25.1' && "
    "URLLIB3_NO_OVERRIDE=1 .peers/bin/pip install -q --no-binary urllib3-future --group bench"
)


@dataclass(frozen=True, slots=True)
class Job:
    """What a contender is to do.

    Args:
        urls: A file with one URL a line.
        config: A file with the same URLs as curl's `-K` has them.
        connections: At once, at most.
        certificate: What to trust for https; `None` for http.
    """

    urls: Path
    config: Path
    connections: int
    certificate: Path | None = None

    def trust(self, option: str) -> list[str]:
        """Give `option` with the certificate, if there is one."""
        return [] if self.certificate is None else [option, str(self.certificate)]


Command = Callable[[Job, Path], list[str]]


@dataclass(frozen=True, slots=True)
class Contender:
    """One of those who take part.

    Args:
        name: For tables and `--peers`.
        why: Why it is called as it is, in one line.
        command: Makes the command line for a job and the destination, which exists.
        asks: The command that tells its version.
        install: The command that installs it.
        most: More connections than that it does not take.
    """

    name: str
    why: str
    command: Command
    asks: Sequence[str]
    install: str = APT
    most: int | None = None

    @property
    def is_ours(self) -> bool:
        """It is aioflags in one of its forms."""
        return self.name.startswith("aioflags")


def aioflags(name: str = "aioflags", why: str = "", *options: str, without_uvloop: bool = False) -> Contender:
    """Make a contender of our own: the command with everything on that is on by default, and `options`."""
    module = "benchmarks.without_uvloop" if without_uvloop else "aioflags"
    program = [sys.executable, "-m", module]

    def command(job: Job, directory: Path) -> list[str]:
        limits = ["--per-host", "0", "-j", str(job.connections), "--progress", "none", "-q", *job.trust("--cacert")]
        return [*program, "get", "-i", str(job.urls), "-d", str(directory), *limits, *options]

    ask = [sys.executable, "-m", "aioflags", "--version"]
    return Contender(name, why or _OURS, command, ask, "pip install -e .")


_OURS = "all defaults, ledger and digests included; --per-host 0, because everything comes from one host"


def _curl(job: Job, directory: Path) -> list[str]:
    at_once = ["-Z", "--parallel-max", str(job.connections)] if job.connections > 1 else []
    place = ["--output-dir", str(directory), "-K", str(job.config)]
    return ["curl", "-q", "-sSf", *at_once, *job.trust("--cacert"), *place]


def _aria2(job: Job, directory: Path, *options: str) -> list[str]:
    limits = ["-j", str(job.connections), *options, *job.trust("--ca-certificate")]
    quiet = ["--quiet", "--no-conf", "--file-allocation=none", "--max-tries=1"]
    return ["aria2c", *quiet, *limits, "-i", str(job.urls), "-d", str(directory)]


def _wget(job: Job, directory: Path) -> list[str]:
    trust = job.trust("--ca-certificate")
    return ["wget", "--no-config", "-q", "--tries=1", *trust, "-i", str(job.urls), "-P", str(directory)]


def _wget2(job: Job, directory: Path, *options: str) -> list[str]:
    limits = [f"--max-threads={job.connections}", *options, *job.trust("--ca-certificate")]
    plain = ["--no-config", "-q", "--tries=1", "--no-robots"]
    return ["wget2", *plain, *limits, "-i", str(job.urls), "-P", str(directory)]


def _library(script: str, job: Job, directory: Path) -> list[str]:
    place = [str(job.urls), str(directory), str(job.connections), *([str(job.certificate)] if job.certificate else [])]
    return [*_script(script), *place]


def _script(name: str) -> list[str]:
    return [_peers_python(), "-m", f"benchmarks.peers.{name}"]


@cache
def _peers_python() -> str:
    """Give the interpreter that has the libraries: of `.peers` in the clone, where there is one, else this one."""
    own = ROOT / ".peers" / "bin" / "python"
    return str(own) if own.exists() else sys.executable


def beside_peers(program: str) -> str:
    """Give the path of a program that a library brings."""
    return str(Path(_peers_python()).with_name(program))


def _python(name: str, script: str, why: str) -> Contender:
    return Contender(name, why, partial(_library, script), [*_script(script), "--version"], PIP)


_ALL = (
    aioflags(),
    Contender(
        "curl",
        "-Z with as many connections; its list in a config file, as its manual has it for many URLs",
        _curl,
        ["curl", "--version"],
        most=300,
    ),
    Contender(
        "wget",
        "one after the other over one connection: it knows nothing else",
        _wget,
        ["wget", "--version"],
    ),
    Contender("wget2", "--max-threads is its number of connections", _wget2, ["wget2", "--version"]),
    Contender(
        "wget2 -N",
        "asks for each file whether it is newer; its -nc would ask nothing, and take a half file for a whole one",
        lambda job, directory: _wget2(job, directory, "-N"),
        ["wget2", "--version"],
    ),
    Contender(
        "aria2",
        "-j downloads at once, each over one connection (-x1 -s1): small files are not worth splitting",
        lambda job, directory: _aria2(job, directory, "-x1", "-s1"),
        ["aria2c", "--version"],
    ),
    Contender(
        "aria2 --conditional-get",
        "asks for each file whether it is newer, and replaces it then; without, it would fetch all under new names",
        lambda job, directory: _aria2(job, directory, "-x1", "-s1", "--conditional-get=true", "--allow-overwrite=true"),
        ["aria2c", "--version"],
    ),
    Contender(
        "aria2 -x4",
        "each file over four connections, which is what its manual offers for large ones",
        lambda job, directory: _aria2(job, directory, "-x4", "-s4", "-k1M"),
        ["aria2c", "--version"],
    ),
    _python("pycurl", "pycurl_multi", "a CurlMulti with as many handles, each used again, as its example does"),
    _python(
        "requests", "requests_threads", "a thread pool with one Session a thread, since Session is not for several"
    ),
    _python("niquests", "niquests_threads", "a thread pool with one Session, which its documentation says is safe"),
    _python("httpx", "httpx_async", "one AsyncClient for all with limits of that many connections, bodies streamed"),
    _python("parfive", "parfive_downloader", "max_conn of that many, no splitting, its progress bar off"),
    _python(
        "pypdl",
        "pypdl_tasks",
        "max_concurrent of that many, one segment a file, display off; it asks for heads one by one",
    ),
)

CONTENDERS = {contender.name: contender for contender in _ALL}
"""By name, in the order in which they run."""


def version_of(contender: Contender) -> str | None:
    """Ask a contender for its version; `None` if it is not installed."""
    return _ask(tuple(contender.asks))


@cache
def _ask(command: tuple[str, ...]) -> str | None:
    if shutil.which(command[0]) is None:
        return None
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    words = done.stdout.split("\n")[0].split() if done.returncode == 0 else []
    return next((word for word in words if word[0].isdigit()), None)
