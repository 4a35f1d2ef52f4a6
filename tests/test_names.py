"""File names come from the user, are safe on every system, and no two items share one."""

from __future__ import annotations

import hashlib
import unicodedata
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioflags.errors import RefusedError
from aioflags.names import fold, name_from_url, safe_name, with_suffix

HOSTILE_PIECES = [
    "/", "\\", "..", ".", " ", ":", "C:", "CON", "aux", "nul.txt", "COM¹", "lpt9", "CONIN$", "%2e", "%2F", "%5c", "%00",
    "\x00", "\x1b[2J", "\u202e", "\u200b", "\u2028", "\ud800", "\ufeff", "e\u0301", "\u0301", "ﬁ", "K", "ß", "\u0131",
    "a" * 150, "é" * 90, "\U0001f1eb" * 40, ".gif", ".tar.gz", "~", "-", "?", "#", "*", "|", "<", ">", '"', "*.",
]  # fmt: skip
hostile_text = st.lists(st.sampled_from(HOSTILE_PIECES) | st.text(max_size=5), max_size=12).map("".join)


def assert_is_safe(name: str) -> None:
    """Check all that a file system or a terminal could stumble over."""
    parts = name.split("/")
    windows = PureWindowsPath(name)
    assert PurePosixPath(name).parts == windows.parts == tuple(parts)
    assert not windows.drive
    assert not windows.root
    for part in parts:
        assert part
        assert part not in {".", ".."}
        assert part[0] != "."
        assert part[-1] not in " ."
        assert len(part.encode()) <= 200
        assert not set(part) & set('<>:"|?*\\\x7f')
        assert not {unicodedata.category(char) for char in part} & {"Cc", "Cs", "Zl", "Zp"}
        assert part.split(".")[0].rstrip().upper() not in {"CON", "PRN", "AUX", "NUL", "COM1", "LPT9", "COM¹", "CONIN$"}
        assert unicodedata.is_normalized("NFC", part)


@given(hostile_text)
def test_any_url_gives_a_safe_name(text: str) -> None:
    """Whatever the URL, its name is one safe component that a second treatment does not change."""
    name = name_from_url("http://h/" + text)
    assert_is_safe(name)
    assert "/" not in name
    assert safe_name(name) == name


@given(hostile_text)
def test_any_wanted_name_becomes_safe_or_is_refused(text: str) -> None:
    """Whatever a list asks for, it stays below the destination, and doing it twice changes nothing."""
    try:
        name = safe_name(text)
    except RefusedError as error:
        assert error.kind == "name"  # noqa: PT017 - most names are not refused
        return
    assert_is_safe(name)
    assert len(name.encode()) <= 1024
    assert safe_name(name) == name


@given(hostile_text, hostile_text, st.integers(8, 64))
def test_a_suffix_keeps_a_name_safe(text: str, url: str, digits: int) -> None:
    """The name of a twin is as safe as the first, and holds the digits of its own URL."""
    name = with_suffix(name_from_url("http://h/" + text), url, digits)
    assert_is_safe(name)
    assert hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()[:digits] in name
    assert safe_name(name) == name


@given(hostile_text)
def test_folding_settles(text: str) -> None:
    """The key of a name is its own key, and no case or Unicode form of the name has another."""
    name = name_from_url("http://h/" + text)
    key = fold(name)
    assert fold(key) == key
    for form in ("NFC", "NFD"):
        assert fold(unicodedata.normalize(form, name)) == key
    # In capitals the Greek iota below becomes a letter, and other marks stand on it instead.
    if "\u0345" not in unicodedata.normalize("NFD", name):
        assert fold(name.upper()) == key == fold(name.lower())


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://h/fr.gif", "fr.gif"),
        ("http://h/a/b/fr.gif?size=2&name=/x.png#y/z", "fr.gif"),
        ("http://h/q?id=1", "q"),
        ("http://h", "index.html"),
        ("http://h/", "index.html"),
        ("http://h/a/", "index.html"),
        ("http://h?a/b.gif", "index.html"),
        ("http://h#a/b.gif", "index.html"),
        ("HTTPS://u:p@h/caf%C3%A9.gif", "café.gif"),
        ("http://h/cafe%CC%81.gif", "café.gif"),
        ("http://h/日本.gif", "日本.gif"),
        ("http://h/a%2520b", "a%20b"),
        ("http://h/a+b", "a+b"),
        ("http://h/%", "%"),
        ("http://h/%zz", "%zz"),
        ("http://h/%ff%fe.gif", "__.gif"),
        ("http://h/..%2f..%2fetc%2fpasswd", "_._.._etc_passwd"),
        ("http://h/%2e%2e", "__"),
        ("http://h/..", "__"),
        ("http://h/.", "_"),
        ("http://h/..%5C..%5Cx", "_._.._x"),
        ("http://h/C:%5Cx", "C__x"),
        ("http://h/a\\b", "a_b"),
        ("http://h/%00", "_"),
        ("http://h/a%0d%0ab%1b%7f.gif", "a__b__.gif"),
        ("http://h/%E2%80%AEfig.exe", "_fig.exe"),
        ("http://h/.htaccess", "_htaccess"),
        ("http://h/con.gif", "_con.gif"),
        ("http://h/%20", "_"),
        ("http://h/a.gif%20", "a.gif_"),
        ("http://h/a.gif...", "a.gif.._"),
        ("http://h/file.txt::$DATA", "file.txt__$DATA"),
        ("http://h/a%3Fb%2Ac%22d%3Ce%3Ef%7Cg", "a_b_c_d_e_f_g"),
        ("http://h/-rf", "-rf"),
        ("nonsense", "nonsense"),
        ("", "index.html"),
    ],
)
def test_the_name_of_a_url_is_its_last_segment_made_safe(url: str, name: str) -> None:
    """Decoded once, without the query, and with a harmless character for each harmful one."""
    assert name_from_url(url) == name


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("fr.gif", "fr.gif"),
        ("flags/fr.gif", "flags/fr.gif"),
        ("flags\\fr.gif", "flags/fr.gif"),
        ("./flags//./fr.gif", "flags/fr.gif"),
        ("a%20b", "a%20b"),
        (".ssh/.config", "_ssh/_config"),
        (".aioflags/x", "_aioflags/x"),
        ("a./b /c", "a_/b_/c"),
        ("...", "_._"),
        (".. /x", "_._/x"),
        ("a/...", "a/_._"),
        ("x/C:/y", "x/C_/y"),
        ("CON", "_CON"),
        ("con .txt", "_con .txt"),
        ("dir/NUL.tar.gz", "dir/_NUL.tar.gz"),
        ("COM1", "_COM1"),
        ("com³.x", "_com³.x"),
        ("LPT0", "_LPT0"),
        ("conout$", "_conout$"),
        ("console", "console"),
        ("COM10", "COM10"),
        ("AUX_", "AUX_"),
        ("_CON", "_CON"),
        (" a", " a"),
        ("\u200d\u2066", "__"),
        ("\ud800", "_"),
        ("~", "~"),
    ],
)
def test_a_wanted_name_is_made_safe(wanted: str, name: str) -> None:
    """The same rules hold on every system, so that a list means the same files everywhere."""
    assert safe_name(wanted) == name


@pytest.mark.parametrize(
    ("wanted", "word"),
    [
        ("", "empty"),
        (".", "empty"),
        ("flags/", "folder"),
        ("flags\\.", "folder"),
        ("/etc/passwd", "absolute"),
        ("\\x", "absolute"),
        ("//server/share/x", "absolute"),
        ("\\\\server\\share\\x", "absolute"),
        ("\\\\?\\C:\\x", "absolute"),
        ("C:\\x", "absolute"),
        ("c:x", "absolute"),
        ("z:", "absolute"),
        ("..", "'..'"),
        ("../x", "'..'"),
        ("a/../x", "'..'"),
        ("a\\..\\..\\x", "'..'"),
        ("a/..", "'..'"),
        ("/".join(["a" * 99] * 11), "1024"),
    ],
)
def test_a_name_outside_the_destination_is_refused(wanted: str, word: str) -> None:
    """Such a name is not bent into shape: the message says what to do."""
    with pytest.raises(RefusedError) as caught:
        safe_name(wanted)
    assert caught.value.kind == "name"
    assert word in caught.value.message


def test_a_long_name_is_cut_and_keeps_its_extension() -> None:
    """Two long names that begin alike stay apart, and neither is cut within a character."""
    first, second = (name_from_url(f"http://h/{'é' * 300}{end}.tar.gz") for end in "ab")
    assert first != second
    for name in (first, second):
        assert name.startswith("éé")
        assert name.endswith(".gz")
        assert 198 <= len(name.encode()) <= 200
    assert name_from_url(f"http://h/{'a' * 196}.gif") == "a" * 196 + ".gif"
    assert name_from_url(f"http://h/{'a' * 197}.gif") != "a" * 197 + ".gif"
    endless = name_from_url(f"http://h/a.{'b' * 300}")
    assert endless.startswith("a.bbb")
    assert len(endless) == 200


@pytest.mark.parametrize(
    ("name", "twin"),
    [
        ("fr.gif", "fr-781bc04e.gif"),
        ("fr", "fr-781bc04e"),
        ("a.tar.gz", "a.tar-781bc04e.gz"),
        ("d.x/fr", "d.x/fr-781bc04e"),
        ("a" * 196 + ".gif", "a" * 187 + "-781bc04e.gif"),
    ],
)
def test_the_later_of_two_gets_a_suffix_of_its_url(name: str, twin: str) -> None:
    """The suffix stands before the last extension of the last component, and the limit still holds."""
    assert with_suffix(name, "http://example.org/") == twin


def test_more_digits_tell_more_twins_apart() -> None:
    """Where eight digits collide, more of the same digest go on."""
    assert with_suffix("fr.gif", "http://example.org/", 12) == "fr-781bc04ec9bd.gif"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("FR.GIF", "fr.gif"),
        ("straße", "STRASSE"),
        ("é", "e\u0301"),
        ("É", "e\u0301"),
        ("ﬁ", "fi"),
        ("\u03a3\u03c2", "\u03c3\u03c3"),
        ("\u212a", "k"),
        ("\u017f", "S"),
        ("D/a", "d/A"),
        ("\u1d2c", "a"),
    ],
)
def test_names_that_one_file_system_takes_for_one_are_equal(one: str, other: str) -> None:
    """Case-insensitive and normalising file systems must not let one item overwrite another."""
    assert fold(one) == fold(other)


@pytest.mark.parametrize(("one", "other"), [("a", "b"), ("a/b", "ab"), ("é", "e"), ("a", "a_")])
def test_other_names_stay_apart(one: str, other: str) -> None:
    """Folding puts aside no more than case and form."""
    assert fold(one) != fold(other)
