"""Put any list of URLs on disk: all of them, whole, fast, politely, with the truth about the ones that failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aioflags.version import __version__

if TYPE_CHECKING:
    from aioflags.blocking import BlockingDownloader
    from aioflags.downloader import Downloader, download_many
    from aioflags.errors import (
        AioflagsError,
        ChecksumError,
        ConnectionFailed,
        DownloadError,
        ProtocolError,
        RefusedError,
        StatusError,
        StorageError,
        TruncatedError,
        UsageError,
    )
    from aioflags.items import Item, Outcome, Report, Status

__all__ = [
    "AioflagsError",
    "BlockingDownloader",
    "ChecksumError",
    "ConnectionFailed",
    "DownloadError",
    "Downloader",
    "Item",
    "Outcome",
    "ProtocolError",
    "RefusedError",
    "Report",
    "Status",
    "StatusError",
    "StorageError",
    "TruncatedError",
    "UsageError",
    "__version__",
    "download_many",
]

_MODULES = {
    "aioflags.blocking": "BlockingDownloader",
    "aioflags.downloader": "Downloader download_many",
    "aioflags.items": "Item Outcome Report Status",
}


def __getattr__(name: str) -> object:
    """Import what is asked for when it is asked for: the program must hear an interrupt before all is imported."""
    if name not in __all__:
        raise AttributeError(f"module 'aioflags' has no attribute {name!r}")
    from importlib import import_module

    module = next((module for module, names in _MODULES.items() if name in names.split()), "aioflags.errors")
    value = globals()[name] = getattr(import_module(module), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
