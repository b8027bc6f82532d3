"""Delivery faults, as Tencent's SDK and a receiver meet them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import ClientSession, web

from mockvod.app import Running
from tests.polls import polls_held
from tests.sdk.client import Sdk
from tests.support import Caller, Receiver

# The SDK still uses what Python 3.12 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcfromtimestamp:DeprecationWarning")

Start = Callable[..., Awaitable[Running]]


@pytest.fixture
async def frozen(start: Start, session: ClientSession) -> Caller:
    caller = Caller(await start(profile="current", settle_grace=0.05), session)
    await caller.clock.freeze()
    return caller


async def put(caller: Caller, fault: str, **given: Any) -> str:
    answer = await caller.control("POST", "/faults", {"fault": fault, **given})
    [one] = answer["faults"]
    fault_id: str = one["id"]
    return fault_id


def task_ids(pulled: list[Any]) -> list[str]:
    return [one.SnapshotByTimeOffsetCompleteEvent.TaskId for one in pulled]


def ids(events: list[dict[str, Any]]) -> list[str]:
    return [one["task_id"] for one in events]


def whats(event: dict[str, Any]) -> list[str]:
    return [entry["what"] for entry in event["timeline"]]


async def test_a_duplicate_comes_as_two_events_with_one_task(frozen: Caller, sdk: Sdk) -> None:
    fault = await put(frozen, "duplicate")
    [event] = await frozen.emit()
    pulled = await sdk.pull()
    assert task_ids(pulled) == [event["task_id"]] * 2
    assert pulled[0].EventHandle != pulled[1].EventHandle
    first, second = await frozen.event("evt_000001"), await frozen.event("evt_000002")
    assert whats(first) == ["fault", "queued", "leased"]
    assert first["timeline"][0] | {"seq": 0, "at": 0} == {
        "seq": 0,
        "at": 0,
        "what": "fault",
        "event": "evt_000001",
        "sub_app_id": None,
        "id": fault,
        "fault": "duplicate",
        "message": "duplicated as evt_000002",
    }
    assert second["timeline"][0]["copy_of"] == "evt_000001"


async def test_copies_may_arrive_one_after_the_other(frozen: Caller, sdk: Sdk) -> None:
    await put(frozen, "duplicate", copies=2, after=10)
    [event] = await frozen.emit()
    for _ in range(3):
        assert task_ids(await sdk.pull()) == [event["task_id"]]
        await frozen.clock.advance(10)


async def test_a_dropped_event_never_comes(frozen: Caller, sdk: Sdk) -> None:
    await put(frozen, "drop", when={"nth": 2})
    events = await frozen.emit(count=3)
    assert task_ids(await sdk.pull()) == [events[0]["task_id"], events[2]["task_id"]]
    dropped = await frozen.event(events[1]["id"])
    assert (dropped["state"], whats(dropped)) == ("dropped", ["fault", "dropped"])


async def test_a_delayed_event_comes_late(frozen: Caller, sdk: Sdk) -> None:
    await put(frozen, "delay", seconds=4)
    [event] = await frozen.emit()
    assert event["state"] == "scheduled"
    async with asyncio.TaskGroup() as group:
        pull = group.create_task(sdk.pull())
        await polls_held(frozen.account.life.application().queue, 1)
        await frozen.clock.advance(3.9)
        assert not pull.done()
        await frozen.clock.advance(0.1)
    assert task_ids(pull.result()) == [event["task_id"]]


async def test_events_are_reordered_within_a_window(frozen: Caller, sdk: Sdk) -> None:
    await put(frozen, "reorder", count=4)
    events = await frozen.emit(count=8)
    pulled = task_ids(await sdk.pull())
    for window in (slice(0, 4), slice(4, 8)):
        assert pulled[window] != ids(events[window])
        assert sorted(pulled[window]) == sorted(ids(events[window]))


async def test_a_window_that_does_not_fill_ends_with_its_time(frozen: Caller, sdk: Sdk) -> None:
    await put(frozen, "reorder", count=10, seconds=3)
    events = await frozen.emit(count=3)
    assert [one["state"] for one in events] == ["scheduled"] * 3
    await frozen.clock.advance(3)
    pulled = task_ids(await sdk.pull())
    assert pulled != ids(events)
    assert sorted(pulled) == sorted(ids(events))


async def test_a_burst_brings_all_at_once_in_order(frozen: Caller, sdk: Sdk) -> None:
    await put(frozen, "burst", count=3, seconds=60)
    events = await frozen.emit(count=2)
    assert frozen.account.life.application().queue.visible == 0
    events += await frozen.emit()
    assert task_ids(await sdk.pull()) == ids(events)


async def test_a_burst_releases_its_events_when_its_time_has_passed(frozen: Caller, sdk: Sdk) -> None:
    await put(frozen, "burst", count=3, seconds=60)
    events = await frozen.emit(count=2)
    await frozen.clock.advance(60)
    assert task_ids(await sdk.pull()) == ids(events)


async def test_removing_a_fault_releases_what_it_holds_back(frozen: Caller, sdk: Sdk) -> None:
    fault = await put(frozen, "burst", count=3, seconds=60)
    [event] = await frozen.emit()
    await frozen.control("DELETE", f"/faults/{fault}")
    assert task_ids(await sdk.pull()) == [event["task_id"]]
    await frozen.clock.advance(120)
    assert (await frozen.event(event["id"]))["state"] == "queued"


JOB = {"MediaProcessTask": {"SnapshotByTimeOffsetTaskSet": [{"Definition": 10, "ExtTimeOffsetSet": ["1s"]}]}}


async def test_an_early_event_arrives_before_the_response_to_its_call(frozen: Caller, sdk: Sdk) -> None:
    await put(frozen, "early")
    answer = await sdk.call_with({}, "ProcessMedia", FileId="528", **JOB)
    [pulled] = await sdk.pull()
    assert pulled.ProcedureStateChangeEvent.TaskId == answer["TaskId"]


async def test_a_job_takes_its_time_without_the_fault_early(frozen: Caller, sdk: Sdk) -> None:
    await put(frozen, "early", scope={"file_id": "another"})
    await sdk.call_with({}, "ProcessMedia", FileId="528", **JOB)
    assert frozen.account.life.events.counts["queued"] == 0


async def test_an_early_event_is_pushed_before_the_response(frozen: Caller, receiver: Receiver) -> None:
    order: list[str] = []

    async def callback(_: web.Request) -> web.StreamResponse:
        order.append("pushed")
        return web.json_response({})

    receiver.answering = callback
    await frozen.control("PATCH", "/config", {"callback_url": receiver.url})
    await put(frozen, "early")
    await frozen.call("ProcessMedia", FileId="528", **JOB)
    order.append("answered")
    assert order == ["pushed", "answered"]


async def test_faults_apply_to_one_event_in_their_order(frozen: Caller, sdk: Sdk) -> None:
    await put(frozen, "duplicate")
    await put(frozen, "drop", when={"nth": 1})
    [event] = await frozen.emit()
    assert task_ids(await sdk.pull()) == [event["task_id"]]
    assert (await frozen.event("evt_000001"))["state"] == "dropped"
    assert (await frozen.event("evt_000002"))["state"] == "leased"


@pytest.mark.parametrize(
    ("scope", "struck"),
    [
        ({"sub_app_id": 5}, {"c"}),
        ({"sub_app_id": 0}, {"a", "b"}),
        ({"event_type": "FileDeleted"}, {"b"}),
        ({"file_id": "1"}, {"a", "c"}),
        ({"file_id": "1", "sub_app_id": 0}, {"a"}),
    ],
)
async def test_a_scope_limits_delivery_faults(frozen: Caller, scope: dict[str, Any], struck: set[str]) -> None:
    await put(frozen, "drop", scope=scope)
    [a] = await frozen.emit(file_id="1")
    [b] = await frozen.emit(event={"EventType": "FileDeleted", "FileDeleteEvent": {"FileId": "2"}})
    [c] = (await frozen.control("POST", "/events", {"file_id": "1"}, sub_app_id=5))["events"]
    states = {name: one["state"] for name, one in {"a": a, "b": b, "c": c}.items()}
    assert {name for name, state in states.items() if state == "dropped"} == struck


# --- the end of their application


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "delay", "seconds": 10},
        {"fault": "reorder", "count": 5, "seconds": 10},
        {"fault": "burst", "count": 5, "seconds": 10},
        {"fault": "duplicate", "after": 10},
    ],
    ids=lambda fault: fault["fault"],
)
async def test_what_a_fault_holds_back_ends_with_a_reset_of_its_application(
    frozen: Caller, fault: dict[str, Any]
) -> None:
    await put(frozen, "delay", seconds=0)  # after the other one, so that going on would be in the journal
    await put(frozen, **fault)
    await frozen.emit(count=2)
    await frozen.control("POST", "/reset", sub_app_id=0)
    seq = frozen.account.life.journal.seq
    await frozen.control("POST", "/clock", {"advance": 60})
    entries = (await frozen.control("GET", "/journal"))["entries"]
    assert {entry["what"] for entry in entries if entry["seq"] > seq} == {"clock"}
    last = {entry["event"]: entry for entry in entries if entry["event"]}
    assert {(one["what"], one["reason"]) for one in last.values()} == {("dropped", "the application was reset")}
    stats = await frozen.control("GET", "/stats")
    assert stats["pending_bytes"] == 0
    assert {state for state, count in stats["counts"].items() if count} == {"dropped"}


async def test_a_reset_application_holds_nothing_back_in_the_next_one(frozen: Caller) -> None:
    await put(frozen, "burst", count=2, seconds=60)
    await frozen.emit()
    await frozen.control("POST", "/reset", sub_app_id=0)
    [event] = await frozen.emit()
    assert (await frozen.event(event["id"]))["state"] == "scheduled"


async def test_another_application_keeps_what_a_fault_holds_back(frozen: Caller) -> None:
    await put(frozen, "delay", seconds=10)
    [event] = await frozen.emit()
    await frozen.control("POST", "/events", {}, sub_app_id=7)
    await frozen.control("POST", "/reset", sub_app_id=7)
    await frozen.control("POST", "/clock", {"advance": 10})
    assert (await frozen.event(event["id"]))["state"] == "queued"
