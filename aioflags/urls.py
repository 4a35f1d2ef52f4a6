"""How a URL that a user or a server gave becomes a request target.

Knows RFC 3986 and 3987 and IDNA; resolves no name and sends nothing.
The standard splitter is not used: it drops tabs and line breaks in silence, and those must be refused.
"""

from __future__ import annotations

import base64
import ipaddress
import re
from dataclasses import field, replace
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from aioflags.addresses import is_private_address, literal_address
from aioflags.errors import ProtocolError, RefusedError
from aioflags.records import dataclass
from aioflags.redact import escape_text

__all__ = ["Target", "is_private_address", "literal_address", "parse_url", "resolve_location"]

_DEFAULT_PORTS = {"http": 80, "https": 443}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_RAW_BYTE = re.compile(r"[\udc80-\udcff]")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_PARTS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://[^/?#]*)([^#]*)", re.DOTALL)
_NAME = re.compile(r"(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}\.?")
_NUMERIC = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\.?")
_LONGEST_NAME = 253


@dataclass(frozen=True, slots=True)
class Target:
    """Where one request goes.

    Args:
        url: What goes to the wire: without user info and fragment, its path and query as they were given.
        scheme: `http` or `https`.
        host: In lower case, IDNA-encoded; an IPv6 address without brackets.
        port: 1 to 65535.
        netloc: The host, in brackets if it is IPv6, and the port unless it is the scheme's own.
        authorization: Field value `Basic …` made from the user info, `None` without.
    """

    url: str
    scheme: str
    host: str
    port: int
    netloc: str
    authorization: str | None = field(default=None, repr=False)

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port. Source: RFC 6454, section 4."""
        return self.scheme, self.host, self.port

    def __repr__(self) -> str:
        return f"Target({self.scheme}://{escape_text(self.netloc)}/…)"


def parse_url(raw: str) -> Target:
    """Take apart the URL of an item, without touching its path and query.

    Only a space and non-ASCII characters are percent-encoded there, for they cannot be sent.

    Raises:
        RefusedError: Kind `url`; the message says what is wrong, and quotes nothing that may be secret.

    Source: RFC 3986, section 3; RFC 3987, section 3.1.

    >>> parse_url("HTTP://Example.org:80/a b%2Fc?#top").url
    'http://example.org/a%20b%2Fc?'
    """
    is_visible = raw.isascii() and raw.isprintable() and " " not in raw
    if not is_visible:
        _refuse_unsendable(raw)
    parts = _PARTS.match(raw)
    if not parts:
        raise _refused(_explain_scheme(raw))
    root, rest = parts.groups()
    root, scheme, host, port, netloc, authorization = _parse_root(root)
    if not is_visible:
        rest = _encode(rest)
    return Target(root + (rest if rest[:1] == "/" else "/" + rest), scheme, host, port, netloc, authorization)


def resolve_location(base: Target, location: str) -> Target:
    """Tell where a redirect leads: an absolute URL byte for byte, a relative reference seen from `base`.

    User info that a server names is dropped.

    Args:
        base: The request that was answered.
        location: The field value; bytes that are no UTF-8 may stand in it as surrogate escapes.

    Raises:
        ProtocolError: Kind `redirect`: nothing there, not http or https, or no valid URL.

    Source: RFC 9110, section 10.2.2; RFC 3986, section 5.2.
    """
    reference = _RAW_BYTE.sub(lambda match: f"%{ord(match[0]) - 0xDC00:02X}", location.strip(" \t"))
    if not reference:
        raise ProtocolError("redirect", "the redirect names no target: its Location is empty", base.host)
    try:
        return replace(parse_url(_absolute(base, reference)), authorization=None)
    except RefusedError as error:
        message = f"the redirect leads to a Location that cannot be followed: {error.message}"
        raise ProtocolError("redirect", message, base.host) from None


def _refused(message: str, host: str | None = None) -> RefusedError:
    return RefusedError("url", message, host)


def _refuse_unsendable(raw: str) -> None:
    control = _CONTROL.search(raw)
    if control:
        raise _refused(f"the URL holds the control character {escape_text(control[0])}; remove or encode it")
    if _SURROGATE.search(raw):
        raise _refused("the URL holds bytes that are not UTF-8; percent-encode them")


def _explain_scheme(raw: str) -> str:
    scheme = _SCHEME.match(raw)
    if not scheme:
        return "the URL has no scheme; write it as http://host/path or https://host/path"
    if scheme[1].lower() in _DEFAULT_PORTS:
        return f"there is no // after {scheme[0].lower()} in the URL; write it as {scheme[0].lower()}//host/path"
    return "the scheme of the URL is neither http nor https; write it as http://host/path or https://host/path"


# Lists name few hosts many times.
@lru_cache(maxsize=4096)
def _parse_root(root: str) -> tuple[str, str, str, int, str, str | None]:
    """Give how the URL begins on the wire, scheme, host, port, both as they are shown, and authorization."""
    scheme, _, authority = root.partition("://")
    scheme = scheme.lower()
    if scheme not in _DEFAULT_PORTS:
        raise _refused(_explain_scheme(root))
    if "\\" in authority:
        raise _refused("the URL has a backslash before its path; write / instead")
    user, _, server = authority.rpartition("@")
    if server.startswith("["):
        literal, bracket, port = server[1:].partition("]")
        host = _check_ipv6(literal if bracket else "")
        if port and not port.startswith(":"):
            raise _refused("the URL has something other than a port after the address in brackets", host)
        port = port[1:]
    else:
        name, _, port = server.partition(":")
        host = _check_name(name)
    number = _check_port(scheme, port)
    netloc = _netloc(scheme, host, number)
    return f"{scheme}://{netloc}", scheme, host, number, netloc, _authorization(user)


def _check_ipv6(literal: str) -> str:
    try:
        if "%" in literal:
            raise _refused("the address in brackets has a scope id, which cannot be sent; remove it")
        return str(ipaddress.IPv6Address(literal))
    except ValueError:
        raise _refused("the brackets of the URL hold no valid IPv6 address") from None


def _check_name(name: str) -> str:
    if not name:
        raise _refused("the URL has no host; write it as http://host/path")
    is_short = len(name) <= _LONGEST_NAME + 1
    host = _encode_name(name) if is_short and not name.isascii() else name.lower()
    if not is_short or len(host.rstrip(".")) > _LONGEST_NAME or not _NAME.fullmatch(host):
        raise _refused(
            "the host of the URL is not valid: letters, digits, - _ and single dots, at most 63 characters "
            "between dots and 253 in all; correct it"
        )
    if _NUMERIC.fullmatch(host) and not _is_dotted_quad(host):
        # Resolvers read 127.1 or 0x7f.1 as an address, each in its own way: a road past every address check.
        raise _refused(f"the host {host} looks like a number but is no IPv4 address; write four decimal numbers", host)
    return host


def _encode_name(name: str) -> str:
    import idna  # its tables are large, and few lists need them

    try:
        return idna.encode(name, uts46=True).decode("ascii").lower()
    except UnicodeError:
        raise _refused("the host of the URL is not a valid international domain name; correct it") from None


def _is_dotted_quad(host: str) -> bool:
    try:
        return str(ipaddress.IPv4Address(host)) == host
    except ValueError:
        return False


def _check_port(scheme: str, port: str) -> int:
    if not port:
        return _DEFAULT_PORTS[scheme]
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) <= 65535):
        # Nothing is quoted: what stands here may be user and password, cut short by a raw / in the latter.
        raise _refused("the port of the URL is not a number from 1 to 65535; correct it")
    return int(port)


def _authorization(user: str) -> str | None:
    """Source: RFC 7617, section 2, in UTF-8."""
    name, _, password = user.partition(":")
    if not name and not password:
        return None
    credentials = unquote_to_bytes(name) + b":" + unquote_to_bytes(password)
    return "Basic " + base64.b64encode(credentials).decode("ascii")


def _netloc(scheme: str, host: str, port: int) -> str:
    shown = f"[{host}]" if ":" in host else host
    return shown if port == _DEFAULT_PORTS[scheme] else f"{shown}:{port}"


def _encode(text: str) -> str:
    return "".join(char if "!" <= char <= "~" else _percent(char) for char in text)


def _percent(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode())


def _absolute(base: Target, reference: str) -> str:
    """RFC 3986, section 5.2.2, without the authority of `base` if the reference has its own."""
    if _SCHEME.match(reference):
        return reference
    if reference.startswith("//"):
        return f"{base.scheme}:{reference}"
    root = f"{base.scheme}://{base.netloc}"
    base_path, mark, query = base.url[len(root) :].partition("?")
    reference = reference.partition("#")[0]
    path, new_mark, new_query = reference.partition("?")
    if not path:
        return root + base_path + (new_mark + new_query if new_mark else mark + query)
    if not path.startswith("/"):
        path = base_path[: base_path.rfind("/") + 1] + path
    return root + _remove_dots(path) + new_mark + new_query


def _remove_dots(path: str) -> str:
    """RFC 3986, section 5.2.4, for a path that begins with a slash; empty segments stay."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in {".", ".."}:
        kept.append("")
    return "/" + "/".join(kept)
