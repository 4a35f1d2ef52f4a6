"""One run of the downloader for a user: progress, records, signals, and how it all ends."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from aioflags.cli.carry_on import carry_on_command
from aioflags.cli.diagnostics import handle_loop_error
from aioflags.cli.exits import ExitStatus, abandon, silence_stdout, status_of_signal
from aioflags.cli.feed import Feed
from aioflags.cli.interrupts import Interrupts
from aioflags.cli.progress import Pace, Snapshot, Transfer, choose_transfers
from aioflags.cli.quantities import show_count, show_size
from aioflags.cli.runner import choose_loop, raise_file_limit, start_loop_threads
from aioflags.cli.screen import Screen
from aioflags.cli.summary import Failures
from aioflags.cli.trace import Label, label_by_name
from aioflags.cli.tracing import Tracing
from aioflags.cli.waiting import Notes, show_moment, show_wait
from aioflags.downloader import Downloader
from aioflags.errors import DownloadError
from aioflags.items import Outcome, Status, Tally
from aioflags.jobs import Waiting
from aioflags.redact import escape_text, redact_text, redact_url
from aioflags.settings import Options

if TYPE_CHECKING:
    # Its imports take a tenth of the start of a job that has no use for it.
    from aioflags.cli.ledger_feed import LedgerFeed

__all__ = ["Job"]

_GRACE = 5.0
_PATIENCE = 2.0
_TICK = 0.2


class Job:
    """A job of the command line; run it once.

    Args:
        args: The command line, with the output options of `aioflags.cli.options`, `dir` and `argv`.
        options: Those of the downloader.
        feed: The items.
        describe: Gives the line to print for an outcome, `None` for none; `None` if there is never one.
        conclude: Gives the last line, from the counts and the seconds that the job took; `None` for none.
        label: What an item is called in a trace.
    """

    def __init__(
        self,
        args: argparse.Namespace,
        options: Options,
        feed: Feed | LedgerFeed,
        *,
        describe: Callable[[Outcome], str | None] | None,
        conclude: Callable[[Tally, float], str | None],
        label: Label = label_by_name,
    ) -> None:
        self._args = args
        self._options = options
        self._feed = feed
        self._describe = describe
        self._conclude = conclude
        self._label = label
        self._tally = Tally()
        self._failures = Failures()
        self._pace = Pace()
        self._notes = Notes(is_verbose=bool(args.verbose))
        self._downloader: Downloader | None = None
        self._fault: DownloadError | None = None
        self._signal: int | None = None
        self._next_look = 0.0
        self._is_stuck = False

    def run(self) -> ExitStatus:
        """Do the job and tell how it ended.

        Raises:
            UsageError: The call is wrong; nothing was requested.
            Exception: A bug of ours.
        """
        raise_file_limit(self._options["concurrency"])
        self._tracing = Tracing(self._args, self._label)
        self._screen = Screen(
            is_json=self._args.json,
            progress="none" if self._args.quiet else self._args.progress,
            on_fault=self._on_output_fault,
        )
        runner = asyncio.Runner(loop_factory=choose_loop())
        try:
            runner.run(self._supervise())
        except DownloadError as error:
            self._fault = error
        except BaseException:
            self._tracing.close(_PATIENCE)
            self._screen.close(_PATIENCE)
            raise
        finally:
            self._feed.close()
            # Closing waits for what cannot be cancelled; a process that must end leaves it behind.
            if not self._is_stuck:
                runner.close()
        status = self._finish()
        if self._is_stuck:
            abandon(status)
        return status

    async def _supervise(self) -> None:
        self._loop = loop = asyncio.get_running_loop()
        loop.set_exception_handler(handle_loop_error)
        self._started = self._ended = loop.time()
        self._overdue = loop.create_future()
        if self._args.insecure:
            self._screen.note("warning: certificates are not verified (--insecure)")
        self._task = loop.create_task(self._download())
        with Interrupts(self._stop_soon, self._stop_now, self._answer) as interrupts:
            await asyncio.wait({self._task, self._overdue}, return_when=asyncio.FIRST_COMPLETED)
        self._signal = interrupts.first
        self._ended = loop.time()
        self._is_stuck = not self._task.done()
        was_stopped = self._signal is not None or self._screen.fault is not None
        if not (self._is_stuck or (self._task.cancelled() and was_stopped)):
            self._task.result()

    async def _download(self) -> None:
        await self._feed.open()
        if self._args.engine in {"asyncio", "aiohttp"}:
            await start_loop_threads()
        tracer = self._tracing.tracer(self._screen.note)
        async with Downloader(self._args.dir, engine=self._args.engine, tracer=tracer, **self._options) as downloader:
            self._downloader = downloader
            self._tick()
            try:
                async with downloader.outcomes(self._feed, is_on_record=self._feed.is_on_record) as outcomes:
                    while batch := await outcomes.next_batch():
                        self._take(batch)
                        if self._screen.is_full:
                            await self._screen.wait_for_room()
                        if tracer is not None:
                            await self._tracing.wait_for_room()
            finally:
                self._timer.cancel()

    def _take(self, outcomes: Sequence[Outcome]) -> None:
        self._tally.add_all(outcomes)
        for outcome in outcomes:
            if outcome.error is not None:
                self._failures.add(outcome)
        if self._args.json or self._args.verbose or self._describe is not None:
            for outcome in outcomes:
                self._show(outcome)

    def _show(self, outcome: Outcome) -> None:
        screen = self._screen
        if self._args.json:
            screen.record(outcome.as_record())
        if self._describe is not None and (line := self._describe(outcome)):
            screen.result(line)
        if self._args.verbose:
            screen.note(_show_outcome(outcome))

    def _tick(self) -> None:
        self._timer = self._loop.call_later(_TICK, self._tick)
        assert self._downloader is not None
        now, waiting = self._loop.time(), self._downloader.waiting()
        for line in self._notes.look(waiting, now):
            self._screen.note(line)
        if now >= self._next_look:
            self._next_look = now + self._screen.rest
            self._screen.show(self._look(self._transfers(now), waiting, now))

    def _transfers(self, now: float) -> list[Transfer]:
        assert self._downloader is not None
        return [
            Transfer(each.path or each.url, each.host, now - each.started, each.received, each.total, each.url)
            for each in self._downloader.running()
        ]

    def _answer(self) -> None:
        """Somebody asks how it goes."""
        if self._downloader is None:
            self._screen.note("nothing was requested yet")
            return
        now, waiting = self._loop.time(), self._downloader.waiting()
        transfers = self._transfers(now)
        for line in show_moment(self._look(transfers, waiting, now), transfers, waiting, now):
            self._screen.note(line)

    def _look(self, transfers: list[Transfer], waiting: Waiting, now: float) -> Snapshot:
        tally = self._tally
        received = tally.bytes + sum(each.received for each in transfers)
        self._pace.update(now - self._started, tally.items, received)
        total, is_exact = self._feed.total
        return Snapshot(
            done=tally.items,
            total=total,
            is_exact=is_exact,
            bytes=received,
            speed=self._pace.speed,
            remaining=self._pace.remaining(total, transfers),
            failed=tally.statuses[Status.FAILED] + tally.statuses[Status.MISSING],
            transfers=choose_transfers(transfers),
            waiting=show_wait(waiting, transfers, now),
        )

    # Ending early

    def _on_output_fault(self) -> None:
        self._loop.call_soon_threadsafe(self._stop_now)

    def _stop_soon(self) -> None:
        if self._downloader is None:
            self._stop_now()
            return
        self._downloader.stop_intake()
        if running := len(self._downloader.running()):
            self._screen.note(
                f"interrupted: waiting up to {_GRACE:.0f} s for {show_count(running, 'transfer')} in flight; "
                "interrupt again to stop at once"
            )
        self._loop.call_later(_GRACE, self._stop_now)

    def _stop_now(self) -> None:
        self._task.cancel()
        self._loop.call_later(_PATIENCE, self._give_up)

    def _give_up(self) -> None:
        if not self._overdue.done():
            self._overdue.set_result(None)

    # The end

    def _finish(self) -> ExitStatus:
        screen = self._screen
        screen.end_progress()
        status = self._status()
        patience = None if self._signal is None else _PATIENCE
        self._tracing.close(patience)
        if screen.fault is None:
            self._tell_results()
            screen.close_out(patience)
        if screen.fault is not None:
            silence_stdout()  # what is left in it cannot be written either
        if not isinstance(screen.fault, BrokenPipeError):  # else who read it has seen enough: no reason for a word
            self._tell_troubles()
        screen.close(patience)
        return ExitStatus.LOCAL_FAULT if status == ExitStatus.CLEAN and self._has_bad_output() else status

    def _tell_results(self) -> None:
        elapsed = self._ended - self._started
        self._screen.record(self._tally.as_record(elapsed))
        if line := self._conclude(self._tally, elapsed):
            self._screen.result(line)

    def _tell_troubles(self) -> None:
        failures = self._failures.lines()
        for line in [*(failures[:1] if self._args.quiet else failures), *self._last_lines()]:
            self._screen.note(line)

    def _has_bad_output(self) -> bool:
        """Standard output could not be written, and not because its reader wanted no more; or the trace file."""
        if self._tracing.fault is not None:
            return True
        fault = self._screen.fault
        return fault is not None and not isinstance(fault, BrokenPipeError)

    def _last_lines(self) -> list[str]:
        faults = [str(fault) for fault in (self._fault, self._feed.fault) if fault is not None]
        if self._screen.fault is not None:
            faults.append(f"standard output cannot be written: {self._screen.fault.strerror}")
        if self._tracing.fault is not None:
            faults.append(self._tracing.fault)
        lines = [f"aioflags: error: {redact_text(fault)}" for fault in faults]
        if self._signal is not None:
            command = carry_on_command(self._args.argv, has_ledger=self._options["ledger"])
            hint = " (fill in what is hidden as ***)" if "***" in command else ""
            lines += [f"Interrupted. To carry on{hint}:", command]
        return lines

    def _status(self) -> ExitStatus:
        if self._signal is not None:
            return status_of_signal(self._signal)
        if self._fault or self._feed.fault or self._screen.fault:
            return ExitStatus.LOCAL_FAULT
        return ExitStatus.CLEAN if self._tally.is_clean else ExitStatus.FAILURES


def _show_outcome(outcome: Outcome) -> str:
    what = f"{outcome.status.value:9} {redact_url(outcome.url)}"
    if outcome.error is not None:
        return f"{what}  {redact_text(str(outcome.error))}"
    if outcome.path is None:
        return what
    return f"{what} -> {escape_text(outcome.path)}  {show_size(outcome.bytes)} in {outcome.elapsed:.2f}s"
