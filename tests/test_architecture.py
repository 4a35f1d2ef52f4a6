"""The house stands as it is drawn: floors, doors, exports, and each room can be entered by itself."""

from __future__ import annotations

import ast
import importlib
import pickle
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest

import aioflags
from aioflags.errors import AioflagsError, DownloadError

PACKAGE = Path(aioflags.__file__).parent
REPOSITORY = PACKAGE.parent

FACTS, HANDS, ENGINES, POLICY, DOORS = range(5)

FLOORS = {
    FACTS: "addresses audit_rows breaker chain digests disk_errors errors items journal ledger_rows names pace queues "
    "ranges records redact retry rows schedule settings trace transfer uplink urls version",
    HANDS: "audit boot collector credentials destination drafts folders groups halves inputs inspection ledger "
    "ledger_claims ledger_file ledger_notes lines lock newcomers parts private register roll storage threads "
    "tree turns writer",
    ENGINES: "engines",
    POLICY: "blocking dispatcher downloader equipment health intake jobs lessons pursuit recorder shards streams watch "
    "workforce",
    DOORS: "__main__ cli compare flagserver futures_lab",
}
FLOOR_OF = {name: floor for floor, names in FLOORS.items() for name in names.split()}

# Facts own no clock, no chance and no way to the world.
WORLD = """
aiofiles aiohttp asyncio concurrent ctypes fcntl glob http io logging multiprocessing os pathlib queue random rich
secrets select selectors shutil signal socket sqlite3 ssl subprocess sys tempfile threading time uvloop
"""
WORLDLY_CALLS = frozenset({"open", "print", "input", "exec", "eval", "now", "today", "utcnow"})


def path_of(module: str) -> Path:
    base = REPOSITORY.joinpath(*module.split("."))
    return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")


def all_modules() -> list[str]:
    found = (path.relative_to(REPOSITORY).with_suffix("") for path in PACKAGE.rglob("*.py"))
    return sorted(".".join(path.parts).removesuffix(".__init__") for path in found)


MODULES = all_modules()


def room(module: str) -> str:
    """First name below the package: the module itself, or the folder that it is in."""
    return module.split(".")[1] if "." in module else ""


@lru_cache
def tree_of(module: str) -> ast.Module:
    return ast.parse(path_of(module).read_text(encoding="utf-8"))


def imports_of(module: str) -> Iterator[str]:
    """Full name of everything that a module imports, in functions and for type checking, too."""
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively, line {node.lineno}"
            assert node.module is not None
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if full in MODULES else node.module


def own_imports_of(module: str) -> set[str]:
    return {name for name in imports_of(module) if name.split(".")[0] == "aioflags"}


def test_walk_sees_imports_wherever_they_stand() -> None:
    """The examples that matter are found: at the top, in a function, and of a module out of a package."""
    assert "aioflags.errors" in own_imports_of("aioflags.items")
    assert "aioflags.engines.asyncio_engine" in own_imports_of("aioflags.equipment")
    assert "aioflags.flagserver.server" in own_imports_of("aioflags.cli.flags")
    assert "aiofiles.threadpool" in set(imports_of("aioflags.storage"))


@pytest.mark.parametrize("module", MODULES)
def test_module_has_its_floor_and_imports_from_no_higher_one(module: str) -> None:
    """A new module must be given a floor; the package itself stands outside, to re-export what is above."""
    if module == "aioflags":
        return
    floor = FLOOR_OF.get(room(module))
    assert floor is not None, f"{module} is on no floor: say which in this file"
    # Who imports the package imports what it re-exports.
    above = {name for name in own_imports_of(module) if FLOOR_OF.get(room(name), POLICY) > floor}
    assert above == set()


def test_no_floor_is_given_to_a_module_that_is_not_there() -> None:
    """The plan shows no room that was torn down."""
    assert set(FLOOR_OF) - {room(module) for module in MODULES} == set()


@pytest.mark.parametrize("module", MODULES)
def test_flag_server_is_used_by_the_command_line_only(module: str) -> None:
    """It is a program of its own: nothing of the downloader needs it, and it needs nothing of the command line."""
    rooms = {room(name) for name in own_imports_of(module)}
    assert "flagserver" not in rooms or room(module) in {"flagserver", "cli"}
    assert "cli" not in rooms or room(module) in {"cli", "compare", "__main__"}


@pytest.mark.parametrize("module", [module for module in MODULES if FLOOR_OF.get(room(module)) == FACTS])
def test_facts_touch_nothing(module: str) -> None:
    """No loop, socket, file, clock or chance: what they need comes in as an argument."""
    assert {name.split(".")[0] for name in imports_of(module)} & set(WORLD.split()) == set()
    calls = {
        node.func.id if isinstance(node.func, ast.Name) else node.func.attr
        for node in ast.walk(tree_of(module))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute)
    }
    # A constructor that is made as dataclasses make theirs.
    own = {"exec"} if module == "aioflags.records" else set()
    assert calls & WORLDLY_CALLS == own


@pytest.mark.parametrize("module", MODULES)
def test_records_are_of_our_own_making(module: str) -> None:
    """Forty of the standard library's are a quarter of the time in which the program starts."""
    froms = {node.module for node in ast.walk(tree_of(module)) if isinstance(node, ast.ImportFrom)
             for alias in node.names if alias.name == "dataclass"}  # fmt: skip
    records = [node for node in ast.walk(tree_of(module)) if isinstance(node, ast.Call)
               and ast.unparse(node) == "dataclass(frozen=True, slots=True)"]  # fmt: skip
    assert not records or froms == {"aioflags.records"}


@pytest.mark.parametrize("module", [module for module in MODULES if path_of(module).name != "__init__.py"])
def test_module_says_what_it_offers(module: str) -> None:
    """`__all__` is there, and every name of it."""
    loaded = importlib.import_module(module)
    assert loaded.__all__
    assert [name for name in loaded.__all__ if not hasattr(loaded, name)] == []
    assert len(set(loaded.__all__)) == len(loaded.__all__)


@pytest.mark.parametrize("module", MODULES)
def test_module_tells_what_it_holds(module: str) -> None:
    """One paragraph or more before the code."""
    assert ast.get_docstring(tree_of(module))


def test_package_offers_what_it_re_exports() -> None:
    """In order, and nothing that its home keeps to itself."""
    homes = {
        alias.asname or alias.name: node.module
        for node in ast.walk(tree_of("aioflags"))
        if isinstance(node, ast.ImportFrom) and node.module is not None and node.module.startswith("aioflags.")
        for alias in node.names
    }
    assert aioflags.__all__ == sorted(homes)
    for name, home in homes.items():
        module = importlib.import_module(home)
        assert name in getattr(module, "__all__", [name])
        # What the type checker is told is what is given.
        assert getattr(aioflags, name) is getattr(module, name)
    assert set(aioflags.__all__) <= set(dir(aioflags))
    assert not hasattr(aioflags, "make_error")


def test_package_imports_nothing_before_it_is_asked_for() -> None:
    """Whoever starts the program is heard from the first moment on."""
    code = "import sys, aioflags; print(*sorted(name for name in sys.modules if name.startswith('aioflags')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["aioflags", "aioflags.version"]


def test_errors_of_the_package_are_all_the_errors() -> None:
    """Whoever may be raised can be caught by a public name."""
    public = {getattr(aioflags, name) for name in aioflags.__all__}
    assert set(all_errors()) <= public


def all_errors(root: type[AioflagsError] = AioflagsError) -> Iterator[type[AioflagsError]]:
    if root.__module__.startswith("aioflags."):
        yield root
    for child in root.__subclasses__():
        yield from all_errors(child)


@pytest.mark.parametrize("error", list(all_errors()))
def test_every_error_crosses_a_process_boundary(error: type[AioflagsError]) -> None:
    """With all that it says."""
    made = error("http", "status 500", "h") if issubclass(error, DownloadError) else error("wrong")
    twin = pickle.loads(pickle.dumps(made))
    assert (type(twin), str(twin), twin.args, vars(twin)) == (error, str(made), made.args, vars(made))


# A fresh interpreter forks for each module, which then meets a world in which nothing of ours is imported yet; what
# is not ours is there, for it would be read seventy times.
ENTER_ALONE = """
import contextlib, os, sys
for module in sys.argv[1].split():
    with contextlib.suppress(ModuleNotFoundError):
        __import__(module)
import signal
# A shell that started the tests in the background has SIGINT ignored.
interrupt = signal.getsignal(signal.SIGINT)
failed = []
for module in sys.argv[2:]:
    child = os.fork()
    if not child:
        status = 1
        try:
            __import__(module)
            import logging, threading
            assert threading.active_count() == 1, "a thread was started"
            assert not logging.getLogger().handlers, "logging was configured"
            assert signal.getsignal(signal.SIGINT) is interrupt, "a signal handler was installed"
            status = 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(status)
    if os.waitpid(child, 0)[1]:
        failed.append(module)
print(*failed)
"""


@pytest.mark.slow
def test_each_module_can_be_imported_alone_and_changes_nothing() -> None:
    """First of all, with warnings as errors: no circle, no order, no thread, no handler, no logging."""
    foreign = {name for module in MODULES for name in imports_of(module) if name.split(".")[0] != "aioflags"}
    process = subprocess.run(
        [sys.executable, "-W", "error", "-c", ENTER_ALONE, " ".join(sorted(foreign)), *MODULES],
        capture_output=True,
        text=True,
        check=True,
        cwd=REPOSITORY,
    )
    assert (process.stdout.split(), process.stderr) == ([], "")


def aioflags_command(*arguments: str) -> tuple[str, set[str]]:
    """Run the program; gives its output and the names of all modules that it imported."""
    command = [sys.executable, "-X", "importtime", "-m", "aioflags", *arguments]
    process = subprocess.run(command, capture_output=True, text=True, check=True, cwd=REPOSITORY)
    imported = re.findall(r"^import time:.*\| +([\w.]+)$", process.stderr, re.MULTILINE)
    return process.stdout, set(imported)


@pytest.mark.slow
def test_help_is_answered_without_the_heavy_libraries() -> None:
    """Of the program and of every command that it names; whoever asks for help does not wait for a network library."""
    text, imported = aioflags_command("--help")
    commands = re.findall(r"^    (\w+)  ", text, re.MULTILINE)
    assert {"flags", "get", "serve"} <= set(commands)
    for command in commands:
        own_text, own_imported = aioflags_command(command, "--help")
        assert f"aioflags {command}" in own_text
        imported |= own_imported
    assert "argparse" in imported
    assert {name for name in imported if name.split(".")[0] in {"aiohttp", "rich", "uvloop", "aiofiles"}} == set()


@pytest.mark.slow
@pytest.mark.parametrize("option", ["--help", "--version"])
def test_answer_about_the_program_imports_no_command(option: str) -> None:
    """What the program can say by itself does not wait for what makes a downloader."""
    _, imported = aioflags_command(option)
    own = {name.removeprefix("aioflags.") for name in imported if name.startswith("aioflags.")}
    assert own == {"cli", "cli.diagnostics", "cli.exits", "cli.main", "cli.parser", "cli.say", "collector", "errors",
                   "redact", "version"}  # fmt: skip


# Where people and machines keep their own files, as opposed to what every system has.
MACHINE_PATH = re.compile(r"(?<![\w.:/}])/(?:home|root|work|workspace|Users|opt|srv|mnt|media)/[\w.-]")


def texts() -> Iterator[tuple[str, str]]:
    folders = (REPOSITORY / name for name in ("aioflags", "tests", "benchmarks", ".ci"))
    files = [path for folder in folders for path in folder.rglob("*")] + list(REPOSITORY.glob("*.*"))
    for path in files:
        if path.suffix in {".py", ".md", ".toml", ".yml", ".yaml", ".sh", ".svg", ".txt"} and path.is_file():
            yield str(path.relative_to(REPOSITORY)), path.read_text(encoding="utf-8")


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    """No path of somebody's directory, and not the one that this very checkout is in."""
    here = {str(place) for place in (REPOSITORY, Path.home(), Path(sys.prefix)) if len(place.parts) > 2}
    found = {
        (name, line)
        for name, text in texts()
        for line in text.splitlines()
        if MACHINE_PATH.search(line) or any(place in line for place in here)
    }
    assert found == set()
