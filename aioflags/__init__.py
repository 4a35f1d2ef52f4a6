"""Put any list of URLs on disk: all of them, whole, fast, politely, with the truth about the ones that failed."""

__version__ = "0.1.0"
