"""How fast the server is for a client that does nothing: measured by wrk, so that nobody takes its limit for ours."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.contenders import APT
from benchmarks.results import Ceiling

__all__ = ["measure_ceiling", "read_report"]

# All paths in turn, each thread from a place of its own. A thread of wrk has an interpreter of its own.
_SCRIPT = """\
local requests = {}
local threads = 0
function setup(thread)
    thread:set("offset", threads * 7919)
    threads = threads + 1
end
function init(arguments)
    for path in io.lines(arguments[1]) do requests[#requests + 1] = wrk.format("GET", path) end
end
function request()
    offset = offset + 1
    return requests[offset % #requests + 1]
end
"""


def measure_ceiling(urls: Sequence[str], connections: int, seconds: float) -> Ceiling:
    """Let wrk ask for all `urls` over and over, from as many connections, for about `seconds`."""
    if shutil.which("wrk") is None:
        return Ceiling(absent=f"wrk is not installed: {APT}")
    parts = urlsplit(urls[0])
    with tempfile.TemporaryDirectory(prefix="benchmarks-wrk-") as folder:
        script, paths = Path(folder, "paths.lua"), Path(folder, "paths")
        script.write_text(_SCRIPT)
        paths.write_text("".join(urlsplit(url).path + "\n" for url in urls))
        threads = min(2, connections)
        load = ["-t", str(threads), "-c", str(connections), "-d", f"{max(1, round(seconds))}s", "--timeout", "60s"]
        command = ["wrk", *load, "-s", str(script), f"{parts.scheme}://{parts.netloc}", "--", str(paths)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    version = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False).stdout.split()
    shown = [{str(script): "SCRIPT", str(paths): "PATHS"}.get(word, word) for word in command]
    try:
        requests, sent = read_report(done.stdout)
    except ValueError:
        return Ceiling(absent=f"wrk ended with {done.returncode}: {(done.stderr or done.stdout)[-200:].strip()}")
    return Ceiling(f"wrk {version[1] if len(version) > 1 else ''}".strip(), shown, requests, sent)


def read_report(text: str) -> tuple[float, float]:
    """Read requests and bytes a second from what wrk prints.

    Raises:
        ValueError: They are not there, or answers were not 200.

    >>> read_report("Requests/sec:  12345.67\\nTransfer/sec:     2.00MB\\n")
    (12345.67, 2097152.0)
    """
    requests = re.search(r"Requests/sec:\s+([\d.]+)", text)
    sent = re.search(r"Transfer/sec:\s+([\d.]+)([KMG]?)B", text)
    if requests is None or sent is None or "Non-2xx" in text:
        raise ValueError(text)
    return float(requests[1]), float(sent[1]) * {"": 1, "K": 2**10, "M": 2**20, "G": 2**30}[sent[2]]
