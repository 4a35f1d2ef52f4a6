"""The system's look-up of names, replaced: tests ask no name server."""

from __future__ import annotations

import socket
import threading
from typing import Any

PUBLIC, PRIVATE, PUBLIC_6, LINK_6 = "93.184.216.34", "10.0.0.7", "2606:4700::1111", "fe80::1"


class System:
    """What `socket.getaddrinfo` is replaced by.

    Args:
        names: Name to its addresses, or to the error that it ends in.
    """

    def __init__(self, names: dict[str, list[str] | OSError]) -> None:
        self.names = names
        self.asked: list[str] = []
        self.threads: set[str] = set()
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, host: str, port: int, family: int, *rest: int) -> list[tuple[Any, ...]]:
        self.asked.append(host)
        self.threads.add(threading.current_thread().name)
        self.gate.wait(10)
        found = self.names[host]
        if isinstance(found, OSError):
            raise found
        return [self._row(address, port) for address in found]

    def _row(self, address: str, port: int) -> tuple[Any, ...]:
        if ":" not in address:
            return socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)
        scope = 3 if address == LINK_6 else 0
        return socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, scope)


def usual_system() -> System:
    """One with a name of each sort."""
    return System(
        {
            "both": [PUBLIC, PRIVATE],
            "public": [PUBLIC, PUBLIC_6],
            "private": [PRIVATE, LINK_6],
            "nowhere": socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
            "later": socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"),
        }
    )
