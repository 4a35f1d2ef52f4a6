"""Put any list of URLs on disk: all of them, whole, fast, politely, with the truth about the ones that failed."""

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
from aioflags.version import __version__

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
