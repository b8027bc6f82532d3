import logging
from collections.abc import Awaitable, Callable
from itertools import pairwise
from typing import Any

import pytest
from aiohttp import ClientSession

from mockvod.app import Running
from mockvod.engine.events import BacklogFull, Event
from mockvod.service.world import Account, World
from mockvod.wire.events import SNAPSHOT_COMPLETE
from tests.support import Caller

Start = Callable[..., Awaitable[Running]]


@pytest.fixture
def world(running: Running) -> World:
    return running.world


@pytest.fixture
def account(world: World) -> Account:
    return world.default


def emit(account: Account, sub_app_id: int | None = None, **options: Any) -> Event:
    application = account.life.application(sub_app_id)
    return application.emit(SNAPSHOT_COMPLETE, application.snapshot_task(**options))


async def pull(account: Account, sub_app_id: int | None = None) -> list[str]:
    with account.life.clock.busy():
        return [one.handle for one in await account.life.application(sub_app_id).queue.pull(16, hold=0)]


# --- applications


async def test_an_application_is_made_when_first_named(account: Account) -> None:
    assert account.life.applications() == []
    application = account.life.application(7)
    assert account.life.application(7) is application
    assert account.life.applications() == [application]


async def test_no_sub_app_id_and_0_mean_the_default_application(account: Account) -> None:
    assert account.life.application(None) is account.life.application(0)


async def test_applications_start_with_the_servers_settings(start: Start) -> None:
    account = (await start(callback_url="http://127.0.0.1:9/")).world.default
    account.life.application(1).configure({"mode": "PULL"})
    assert [account.life.application(n).mode for n in (1, 2)] == ["PULL", "PUSH"]


# --- the same seed


async def everything(running: Running, session: ClientSession, apps: tuple[int, ...]) -> dict[int, list[Any]]:
    caller = Caller(running, session)
    seen: dict[int, list[Any]] = {}
    for app in apps:
        await caller.control("POST", "/events", {"count": 3}, sub_app_id=app)
        await caller.control("POST", "/events", {"time_offsets": [1], "failed": [1]}, sub_app_id=app)
        seen[app] = (await caller.call("PullEvents", SubAppId=app))["EventSet"]
    return seen


async def test_the_same_seed_and_calls_give_the_same_ids_urls_and_handles(start: Start, session: ClientSession) -> None:
    one, other = [await everything(await start(public_url="vendor"), session, (1, 2)) for _ in range(2)]
    assert one == other
    assert len({str(content) for group in one.values() for content in group}) == 8


async def test_another_seed_gives_others(start: Start, session: ClientSession) -> None:
    one = await everything(await start(seed=1), session, (1,))
    other = await everything(await start(seed=2), session, (1,))
    for key in ("TaskId", "FileId"):
        values = [content["SnapshotByTimeOffsetCompleteEvent"][key] for group in (one, other) for content in group[1]]
        assert len(set(values)) == 8
    handles = [content["EventHandle"] for group in (one, other) for content in group[1]]
    assert len(set(handles)) == 8


async def test_applications_do_not_depend_on_each_others_order(start: Start, session: ClientSession) -> None:
    one = await everything(await start(public_url="vendor"), session, (1, 2))
    other = await everything(await start(public_url="vendor"), session, (2, 1))
    assert one == other


async def test_a_reset_gives_the_same_again(start: Start, session: ClientSession) -> None:
    running = await start(public_url="vendor")
    before = await everything(running, session, (1, 2))
    await running.world.reset()
    assert await everything(running, session, (1, 2)) == before


async def test_without_a_seed_each_server_has_its_own(start: Start) -> None:
    one, other = [(await start(seed=None)).world for _ in range(2)]
    assert one.default.life.seed != other.default.life.seed


# --- reset


async def test_a_reset_counts_what_it_discards_and_starts_fresh(world: World, account: Account) -> None:
    await account.life.clock.freeze()
    emit(account)
    await pull(account)
    emit(account)
    emit(account, 7)
    account.life.configure({"poll_hold": 1})
    assert await world.reset() == {"events": 3, "queued": 2, "leased": 1, "polls": 0, "deliveries": 0}
    assert account.life.applications() == []
    assert account.life.settings.poll_hold == 5
    assert account.life.clock.rate == 1.0
    assert emit(account).id == "evt_000001"


async def test_the_numbers_of_the_journal_go_on_after_a_reset(account: Account) -> None:
    emit(account)
    last = account.life.journal.seq
    await account.reset()
    assert [(entry.seq, entry.what) for entry in account.life.journal.since(last)] == [(last + 1, "reset")]


# --- bounds


async def test_pending_events_are_bounded_by_pending_bytes(account: Account) -> None:
    account.life.configure({"pending_bytes": 1024})
    emit(account, time_offsets=[1])
    with pytest.raises(BacklogFull, match=r"\d+ bytes of events are pending .* pending-bytes \(1024\): pull and"):
        emit(account, time_offsets=[1, 2, 3])
    assert len(account.life.events) == 1


async def test_an_emit_above_pending_bytes_gets_429(running: Running, session: ClientSession, account: Account) -> None:
    account.life.configure({"pending_bytes": 1024})
    caller = Caller(running, session)
    await caller.emit(time_offsets=[1])
    async with session.post(running.url + "/mockvod/v1/events", json={"time_offsets": [1]}) as response:
        assert response.status == 429
        error = (await response.json())["error"]
    assert error["code"] == "backlog_full"
    assert "pull and confirm them, reset the account, or raise pending-bytes" in error["message"]
    handles = await pull(account)
    await caller.call("ConfirmEvents", EventHandles=handles)
    assert len(await caller.emit(time_offsets=[1])) == 1


async def test_terminal_events_are_kept_up_to_history_events(account: Account) -> None:
    account.life.configure({"history_events": 3})
    account.life.application().configure({"mode": "PUSH"})  # without an address: each fails at once
    for _ in range(5):
        emit(account)
    assert [event.id for event in account.life.events] == ["evt_000003", "evt_000004", "evt_000005"]
    assert (account.life.events.evicted, account.life.events.counts["failed"]) == (2, 5)


async def test_terminal_events_are_kept_up_to_history_bytes(account: Account) -> None:
    account.life.configure({"history_bytes": 5000})
    account.life.application().configure({"mode": "PUSH"})
    for _ in range(20):
        emit(account)
    assert 1 <= len(account.life.events) < 6
    assert account.life.events.pending_bytes == 0


async def test_the_journal_keeps_its_last_entries(account: Account) -> None:
    account.life.configure({"journal_entries": 100})
    for _ in range(150):
        emit(account)
    assert [entry.seq for entry in account.life.journal.since(0)] == list(range(52, 152))


# --- one event every so often


async def test_events_are_emitted_at_the_interval_of_every(start: Start) -> None:
    account = (await start(every=10)).world.default
    await account.life.clock.freeze()
    await account.life.clock.advance(40)
    times = [event.timeline()[0].at for event in account.life.events]
    assert [round(later - earlier, 6) for earlier, later in pairwise(times)] == [10, 10, 10]


async def test_other_changes_of_settings_do_not_delay_the_next_event_of_every(account: Account) -> None:
    await account.life.clock.freeze()
    account.life.configure({"every": 10})
    for _ in range(4):
        await account.life.clock.advance(6)
        account.life.configure({"poll_hold": 1})
    assert len(account.life.events) == 2


async def test_every_continues_after_a_reset_if_the_server_was_started_with_it(start: Start) -> None:
    account = (await start(every=10)).world.default
    account.life.configure({"every": 0})
    await account.reset()
    await account.life.clock.freeze()
    await account.life.clock.advance(10)
    assert len(account.life.events) == 1


async def test_every_continues_once_there_is_room_again(account: Account, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "mockvod.life")
    await account.life.clock.freeze()
    account.life.configure({"every": 10, "pending_bytes": 1024})
    await account.life.clock.advance(50)
    full = len(account.life.events)
    assert full < 5
    assert "no event emitted" in caplog.text
    account.life.configure({"pending_bytes": 1024**2})
    await account.life.clock.advance(20)
    assert len(account.life.events) == full + 2


# --- the end


async def test_closing_a_second_time_has_no_effect(
    world: World, account: Account, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "mockvod.world")
    account.life.application().configure({"callback_url": "http://127.0.0.1:9/"})
    emit(account)
    world.begin_shutdown()
    assert not world.ready
    assert "deliveries that are under way and end here: 1" in caplog.text
