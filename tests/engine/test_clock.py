"""The clock: telling the time, waiting, moving it, and knowing when all that became due is done."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

import freezegun
import pytest

from mockvod.engine.clock import (
    LATEST,
    MOVE_SECONDS,
    PASS_SECONDS,
    Clock,
    Deadline,
    Move,
    Waiter,
    Waiting,
    _unpatched,
    real_time,
)
from mockvod.engine.lifetime import LifeEnded

HOUR = 3600.0
GRACE = 0.01


class System:
    """Replaces the system's clocks: a test sets how much real time has passed."""

    def __init__(self) -> None:
        self.passed = 0.0

    def time(self) -> float:
        return 1_700_000_000.0 + self.passed

    def monotonic(self) -> float:
        return 500.0 + self.passed


class Record:
    """What happened at which second, counted from the clock's moment when the record began."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._begin = clock.now()
        self.entries: list[tuple[float, str]] = []

    def note(self, what: str) -> None:
        self.entries.append((self._clock.now() - self._begin, what))

    def due(self, after: float, what: str = "due") -> None:
        """Note *what* once *after* seconds have passed."""
        self._clock.at(self._begin + after, lambda: self.note(what), what)


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> System:
    system = System()
    monkeypatch.setattr("mockvod.engine.clock._System", system)
    return system


@pytest.fixture
def clock() -> Clock:
    return Clock(grace=lambda: GRACE)


@pytest.fixture
async def frozen(clock: Clock) -> Clock:
    await clock.freeze()
    return clock


@pytest.fixture
def record(frozen: Clock) -> Record:
    return Record(frozen)


def idle(clock: Clock) -> bool:
    return clock._busy == 0 and not clock._calls


async def begun(clock: Clock, work: Awaitable[None]) -> asyncio.Task[None]:
    """A task that does *work* as something that the clock waits for; it has come to its first wait."""

    async def run() -> None:
        with clock.busy():
            await work

    task = asyncio.create_task(run())
    await clock.settle()
    return task


async def all_turns_taken() -> None:
    """Let every task that can run do so."""
    for _ in range(20):
        await asyncio.sleep(0)


# Telling the time


def test_it_runs_with_the_system(system: System) -> None:
    clock = Clock()
    assert clock.rate == 1
    assert clock.epoch() == system.time()
    system.passed = 2.5
    assert clock.epoch() == system.time()


async def test_a_frozen_clock_does_not_run(system: System) -> None:
    clock = Clock()
    await clock.freeze()
    system.passed = HOUR
    assert clock.rate == 0
    assert clock.epoch() == system.time() - HOUR


async def test_it_runs_at_its_rate(system: System) -> None:
    clock = Clock()
    begin = clock.now()
    system.passed = 10
    await clock.scale(60)
    system.passed = 12
    assert clock.now() == begin + 10 + 2 * 60
    await clock.scale(0.5)
    system.passed = 14
    assert clock.now() == begin + 10 + 2 * 60 + 1


async def test_a_running_clock_runs_on_after_it_was_advanced(system: System) -> None:
    clock = Clock()
    begin = clock.now()
    await clock.advance(HOUR)
    system.passed = 3
    assert clock.rate == 1
    assert clock.now() == begin + HOUR + 3


async def test_setting_it_forward_fires_what_is_due(frozen: Clock, record: Record) -> None:
    record.due(10)
    shown = frozen.epoch()
    await frozen.set(shown + 20)
    assert record.entries == [(10, "due")]
    assert frozen.epoch() == shown + 20


async def test_setting_it_back_shows_the_past_and_timers_keep_their_seconds(frozen: Clock, record: Record) -> None:
    record.due(10)
    shown, moment = frozen.epoch(), frozen.now()
    await frozen.set(shown - HOUR)
    assert frozen.epoch() == shown - HOUR
    assert frozen.now() == moment
    await frozen.advance(9.75)
    assert record.entries == []
    await frozen.advance(0.25)
    assert record.entries == [(10, "due")]


async def test_of_two_concurrent_sets_the_second_wins(frozen: Clock) -> None:
    shown = frozen.epoch()
    await asyncio.gather(frozen.set(shown + 100), frozen.set(shown + 150))
    assert frozen.epoch() == shown + 150


async def test_a_running_clock_keeps_running_after_a_set(system: System) -> None:
    clock = Clock()
    await clock.set(2_000_000_000)
    system.passed = 1
    assert clock.epoch() == 2_000_000_001


@pytest.mark.parametrize("days", [4, -4])
async def test_a_release_shows_the_systems_time_and_timers_keep_their_seconds(system: System, days: int) -> None:
    clock = Clock()
    await clock.freeze()
    await clock.set(clock.epoch() + days * 86400)
    moment = clock.now() + 10
    clock.at(moment, lambda: None, "a lease ends")
    system.passed = 100
    await clock.release()
    assert clock.rate == 1
    assert clock.epoch() == system.time()
    assert moment - clock.now() == 10
    assert clock.epoch(moment) == system.time() + 10


async def test_now_never_goes_back(system: System) -> None:
    clock = Clock()
    moments = [clock.now()]
    for move in (
        clock.advance(5),
        clock.advance(0),
        clock.set(5),
        clock.freeze(),
        clock.set(2_000_000_000),
        clock.release(),
        clock.scale(9),
        clock.set(7),
        clock.release(),
    ):
        await move
        moments.append(clock.now())
        system.passed += 1
        moments.append(clock.now())
    assert moments == sorted(moments)


async def test_it_does_not_advance_backwards(frozen: Clock) -> None:
    with pytest.raises(ValueError, match=r"not by -1"):
        await frozen.advance(-1)


async def test_pending_timers_are_listed_the_next_first(frozen: Clock) -> None:
    now = frozen.now()
    frozen.at(now + 2, lambda: None, "later")
    frozen.at(now + 1, lambda: None, "sooner")
    frozen.at(now + 1.5, lambda: None, "never").cancel()
    assert frozen.waiting() == [Waiting("sooner", now + 1), Waiting("later", now + 2)]
    assert frozen.waiting(1) == [Waiting("sooner", now + 1)]
    assert frozen.pending == 2


# Time that an application's test freezes


def test_freezegun_does_not_stop_it(clock: Clock) -> None:
    with freezegun.freeze_time("2024-02-29"):
        began = clock.now()
        assert any(clock.now() > began for _ in range(1_000_000))
        assert real_time() > 1_750_000_000
        assert Clock().epoch() > 1_750_000_000


@pytest.mark.parametrize("name", ["time", "monotonic"])
def test_the_real_time_is_found_although_freezegun_has_replaced_it_already(name: str) -> None:
    real = getattr(time, name)
    with freezegun.freeze_time("2024-02-29"):
        assert getattr(time, name) is not real
        assert _unpatched(name) is real


# Due moments


async def test_advancing_passes_through_every_due_moment_in_its_order(frozen: Clock, record: Record) -> None:
    for after in (3, 1, 2, 5.25):
        record.due(after)
    await frozen.advance(5)
    assert record.entries == [(1, "due"), (2, "due"), (3, "due")]
    record.note("arrived")
    assert record.entries[-1] == (5, "arrived")


async def test_the_last_moment_of_an_advance_belongs_to_it(frozen: Clock, record: Record) -> None:
    record.due(5)
    await frozen.advance(5)
    assert record.entries == [(5, "due")]


async def test_timers_due_at_the_same_moment_fire_in_the_order_in_which_they_were_set(
    frozen: Clock, record: Record
) -> None:
    for name in "abc":
        record.due(1, name)
    await frozen.advance(1)
    assert record.entries == [(1, "a"), (1, "b"), (1, "c")]


async def test_timers_set_during_an_advance_fire_in_it(frozen: Clock, record: Record) -> None:
    def again() -> None:
        record.note("again")
        frozen.at(frozen.now() + 10, again, "again")

    frozen.at(frozen.now() + 10, again, "again")
    record.due(25)
    await frozen.advance(35)
    assert record.entries == [(10, "again"), (20, "again"), (25, "due"), (30, "again")]


async def test_a_timer_that_is_due_at_once_fires_on_a_frozen_clock(frozen: Clock, record: Record) -> None:
    record.due(0)
    assert record.entries == []
    await all_turns_taken()
    assert record.entries == [(0, "due")]


async def test_a_settled_clock_has_no_timer_that_is_due(frozen: Clock, record: Record) -> None:
    frozen.at(frozen.now(), lambda: record.due(0, "and then"), "at once")
    await frozen.settle()
    assert record.entries == [(0, "and then")]


async def test_a_cancelled_timer_does_not_fire(frozen: Clock, record: Record) -> None:
    timer = frozen.at(frozen.now() + 1, lambda: record.note("cancelled"), "cancelled")
    timer.cancel()
    timer.cancel()
    record.due(1)
    await frozen.advance(2)
    timer.cancel()
    assert record.entries == [(1, "due")]


async def test_the_first_of_a_moment_can_cancel_the_second(frozen: Clock, record: Record) -> None:
    def cancel_second() -> None:
        second.cancel()

    frozen.at(frozen.now() + 1, cancel_second, "the first")
    second = frozen.at(frozen.now() + 1, lambda: record.note("the second"), "the second")
    await frozen.advance(2)
    assert record.entries == []


async def test_cancelled_timers_do_not_pile_up(frozen: Clock, record: Record) -> None:
    record.due(2000)
    for second in range(1000):
        frozen.at(frozen.now() + second + 1, lambda: record.note("cancelled"), "cancelled").cancel()
    assert len(frozen._timers) < 100
    await frozen.advance(2000)
    assert record.entries == [(2000, "due")]
    assert frozen._cancelled == len(frozen._timers) == 0


async def test_a_timer_that_fails_is_reported_and_does_not_stop_the_others(
    frozen: Clock, record: Record, caplog: pytest.LogCaptureFixture
) -> None:
    problem = KeyError("missing")
    reported: list[tuple[str, Exception]] = []
    frozen._on_error = lambda what, error: reported.append((what, error))

    def fail() -> None:
        raise problem

    frozen.at(frozen.now() + 1, fail, "an attempt")
    record.due(1)
    with caplog.at_level(logging.ERROR, "mockvod.clock"):
        await frozen.advance(1)
    assert record.entries == [(1, "due")]
    assert reported == [("an attempt", problem)]
    assert caplog.messages == ["a timer failed: an attempt"]
    assert "KeyError" in caplog.text


async def test_a_thousand_due_moments_are_passed_in_one_advance(frozen: Clock, record: Record) -> None:
    for number in range(1000):
        record.due((number * 7919) % 1000 + 1)
    await frozen.advance(1000)
    assert [after for after, _ in record.entries] == list(range(1, 1001))


# With the system


async def rings(clock: Clock, seconds: float) -> None:
    """Return once a timer *seconds* ahead has gone off."""
    rung = asyncio.Event()
    clock.at(clock.now() + seconds, rung.set, "the test")
    async with asyncio.timeout(5):
        await rung.wait()


async def test_a_running_clock_wakes_up_by_itself(clock: Clock) -> None:
    due = clock.now() + 0.01
    await rings(clock, 0.01)
    assert clock.now() >= due


async def test_an_earlier_timer_fires_before_one_that_was_set_first(clock: Clock) -> None:
    late = clock.at(clock.now() + HOUR, lambda: None, "in an hour")
    await rings(clock, 0.01)
    assert not late.cancelled
    late.cancel()


async def test_it_wakes_up_again_after_a_timer_that_was_cancelled(clock: Clock) -> None:
    clock.at(clock.now() + 0.005, lambda: None, "cancelled").cancel()
    await rings(clock, 0.01)


async def test_an_hour_of_a_fast_clock_is_soon_over(clock: Clock) -> None:
    await clock.scale(HOUR * 1000)
    await rings(clock, HOUR)


async def test_a_timer_set_while_the_clock_was_frozen_goes_off_once_it_runs(frozen: Clock) -> None:
    rung = asyncio.Event()
    frozen.at(frozen.now() + 0.01, rung.set, "the test")
    await frozen.release()
    async with asyncio.timeout(5):
        await rung.wait()


# Waiting


async def test_a_waiter_continues_at_its_moment(frozen: Clock, record: Record) -> None:
    async def work() -> None:
        await frozen.sleep_until(frozen.now() + 10, "the test")
        record.note("went on")

    task = await begun(frozen, work())
    assert frozen.waiting() == [Waiting("the test", frozen.now() + 10)]
    await frozen.advance(30)
    assert task.done()
    assert record.entries == [(10, "went on")]
    assert idle(frozen)


async def test_an_advance_ends_when_the_woken_waiter_waits_again(frozen: Clock, record: Record) -> None:
    async def work() -> None:
        while True:
            await frozen.sleep_until(frozen.now() + 10, "the test")
            for _ in range(5):  # work that takes several turns of the loop
                await asyncio.sleep(0)
            record.note("worked")

    task = await begun(frozen, work())
    await frozen.advance(35)
    assert record.entries == [(10, "worked"), (20, "worked"), (30, "worked")]
    assert frozen.waiting() == [Waiting("the test", frozen.now() + 5)]
    task.cancel()
    await asyncio.wait([task])
    assert idle(frozen)


async def test_a_clock_does_not_move_during_busy_work(frozen: Clock, record: Record) -> None:
    done = asyncio.Event()

    async def work() -> None:
        await frozen.sleep_until(frozen.now() + 10, "the test")
        await done.wait()
        record.note("worked")

    task = await begun(frozen, work())
    record.due(11)
    advance = asyncio.create_task(frozen.advance(30))
    await all_turns_taken()
    assert record.entries == []
    done.set()
    await advance
    await task
    assert record.entries == [(10, "worked"), (11, "due")]


async def test_work_under_way_is_done_before_the_clock_moves(frozen: Clock, record: Record) -> None:
    done = asyncio.Event()

    async def work() -> None:
        await done.wait()
        record.note("worked")

    frozen.begin_work()  # as one who begins a task and wants it waited for from now on
    task = asyncio.create_task(work())
    task.add_done_callback(lambda _: frozen.end_work())
    advance = asyncio.create_task(frozen.advance(30))
    await all_turns_taken()
    done.set()
    await advance
    assert record.entries == [(0, "worked")]


async def test_a_waiter_woken_before_its_moment_returns_true(frozen: Clock) -> None:
    waiter = frozen.waiter("the test")
    woken: list[bool] = []
    await begun(frozen, collect(woken, waiter, frozen.now() + 10))
    waiter.wake()
    waiter.wake()
    await frozen.settle()
    assert woken == [True]
    assert frozen.waiting() == []
    assert idle(frozen)


async def test_a_waiter_that_was_not_woken_returns_false(frozen: Clock) -> None:
    waiter = frozen.waiter("the test")
    woken: list[bool] = []
    await begun(frozen, collect(woken, waiter, frozen.now() + 10))
    await frozen.advance(10)
    assert woken == [False]


async def test_a_waiter_woken_before_it_waits_returns_at_once(frozen: Clock) -> None:
    waiter = frozen.waiter("the test")
    waiter.wake()
    woken: list[bool] = []
    await begun(frozen, collect(woken, waiter, frozen.now() + 10))
    assert woken == [True]
    assert idle(frozen)


async def collect(woken: list[bool], waiter: Waiter, until: float) -> None:
    woken.append(await waiter.wait(until))


def cancel(task: asyncio.Task[None], waiter: Waiter | None = None) -> None:
    task.cancel()


def wake_then_cancel(task: asyncio.Task[None], waiter: Waiter) -> None:
    waiter.wake()
    task.cancel()


def cancel_then_wake(task: asyncio.Task[None], waiter: Waiter) -> None:
    task.cancel()
    waiter.wake()


@pytest.mark.parametrize("end", [cancel, wake_then_cancel, cancel_then_wake])
async def test_a_waiter_that_is_cancelled_leaves_nothing_behind(
    frozen: Clock, end: Callable[[asyncio.Task[None], Waiter], None]
) -> None:
    waiter = frozen.waiter("the test")
    task = await begun(frozen, collect([], waiter, frozen.now() + 10))
    end(task, waiter)
    await asyncio.wait([task])
    assert task.cancelled()
    assert idle(frozen)
    assert frozen.waiting() == []
    await frozen.advance(20)


async def test_a_waiter_cancelled_at_its_very_moment_leaves_nothing_behind(frozen: Clock) -> None:
    task = await begun(frozen, collect([], frozen.waiter("the test"), frozen.now() + 10))
    frozen.at(frozen.now() + 10, lambda: cancel(task), "cancels right after the moment")
    await frozen.advance(20)
    assert task.cancelled()
    assert idle(frozen)


# Advances that meet, and one that breaks off


async def test_two_advances_at_once_come_one_after_the_other(frozen: Clock, record: Record) -> None:
    async def advance(name: str, seconds: float) -> None:
        await frozen.advance(seconds)
        record.note(name)

    for after in (5, 10, 15):
        record.due(after)
    await asyncio.gather(advance("first", 8), advance("second", 8))
    assert record.entries == [(5, "due"), (8, "first"), (10, "due"), (15, "due"), (16, "second")]


@pytest.mark.parametrize("rate", [0, 1, 60])
async def test_an_advance_that_is_cancelled_leaves_a_clock_that_can_be_used(system: System, rate: float) -> None:
    clock = Clock()
    if rate == 0:
        await clock.freeze()
    else:
        await clock.scale(rate)
    record = Record(clock)
    going_on = asyncio.Event()

    async def work() -> None:
        await clock.sleep_until(clock.now() + 10, "the test")
        await going_on.wait()

    task = await begun(clock, work())
    record.due(20)
    advance = asyncio.create_task(clock.advance(30))
    await all_turns_taken()
    advance.cancel()
    await asyncio.wait([advance])
    assert advance.cancelled()
    assert clock.rate == rate
    record.note("cancelled")
    going_on.set()
    await task
    await clock.advance(30)
    assert record.entries == [(10, "cancelled"), (20, "due")]
    assert idle(clock)


async def test_an_advance_that_is_cancelled_while_another_is_under_way_moves_nothing(frozen: Clock) -> None:
    begin = frozen.now()
    first = asyncio.create_task(frozen.advance(10))
    second = asyncio.create_task(frozen.advance(100))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.wait([first, second])
    assert frozen.now() == begin + 10


# Moves that end early


Change = Callable[[Clock], Awaitable[None]]
CHANGES: list[tuple[Change, str, float]] = [
    (lambda clock: clock.freeze(), "freeze", 0),
    (lambda clock: clock.scale(60), "scale", 60),
    (lambda clock: clock.release(), "release", 1),
]


async def stuck(clock: Clock, at: float) -> tuple[asyncio.Task[None], asyncio.Event]:
    """Work that begins at the second *at* and lasts until the event is set."""
    done = asyncio.Event()

    async def work() -> None:
        await clock.sleep_until(clock.now() + at, "the test")
        await done.wait()

    return await begun(clock, work()), done


async def test_a_move_says_how_far_it_came(frozen: Clock, record: Record) -> None:
    shown = frozen.epoch()
    record.due(1)
    record.due(2)
    assert await frozen.advance(5) == Move(shown + 5, 2, completed=True)
    record.due(10)
    assert await frozen.set(shown + 9) == Move(shown + 9, 0, completed=True)
    assert await frozen.set(shown - 9) == Move(shown - 9, 0, completed=True)


@pytest.mark.parametrize(("change", "name", "rate"), CHANGES)
async def test_a_move_is_interrupted_by_a_change_of_pace(
    system: System, change: Change, name: str, rate: float
) -> None:
    clock = Clock()
    shown = clock.epoch()
    task, done = await stuck(clock, 10)
    advance = asyncio.create_task(clock.advance(30))
    await all_turns_taken()
    await change(clock)
    assert await advance == Move(shown + 10 * (name != "release"), 1, completed=False, reason=f"interrupted by {name}")
    assert clock.rate == rate
    done.set()
    await task


@pytest.mark.parametrize(("change", "name", "rate"), CHANGES)
async def test_a_move_that_waits_for_another_is_interrupted_with_it(
    frozen: Clock, change: Change, name: str, rate: float
) -> None:
    task, done = await stuck(frozen, 10)
    moves = [asyncio.create_task(frozen.advance(30)) for _ in range(2)]
    await all_turns_taken()
    await change(frozen)
    assert [(move.fired, move.completed) for move in await asyncio.gather(*moves)] == [(1, False), (0, False)]
    assert frozen.rate == rate
    done.set()
    await task


async def test_a_move_goes_on_in_the_next_call(frozen: Clock, record: Record) -> None:
    task, done = await stuck(frozen, 10)
    record.due(20)
    advance = asyncio.create_task(frozen.advance(30))
    await all_turns_taken()
    await frozen.freeze()
    await advance
    done.set()
    await task
    assert record.entries == []
    await frozen.advance(10)
    assert record.entries == [(20, "due")]


async def test_a_move_fires_no_more_timers_than_its_budget(
    frozen: Clock, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mockvod.engine.clock.MOVE_TIMERS", 3)
    shown = frozen.epoch()
    for after in range(1, 6):
        record.due(after)
    assert await frozen.advance(10) == Move(shown + 3, 3, completed=False, reason="one move fires at most 3 timers")
    assert await frozen.advance(10) == Move(shown + 13, 2, completed=True)


async def test_a_budget_that_is_just_enough_lets_a_move_complete(
    frozen: Clock, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mockvod.engine.clock.MOVE_TIMERS", 3)
    for _ in range(3):
        record.due(1)
    record.due(11)
    assert (await frozen.advance(10)).completed
    assert len(record.entries) == 3


async def test_a_move_ends_with_its_budget_of_real_time(system: System) -> None:
    clock = Clock()
    shown = clock.epoch()
    await clock.freeze()

    def pass_time() -> None:
        system.passed += MOVE_SECONDS / 2

    for after in (1, 2, 3):
        clock.at(clock.now() + after, pass_time, "work that takes real time")
    move = await clock.advance(10)
    assert move == Move(shown + 2, 2, completed=False, reason="one move takes at most 50 real seconds")


async def test_a_move_past_work_that_never_ends_ends_with_its_budget(
    frozen: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mockvod.engine.clock.MOVE_SECONDS", 0.01)
    shown = frozen.epoch()
    task, done = await stuck(frozen, 10)
    move = await frozen.advance(30)
    assert (move.epoch, move.completed) == (shown + 10, False)
    done.set()
    await task


@pytest.mark.parametrize("move", [lambda clock: clock.advance(10 * 365 * 86400), lambda clock: clock.set(LATEST + 1)])
async def test_a_moment_after_the_year_9999_is_refused(
    frozen: Clock, record: Record, move: Callable[[Clock], Awaitable[Move]]
) -> None:
    await frozen.set(LATEST - 1)
    record.due(2)
    with pytest.raises(ValueError, match="the clock cannot move to a moment after the year 9999"):
        await move(frozen)
    assert frozen.epoch() == LATEST - 1
    assert record.entries == []


# A clock that is closed


async def test_a_closed_clock_ends_its_moves_and_waits(frozen: Clock) -> None:
    busy, _ = await stuck(frozen, 10)
    waiting = await begun(frozen, frozen.sleep_until(frozen.now() + 50, "the test"))
    moves = [asyncio.create_task(frozen.advance(30)) for _ in range(2)]
    settling = asyncio.create_task(frozen.settle())
    await all_turns_taken()
    frozen.close("the account", "reset")
    ends = await asyncio.gather(*moves, settling, waiting, return_exceptions=True)
    assert [str(end) for end in ends if isinstance(end, LifeEnded)] == ["the account was reset"] * 4
    await end(busy)
    assert idle(frozen)


async def test_a_closed_clock_fires_and_schedules_nothing(clock: Clock, record: Record) -> None:
    timer = clock.at(clock.now(), lambda: record.note("fired"), "the test")
    clock.close("the account", "deleted")
    await all_turns_taken()
    assert record.entries == []
    timer.cancel()
    assert (clock.pending, clock.waiting()) == (0, [])
    with pytest.raises(LifeEnded, match="the account was deleted"):
        clock.at(clock.now() + 1, lambda: None, "the test")
    with clock.busy(), pytest.raises(LifeEnded):
        await clock.sleep_until(clock.now() + 1, "the test")


@pytest.mark.parametrize("end", [cancel, wake_then_cancel])
async def test_a_waiter_that_is_cancelled_as_its_clock_is_closed_leaves_nothing_behind(
    frozen: Clock, end: Callable[[asyncio.Task[None], Waiter], None]
) -> None:
    waiter = frozen.waiter("the test")
    task = await begun(frozen, collect([], waiter, frozen.now() + 10))
    frozen.close("the account", "reset")
    end(task, waiter)
    await asyncio.wait([task])
    assert idle(frozen)


# A clock that has too much to do


async def test_firing_many_timers_gives_the_event_loop_its_turns(system: System) -> None:
    clock = Clock()
    fired: list[int] = []
    passes: list[int] = []

    def fire() -> None:
        fired.append(1)
        system.passed += PASS_SECONDS / 4

    for _ in range(20):
        clock.at(clock.now(), fire, "the test")
    while len(fired) < 20:
        before = len(fired)
        await asyncio.sleep(0)
        passes.append(len(fired) - before)
    assert max(passes) == 4


async def test_a_settling_clock_gives_the_event_loop_its_turns(frozen: Clock, system: System) -> None:
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    def fire() -> None:
        system.passed += PASS_SECONDS

    for _ in range(20):
        frozen.at(frozen.now() + 1, fire, "the test")
    task = asyncio.create_task(count_turns())
    await frozen.advance(2)
    task.cancel()
    assert turns >= 20


async def test_a_clock_that_cannot_keep_up_reports_it_once_a_second(system: System) -> None:
    reports: list[float] = []
    clock = Clock(on_behind=reports.append)
    await clock.scale(1000)

    def work() -> None:
        system.passed += 0.1

    for _ in range(30):
        clock.at(clock.now(), work, "work of a tenth of a second")
    for _ in range(40):
        await asyncio.sleep(0)
    assert system.passed == pytest.approx(3)
    assert reports == pytest.approx([1100, 2100])


async def test_a_clock_that_keeps_up_reports_nothing(system: System) -> None:
    reports: list[float] = []
    clock = Clock(on_behind=reports.append)
    fired: list[int] = []
    clock.at(clock.now(), lambda: fired.append(1), "the test")
    system.passed = 10
    await all_turns_taken()
    assert (len(fired), reports) == (1, [])


# Calls to the outside


async def test_a_call_that_returns_in_time_is_waited_for(record: Record, frozen: Clock) -> None:
    frozen._grace = lambda: 5.0
    answer = asyncio.get_running_loop().create_future()

    async def work() -> None:
        await frozen.sleep_until(frozen.now() + 10, "the test")
        asyncio.get_running_loop().call_later(0.005, answer.set_result, None)
        with frozen.external_call():
            await answer
        await asyncio.sleep(0)
        record.note("answered")

    await begun(frozen, work())
    record.due(10.25)
    await frozen.advance(20)
    assert record.entries == [(10, "answered"), (10.25, "due")]
    assert idle(frozen)


async def test_a_call_that_hangs_is_left_after_the_grace(frozen: Clock, record: Record) -> None:
    answer = asyncio.Event()

    async def work() -> None:
        with frozen.external_call():
            await answer.wait()
        record.note("answered")

    task = await begun(frozen, work())
    async with asyncio.timeout(5):
        await frozen.advance(20)
    assert not task.done()
    answer.set()
    await task
    assert record.entries == [(20, "answered")]
    assert idle(frozen)


@pytest.mark.parametrize("first_ends", [True, False])
async def test_of_two_calls_of_different_age_the_older_ones_grace_ends_first(system: System, first_ends: bool) -> None:
    """The clock waits until the grace of the younger one has ended, or both have returned."""
    clock = Clock(grace=lambda: 10.0)
    waits: list[float | None] = []
    returned = [asyncio.Event(), asyncio.Event()]

    async def call(number: int) -> None:
        with clock.busy(), clock.external_call():
            await returned[number].wait()

    async def next_change(at_most: float) -> None:
        waits.append(at_most)
        if len(waits) == 1 and first_ends:
            returned[0].set()
            await calls[0]
        else:
            system.passed += at_most

    clock._next_change = next_change  # type: ignore[method-assign]
    calls = [asyncio.create_task(call(0))]
    await asyncio.sleep(0)
    system.passed = 4
    calls.append(asyncio.create_task(call(1)))
    await asyncio.sleep(0)
    system.passed = 7
    await clock.settle()
    # Of the younger call 3 of 10 seconds have passed.
    assert waits == ([7, 7] if first_ends else [7])
    returned[0].set()
    returned[1].set()
    await asyncio.gather(*calls)
    assert idle(clock)


async def test_a_call_older_than_the_grace_does_not_keep_the_clock_from_waiting_for_a_younger_one(
    frozen: Clock, record: Record
) -> None:
    old = await begun(frozen, hang_outside(frozen))
    frozen._grace = lambda: 0.05
    young = asyncio.create_task(hang_outside_busy(frozen))
    await asyncio.sleep(0)
    ages = [time.monotonic() - since for since in frozen._calls.values()]
    assert ages[0] > ages[1]
    began = time.monotonic()
    await frozen.settle()
    assert time.monotonic() - began + ages[1] >= 0.05
    await end(old)
    await end(young)
    assert idle(frozen)


async def hang_outside_busy(clock: Clock) -> None:
    with clock.busy():
        await hang_outside(clock)


async def test_with_a_grace_of_0_no_call_is_waited_for(frozen: Clock) -> None:
    frozen._grace = lambda: 0.0
    task = await begun(frozen, hang_outside(frozen))
    await frozen.advance(1)
    assert not task.done()
    await end(task)
    assert idle(frozen)


async def test_a_call_that_waits_for_its_own_clock_is_not_waited_for_as_one_that_hangs(
    frozen: Clock, record: Record
) -> None:
    frozen._grace = lambda: 60.0

    async def work() -> None:
        with frozen.external_call() as call:
            for piece in range(3):
                with call.on_clock():
                    await frozen.sleep_until(frozen.now() + 5, "the next piece")
                await asyncio.sleep(0)
                record.note(f"piece {piece}")

    await begun(frozen, work())
    async with asyncio.timeout(5):
        await frozen.advance(20)
    assert record.entries == [(5, "piece 0"), (10, "piece 1"), (15, "piece 2")]
    assert idle(frozen)


@pytest.mark.parametrize("early", [False, True])
async def test_a_call_may_end_while_part_of_it_waits_for_the_clock(frozen: Clock, early: bool) -> None:
    frozen._grace = lambda: 0.0
    call, answered = frozen.external_call(), asyncio.Event()

    async def work() -> None:
        with call:
            await answered.wait()

    async def send() -> None:
        if early:
            await task
        with call.on_clock():
            await frozen.sleep_until(frozen.now() + 5, "the next piece")

    task = await begun(frozen, work())
    sending = asyncio.create_task(send())
    await asyncio.sleep(0)
    answered.set()
    await task
    await frozen.advance(5)
    await sending
    assert idle(frozen)


async def hang_outside(clock: Clock) -> None:
    with clock.external_call():
        await asyncio.Event().wait()


async def end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


async def three_attempts(clock: Clock, record: Record) -> None:
    """As a delivery does it: each attempt hangs for its 5 s, then there is a pause of 1 s."""
    for _ in range(3):
        deadline = Deadline(clock, clock.now() + 5, "a response")
        try:
            with clock.external_call():
                await asyncio.Event().wait()
        except asyncio.CancelledError:
            if not deadline.expired:
                raise
            await asyncio.sleep(0)
            record.note("timed out")
        finally:
            deadline.end()
        await clock.sleep_until(clock.now() + 1, "the next attempt")
        record.note("again")


ATTEMPTS = [(5, "timed out"), (6, "again"), (11, "timed out"), (12, "again"), (17, "timed out"), (18, "again")]


async def test_a_call_that_hung_times_out_at_its_moment_and_is_made_again_at_the_right_time(
    frozen: Clock, record: Record
) -> None:
    for quarter in range(1, 21 * 4):
        record.due(quarter / 4, "tick")
    await begun(frozen, three_attempts(frozen, record))
    await frozen.advance(20)
    assert [entry for entry in record.entries if entry[1] != "tick"] == ATTEMPTS
    # Nothing ran past a moment at which there was still something to do.
    assert [after for after, _ in record.entries] == sorted(after for after, _ in record.entries)
    assert idle(frozen)


async def test_small_steps_bring_the_same_as_one_long_advance(frozen: Clock, record: Record) -> None:
    task = await begun(frozen, three_attempts(frozen, record))
    for _ in range(4 * 18):
        assert not task.done()
        await frozen.advance(0.25)
    assert task.done()
    assert record.entries == ATTEMPTS


async def test_a_fresh_call_is_waited_for_although_an_old_one_hangs(frozen: Clock, record: Record) -> None:
    old = await begun(frozen, hang_outside(frozen))
    frozen._grace = lambda: 5.0 if len(frozen._calls) > 1 else 0.0
    answer = asyncio.get_running_loop().create_future()
    frozen.at(frozen.now() + 1, lambda: calls.append(asyncio.create_task(fresh())), "a fresh call")
    calls: list[asyncio.Task[None]] = []

    async def fresh() -> None:
        asyncio.get_running_loop().call_later(0.005, answer.set_result, None)
        with frozen.busy(), frozen.external_call():
            await answer
        record.note("answered")

    await frozen.advance(10)
    assert record.entries == [(1, "answered")]
    await end(old)


async def test_a_cancelled_call_leaves_nothing_behind(frozen: Clock, record: Record) -> None:
    task = await begun(frozen, three_attempts(frozen, record))
    frozen.at(frozen.now() + 5, lambda: cancel(task), "cancels right after the timeout")
    await frozen.advance(20)
    assert task.done()
    assert idle(frozen)
    assert frozen.waiting() == []


# Deadlines of a task


async def test_a_deadline_cancels_its_task_at_its_moment_and_leaves_it_usable() -> None:
    clock = Clock()
    await clock.freeze()
    expired: list[bool] = []

    async def work() -> int:
        with clock.busy():
            deadline = Deadline(clock, clock.now() + 5, "an answer")
            try:
                with clock.external_call():
                    await asyncio.Event().wait()
            except asyncio.CancelledError:
                expired.append(deadline.expired)
            finally:
                deadline.end()
        task = asyncio.current_task()
        assert task is not None
        return task.cancelling()

    working = asyncio.create_task(work())
    clock._grace = lambda: 0.0
    await clock.advance(4.9)
    assert not working.done()
    await clock.advance(0.1)
    assert await working == 0
    assert expired == [True]
    assert clock._busy == 0


async def test_a_deadline_has_not_expired_if_the_task_is_cancelled_from_elsewhere_too() -> None:
    clock = Clock()
    deadlines: list[Deadline] = []

    async def work() -> None:
        deadlines.append(deadline := Deadline(clock, clock.now() + 5, "an answer"))
        try:
            await asyncio.Event().wait()
        finally:
            expired.append(deadline.expired)
            deadline.end()

    expired: list[bool] = []
    working = asyncio.create_task(work())
    await asyncio.sleep(0)
    deadlines[0]._cancel()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert expired == [False]
    assert clock._busy == 0


async def test_a_deadline_that_has_ended_does_nothing_later() -> None:
    clock = Clock()
    await clock.freeze()
    deadline = Deadline(clock, clock.now() + 5, "an answer")
    deadline.end()
    await clock.advance(10)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
