"""The servers that contenders fetch from, each in a process of its own: nginx, and ours where answers come late."""

from __future__ import annotations

import http.client
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.nginx import NGINX, make_certificate, start_nginx
from benchmarks.processes import ROOT

__all__ = ["Server", "serve_files", "serve_late"]

_PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class Server:
    """A server at work.

    Args:
        name: With its version.
        url: For http, with a slash at the end.
        secure: For https, with a slash at the end; `None` if it does not serve that.
        certificate: What to trust for https.
    """

    name: str
    url: str
    secure: str | None = None
    certificate: Path | None = None

    def requests(self) -> int:
        """Tell how many requests it has had, this one included; for a server of files only."""
        connection = http.client.HTTPConnection(self.url.split("/")[2], timeout=_PATIENCE)
        try:
            connection.request("GET", "/requests")
            words = connection.getresponse().read().split()
        finally:
            connection.close()
        # nginx tells of connections accepted, of those handled, and of requests; ours of requests only.
        return int(words[9] if len(words) > 9 else words[0])


@contextmanager
def serve_files(root: Path, *, hosts: int = 1) -> Iterator[Server]:
    """Serve the files below `root` from nginx, or from a server of ours where nginx is not installed.

    Args:
        root: A folder.
        hosts: Listen on so many addresses, 127.0.0.1 and following.

    Raises:
        RuntimeError: It did not start.
    """
    with tempfile.TemporaryDirectory(prefix="benchmarks-server-") as folder:
        certificate = make_certificate(Path(folder))
        port, secure_port = _free_ports(2)
        if NGINX is None:
            command = [sys.executable, "-m", "benchmarks.static_server", str(root), str(port), str(hosts)]
            process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL)
            server = Server("aiohttp's static files", f"http://127.0.0.1:{port}/")
        else:
            process, name = start_nginx(Path(folder), root, port, secure_port if certificate else None, hosts)
            secure = f"https://127.0.0.1:{secure_port}/" if certificate else None
            server = Server(name, f"http://127.0.0.1:{port}/", secure, certificate)
        with _running(process):
            _wait_for(port, process)
            yield server


@contextmanager
def serve_late(delay: float) -> Iterator[Server]:
    """Run the flag server, which answers `delay` seconds late.

    Raises:
        RuntimeError: It did not start.
    """
    command = [sys.executable, "-m", "aioflags", "serve", "--port", "0", "--delay", str(delay)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    with _running(process):
        assert process.stdout is not None
        url = next((word for word in process.stdout.readline().split() if word.startswith("http://")), None)
        if url is None:
            raise RuntimeError("the flag server did not start")
        yield Server("aioflags serve", url.rstrip("/") + "/")


@contextmanager
def _running(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE)
        process.kill()
        process.communicate()


def _free_ports(count: int) -> list[int]:
    """Give ports that nobody has: asked for one after the other, two of them may be the same."""
    with ExitStack() as stack:
        listeners = [stack.enter_context(socket.socket()) for _ in range(count)]
        for listener in listeners:
            listener.bind(("127.0.0.1", 0))
        return [int(listener.getsockname()[1]) for listener in listeners]


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    raise RuntimeError(f"the server did not start: {shutil.which('nginx') or 'our own'}")
