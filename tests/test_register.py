"""Names are given once, in the order of the list; a file that is there already is never lost and never lied about."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioflags.destination import Destination
from aioflags.errors import RefusedError, make_error
from aioflags.items import Item, Rejected
from aioflags.ledger import Ledger
from aioflags.names import fold
from aioflags.register import Claim, Register
from aioflags.roll import Roll
from aioflags.settings import Existing

FLAG = b"flag"
MD5 = "md5:" + hashlib.md5(FLAG).hexdigest()
SHA256 = hashlib.sha256(FLAG).hexdigest()


class Desk:
    """A register over a destination, with items that are asked for as a caller would."""

    def __init__(
        self, home: Path, existing: Existing = "fail", algorithms: tuple[str, ...] = (), *, is_kept: bool = False
    ) -> None:
        self.home = home
        self.rolls: dict[int, Roll] = {}
        self.destination = Destination(home, is_kept=is_kept)
        self.destination.open()
        places = self.destination.state_path, self.destination.run_path
        self.ledger = Ledger.open(*places, is_kept=is_kept, is_left_over=lambda *_: False)
        self.register = Register(self.destination, self.ledger, existing, algorithms)

    def close(self) -> None:
        self.ledger.close()
        self.destination.close()

    def claim(self, *items: Item | Rejected | str, lane: int = 0) -> list[Claim]:
        roll = self.rolls.setdefault(lane, Roll())
        claims = self.register.claim([Item(item) if isinstance(item, str) else item for item in items], roll)
        # Without a ledger nothing is recognised at a glance.
        return [claim for claim in claims if isinstance(claim, Claim)]

    def names(self, *items: Item | str, lane: int = 0) -> list[str | None]:
        return [claim.name for claim in self.claim(*items, lane=lane)]

    def one(self, item: Item | str, lane: int = 0) -> Claim:
        return self.claim(item, lane=lane)[0]

    def save(self, name: str, data: bytes = FLAG) -> None:
        """Do what an engine does in the end."""
        part = self.destination.new_part()
        part.write(data)
        part.close()
        self.destination.publish(part, name, may_replace=True)


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    """Open desks in one destination."""
    desks: list[Desk] = []

    def open_desk(existing: Existing = "fail", algorithms: tuple[str, ...] = (), *, is_kept: bool = False) -> Desk:
        desks.append(Desk(tmp_path / "downloads", existing, algorithms, is_kept=is_kept))
        return desks[-1]

    yield open_desk
    for desk in desks:
        desk.close()


def suffix(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()[:8]


def failure(claim: Claim) -> tuple[str, str]:
    assert claim.error is not None
    assert claim.name is None
    assert claim.present is None
    return claim.error.kind, claim.error.message


# Names


def test_first_keeps_the_name_and_later_ones_get_the_digest_of_their_url(make: Callable[..., Desk]) -> None:
    """Eight digits of SHA-256 before the extension, the same in every run."""
    urls = ["http://a/x/fr.tar.gz", "http://a/y/fr.tar.gz", "http://b/fr.tar.gz"]
    assert make().names(*urls) == ["fr.tar.gz", f"fr.tar-{suffix(urls[1])}.gz", f"fr.tar-{suffix(urls[2])}.gz"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("FR.svg", "fr.svg"),
        ("stra%C3%9Fe", "STRASSE"),
        ("caf%C3%A9", "cafe%CC%81"),
        ("%EF%AC%81n", "fin"),
        ("%E2%84%AA", "k"),
        ("%CE%A3", "%CF%82"),
        ("%C4%B0", "i%CC%87"),
    ],
)
def test_twins_of_case_and_unicode_form_do_not_share_a_name(make: Callable[..., Desk], first: str, second: str) -> None:
    """On some file system they are one file; whichever comes first, the later one is told apart."""
    for one, other in [(first, second), (second, first)]:
        name, told_apart = make().names(f"http://a/{one}", f"http://a/{other}")
        assert name is not None
        assert told_apart is not None
        assert suffix(f"http://a/{one}") not in name
        assert suffix(f"http://a/{other}") in told_apart
        assert fold(name) != fold(told_apart)


def test_suffixed_name_may_itself_be_taken(make: Callable[..., Desk]) -> None:
    """Somebody asked for just that one before; more digits tell them apart."""
    url = "http://b/fr.svg"
    names = make().names(Item("http://c/", name=f"fr-{suffix(url)}.svg"), "http://a/fr.svg", url)
    digits = hashlib.sha256(url.encode()).hexdigest()[:16]
    assert names == [f"fr-{suffix(url)}.svg", "fr.svg", f"fr-{digits}.svg"]


def test_wish_of_the_user_is_made_safe(make: Callable[..., Desk]) -> None:
    """What leads out of the destination is refused, and only that item fails."""
    claims = make().claim(
        Item("http://a/1", name="../x"), Item("http://a/2", name="/etc/x"), Item("http://a/3", name="a\\.b/x")
    )
    assert [failure(claim)[0] for claim in claims[:2]] == ["name", "name"]
    assert claims[2].name == "a/_b/x"


def test_no_item_gets_the_private_folder(make: Callable[..., Desk]) -> None:
    """Neither by wish nor by URL."""
    names = make().names(Item("http://a/1", name=".aioflags/register"), "http://a/.aioflags")
    assert names == ["_aioflags/register", "_aioflags-" + suffix("http://a/.aioflags")]


def test_file_and_folder_do_not_share_a_name(make: Callable[..., Desk]) -> None:
    """A file in the way of a folder fails the later item; a folder in the way of a file gives it another name."""
    desk = make()
    assert desk.names("http://a/docs") == ["docs"]
    kind, message = failure(desk.one(Item("http://a/1", name="Docs/index")))
    assert (kind, message) == ("name", "Docs is a file of another item and cannot be a folder, too")
    assert desk.names(Item("http://a/2", name="img/deep/x"), Item("http://a/3", name="IMG")) == [
        "img/deep/x",
        f"IMG-{suffix('http://a/3')}",
    ]
    assert desk.names(Item("http://a/4", name="img/deep")) == [f"img/deep-{suffix('http://a/4')}"]
    assert desk.names(Item("http://a/5", name="img/y")) == ["img/y"]


names = st.sampled_from(["a", "A", "a/b", "A/B", "a/b/c", "b", "é", "e\u0301", "a.txt", "A.TXT"])


@given(wishes=st.lists(st.tuples(names, st.integers(0, 5)), max_size=25))
def test_whatever_is_wished_no_two_files_can_collide(
    tmp_path_factory: pytest.TempPathFactory, wishes: list[tuple[str, int]]
) -> None:
    """On a file system that folds names, each file and each folder still has its place."""
    desk = Desk(tmp_path_factory.mktemp("desk"))
    claims = desk.claim(*[Item(f"http://h{host}/{index}", name=name) for index, (name, host) in enumerate(wishes)])
    desk.close()
    files = [fold(claim.name) for claim in claims if claim.name is not None]
    folders = {name.rsplit("/", depth)[0] for name in files for depth in range(1, name.count("/") + 1)}
    assert len(set(files)) == len(files)
    assert not folders & set(files)
    assert all((claim.name is None) == (claim.error is not None) for claim in claims)


# URLs


def test_same_url_in_one_list_is_a_duplicate(make: Callable[..., Desk]) -> None:
    """Whatever else the second line says; the URL counts as it is written."""
    first, again, renamed, spelled = make().claim(
        "http://a/x", "http://a/x", Item("http://a/x", name="other"), "http://A/x"
    )
    assert (first.is_duplicate, again.is_duplicate, renamed.is_duplicate, spelled.is_duplicate) == (0, 1, 1, 0)
    assert again.name is None
    assert spelled.name == f"x-{suffix('http://A/x')}"


def test_same_url_in_another_list_is_the_same_file(make: Callable[..., Desk]) -> None:
    """It keeps its name; once it is saved it is there."""
    desk = make()
    assert desk.names("http://a/x", lane=1) == ["x"]
    claim = desk.one("http://a/x", lane=2)
    assert (claim.name, claim.present, claim.is_duplicate) == ("x", None, False)
    desk.save("x")
    claim = desk.one("http://a/x", lane=3)
    assert (claim.name, claim.present) == ("x", 4)


def test_lists_at_once_have_duplicates_of_their_own(make: Callable[..., Desk]) -> None:
    """What another list holds in between does not hide that this one holds it twice."""
    desk = make()
    assert [desk.one("http://a/x", lane=lane).is_duplicate for lane in (1, 2, 1, 2, 3)] == [
        False,
        False,
        True,
        True,
        False,
    ]


def test_same_url_under_another_name_is_another_file(make: Callable[..., Desk]) -> None:
    """A later call that asks for a name gets that name, not the one of an earlier call."""
    desk = make()
    assert desk.names("http://a/x", lane=1) == ["x"]
    assert desk.names(Item("http://a/x", name="y"), lane=2) == ["y"]
    assert desk.names(Item("http://a/x", name="x"), lane=3) == ["x"]
    assert desk.names(Item("http://a/x", name="y"), lane=4) == ["y"]


def test_item_without_a_usable_name_fails_the_same_way_each_time(make: Callable[..., Desk]) -> None:
    """The second list is told as much as the first."""
    desk = make()
    errors = [failure(desk.one(Item("http://a/x", name=".."), lane=lane)) for lane in (1, 2)]
    assert errors[0] == errors[1]
    assert "leads out of its folder" in errors[0][1]


@pytest.mark.parametrize("url", ["", "fr.svg", "ftp://a/x", "http://", "http://a:99999/", "http://a/\n", "\udcff"])
def test_what_is_no_url_fails_alone(make: Callable[..., Desk], url: str) -> None:
    """The items around it get their names."""
    claims = make().claim("http://a/1", url, "http://a/2")
    assert failure(claims[1])[0] == "url"
    assert [claims[0].name, claims[2].name] == ["1", "2"]


def test_rejected_line_has_its_outcome(make: Callable[..., Desk]) -> None:
    """Its own error, twice if it stands twice."""
    error = make_error("url", "line 3: no url")
    assert [claim.error for claim in make().claim(Rejected("?", error, 3), Rejected("?", error, 4))] == [error, error]


def test_digests_of_the_list_are_normalised(make: Callable[..., Desk]) -> None:
    """Lower case, by hashlib's names, ready to be compared."""
    claim = make().one(Item("http://a/x", sha256=SHA256.upper(), checksum=MD5.upper()))
    assert claim.digests == {"sha256": SHA256, "md5": MD5[4:]}


# Files that are there

PRESENT, FETCH, EXISTS = "present", "fetch", "exists"


def verdict(claim: Claim) -> str:
    if claim.error is not None:
        return claim.error.kind
    return FETCH if claim.present is None else PRESENT


@pytest.mark.parametrize(
    ("declared", "fail", "skip", "replace"),
    [
        ({}, EXISTS, PRESENT, FETCH),
        ({"bytes": 4}, EXISTS, PRESENT, FETCH),
        ({"bytes": 5}, EXISTS, EXISTS, FETCH),
        ({"sha256": SHA256}, PRESENT, PRESENT, FETCH),
        ({"checksum": MD5, "bytes": 4}, PRESENT, PRESENT, FETCH),
        ({"checksum": MD5, "bytes": 5}, EXISTS, EXISTS, FETCH),
        ({"sha256": SHA256, "checksum": "md5:" + "0" * 32}, EXISTS, EXISTS, FETCH),
        ({"sha256": "0" * 64}, EXISTS, EXISTS, FETCH),
    ],
)
def test_file_of_that_name(
    make: Callable[..., Desk],
    tmp_path: Path,
    declared: dict[str, object],
    fail: str,
    skip: str,
    replace: str,
) -> None:
    """What the list declares decides whether it will do; what the user says, if the list says nothing."""
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads" / "x").write_bytes(FLAG)
    item = Item("http://a/x", **declared)  # type: ignore[arg-type]
    modes: list[Existing] = ["fail", "skip", "replace"]
    assert [verdict(make(mode).one(item)) for mode in modes] == [fail, skip, replace]


def test_digests_that_were_compared_are_in_the_record(make: Callable[..., Desk]) -> None:
    """With those that were asked for besides; a file that is trusted is not read."""
    desk = make("skip", ("sha1",))
    desk.save("x")
    desk.save("y")
    found = desk.one(Item("http://a/x", checksum=MD5))
    assert (found.present, sorted(found.present_digests)) == (4, ["md5", "sha1", "xxh128"])
    assert desk.one("http://a/y").present_digests == {}


@pytest.mark.parametrize(
    ("block", "replace"),
    [
        (lambda path: path.mkdir(), EXISTS),
        (lambda path: path.symlink_to("/etc/hostname"), FETCH),
        (lambda path: path.symlink_to("nowhere"), FETCH),
        (os.mkfifo, FETCH),
    ],
    ids=["directory", "link", "dangling link", "pipe"],
)
@pytest.mark.parametrize("declared", [None, MD5])
def test_what_is_no_file_is_never_taken_for_one(
    make: Callable[..., Desk], tmp_path: Path, block: Callable[[Path], object], replace: str, declared: str | None
) -> None:
    """A link is not followed and a pipe not read, so neither can be present; a directory is not replaced."""
    (tmp_path / "downloads").mkdir()
    block(tmp_path / "downloads" / "x")
    item = Item("http://a/x", checksum=declared)
    modes: list[Existing] = ["fail", "skip", "replace"]
    assert [verdict(make(mode).one(item)) for mode in modes] == [EXISTS, EXISTS, replace]


def test_folder_that_is_a_link_fails_the_item(make: Callable[..., Desk], tmp_path: Path) -> None:
    """Before anything is requested."""
    desk = make()
    (tmp_path / "outside").mkdir()
    (tmp_path / "downloads" / "sub").symlink_to(tmp_path / "outside")
    assert failure(desk.one(Item("http://a/x", name="sub/x")))[0] == "name"


@pytest.mark.parametrize("existing", ["fail", "skip", "replace"])
def test_our_own_file_is_present_to_a_later_call(make: Callable[..., Desk], existing: Existing) -> None:
    """It was fetched by this very job: no need to ask the user what to do about it."""
    desk = make(existing)
    assert verdict(desk.one("http://a/x", lane=1)) == FETCH
    desk.save("x")
    assert verdict(desk.one("http://a/x", lane=2)) == PRESENT


def test_file_that_was_there_before_is_not_ours(make: Callable[..., Desk]) -> None:
    """A later call is told what the first was told."""
    desk = make("fail")
    desk.save("x")
    assert [verdict(desk.one("http://a/x", lane=lane)) for lane in (1, 2)] == [EXISTS, EXISTS]


def test_present_file_keeps_its_name_from_others(make: Callable[..., Desk]) -> None:
    """Two items never share a name, be the file there or not."""
    desk = make("skip")
    desk.save("x")
    claims = desk.claim("http://a/x", "http://b/x")
    assert (claims[0].present, claims[1].name) == (4, f"x-{suffix('http://b/x')}")


# The register itself


def test_nothing_is_left_of_it(make: Callable[..., Desk], tmp_path: Path) -> None:
    """It lives in the private folder and goes with it."""
    desk = make()
    desk.names("http://a/x")
    desk.close()
    assert os.listdir(tmp_path / "downloads") == []


@pytest.mark.parametrize("existing", ["fail", "skip", "replace"])
def test_what_is_there_before_the_run_is_looked_at(
    make: Callable[..., Desk], tmp_path: Path, existing: Existing
) -> None:
    """In the destination and in each folder of it, ledger or not."""
    for is_kept in (True, False):
        (tmp_path / "downloads" / "h" / "sub").mkdir(parents=True, exist_ok=True)
        (tmp_path / "downloads" / "h" / "sub" / "flag").write_bytes(FLAG)
        desk = make(existing, is_kept=is_kept)
        for name in ("flag", "other/flag", "h/sub/other"):
            claim = desk.one(Item(f"http://h/{name}{is_kept}", name))
            assert (claim.name, claim.error, claim.present, claim.may_replace) == (name, None, None, False)
        claim = desk.one(Item(f"http://h/{is_kept}", "h/sub/flag"))
        assert (claim.error is not None, claim.present == len(FLAG), claim.may_replace) == (
            existing == "fail",
            existing == "skip",
            existing == "replace",
        )
        desk.close()


@pytest.mark.parametrize(
    ("existing", "sha256", "is_kept"),
    [("skip", None, True), ("skip", None, False), ("fail", SHA256, True), ("fail", SHA256, False)],
)
def test_what_comes_during_the_run_and_will_do_is_not_fetched_once_more(
    make: Callable[..., Desk], existing: Existing, sha256: str | None, is_kept: bool
) -> None:
    """Also in a destination that was empty."""
    desk = make(existing, is_kept=is_kept)
    assert verdict(desk.one("http://h/flag")) == FETCH
    (desk.home / "other").write_bytes(FLAG)
    assert verdict(desk.one(Item("http://h/other", sha256=sha256))) == PRESENT


@pytest.mark.parametrize(("existing", "is_kept"), [("fail", False), ("replace", True)])
def test_what_comes_during_the_run_is_met(make: Callable[..., Desk], existing: Existing, is_kept: bool) -> None:
    """Without a ledger other runs may be at work in the same destination; and what may be replaced is."""
    desk = make(existing, is_kept=is_kept)
    assert verdict(desk.one("http://h/flag")) == FETCH
    (desk.home / "other").write_bytes(b"precious")
    claim = desk.one("http://h/other")
    assert (verdict(claim), claim.may_replace) == ((EXISTS, False) if existing == "fail" else (FETCH, True))


def test_empty_destination_is_not_looked_at_for_each_item(
    make: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is nobody else's while the run has it; what comes all the same is found when the file is to appear."""
    desk = make(is_kept=True)
    monkeypatch.setattr(Destination, "look", None)
    assert desk.names("http://h/a/flag", "http://h/b/flag") == ["flag", f"flag-{suffix('http://h/b/flag')}"]
    (desk.home / "other").write_bytes(b"precious")
    claim = desk.one("http://h/other")
    assert (claim.name, claim.error, claim.may_replace) == ("other", None, False)
    part = desk.destination.new_part()
    part.close()
    with pytest.raises(RefusedError):
        desk.destination.publish(part, "other", may_replace=claim.may_replace)
    part.discard()
    assert (desk.home / "other").read_bytes() == b"precious"


def test_item_that_is_known_is_looked_at_in_an_empty_destination(make: Callable[..., Desk]) -> None:
    """Its file may have come in this very run."""
    desk = make(is_kept=True)
    assert desk.one("http://h/flag").present is None
    (desk.home / "flag").write_bytes(FLAG)
    assert verdict(desk.one("http://h/flag", lane=1)) == EXISTS


CHILD = """
import sys
from aioflags.destination import Destination
from aioflags.items import Item
from aioflags.ledger import Ledger
from aioflags.register import Register
from aioflags.roll import Roll

def memory():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

destination = Destination(sys.argv[1])
destination.open()
ledger = Ledger.open(destination.state_path, destination.run_path, is_kept=False, is_left_over=lambda *_: False)
register = Register(destination, ledger, "fail")
roll = Roll()
for number in range(0, 100_000, 1000):
    urls = [f"http://host{n}.example/a/rather/long/path/flag.svg" for n in range(number, number + 1000)]
    register.claim([Item(url) for url in urls], roll)
    if number == 10_000:
        before = memory()
print(memory() - before)
ledger.close()
destination.close()
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_list(tmp_path: Path) -> None:
    """Ninety thousand names more, all of them in conflict, cost less than eight megabytes; on disk they cost more."""
    process = subprocess.run([sys.executable, "-c", CHILD, tmp_path], capture_output=True, text=True, check=True)
    assert int(process.stdout) < 8 * 1024
