"""An internet of one process: public and private addresses on the loopback of a network namespace, and a name server
that changes its mind. `python -m tests.private_internet DIR` inside of one prints how each engine fared in it.
"""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import socket
import struct
import subprocess
import sys
import threading
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import aioflags
from aioflags.settings import EngineName
from tests.faultserver import FaultServer, answer, say

__all__ = ["EXPECTED", "explore"]

ENGINES: tuple[EngineName, ...] = ("asyncio", "aiohttp", "threads", "processes", "sequential")
PUBLIC, PUBLIC_6 = "93.184.216.34", "2606:4700::1111"
INSIDE = ["127.0.0.1", "10.0.0.5", "169.254.169.254", "100.64.0.1", "192.0.2.1", "::1", "fd00::1", "::ffff:0:7f00:1"]
#: What each name has for addresses, from one question to the next; the last answer stays.
NAMES = {
    "public": [[PUBLIC]],
    "both": [["127.0.0.1", PUBLIC, "10.0.0.5"]],
    "inside": [["10.0.0.5"]],
    "metadata": [["169.254.169.254", "100.64.0.1"]],
    "rebound": [[PUBLIC], ["127.0.0.1"]],
    "unbound": [["127.0.0.1"], [PUBLIC]],
}
BODY = b"from the public server"

#: URL without scheme, with `P` for the port, and path; how it ends where only public addresses may be met. For names
#: that are asked for again when a connection is lost both endings are safe: the first address, or none.
EXPECTED: dict[str, tuple[str | None, ...]] = {
    "public.example:P/saved/1": (None,),
    f"{PUBLIC}:P/saved/2": (None,),
    f"[{PUBLIC_6}]:P/saved/3": (None,),
    "both.example:P/saved/4": (None,),
    "rebound.example:P/saved/5": (None,),
    "rebound.example:P/lost/6": ("disconnected", "policy"),
    "unbound.example:P/saved/7": ("policy",),
    "inside.example:P/saved/8": ("policy",),
    "metadata.example:P/saved/9": ("policy",),
    "localhost:P/saved/10": ("policy",),
    "public.example:P/to-address/11": ("policy",),
    "public.example:P/to-name/12": ("policy",),
    "public.example:P/to-both/13": (None,),
    "public.example:P/to-six/14": ("policy",),
    "public.example:P/to-odd/15": ("redirect",),
    **{
        f"{host}:P/saved/address-{number}": ("policy",)
        for number, host in enumerate(
            [
                "127.0.0.1", "10.0.0.5", "169.254.169.254", "100.64.0.1", "192.0.2.1", "0.0.0.0", "127.255.255.254",
                "224.0.0.1", "255.255.255.255", "[::]", "[::1]", "[fd00::1]", "[fe80::1]", "[::ffff:127.0.0.1]",
                "[::127.0.0.1]", "[64:ff9b::127.0.0.1]", "[2002:7f00:1::]", "[::ffff:0:127.0.0.1]", "[ff02::1]",
                "\uff11\uff12\uff17.0.0.1", "①②⑦.0.0.1", "127。0。0。1", "ⓛocalhost",
            ]
        )
    },
    # No host at all, whatever the policy: every resolver reads these in its own way.
    **{
        f"{host}:P/saved/number-{number}": ("url",)
        for number, host in enumerate(["127.1", "0x7f.1", "0177.0.0.1", "2130706433", "127.0.0.1.", "[fe80::1%25lo]"])
    },
}  # fmt: skip


class NameServer:
    """Answers questions for A records by `NAMES` below `example`, until the process ends."""

    def __init__(self) -> None:
        self._asked: Counter[str] = Counter()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 53))
        threading.Thread(target=self._serve, daemon=True).start()

    def forget(self) -> None:
        """Answer as if nobody had asked before."""
        self._asked.clear()

    def _serve(self) -> None:
        while True:
            question, peer = self._socket.recvfrom(512)
            self._socket.sendto(self._answer(question), peer)

    def _answer(self, message: bytes) -> bytes:
        """Source: RFC 1035, section 4."""
        end = message.index(b"\0", 12)
        kind = struct.unpack("!H", message[end + 1 : end + 3])[0]
        label = message[13 : 13 + message[12]].decode().lower()
        rows = b""
        addresses: list[str] = []
        if kind == 1 and label in NAMES:
            answers = NAMES[label]
            addresses = answers[min(self._asked[label], len(answers) - 1)]
            self._asked[label] += 1
        for address in addresses:
            rows += b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 0, 4) + socket.inet_aton(address)
        code = 0x8180 if label in NAMES else 0x8183
        return message[:2] + struct.pack("!HHHHH", code, 1, len(addresses), 0, 0) + message[12 : end + 5] + rows


def explore(directory: Path) -> dict[str, Any] | None:
    """Run all engines inside of such an internet.

    Returns:
        Engine to `ends` (URL as in `EXPECTED` to kind), `bodies` that are wrong, and `knocks`: connections to private
        addresses. `None` where the system makes no such internet for us.
    """
    addresses = [f"{PUBLIC}/32", f"{PUBLIC_6}/128"]
    addresses += [f"{host}/{128 if ':' in host else 32}" for host in INSIDE if host not in {"127.0.0.1", "::1"}]
    (directory / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    (directory / "hosts").write_text("127.0.0.1 localhost\n")
    steps = ["ip link set lo up", *(f"ip addr add {address} dev lo nodad" for address in addresses)]
    steps += [f"mount --bind {shlex.quote(str(directory / name))} /etc/{name}" for name in ("resolv.conf", "hosts")]
    enter = ["unshare", "--map-root-user", "--net", "--mount", "sh", "-c"]
    if subprocess.run([*enter, " && ".join(steps)], capture_output=True, check=False).returncode:
        return None
    program = shlex.join([sys.executable, "-m", "tests.private_internet", str(directory)])
    command = [*enter, " && ".join([*steps, f"exec {program}"])]
    root = Path(__file__).parent.parent
    process = subprocess.run(command, capture_output=True, text=True, check=False, cwd=root, timeout=100)
    assert process.returncode == 0, process.stderr
    found: dict[str, Any] = json.loads(process.stdout)
    return found


def _redirect(target: str) -> Any:
    return lambda client: client.send(answer(b"", f"Location: {target}", "Connection: close", status=302))


def _explore_inside(directory: Path) -> dict[str, Any]:
    names = NameServer()
    public = FaultServer(host=PUBLIC)
    port = public.port
    faults = {
        "saved": say(answer(BODY)),
        "lost": lambda client: None,
        "to-address": _redirect(f"http://127.0.0.1:{port}/saved"),
        "to-name": _redirect(f"//inside.example:{port}/saved"),
        "to-both": _redirect(f"http://both.example:{port}/saved"),
        "to-six": _redirect(f"http://[::ffff:a9fe:a9fe]:{port}/saved"),
        "to-odd": _redirect(f"http://0x7f.1:{port}/saved"),
    }
    public._faults.update(faults)
    found: dict[str, Any] = {}
    with ExitStack() as stack:
        stack.enter_context(public)
        stack.enter_context(FaultServer(faults, host=PUBLIC_6, port=port))
        inside = [stack.enter_context(FaultServer(host=host, port=port)) for host in INSIDE]
        for engine in ENGINES:
            names.forget()
            home = directory / engine
            urls = {f"http://{url}".replace(":P/", f":{port}/"): url for url in EXPECTED}
            report = asyncio.run(
                aioflags.download_many(urls, home, engine=engine, address_policy="public", retries=1, concurrency=8)
            )
            found[engine] = {
                "ends": {urls[outcome.url]: outcome.error and outcome.error.kind for outcome in report},
                "requests": {urls[o.url]: o.attempts for o in report if o.error and o.error.kind == "policy"},
                "bodies": [str(path) for path in home.iterdir() if path.read_bytes() != BODY],
                "knocks": sum(server.connections for server in inside),
            }
    return found


if __name__ == "__main__":
    print(json.dumps(_explore_inside(Path(sys.argv[1]))), flush=True)
    os._exit(0)
