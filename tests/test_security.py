"""The security table: for each row the tests that prove it, and here those that need the whole program.

Every lie is told by a real server, and every file is a real one.
"""

from __future__ import annotations

import ast
import asyncio
import json
import os
import re
import stat
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

import aioflags
from aioflags.cli.main import run
from aioflags.settings import EngineName
from tests.faultserver import FaultServer, answer, say
from tests.hostile import BODY, Client, head
from tests.private_internet import EXPECTED, explore

TESTS = Path(__file__).parent
PACKAGE = Path(aioflags.__file__).parent
ENGINES: tuple[EngineName, ...] = ("asyncio", "aiohttp", "threads", "processes", "sequential")
EVIL = "\x1b]0;owned\x07\x1b[2J\u202egpj.exe"

#: What can be done to a downloader, and the tests that show that it cannot be done to this one.
PROOFS = {
    "a name from Content-Disposition": "security::test_server_chooses_no_name",
    "names that are absolute, of a drive or share, or climb": "names::test_a_name_outside_the_destination_is_refused "
    "names::test_any_wanted_name_becomes_safe_or_is_refused names::test_any_url_gives_a_safe_name",
    "a name from a redirect": "security::test_server_chooses_no_name "
    "pursuit::test_redirects_change_the_host_that_is_asked_not_the_name",
    "dotfiles and programs": "names::test_the_name_of_a_url_is_its_last_segment_made_safe "
    "security::test_modes_are_those_of_the_umask",
    "names that a system reads in its own way": "names::test_a_wanted_name_is_made_safe "
    "names::test_a_long_name_is_cut_and_keeps_its_extension "
    "names::test_names_that_one_file_system_takes_for_one_are_equal",
    "links, pipes and devices in the destination": "destination::test_folder_of_a_name_must_be_a_folder "
    "destination::test_folder_that_becomes_a_link_leads_nowhere destination::test_taken_name_is_refused "
    "destination::test_taken_name_is_replaced_on_demand_unless_it_is_a_directory "
    "destination::test_state_folder_must_be_a_folder destination::test_sweeping_follows_no_link "
    "ledger_file::test_ledger_that_is_a_link_is_refused security::test_links_in_the_private_folder_lead_nowhere",
    "temporary files that can be guessed": "destination::test_half_a_file_is_nowhere_but_in_the_private_folder "
    "private::test_folder_is_private_and_goes_with_its_run",
    "modes": "security::test_modes_are_those_of_the_umask",
    "a wrong file removed or overwritten": "destination::test_taken_name_is_refused "
    "writer::test_wrong_digest_leaves_nothing private::test_what_a_dead_run_left_is_swept",
    "credentials to another origin": "chain::test_hop_knows_whether_it_leaves_the_origin "
    "chain::test_foreign_stays_foreign security::test_credentials_stay_at_their_origin",
    "netrc and cookies": "credentials::test_no_other_host_gets_any "
    "credentials::test_entry_for_one_port_is_for_no_other downloader::test_credentials_of_netrc_go_to_their_host_only "
    "security::test_credentials_stay_at_their_origin",
    "secrets in what is said": "redact::test_a_secret_parameter_hides_every_value redact::test_user_info_is_hidden "
    "downloader::test_nothing_secret_is_said cli_diagnostics::test_traceback_is_whole_and_without_secrets "
    "cli_trace::test_text_hides_secrets_and_escapes security::test_no_secret_is_shown "
    "security::test_traceback_holds_no_secret",
    "escape sequences and forged lines": "cli_screen::test_records_are_printable "
    "engines_asyncio_engine::test_nothing_of_an_answer_reaches_a_terminal_as_it_came "
    "engines_blocking_driver::test_nothing_of_an_answer_reaches_a_terminal_as_it_came "
    "security::test_nothing_from_outside_moves_the_cursor",
    "redirects to other schemes": "chain::test_location_that_cannot_be_followed_is_refused "
    "chain::test_from_https_to_http_is_refused downloader::test_redirect_that_cannot_be_followed",
    "ways into a private network": "security::test_strangers_urls_lead_to_public_addresses_only "
    "pursuit::test_redirect_of_a_public_server_must_stay_public addresses::test_private_addresses_are_known "
    "addresses::test_an_embedded_address_is_judged_like_itself security::test_proxy_is_sent_into_no_private_network",
    "bombs and bodies without end": "engines::test_fault_ends_as_it_must",
    "heads and trailers without end": "security::test_head_without_end_ends",
    "headers that the caller smuggles in": "settings::test_wrong_value_is_refused_by_name "
    "urls::test_what_cannot_be_requested_is_refused",
    "weak digests": "transfer::test_digests_must_all_agree writer::test_wrong_digest_leaves_nothing",
    "a ledger that lies": "ledger_file::test_another_database_is_left_alone ledger_file::test_damage_is_found "
    "ledger_rows::test_what_is_no_object_says_nothing",
    "TLS that is not verified, pools that mix": "engines_tls::test_certificates_are_verified "
    "engines_asyncio_engine::test_certificate_that_is_not_valid_is_final "
    "engines_blocking_driver::test_certificate_that_is_not_valid_is_final cli_get::test_insecure_is_said_aloud "
    "engines_asyncio_engine::test_connection_that_was_allowed_is_not_lent_to_one_that_is_not",
    "other programs": "security::test_no_program_is_run",
}


@pytest.mark.parametrize("row", PROOFS)
def test_every_row_has_its_proof(row: str) -> None:
    """What is said to be tested is tested: the tests are there, under these names."""
    for proof in PROOFS[row].split():
        module, _, name = proof.partition("::")
        assert re.search(rf"^(async )?def {name}\(", (TESTS / f"test_{module}.py").read_text("utf-8"), re.MULTILINE), (
            proof
        )


def download(urls: list[Any], path: Path, **options: Any) -> dict[str, aioflags.Outcome]:
    """Download, and give the outcomes by URL."""
    options = {"retries": 0, **options}
    return {outcome.url: outcome for outcome in asyncio.run(aioflags.download_many(urls, path, **options))}


def kind_of(outcome: aioflags.Outcome) -> str | None:
    return None if outcome.error is None else outcome.error.kind


# Addresses


@pytest.fixture(scope="module")
def private_internet(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    found = explore(tmp_path_factory.mktemp("internet"))
    if found is None:
        pytest.skip("this system gives no network namespace (unshare, ip): address_policy is not tried on a network")
    return found


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_strangers_urls_lead_to_public_addresses_only(private_internet: dict[str, Any], engine: str) -> None:
    """By address in any spelling, by name, by redirect, or by a name server that changes its mind: nobody knocks."""
    found = private_internet[engine]
    assert found["knocks"] == 0
    assert {url: kind for url, kind in found["ends"].items() if kind not in EXPECTED[url]} == {}
    assert found["ends"].keys() == EXPECTED.keys()
    assert found["bodies"] == []
    # What was redirected, or connected before the name changed, has been asked for once.
    asked = {url for url, requests in found["requests"].items() if requests}
    assert {url.split("/")[1] for url in asked} <= {"to-address", "to-name", "to-six", "lost"}


@pytest.mark.parametrize("engine", ENGINES)
def test_proxy_is_sent_into_no_private_network(tmp_path: Path, engine: EngineName) -> None:
    """What the URL itself says is refused here, by a redirect, too; other names are for the proxy to judge."""
    with FaultServer({"moved": say(answer(b"", "Location: http://10.0.0.1/saved", status=302))}) as proxy:
        hosts = [
            "127.0.0.1",
            "localhost",
            "a.localhost",
            "intranet",
            "metadata.google.internal",
            "[::1]",
            "169.254.0.1",
        ]
        urls = [f"http://{host}/saved/{number}" for number, host in enumerate(hosts)]
        urls += ["http://a.example/moved", "http://b.example/saved/b"]
        outcomes = download(urls, tmp_path, engine=engine, address_policy="public", proxy=proxy.url)
        assert [kind_of(outcomes[url]) for url in urls] == ["policy"] * 8 + [None]
        assert sorted(proxy.paths) == ["http://a.example/moved", "http://b.example/saved/b"]
        assert [outcomes[url].attempts for url in urls] == [0] * 7 + [1, 1]


def test_wrong_address_policy_is_a_wrong_call(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is requested, and the choices are named."""
    with pytest.raises(aioflags.UsageError, match="address_policy must be one of any, public"):
        aioflags.Downloader(tmp_path, address_policy="private")  # type: ignore[arg-type]
    with pytest.raises(SystemExit) as caught:
        run(["get", "http://h/", "--address-policy", "private"])
    assert caught.value.code == 2
    assert "any" in (said := capsys.readouterr().err)
    assert "public" in said


# Names and files


@pytest.mark.parametrize("engine", ENGINES)
def test_server_chooses_no_name(tmp_path: Path, engine: EngineName) -> None:
    """Neither by Content-Disposition nor by where it redirects to; nothing is outside the destination."""
    evil = "Content-Disposition: attachment; filename=\"../../evil.sh\"; filename*=UTF-8''%2e%2e%2fevil.sh"
    faults = {
        "disposed": say(answer(BODY, evil)),
        "moved": say(answer(b"", "Location: /saved/.bashrc", status=302)),
    }
    with FaultServer(faults) as server:
        download([f"{server.url}/disposed", f"{server.url}/moved"], tmp_path / "files", engine=engine)
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")) == [
        "files", "files/disposed", "files/moved",
    ]  # fmt: skip


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_modes_are_those_of_the_umask(tmp_path: Path, mask: int) -> None:
    """Data as any program makes it, never to be run; what is ours alone is for us alone, whatever the umask."""
    with umask(mask), FaultServer() as server:
        items = [aioflags.Item(f"{server.url}/saved/1", name="folder/run.sh"), f"{server.url}/saved/2"]
        download(items, tmp_path / "files", ledger=True)
    modes = {
        str(path.relative_to(tmp_path)): stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "files").rglob("*")
    }
    data = {name: mode for name, mode in modes.items() if ".aioflags" not in name}
    assert data == {"files/folder": 0o777 & ~mask, "files/folder/run.sh": 0o666 & ~mask, "files/2": 0o666 & ~mask}
    assert modes["files/.aioflags"] == 0o700
    assert modes["files/.aioflags/ledger"] == 0o600


@pytest.mark.parametrize("name", ["ledger", "ledger-wal", "ledger-shm", "ledger-journal", "lock", "parts"])
def test_links_in_the_private_folder_lead_nowhere(tmp_path: Path, name: str) -> None:
    """Who could write there before us gains no file of ours elsewhere, and loses none."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("precious")
    state = tmp_path / "files" / ".aioflags"
    state.mkdir(mode=0o700, parents=True)
    (state / name).symlink_to(outside / "precious" if name != "parts" else outside)
    with FaultServer() as server:
        with suppress(aioflags.StorageError):
            download([f"{server.url}/saved/1"], tmp_path / "files", ledger=True)
    assert [(path.name, path.read_text()) for path in outside.iterdir()] == [("precious", "precious")]


# Credentials


@pytest.mark.parametrize("engine", ENGINES)
def test_credentials_stay_at_their_origin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: EngineName) -> None:
    """Whatever the user gave goes to the origin of the URL, not to another port, nor back; no cookie is kept."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password s3cret-netrc\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    cookie = "Set-Cookie: session=s3cret-cookie; Path=/"
    with FaultServer() as home, FaultServer() as other:
        home._faults["same"] = say(answer(b"", "Location: /away/1", cookie, status=302))
        home._faults["away"] = say(answer(b"", f"Location: {other.url}/back/1", cookie, status=302))
        other._faults["back"] = say(answer(b"", f"Location: {home.url}/saved/back", cookie, status=302))
        user = home.url.replace("//", "//me:s3cret-user@")
        items = [aioflags.Item(f"{user}/same/1", headers={"X-Api-Key": "s3cret-item", "Cookie": "s3cret-own"})]
        options: dict[str, Any] = {"engine": engine, "netrc": True, "header": {"Referer": "http://s3cret-header/"}}
        (outcome,) = download(items, tmp_path / "files", **options).values()
        assert kind_of(outcome) is None
        for path in ("/same/1", "/away/1"):
            assert home.fields(path)["x-api-key"] == "s3cret-item"
            assert home.fields(path)["authorization"].startswith("Basic ")
            assert "s3cret-cookie" not in str(home.fields(path))
        abroad = [request for request in other.seen + home.seen if b"GET /back" in request or b"GET /saved" in request]
        assert len(abroad) == 2
        assert not any(b"s3cret" in request or b"uthorization" in request for request in abroad)


# What is said

SECRET_FAULTS: dict[str, Any] = {
    "closed": lambda client: None,
    "reset": Client.reset,
    "broken": say(b"HTTP/9.9 s3cret\r\n\r\n"),
    "length": say(head(200, "Content-Length: much", length=None)),
    "chunk": say(head(200, "Transfer-Encoding: chunked", length=None) + b"zz\r\n"),
    "cut": lambda client: client.send(head() + b"x"),
    "forbidden": say(answer(b"s3cret", status=403)),
    "moved": say(answer(b"", "Location: ftp://me:s3cret@h/?sig=s3cret", status=302)),
}


def secret_urls(server: FaultServer) -> list[str]:
    base = server.url.replace("//", "//me:s3cret@")
    return [f"{base}/{name}?tok=s3cret&k=s3cret" for name in SECRET_FAULTS]


@pytest.mark.parametrize("is_proxied", [False, True])
@pytest.mark.parametrize("engine", ENGINES)
def test_traceback_holds_no_secret(tmp_path: Path, engine: EngineName, is_proxied: bool) -> None:
    """Of the errors that a caller may raise, with their causes; in their arguments neither."""
    with FaultServer(SECRET_FAULTS) as server:
        proxy = server.url.replace("//", "//me:s3cret@") if is_proxied else None
        options: dict[str, Any] = {"header": {"Authorization": "Bearer s3cret", "X-Api-Key": "s3cret"}, "proxy": proxy}
        report = asyncio.run(aioflags.download_many(secret_urls(server), tmp_path, engine=engine, retries=0, **options))
    with pytest.raises(ExceptionGroup) as caught:
        report.raise_for_failures()
    assert len(caught.value.exceptions) == len(SECRET_FAULTS)
    text = "".join(traceback.format_exception(caught.value))
    assert "s3cret" not in text
    assert "s3cret" not in repr(caught.value.exceptions)
    assert "s3cret" not in repr(report.outcomes)
    assert "s3cret" not in json.dumps([outcome.as_record() for outcome in report])


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_no_secret_is_shown(tmp_path: Path, capfd: pytest.CaptureFixture[str], engine: str) -> None:
    """Not on the terminal with everything switched on, not in records, and not in the trace file."""
    with FaultServer(SECRET_FAULTS) as server:
        trace = str(tmp_path / "trace.json")
        options = ["-v", "--json", "--trace", "--trace-file", trace, "--retries", "0", "--engine", engine]
        options += ["--header", "Authorization: Bearer s3cret", "-d", str(tmp_path / "files"), "--progress", "plain"]
        urls = [*secret_urls(server), f"{server.url.replace('//', '//me:s3cret@')}/saved/a?tok=s3cret"]
        assert run(["get", *urls, *options]) == 1
    out, err = capfd.readouterr()
    assert '"saved": 1' in out
    assert "s3cret" not in out + err + Path(trace).read_text()


@pytest.mark.slow
def test_comparison_shows_no_secret(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither the table nor the page, which one gives away."""
    with FaultServer(SECRET_FAULTS) as server:
        (tmp_path / "urls.txt").write_text("\n".join(secret_urls(server)))
        page = tmp_path / "page.html"
        run(["compare", "-i", str(tmp_path / "urls.txt"), "--html", str(page), "--retries", "0", "--repeat", "1"])
    out, err = capfd.readouterr()
    assert "asyncio" in out
    assert "s3cret" not in out + err + page.read_text()


@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_from_outside_moves_the_cursor(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], engine: EngineName
) -> None:
    """What a server or a list says is escaped in lines for people and in records, which stay one line each."""
    evil = EVIL.encode()
    faults = {
        "reason": say(b"HTTP/1.1 500 " + evil + b"\r\nContent-Length: 0\r\n\r\n"),
        "coding": say(b"HTTP/1.1 200 OK\r\nContent-Encoding: " + evil + b"\r\nContent-Length: 0\r\n\r\n"),
        "length": say(b"HTTP/1.1 200 OK\r\nContent-Length: 1" + evil + b"\r\n\r\n"),
        "moved": say(b"HTTP/1.1 302 OK\r\nLocation: http://h" + evil + b"/\r\nContent-Length: 0\r\n\r\n"),
        "head": say(evil + b"\r\n\r\n"),
    }
    with FaultServer(faults) as server:
        lines = [{"url": f"{server.url}/{name}"} for name in faults]
        lines += [{"url": f"{server.url}/saved/{EVIL}"}, {"url": EVIL}, {"url": f"{server.url}/saved/x", "name": EVIL}]
        (tmp_path / "urls.jsonl").write_text("\n".join(map(json.dumps, lines)))
        base = ["get", "-i", str(tmp_path / "urls.jsonl"), "--retries", "0", "--engine", engine, "-v", "--trace"]
        for number, options in enumerate([["--json"], ["--progress", "plain"]]):
            assert run([*base, *options, "-d", str(tmp_path / str(number))]) == 1
            out, err = capfd.readouterr()
            assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", out + err)
            if "--json" in options:
                assert len([json.loads(line) for line in out.splitlines()]) == len(lines) + 1


# Lies without end


def _endless(start: bytes, piece: bytes) -> Any:
    def fault(client: Client) -> None:
        client.send(start)
        while not client.server.closing.is_set():
            client.send(piece * 1000)

    return fault


ENDLESS = {
    "fields": _endless(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"),
    "one-field": _endless(b"HTTP/1.1 200 OK\r\nX-A: ", b"x" * 100),
    "status-line": _endless(b"HTTP/1.1 200 ", b"x" * 100),
    "interim": _endless(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"),
    "trailers": _endless(head(200, "Transfer-Encoding: chunked", length=None) + b"1\r\nx\r\n0\r\n", b"X-A: b\r\n"),
    "chunk-size": _endless(head(200, "Transfer-Encoding: chunked", length=None), b"0" * 100),
    "extension": _endless(head(200, "Transfer-Encoding: chunked", length=None) + b"1;", b"x" * 100),
}


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_head_without_end_ends(tmp_path: Path, engine: EngineName) -> None:
    """A head, a trailer or a chunk's size that goes on for ever fails its item, soon, and nobody's memory."""
    with FaultServer(ENDLESS) as server:
        urls = [f"{server.url}/{name}" for name in ENDLESS]
        deadlines = {"first_byte_timeout": 1.0, "idle_timeout": 1.0, "max_bytes": 1_000_000}
        outcomes = download(urls, tmp_path, engine=engine, **deadlines)
    kinds = {url.rpartition("/")[2]: kind_of(outcome) for url, outcome in outcomes.items()}
    assert {name: kind for name, kind in kinds.items() if kind not in {"protocol", "timeout", "stalled"}} == {}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("framing", ["", "Transfer-Encoding: chunked"], ids=["open", "chunked"])
def test_rest_without_end_ends(tmp_path: Path, engine: EngineName, framing: str) -> None:
    """The rest of a file that was cut may say in its range alone how long it is: no more than that is taken."""
    fields = ['ETag: "e"']
    piece = b"10000\r\n" + bytes(1 << 16) + b"\r\n" if framing else bytes(1 << 16)
    starts: list[int] = []
    sent: list[int] = []

    def fault(client: Client) -> None:
        if client.count == 1:
            client.send(head(200, *fields, length=9_000_000), bytes(5_000_000))
        elif client.count == 2:
            # aiohttp forgets what it had in hand when a connection is cut: the rest may begin before the cut.
            starts.append(int(server.fields("/file")["range"].removeprefix("bytes=").rstrip("-")))
            more = [framing] if framing else []
            client.send(head(206, f"Content-Range: bytes {starts[0]}-8999999/9000000", *fields, *more, length=None))
            while not client.server.closing.is_set() and len(sent) < 10_000:
                client.send(piece)
                sent.append(len(piece))
        else:
            client.send(head(404, length=0))

    with FaultServer({"file": fault}) as server:
        (outcome,) = download([f"{server.url}/file"], tmp_path, engine=engine, retries=2).values()
    assert outcome.status in {aioflags.Status.MISSING, aioflags.Status.FAILED}
    # The last piece may not have been sent whole when the client had enough.
    assert 8_800_000 < starts[0] + sum(sent) < 100_000_000
    assert list(tmp_path.iterdir()) == []


# Other programs


def test_no_program_is_run() -> None:
    """No shell anywhere; and only the comparison and `--processes` start a process, which is this program."""
    starters = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import) and any(alias.name == "subprocess" for alias in node.names):
                starters.add(path.relative_to(PACKAGE).as_posix())
            if isinstance(node, ast.Attribute):
                assert ast.unparse(node) not in {"os.system", "os.popen", "os.startfile"}, path
                assert node.attr != "create_subprocess_shell", path
            if isinstance(node, ast.keyword):
                assert node.arg != "shell", path
    assert starters == {"compare/measure.py", "shards/child.py"}
