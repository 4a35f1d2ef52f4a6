"""Every system call of storage and ledger fails once: the first one of its kind, the second, the third, ...

The kernel's answer is forged by `strace`, so that SQLite's calls are met as well as ours. What must hold, whichever
call fails: no bug, no wrong byte under a final name, the ledger calls nothing done that is not; and the same command
completes the job when the fault is gone, with nothing left beside the ledger.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import xxhash

from aioflags.ledger_file import LEDGER_FILE
from aioflags.ledger_rows import State
from aioflags.private import STATE_FOLDER
from tests.torture.kills import read_ledger
from tests.torture.origin import Origin

__all__ = ["CALLS", "Figures", "can_forge", "fail_each_call"]

#: Kind of call to the system calls of it, and to the errors that it may answer with.
CALLS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "open": ("openat", ("EMFILE", "EIO", "ENOSPC")),
    "write": ("write,pwrite64", ("ENOSPC", "EIO", "EINTR", "EDQUOT")),
    "read": ("read,pread64", ("EIO", "EINTR")),
    "sync": ("fsync,fdatasync", ("EIO", "ENOSPC", "EINTR")),
    "link": ("linkat,renameat,rename,renameat2", ("ENOSPC", "EIO", "EPERM", "EROFS")),
    "unlink": ("unlinkat,unlink,rmdir", ("EIO", "EROFS")),
    "cut": ("ftruncate,fallocate", ("EIO", "ENOSPC")),
    "mkdir": ("mkdirat,mkdir", ("ENOSPC", "EROFS")),
    "look": ("newfstatat,fstat,statx,getdents64", ("EIO",)),
    "lock": ("flock,fcntl", ("EIO", "ENOLCK")),
    "map": ("mmap", ("ENOMEM",)),
}
_SMALL, _LARGE = 6, 2_500_000
# Seconds; SQLite waits for a lock that cannot be given back for half a minute.
_PATIENCE = 120.0
# Endings that tell the truth: all is well, some files failed, a local fault.
_HONEST = {0, 1, 3}


@dataclass
class Figures:
    """What was done, and what was not as it must be."""

    runs: int = 0
    faults: int = 0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.faults} system calls failed in {self.runs} runs, wrong: {len(self.wrong)}"


def can_forge() -> str | None:
    """Say why system calls cannot be made to fail here, `None` if they can."""
    if shutil.which("strace") is None:
        return "there is no strace; apt-get install strace"
    tried = subprocess.run(
        ["strace", "-f", "-qq", "-o", os.devnull, "-e", "trace=openat", "true"], capture_output=True, check=False
    )
    return None if tried.returncode == 0 else "this process may not trace others"


def fail_each_call(directory: Path, *, picks: int | None = None, seed: int = 0) -> Figures:
    """Fail one call in each run.

    Args:
        directory: A folder to work in.
        picks: Try so many pairs of a kind of call and an error, chosen by `seed`, with one place of each; `None` for
            all places of all.
        seed: Chooses.
    """
    figures = Figures()
    pairs = [(kind, error) for kind, (_, errors) in CALLS.items() for error in errors]
    chance = random.Random(seed)
    job = Job(directory, figures)
    with Origin(job.bodies, 0) as origin:
        job.write_list(origin)
        if picks is None:
            for kind, error in pairs:
                for place in job.places():
                    if not job.run(kind, error, place):
                        break
        else:
            for kind, error in chance.sample(pairs, picks):
                job.run(kind, error, chance.randrange(1, 8))
    return figures


class Job:
    """A job that is run again and again in a fresh destination.

    Args:
        path: A folder for list and destination.
        figures: Where results are added up.
    """

    def __init__(self, path: Path, figures: Figures) -> None:
        sizes = {f"small{number}": 1000 * number for number in range(_SMALL)} | {"large": _LARGE}
        self.bodies = {name: random.Random(name).randbytes(size) for name, size in sizes.items()}
        self._figures = figures
        self._path = path
        self._directory = path / "files"
        self._log = path / "strace.log"
        self._command = [sys.executable, "-m", "aioflags", "get", "-i", str(path / "list.txt")]
        self._command += ["-d", str(self._directory), "--durability", "batch", "--json", "--progress", "none"]

    def write_list(self, origin: Origin) -> None:
        """Write down what to ask `origin` for."""
        (self._path / "list.txt").write_text("".join(f"{origin.url}/{name}\n" for name in self.bodies))

    def places(self) -> Iterator[int]:
        """Give 1, 2, 3, ..., without those far back that are all alike."""
        place = 1
        while place < 200:
            yield place
            place += 1 + place // 12

    def run(self, kind: str, error: str, place: int) -> bool:
        """Run it with one call failing, look, and run it to its end; false if there is no such call so late."""
        shutil.rmtree(self._directory, ignore_errors=True)
        what = f"{kind} {place} {error}"
        calls, _ = CALLS[kind]
        done = self._call("strace", "-f", "-qq", "--seccomp-bpf", "-o", str(self._log), *self._paths(),
                          "-e", f"trace={calls}", "-e", f"inject={calls}:error={error}:when={place}")  # fmt: skip
        self._figures.runs += 1
        failed = self._log.read_text(errors="replace").count("(INJECTED)")
        self._figures.faults += failed
        if done.returncode not in _HONEST or "Traceback" in done.stderr:
            self._complain(what, f"ended with {done.returncode}: {done.stderr[-600:]}")
        self._look(what, done.stdout if done.returncode != 3 else None)
        again = self._call()
        statuses = {each["status"] for each in map(json.loads, again.stdout.splitlines()) if "status" in each}
        if again.returncode or statuses - {"saved", "present"}:
            self._complain(what, f"again: {again.returncode}, {statuses}: {again.stderr[-600:]}")
        self._look(what, again.stdout)
        if (left := [path.name for path in (self._directory / STATE_FOLDER).glob("*")]) != [LEDGER_FILE]:
            self._complain(what, f"left beside the ledger: {left}")
        return bool(failed)

    def _paths(self) -> Iterator[str]:
        state = self._directory / STATE_FOLDER
        ledger = [state / f"{LEDGER_FILE}{suffix}" for suffix in ("", "-wal", "-shm", "-journal")]
        private = [state, state / "lock", state / "parts", state / "parts" / "lists"]
        for path in (self._directory, *ledger, *private):
            yield from ("-P", str(path))

    def _call(self, *before: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*before, *self._command], capture_output=True, text=True, timeout=_PATIENCE, check=False)

    def _look(self, what: str, said: str | None) -> None:
        """See that no file is wrong, that the ledger tells the truth, and that what was said to be there is."""
        found = {path.name: path.read_bytes() for path in self._directory.glob("*") if path.is_file()}
        for name, body in found.items():
            if body != self.bodies.get(name):
                self._complain(what, f"{name} has wrong bytes")
        for name, (state, size, digest) in read_ledger(self._directory / STATE_FOLDER).items():
            body = found.get(name, b"")
            if state == State.DONE and (size, digest) != (len(body), xxhash.xxh128_hexdigest(body)):
                self._complain(what, f"{name} is not as the ledger has it")
        for each in map(json.loads, (said or "").splitlines()):
            if each.get("status") in {"saved", "present"} and each["path"] not in found:
                self._complain(what, f"{each['path']} was said to be {each['status']}")

    def _complain(self, what: str, complaint: str) -> None:
        self._figures.wrong.append(f"{what}: {complaint}")
