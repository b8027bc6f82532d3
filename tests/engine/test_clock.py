"""The clock: the time it tells, and timers at their moments."""

import asyncio
import logging
import time

import freezegun
import pytest

from mockvod.engine.clock import Clock, Waiting, _unpatched, real_time
from tests.clocks import HOUR, Record, System, all_turns_taken

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
