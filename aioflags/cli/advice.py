"""What to do next about each kind of failure, in a sentence each."""

from __future__ import annotations

__all__ = ["ADVICE", "advise"]

_AGAIN = "run the same command again"

ADVICE = {
    "dns": f"check the spelling of the host and that your name server answers, then {_AGAIN}",
    "connect": f"check that the server is up and no firewall or proxy (--proxy) is in the way, then {_AGAIN}",
    "tls": "check the server's certificate; for a private CA give --cacert FILE, for no check at all --insecure",
    "timeout": f"give the server more time (--first-byte-timeout, --connect-timeout) or less work (-j, --per-host), "
    f"then {_AGAIN}",
    "stalled": f"allow slower transfers (--idle-timeout, --min-speed 0) or fewer of them (-j), then {_AGAIN}",
    "disconnected": f"the server hung up; ask it for less at once (--per-host) and {_AGAIN}",
    "truncated": f"the server sent less than it announced; {_AGAIN}, and tell its owner if that does not help",
    "protocol": "the server's answer is no valid HTTP: check scheme and port of the URL, and any proxy in between",
    "redirect": "open the URL in a browser and put the address where it ends in the list",
    "http": "open the URL in a browser; the server refuses this request",
    "too_large": "raise --max-bytes, or leave these files out of the list",
    "checksum": "not the file that was declared: correct the digest or size in the list, or ask its publisher",
    "exists": "keep the files that are there with --existing skip, or overwrite them with --existing replace",
    "name": "give these items another name: the name column of a CSV or JSON-lines list, or -o with a single URL",
    "url": "correct these lines of the list; a URL begins with http:// or https://",
    "storage": f"check free space and permissions of the destination, then {_AGAIN}",
    "policy": "if you trust these servers, allow what was refused, for instance with --allow-private-redirects",
}

_BY_STATUS = {
    401: "give credentials: --header 'Authorization: …' or --netrc",
    403: "the server refuses you: give credentials (--header or --netrc), or ask for less at once (--per-host, --rate)",
    404: "not there: check the spelling, or take these URLs off the list",
    407: "the proxy wants credentials: --proxy http://USER:PASSWORD@HOST:PORT",
    410: "gone for good: take these URLs off the list",
    429: f"the server wants fewer requests: lower --rate or --per-host, or raise --max-wait, and {_AGAIN}",
}


def advise(kind: str, http_status: int | None) -> str:
    """Say what to do next.

    Args:
        kind: Of the error; one of `aioflags.errors.KINDS`.
        http_status: Final HTTP status, which decides where `kind` is `http`.
    """
    if kind == "http" and http_status is not None:
        if http_status >= 500:
            return f"the server is in trouble: wait, raise --retries, and {_AGAIN}"
        return _BY_STATUS.get(http_status, ADVICE[kind])
    return ADVICE[kind]
