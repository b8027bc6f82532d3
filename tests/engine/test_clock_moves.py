"""Moving the clock: moves at once, moves that end early, and many timers."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from mockvod.engine.clock import LATEST, MOVE_SECONDS, PASS_SECONDS, Clock, Move
from tests.clocks import Record, System, all_turns_taken, begun, idle, stuck

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
