"""Where redirects lead and which fields go along: decided by a call and an assert."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioflags.chain import MAX_HOPS, Chain, JobHeaders, request_headers
from aioflags.errors import DownloadError
from aioflags.urls import parse_url


def test_later_layers_of_headers_win_whatever_their_case() -> None:
    """The item's own fields over those of all items over ours, and no field twice."""
    merged = request_headers(
        {"User-Agent": "aioflags", "A": "1"}, {"user-agent": "me"}, {"USER-AGENT": "you", "b": "2"}
    )
    assert merged == {"USER-AGENT": "you", "A": "1", "b": "2", "Accept-Encoding": "identity"}


def test_coding_is_always_ours() -> None:
    """Bytes are stored as the origin stores them, so nobody may ask for others."""
    assert request_headers({"accept-encoding": "gzip"}) == {"Accept-Encoding": "identity"}


def follow(start: str, *locations: str) -> Chain:
    chain = Chain(parse_url(start))
    for location in locations:
        chain = chain.follow(location)
    return chain


@pytest.mark.parametrize(
    ("start", "location", "url", "is_foreign"),
    [
        ("http://a/x/y", "z", "http://a/x/z", False),
        ("http://a/x/y", "/z?q", "http://a/z?q", False),
        ("http://a/x", "http://A:80/z", "http://a/z", False),
        ("http://a/x", "//b/z", "http://b/z", True),
        ("http://a/x", "http://a:81/z", "http://a:81/z", True),
        ("http://a/x", "https://a/z", "https://a/z", True),
        ("https://a/x", "https://sub.a/z", "https://sub.a/z", True),
    ],
)
def test_hop_knows_whether_it_leaves_the_origin(start: str, location: str, url: str, is_foreign: bool) -> None:
    """Scheme, host and port make an origin; the scheme's own port may be written or not."""
    chain = follow(start, location)
    assert (chain.target.url, chain.is_foreign, chain.hops) == (url, is_foreign, 1)


def test_foreign_stays_foreign() -> None:
    """Back at the user's origin the stranger may have chosen the path: nothing of the user's goes along."""
    assert follow("http://a/x", "http://b/y", "http://a/z").is_foreign


@pytest.mark.parametrize("locations", [["http://a/y"], ["/y", "https://b/z", "http://b/z"]])
def test_from_https_to_http_is_refused(locations: list[str]) -> None:
    """Whoever asked for a safe way does not get an unsafe one, on whatever hop."""
    with pytest.raises(DownloadError) as caught:
        follow("https://a/x", *locations)
    assert caught.value.kind == "policy"
    assert "https to http" in caught.value.message


@pytest.mark.parametrize(
    "location",
    ["ftp://a/x", "file:///etc/passwd", "javascript:alert(1)", "data:,x", "http://", "http://a b/", "http://a:0/"],
)
def test_location_that_cannot_be_followed_is_refused(location: str) -> None:
    """Only http and https, and only what is a URL."""
    with pytest.raises(DownloadError) as caught:
        follow("http://a/x", location)
    assert caught.value.kind == "redirect"


def test_ten_hops_are_followed_and_no_more() -> None:
    """A circle ends, too."""
    assert MAX_HOPS == 10
    locations = itertools.cycle(["/b", "/a"])
    chain = follow("http://a/a", *itertools.islice(locations, 10))
    assert (chain.hops, chain.is_foreign) == (10, False)
    with pytest.raises(DownloadError, match="more than 10 redirects") as caught:
        chain.follow(next(locations))
    assert (caught.value.kind, caught.value.host) == ("redirect", "a")


@given(location=st.text(max_size=60))
def test_no_location_breaks_the_chain(location: str) -> None:
    """A server may send anything: the hop is taken or refused, and never leaves http."""
    try:
        chain = follow("https://a/x", location)
        kind = chain.target.scheme
    except DownloadError as error:
        kind = error.kind
    assert kind in {"https", "redirect", "policy"}


def test_fields_of_a_request_come_from_whom_they_concern() -> None:
    """The item counts most, then the user, then what is known of the host; a foreign host gets our own only."""
    headers = JobHeaders({"User-Agent": "a", "Accept": "*/*"}, {"user-agent": "b", "X-Key": "1"})
    plain = headers.of_item({}, {}, {}, is_foreign=False)
    assert plain == {"Accept": "*/*", "user-agent": "b", "X-Key": "1", "Accept-Encoding": "identity"}
    secrets, own, condition = {"X-Key": "0", "Authorization": "s"}, {"authorization": "i"}, {"If-None-Match": "e"}
    assert headers.of_item(secrets, {}, {}, is_foreign=False) == {**plain, "Authorization": "s"}
    assert headers.of_item(secrets, own, condition, is_foreign=False) == {**plain, "authorization": "i", **condition}
    foreign = {"User-Agent": "a", "Accept": "*/*", "Accept-Encoding": "identity"}
    assert headers.of_item(secrets, own, {}, is_foreign=True) == foreign
    assert headers.of_item(secrets, own, condition, is_foreign=True) == {**foreign, **condition}
