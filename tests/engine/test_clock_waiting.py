"""Waiting for a moment of the clock, its end, and deadlines of a task."""

import asyncio
from collections.abc import Callable

import pytest

from mockvod.engine.clock import Clock, Deadline, Waiter, Waiting
from mockvod.engine.lifetime import LifeEnded
from tests.clocks import Record, all_turns_taken, begun, cancel, end, idle, stuck

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
