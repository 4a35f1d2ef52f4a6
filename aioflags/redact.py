"""Secrets hidden in URLs and in text, and characters escaped that are dangerous on a terminal or in a log.

Knows how URLs and header fields carry secrets; decides nothing about requests. Every function takes any
string at all and never raises: text that cannot be understood is hidden rather than shown.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

__all__ = ["UNSAFE", "escape_text", "redact_text", "redact_url"]

_HIDDEN = "***"

# C0, DEL, C1, line and paragraph separators, lone surrogates, and the format characters (Cf) that hide or
# reorder: soft hyphen, Arabic letter mark, zero width, bidi embeddings and isolates, interlinear marks, tags.
UNSAFE = (
    "\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f"
)
_UNSAFE_CHARACTER = re.compile(f"[{UNSAFE}]")
# Printable ASCII, without user info or parameters.
_PLAIN = re.compile(r"https?://[A-Za-z0-9._-]++(?::[0-9]*+)?(?:/[!\"$-:<=>A-~]*+)?")
_PARAMETERS = re.compile(r"[?#;]")
_TELLTALE = (
    r"(?:(?<!de)sig|token|secret|passw|passphrase|pwd|auth(?!or(?!i))|credential|api[-_.]?key|access[-_.]?key"
    r"|private|policy|sess|jwt|hmac|expire|ticket|cookie|bearer|csrf|assertion|x-amz-|x-goog-|x-oss-|x-cos-|hdn"
    r"|(?<![a-z0-9])(?:key|k|kid|md5|sid|otp|pass|pin|tok|tk|creds?|mac|nonce|verify)(?![a-z0-9]))"
)
# The bounds keep hostile input linear.
_SECRET_NAME = re.compile(_TELLTALE + r"[^?&;=#]{0,128}=")
_LONG_RUN = re.compile(r"[A-Za-z0-9_+/-]{16,}")
_CHANGE = re.compile(r"[a-z](?=[A-Z0-9])|[A-Z](?=[a-z0-9])|[0-9](?=[A-Za-z])")
_NESTED_USER = re.compile(r"//[^/?#&@]{0,1024}@")
_PARAMETER = re.compile(r"([?#;&])([^?#;&]*)")
_AUTHORITY = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)([^/?#\\]+)")
_HOST_PORT = re.compile(r"(?:\[[^\]@]*\]|[^:@\[\]]*)(?::[0-9]*)?")

_URL_IN_TEXT = re.compile(r"https?:[/\\]{1,2}\S+", re.IGNORECASE)
_CLOSING = ")]}>,.;:'\"!"
_HEADER_IN_TEXT = re.compile(
    r"((?:proxy-authorization|authorization|set-cookie|cookie|x-api-key|x-auth-token)"
    r"(?:(['\"])\s*[:,=]\s*b?|\s*[:=]\s*))(?:(['\"])(?:(?!\3)[^\r\n])*|[^\r\n]*)",
    re.IGNORECASE,
)
_CREDENTIALS_IN_TEXT = re.compile(r"\b(basic|bearer|digest|negotiate)(\s+)[A-Za-z0-9+/=_.~-]{6,}", re.IGNORECASE)
_PAIR_IN_TEXT = re.compile(rf"({_TELLTALE}[\w.%-]{{0,128}}=)([^\s&;]+)", re.IGNORECASE)


def escape_text(text: str) -> str:
    r"""Make text from outside safe for a terminal and for one line of a log; ordinary Unicode stays as it is.

    >>> escape_text("caf\u00e9 \x1b[2J \u202egpj.exe")
    'café \\x1b[2J \\u202egpj.exe'
    """
    if text.isprintable():
        return text
    return _UNSAFE_CHARACTER.sub(_escape, text)


def redact_url(url: str) -> str:
    """Hide the secrets of a URL, or of what should have been one; escape the rest.

    User info becomes `***`; when one parameter looks like a signature or a secret, all values do.

    >>> redact_url("https://me:pw@example.org/a.gif?X-Amz-Date=1&X-Amz-Signature=abc")
    'https://***@example.org/a.gif?X-Amz-Date=***&X-Amz-Signature=***'
    >>> redact_url("https://example.org/search?id=1")
    'https://example.org/search?id=1'
    """
    if _PLAIN.fullmatch(url):
        return url
    if "@" in url or "://" in url:
        url = _hide_user(url)
    start = _PARAMETERS.search(url)
    if start and _is_secret(url[start.start() :]):
        url = url[: start.start()] + _PARAMETER.sub(_hide_value, url[start.start() :])
    return escape_text(url)


def redact_text(text: str) -> str:
    """Hide the secrets of free text: URLs, credential headers, `Basic` and `Bearer` values; escape the rest.

    >>> redact_text("GET http://u:p@h/ Authorization: Basic dTpw")
    'GET http://***@h/ Authorization: ***'
    """
    text = _URL_IN_TEXT.sub(_redact_match, text)
    text = _HEADER_IN_TEXT.sub(lambda match: f"{match[1]}{match[3] or ''}{_HIDDEN}", text)
    text = _CREDENTIALS_IN_TEXT.sub(rf"\1\2{_HIDDEN}", text)
    text = _PAIR_IN_TEXT.sub(lambda match: match[1] + _HIDDEN + _closing(match[2]), text)
    return escape_text(text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _hide_user(url: str) -> str:
    match = _AUTHORITY.match(url)
    if not match:
        # No URL at all; whatever stands before an @ may be a password.
        before, at, after = url.rpartition("@")
        scheme = before[: before.find("//") + 2] if "//" in before else ""
        return f"{scheme}{_HIDDEN}@{after}" if at else url
    _, at, host = match[2].rpartition("@")
    if _HOST_PORT.fullmatch(host):
        return f"{match[1]}{_HIDDEN}@{host}{url[match.end() :]}" if at else url
    # Not host:port, so perhaps a password with a raw / ? or # in it: the true @ may come later.
    _, later, after = url[match.end() :].rpartition("@")
    if later:
        return f"{match[1]}{_HIDDEN}@{after}"
    return f"{match[1]}{_HIDDEN}{url[match.end() :]}"


def _is_secret(parameters: str) -> bool:
    if "%" in parameters:
        parameters = unquote(unquote(parameters))
    if _SECRET_NAME.search(parameters.lower()) or _NESTED_USER.search(parameters):
        return True
    return any(_is_random(match[0]) for match in _LONG_RUN.finditer(parameters))


def _is_random(run: str) -> bool:
    """Random base64, base36 or hexadecimal digits change between their kinds far more often than words do."""
    return any(char.isdigit() for char in run) and len(_CHANGE.findall(run)) * 4 >= len(run)


def _hide_value(match: re.Match[str]) -> str:
    separator, parameter = match.groups()
    name, equals, _ = parameter.partition("=")
    if equals:
        return f"{separator}{name}={_HIDDEN}"
    return separator + (_HIDDEN if parameter else "")


def _redact_match(match: re.Match[str]) -> str:
    closing = _closing(match[0])
    return redact_url(match[0].removesuffix(closing)) + closing


def _closing(text: str) -> str:
    """What stands after a URL or a value in a sentence and is not part of it."""
    return text[len(text.rstrip(_CLOSING)) :]
