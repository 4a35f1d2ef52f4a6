"""pycurl: one CurlMulti and as many easy handles as connections, each taken again when it is free.

Follows the library's own example for many URLs; handles write into the open file themselves.
"""

from __future__ import annotations

from typing import Any, BinaryIO

import pycurl

from benchmarks.peers.call import Call, name_of, run

__all__ = ["download_many"]


def download_many(call: Call) -> bool:
    """Download all; tells whether all went well."""
    multi = pycurl.CurlMulti()
    multi.setopt(pycurl.M_MAXCONNECTS, call.connections)
    free = [_make_handle(call) for _ in range(min(call.connections, len(call.urls)))]
    files: dict[Any, BinaryIO] = {}
    waiting = iter(call.urls)
    is_clean = True
    while free or files:
        for handle in free:
            if (url := next(waiting, None)) is not None:
                files[handle] = open(call.directory / name_of(url), "wb")  # noqa: SIM115 - closed when it is done
                handle.setopt(pycurl.URL, url)
                handle.setopt(pycurl.WRITEDATA, files[handle])
                multi.add_handle(handle)
        free = []
        while multi.perform()[0] == pycurl.E_CALL_MULTI_PERFORM:
            pass
        is_whole = False
        while not is_whole:
            left, good, bad = multi.info_read()
            is_whole, is_clean = left == 0, is_clean and not bad
            for handle in (*good, *(handle for handle, _, _ in bad)):
                multi.remove_handle(handle)
                files.pop(handle).close()
                free.append(handle)
        if not free:
            multi.select(1.0)
    return is_clean


def _make_handle(call: Call) -> Any:
    handle = pycurl.Curl()
    handle.setopt(pycurl.FAILONERROR, True)
    handle.setopt(pycurl.NOSIGNAL, True)
    if call.certificate is not None:
        handle.setopt(pycurl.CAINFO, call.certificate)
    return handle


if __name__ == "__main__":
    run("pycurl", download_many)
