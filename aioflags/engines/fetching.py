"""What every engine on the loop does around the request of an attempt: the rule for addresses, the head that is there.

No HTTP: `request` has it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from aioflags.engines.answers import has_private_host, judge_rest, keeps_half, result_of_unsaved, wanted_of
from aioflags.engines.faults import private_address_error
from aioflags.engines.seam import Attempt, AttemptResult, Meter
from aioflags.errors import StorageError
from aioflags.ranges import going_on_from
from aioflags.storage import Storage, Stream

__all__ = ["fetch_with"]


async def fetch_with(
    storage: Storage,
    attempt: Attempt,
    meter: Meter,
    request: Callable[[Attempt, Stream, Meter], Awaitable[AttemptResult]],
) -> AttemptResult:
    """Make one attempt, see `aioflags.engines.seam.Engine`.

    Args:
        storage: Where the body goes.
        attempt: What to ask for.
        meter: Shows the attempt.
        request: Makes the request and brings its body to the stream, or to storage.
    """
    if attempt.is_public_only and has_private_host(attempt):
        return AttemptResult(error=private_address_error(attempt.target.host), requests=0)
    stream = storage.stream(attempt.row, attempt.half)
    result: AttemptResult | None = None
    try:
        result = await _go_on(attempt, stream, meter, request)
        result = judge_rest(result, has_asked=stream.head is not None)
    finally:
        half = await stream.settle(keeps=keeps_half(attempt, result, has_begun=stream.has_begun))
    return result if half is None else replace(result, half=half)


async def _go_on(
    attempt: Attempt,
    stream: Stream,
    meter: Meter,
    request: Callable[[Attempt, Stream, Meter], Awaitable[AttemptResult]],
) -> AttemptResult:
    half = going_on_from(attempt.half, attempt.target)
    if half is not None:
        try:
            await stream.open_head(wanted_of(attempt), half)
        except StorageError as error:
            return replace(result_of_unsaved(error, attempt, None), requests=0)
    return await request(attempt, stream, meter)
