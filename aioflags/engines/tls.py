"""TLS contexts as the user's options want them. Blocking: certificates are read from disk."""

from __future__ import annotations

import ssl

from aioflags.errors import UsageError

__all__ = ["load_ssl_context"]


def load_ssl_context(cacert: str | None = None, *, insecure: bool = False) -> ssl.SSLContext:
    """Make a context that trusts the system's certificates, or those of a PEM file only.

    Args:
        cacert: The file.
        insecure: Verify nothing.

    Raises:
        UsageError: The file cannot be read or holds no certificate.
    """
    try:
        context = ssl.create_default_context(cafile=cacert)
    except OSError as error:
        # What OpenSSL says of a broken file is meant for nobody.
        reason = "no certificate in it" if isinstance(error, ssl.SSLError) else error.strerror
        raise UsageError(f"cannot use --cacert {cacert}: {reason}") from error
    context.set_alpn_protocols(["http/1.1"])
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
