"""URLs reach the wire as they were given, and what cannot is refused without a word of their secrets."""

from __future__ import annotations

import base64
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioflags.errors import ProtocolError, RefusedError
from aioflags.redact import escape_text
from aioflags.urls import Target, parse_url, resolve_location

BASE = parse_url("http://a/b/c/d;p?q")


@pytest.mark.parametrize(
    "rest",
    [
        "/fr.gif",
        "/a%2Fb%2f%20%zz%",
        "/it's(a)[b];c,d!e*f~g",
        "//a///b//",
        "/a/../b/./c/..",
        "/a?",
        "/a??b?",
        "/a?b=/c&&d==&%C3%A9+",
        '/"<>\\^`{|}',
        "/@:@",
    ],
)
def test_path_and_query_stay_byte_for_byte(rest: str) -> None:
    """Nothing that can be sent is quoted, unquoted or normalised: a signature may cover it."""
    assert parse_url("http://h" + rest).url == "http://h" + rest


@pytest.mark.parametrize(
    ("raw", "url"),
    [
        ("http://h", "http://h/"),
        ("http://h?q", "http://h/?q"),
        ("http://h#f", "http://h/"),
        ("http://h/a#f?g#h", "http://h/a"),
        ("hTTp://EXAMPLE.Org:80/A", "http://example.org/A"),
        ("https://h:443/", "https://h/"),
        ("https://h:80/", "https://h:80/"),
        ("http://h:/", "http://h/"),
        ("http://h:0081/", "http://h:81/"),
        ("http://h./", "http://h./"),
        ("http://a_b-.c/", "http://a_b-.c/"),
        ("http://u:p@h/a", "http://h/a"),
        ("http://h/a b?c d", "http://h/a%20b?c%20d"),
        ("http://h/é?日\u00a0\U0001f600", "http://h/%C3%A9?%E6%97%A5%C2%A0%F0%9F%98%80"),
        ("http://Bücher.example/é", "http://xn--bcher-kva.example/%C3%A9"),
        ("http://日本。jp/", "http://xn--wgv71a.jp/"),
        ("http://\uff11.\uff12.\uff13.\uff14/", "http://1.2.3.4/"),
        ("http://[2001:DB8:0::1]:8080/a", "http://[2001:db8::1]:8080/a"),
        ("http://1.2.3.4.example/", "http://1.2.3.4.example/"),
        (f"http://{'a' * 63}.b/", f"http://{'a' * 63}.b/"),
    ],
)
def test_the_rest_takes_the_form_of_the_wire(raw: str, url: str) -> None:
    """Scheme and host are made canonical, what cannot be sent is encoded, the fragment and user info stay here."""
    assert parse_url(raw).url == url


def test_a_target_tells_its_parts() -> None:
    """Origin, netloc and representation name the host as each of them needs it."""
    target = parse_url("https://u:hush@[::1]:8443/a?token=hush")
    assert (target.scheme, target.host, target.port) == ("https", "::1", 8443)
    assert target.origin == ("https", "::1", 8443)
    assert target.netloc == "[::1]:8443"
    assert parse_url("https://h:443").netloc == "h"
    assert "hush" not in repr(target)
    assert pickle.loads(pickle.dumps(target)) == target


@pytest.mark.parametrize(
    ("user", "credentials"),
    [
        ("u:p", b"u:p"),
        ("u", b"u:"),
        (":p", b":p"),
        ("u%40:p%3Aq%2F", b"u@:p:q/"),
        ("ü:%C3%A9:x", "ü:é:x".encode()),
        ("a@b:c", b"a@b:c"),
    ],
)
def test_user_info_becomes_an_authorization(user: str, credentials: bytes) -> None:
    """User and password are decoded, joined and sent as a header, not in the URL."""
    target = parse_url(f"http://{user}@h/")
    assert target.authorization is not None
    assert target.authorization == "Basic " + base64.b64encode(credentials).decode()


@pytest.mark.parametrize("raw", ["http://h/", "http://@h/", "http://:@h/", "http://h/@", "http://h?a:b@c"])
def test_no_user_info_gives_no_authorization(raw: str) -> None:
    """An @ behind the authority is no user info, and an empty one is none either."""
    target = parse_url(raw)
    assert (target.host, target.authorization) == ("h", None)


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        ("", "scheme"),
        ("example.org/a", "scheme"),
        ("//h/a", "scheme"),
        (" http://h/", "scheme"),
        ("file:///etc/passwd", "neither http nor https"),
        ("ftp://h/", "neither http nor https"),
        ("javascript:alert(1)", "neither http nor https"),
        ("localhost:8080/a", "neither http nor https"),
        ("http:/h/", "//"),
        ("http:h", "//"),
        ("http://", "no host"),
        ("http:///a", "no host"),
        ("http://:80/", "no host"),
        ("http://u@/", "no host"),
        ("http://h:0/", "port"),
        ("http://h:65536/", "port"),
        ("http://h:99999/", "port"),
        ("http://h:-1/", "port"),
        ("http://h:8 0/", "port"),
        ("http://h:\uff18\uff10/", "port"),
        ("http://h:" + "1" * 5000, "port"),
        ("http://::1/", "no host"),
        ("http://h/a\nb", "\\x0a"),
        ("http://h/a\rb", "\\x0d"),
        ("http://h/\t", "\\x09"),
        ("http://h\x00/", "\\x00"),
        ("http://h/\x7f", "\\x7f"),
        ("http://h/\ud800", "UTF-8"),
        ("http://h\\@evil/", "backslash"),
        ("http:\\\\h/", "//"),
        ("http://a b/", "not valid"),
        ("http://a%2eb/", "not valid"),
        ("http://a..b/", "not valid"),
        ("http://.a/", "not valid"),
        ("http://a../", "not valid"),
        ("http://a<b/", "not valid"),
        (f"http://{'a' * 64}/", "not valid"),
        ("http://" + "a." * 128 + "/", "not valid"),
        ("http://" + "é" * 5000 + "/", "not valid"),
        ("http://ü_x.\u2603/", "international"),
        ("http://ü\u0378/", "international"),
        ("http://127.1/", "IPv4"),
        ("http://0x7f.1/", "IPv4"),
        ("http://2130706433/", "IPv4"),
        ("http://0177.0.0.1/", "IPv4"),
        ("http://1.2.3.4./", "IPv4"),
        ("http://1.2.3.256/", "IPv4"),
        ("http://1.2.3.4.5/", "IPv4"),
        ("http://a.0X1F/", "IPv4"),
        ("http://\uff11\uff12\uff17.1/", "IPv4"),
        ("http://[::1/", "IPv6"),
        ("http://[1.2.3.4]/", "IPv6"),
        ("http://[]/", "IPv6"),
        ("http://[fe80::1%25eth0]/", "scope"),
        ("http://[::1]x:80/", "brackets"),
    ],
)
def test_what_cannot_be_requested_is_refused(raw: str, word: str) -> None:
    """Each refusal names its reason, in text that is safe to print."""
    with pytest.raises(RefusedError) as caught:
        parse_url(raw)
    assert caught.value.kind == "url"
    assert word in caught.value.message
    assert escape_text(caught.value.message) == caught.value.message


@pytest.mark.parametrize(
    "raw",
    [
        "http://u:hush/x@h/",
        "http://u:hush@h:99999/",
        "http://u:hush@a..b/",
        "ftp://u:hush@h/",
        "u:hush@h",
        "http://u:hush@h/?token=hush\n",
        "http://hush:x@127.1/",
    ],
)
def test_a_refusal_keeps_secrets(raw: str) -> None:
    """Neither the message nor the host of a refusal holds user, password or query."""
    with pytest.raises(RefusedError) as caught:
        parse_url(raw)
    assert "hush" not in repr(caught.value)


@given(st.text(), st.sampled_from(["http://", "http://h/", "https://[", "http://a:", ""]))
def test_any_string_is_parsed_or_refused(text: str, start: str) -> None:
    """No string raises anything else, and what comes out is clean and parses to itself."""
    try:
        target = parse_url(start + text)
    except RefusedError:
        return
    assert all("!" <= char <= "~" for char in target.url)
    assert parse_url(target.url).url == target.url
    assert "#" not in target.url


@pytest.mark.parametrize(
    ("reference", "url"),
    [
        ("g", "http://a/b/c/g"),
        ("./g", "http://a/b/c/g"),
        ("g/", "http://a/b/c/g/"),
        ("/g", "http://a/g"),
        ("//g", "http://g/"),
        ("?y", "http://a/b/c/d;p?y"),
        ("g?y", "http://a/b/c/g?y"),
        ("#s", "http://a/b/c/d;p?q"),
        ("g#s", "http://a/b/c/g"),
        ("g?y#s", "http://a/b/c/g?y"),
        (";x", "http://a/b/c/;x"),
        ("g;x=1/./y", "http://a/b/c/g;x=1/y"),
        ("g;x=1/../y", "http://a/b/c/y"),
        (".", "http://a/b/c/"),
        ("./", "http://a/b/c/"),
        ("..", "http://a/b/"),
        ("../g", "http://a/b/g"),
        ("../..", "http://a/"),
        ("../../g", "http://a/g"),
        ("../../../g", "http://a/g"),
        ("/./g", "http://a/g"),
        ("/../g", "http://a/g"),
        ("g.", "http://a/b/c/g."),
        ("..g", "http://a/b/c/..g"),
        ("./g/.", "http://a/b/c/g/"),
        ("g?y/../x", "http://a/b/c/g?y/../x"),
        ("g#s/../x", "http://a/b/c/g"),
    ],
)
def test_relative_references_resolve_as_in_the_rfc(reference: str, url: str) -> None:
    """The examples of RFC 3986, section 5.4, without the fragment, which is not sent."""
    assert resolve_location(BASE, reference).url == url


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("https://h/a/../b//%2f?x=[']", "https://h/a/../b//%2f?x=[']"),
        ("//h/a/../b", "http://h/a/../b"),
        (" \thttp://h/a ", "http://h/a"),
        ("/a b/é", "http://a/a%20b/%C3%A9"),
        ("/\udce9\udcff", "http://a/%E9%FF"),
        ("g//x//", "http://a/b/c/g//x//"),
        ("\\\\evil\\x", "http://a/b/c/\\\\evil\\x"),
        ("?", "http://a/b/c/d;p?"),
        ("g?http://x", "http://a/b/c/g?http://x"),
        ("/a:b", "http://a/a:b"),
    ],
)
def test_a_location_is_taken_as_the_server_wrote_it(location: str, url: str) -> None:
    """Absolute URLs stay byte for byte, and bytes that are no UTF-8 are encoded as they are."""
    assert resolve_location(BASE, location).url == url


def test_user_info_of_a_server_is_dropped() -> None:
    """A redirect cannot make us log in, neither with its own user info nor with that of the base."""
    base = parse_url("http://u:p@h:8080/x")
    assert base.authorization
    for location in ("http://evil:x@h:8080/y", "//evil:x@h:8080/y", "y"):
        target = resolve_location(base, location)
        assert target == Target("http://h:8080/y", "http", "h", 8080, "h:8080", None)


@pytest.mark.parametrize(
    "location",
    ["", "  ", "ftp://h/", "file:///etc/passwd", "http:g", "javascript:x", "//", "http://h:0/", "/a\r\nb", "/\ud800",
     "http://127.1/", "http://hush:hush/@h"],
)  # fmt: skip
def test_a_location_that_leads_nowhere_is_an_error(location: str) -> None:
    """The error names the host that sent it, and nothing of what it sent."""
    with pytest.raises(ProtocolError) as caught:
        resolve_location(BASE, location)
    assert (caught.value.kind, caught.value.host) == ("redirect", "a")
    assert "hush" not in caught.value.message


@given(st.text())
def test_any_location_is_resolved_or_refused(location: str) -> None:
    """No Location raises anything but a `ProtocolError`, and a relative one stays with the server."""
    try:
        target = resolve_location(BASE, "/" + location.lstrip("/"))
    except ProtocolError:
        return
    assert target.origin == BASE.origin
