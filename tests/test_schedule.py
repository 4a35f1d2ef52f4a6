"""Who is next: fair over hosts, within every limit, nothing lost and nothing started twice."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from itertools import pairwise

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from aioflags.schedule import Feedback, Lane, Pause, Schedule

WELL, SLOW_DOWN, NEUTRAL = Feedback.WELL, Feedback.SLOW_DOWN, Feedback.NEUTRAL


def make(concurrency: int = 64, per_host: int = 0, rate: float | None = None) -> Schedule[str]:
    return Schedule(concurrency=concurrency, per_host=per_host, rate=rate)


def fill(schedule: Schedule[str], host: str, number: int, lane: Lane) -> None:
    for index in range(number):
        schedule.add(f"{host}{index}", host, lane)


def take_all(schedule: Schedule[str], now: float = 0.0) -> list[str]:
    taken = []
    while (entry := schedule.take(now)) is not None:
        taken.append(entry)
    return taken


def test_hosts_take_turns() -> None:
    """A host with many items does not make the others wait for its last one."""
    schedule, lane = make(), Lane()
    fill(schedule, "a", 4, lane)
    fill(schedule, "b", 2, lane)
    fill(schedule, "c", 1, lane)
    assert take_all(schedule) == ["a0", "b0", "c0", "a1", "b1", "a2", "a3"]


def test_turns_go_on_where_they_stopped() -> None:
    """A full machine does not send the turn back to the first host."""
    schedule, lane = make(concurrency=2), Lane()
    for host in "abc":
        fill(schedule, host, 3, lane)
    order = []
    for _ in range(4):
        for entry in (batch := take_all(schedule)):
            order.append(entry[0])
            assert len(batch) <= 2
            schedule.finish(entry[0], lane, NEUTRAL, started=0, now=0)
    assert "".join(order) == "abcabcab"


def test_lanes_of_one_host_take_turns() -> None:
    """One call does not wait for the ten thousand items of another."""
    schedule, lane, other = make(), Lane(), Lane()
    fill(schedule, "a", 3, lane)
    schedule.add("z0", "a", other)
    schedule.add("z1", "a", other)
    assert take_all(schedule) == ["a0", "z0", "a1", "z1", "a2"]


def test_concurrency_bounds_all_hosts_together() -> None:
    """The end of one attempt makes room for one."""
    schedule, lane = make(concurrency=3), Lane()
    for host in "abcde":
        fill(schedule, host, 1, lane)
    assert take_all(schedule) == ["a0", "b0", "c0"]
    schedule.finish("b", lane, NEUTRAL, started=0, now=1)
    assert take_all(schedule) == ["d0"]
    assert schedule.in_flight == lane.in_flight == 3
    assert lane.waiting == 1


@pytest.mark.parametrize(("per_host", "expected"), [(1, 1), (2, 2), (0, 5), (9, 5)])
def test_per_host_bounds_each_host(per_host: int, expected: int) -> None:
    """0 is no bound but that of all hosts together."""
    schedule, lane = make(concurrency=10, per_host=per_host), Lane()
    fill(schedule, "a", 5, lane)
    fill(schedule, "b", 5, lane)
    assert Counter(entry[0] for entry in take_all(schedule)) == {"a": expected, "b": expected}


def test_host_that_is_done_with_an_entry_may_be_asked_for_another() -> None:
    """The entry stays in flight in its lane until it has ended, and counts once."""
    schedule, lane = make(concurrency=2, per_host=1), Lane()
    fill(schedule, "a", 3, lane)
    assert take_all(schedule) == ["a0"]
    schedule.release("a", 1.0)
    assert take_all(schedule) == ["a1"]
    assert (schedule.in_flight, lane.in_flight) == (1, 2)
    schedule.finish("a", lane, NEUTRAL, started=0.0, now=2.0, is_released=True)
    assert take_all(schedule) == []
    schedule.finish("a", lane, NEUTRAL, started=0.0, now=2.0)
    assert take_all(schedule) == ["a2"]
    assert (schedule.in_flight, lane.in_flight) == (1, 1)


def test_full_host_lets_others_pass() -> None:
    """Items of a busy host wait in the window, not in the way."""
    schedule, lane = make(concurrency=10, per_host=2), Lane()
    fill(schedule, "a", 100, lane)
    assert len(take_all(schedule)) == 2
    fill(schedule, "b", 1, lane)
    assert take_all(schedule) == ["b0"]


def test_what_was_in_flight_together_halves_the_window_once() -> None:
    """Sixteen times 503 in one moment say one thing."""
    schedule, lane = make(per_host=16), Lane()
    fill(schedule, "a", 16, lane)
    take_all(schedule, now=10.0)
    for _ in range(16):
        schedule.finish("a", lane, SLOW_DOWN, started=10.0, now=11.0)
    assert schedule.window("a") == 8


def test_each_later_batch_halves_it_again_down_to_one() -> None:
    """One attempt is always left, or nobody would learn that the host is well again."""
    schedule, lane = make(per_host=16), Lane()
    windows = []
    for moment in range(6):
        fill(schedule, "a", 16, lane)
        taken = take_all(schedule, now=moment)
        windows.append(len(taken))
        for _ in taken:
            schedule.finish("a", lane, SLOW_DOWN, started=moment, now=moment + 0.5)
    assert windows == [16, 8, 4, 2, 1, 1]


def test_window_grows_by_one_for_each_full_window_that_succeeds() -> None:
    """Slowly up, never over the limit."""
    schedule, lane = make(per_host=4), Lane()
    fill(schedule, "a", 100, lane)
    for _ in take_all(schedule, now=0.0):
        schedule.finish("a", lane, SLOW_DOWN, started=0.0, now=0.5)
    sizes = []
    for moment in range(1, 12):
        taken = take_all(schedule, now=moment)
        sizes.append(len(taken))
        for _ in taken:
            schedule.finish("a", lane, WELL, started=moment, now=moment + 0.5)
    assert sizes == sorted(sizes)
    assert all(after - before <= 1 for before, after in pairwise(sizes))
    assert sizes[0] == 2
    assert sizes[-1] == 4


def test_neutral_end_changes_no_window() -> None:
    """A 404 says nothing about how much a host can bear."""
    schedule, lane = make(per_host=8), Lane()
    fill(schedule, "a", 2, lane)
    take_all(schedule)
    schedule.finish("a", lane, SLOW_DOWN, started=0.0, now=1.0)
    schedule.finish("a", lane, NEUTRAL, started=2.0, now=3.0)
    assert schedule.window("a") == 4


def test_slow_host_slows_itself_only() -> None:
    """The window of another host stays as it was."""
    schedule, lane = make(per_host=8), Lane()
    fill(schedule, "a", 1, lane)
    take_all(schedule)
    schedule.finish("a", lane, SLOW_DOWN, started=0.0, now=1.0)
    assert (schedule.window("a"), schedule.window("b")) == (4, 8)


def test_want_of_resources_shrinks_the_whole_and_success_restores_it() -> None:
    """Too many open files are the machine's own limit, not a host's."""
    schedule, lane = make(concurrency=8), Lane()
    for host in "abcdefgh":
        fill(schedule, host, 20, lane)
    taken = take_all(schedule)
    for entry in taken:
        schedule.finish(entry[0], lane, Feedback.OUT_OF_RESOURCES, started=0.0, now=1.0)
    taken = take_all(schedule, now=2.0)
    assert len(taken) == 4
    assert schedule.window("a") == 8
    for moment in range(3, 13):
        for entry in taken:
            schedule.finish(entry[0], lane, WELL, started=moment - 0.5, now=moment)
        taken = take_all(schedule, now=moment)
    assert len(taken) == 8


def test_paused_host_waits_and_others_go_on() -> None:
    """Retry-After holds for the whole host, and `wake_at` knows when it ends."""
    schedule, lane = make(), Lane()
    fill(schedule, "a", 2, lane)
    fill(schedule, "b", 1, lane)
    schedule.pause("a", until=30.0)
    assert take_all(schedule, now=0.0) == ["b0"]
    assert schedule.wake_at() == 30.0
    assert take_all(schedule, now=29.9) == []
    assert take_all(schedule, now=30.0) == ["a0", "a1"]
    assert schedule.wake_at() is None


def test_shorter_pause_does_not_end_a_longer_one() -> None:
    """The longest wish counts; a longer one while it lasts prolongs it."""
    schedule, lane = make(), Lane()
    fill(schedule, "a", 1, lane)
    schedule.pause("a", until=30.0)
    schedule.pause("a", until=10.0)
    assert schedule.take(20.0) is None
    schedule.pause("a", until=50.0)
    assert schedule.take(30.0) is None
    assert schedule.wake_at() == 50.0
    assert schedule.take(50.0) == "a0"


def test_rate_spaces_the_starts_of_each_host() -> None:
    """Two a second: half a second between starts at one host, whatever the others do."""
    schedule, lane = make(rate=2.0), Lane()
    fill(schedule, "a", 4, lane)
    fill(schedule, "b", 1, lane)
    assert take_all(schedule, now=100.0) == ["a0", "b0"]
    starts = []
    while (wake_at := schedule.wake_at()) is not None:
        starts += [(wake_at, entry) for entry in take_all(schedule, now=wake_at)]
    assert starts == [(100.5, "a1"), (101.0, "a2"), (101.5, "a3")]


def test_rate_earns_nothing_by_waiting() -> None:
    """An hour without requests does not let two go at once."""
    schedule, lane = make(rate=2.0), Lane()
    fill(schedule, "a", 1, lane)
    assert take_all(schedule, now=0.0) == ["a0"]
    schedule.finish("a", lane, WELL, started=0.0, now=0.1)
    fill(schedule, "a", 3, lane)
    assert len(take_all(schedule, now=3600.0)) == 1
    assert schedule.wake_at() == 3600.5


def test_host_that_finished_within_its_interval_is_remembered() -> None:
    """Its next item comes late enough, too."""
    schedule, lane = make(rate=2.0), Lane()
    schedule.add("x", "a", lane)
    assert schedule.take(0.0) == "x"
    schedule.finish("a", lane, WELL, started=0.0, now=0.1)
    schedule.add("y", "a", lane)
    assert schedule.take(0.1) is None
    assert schedule.wake_at() == 0.5
    assert schedule.take(0.5) == "y"


def test_delayed_entry_starts_when_it_is_due_and_before_the_others() -> None:
    """A retry waits for its backoff; an item that began is finished before a new one begins."""
    schedule, lane = make(), Lane()
    schedule.add("late", "a", lane, not_before=5.0)
    assert (lane.waiting, schedule.take(4.9), schedule.wake_at()) == (1, None, 5.0)
    fill(schedule, "a", 2, lane)
    assert take_all(schedule, now=5.0) == ["late", "a0", "a1"]
    assert (lane.waiting, schedule.wake_at()) == (0, None)


def test_first_entry_goes_to_the_front() -> None:
    """A redirected item goes on before a new one begins."""
    schedule, lane = make(), Lane()
    fill(schedule, "a", 2, lane)
    schedule.add("hop", "a", lane, first=True)
    assert take_all(schedule) == ["hop", "a0", "a1"]


def test_closed_lane_keeps_its_entries_back() -> None:
    """A slow reader stops its own list, not another one at the same hosts."""
    schedule, slow, fast = make(), Lane(), Lane()
    fill(schedule, "a", 2, slow)
    schedule.close(slow)
    assert take_all(schedule) == []
    schedule.add("x", "a", fast)
    schedule.add("y", "a", slow, not_before=1.0)
    assert take_all(schedule, now=2.0) == ["x"]
    assert schedule.lanes() == {slow}
    schedule.open(slow)
    assert take_all(schedule, now=2.0) == ["y", "a0", "a1"]


def test_dropped_lane_gives_back_all_that_waits() -> None:
    """Delayed ones, too; other lanes keep theirs."""
    schedule, gone, stays = make(), Lane(), Lane()
    fill(schedule, "a", 2, gone)
    schedule.add("b0", "b", gone, not_before=9.0)
    schedule.add("c0", "a", stays)
    schedule.add("d0", "b", stays, not_before=8.0)
    assert schedule.lanes() == {gone, stays}
    assert sorted(schedule.drop(gone)) == ["a0", "a1", "b0"]
    assert (gone.waiting, schedule.lanes(), schedule.wake_at()) == (0, {stays}, 8.0)
    assert schedule.drop(gone) == []
    assert take_all(schedule, now=9.0) == ["c0", "d0"]


def test_lane_may_be_dropped_while_its_attempts_run() -> None:
    """They end and are counted as ever."""
    schedule, lane = make(), Lane()
    fill(schedule, "a", 3, lane)
    assert schedule.take(0.0) == "a0"
    assert schedule.drop(lane) == ["a1", "a2"]
    schedule.finish("a", lane, WELL, started=0.0, now=1.0)
    assert (schedule.in_flight, lane.in_flight) == (0, 0)


def hosts_known(schedule: Schedule[str]) -> int:
    return len(schedule._hosts)


def test_host_that_is_done_is_forgotten() -> None:
    """A list of a million hosts costs what those in flight cost."""
    schedule, lane = make(), Lane()
    for number in range(1000):
        schedule.add("x", f"h{number}", lane)
        assert schedule.take(0.0) == "x"
        schedule.finish(f"h{number}", lane, WELL, started=0.0, now=1.0)
    assert hosts_known(schedule) == 0


def test_host_of_a_dropped_lane_is_forgotten() -> None:
    """Cancelled lists leave nothing behind in a downloader that lives long."""
    schedule = make()
    for number in range(1000):
        lane = Lane()
        schedule.add("x", f"h{number}", lane)
        schedule.drop(lane)
        assert schedule.take(0.0) is None
    assert hosts_known(schedule) == 0


def test_memory_of_angry_hosts_is_bounded_and_keeps_the_latest() -> None:
    """However many hosts were angry before: the pause of the one that is angry now holds."""
    schedule, lane = make(), Lane()
    for number in range(12_000):
        host = f"h{number}"
        schedule.add("x", host, lane)
        assert schedule.take(0.0) == "x"
        schedule.pause(host, until=100.0)
        schedule.finish(host, lane, SLOW_DOWN, started=0.0, now=1.0)
    assert hosts_known(schedule) <= 10_000
    schedule.add("again", "h11999", lane)
    assert schedule.take(50.0) is None
    assert schedule.window("h11999") == 32


def test_pausing_idle_hosts_is_bounded_too() -> None:
    """A pause may be told when nothing is in flight."""
    schedule = make()
    for number in range(12_000):
        schedule.pause(f"h{number}", until=100.0)
    assert hosts_known(schedule) <= 10_000


def test_repr_tells_the_state() -> None:
    """For whoever asks why nothing goes on."""
    schedule, lane = make(), Lane()
    fill(schedule, "a", 3, lane)
    schedule.add("x", "a", lane, not_before=1.0)
    schedule.take(0.0)
    assert repr(schedule) == "Schedule(1 in flight, 2 waiting, 1 delayed)"


class ScheduleMachine(RuleBasedStateMachine):
    """Adds, takes, ends, pauses, closes and drops in any order, and compares with the plain truth."""

    @initialize(
        concurrency=st.integers(1, 6), per_host=st.integers(0, 4), rate=st.none() | st.sampled_from([0.5, 1.0, 8.0])
    )
    def start(self, concurrency: int, per_host: int, rate: float | None) -> None:
        """Make a schedule and three lanes."""
        self.concurrency = concurrency
        self.per_host = per_host or concurrency
        self.rate = rate
        self.schedule: Schedule[int] = Schedule(concurrency=concurrency, per_host=per_host, rate=rate)
        self.lanes = [Lane() for _ in range(3)]
        self.now = 0.0
        self.number = 0
        self.waiting: dict[int, tuple[str, Lane, float, bool]] = {}
        self.running: dict[int, tuple[str, Lane, float]] = {}
        self.paused: dict[str, float] = defaultdict(lambda: -math.inf)
        self.starts: dict[str, list[float]] = defaultdict(list)
        self.held: set[str] = set()
        self.is_short_of_resources = False

    @rule(
        host=st.sampled_from("abcd"),
        lane=st.integers(0, 2),
        delay=st.none() | st.integers(-1, 5),
        first=st.booleans(),
        number=st.integers(1, 5),
    )
    def add(self, host: str, lane: int, delay: int | None, first: bool, number: int) -> None:
        """Some entries for one host."""
        for _ in range(number):
            self.number += 1
            not_before = None if delay is None else self.now + delay
            has_begun = first or delay is not None
            earliest = -math.inf if not_before is None else not_before
            self.waiting[self.number] = (host, self.lanes[lane], earliest, has_begun)
            self.schedule.add(self.number, host, self.lanes[lane], not_before=not_before, first=first)

    def is_quiet(self, host: str) -> bool:
        """Say whether nothing that has begun at a host is yet to come, as far as its lanes are open."""
        return not any(name == host for name, _, _ in self.running.values()) and not any(
            name == host and has_begun and (lane.is_open or not_before > self.now)
            for name, lane, not_before, has_begun in self.waiting.values()
        )

    def forget_holds(self) -> None:
        """A host that has nothing left is held no more."""
        busy = {row[0] for row in (*self.waiting.values(), *self.running.values())}
        self.held &= busy

    def may_start(self, host: str, lane: Lane, not_before: float, has_begun: bool) -> bool:
        """Say whether nothing stands against an entry."""
        if host in self.held and not has_begun and not self.is_quiet(host):
            return False
        in_flight = Counter(name for name, _, _ in self.running.values())
        starts = self.starts[host]
        is_early = bool(self.rate and starts and self.now < starts[-1] + 1 / self.rate)
        return (
            lane.is_open
            and not_before <= self.now
            and self.paused[host] <= self.now
            and in_flight[host] < self.schedule.window(host)
            and len(self.running) < self.concurrency
            and not is_early
            and not self.is_short_of_resources
        )

    @rule()
    def take(self) -> None:
        """An entry that comes may start; none comes only if none may."""
        entry = self.schedule.take(self.now)
        if entry is None:
            assert not [row for row in self.waiting.values() if self.may_start(*row)]
            wake_at = self.schedule.wake_at()
            assert wake_at is None or wake_at > self.now
            return
        host, lane, not_before, has_begun = self.waiting[entry]
        assert host not in self.held or has_begun or self.is_quiet(host)
        del self.waiting[entry]
        assert lane.is_open
        assert not_before <= self.now
        assert self.paused[host] <= self.now
        self.running[entry] = (host, lane, self.now)
        self.starts[host].append(self.now)

    @precondition(lambda self: self.running)
    @rule(index=st.integers(0), feedback=st.sampled_from(Feedback))
    def finish(self, index: int, feedback: Feedback) -> None:
        """Some attempt ends in some way."""
        entry = list(self.running)[index % len(self.running)]
        host, lane, started = self.running.pop(entry)
        self.is_short_of_resources |= feedback is Feedback.OUT_OF_RESOURCES
        self.schedule.finish(host, lane, feedback, started=started, now=self.now)
        self.forget_holds()

    @rule(host=st.sampled_from("abcd"))
    def hold(self, host: str) -> None:
        """A host is in doubt."""
        self.held.add(host)
        self.forget_holds()
        self.schedule.hold(host)

    @rule(host=st.sampled_from("abcd"))
    def let_go(self, host: str) -> None:
        """It is in doubt no more."""
        self.held.discard(host)
        self.schedule.let_go(host)

    @rule(host=st.sampled_from("abcd"))
    def drop_host(self, host: str) -> None:
        """It is given up."""
        theirs = {entry for entry, row in self.waiting.items() if row[0] == host}
        assert sorted(self.schedule.drop_host(host)) == sorted(theirs)
        for entry in theirs:
            del self.waiting[entry]
        self.forget_holds()

    @rule(seconds=st.sampled_from([0.125, 1.0, 3.0]))
    def pass_time(self, seconds: float) -> None:
        """The clock goes on."""
        self.now += seconds

    @rule(host=st.sampled_from("abcd"), seconds=st.integers(-1, 6))
    def pause(self, host: str, seconds: int) -> None:
        """A host wants to be left alone."""
        self.paused[host] = max(self.paused[host], self.now + seconds)
        self.schedule.pause(host, self.now + seconds)

    @rule(index=st.integers(0, 2))
    def close(self, index: int) -> None:
        """A reader is slow."""
        self.schedule.close(self.lanes[index])

    @rule(index=st.integers(0, 2))
    def open(self, index: int) -> None:
        """A reader goes on."""
        self.schedule.open(self.lanes[index])

    @rule(index=st.integers(0, 2))
    def drop(self, index: int) -> None:
        """A list is given up."""
        lane = self.lanes[index]
        ours = {entry for entry, row in self.waiting.items() if row[1] is lane}
        dropped = self.schedule.drop(lane)
        assert sorted(dropped) == sorted(ours)
        for entry in ours:
            del self.waiting[entry]
        self.forget_holds()

    @invariant()
    def limits_hold(self) -> None:
        """Never more in flight than allowed, and never more starts than the rate allows."""
        assert self.schedule.in_flight == len(self.running) <= self.concurrency
        in_flight = Counter(host for host, _, _ in self.running.values())
        assert all(number <= self.per_host for number in in_flight.values())
        assert all(1 <= self.schedule.window(host) <= self.per_host for host in "abcd")
        if self.rate:
            for starts in self.starts.values():
                assert all(len(starts) - index <= (starts[-1] - t) * self.rate + 2 for index, t in enumerate(starts))

    @invariant()
    def lanes_are_counted(self) -> None:
        """Each lane knows what waits and what runs."""
        for lane in self.lanes:
            assert lane.waiting == sum(row[1] is lane for row in self.waiting.values())
            assert lane.in_flight == sum(row[1] is lane for row in self.running.values())
        assert self.schedule.lanes() == {row[1] for row in self.waiting.values()}

    @invariant()
    def pauses_are_told(self) -> None:
        """Of each host that is paused, how many wait for it."""
        waiting = Counter(row[0] for row in self.waiting.values())
        told = {pause.host: (pause.until, pause.waiting) for pause in self.schedule.pauses(self.now)}
        assert told == {
            host: (until, waiting[host]) for host, until in self.paused.items() if until > self.now and waiting[host]
        }

    def teardown(self) -> None:
        """Let everything go on: all that waits is started, by waking up only when told to."""
        if not hasattr(self, "lanes"):
            return
        for lane in self.lanes:
            self.schedule.open(lane)
        while self.waiting or self.running:
            while self.running:
                self.finish(0, WELL)
            before = len(self.waiting)
            self.take()
            if len(self.waiting) == before and self.waiting:
                wake_at = self.schedule.wake_at()
                assert wake_at is not None, "nothing will ever start"
                self.now = wake_at
        assert self.schedule.take(math.inf) is None
        assert self.schedule.in_flight == 0


TestSchedule = pytest.mark.slow(ScheduleMachine.TestCase)


def test_refusals_in_a_row_are_counted_once_for_each_batch_until_one_goes_well() -> None:
    """How long a host is left alone depends on how often it refused in turn, not on how much it had at once."""
    schedule: Schedule[int] = Schedule(concurrency=8, per_host=0, rate=None)
    lane = Lane()
    for entry in range(8):
        schedule.add(entry, "a", lane)
    for _ in range(3):
        schedule.take(0.0)
    for _ in range(2):
        schedule.finish("a", lane, Feedback.REFUSED, started=0.0, now=1.0)
    assert schedule.setbacks("a") == 1
    schedule.take(2.0)
    schedule.finish("a", lane, Feedback.REFUSED, started=2.0, now=3.0)
    assert schedule.setbacks("a") == 2
    schedule.finish("a", lane, Feedback.WELL, started=0.0, now=4.0)
    assert (schedule.setbacks("a"), schedule.setbacks("never seen")) == (0, 0)


def test_held_host_ends_what_has_begun_and_begins_one_at_a_time() -> None:
    """So that a host in doubt is asked by few items, and a host that is given up by one."""
    schedule, lane = make(), Lane()
    schedule.hold("a")
    fill(schedule, "a", 4, lane)
    schedule.hold("a")
    schedule.add("again", "a", lane, first=True)
    schedule.add("later", "a", lane, not_before=5.0)
    assert not schedule.is_quiet("a")
    assert take_all(schedule, now=0.0) == ["again"]
    schedule.finish("a", lane, NEUTRAL, started=0.0, now=1.0)
    assert take_all(schedule, now=1.0) == []
    assert take_all(schedule, now=5.0) == ["later"]
    schedule.finish("a", lane, NEUTRAL, started=5.0, now=6.0)
    assert schedule.is_quiet("a")
    assert take_all(schedule, now=6.0) == ["a0"]
    schedule.let_go("a")
    assert take_all(schedule, now=6.0) == ["a1", "a2", "a3"]


def test_held_host_waits_for_no_lane_that_is_closed() -> None:
    """What has begun in the list of a reader who reads no more may never come."""
    schedule, lane, slow = make(), Lane(), Lane()
    schedule.add("slow", "a", slow, first=True)
    fill(schedule, "a", 1, lane)
    schedule.hold("a")
    schedule.close(slow)
    assert take_all(schedule) == ["a0"]
    schedule.finish("a", lane, NEUTRAL, started=0.0, now=1.0)
    schedule.open(slow)
    assert take_all(schedule, now=1.0) == ["slow"]


def test_holding_leaves_nothing_behind() -> None:
    """A host of which nothing is left is forgotten, held or not."""
    schedule, lane = make(), Lane()
    fill(schedule, "a", 1, lane)
    schedule.hold("a")
    assert schedule.drop_host("a") == ["a0"]
    schedule.hold("a")
    assert hosts_known(schedule) == 0
    assert (schedule.drop_host("a"), lane.waiting, schedule.is_quiet("a")) == ([], 0, True)


def test_what_is_waited_for_is_told() -> None:
    """Paused hosts with items, with the reason; and where another attempt comes first."""
    schedule, lane = make(), Lane()
    fill(schedule, "a", 2, lane)
    schedule.pause("a", 9.0, "it wants it so")
    schedule.pause("a", 5.0, "less")
    schedule.pause("b", 9.0, "nothing waits for it")
    assert schedule.next_delayed() is None
    schedule.add("x", "c", lane, not_before=4.0)
    schedule.add("y", "d", lane, not_before=3.0)
    assert schedule.pauses(1.0) == [Pause("a", 9.0, "it wants it so", 2)]
    assert schedule.pauses(9.0) == []
    assert schedule.next_delayed() == Pause("d", 3.0, "another attempt", 2)
