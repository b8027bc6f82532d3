"""Calls to other programs, which the clock waits for within its grace."""

import asyncio
import time

import pytest

from mockvod.engine.clock import Clock, Deadline
from tests.clocks import Record, System, begun, cancel, end, idle

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
