"""Files appear whole under their names or not at all; never through a link, and nothing private is left behind."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from aioflags.destination import STATE_FOLDER, Destination, lag_of
from aioflags.disk_errors import is_destination_fault, is_out_of_resources, translate_os_error
from aioflags.errors import DownloadError, RefusedError, StorageError, UsageError
from aioflags.parts import Part
from aioflags.writer import Wanted, Whole, Writer


@contextmanager
def opened(path: Path) -> Iterator[Destination]:
    destination = Destination(path)
    destination.open()
    try:
        yield destination
    finally:
        destination.close()


def put(destination: Destination, name: str, data: bytes = b"flag", *, may_replace: bool = False) -> None:
    part = destination.new_part()
    part.write(data)
    part.close()
    try:
        destination.publish(part, name, may_replace=may_replace)
    except DownloadError:
        part.discard()
        raise


def tree(path: Path) -> dict[str, bytes | None]:
    """Relative path of everything below, to its bytes; `None` for a directory."""
    return {
        str(entry.relative_to(path)): None if entry.is_dir() and not entry.is_symlink() else entry.read_bytes()
        for entry in sorted(path.rglob("*"))
    }


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A destination that is there and empty."""
    (tmp_path / "downloads").mkdir()
    return tmp_path / "downloads"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A directory that must stay as it is."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_bytes(b"secret")
    return tmp_path / "outside"


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    path = tmp_path / "tiny"
    path.mkdir()
    mount = shutil.which("mount")
    if mount is None or subprocess.run([mount, "-t", "tmpfs", "-o", "size=64k", "none", path], check=False).returncode:
        pytest.skip("a full disk can only be made by one who may mount a file system; run the tests as root for it")
    yield path
    subprocess.run(["umount", path], check=True)


# A whole life


def test_files_appear_and_nothing_else_remains(tmp_path: Path) -> None:
    """The destination is made, folders are made, and after the end there are only the files."""
    home = tmp_path / "new" / "downloads"
    with opened(home) as destination:
        put(destination, "fr.svg", b"france")
        put(destination, "a/b/de.svg", b"germany")
        put(destination, "empty", b"")
        part = destination.new_part()
        part.write(b"half")
        part.close()
    assert tree(home) == {"fr.svg": b"france", "a": None, "a/b": None, "a/b/de.svg": b"germany", "empty": b""}


@pytest.mark.parametrize("kind", [str, Path, os.fsencode], ids=["str", "Path", "bytes"])
def test_destination_is_any_path(home: Path, kind: Callable[[Path], str | Path | bytes]) -> None:
    """As Python's own functions take them."""
    destination = Destination(kind(home))  # type: ignore[arg-type]
    destination.open()
    put(destination, "a/b")
    destination.close()
    assert "a/b" in tree(home)


def test_half_a_file_is_nowhere_but_in_the_private_folder(home: Path) -> None:
    """Until it is published there is nothing under a final name; the private folder is nobody else's."""
    with opened(home) as destination:
        part = destination.new_part()
        part.write(b"half")
        assert os.listdir(home) == [STATE_FOLDER]
        assert (home / STATE_FOLDER).stat().st_mode & 0o777 == 0o700
        assert os.stat(destination.run_path).st_mode & 0o777 == 0o700
        part.discard()
        assert os.listdir(destination.run_path) == []
        part.discard()


def test_no_descriptor_is_left(home: Path) -> None:
    """Neither after use nor after what goes wrong."""
    before = open_descriptors()
    with opened(home) as destination:
        for number in range(100):
            put(destination, f"folder{number}/file")
        for name in ("folder0/file", "folder0/file/below"):
            with pytest.raises(RefusedError):
                put(destination, name)
        destination.digest("folder1/file", ["md5"])
        destination.look("folder2/none/at/all")
    assert open_descriptors() == before
    with pytest.raises(StorageError):
        Destination(home / "folder0" / "file").open()
    assert open_descriptors() == before


def test_more_folders_than_are_kept_open(home: Path) -> None:
    """The hundredth is as good as the first, and the first is still good after it."""
    with opened(home) as destination:
        for turn in range(2):
            for number in range(100):
                put(destination, f"{number}/{turn}", str(number).encode())
    assert {name: data for name, data in tree(home).items() if data} == {
        f"{number}/{turn}": str(number).encode() for number in range(100) for turn in range(2)
    }


def test_threads_may_publish_at_once(home: Path) -> None:
    """Each into folders of its own and of all, more than are kept open."""
    errors: list[BaseException] = []

    def work(me: int) -> None:
        try:
            for number in range(80):
                put(destination, f"folder{number}/{me}", b"%d" % me)
        except BaseException as error:
            errors.append(error)

    with opened(home) as destination:
        threads = [threading.Thread(target=work, args=(me,)) for me in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert errors == []
    assert sum(data is not None for data in tree(home).values()) == 320


def test_part_knows_its_size_and_digests(home: Path) -> None:
    """However the bytes come."""
    with opened(home) as destination:
        part = destination.new_part(["sha256"])
        assert part.write(b"fl") == 2
        part.writelines([memoryview(b"a"), b"", b"g"])
        assert (part.size, part.digests.as_hex()["sha256"]) == (4, hashlib.sha256(b"flag").hexdigest())
        part.close()
        destination.publish(part, "x", may_replace=False)
    assert tree(home) == {"x": b"flag"}


# Names that are taken


BLOCKS: dict[str, Callable[[Path, Path], object]] = {
    "file": lambda path, _: path.write_bytes(b"old"),
    "link": lambda path, outside: path.symlink_to(outside / "secret"),
    "dangling link": lambda path, outside: path.symlink_to(outside / "new"),
    "pipe": lambda path, _: os.mkfifo(path),
    "directory": lambda path, _: path.mkdir(),
    "full directory": lambda path, _: (path / "below").mkdir(parents=True),
    "link to a directory": lambda path, outside: path.symlink_to(outside),
}


@pytest.mark.parametrize("what", BLOCKS)
def test_taken_name_is_refused(home: Path, outside: Path, what: str) -> None:
    """Whatever has it; it stays as it is, and so does what it leads to."""
    with opened(home) as destination:
        BLOCKS[what](home / "fr.svg", outside)
        before = (home / "fr.svg").lstat()
        with pytest.raises(RefusedError, match=r"fr\.svg exists already") as caught:
            put(destination, "fr.svg")
        assert caught.value.kind == "exists"
        assert (home / "fr.svg").lstat() == before
        assert os.listdir(destination.run_path) == []
    assert tree(outside) == {"secret": b"secret"}


@pytest.mark.parametrize("what", BLOCKS)
def test_taken_name_is_replaced_on_demand_unless_it_is_a_directory(home: Path, outside: Path, what: str) -> None:
    """A link is replaced itself; a directory may hold anything and stays."""
    with opened(home) as destination:
        BLOCKS[what](home / "fr.svg", outside)
        if what.endswith("directory") and not what.startswith("link"):
            with pytest.raises(RefusedError, match=r"fr\.svg exists already and is no file"):
                put(destination, "fr.svg", may_replace=True)
            assert (home / "fr.svg").is_dir()
        else:
            put(destination, "fr.svg", may_replace=True)
            assert not (home / "fr.svg").is_symlink()
            assert (home / "fr.svg").read_bytes() == b"flag"
    assert tree(outside) == {"secret": b"secret"}


@pytest.mark.parametrize("may_replace", [True, False])
@pytest.mark.parametrize("what", ["file", "link", "dangling link", "pipe", "link to a directory"])
def test_folder_of_a_name_must_be_a_folder(home: Path, outside: Path, what: str, may_replace: bool) -> None:
    """A link to a directory leads out of the destination; at any depth."""
    with opened(home) as destination:
        (home / "deep").mkdir()
        for parent in (home, home / "deep"):
            BLOCKS[what](parent / "sub", outside)
            name = str((parent / "sub" / "fr.svg").relative_to(home))
            with pytest.raises(RefusedError, match="is a file or a link, not a folder") as caught:
                put(destination, name, may_replace=may_replace)
            assert caught.value.kind == "name"
            with pytest.raises(RefusedError):
                destination.look(name)
            with pytest.raises(RefusedError):
                destination.digest(name, [])
    assert tree(outside) == {"secret": b"secret"}


def test_folder_that_becomes_a_link_leads_nowhere(home: Path, outside: Path) -> None:
    """Whoever exchanges a folder during the run does not get our files where he wants them."""
    with opened(home) as destination:
        put(destination, "sub/a")
        (home / "sub").rename(home / "moved")
        (home / "sub").symlink_to(outside)
        put(destination, "sub/b")
    assert tree(outside) == {"secret": b"secret"}
    assert sorted(os.listdir(home / "moved")) == ["a", "b"]


# What is there


def test_look_describes_the_entry_itself(home: Path, outside: Path) -> None:
    """A link is a link; nothing is nothing, in folders that are not there, too."""
    with opened(home) as destination:
        put(destination, "a/b")
        (home / "link").symlink_to(outside / "secret")
        found = destination.look("a/b")
        assert found is not None
        assert found.st_size == 4
        link = destination.look("link")
        assert link is not None
        assert link.st_ino == (home / "link").lstat().st_ino
        assert destination.look("none") is destination.look("a/none") is destination.look("x/y/z") is None
        assert not (home / "x").exists()


@pytest.mark.parametrize("what", [name for name in BLOCKS if name != "file"])
def test_only_files_have_digests(home: Path, outside: Path, what: str) -> None:
    """A pipe would be waited for for ever, and a link is not followed."""
    with opened(home) as destination:
        BLOCKS[what](home / "fr.svg", outside)
        assert destination.digest("fr.svg", ["md5"]) == {}
        assert destination.digest("none", ["md5"]) == {}


def test_socket_has_no_digests(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system refuses to open it, which is no fault of the destination."""
    monkeypatch.chdir(home)
    with opened(home) as destination, socket.socket(socket.AF_UNIX) as listener:
        listener.bind("fr.svg")
        assert destination.digest("fr.svg", ["md5"]) == {}


def test_digests_of_a_file_are_those_of_its_bytes(home: Path) -> None:
    """Also of one that is larger than what is read at once."""
    data = bytes(range(256)) * 10_000
    (home / "big").write_bytes(data)
    with opened(home) as destination:
        found = destination.digest("big", ["sha256", "md5"])
    assert found["sha256"] == hashlib.sha256(data).hexdigest()
    assert sorted(found) == ["md5", "sha256", "xxh128"]


def test_syncing_reaches_each_folder_up_to_the_destination(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new folder is an entry of the one above it; each is forced once, however many files it holds."""
    synced: list[str] = []
    fsync = os.fsync

    def record(descriptor: int) -> None:
        synced.append(os.path.relpath(os.readlink(f"/proc/self/fd/{descriptor}"), home))
        fsync(descriptor)

    with opened(home) as destination:
        for name in ("a/b/x", "a/b/y", "c/z", "w"):
            put(destination, name)
        monkeypatch.setattr(os, "fsync", record)
        destination.sync_folders(["a/b/x", "a/b/y", "c/z", "w"])
        assert sorted(synced) == [".", "a", "a/b", "c"]
        destination.sync_folders([])
        assert len(synced) == 4


# Destinations that cannot be used


def refused(path: Path) -> StorageError:
    before = open_descriptors()
    with pytest.raises(StorageError) as caught:
        Destination(path).open()
    assert open_descriptors() == before
    assert isinstance(caught.value.__cause__, OSError)
    return caught.value


def test_file_is_no_destination(home: Path) -> None:
    """Nor is what would lie in one; the file stays as it is."""
    (home / "file").write_bytes(b"old")
    for path in (home / "file", home / "file" / "below"):
        assert f"cannot use {path} as destination" in str(refused(path))
    assert tree(home) == {"file": b"old"}


@pytest.mark.parametrize("what", ["file", "link", "dangling link", "link to a directory"])
def test_state_folder_must_be_a_folder(home: Path, outside: Path, what: str) -> None:
    """A link there would take all parts elsewhere."""
    BLOCKS[what](home / STATE_FOLDER, outside)
    refused(home)
    assert os.listdir(home) == [STATE_FOLDER]
    assert tree(outside) == {"secret": b"secret"}


def test_read_only_destination_is_found_before_the_first_request(tmp_path: Path, tiny_disk: Path) -> None:
    """The message says what to do."""
    subprocess.run(["mount", "-o", "remount,ro", tiny_disk], check=True)
    assert str(refused(tiny_disk)).endswith("choose another destination with --dir")
    assert is_destination_fault(refused(tiny_disk / "below"))


def test_place_where_no_directory_can_be_made() -> None:
    """The system's own tree takes none, not even from its owner."""
    assert is_destination_fault(refused(Path("/proc/aioflags")))


def test_path_with_a_null_character_is_a_wrong_call() -> None:
    """No directory is called so."""
    with pytest.raises(UsageError, match="null character"):
        Destination("a\0b")


def test_full_disk_is_a_fault_of_the_destination(tiny_disk: Path) -> None:
    """The message says what to do, and the part goes."""
    with opened(tiny_disk) as destination:
        part = destination.new_part()
        with pytest.raises(OSError, match="No space left") as caught:
            part.write(bytes(100_000))
        error = translate_os_error(caught.value, "write fr.svg")
        error.__cause__ = caught.value
        assert is_destination_fault(error)
        assert str(error) == (
            "storage: cannot write fr.svg: No space left on device; free some space and run the same command again"
        )
        part.discard()
        put(destination, "small", bytes(30_000))
    assert os.listdir(tiny_disk) == ["small"]


def test_full_disk_is_found_before_the_first_request(tiny_disk: Path) -> None:
    """The probe writes a few bytes, for a file may be created where none can be filled."""
    (tiny_disk / "filler").write_bytes(bytes(65_536))
    assert "No space left" in str(refused(tiny_disk))
    assert os.listdir(tiny_disk) == ["filler"]


def run_child(code: str, *arguments: object) -> str:
    process = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


LIMITED = """
import resource, sys
from aioflags.destination import *
from aioflags.disk_errors import *
from aioflags.errors import StorageError
destination = Destination(sys.argv[1])
destination.open()
"""


def test_limit_for_one_file_does_not_end_the_run(home: Path) -> None:
    """A file larger than the system allows is a fault of that file; the next one is saved."""
    code = (
        LIMITED
        + """
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
part = destination.new_part()
try:
    part.write(bytes(100_000))
except OSError as error:
    translated = translate_os_error(error, "write a")
    translated.__cause__ = error
    print(translated, is_destination_fault(translated))
part.discard()
part = destination.new_part()
part.write(bytes(5000))
part.close()
destination.publish(part, "b", may_replace=False)
destination.close()
"""
    )
    assert run_child(code, home) == (
        "storage: cannot write a: File too large; the file system or a limit forbids files of this size False\n"
    )
    assert tree(home) == {"b": bytes(5000)}


def test_too_many_open_files_are_no_fault_of_the_destination(home: Path) -> None:
    """They come back when other attempts end."""
    code = (
        LIMITED
        + """
resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))
parts = []
try:
    while True:
        parts.append(destination.new_part())
except StorageError as error:
    print(is_out_of_resources(error), is_destination_fault(error))
for part in parts:
    part.discard()
destination.close()
"""
    )
    assert run_child(code, home) == "True False\n"
    assert tree(home) == {}


@pytest.mark.parametrize(
    ("code", "fault", "resources"),
    [
        (errno.ENOSPC, True, False),
        (errno.EDQUOT, True, False),
        (errno.EROFS, True, False),
        (errno.EACCES, True, False),
        (errno.EIO, True, False),
        (errno.ENOENT, True, False),
        (errno.EFBIG, False, False),
        (errno.ENAMETOOLONG, False, False),
        (errno.EMFILE, False, True),
        (errno.ENOMEM, False, True),
    ],
)
def test_faults_are_told_apart(code: int, fault: bool, resources: bool) -> None:
    """One file, the machine or the destination: who must act differs."""
    cause = OSError(code, os.strerror(code))
    error = translate_os_error(cause, "write a\x1b[31m")
    assert str(error).isprintable()
    error.__cause__ = cause
    assert (is_destination_fault(error), is_out_of_resources(error)) == (fault, resources)


def test_error_of_no_system_is_no_fault_of_the_destination() -> None:
    """A refusal by the list ends no run."""
    assert not is_destination_fault(RefusedError("exists", "there"))
    assert not is_destination_fault(StorageError("storage", "without a cause"))


def test_destination_that_goes_away_is_a_fault_of_it(home: Path) -> None:
    """Nothing more can be saved; what is closed later does not fail."""
    with opened(home) as destination:
        part = destination.new_part()
        part.close()
        shutil.rmtree(home)
        with pytest.raises(StorageError) as publishing:
            destination.publish(part, "x", may_replace=False)
        with pytest.raises(StorageError) as creating:
            destination.new_part()
        assert is_destination_fault(publishing.value)
        assert is_destination_fault(creating.value)
    assert not home.exists()


# Other runs


def test_two_runs_share_a_destination(home: Path) -> None:
    """Neither sweeps the other; the last one takes the state folder with it."""
    with opened(home) as first:
        part = first.new_part()
        part.write(b"flag")
        with opened(home) as second:
            assert first.run_path != second.run_path
            put(second, "b")
        part.close()
        first.publish(part, "a", may_replace=False)
    assert tree(home) == {"a": b"flag", "b": b"flag"}


CHILD = """
import sys
from aioflags.destination import Destination
destination = Destination(sys.argv[1])
destination.open()
destination.new_part().write(b"half")
print(destination.run_path, flush=True)
sys.stdin.read()
"""


@contextmanager
def other_run(home: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, home], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield process, Path(process.stdout.readline().strip())
        process.kill()


def test_dead_run_is_swept_and_living_one_is_not(home: Path) -> None:
    """What a killed run left goes with the next start, and only that."""
    with other_run(home) as (dead, dead_path), other_run(home) as (_, living_path):
        with opened(home):
            assert dead_path.exists()
            assert living_path.exists()
        dead.send_signal(signal.SIGKILL)
        dead.wait()
        with opened(home) as destination:
            assert not dead_path.exists()
            assert len(os.listdir(living_path)) == 1
            put(destination, "a")
        assert len(os.listdir(living_path)) == 1
    with opened(home):
        pass
    assert tree(home) == {"a": b"flag"}


def test_sweeping_follows_no_link(home: Path, outside: Path) -> None:
    """Neither in place of a dead run's folder, nor of a part inside one."""
    dead = home / STATE_FOLDER / "run-0123456789abcdef"
    dead.mkdir(parents=True)
    (dead / "1.part").symlink_to(outside / "secret")
    (home / STATE_FOLDER / "run-link").symlink_to(outside)
    with opened(home):
        assert not dead.exists()
    assert tree(outside) == {"secret": b"secret"}


def test_what_is_no_runs_folder_is_left_alone(home: Path) -> None:
    """The state folder holds more than we sweep."""
    (home / STATE_FOLDER / "other").mkdir(parents=True)
    (home / STATE_FOLDER / "run-file").write_bytes(b"x")
    (home / STATE_FOLDER / "ledger").write_bytes(b"ledger")
    before = tree(home)
    with opened(home):
        pass
    assert tree(home) == before


def test_runs_may_come_and_go_at_once(home: Path) -> None:
    """Each sweeps, makes and removes the same folder, and none stumbles over another."""
    errors: list[BaseException] = []

    def work(me: int) -> None:
        try:
            for number in range(30):
                with opened(home) as destination:
                    put(destination, f"{me}-{number}")
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(me,)) for me in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(tree(home)) == 120


def test_short_write_of_the_system_is_continued(home: Path) -> None:
    """A pipe takes less than it is given; a part must not lose the rest."""
    received = bytearray()
    with opened(home) as destination:
        part = destination.new_part()
        reader, writer = os.pipe()
        os.dup2(writer, part.fileno())
        os.close(writer)

        def drain() -> None:
            while chunk := os.read(reader, 4096):
                received.extend(chunk)

        thread = threading.Thread(target=drain)
        thread.start()
        data = bytes(range(256)) * 4000
        assert part.write(data) == len(data)
        part.discard()
        thread.join()
        os.close(reader)
    assert bytes(received) == data
    assert isinstance(part, Part)


@pytest.mark.parametrize("is_replaced", [False, True])
def test_destination_that_is_renamed_takes_no_more_files(tmp_path: Path, is_replaced: bool) -> None:
    """Files must not go on appearing where nobody looks for them; the fault is one of the whole destination."""
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    destination = Destination(home)
    destination.open()
    try:
        home.rename(elsewhere)
        if is_replaced:
            home.mkdir()
        with pytest.raises(StorageError) as caught:
            destination.check_place([])
        assert is_destination_fault(caught.value)
        writer = Writer(destination)
        (error,) = writer.write_group([Whole(Wanted("fr.svg"), [b"flag"])])
        assert isinstance(error, StorageError)
        part = writer.new_part(Wanted("fr.svg"))
        with pytest.raises(StorageError):
            writer.commit(Wanted("fr.svg"), part)
        part.discard()
    finally:
        destination.close()
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("instead", ["nothing", "folder", "file", "link", "link to it"])
def test_folder_that_is_moved_in_mid_run_takes_no_more_files(tmp_path: Path, instead: str) -> None:
    """What is said to be saved is under its name: in a new folder of that name, or it is not said."""
    home, away = tmp_path / "home", tmp_path / "away"
    destination = Destination(home)
    destination.open()
    try:
        writer = Writer(destination)
        writer.write(Whole(Wanted("a/b/first"), [b"flag"]))
        (home / "a").rename(away)
        if instead == "folder":
            (home / "a").mkdir()
        elif instead == "file":
            (home / "a").touch()
        elif instead == "link":
            (home / "a").symlink_to(tmp_path, target_is_directory=True)
        elif instead == "link to it":
            (home / "a").symlink_to(away, target_is_directory=True)
        if instead not in {"nothing", "folder"}:
            with pytest.raises(DownloadError) as caught:
                writer.write(Whole(Wanted("a/b/second"), [b"flag"]))
            assert caught.value.kind == "name"
        else:
            writer.write(Whole(Wanted("a/b/second"), [b"flag"]))
            part = writer.new_part(Wanted("a/b/third"))
            writer.commit(Wanted("a/b/third"), part)
            assert sorted(path.name for path in (home / "a" / "b").iterdir()) == ["second", "third"]
    finally:
        destination.close()
    assert [path.name for path in (away / "b").iterdir()] == ["first"]


def test_size_of_a_file_is_told_whatever_folder_it_is_in(home: Path) -> None:
    """Of files only: nothing behind a link, no folder, and nothing outside."""
    with opened(home) as destination:
        put(destination, "a/b/flag")
        put(destination, "flag", b"flags")
        (home / "link").symlink_to(home / "a")
        (home / "a" / "away").symlink_to(home / "flag")
        for _ in range(2):
            assert destination.size_of("a/b/flag") == 4
            assert destination.size_of("flag") == 5
            for name in (
                "a/b",
                "a/b/none",
                "none/flag",
                "link/b/flag",
                "a/away",
                "a\0b",
                "a/../flag",
                "../home/flag",
                "a/b/..",
            ):
                assert destination.size_of(name) is None


def test_left_over_is_what_came_after_a_time_and_before_the_system_was_started(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the time that nobody can set; files have that of the clock's last tick."""
    with opened(home) as destination:
        put(destination, "flag")
        os.utime(home / "flag", (0, 0))
        changed = os.stat(home / "flag").st_ctime
        assert not destination.is_left_over("flag", changed)
        destination._lag = 0.02
        monkeypatch.setattr("aioflags.destination.boot_time", lambda: changed + 1)
        assert destination.is_left_over("flag", changed + 0.01)
        assert not destination.is_left_over("flag", changed + 0.03)
        assert not destination.is_left_over("none", changed)


@pytest.mark.parametrize(
    ("changed", "lag"),
    [
        (100_400_000_001, 0.02),
        (100_399_000_001, 0.021),
        (101_000_000_001, 0.02),
        (100_000_000_000, 2.4),
        (90_400_000_001, 10.02),
    ],
    ids=["tick", "last-tick", "ahead", "rounded", "server"],
)
def test_times_of_files_lag_behind_the_clock(changed: int, lag: float) -> None:
    """By a tick, by what the file system rounds down to, by as much as the clock of a file server is behind ours."""
    found = os.stat_result([0] * 10 + [0.0, 0.0, changed / 1e9, 0, 0, changed])
    assert lag_of(found, 100.4) == pytest.approx(lag, abs=1e-6)
