"""Many small files from one server, against `curl -Z`: A B A B, every byte compared, medians and their ratio."""

from __future__ import annotations

import argparse
import hashlib
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.contenders import Cost, measure, serve

__all__ = ["add_parser"]


def add_parser(commands: Any) -> None:
    """Add the command `small-files`."""
    parser = commands.add_parser("small-files", help=__doc__, description=__doc__)
    parser.add_argument("--files", type=int, default=20_000, help="how many (default: %(default)s)")
    parser.add_argument("--size", type=int, default=2048, help="bytes of each (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=3, help="runs of each contender (default: %(default)s)")
    parser.add_argument("--concurrency", type=int, default=64, help="connections (default: %(default)s)")
    parser.add_argument(
        "--dir",
        default="/dev/shm" if Path("/dev/shm").is_dir() else None,
        help="where the files go; memory, where there is one, so that the disk is not what is measured",
    )
    parser.add_argument("--server", metavar="URL", help="a server that answers URL/bytes/SIZE; default: our own")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Run both contenders in turn and print the table."""
    if args.server:
        compare(args, args.server.rstrip("/"))
        return
    with serve() as url:
        compare(args, url)


def compare(args: argparse.Namespace, url: str) -> None:
    """Let aioflags and curl fetch the same files in turn."""
    urls = [f"{url}/bytes/{args.size}?seed={number}" for number in range(args.files)]
    contenders = {"aioflags": _fetch_by_aioflags}
    if shutil.which("curl"):
        contenders["curl -Z"] = _fetch_by_curl
    else:
        print("curl is not installed: skipped")
    costs: dict[str, list[Cost]] = {name: [] for name in contenders}
    contents: set[str] = set()
    for _ in range(args.runs):
        for name, fetch in contenders.items():
            with tempfile.TemporaryDirectory(dir=args.dir) as directory:
                costs[name].append(fetch(urls, Path(directory), args.concurrency))
                contents.add(_digest(Path(directory) / "files"))
    if len(contents) != 1:
        sys.exit("the contenders saved different bytes")
    _print_table(args, costs)


def _fetch_by_aioflags(urls: list[str], directory: Path, concurrency: int) -> Cost:
    lines = (f"{url},{number:06d}" for number, url in enumerate(urls))
    (directory / "urls.csv").write_text("\n".join(["url,name", *lines]))
    limits = ["-j", str(concurrency), "--per-host", "0", "--progress", "none"]
    command = [sys.executable, "-m", "aioflags", "get", "-i", str(directory / "urls.csv"), "-q", *limits]
    return measure([*command, "-d", str(directory / "files")])


def _fetch_by_curl(urls: list[str], directory: Path, concurrency: int) -> Cost:
    (directory / "files").mkdir()
    lines = (f'url="{url}"\noutput="{number:06d}"' for number, url in enumerate(urls))
    (directory / "curl.cfg").write_text("\n".join(lines))
    command = ["curl", "-s", "-Z", "--parallel-max", str(concurrency), "-K", str(directory / "curl.cfg")]
    return measure(command, directory=directory / "files")


def _digest(directory: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(directory.iterdir()):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def _print_table(args: argparse.Namespace, costs: dict[str, list[Cost]]) -> None:
    base = statistics.median(cost.wall for cost in list(costs.values())[-1])
    print(f"{args.files} files of {args.size} bytes, {args.concurrency} connections, {args.runs} runs each, medians")
    print(f"{'':10} {'wall s':>8} {'cpu s':>8} {'peak MiB':>9} {'files/s':>9} {'times':>6}")
    for name, runs in costs.items():
        wall = statistics.median(cost.wall for cost in runs)
        cpu = statistics.median(cost.cpu for cost in runs)
        memory = max(cost.memory for cost in runs) / 2**20
        print(f"{name:10} {wall:8.2f} {cpu:8.2f} {memory:9.0f} {args.files / wall:9.0f} {wall / base:6.2f}")
