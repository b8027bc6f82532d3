"""The control API: the clock, and the journal page by page."""

import asyncio
from typing import Any

import pytest

from mockvod.engine.clock import LATEST
from tests.http.asking import FROZEN, Control
from tests.polls import polls_held
from tests.support import Caller, Receiver

# The clock


async def test_a_clock_is_frozen_and_released(control: Control) -> None:
    frozen = await control.done("POST", "/clock", FROZEN)
    assert (frozen["frozen"], frozen["rate"], frozen["happened"]) == (True, 0, [])
    assert (await control.done("GET", "/clock"))["now"] == frozen["now"]
    released = await control.done("POST", "/clock", {"release": True})
    assert (released["frozen"], released["rate"]) == (False, 1)


async def test_a_clock_is_set_scaled_and_advanced(control: Control) -> None:
    await control.done("POST", "/clock", FROZEN)
    assert (await control.done("POST", "/clock", {"set": 1_000_000_000}))["now"] == 1_000_000_000
    assert (await control.done("POST", "/clock", {"advance": 0.5}))["now"] == 1_000_000_000.5
    assert (await control.done("POST", "/clock", {"advance": "4d"}))["now"] == 1_000_345_600.5
    assert (await control.done("POST", "/clock", {"scale": 60}))["rate"] == 60


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"freeze": True, "release": True},
        {"freeze": None},
        {"freeze": False},
        {"advance": -1},
        {"advance": "x"},
        {"advance": 1e300},
        {"set": -1},
        {"set": 2**60},
        {"scale": 0},
        {"scale": -1},
        {"forward": 5},
    ],
)
async def test_a_clock_accepts_exactly_one_valid_change(control: Control, change: dict[str, Any]) -> None:
    status, _, _, _ = await control.refused("POST", "/clock", change)
    assert status == 400
    assert (await control.done("GET", "/clock"))["rate"] == 1


async def test_a_frozen_clock_lists_what_waits_for_it(control: Control, caller: Caller) -> None:
    assert (await control.done("GET", "/clock"))["hint"] is None
    await control.done("POST", "/clock", FROZEN)
    poll = asyncio.create_task(caller.call("PullEvents"))
    await polls_held(caller.account.life.application().queue, 1)
    clock = await control.done("GET", "/clock")
    [waiting] = clock["waiting"]
    assert waiting["what"] == "PullEvents of the default application blocks"
    assert waiting["within"] == 5
    assert waiting["due"] == pytest.approx(clock["now"] + 5)
    assert "the clock is frozen" in clock["hint"]
    assert "PullEvents of the default application blocks, due in 5 s" in clock["hint"]
    await control.done("POST", "/clock", {"advance": 5})
    assert (await poll)["Error"]["Message"] == "no event"


async def test_an_advance_returns_what_happened_in_order(control: Control, caller: Caller, receiver: Receiver) -> None:
    await control.done("POST", "/clock", FROZEN)
    await caller.emit()
    await caller.call("PullEvents")
    await control.done("PATCH", "/config", {"callback_url": receiver.url}, sub_app_id=5)
    await control.done("POST", "/events", {"delay": 10}, sub_app_id=5)
    before = (await control.done("GET", "/clock"))["now"]
    moved = await control.done("POST", "/clock", {"advance": 31})
    reported = [(entry["what"], round(entry["at"] - before, 3)) for entry in moved["happened"]]
    assert reported == [("delivering", 10), ("attempt", 10), ("delivered", 10), ("lease_ended", 30)]
    assert not moved["happened_more"]


async def test_four_days_pass_through_every_due_moment_in_order(control: Control, caller: Caller) -> None:
    await control.done("POST", "/clock", FROZEN)
    await caller.emit()
    for hours in (50, 10, 90):
        await caller.emit(delay=hours * 3600)
    await control.done("PATCH", "/config", {"every": "1d"})
    before = (await control.done("GET", "/clock"))["now"]
    moved = await control.done("POST", "/clock", {"advance": "4d"})
    reported = [(entry["what"], entry["event"], round((entry["at"] - before) / 3600)) for entry in moved["happened"]]
    assert reported == [
        ("queued", "evt_000003", 10),
        ("queued", "evt_000005", 24),
        ("queued", "evt_000006", 48),
        ("queued", "evt_000002", 50),
        ("queued", "evt_000007", 72),
        ("queued", "evt_000004", 90),
        *reported[6:],
    ]
    assert sorted(reported[6:]) == [("expired", "evt_000001", 96), ("queued", "evt_000008", 96)]


async def test_a_move_that_fires_too_many_timers_says_how_far_it_came(
    control: Control, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mockvod.engine.clock.MOVE_TIMERS", 2)
    before = (await control.done("POST", "/clock", FROZEN))["now"]
    for delay in (1, 2, 3):
        await caller.emit(delay=delay)
    moved = await control.done("POST", "/clock", {"advance": 10})
    assert (moved["fired"], moved["completed"], moved["now"] - before) == (2, False, pytest.approx(2))
    assert moved["reason"] == "one move fires at most 2 timers"
    moved = await control.done("POST", "/clock", {"advance": 8})
    assert (moved["fired"], moved["completed"], moved["reason"]) == (1, True, None)


async def test_a_move_is_interrupted_by_another_call(control: Control, caller: Caller) -> None:
    await control.done("POST", "/clock", FROZEN)
    clock, begun = caller.clock, asyncio.Event()

    def begin() -> None:
        clock.begin_work()
        begun.set()

    clock.at(clock.now() + 1, begin, "work without an end")
    advance = asyncio.create_task(control.done("POST", "/clock", {"advance": 10}))
    await begun.wait()
    assert (await control.done("POST", "/clock", {"release": True}))["rate"] == 1
    clock.end_work()
    moved = await advance
    assert (moved["completed"], moved["reason"]) == (False, "interrupted by release")


@pytest.mark.parametrize("change", ["advance", "set"])
async def test_a_move_beyond_the_year_9999_is_refused(control: Control, caller: Caller, change: str) -> None:
    await caller.clock.set(LATEST - 10)
    value = 11 if change == "advance" else LATEST + 1
    status, _, _, field = await control.refused("POST", "/clock", {change: value})
    assert (status, field) == (400, change)


async def test_an_advance_returns_a_thousand_entries_at_most(control: Control, caller: Caller) -> None:
    await control.done("POST", "/clock", FROZEN)
    await caller.emit(count=1001, delay=1)
    moved = await control.done("POST", "/clock", {"advance": 1})
    assert (len(moved["happened"]), moved["happened_more"]) == (1000, True)


# The journal, page by page


async def test_the_journal_is_read_page_by_page(control: Control, caller: Caller) -> None:
    await caller.emit(count=5)
    first = await control.done("GET", "/journal", limit=3)
    assert [entry["seq"] for entry in first["entries"]] == [1, 2, 3]
    second = await control.done("GET", "/journal", limit=3, since=first["next"])
    assert [entry["event"] for entry in second["entries"]] == ["evt_000004", "evt_000005"]
    end = await control.done("GET", "/journal", since=second["next"])
    assert (end["entries"], end["next"], end["missed"]) == ([], 5, 0)


async def test_the_journal_counts_evicted_entries(control: Control, caller: Caller) -> None:
    await control.done("PATCH", "/config", {"journal_entries": 100})
    await caller.emit(count=149)
    page = await control.done("GET", "/journal")
    assert (page["missed"], len(page["entries"]), page["next"]) == (50, 100, 150)


async def test_a_cursor_of_another_life_starts_at_the_end(control: Control, caller: Caller) -> None:
    page = await control.done("GET", "/journal", since=2**62)
    assert page["next"] == 0
    await caller.emit()
    assert len((await control.done("GET", "/journal", since=page["next"]))["entries"]) == 1


async def test_the_journal_of_one_application_has_its_entries_only(control: Control, caller: Caller) -> None:
    for sub_app_id in (5, 0, 5, 0, 5):
        await control.done("POST", "/events", sub_app_id=sub_app_id)
    page = await control.done("GET", "/journal", sub_app_id=5, limit=2)
    assert ([entry["seq"] for entry in page["entries"]], page["next"]) == ([1, 3], 3)
    page = await control.done("GET", "/journal", sub_app_id=5, limit=2, since=3)
    assert ([entry["seq"] for entry in page["entries"]], page["next"]) == ([5], 5)
