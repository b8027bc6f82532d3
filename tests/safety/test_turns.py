"""A request that is much work gives the event loop back after each small part of it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientSession

from mockvod.app import Running
from mockvod.engine import clock as clocks
from mockvod.engine import queue
from mockvod.engine.clock import Clock, LoopShare
from mockvod.engine.events import _DROPPED_AT_ONCE, Events
from mockvod.engine.journal import Entry, Journal
from mockvod.http.control.journal import BATCH
from mockvod.service.world import Account
from tests.support import Caller

MANY = 3 * BATCH
DAY = 86400


class Steps:
    """How many steps a computation takes between two turns of the event loop, at most."""

    def __init__(self) -> None:
        self.most = 0
        self.total = 0
        self._since_turn = 0

    def step(self, count: int = 1) -> None:
        self.total += count
        self._since_turn += count
        self.most = max(self.most, self._since_turn)

    @asynccontextmanager
    async def counted(self) -> AsyncIterator[None]:
        async def turns() -> None:
            while True:
                self._since_turn = 0
                await asyncio.sleep(0)

        spinning = asyncio.create_task(turns())
        try:
            yield
        finally:
            spinning.cancel()


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    """Counts steps while every computation believes that it has used up its share of the loop."""
    monkeypatch.setattr(LoopShare.__init__, "__defaults__", (0.0,))
    monkeypatch.setattr(clocks, "PASS_SECONDS", 0.0)
    return Steps()


def look_ups(monkeypatch: pytest.MonkeyPatch, steps: Steps) -> None:
    """Let each entry that is looked up in a journal be a step."""
    since = Journal.since

    def counted(journal: Journal, seq: int, limit: int | None = None) -> Iterator[Entry]:
        for entry in since(journal, seq, limit):
            steps.step()
            yield entry

    monkeypatch.setattr(Journal, "since", counted)


def records(monkeypatch: pytest.MonkeyPatch, steps: Steps, name: str) -> None:
    """Let each event that *name*, a method of Events, records something of be a step."""
    method: Callable[..., Any] = getattr(Events, name)

    def counted(events: Events, what: Any, *args: Any, **named: Any) -> Any:
        steps.step(len(what) if isinstance(what, list) else 1)
        return method(events, what, *args, **named)

    monkeypatch.setattr(Events, name, counted)


async def emit_many(caller: Caller, count: int = MANY, **more: Any) -> None:
    await caller.emit(count=count, event_type="FileDeleted", **more)


@pytest.mark.parametrize(
    ("query", "shown"), [({"limit": 10_000}, MANY), ({"sub_app_id": 5}, 0)], ids=["all", "none of the application"]
)
async def test_a_long_journal_is_read_in_parts(
    caller: Caller, steps: Steps, monkeypatch: pytest.MonkeyPatch, query: dict[str, Any], shown: int
) -> None:
    await emit_many(caller)
    look_ups(monkeypatch, steps)
    async with steps.counted():
        page = await caller.control("GET", "/journal", **query)
    assert (len(page["entries"]), page["next"], page["missed"]) == (shown, MANY, 0)
    assert steps.total == MANY
    assert steps.most <= BATCH


async def test_a_long_journal_is_streamed_in_parts(
    caller: Caller, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    await emit_many(caller)
    look_ups(monkeypatch, steps)
    url = f"{caller.running.url}/mockvod/v1/journal"
    async with steps.counted(), caller.session.get(url, headers={"Accept": "text/event-stream"}) as response:
        async for line in response.content:
            if line == f"id: {MANY}\n".encode():
                break
    assert steps.most <= BATCH


@pytest.mark.parametrize("delay", [0, 60])
async def test_an_application_with_many_events_is_reset_in_parts(
    caller: Caller, steps: Steps, monkeypatch: pytest.MonkeyPatch, delay: float
) -> None:
    await emit_many(caller, delay=delay)
    records(monkeypatch, steps, "note_all")
    async with steps.counted():
        discarded = await caller.control("POST", "/reset", sub_app_id=0)
    stats = await caller.control("GET", "/stats")
    assert discarded["events"] == steps.total == stats["counts"]["dropped"] == stats["evicted"] == MANY
    assert stats["pending_bytes"] == 0
    assert steps.most <= _DROPPED_AT_ONCE


async def test_an_application_is_reset_to_the_end_although_the_client_hangs_up(caller: Caller, steps: Steps) -> None:
    await emit_many(caller)
    await emit_many(caller, 1, delay=60)
    life = caller.account.life
    resetting = asyncio.create_task(life.reset_application(None))
    await asyncio.sleep(0)
    resetting.cancel()
    await asyncio.wait([resetting])
    await caller.emit()  # into the new application
    while life.events.counts["dropped"] < MANY + 1:  # noqa: ASYNC110 - no event announces it
        await asyncio.sleep(0)
    assert [event.state for event in life.events] == ["queued"]
    assert life.events.pending_bytes == sum(len(event.body) for event in life.events)


async def test_many_accounts_are_reset_one_after_the_other(
    caller: Caller, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(20):
        await caller.control("POST", "/accounts", {"secret_id": f"AKID{number}"})
    replace = Account.replace_life

    def counted(account: Account) -> Any:
        steps.step()
        return replace(account)

    monkeypatch.setattr(Account, "replace_life", counted)
    async with steps.counted():
        await caller.control("POST", "/reset")
    assert (steps.total, steps.most) == (21, 1)


async def test_an_account_that_is_deleted_during_a_reset_of_all_begins_no_new_life(
    running: Running, session: ClientSession, steps: Steps
) -> None:
    caller = Caller(running, session)
    await caller.control("POST", "/accounts", {"secret_id": "AKIDlast"})
    account = running.world.account("AKIDlast")
    life = account.life
    resetting = asyncio.create_task(running.world.reset())
    await asyncio.sleep(0)
    await running.world.delete_account(account)
    await resetting
    assert account.life is life


@pytest.mark.parametrize(("pulled", "what"), [(0, "expired"), (1000, "lease_ended")])
async def test_many_leases_and_retentions_that_end_at_once_end_in_parts(
    caller: Caller, steps: Steps, monkeypatch: pytest.MonkeyPatch, pulled: int, what: str
) -> None:
    await caller.clock.freeze()
    await caller.control("PATCH", "/config", {"pull_limit": 100})
    await emit_many(caller)
    for _ in range(pulled // 100):
        await caller.call("PullEvents")
    monkeypatch.setattr(queue, "EXPIRED_AT_ONCE", 100)
    records(monkeypatch, steps, "note")
    async with steps.counted():
        await caller.control("POST", "/clock", {"advance": 31 if pulled else 4 * DAY})
    assert steps.total == (pulled or MANY)
    assert steps.most <= 2 * 100  # the clock's timer and its move each take a step
    assert (await caller.control("GET", "/journal", since=caller.account.life.journal.seq - 1))["entries"][0][
        "what"
    ] == what


class Watched(list[Any]):
    """Counts how often one of its items is read."""

    reads = 0

    def __getitem__(self, place: Any) -> Any:
        self.reads += 1
        return super().__getitem__(place)

    def __iter__(self) -> Iterator[Any]:
        self.reads += len(self)
        return super().__iter__()


async def test_the_next_timers_are_found_without_a_look_at_all() -> None:
    clock = Clock()
    await clock.freeze()
    timers = [clock.at(clock.now() + 1 + number * 7919 % 10_007, print, str(number)) for number in range(10_000)]
    for timer in timers[::500]:
        timer.cancel()
    due = sorted((timer.when, timer.what) for timer in timers if not timer.cancelled)
    clock._timers = watched = Watched(clock._timers)
    assert [(one.when, one.what) for one in clock.waiting(100)] == due[:100]
    assert watched.reads < 1000
    assert [(one.when, one.what) for one in clock.waiting()] == due
