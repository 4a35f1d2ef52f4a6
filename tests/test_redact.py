"""Secrets are hidden and dangerous characters escaped, whatever the string."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioflags.redact import escape_text, redact_text, redact_url

PLAIN_URLS = [
    "http://example.org/fr.gif",
    "https://127.0.0.1:8443/a:b/c!d(e)'f",
    "http://[::1]:80/x",
    "http://example.org/logo@2x.png",
    "http://example.org:8080/logo@2x.png",
    "http://example.org/search?id=1&page=2",
    "http://example.org/?author=me&design=flat&monkey=1&keyboard=us",
    "http://example.org/?file=some-long-name-of-a-file-2024-edition.tar.gz",
    "http://example.org/?n=12345678901234567890123",
    "http://example.org/?at=20240131T235959Z&tokyo=1&kind=k&talk=2&macro=3",
    "http://example.org/a;b=1/c.gif",
    "http://example.org/?",
    "http://example.org/#top",
    "http://bücher.example/straße?x=ü",
    "",
]


@pytest.mark.parametrize("url", PLAIN_URLS)
def test_a_url_without_secrets_stays_as_it_is(url: str) -> None:
    """Nothing is hidden where nothing is secret."""
    assert redact_url(url) == url


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://user:hush@h/a", "http://***@h/a"),
        ("http://hush@h/a", "http://***@h/a"),
        ("HTTPS://u:hush@[::1]:8/a", "HTTPS://***@[::1]:8/a"),
        ("http://u:hu@sh@h/a", "http://***@h/a"),
        ("http://u:hush/hush@h/a", "http://***@h/a"),
        ("http://u:hush?hush#hush@h/a", "http://***@h/a"),
        ("http://u:hush%40h/a", "http://***/a"),
        ("http://u:hush\\@h/a", "http://***@h/a"),
        ("http:///u:hush@h/a", "http://***@h/a"),
        ("http:/u:hush@h/a", "***@h/a"),
        ("http:u:hush@h/a", "***@h/a"),
        ("ht\ttp://u:hush@h/a", "ht\\x09tp://***@h/a"),
        ("u:hush@h/a", "***@h/a"),
        ("ftp://u:hush@h/a", "ftp://***@h/a"),
        ("http://u:hush@h/?a=1", "http://***@h/?a=1"),
    ],
)
def test_user_info_is_hidden(url: str, shown: str) -> None:
    """User and password never show, not even where the URL is malformed."""
    assert redact_url(url) == shown


@pytest.mark.parametrize(
    "name",
    [
        "sig",
        "Signature",
        "signature",
        "token",
        "access_token",
        "secret",
        "client_secret",
        "password",
        "passwd",
        "pwd",
        "auth",
        "authorization",
        "credential",
        "X-Amz-Credential",
        "X-Amz-Signature",
        "X-Goog-Signature",
        "apikey",
        "api_key",
        "api-key",
        "key",
        "Key",
        "Policy",
        "session",
        "sessionid",
        "jwt",
        "hmac",
        "Expires",
        "AWSAccessKeyId",
        "hdnts",
        "sign",
        "Key-Pair-Id",
        "ticket",
        "x-oss-signature-version",
        "urlSig",
        "%73ig",
        "tok%65n",
        "author_token",
        "auth.key",
        "md5",
        "sid",
        "tok",
        "k",
        "tk",
        "x_tok",
        "cred",
        "mac",
        "nonce",
        "verify",
    ],
)
def test_a_secret_parameter_hides_every_value(name: str) -> None:
    """One signature or secret hides the values of all parameters, for they belong together."""
    assert redact_url(f"https://h/p?a=hush&{name}=hush&b=") == f"https://h/p?a=***&{name}=***&b=***"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://h/?id=3f2504e04f8941d39a0c0305e82c3301", "http://h/?id=***"),
        ("http://h/?id=9f86d081884c7d65", "http://h/?id=***"),
        ("http://h/?id=dGhpcyBpcyBhIHNlY3JldCB2YWx1ZQ&x=1", "http://h/?id=***&x=***"),
        ("http://h/?eyJhbGciOiJIUzI1NiJ9eyJzdWIiOiIx", "http://h/?***"),
        ("http://h/x#access_token=hush", "http://h/x#access_token=***"),
        ("http://h/a;jsessionid=hush/x?b=1", "http://h/a;jsessionid=***?b=***"),
        ("http://h/?a=1;token=hush", "http://h/?a=***;token=***"),
        ("http://h/?go=http%3A%2F%2Fu%3Ahush%40h%2F", "http://h/?go=***"),
        ("http://h/?go=http%253A%252F%252Fh%253Ftoken%253Dhush", "http://h/?go=***"),
        ("http://h/?x=exp=1~acl=*~hmac=hush", "http://h/?x=***"),
        ("//h/?token=hush", "//h/?token=***"),
        ("?token=hush", "?token=***"),
        ("http://[::1/?token=hush", "http://***/?token=***"),
    ],
)
def test_secrets_show_in_no_other_place(url: str, shown: str) -> None:
    """A secret is known by its value, behind encodings, in fragments, path parameters and garbage too."""
    assert redact_url(url) == shown


@given(st.text(), st.sampled_from(["http://", "https://", "http:", "//", ""]), st.text())
def test_any_string_is_redacted_to_printable_text(before: str, scheme: str, after: str) -> None:
    """No string raises or comes back with a control character or a lone surrogate; escaped it stays so."""
    for text in (before + scheme + after, f"{scheme}u:p@{before}?token={after}"):
        shown = redact_url(text)
        assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", shown)
        assert escape_text(shown) == shown
        assert escape_text(redact_text(text)) == redact_text(text)


@given(
    st.text(alphabet="abcAB@:/?#%\\[]. \t", max_size=8),
    st.text(alphabet="/@:?#\\", max_size=3),
    st.sampled_from(["http://", "https://"]),
)
def test_no_password_leaks(junk: str, odd: str, scheme: str) -> None:
    """Whatever stands around a password before the last @ of a URL with an odd authority, it is hidden."""
    assert "hush" not in redact_url(f"{scheme}u:hush{odd}{junk}@example.org/x")


@pytest.mark.slow
def test_long_hostile_strings_take_linear_time() -> None:
    """Much of what the patterns look for is done in moments; a quadratic scan would exceed the timeout."""
    for piece in ("sig", "?sig", "//", "@", "a0", "key=", "cookie: '", "http://"):
        redact_url("http://h/?" + piece * (300_000 // len(piece)))
        redact_text(piece * (300_000 // len(piece)))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x00\x07\x1b[31m\x7f\x9b", "a\\x00\\x07\\x1b[31m\\x7f\\x9b"),
        ("line\r\nnext\u2028\u2029", "line\\x0d\\x0anext\\u2028\\u2029"),
        ("\u202egpj.exe\u2066\u200b\u200d\ufeff\u061c", "\\u202egpj.exe\\u2066\\u200b\\u200d\\ufeff\\u061c"),
        ("\udc80", "\\udc80"),
        ("\U000e0041", "\\U000e0041"),
        (
            "日本 Ελλάδα café \U0001f1eb\U0001f1f7 עברית a\u0301",
            "日本 Ελλάδα café \U0001f1eb\U0001f1f7 עברית a\u0301",
        ),
    ],
)
def test_dangerous_characters_are_escaped(text: str, shown: str) -> None:
    """What moves a cursor, hides or reorders text becomes visible; the world's scripts stay."""
    assert escape_text(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cannot connect to http://u:hush@h/a?x=1.", "cannot connect to http://***@h/a?x=1."),
        ("(see https://h/a?sig=hush), then", "(see https://h/a?sig=***), then"),
        ("url='http://h/it's?sig=hush'", "url='http://h/it's?sig=***'"),
        ("Authorization: Basic aHVzaA==", "Authorization: ***"),
        ("{'Authorization': 'Bearer hush', 'Accept': '*/*'}", "{'Authorization': '***', 'Accept': '*/*'}"),
        ("(b'cookie', b'a=hush; b=hush')", "(b'cookie', b'***')"),
        ("Set-Cookie: id=hush; Path=/\nServer: x", "Set-Cookie: ***\\x0aServer: x"),
        ("sent Bearer hush.hush-hush", "sent Bearer ***"),
        ("GET /x?a=1&token=hush HTTP/1.1", "GET /x?a=1&token=*** HTTP/1.1"),
        ("md5 digest 'ab' does not match", "md5 digest 'ab' does not match"),
    ],
)
def test_free_text_keeps_no_secret(text: str, shown: str) -> None:
    """URLs, credential headers and their values are found within messages and tracebacks."""
    assert redact_text(text) == shown
