"""A worker process as its parent sees it: started with one end of a socket pair, ended by a word or by a signal."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys

from aioflags.groups import wait_out
from aioflags.shards.messages import Leave
from aioflags.shards.wire import Wire

__all__ = ["Child"]

# Seconds that a worker has to end its attempts; a disk that hangs cannot be waited for.
_PATIENCE = 5.0
# Every module is found where ours was: a worker of another version would be a stranger.
_COMMAND = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from aioflags.shards.worker import main
main(sys.argv[2])
"""


class Child:
    """A process that downloads shares.

    Args:
        process: It.
        wire: Leads to it.
    """

    def __init__(self, process: subprocess.Popen[bytes], wire: Wire) -> None:
        self._process = process
        self.wire = wire

    @classmethod
    async def start(cls) -> Child:
        """Start one, on a loop like this one.

        Raises:
            OSError: The system refuses.
        """
        loop = asyncio.get_running_loop()
        loop_name = "uvloop" if type(loop).__module__.startswith("uvloop") else "asyncio"
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                process = _spawn(theirs, loop_name)
        except BaseException:
            ours.close()
            raise
        try:
            return cls(process, await Wire.open(ours))
        except BaseException:
            # Cancelled before anybody has it; it has done nothing yet, and is gone at once.
            ours.close()
            process.kill()
            process.wait()
            raise

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    async def end(self) -> None:
        """Let it end what is in flight, kill it if it does not; returns when it is gone."""
        self.wire.send(Leave())
        ending = asyncio.ensure_future(self._end())
        try:
            await asyncio.shield(ending)
        finally:
            await wait_out(ending)
            self.wire.close()

    async def _end(self) -> None:
        loop = asyncio.get_running_loop()
        killing = loop.call_later(_PATIENCE, self._process.kill)
        try:
            # It ends what it has to say before it ends; nobody else reads it now.
            while await self.wire.receive() is not None:
                pass
            # A thread that waits would be one more to be had; a watcher of children is the loop's owner's to choose.
            while self._process.poll() is None:  # noqa: ASYNC110 - the system sets no event
                await asyncio.sleep(0.005)
        finally:
            killing.cancel()


def _spawn(connection: socket.socket, loop_name: str) -> subprocess.Popen[bytes]:
    path = json.dumps([os.path.abspath(entry) for entry in sys.path])
    # A group of its own: Ctrl-C goes to all of the foreground's, and what it means is the parent's to say.
    return subprocess.Popen(  # noqa: S603 - our own interpreter, our own words
        [sys.executable, "-P", "-c", _COMMAND, path, loop_name],
        stdin=connection.fileno(),
        stdout=subprocess.DEVNULL,
        process_group=0,
    )
