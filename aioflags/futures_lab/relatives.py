"""A claim about the third relative: the Future of dask.distributed, tried if that is installed."""

from __future__ import annotations

import asyncio
import concurrent.futures
import importlib
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec

from aioflags.futures_lab.lab import Claim, Facts, NotTriedError
from aioflags.futures_lab.tools import kind_of, try_call
from aioflags.futures_lab.workers import observe_in_child

__all__ = ["CLAIMS"]


def is_caught(result: Callable[[], object]) -> bool:
    try:
        result()
    except concurrent.futures.CancelledError:
        return True
    except (Exception, asyncio.CancelledError):
        return False
    return False


def relative_concurrent() -> Facts:
    cancelled: concurrent.futures.Future[int] = concurrent.futures.Future()
    cancelled.cancel()
    with ThreadPoolExecutor(1) as executor:
        future = executor.submit(pow, 2, 5)
        return {
            "scheduling gives a Future of": kind_of(future),
            "result(timeout=9)": try_call(future.result, timeout=9),
            "has set_result()": hasattr(future, "set_result"),
            "CancelledError caught": is_caught(cancelled.result),
        }


async def relative_asyncio() -> Facts:
    cancelled: asyncio.Future[int] = asyncio.Future()
    cancelled.cancel()
    future = asyncio.create_task(asyncio.sleep(0, 32))
    await future
    return {
        "scheduling gives a Future of": kind_of(future),
        "result(timeout=9)": try_call(future.result, timeout=9),
        "has set_result()": hasattr(future, "set_result"),
        "CancelledError caught": is_caught(cancelled.result),
    }


def relative_dask() -> Facts:
    if find_spec("distributed") is None:
        raise NotTriedError("distributed is not installed")
    return observe_in_child(ask_dask)


def ask_dask() -> Facts:
    dask = importlib.import_module("distributed")
    with (
        tempfile.TemporaryDirectory() as folder,
        dask.LocalCluster(
            n_workers=1,
            processes=False,
            protocol="inproc://",
            dashboard_address=None,
            local_directory=folder,
        ) as cluster,
        dask.Client(cluster) as client,
    ):
        cancelled = client.submit(divmod, 2, 5)
        cancelled.cancel()
        future = client.submit(pow, 2, 5)
        return {
            "scheduling gives a Future of": kind_of(future),
            "result(timeout=9)": try_call(future.result, timeout=9),
            "has set_result()": hasattr(future, "set_result"),
            "CancelledError caught": is_caught(cancelled.result),
        }


RELATIVE = Claim(
    name="dask-is-a-relative",
    sentence="The Future of dask.distributed is neither of the two: it speaks the language of concurrent.futures, and "
    "cannot be completed from outside.",
    lesson="Code for submit(), result() and as_completed() moves to a cluster almost as it is; take as_completed() "
    "from distributed, or use client.get_executor().",
    probes=(relative_concurrent, relative_asyncio, relative_dask),
    helpers=(is_caught, ask_dask),
    expected={
        "scheduling gives a Future of": ("concurrent.futures", "asyncio", "distributed"),
        "result(timeout=9)": (32, "raises TypeError", 32),
        "has set_result()": (True, True, False),
        "CancelledError caught": (True, False, True),
    },
)

CLAIMS = (RELATIVE,)
