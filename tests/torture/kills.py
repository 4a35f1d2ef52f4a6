"""`kill -9` at random moments over jobs of small and large files, and the same command again, until all is there.

What must hold, whenever the kill comes: no wrong byte under a final name; every final name is known to the ledger, and
what it says is done is there, whole; what is there is not asked for again, so there are at most as many requests as
items and what was in flight at each kill, on the network or to the disk; the last run completes the job, and one more
finds nothing to do; beside the files only the ledger is left.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Set
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import xxhash

from aioflags.ledger_file import LEDGER_FILE
from aioflags.ledger_rows import State, read_digests
from aioflags.private import STATE_FOLDER
from tests.torture.origin import Origin

__all__ = ["Figures", "Job", "kill_again_and_again"]

_SMALL, _LARGE = 120, 6
_LARGE_SIZE = 4_000_000
_CONCURRENCY = 8
# Kills of one job, at most; then another job is begun, so that every kind of moment comes up again.
_KILLS_A_JOB = 6
_PATIENCE = 60.0
_ENOUGH = 10


@dataclass
class Figures:
    """What was done, and what was not as it must be."""

    kills: int = 0
    jobs: int = 0
    files: int = 0
    requests: int = 0
    continued: int = 0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        requests = f"{self.requests} requests, {self.continued} of them for the rest of a half file"
        return (
            f"{self.kills} kills survived in {self.jobs} jobs, {self.files} files, {requests}, wrong: {len(self.wrong)}"
        )


def kill_again_and_again(kills: int, seed: int, directory: Path, *, engine: str = "asyncio") -> Figures:
    """Kill the command line `kills` times.

    Args:
        kills: How often.
        seed: Chooses the moments and the durability of each job; which moment that is on the disk, the system chooses.
        directory: A folder for jobs and lists.
        engine: How attempts are made.
    """
    chance = random.Random(seed)
    figures = Figures()
    # A program that does not even run is not killed, and a broken one need not be shown broken a hundred times.
    while figures.kills < kills and len(figures.wrong) < _ENOUGH:
        figures.jobs += 1
        path = directory / f"job{figures.jobs}"
        path.mkdir()
        Job(path, chance, figures, engine).run(min(_KILLS_A_JOB, kills - figures.kills))
    return figures


class Job:
    """One list, one destination, several runs.

    Args:
        path: A folder for list and destination.
        chance: Chooses.
        figures: Where results are added up.
        engine: How attempts are made.
    """

    def __init__(self, path: Path, chance: random.Random, figures: Figures, engine: str) -> None:
        sizes = {f"small{number}": chance.randrange(30_000) for number in range(_SMALL)}
        sizes |= {f"large{number}": _LARGE_SIZE + number for number in range(_LARGE)}
        self._bodies = {name: random.Random(name).randbytes(size) for name, size in sizes.items()}
        self._chance = chance
        self._figures = figures
        self._directory = path / "files"
        self._list = path / "list.txt"
        durability = chance.choice(["none", "batch", "file"])
        self.command = [sys.executable, "-m", "aioflags", "get", "-i", str(self._list), "-d", str(self._directory)]
        self.command += ["--engine", engine, "--durability", durability, "-j", str(_CONCURRENCY), "--per-host", "0"]
        self.command += ["--json", "--progress", "none", "--min-speed", "0"]
        # By inode, size and time of change: what was compared and is still the same file is not read again.
        self._compared: dict[str, tuple[int, int, int]] = {}

    def run(self, kills: int) -> None:
        """Kill it so often, or until it is complete; then let it complete, and look once more."""
        with Origin(self._bodies, 0.004) as origin:
            names = list(self._bodies)
            self._chance.shuffle(names)
            self._list.write_text("".join(f"{origin.url}/{name}\n" for name in names))
            for _ in range(kills):
                if not self._run_and_kill(origin, sum(map(len, self._bodies.values())) // kills):
                    break
            self._complete(origin, "saved", "present")
            if self._files().keys() != self._bodies.keys():
                self._figures.wrong.append(f"not complete in the end: {self._bodies.keys() - self._files().keys()}")
            requests = origin.requests.total()
            self._complete(origin, "present")
            if origin.requests.total() != requests:
                self._figures.wrong.append(f"{origin.requests.total() - requests} requests for a finished job")
            if (left := os.listdir(self._directory / STATE_FOLDER)) != [LEDGER_FILE]:
                self._figures.wrong.append(f"left beside the ledger: {left}")
            self._figures.files += len(self._files())
            self._figures.requests += requests
            self._figures.continued += origin.continued

    def _run_and_kill(self, origin: Origin, share: int) -> bool:
        """Start it and kill it after a random number of bytes, or soon; `False` if it was done before."""
        before, there = origin.requests.copy(), self._files().keys()
        enough = origin.sent + self._chance.randrange(2 * share)
        # The moments of starting and of ending have no bytes to count.
        until = time.monotonic() + (self._chance.random() if self._chance.random() < 0.3 else _PATIENCE)
        child = subprocess.Popen(
            self.command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True, text=True
        )
        while child.poll() is None and origin.sent < enough and time.monotonic() < until:
            time.sleep(0.0005)
        is_killed = child.poll() is None
        if is_killed:
            os.killpg(child.pid, signal.SIGKILL)
            self._figures.kills += 1
        said = child.communicate()[1]
        if not is_killed and child.returncode:
            self._figures.wrong.append(f"ended with {child.returncode}: {said[-300:]}")
        self._look(origin.requests - before, there)
        return is_killed

    def _look(self, requests: Counter[str], there: Set[str]) -> None:
        """See that nothing on disk is wrong, and that nothing was asked for in vain."""
        now = self._files()
        for name, path in now.items():
            if name not in self._bodies:
                self._figures.wrong.append(f"{name} should not be there")
            elif self._compared.get(name) != (mark := _mark(path)):
                if path.read_bytes() != self._bodies[name]:
                    self._figures.wrong.append(f"{name} has wrong bytes")
                self._compared[name] = mark
        self._look_into_ledger(now)
        if again := requests.keys() & there:
            self._figures.wrong.append(f"asked for again: {sorted(again)}")
        # As many again as may be received may have come, and be on their way to the disk.
        if (in_flight := requests.total() - len(now.keys() - there)) > 2 * _CONCURRENCY:
            self._figures.wrong.append(f"{in_flight} requests in flight at a kill")

    def _look_into_ledger(self, files: Mapping[str, Path]) -> None:
        """See that it knows every file, and that what it calls done is there and what it says."""
        rows = read_ledger(self._directory / STATE_FOLDER)
        whole = {name for name, (state, _, _) in rows.items() if state in {State.READY, State.DONE}}
        if unknown := files.keys() - whole:
            self._figures.wrong.append(f"not in the ledger: {sorted(unknown)}")
        for name, (state, size, digest) in rows.items():
            body = self._bodies[name]
            is_true = name in files and size == len(body) and digest == xxhash.xxh128_hexdigest(body)
            if state == State.DONE and not is_true:
                self._figures.wrong.append(f"{name} is not as the ledger has it")

    def _complete(self, origin: Origin, *statuses: str) -> None:
        """Run it to its end, with nothing but these statuses."""
        before, there = origin.requests.copy(), self._files().keys()
        done = subprocess.run(self.command, capture_output=True, text=True, timeout=_PATIENCE, check=False)
        outcomes = [json.loads(line) for line in done.stdout.splitlines()][:-1]
        bad = [each for each in outcomes if each["status"] not in statuses]
        if done.returncode or bad or len(outcomes) != len(self._bodies):
            ended = f"ended with {done.returncode} and {len(outcomes)} outcomes"
            first = f"{len(bad)} bad, as {bad[0]['url']}: {bad[0]['status']}, {bad[0]['error']}" if bad else done.stderr
            self._figures.wrong.append(f"{ended}: {first[:300]}")
        self._look(origin.requests - before, there)

    def _files(self) -> dict[str, Path]:
        """Everything below the destination but the folder of the ledger."""
        found = {str(path.relative_to(self._directory)): path for path in self._directory.rglob("*")}
        return {name: path for name, path in found.items() if not name.startswith(STATE_FOLDER)}


def read_ledger(folder: Path) -> dict[str, tuple[int, int, str]]:
    """Name to state, size and digest, out of a copy: what is read is written to, where a log has to be played back."""
    with tempfile.TemporaryDirectory() as place:
        for path in folder.glob(f"{LEDGER_FILE}*") if folder.exists() else ():
            shutil.copy(path, place)
        if not (copy := Path(place, LEDGER_FILE)).exists():
            return {}
        with closing(sqlite3.connect(copy)) as connection:
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'items'").fetchone():
                return {}
            rows = connection.execute("SELECT name, state, size, digests FROM items WHERE name IS NOT NULL")
            return {name: (state, size, read_digests(digests).get("xxh128", "")) for name, state, size, digests in rows}


def _mark(path: Path) -> tuple[int, int, int]:
    status = path.stat()
    return status.st_ino, status.st_size, status.st_ctime_ns
