"""Names for threads: one question for all who ask at once, an answer that is kept, and one that there is none, too."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from aioflags.engines import blocking_names
from aioflags.engines.blocking_names import BlockingNames

ROW = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80))


class System:
    """The system's resolver: gives the answers in turn, the last one for ever; `gate` holds it back."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, host: str, _: int, **__: object) -> Any:
        self.asked.append(host)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        assert self.gate.wait(10)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Clock:
    """Stands in for the module `time`."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(blocking_names, "time", made)
    return made


def system(monkeypatch: pytest.MonkeyPatch, *answers: Any) -> System:
    made = System(*answers)
    monkeypatch.setattr(socket, "getaddrinfo", made)
    return made


def test_answer_is_kept_for_a_while(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    """Each address once, in the order of the system's choice; later it is asked again."""
    asked = system(monkeypatch, [ROW, ROW, (*ROW[:4], ("127.0.0.2", 80))])
    names = BlockingNames()
    assert names.find("h", 80) == names.find("h", 443) == ("127.0.0.1", "127.0.0.2")
    assert asked.asked == ["h"]
    clock.now += 301
    names.find("h", 80)
    assert asked.asked == ["h", "h"]


def test_name_that_does_not_exist_is_remembered_for_a_second(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    """With the same error, raised anew; it may exist after that."""
    asked = system(monkeypatch, socket.gaierror(socket.EAI_NONAME, "no"), [ROW])
    names = BlockingNames()
    errors = []
    for _ in range(3):
        with pytest.raises(socket.gaierror) as caught:
            names.find("h", 80)
        errors.append(caught.value)
    assert [error.args for error in errors] == [(socket.EAI_NONAME, "no")] * 3
    assert len(set(map(id, errors))) == 3
    assert asked.asked == ["h"]
    clock.now += 1.1
    assert names.find("h", 80) == ("127.0.0.1",)


def test_other_failures_are_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that is busy may have time the next moment."""
    system(monkeypatch, socket.gaierror(socket.EAI_AGAIN, "later"), UnicodeError("no name"), [ROW])
    names = BlockingNames()
    with pytest.raises(socket.gaierror):
        names.find("h", 80)
    with pytest.raises(UnicodeError):
        names.find("h", 80)
    assert names.find("h", 80) == ("127.0.0.1",)


def test_many_threads_ask_one_question(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that come while it is asked get the same answer; another name is another question."""
    asked = system(monkeypatch, [ROW])
    asked.gate.clear()
    names = BlockingNames()
    with ThreadPoolExecutor(9) as pool:
        found = [pool.submit(names.find, "h", 80) for _ in range(8)]
        found.append(pool.submit(names.find, "other", 80))
        asked.gate.set()
        assert {future.result(10) for future in found} == {("127.0.0.1",)}
    assert sorted(asked.asked) == ["h", "other"]


def test_no_more_than_so_many_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest is forgotten first."""
    monkeypatch.setattr(blocking_names, "_REMEMBERED", 2)
    asked = system(monkeypatch, [ROW])
    names = BlockingNames()
    for host in ("a", "b", "c", "b", "a"):
        names.find(host, 80)
    assert asked.asked == ["a", "b", "c", "a"]
