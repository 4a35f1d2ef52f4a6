"""File names: chosen from what the user gave, made safe by the same rules on every system; touches no file.

A name is a path below the destination with `/` between its folders. What these functions return is never
absolute, never leaves the destination and means the same file under POSIX and Windows rules.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from urllib.parse import unquote

from aioflags.errors import RefusedError
from aioflags.redact import UNSAFE

__all__ = ["fold", "is_safe_name", "name_from_url", "safe_name", "with_suffix"]

_NAMELESS = "index.html"
# Bytes in UTF-8. File systems allow 255 a component; the rest is for what storage and other tools append.
_LONGEST_COMPONENT = 200
_LONGEST_EXTENSION = 40
_LONGEST_NAME = 1024

_SEGMENT = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:)?(?://[^/?#]*)?(?:[^?#]*/)?([^/?#]*)", re.DOTALL)
_SEPARATOR = re.compile(r"[/\\]")
_DRIVE = re.compile(r"[A-Za-z]:")
_FORBIDDEN = re.compile(rf'[{UNSAFE}\ufffd<>:"|?*/\\]')
# Devices of Windows, with any extension, spaces before it and superscript digits included (Microsoft, "Naming
# Files, Paths, and Namespaces").
_RESERVED = re.compile(r"(?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|CLOCK\$|(?:COM|LPT)[0-9¹²³]) *(?:\..*)?", re.DOTALL)
# Most names: as they should be.
_PLAIN = re.compile(r"(?!(?i:CON|PRN|AUX|NUL|(?:COM|LPT)[0-9])(?:\.|$))[A-Za-z0-9_][A-Za-z0-9_.-]{0,198}+(?<!\.)")


def name_from_url(url: str) -> str:
    """Make a file name of the last path segment of a URL, percent-decoded once; `index.html` if it is empty.

    Neither the query nor anything that a server says has a part in it.

    >>> name_from_url("https://example.org/a/caf%C3%A9%2F..%2Fx.gif?size=2")
    'café_.._x.gif'
    """
    found = _SEGMENT.match(url)
    segment = found[1] if found else ""
    if _PLAIN.fullmatch(segment):
        return segment
    return _safe_component(unquote(segment, errors="replace")) if segment else _NAMELESS


def safe_name(wanted: str) -> str:
    r"""Make a name that the user asked for safe; `/` and `\` both separate folders.

    Doing it twice changes nothing.

    Raises:
        RefusedError: Kind `name`: empty, absolute, with a drive or `..`, a folder only, or over 1024 bytes.

    >>> safe_name("flags\\.hidden/aux.txt")
    'flags/_hidden/_aux.txt'
    """
    if _SEPARATOR.match(wanted) or _DRIVE.match(wanted):
        raise _refused("the name is absolute; give one relative to the destination")
    parts = _SEPARATOR.split(wanted)
    if ".." in parts:
        raise _refused("the name leads out of its folder; remove the '..'")
    if parts[-1] in {"", "."}:
        raise _refused("the name is empty or ends in a folder; add the name of the file")
    name = "/".join(_safe_component(part) for part in parts if part not in {"", "."})
    if len(name.encode()) > _LONGEST_NAME:
        raise _refused(f"the name is longer than {_LONGEST_NAME} bytes; give a shorter one")
    return name


def is_safe_name(name: object) -> bool:
    """Tell whether this is a name that `safe_name` leaves as it is; whoever wrote it down, it may be opened.

    >>> is_safe_name("flags/fr.gif"), is_safe_name("../fr.gif"), is_safe_name(".aioflags/ledger"), is_safe_name(None)
    (True, False, False, False)
    """
    try:
        return isinstance(name, str) and safe_name(name) == name
    except (RefusedError, UnicodeError):
        return False


def fold(name: str) -> str:
    """Give the key under which two names are one file on some file system: case and Unicode form put aside.

    Rather too many names are held equal than too few: the cost is a suffix, not a lost file.

    >>> fold("STRASSE/Cafe\u0301.GIF") == fold("straße/café.gif")
    True
    """
    if name.isascii():
        return name.lower()
    # Compatibility forms first, for they may hold letters that have a case (Unicode Standard, section 3.13).
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKD", name).upper().casefold())


def with_suffix(name: str, url: str, digits: int = 8) -> str:
    """Tell two items of the same name apart: the later one becomes `stem-xxxxxxxx.ext`.

    Args:
        name: A safe name.
        url: The URL as given, whose SHA-256 gives the suffix.
        digits: Hexadecimal digits of it to use; more of them if eight collide.

    >>> with_suffix("fr/flag.tar.gz", "http://example.org/")
    'fr/flag.tar-781bc04e.gz'
    """
    folder, slash, last = name.rpartition("/")
    return folder + slash + _insert(last, _digest(url)[:digits])


def _refused(message: str) -> RefusedError:
    return RefusedError("name", message, None)


def _safe_component(given: str) -> str:
    if _PLAIN.fullmatch(given):
        return given
    part = _FORBIDDEN.sub("_", unicodedata.normalize("NFC", given))
    if part.startswith("."):
        part = "_" + part[1:]
    if part.endswith((".", " ")):
        part = part[:-1] + "_"
    if _RESERVED.fullmatch(part.upper()):
        part = "_" + part
    return part if len(part.encode()) <= _LONGEST_COMPONENT else _insert(part, _digest(given)[:8])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _insert(part: str, mark: str) -> str:
    """Put a mark before the last extension, and cut the stem where the whole would be too long."""
    stem, dot, extension = part.rpartition(".")
    if not stem or len(extension.encode()) > _LONGEST_EXTENSION:
        stem, dot, extension = part, "", ""
    tail = f"-{mark}{dot}{extension}"
    room = _LONGEST_COMPONENT - len(tail.encode())
    return stem.encode()[:room].decode(errors="ignore") + tail
