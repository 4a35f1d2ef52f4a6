"""Runs one command and says what it cost; small, because Linux lets a child inherit its parent's peak of memory.

`python -I -S launch.py STDOUT COMMAND...` writes one line to standard output: exit status, seconds of wall clock, of
processor outside and inside the kernel, and the peak memory in kibibytes. The processor time is that of all processes
that the command has waited for; the peak is that of the largest of them, and at least this interpreter's own.

Source: wait4(2); `exec_mmap` in Linux, which carries the old peak over into the new program.
"""

import os
import sys
import time

__all__ = ["main"]


def main() -> None:
    """Run the command, its standard output going to the file STDOUT."""
    output, *command = sys.argv[1:]
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    actions = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), (os.POSIX_SPAWN_OPEN, 1, output, flags, 0o600)]
    # An installed program is compiled already; from a clone the warm-up round does it, unless it is forbidden to.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    started = time.perf_counter()
    try:
        pid = os.posix_spawnp(command[0], command, environment, file_actions=actions)
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - started
    kibibytes = usage.ru_maxrss // 1024 if sys.platform == "darwin" else usage.ru_maxrss
    print(os.waitstatus_to_exitcode(status), wall, usage.ru_utime, usage.ru_stime, kibibytes)


if __name__ == "__main__":
    main()
