"""`python -m tests.torture {soak,kills,calls}`: the long forms."""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
import tempfile
import time
from pathlib import Path

import uvloop

from aioflags.settings import EngineName
from tests.torture.calls import can_forge, fail_each_call
from tests.torture.kills import kill_again_and_again
from tests.torture.soak import soak


def main() -> int:
    """Choose the torture; 1 if anything was not as it must be."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="default: another one each time")
    parser.add_argument("--engine", choices=["asyncio", "threads", "processes"], default="asyncio")
    parser.add_argument("--dir", help="where the folder for it is made (default: the system's)")
    commands = parser.add_subparsers(required=True, dest="command")
    soaking = commands.add_parser("soak", help="one item in five meets a fault")
    soaking.add_argument("--items", type=int, default=20_000, help="(default: %(default)s)")
    killing = commands.add_parser("kills", help="kill -9 at random moments, and the same command again")
    killing.add_argument("--kills", type=int, default=200, help="(default: %(default)s)")
    commands.add_parser("calls", help="every system call of storage and ledger fails once (needs strace)")
    args = parser.parse_args()
    if args.command == "calls" and (reason := can_forge()):
        parser.error(reason)
    print(f"seed {args.seed}, engine {args.engine}", flush=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(dir=args.dir) as directory:
        engine: EngineName = args.engine
        if args.command == "soak":
            run = soak(args.items, args.seed, Path(directory, "files"), engine=engine)
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                soaked = runner.run(run)
            wrong, line = soaked.wrong, str(soaked)
        elif args.command == "calls":
            failed = fail_each_call(Path(directory))
            wrong, line = failed.wrong, str(failed)
        else:
            killed = kill_again_and_again(args.kills, args.seed, Path(directory), engine=engine)
            wrong, line = killed.wrong, str(killed)
    print(*wrong[:50], f"{line} ({time.monotonic() - started:.0f} s)", sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
