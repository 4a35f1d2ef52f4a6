"""What a run says of its waiting, in notes and to whoever asks."""

from __future__ import annotations

from aioflags.breaker import GivenUp
from aioflags.cli.progress import Snapshot, Transfer
from aioflags.cli.waiting import Notes, show_moment, show_wait
from aioflags.errors import make_error
from aioflags.jobs import Waiting
from aioflags.schedule import Pause

PAUSED = Pause("a.example", 130.0, "status 503 with Retry-After", 7)
DEAD = GivenUp("b.example", 20, make_error("connect", "Connection refused", "b.example"), 160.0)
RETRY = Pause("c.example", 104.0, "another attempt", 2)


def test_network_is_news_for_everybody_once() -> None:
    """When it goes and when it comes."""
    notes = Notes(is_verbose=False)
    down = Waiting(way="the network", probe_at=101.0)
    assert notes.look(Waiting(), 100.0) == []
    assert notes.look(down, 100.0) == ["waiting for the network: nothing gets through"]
    assert notes.look(down, 100.2) == []
    assert notes.look(Waiting(), 120.0) == ["the network is back"]
    assert notes.look(Waiting(), 121.0) == []


def test_network_that_does_not_come_back_is_not_said_to_be_back() -> None:
    """Its items fail now."""
    notes = Notes(is_verbose=False)
    notes.look(Waiting(way="the network"), 100.0)
    assert notes.look(Waiting(is_in_vain=True), 400.0) == ["the network did not come back; no longer waiting"]


def test_hosts_are_news_for_who_wants_more() -> None:
    """Each pause and each giving-up once, with its seconds and its reason, and its end."""
    notes = Notes(is_verbose=True)
    waiting = Waiting(paused=(PAUSED,), given_up=(DEAD,))
    assert notes.look(waiting, 100.0) == [
        "b.example is given up for 60 s: Connection refused",
        "a.example is paused for 30 s: status 503 with Retry-After",
    ]
    assert notes.look(waiting, 101.0) == []
    longer = Waiting(paused=(PAUSED,), given_up=(GivenUp("b.example", 21, DEAD.error, 280.0),))
    assert notes.look(longer, 110.0) == ["b.example is given up for 170 s: Connection refused"]
    assert notes.look(Waiting(), 131.0) == ["b.example is back", "a.example goes on"]
    assert Notes(is_verbose=False).look(waiting, 100.0) == []


def test_short_rests_are_no_news() -> None:
    """A pause of less than a second is part of the work."""
    notes = Notes(is_verbose=True)
    assert notes.look(Waiting(paused=(PAUSED,)), 129.5) == []


def test_progress_says_what_the_whole_run_waits_for() -> None:
    """The network before all; a host or a next attempt only if nothing is in flight; the first to be over."""
    busy = [Transfer("a", "h", 9.0, 5, 10)]
    assert show_wait(Waiting(way="the network", paused=(PAUSED,)), busy, 100.0) == "waiting for the network"
    assert show_wait(Waiting(paused=(PAUSED,)), busy, 100.0) == ""
    assert show_wait(Waiting(paused=(PAUSED,), retry=RETRY), [], 100.0) == "waiting for c.example, 4 s"
    assert show_wait(Waiting(paused=(PAUSED,)), [], 100.0) == "waiting for a.example, 30 s"
    assert show_wait(Waiting(retry=RETRY), [], 200.0) == "waiting for c.example, 0 s"
    assert show_wait(Waiting(), [], 100.0) == ""


def test_slow_destination_is_seen() -> None:
    """All bytes are here, and for seconds no file is."""
    here = Transfer("a", "h", 9.0, 10, 10)
    assert show_wait(Waiting(), [here], 100.0) == "waiting for the disk"
    assert show_wait(Waiting(), [here, Transfer("b", "h", 9.0, 9, 10)], 100.0) == ""
    assert show_wait(Waiting(), [here, Transfer("b", "h", 0.1, 10, 10)], 100.0) == ""


def test_moment_is_told_in_a_few_lines() -> None:
    """How far the job is, what is in flight, what is waited for, and for how long."""
    transfers = [
        Transfer("new", "h", 1.0, 5, None, "http://h/new?sig=***"),
        Transfer("old", "h", 9.0, 5, 10, "http://h/old"),
    ]
    waiting = Waiting("the network", 107.0, False, (PAUSED,), (DEAD,), RETRY)
    assert show_moment(Snapshot(done=5, total=20), transfers, waiting, 100.0) == [
        "5/20 files, 0 B, 0 B/s",
        "in flight:  50% of 10 B, 0:09  old  (h)  http://h/old",
        "in flight: 5 B, 0:01  new  (h)  http://h/new?sig=***",
        "paused: a.example for 30 s, status 503 with Retry-After; 7 items waiting",
        "given up: b.example for 60 s, connect: Connection refused",
        "another attempt: 2 items, the first at c.example in 4 s",
        "waiting for the network: looked for again in 7 s",
    ]
    assert "given up: b.example until a probe goes well, connect: Connection refused" in show_moment(
        Snapshot(), [], waiting, 160.0
    )


def test_moment_stays_short() -> None:
    """Of a thousand transfers the oldest are shown."""
    transfers = [Transfer(str(age), "h", float(age), 0, None) for age in range(1000)]
    lines = show_moment(Snapshot(), transfers, Waiting(), 100.0)
    assert len(lines) == 22
    assert "  999  " in lines[1]
    assert lines[-1] == "... and 980 more"


def test_hostile_text_is_escaped() -> None:
    """A host may have sent us any name."""
    hostile = Waiting(paused=(Pause("\x1b[2J", 130.0, "x", 1),), given_up=(GivenUp("\x1b]0;", 1, DEAD.error, 200.0),))
    lines = [*Notes(is_verbose=True).look(hostile, 100.0), *show_moment(Snapshot(), [], hostile, 100.0)]
    assert "\x1b" not in "".join(lines)
