"""An address counts as public only if it is globally routable, whatever it is wrapped in."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioflags.addresses import is_loopback_host, is_private_address, is_private_name, literal_address


@pytest.mark.parametrize(
    "ip",
    [
        "127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0", "0.1.2.3", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "192.0.2.1",
        "198.18.0.1", "203.0.113.9", "198.51.100.1", "192.0.0.1", "192.0.0.170", "192.88.99.1", "3fff::1", "5f00::1",
        "::ffff:192.88.99.1", "::ffff:0:127.0.0.1", "2001:10::1", "2001:2::1", "2002:6440:1::", "2002:c058:6301::",
        "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fdff::1", "ff02::1",
        "fec0::1", "2001:db8::1", "100::1", "4000::1", "64:ff9b:1::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
        "::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2002:a00:1::1",
        "2001:0:808:808::f5ff:fffe", "2001:0:a00:1::f7f7:f7f7",
        "", "x", "127.1", "localhost", "1.2.3.4%eth0", "[::1]",
    ],
)  # fmt: skip
def test_private_addresses_are_known(ip: str) -> None:
    """Every special-purpose range is private, embedded in IPv6 or not, and so is what is no address."""
    assert is_private_address(ip)


@pytest.mark.parametrize(
    "ip",
    [
        "8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450:4001::1",
        "::ffff:8.8.8.8", "::8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1", "2001:0:808:808::f7f7:f7f7",
    ],
)  # fmt: skip
def test_public_addresses_are_known(ip: str) -> None:
    """What the internet routes is public, embedded in IPv6 or not."""
    assert not is_private_address(ip)


@given(st.ip_addresses(v=4))
def test_an_embedded_address_is_judged_like_itself(address: ipaddress.IPv4Address) -> None:
    """No wrapping turns a private address into a public one."""
    number = int(address)
    is_private = is_private_address(str(address))
    for wrapped in (0xFFFF << 32 | number, 0x64FF9B << 96 | number, 0x2002 << 112 | number << 80):
        assert is_private_address(str(ipaddress.IPv6Address(wrapped))) == is_private


@given(st.text())
def test_any_text_can_be_judged(text: str) -> None:
    """What a resolver or a server says never raises."""
    assert is_private_address(text) in {True, False}
    literal_address(text)


@pytest.mark.parametrize(
    ("host", "is_private"),
    [
        ("localhost", True), ("LOCALHOST.", True), ("a.b.localhost", True), ("printer.local", True), ("intranet", True),
        ("metadata.google.internal", True), ("nas.home.arpa", True), ("", True), (".", True),
        ("example.org", False), ("localhost.example.org", False), ("notlocalhost.org", False), ("arpa.org", False),
        ("my.homearpa", False), ("example.org.", False), ("10.0.0.1", False), ("::1", False),
    ],
)  # fmt: skip
def test_names_of_private_networks_are_known(host: str, is_private: bool) -> None:
    """One word, or below an ending that the internet has reserved for them; an address is no name."""
    assert is_private_name(host) == is_private


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "2001:db8::a", "fe80::1%eth0"])
def test_a_literal_address_is_its_own_name(host: str) -> None:
    """A host that is an address needs no resolver."""
    assert literal_address(host) == host


@pytest.mark.parametrize("host", ["example.org", "127.1", "a1", "1.2.3.4.example", "[::1]", "a:b", "", "1.2.3.4."])
def test_a_name_is_no_literal_address(host: str) -> None:
    """Whatever must be resolved, or cannot be, is no address."""
    assert literal_address(host) is None


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True), ("127.1.2.3", True), ("::1", True), ("::ffff:127.0.0.1", True),
        ("localhost", True), ("LOCALHOST", True), ("a.b.localhost", True),
        ("example.org", False), ("localhost.example.org", False), ("notlocalhost", False), ("10.0.0.1", False),
        ("::2", False), ("::ffff:10.0.0.1", False),
    ],
)  # fmt: skip
def test_this_machine_is_known_by_name_and_address(host: str, expected: bool) -> None:
    """No network is needed to get there."""
    assert is_loopback_host(host) is expected
