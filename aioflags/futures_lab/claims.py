"""All claims of the lab, in the order in which one reads them."""

from __future__ import annotations

from collections.abc import Mapping

from aioflags.futures_lab import bridges, callbacks, cancelling, failures, nature, order, overlap, relatives, safety
from aioflags.futures_lab.lab import Claim

__all__ = ["CLAIMS"]

_THEMES = (nature, callbacks, failures, order, cancelling, bridges, safety, overlap, relatives)

CLAIMS: Mapping[str, Claim] = {claim.name: claim for theme in _THEMES for claim in theme.CLAIMS}
