"""What a later run makes of what earlier ones have left: what is done is not asked for, what is false not believed."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aioflags.destination import Destination
from aioflags.digests import Digests
from aioflags.errors import make_error
from aioflags.items import Item, Outcome, Rejected, Status
from aioflags.journal import End, Half, Ready
from aioflags.ledger import Ledger
from aioflags.ledger_rows import State
from aioflags.register import Claim, Register
from aioflags.roll import Roll
from aioflags.settings import Existing

FLAG = b"flag"
URL = "http://h/a"
SHA256 = hashlib.sha256(FLAG).hexdigest()


def digests_of(data: bytes) -> dict[str, str]:
    digests = Digests()
    digests.update(data)
    return digests.as_hex()


class Run:
    """One run over a destination that keeps a ledger; does what an engine and the downloader would."""

    def __init__(self, home: Path, existing: Existing = "fail", *, update: bool = False) -> None:
        self.home = home
        self.destination = Destination(home, is_kept=True)
        self.destination.open()
        places = self.destination.state_path, self.destination.run_path
        self.ledger = Ledger.open(*places, is_kept=True, is_left_over=self.destination.is_left_over)
        self.register = Register(self.destination, self.ledger, existing, update=update)

    def claim(self, item: Item | Rejected | str = URL, *, in_list: bool = True) -> Claim:
        entry = Item(item) if isinstance(item, str) else item
        (claim,) = self.register.claim([entry], Roll() if in_list else None)
        if isinstance(claim, Claim):
            return claim
        # Recognised at a glance.
        assert claim.status is Status.PRESENT
        return Claim(entry, name=claim.path, present=claim.bytes, present_digests=claim.digests)

    def write(self, claim: Claim, data: bytes = FLAG, etag: str | None = None) -> None:
        """Do all but tell the ledger that the file is there."""
        assert claim.name is not None
        part = self.destination.new_part()
        part.write(data)
        part.close()
        self.ledger.ready([Ready(claim.row, len(data), digests_of(data), etag)])
        self.destination.publish(part, claim.name, may_replace=claim.may_replace)

    def save(self, claim: Claim, data: bytes = FLAG, etag: str | None = None) -> None:
        self.write(claim, data, etag)
        outcome = Outcome(URL, Status.SAVED, claim.name, len(data), digests_of(data), 200, 1)
        self.ledger.record([End(claim.row, outcome)])

    def fail(self, claim: Claim) -> None:
        error = make_error("http", "status 503", "h")
        self.ledger.record([End(claim.row, Outcome(URL, Status.FAILED, http_status=503, attempts=1, error=error))])

    def end(self) -> None:
        self.ledger.close()
        self.destination.close()


Start = Callable[..., Run]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a run; the one before has to have ended."""
    runs: list[Run] = []

    def start_one(existing: Existing = "fail", *, update: bool = False) -> Run:
        runs.append(Run(tmp_path, existing, update=update))
        return runs[-1]

    yield start_one
    for run in runs:
        run.end()


def done(start: Start, data: bytes = FLAG, etag: str | None = None) -> None:
    """A run that has saved the file."""
    run = start()
    run.save(run.claim(), data, etag)
    run.end()


# Done


@pytest.mark.parametrize("in_list", [True, False])
@pytest.mark.parametrize("existing", ["fail", "skip", "replace"])
def test_what_is_done_is_present(start: Start, existing: Existing, in_list: bool) -> None:
    """--existing is about files that the ledger does not know."""
    done(start)
    claim = start(existing).claim(in_list=in_list)
    assert (claim.present, claim.present_digests, claim.error) == (4, digests_of(FLAG), None)


def test_same_item_of_another_list_is_present(start: Start) -> None:
    """Another list in the same directory adds to it; its own name said aloud is no other wish."""
    done(start)
    run = start()
    assert run.claim(Item(URL, name="a")).present == 4
    other = run.claim("http://i/a")
    assert (other.present, other.name) == (None, f"a-{hashlib.sha256(b'http://i/a').hexdigest()[:8]}")
    assert run.claim().present == 4


@pytest.mark.parametrize("content", [None, b"", b"flags"], ids=["gone", "empty", "longer"])
def test_file_that_is_not_as_it_was_is_fetched_again(start: Start, tmp_path: Path, content: bytes | None) -> None:
    """Without a word about what exists: it came from there."""
    done(start)
    (tmp_path / "a").unlink()
    if content is not None:
        (tmp_path / "a").write_bytes(content)
    run = start()
    claim = run.claim()
    assert (claim.present, claim.error, claim.name) == (None, None, "a")
    run.save(claim)
    assert (tmp_path / "a").read_bytes() == FLAG


@pytest.mark.parametrize(
    ("item", "is_present"),
    [
        (Item(URL, bytes=4), True),
        (Item(URL, bytes=5), False),
        (Item(URL, sha256=SHA256), True),
        (Item(URL, sha256="0" * 64), False),
    ],
)
def test_list_that_declares_more_than_before(start: Start, item: Item, is_present: bool) -> None:
    """What is done is held against what the list says now, the file read again if need be."""
    done(start)
    claim = start().claim(item)
    assert (claim.present is not None, claim.may_replace, claim.error) == (is_present, not is_present, None)


def test_failed_item_is_tried_again(start: Start) -> None:
    """Under the name that it had."""
    run = start()
    run.fail(run.claim())
    run.end()
    claim = start().claim()
    assert (claim.name, claim.present, claim.error) == ("a", None, None)


def test_bad_line_fails_again(start: Start) -> None:
    """And may be corrected: the same URL with a name that can be used is an item."""
    run = start()
    for entry in (Rejected("nonsense", make_error("url", "no URL")), Item(URL, name="../a"), "ftp://h/a"):
        assert run.claim(entry).error is not None
    run.end()
    run = start()
    assert run.claim("ftp://h/a").error is not None
    assert run.claim(Item(URL, name="b")).name == "b"


# Killed


def test_killed_before_it_was_said_to_be_done(start: Start) -> None:
    """The file has its name, and is what was about to have it: present, and nothing is asked for."""
    run = start()
    run.write(run.claim())
    run.end()
    run = start()
    claim = run.claim()
    assert (claim.present, claim.error) == (4, None)
    assert run.ledger.find(URL, None).row.state == State.DONE  # type: ignore[union-attr]


def test_disk_that_failed_after_the_rename(start: Start) -> None:
    """The item is said to have failed, but its file is there, and what it was to be: present the next time."""
    run = start()
    claim = run.claim()
    run.write(claim)
    run.fail(claim)
    run.end()
    run = start()
    assert run.claim().present == 4
    row = run.ledger.find(URL, None).row
    assert row is not None
    assert (row.state, row.is_ours) == (State.DONE, True)


def test_stranger_under_the_name_of_an_item_that_failed(start: Start, tmp_path: Path) -> None:
    """Whoever has put it there, the ledger has no digest of it."""
    run = start()
    run.fail(run.claim())
    run.end()
    (tmp_path / "a").write_bytes(b"")
    claim = start().claim()
    assert claim.error is not None
    assert claim.error.kind == "exists"


def test_killed_before_the_rename(start: Start, tmp_path: Path) -> None:
    """The file has no name yet: it is fetched."""
    run = start()
    run.write(run.claim())
    run.end()
    (tmp_path / "a").unlink()
    claim = start().claim()
    assert (claim.present, claim.error) == (None, None)


@pytest.mark.parametrize("content", [b"FLAG", b"other", b""])
def test_other_file_than_the_one_that_was_ready(start: Start, tmp_path: Path, content: bytes) -> None:
    """Somebody else has put it there: it is a stranger's, be its size the same or not."""
    run = start()
    run.write(run.claim())
    run.end()
    (tmp_path / "a").write_bytes(content)
    claim = start().claim()
    assert claim.error is not None
    assert claim.error.kind == "exists"
    assert (tmp_path / "a").read_bytes() == content


@pytest.mark.parametrize("content", [b"FLAG", b""])
def test_rotten_file_after_a_crash_of_the_system(
    start: Start, tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was renamed but never written is seen by its digest and fetched again."""
    done(start)
    (tmp_path / "a").write_bytes(content)
    monkeypatch.setattr("aioflags.ledger.boot_id", lambda: "another")
    run = start()
    claim = run.claim()
    assert (claim.present, claim.may_replace, claim.error) == (None, True, None)
    run.save(claim)
    run.end()
    assert start().claim().present == 4


def test_whole_file_after_a_crash_of_the_system(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read once, and present."""
    done(start)
    monkeypatch.setattr("aioflags.ledger.boot_id", lambda: "another")
    run = start()
    assert run.claim().present == 4
    assert run.ledger.find(URL, None).row.state == State.DONE  # type: ignore[union-attr]


def restart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the system started anew, after all that was done until now."""
    started = time.time() + 1
    monkeypatch.setattr("aioflags.ledger.boot_id", lambda: "another")
    monkeypatch.setattr("aioflags.destination.boot_time", lambda: started)


def test_file_whose_row_was_lost_in_a_crash(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name was free when it was given away: the file is ours, is not believed, and is fetched again."""
    run = start()
    run.claim()
    run.end()
    (tmp_path / "a").write_bytes(b"")
    restart(monkeypatch)
    claim = start().claim()
    assert (claim.present, claim.may_replace, claim.error) == (None, True, None)


def test_file_of_a_stranger_that_was_not_looked_at_before_a_crash(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It came into a destination that had been empty, before its name was given away: it is not ours, and stays."""
    run = start()
    assert run.claim("http://h/first").error is None
    (tmp_path / "a").write_bytes(b"precious")
    # Longer than the clock of the files is behind the other.
    time.sleep(0.05)
    assert run.claim().error is None
    run.end()
    restart(monkeypatch)
    claim = start().claim()
    assert claim.error is not None
    assert claim.error.kind == "exists"
    assert not claim.may_replace


@pytest.mark.parametrize("end", ["interrupted", "failed"])
def test_file_whose_row_was_lost_in_the_crash_of_a_later_run(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    """An item that one run has left undone is the next one's when that finds its name free."""
    run = start()
    claim = run.claim()
    if end == "failed":
        run.fail(claim)
    run.end()
    run = start()
    assert run.claim().error is None
    run.end()
    (tmp_path / "a").write_bytes(b"")
    restart(monkeypatch)
    claim = start().claim()
    assert (claim.present, claim.may_replace, claim.error) == (None, True, None)


@pytest.mark.parametrize("is_second", [False, True], ids=["first", "second"])
def test_file_that_came_to_the_name_of_a_failure_is_a_strangers(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_second: bool
) -> None:
    """The ledger says that nothing of ours is there, in whichever run that was."""
    run = start()
    run.fail(run.claim())
    if is_second:
        run.end()
        run = start()
        run.fail(run.claim())
    run.end()
    (tmp_path / "a").write_bytes(b"precious")
    restart(monkeypatch)
    claim = start().claim()
    assert claim.error is not None
    assert (claim.error.kind, claim.may_replace) == ("exists", False)


# Strangers


def test_file_that_the_ledger_does_not_know(start: Start, tmp_path: Path) -> None:
    """It is not touched, in this run or in the next; skipped once, it is known from then on."""
    (tmp_path / "a").write_bytes(b"mine!")
    for _ in range(2):
        run = start()
        claim = run.claim()
        assert claim.error is not None
        assert claim.error.kind == "exists"
        run.end()
    run = start("skip")
    assert run.claim().present == 5
    run.end()
    run = start()
    assert run.claim().present == 5
    run.end()
    (tmp_path / "a").write_bytes(b"changed by its owner")
    claim = start().claim()
    assert claim.error is not None
    assert claim.error.kind == "exists"


def test_stranger_with_the_right_digest_is_known(start: Start, tmp_path: Path) -> None:
    """It is what the list wants, and on record with its digests."""
    (tmp_path / "a").write_bytes(FLAG)
    run = start()
    assert run.claim(Item(URL, sha256=SHA256)).present == 4
    run.end()
    claim = start().claim()
    assert (claim.present, claim.present_digests["sha256"]) == (4, SHA256)


def test_stranger_is_replaced_once(start: Start, tmp_path: Path) -> None:
    """From then on the file is ours, and done."""
    (tmp_path / "a").write_bytes(b"mine!")
    run = start("replace")
    claim = run.claim()
    assert claim.may_replace
    run.save(claim)
    run.end()
    assert start("replace").claim().present == 4


def test_link_in_place_of_our_file(start: Start, tmp_path: Path) -> None:
    """What it leads to is neither believed nor written."""
    done(start)
    (tmp_path / "a").rename(tmp_path / "elsewhere")
    (tmp_path / "a").symlink_to("elsewhere")
    claim = start().claim()
    assert claim.error is not None
    assert claim.error.kind == "exists"
    assert (tmp_path / "elsewhere").read_bytes() == FLAG


# Updates


def test_update_asks_whether_it_has_changed(start: Start) -> None:
    """With the validator that the file came with; what is present may be replaced."""
    done(start, etag='"v1"')
    claim = start(update=True).claim()
    assert (claim.present, claim.etag, claim.last_modified, claim.may_replace) == (4, '"v1"', None, True)
    assert claim.present_digests == digests_of(FLAG)


@pytest.mark.parametrize("etag", [None, '"v1"\r\nX-Evil: 1', "\x00"])
def test_update_without_validator_fetches(start: Start, etag: str | None) -> None:
    """Nobody can say whether it has changed; what cannot be sent is none."""
    done(start, etag=etag)
    claim = start(update=True).claim()
    assert (claim.present, claim.etag, claim.may_replace) == (None, None, True)


def test_update_leaves_strangers_alone(start: Start, tmp_path: Path) -> None:
    """A file that was skipped is not ours to refresh."""
    (tmp_path / "a").write_bytes(b"mine!")
    run = start("skip")
    run.claim()
    run.end()
    claim = start(update=True).claim()
    assert (claim.present, claim.etag, claim.may_replace) == (5, None, False)


# Half files


def half_of(size: int, name: str = "x.part") -> Half:
    """How a run notes a part of so many zeros."""
    return Half(name, size, '"v1"', "http://h:80/a", 1 << 30, size, digests_of(bytes(size))["xxh128"])


def begun(start: Start, noted: int, size: int | None = None) -> Run:
    """A run that has noted a part of `noted` bytes and was killed when there were `size`."""
    run = start()
    claim = run.claim()
    with open(os.path.join(run.destination.run_path, "x.part"), "wb") as part:
        part.truncate(noted if size is None else size)
    run.ledger.half(claim.row, half_of(noted))
    run.end()
    return run


@pytest.mark.parametrize("boot", ["the same", "another"])
@pytest.mark.parametrize("longer", [0, 1, 1 << 20])
def test_next_run_is_given_what_was_noted(
    start: Start, monkeypatch: pytest.MonkeyPatch, longer: int, boot: str
) -> None:
    """Nobody vouches for what lies behind it; whether the rest is what it was, its digest will say."""
    begun(start, 3 << 20, (3 << 20) + longer)
    if boot == "another":
        monkeypatch.setattr("aioflags.ledger.boot_id", lambda: "another")
    assert start().claim().half == half_of(3 << 20)


def test_part_that_is_shorter_than_noted_is_worthless(start: Start) -> None:
    """Its digest proves nothing of a piece of it."""
    begun(start, 3 << 20, (3 << 20) - 1)
    assert start().claim().half is None


@pytest.mark.parametrize("size", [0, (1 << 20) - 1])
def test_little_is_as_soon_fetched_anew(start: Start, size: int) -> None:
    """Under a mebibyte nothing is gone on with."""
    begun(start, size)
    assert start().claim().half is None


def test_part_that_is_gone_or_no_file(start: Start, tmp_path: Path) -> None:
    """Nothing to go on with."""
    begun(start, 3 << 20)
    part = tmp_path / ".aioflags" / "parts" / "x.part"
    part.rename(tmp_path / "elsewhere")
    run = start()
    assert run.claim().half is None
    run.end()
    part.parent.mkdir(exist_ok=True)
    part.symlink_to(tmp_path / "elsewhere")
    assert start().claim().half is None


def test_parts_that_nobody_knows_are_swept(start: Start, tmp_path: Path) -> None:
    """Those on record stay."""
    begun(start, 3 << 20)
    parts = tmp_path / ".aioflags" / "parts"
    (parts / "orphan.part").write_bytes(b"half")
    run = start()
    run.destination.sweep_parts(run.ledger.files())
    assert {name for name in os.listdir(parts) if name.endswith(".part")} == {"x.part"}


# Ledgers and lists that are not what they should be


def tamper(home: Path, statement: str, *values: object) -> None:
    with sqlite3.connect(home / ".aioflags" / "ledger") as connection:
        connection.execute(statement, values)
    connection.close()


@pytest.mark.parametrize("state", [State.FAILED, State.DONE, State.READY])
@pytest.mark.parametrize("name", ["../evil", "sub/../../evil", "/tmp/evil", ".aioflags/ledger", ".aioflags/lock", "a/"])
def test_no_ledger_chooses_a_place(start: Start, tmp_path: Path, name: str, state: State) -> None:
    """A name that no run of ours gives is no name, whoever wrote it down; the item fails."""
    run = start()
    run.fail(run.claim())
    run.end()
    tamper(tmp_path, "UPDATE items SET name = ?, state = ?, size = 4, is_ours = 1", name, state)
    claim = start("replace").claim(in_list=False)
    assert claim.name is None
    assert claim.error is not None
    assert claim.error.kind == "name"


@pytest.mark.parametrize("part", ["../../precious", "../ledger", "..", ""])
def test_no_ledger_chooses_a_part(start: Start, tmp_path: Path, part: str) -> None:
    """What is gone on with is cut, written and moved: it lies in the private folder, or nowhere."""
    precious = tmp_path / "precious"
    precious.write_bytes(b"x" * (1 << 21))
    run = start()
    claim = run.claim()
    run.ledger.half(claim.row, Half(part, 1 << 20, '"v"', URL, 1 << 21))
    run.end()
    run = start()
    assert run.claim().half is None
    assert run.destination.open_part(Half(part, 1 << 20, '"v"', URL, 1 << 21), ()) is None
    run.destination.remove_part(part)
    assert precious.stat().st_size == 1 << 21


def test_line_that_was_corrected_is_an_item(start: Start) -> None:
    """A line that could be none had no name; the next list may say it better."""
    run = start()
    run.claim(Rejected(URL, make_error("checksum", "'zz' is no digest")))
    run.end()
    run = start()
    claim = run.claim(Item(URL, sha256=SHA256))
    assert (claim.error, claim.name) == (None, "a")
    run.save(claim)
    run.end()
    assert start().claim().present == len(FLAG)


def test_corrected_line_takes_no_name_of_another(start: Start) -> None:
    """Names are given in order; the one that comes later has a suffix."""
    run = start()
    run.claim(Rejected(URL, make_error("checksum", "'zz' is no digest")))
    assert run.claim("http://other/a").name == "a"
    name = run.claim().name
    assert name is not None
    assert name.startswith("a-")
