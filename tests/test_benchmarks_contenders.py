"""Who takes part: asked for the version, skipped aloud if missing, and the peers' scripts bring the right bytes."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from aioflags.flagserver.server import FlagServer, ServerThread
from benchmarks.bench import Bench
from benchmarks.contenders import CONTENDERS, Contender, Job, aioflags, version_of
from benchmarks.corpus import Check, check, sized
from benchmarks.processes import ROOT, measure

PEERS = sorted(path.stem for path in (ROOT / "benchmarks" / "peers").glob("[a-z]*_*.py"))
MISSING = Contender("missing", "", lambda _, __: [], ["no-such-program", "--version"], "apt-get install missing")


def lists(folder: Path, urls: list[str], connections: int = 4) -> Job:
    job = Job(folder / "urls", folder / "config", connections)
    job.urls.write_text("".join(f"{url}\n" for url in urls))
    job.config.write_text("".join(f'url="{url}"\nremote-name\n' for url in urls))
    return job


def test_missing_one_is_skipped_aloud_and_once(tmp_path: Path) -> None:
    """With the command that installs it; who is there takes part."""
    told: list[str] = []
    bench = Bench(tmp_path, tell=told.append)
    for _ in range(2):
        assert [each.name for each in bench.present([MISSING, aioflags()])] == ["aioflags"]
    assert told == ["missing is not installed: skipped (apt-get install missing)"]
    assert bench.skipped == {"missing": "apt-get install missing"}


def test_library_that_is_missing_is_known_by_its_script(tmp_path: Path) -> None:
    """Its script tells no version, and that is enough."""
    program = [sys.executable, "-c", "import sys; sys.exit(1)"]
    assert version_of(replace(MISSING, asks=program)) is None


def test_only_those_asked_for_take_part_and_ours_always(tmp_path: Path) -> None:
    """Whoever else is installed."""
    bench = Bench(tmp_path, peers=frozenset())
    assert [each.name for each in bench.contenders("aioflags", *CONTENDERS)] == ["aioflags", "aioflags"]
    assert bench.skipped == {}


def test_version_is_what_the_program_says() -> None:
    """The first word of its first line that begins with a digit."""
    ask = [sys.executable, "-c", "print('curl-like 7.88.1 (x86_64) lib/1.2')"]
    assert version_of(replace(MISSING, asks=ask)) == "7.88.1"


@pytest.mark.parametrize("name", CONTENDERS)
def test_each_is_called_with_the_same_urls_and_connections(tmp_path: Path, name: str) -> None:
    """And says why it is called so, and how it is installed."""
    contender = CONTENDERS[name]
    job = Job(tmp_path / "urls", tmp_path / "config", 7, tmp_path / "trust")
    command = contender.command(job, tmp_path / "files")
    assert {str(job.urls), str(job.config)} & set(command)
    assert str(tmp_path / "files") in command
    assert any(word.endswith(str(job.certificate)) for word in command)
    assert name == "wget" or any(word in {"7", "--max-threads=7"} for word in command)
    assert contender.why
    assert contender.install


@pytest.mark.slow
@pytest.mark.parametrize("name", [each for each in CONTENDERS if each != "aria2 --conditional-get"])
def test_installed_contenders_bring_the_right_bytes(tmp_path: Path, name: str) -> None:
    """All of them, and nothing else; who is not installed says so by having no version."""
    contender = CONTENDERS[name]
    if version_of(contender) is None:
        pytest.skip(f"{name} is not installed: {contender.install}")
    corpus = sized(12, 2000)
    files = tmp_path / "files"
    files.mkdir()
    with ServerThread(FlagServer()) as server:
        job = lists(tmp_path, [f"{server.url}{file.path}" for file in corpus.files])
        cost = measure(contender.command(job, files), limit=60.0)
    assert (cost.exit, check(corpus.files, files)) == (0, Check()), cost.stderr


@pytest.mark.parametrize("script", PEERS)
def test_script_tells_its_version_or_fails(script: str) -> None:
    """Never both, whichever libraries this interpreter has."""
    command = [sys.executable, "-m", f"benchmarks.peers.{script}", "--version"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) is done.stdout.strip()[:1].isdigit()
