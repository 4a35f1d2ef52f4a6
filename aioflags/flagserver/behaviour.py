"""What the query of a URL asks the server to do wrong, so that a client can be seen coping with it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, unquote

from aioflags.flagserver.messages import BadRequestError
from aioflags.records import dataclass

__all__ = ["Behaviour", "read_behaviour"]

_MAX_DELAY = 86400.0


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How to answer one URL.

    Args:
        path: The decoded path.
        seed: Chooses the content of `/bytes/N`.
        delay: Seconds before the answer.
        status: Answer with this status in place of the content; 0 for the content.
        times: How often, before the content is given after all; `None` for always.
        retry_after: Value of Retry-After that goes with `status`, seconds or a date.
        redirect: Location that goes with `status`, which is 302 unless said otherwise.
        chunked: Frame the body in chunks, so that no length is announced.
        truncate: Close the connection after so many bytes of the body.
        stall: Fall silent after so many bytes of the body, until the client goes away.
        rate: Bytes of the body per second at most.
        ranges: Whether Range is understood.
    """

    path: str
    seed: str = ""
    delay: float = 0.0
    status: int = 0
    times: int | None = None
    retry_after: str | None = None
    redirect: str | None = None
    chunked: bool = False
    truncate: int | None = None
    stall: int | None = None
    rate: int | None = None
    ranges: bool = True

    @property
    def is_plain(self) -> bool:
        """Whether the body goes out as it is, without a stop."""
        return not (self.chunked or self.rate) and self.truncate is None and self.stall is None

    @property
    def fields(self) -> str:
        """Header lines that go with `status`."""
        retry_after = f"Retry-After: {self.retry_after}\r\n" if self.retry_after is not None else ""
        return retry_after + (f"Location: {self.redirect}\r\n" if self.redirect is not None else "")


@lru_cache(maxsize=4096)
def read_behaviour(target: str) -> Behaviour:
    """Read path and query of a request target.

    Raises:
        BadRequestError: A value that is not what its name calls for. Names that are not ours are ignored.

    >>> read_behaviour("/fr/fr.gif?status=503&times=2").times
    2
    """
    path, _, query = target.partition("?")
    wishes: dict[str, Any] = {"path": unquote(path)}
    for name, text in parse_qsl(query, keep_blank_values=True):
        if name in _READERS:
            try:
                wishes[name] = _READERS[name](text)
            except ValueError:
                raise BadRequestError(400, f"the query has no usable value for {name}") from None
    if found := re.fullmatch("/status/([0-9]+)", wishes["path"]):
        wishes.setdefault("status", _read_path_status(found[1]))
    if "redirect" in wishes:
        wishes.setdefault("status", 302)
    return Behaviour(**wishes)


def _read_path_status(text: str) -> int:
    try:
        return _read_status(text)
    except ValueError:
        return 404


def _read_delay(text: str) -> float:
    delay = float(text)
    if not (math.isfinite(delay) and 0 <= delay <= _MAX_DELAY):
        raise ValueError(text)
    return delay


def _read_count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise ValueError(text)
    return int(text)


def _read_rate(text: str) -> int:
    if not (rate := _read_count(text)):
        raise ValueError(text)
    return rate


def _read_status(text: str) -> int:
    status = _read_count(text)
    if not 200 <= status <= 599:
        raise ValueError(text)
    return status


def _read_field(text: str) -> str:
    # What comes percent-decoded from the query goes into a header: a line break there would be a header of its own.
    if not (text.isascii() and text.isprintable()):
        raise ValueError(text)
    return text


def _read_flag(text: str) -> bool:
    return text not in ("", "0")


_READERS: dict[str, Callable[[str], object]] = {
    "seed": str,
    "delay": _read_delay,
    "status": _read_status,
    "times": _read_count,
    "retry_after": _read_field,
    "redirect": _read_field,
    "chunked": _read_flag,
    "truncate": _read_count,
    "stall": _read_count,
    "rate": _read_rate,
    "ranges": _read_flag,
}
