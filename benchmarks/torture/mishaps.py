"""The mishaps: what the server does, what must be on disk afterwards, and what must not."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

from benchmarks.torture.server import Exchange, Route

__all__ = ["MISHAPS", "Mishap", "Scene"]

_HALF = 2 << 20
_SIZE = 2 * _HALF


@dataclass
class Scene:
    """A mishap made ready for one tool.

    Args:
        routes: Path to what the server does.
        wanted: Contents that must be there in the end, each in a file of its own, whatever its name.
        refused: URLs that cannot be had; a tool that ends with 0 all the same says what is not true.
        is_due: Nothing hinders the wanted files, so that an honest failure is none.
        wrong: Contents that may be found in their place, and what that is called.
        others: Bodies that the server starts to send though none of them must be there; halves are recognised.
        runs: How often the tool is started.
        kill: Set when the first run is to be killed.
        between: Called before the second run.
        is_finished: Everything was there before the second run, which may fetch no body again and may not fail.
    """

    routes: Mapping[str, Route]
    wanted: list[bytes]
    refused: int = 0
    is_due: bool = False
    wrong: dict[bytes, str] = field(default_factory=dict)
    others: list[bytes] = field(default_factory=list)
    runs: int = 1
    kill: threading.Event | None = None
    between: Callable[[], None] = lambda: None
    is_finished: bool = False


@dataclass(frozen=True, slots=True)
class Mishap:
    """A mishap by its number; `prepare` makes a fresh scene of it."""

    key: str
    title: str
    prepare: Callable[[], Scene]


def _body(seed: str, size: int = _SIZE) -> bytes:
    return Random(seed).randbytes(size)


def _well(body: bytes) -> Route:
    return lambda exchange: exchange.serve(body)


def _one_basename() -> Scene:
    bodies = [_body(name, 5000) for name in "abc"]
    return Scene(
        {f"/{name}/data.bin": _well(body) for name, body in zip("abc", bodies, strict=True)}, bodies, is_due=True
    )


def _queries() -> Scene:
    bodies = [_body(name, 5000) for name in "12"]
    return Scene({f"/q?id={name}": _well(body) for name, body in zip("12", bodies, strict=True)}, bodies, is_due=True)


def _always_cut() -> Scene:
    body = _body("cut")
    return Scene(
        {"/cut.bin": lambda exchange: exchange.serve(body, until=_HALF, ranges=False)}, [], refused=1, others=[body]
    )


def _cut_once() -> Scene:
    body = _body("once")
    return Scene(
        {"/once.bin": lambda exchange: exchange.serve(body, until=_HALF if exchange.count == 1 else None)}, [body]
    )


def _replaced() -> Scene:
    old, new = _body("old"), _body("new")
    is_new = threading.Event()

    def route(exchange: Exchange) -> None:
        if is_new.is_set():
            exchange.serve(new)
        else:
            exchange.serve(old, until=_HALF)

    return Scene({"/moving.bin": route}, [new], wrong={old: "old version"}, others=[old], runs=2, between=is_new.set)


def _no_ranges_after_all() -> Scene:
    body = _body("claims")
    return Scene({"/claims.bin": lambda exchange: exchange.answer(200, body, "Accept-Ranges: bytes")}, [body])


def _whole_for_a_range() -> Scene:
    body = _body("cut and claims")

    def route(exchange: Exchange) -> None:
        until = _HALF if exchange.method == "GET" and exchange.count == 1 else None
        exchange.answer(200, body, "Accept-Ranges: bytes", 'ETag: "1"', until=until)

    return Scene({"/whole.bin": route}, [body], wrong={body[:_HALF] + body: "half, then whole"})


def _busy(status: int) -> Callable[[], Scene]:
    def prepare() -> Scene:
        body = _body("busy", 5000)
        page = b"<html>too busy, come back later</html>"
        opens: list[float] = []

        def route(exchange: Exchange) -> None:
            now = time.monotonic()
            if not opens:
                opens.append(now + 3)
            if now < opens[0]:
                exchange.answer(status, page, "Retry-After: 3")
            else:
                exchange.serve(body)

        return Scene({"/busy.bin": route}, [body], wrong={page: "error page saved"})

    return prepare


def _hostile_name() -> Scene:
    body = _body("name", 5000)
    field = 'Content-Disposition: attachment; filename="../../evil.sh"'
    return Scene({"/named.bin": lambda exchange: exchange.answer(200, body, field)}, [body])


def _missing_beside() -> Scene:
    body = _body("good", 5000)
    page = b"<html>there is no such page</html>"
    return Scene({"/good.bin": _well(body)} | {"/gone.bin": lambda exchange: exchange.answer(404, page)}, [body], 1,
                 is_due=True, wrong={page: "404 page saved"})  # fmt: skip


def _coded() -> Scene:
    plain = _body("tar", 50_000)
    packed = gzip.compress(plain, mtime=0)
    return Scene(
        {"/files.tar.gz": lambda exchange: exchange.answer(200, packed, "Content-Encoding: gzip")},
        [packed],
        wrong={plain: ".gz unpacked"},
    )


def _killed() -> Scene:
    body = _body("killed")
    is_restarted = threading.Event()
    kill = threading.Event()

    def route(exchange: Exchange) -> None:
        if is_restarted.is_set() or exchange.method == "HEAD":
            exchange.serve(body)
        else:
            exchange.serve(body, until=_HALF)
            kill.set()
            exchange.hold()

    return Scene({"/big.bin": route}, [body], is_due=True, runs=2, kill=kill, between=is_restarted.set)


def _again() -> Scene:
    bodies = [_body(f"again {number}", 2000) for number in range(20)]
    routes = {f"/file{number}.bin": _well(body) for number, body in enumerate(bodies)}
    return Scene(routes, bodies, is_due=True, runs=2, is_finished=True)


def _stalls() -> Scene:
    body = _body("stalls")

    def route(exchange: Exchange) -> None:
        exchange.serve(body, until=_HALF, ranges=False)
        if exchange.method != "HEAD":
            exchange.hold()

    return Scene({"/stalls.bin": route}, [], refused=1, others=[body])


MISHAPS = (
    Mishap("T1", "three URLs, one basename", _one_basename),
    Mishap("T1b", "q?id=1 and q?id=2", _queries),
    Mishap("T2", "body always cut at half", _always_cut),
    Mishap("T3", "cut once, server has ranges", _cut_once),
    Mishap("T4", "cut, replaced by one of its size, run again", _replaced),
    Mishap("T5", "claims ranges, answers them with 200", _no_ranges_after_all),
    Mishap("T5b", "the same, and cut once", _whole_for_a_range),
    Mishap("T6", "429 with Retry-After: 3", _busy(429)),
    Mishap("T6b", "503 with Retry-After: 3", _busy(503)),
    Mishap("T7", "name ../../evil.sh in the header", _hostile_name),
    Mishap("T8", "a 404 beside a 200", _missing_beside),
    Mishap("T9", ".tar.gz labelled Content-Encoding: gzip", _coded),
    Mishap("T10", "SIGKILL at half a file, run again", _killed),
    Mishap("T11", "finished job of 20 files, run again", _again),
    Mishap("T12", "body stalls for ever", _stalls),
)
