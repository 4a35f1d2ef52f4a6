"""`aioflags retry`: exactly what failed is fetched again, as it was asked for; nothing else is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aioflags.flagserver.server import FlagServer, ServerThread
from tests.caller import Caller, change_ledger, records


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Caller]:
    with ServerThread(FlagServer(log=[])) as server:
        yield Caller(server, tmp_path, monkeypatch, capsys)


def test_only_what_failed_is_asked_for(call: Caller) -> None:
    """What is done is not; the records are those of get."""
    call.do_job()
    status, out, _ = call("retry", "downloads", "--retries", "0", "--json")
    *outcomes, summary = records(out)
    assert status == 1
    assert call.requests() == ["/status/404", "/status/503?token=s3cret"]
    assert len(outcomes) == summary["items"] == 3


def test_what_can_be_got_now(call: Caller) -> None:
    """Comes under the name it had; then there is nothing to do any more, which is said."""
    assert call("get", "@bytes/5?status=503&times=1&key=retry", "-o", "sub/five", "--retries", "0")[0] == 1
    status, out, err = call("retry", "downloads")
    assert (status, err) == (0, "")
    assert out.startswith("1 file saved, 5 B")
    assert Path("downloads/sub/five").stat().st_size == 5
    call.requests()
    assert call("retry", "downloads") == (0, "nothing has failed: there is nothing to fetch again\n", "")
    assert call("retry", "downloads", "-q") == (0, "", "")
    assert [record["items"] for record in records(call("retry", "downloads", "--json")[1])] == [0]
    assert call.requests() == []
    assert call("status", "downloads")[0] == 0


def test_what_the_list_said_still_holds(call: Caller) -> None:
    """Digests and headers of an item are on record; another file than the one that was declared is none."""
    Path("list.csv").write_text(f"url,sha256\n{call.url}bytes/5?status=503&times=1&key=digest,{'0' * 64}\n")
    call("get", "-i", "list.csv", "--retries", "0")
    status, out, _ = call("retry", "downloads", "--retries", "0", "--json")
    assert status == 1
    assert records(out)[0]["error"]["kind"] == "checksum"
    assert not Path("downloads/5").exists()


def test_last_list_is_what_holds(call: Caller) -> None:
    """A digest that came with the second list is not forgotten by what has only the record of both."""
    url = f"{call.url}bytes/5?status=503&times=2&key=late"
    call("get", url, "--retries", "0")
    Path("list.csv").write_text(f"url,sha256\n{url},{'0' * 64}\n")
    call("get", "-i", "list.csv", "--retries", "0")
    status, out, _ = call("retry", "downloads", "--retries", "0", "--json")
    assert (status, records(out)[0]["error"]["kind"]) == (1, "checksum")
    assert not Path("downloads/5").exists()


def test_line_that_could_be_no_item_is_none_again(call: Caller) -> None:
    """Not fetched without the digest that could not be read; its own reason is told, however often it is tried."""
    Path("list.csv").write_text(f"url,sha256\n{call.url}bytes/5,zz\n")
    call("get", "-i", "list.csv")
    for _ in range(2):
        status, out, _ = call("retry", "downloads", "--json")
        *outcomes, summary = records(out)
        assert (status, summary["items"]) == (1, 1)
        assert "is not 64 hexadecimal digits" in outcomes[0]["error"]["message"]
    assert call.requests() == []
    assert records(call("status", "downloads", "--json")[1])[-1]["items"] == 1


def test_what_was_not_tried_is_left(call: Caller) -> None:
    """That has its own command, and retry says so."""
    call("get", "@bytes/1", "@status/404", "--retries", "0")
    change_ledger("UPDATE items SET state = 0 WHERE name = '1'")
    call.requests()
    status, _, err = call("retry", "downloads")
    assert status == 1
    assert "1 item not fetched yet" in err
    assert call.requests() == ["/status/404"]


@pytest.mark.parametrize("name", ["../evil", "/tmp/evil", ".aioflags/ledger"])
def test_no_ledger_chooses_where_files_go(call: Caller, name: str) -> None:
    """A name that no run of ours gives fails its item, and nothing is written."""
    call("get", "@bytes/5")
    change_ledger("UPDATE items SET state = 3, name = ?", name)
    status, out, _ = call("retry", "downloads", "--json")
    assert (status, records(out)[0]["error"]["kind"]) == (1, "name")
    assert not Path("evil").exists()
    assert call("status", "downloads")[0] == 1


def test_items_that_come_meanwhile_are_left(call: Caller) -> None:
    """A row that is not what its key says makes another one; retry ends all the same."""
    call("get", "@status/404", "@status/410", "--retries", "0", "-q")
    change_ledger("UPDATE items SET url = url || '?x'")
    call.requests()
    status, out, _ = call("retry", "downloads", "--retries", "0", "--json")
    assert (status, records(out)[-1]["items"]) == (1, 2)
    assert len(call.requests()) == 2


def test_url_under_two_names_is_fetched_under_both(call: Caller) -> None:
    """By one retry: two lists asked for it, and each has a file of its own; so does `verify --fix`."""
    for name in ("one", "two"):
        assert call("get", "@bytes/5?status=503&times=2&key=twins", "-o", name, "--retries", "0", "-q")[0] == 1
    status, out, _ = call("retry", "downloads", "--json")
    assert (status, records(out)[-1]["saved"]) == (0, 2)
    assert sorted(record["path"] for record in records(out)[:-1]) == ["one", "two"]
    for name in ("one", "two"):
        Path("downloads", name).unlink()
    assert call("verify", "downloads", "--fix", "-q")[0] == 0
    assert [Path("downloads", name).stat().st_size for name in ("one", "two")] == [5, 5]
