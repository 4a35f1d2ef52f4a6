"""The command line of aioflags on asyncio's own event loop: it takes uvloop wherever that can be imported."""

from __future__ import annotations

import sys

if __name__ == "__main__":
    # What is `None` here cannot be imported.
    sys.modules["uvloop"] = None  # type: ignore[assignment]

    from aioflags.__main__ import main

    main()
