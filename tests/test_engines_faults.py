"""What the system, its resolver and TLS say, found in whatever wraps it; no text of a library goes along unread."""

from __future__ import annotations

import errno
import socket
import ssl

import pytest

from aioflags.engines.faults import (
    PrivateAddressError,
    causes_of,
    failed,
    private_address_error,
    reason_of,
    translate_system_fault,
)

SECRET = "s3cret"


def verification_error(reason: str) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, SECRET)
    error.verify_message = reason
    return error


def wrapped(cause: BaseException) -> list[BaseException]:
    """The chain of an exception of a library with `cause` at its bottom."""
    middle = ValueError(SECRET)
    middle.__context__ = cause
    outer = RuntimeError(SECRET)
    outer.__cause__ = middle
    return list(causes_of(outer))


@pytest.mark.parametrize(
    ("cause", "kind", "detail"),
    [
        (OSError(errno.EMFILE, SECRET), "connect", "out of resources"),
        (OSError(errno.ENOBUFS, SECRET), "connect", "out of resources"),
        (PrivateAddressError(0, SECRET), "policy", ""),
        (verification_error("certificate has expired"), "tls", "certificate"),
        (ssl.SSLError(1, SECRET), "tls", ""),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "dns", "unknown host"),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure"), "dns", ""),
    ],
)
def test_fault_is_found_at_the_bottom(cause: BaseException, kind: str, detail: str) -> None:
    """Whatever the libraries in between made of it."""
    result = translate_system_fault(wrapped(cause), "example.org")
    assert result is not None
    assert result.error is not None
    assert (result.error.kind, result.error.host, result.detail) == (kind, "example.org", detail)
    assert SECRET not in str(result.error)


@pytest.mark.parametrize("cause", [OSError(errno.ECONNREFUSED, SECRET), ConnectionResetError(), TimeoutError()])
def test_what_a_driver_must_tell_itself(cause: BaseException) -> None:
    """A connection that fails is no fault of this machine, the resolver or TLS."""
    assert translate_system_fault(wrapped(cause), "example.org") is None


def test_number_of_a_resolver_is_none_of_the_systems() -> None:
    """They overlap on some systems."""
    result = translate_system_fault([socket.gaierror(errno.EMFILE, "odd")], "example.org")
    assert result is not None
    assert result.error is not None
    assert result.error.kind == "dns"


def test_words_of_tls_are_escaped() -> None:
    """The name in a certificate is its maker's to choose."""
    result = translate_system_fault([verification_error("for \x1b]0;owned\x07")], "example.org")
    assert result is not None
    assert "\x1b" not in str(result.error)


def test_reason_is_the_systems_own() -> None:
    """By the first number in the chain; nothing if there is none."""
    assert reason_of(wrapped(OSError(errno.ECONNREFUSED, SECRET))) == ": Connection refused"
    assert reason_of([ValueError(SECRET), OSError(SECRET), OSError(-1, SECRET)]) == ""


def test_causes_that_libraries_keep_in_attributes() -> None:
    """And two exceptions that name each other do not hold us up."""
    inner, outer = OSError(1, "a"), RuntimeError("b")
    outer.os_error = inner  # type: ignore[attr-defined]
    outer.__cause__, inner.__cause__ = inner, outer
    assert set(causes_of(outer)) == {outer, inner}
    assert list(causes_of(None)) == []


def test_results_that_are_made() -> None:
    """Kind, host, detail and status are where everyone looks for them; advice names the option."""
    result = failed("http", "no", "example.org", detail="x", http_status=407)
    assert (str(result.error), result.detail, result.http_status) == ("http: no", "x", 407)
    assert "--allow-private-redirects" in str(private_address_error("example.org"))
