"""`aioflags serve`: the flag server by itself, with delays, errors and other misbehaviour to try a client on."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from contextlib import suppress

from aioflags.cli.exits import ExitStatus, status_of_signal
from aioflags.cli.quantities import parse_number

__all__ = ["add_parser", "run"]

_ROUTES = """\
routes:
  /                     a page with all flags
  /fr/fr.svg            a flag; /fr/fr.gif as in the classic lesson, /fr/metadata.json
  /bytes/N              N bytes, the same at every call; ?seed=K for others
  /status/CODE          an answer with that status

misbehaviour, in the query of any route:
  ?delay=S              answer S seconds later
  ?status=CODE&times=K  fail the first K requests for this URL, every one without times; &retry_after=S or a date
  ?redirect=URL         302, or the status asked for, to that place
  ?chunked=1            chunked framing, no length announced
  ?truncate=N           close after N bytes of the body
  ?stall=N              fall silent after N bytes of the body
  ?rate=B               B bytes of the body per second
  ?ranges=0             ignore Range
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "serve",
        description="Serve flags and sized bodies over http, for demonstrations, tests and benchmarks.",
        epilog=_ROUTES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=8000, help="port, 0 = a free one (default: %(default)s)")
    add_misbehaviour(parser)
    parser.add_argument("--seed", metavar="N", type=int, help="make jitter and errors the same in every run")
    parser.add_argument("-q", "--quiet", action="store_true", help="say nothing")
    parser.set_defaults(run=run)


def add_misbehaviour(group: argparse._ActionsContainer) -> None:
    """Add the options by which the server answers late or not at all."""
    group.add_argument("--delay", metavar="S", type=parse_number, default=0.0, help="answer S seconds later")
    group.add_argument("--jitter", metavar="S", type=parse_number, default=0.0, help="and up to S seconds more")
    group.add_argument(
        "--error-rate", metavar="P", type=_probability, default=0.0, help="share of requests that get 503, 0 to 1"
    )


def run(args: argparse.Namespace) -> int:
    """Serve until a signal comes; returns the exit status."""
    from aioflags.flagserver.server import new_event_loop

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        try:
            return runner.run(_serve(args))
        except KeyboardInterrupt:
            return ExitStatus.INTERRUPTED
        except OSError as error:
            print(f"aioflags: cannot listen on {args.host} port {args.port}: {error.strerror}", file=sys.stderr)
            return ExitStatus.LOCAL_FAULT


async def _serve(args: argparse.Namespace) -> int:
    from aioflags.flagserver.server import FlagServer

    loop = asyncio.get_running_loop()
    ended: asyncio.Future[int] = loop.create_future()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # Windows: KeyboardInterrupt has to do
            loop.add_signal_handler(number, _end, ended, number)
    server = FlagServer()
    await server.start(
        args.host, args.port, delay=args.delay, jitter=args.jitter, error_rate=args.error_rate, seed=args.seed
    )
    if not args.quiet:
        print(f"Serving flags on {server.url} (Ctrl-C stops)", flush=True)
    async with server:
        return await ended


def _end(ended: asyncio.Future[int], number: int) -> None:
    if not ended.done():
        ended.set_result(status_of_signal(number))


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port, 0 to 65535")
    return int(text)


def _probability(text: str) -> float:
    value = parse_number(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no probability, 0 to 1")
    return value
