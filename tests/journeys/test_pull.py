"""An event walked through reliable callback."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import ClientSession

from mockvod.app import Running
from mockvod.engine.queue import EventQueue
from tests.polls import polls_held
from tests.support import Caller, Receiver

Start = Callable[..., Awaitable[Running]]
Begin = Callable[..., Awaitable[Caller]]

NO_EVENT = {"Error": {"Code": "ResourceNotFound", "Message": "no event"}}


@pytest.fixture
async def begin(start: Start, session: ClientSession) -> Begin:
    """A caller of a server with the settings given, whose clock stands still."""

    async def begun(**settings: Any) -> Caller:
        caller = Caller(await start(**settings), session)
        await caller.clock.freeze()
        return caller

    return begun


@pytest.fixture
async def frozen(begin: Begin) -> Caller:
    return await begin()


def queue_of(caller: Caller, sub_app_id: int | None = None) -> EventQueue:
    return caller.account.life.application(sub_app_id).queue


def tasks(answer: dict[str, Any]) -> list[str]:
    return [content["SnapshotByTimeOffsetCompleteEvent"]["TaskId"] for content in answer["EventSet"]]


def handles(answer: dict[str, Any]) -> list[str]:
    return [content["EventHandle"] for content in answer["EventSet"]]


async def test_an_event_is_pulled_and_confirmed(caller: Caller) -> None:
    [event] = await caller.emit(time_offsets=[10000, 20000])
    pulled = await caller.call("PullEvents")
    [content] = pulled["EventSet"]
    assert next(iter(content)) == "EventHandle"
    assert content["SnapshotByTimeOffsetCompleteEvent"]["TaskId"] == event["task_id"]

    assert await caller.call("ConfirmEvents", EventHandles=[content["EventHandle"]]) == {}

    await caller.clock.freeze()
    await caller.clock.advance(31)
    assert await caller.call("DescribeEventsState") == {"CountOfEventsToPull": 0}
    assert (await caller.event(event["id"]))["state"] == "confirmed"


# --- waiting for events


async def test_an_empty_poll_ends_after_five_seconds_of_the_clock_and_not_before(frozen: Caller) -> None:
    async with asyncio.TaskGroup() as group:
        pull = group.create_task(frozen.call("PullEvents"))
        await polls_held(queue_of(frozen), 1)
        await frozen.clock.advance(4.9)
        assert not pull.done()
        assert queue_of(frozen).waiting == 1
        await frozen.clock.advance(0.1)
    assert pull.result() == NO_EVENT


async def test_a_blocked_poll_is_woken_by_an_event(frozen: Caller) -> None:
    async with asyncio.TaskGroup() as group:
        pull = group.create_task(frozen.call("PullEvents"))
        await polls_held(queue_of(frozen), 1)
        [event] = await frozen.emit()
    assert tasks(pull.result()) == [event["task_id"]]


async def test_a_blocked_poll_is_woken_by_a_scheduled_event(frozen: Caller) -> None:
    [event] = await frozen.emit(delay=3)
    async with asyncio.TaskGroup() as group:
        pull = group.create_task(frozen.call("PullEvents"))
        await polls_held(queue_of(frozen), 1)
        await frozen.clock.advance(3)
    assert tasks(pull.result()) == [event["task_id"]]


async def test_a_blocked_poll_is_woken_by_the_end_of_a_lease_and_gets_a_new_handle(frozen: Caller) -> None:
    [event] = await frozen.emit()
    first = await frozen.call("PullEvents")
    await frozen.clock.advance(27)
    async with asyncio.TaskGroup() as group:
        pull = group.create_task(frozen.call("PullEvents"))
        await polls_held(queue_of(frozen), 1)
        await frozen.clock.advance(3)
    assert tasks(pull.result()) == [event["task_id"]]
    assert handles(pull.result()) != handles(first)


async def test_polls_get_events_in_the_order_in_which_they_came(frozen: Caller) -> None:
    queue = queue_of(frozen)
    async with asyncio.TaskGroup() as group:
        first = group.create_task(frozen.call("PullEvents"))
        await polls_held(queue, 1)
        second = group.create_task(frozen.call("PullEvents"))
        await polls_held(queue, 2)
        [one] = await frozen.emit()
        await polls_held(queue, 1)
        [other] = await frozen.emit()
    assert (tasks(first.result()), tasks(second.result())) == ([one["task_id"]], [other["task_id"]])


async def test_a_client_that_hangs_up_leases_no_event(frozen: Caller) -> None:
    queue = queue_of(frozen)
    _, writer = await asyncio.open_connection("127.0.0.1", frozen.running.port)
    writer.write(
        b"POST / HTTP/1.1\r\nHost: h\r\nX-TC-Action: PullEvents\r\nX-TC-Version: 2018-07-17\r\n"
        b"Content-Length: 2\r\n\r\n{}"
    )
    await polls_held(queue, 1)
    writer.close()
    await polls_held(queue, 0)
    [event] = await frozen.emit()
    assert queue.leased == 0
    assert tasks(await frozen.call("PullEvents")) == [event["task_id"]]


async def test_a_client_that_hangs_up_leaves_the_event_to_the_next_poll(frozen: Caller) -> None:
    queue = queue_of(frozen)
    _, writer = await asyncio.open_connection("127.0.0.1", frozen.running.port)
    writer.write(b"GET /?Action=PullEvents&Version=2018-07-17 HTTP/1.1\r\nHost: h\r\n\r\n")
    await polls_held(queue, 1)
    async with asyncio.TaskGroup() as group:
        pull = group.create_task(frozen.call("PullEvents"))
        await polls_held(queue, 2)
        writer.close()
        await polls_held(queue, 1)
        [event] = await frozen.emit()
    assert tasks(pull.result()) == [event["task_id"]]


# --- who gets what


async def test_sixteen_events_come_at_once_oldest_first(frozen: Caller) -> None:
    emitted = [event["task_id"] for event in await frozen.emit(count=20)]
    assert tasks(await frozen.call("PullEvents")) == emitted[:16]
    assert tasks(await frozen.call("PullEvents")) == emitted[16:]


async def test_pulls_at_the_same_time_get_different_events(frozen: Caller) -> None:
    emitted = [event["task_id"] for event in await frozen.emit(count=100)]
    answers = await asyncio.gather(*(frozen.call("PullEvents") for _ in range(7)))
    pulled = [task for answer in answers for task in tasks(answer)]
    assert sorted(pulled) == sorted(emitted)
    assert sorted(len(answer["EventSet"]) for answer in answers) == [4, 16, 16, 16, 16, 16, 16]


async def test_each_application_has_events_of_its_own(frozen: Caller) -> None:
    [default] = await frozen.emit()
    answer = await frozen.control("POST", "/events", {}, sub_app_id=1500000001)
    [other] = answer["events"]
    pulled = await frozen.call("PullEvents", SubAppId=1500000001)
    assert tasks(pulled) == [other["task_id"]]
    assert tasks(await frozen.call("PullEvents", SubAppId=0)) == [default["task_id"]]

    elsewhere = await frozen.call("ConfirmEvents", EventHandles=handles(pulled))
    assert elsewhere["Error"]["Code"] == "InvalidParameterValue"
    assert await frozen.call("ConfirmEvents", EventHandles=handles(pulled), SubAppId=1500000001) == {}


async def test_a_handle_is_refused_once_its_lease_has_ended(frozen: Caller) -> None:
    await frozen.emit()
    pulled = await frozen.call("PullEvents")
    await frozen.clock.advance(30)
    late = await frozen.call("ConfirmEvents", EventHandles=handles(pulled))
    assert late["Error"]["Code"] == "InvalidParameterValue"
    assert handles(pulled)[0] in late["Error"]["Message"]
    assert await frozen.call("DescribeEventsState") == {"CountOfEventsToPull": 1}


async def test_an_event_is_delivered_until_it_is_confirmed(frozen: Caller) -> None:
    [event] = await frozen.emit()
    seen = set()
    for _ in range(5):
        pulled = await frozen.call("PullEvents")
        assert tasks(pulled) == [event["task_id"]]
        seen.update(handles(pulled))
        await frozen.clock.advance(30)
    assert len(seen) == 5
    await frozen.call("ConfirmEvents", EventHandles=handles(await frozen.call("PullEvents")))
    timeline = [entry["what"] for entry in (await frozen.event(event["id"]))["timeline"]]
    assert timeline == ["queued", *["leased", "lease_ended"] * 5, "leased", "confirmed"]


# --- nothing to pull


@pytest.mark.parametrize(
    ("empty_reply", "answer"), [("error", NO_EVENT), ("null", {"EventSet": None}), ("empty", {"EventSet": []})]
)
async def test_the_reply_of_an_empty_poll_is_a_setting(
    start: Start, session: ClientSession, empty_reply: str, answer: Any
) -> None:
    caller = Caller(await start(empty_reply=empty_reply, poll_hold=0), session)
    assert await caller.call("PullEvents") == answer


async def test_a_blocked_poll_follows_the_setting_at_its_start(frozen: Caller) -> None:
    async with asyncio.TaskGroup() as group:
        pull = group.create_task(frozen.call("PullEvents"))
        await polls_held(queue_of(frozen), 1)
        await frozen.control("PATCH", "/config", {"empty_reply": "null"})
        await frozen.clock.advance(5)
    assert pull.result() == NO_EVENT


async def test_in_push_mode_a_pull_finds_nothing(begin: Begin, receiver: Receiver) -> None:
    caller = await begin(poll_hold=0)
    await caller.emit()
    await caller.call("ModifyEventConfig", Mode="PUSH", NotificationUrl=receiver.url)
    [pushed] = await caller.emit()
    assert await caller.call("PullEvents") == NO_EVENT
    [received] = await receiver.wait_for(1)
    assert received.event["SnapshotByTimeOffsetCompleteEvent"]["TaskId"] == pushed["task_id"]

    # What was waiting before is there again once events are pulled again.
    await caller.call("ModifyEventConfig", Mode="PULL")
    assert len(tasks(await caller.call("PullEvents"))) == 1


async def test_queued_events_can_be_pulled_in_push_mode_with_pull_in_push_mode(begin: Begin) -> None:
    caller = await begin(poll_hold=0, pull_in_push_mode=True)
    [event] = await caller.emit()
    await caller.call("ModifyEventConfig", Mode="PUSH")
    assert tasks(await caller.call("PullEvents")) == [event["task_id"]]


async def test_a_blocked_poll_gets_queued_events_when_the_mode_becomes_pull(frozen: Caller) -> None:
    [event] = await frozen.emit()
    await frozen.call("ModifyEventConfig", Mode="PUSH")
    async with asyncio.TaskGroup() as group:
        pull = group.create_task(frozen.call("PullEvents"))
        await polls_held(queue_of(frozen), 1)
        await frozen.call("ModifyEventConfig", Mode="PULL")
    assert tasks(pull.result()) == [event["task_id"]]


async def test_the_config_applies_to_the_next_event(frozen: Caller, receiver: Receiver) -> None:
    [before] = await frozen.emit()
    await frozen.call("ModifyEventConfig", Mode="PUSH", NotificationUrl=receiver.url, SignKey="key")
    await frozen.emit()
    [received] = await receiver.wait_for(1)
    assert {"Sign", "T"} <= set(received.event)
    await frozen.call("ModifyEventConfig", SignKey="")
    await frozen.emit()
    assert not {"Sign", "T"} & set((await receiver.wait_for(2))[1].event)
    assert (await frozen.event(before["id"]))["state"] == "queued"


# --- where the events are, for who looks in the wrong place


def hints(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "mockvod.application"]


async def test_a_pull_of_the_wrong_application_is_logged_once(begin: Begin, caplog: pytest.LogCaptureFixture) -> None:
    caller = await begin(poll_hold=0)
    await caller.control("POST", "/events", {"count": 2}, sub_app_id=1500000001)
    for _ in range(3):
        assert await caller.call("PullEvents") == NO_EVENT
    [line] = hints(caplog)
    assert "the default application" in line
    assert "events that wait in application 1500000001: 2" in line

    await caller.call("PullEvents", SubAppId=7)
    assert "application 7" in hints(caplog)[1]


async def test_a_pull_in_push_mode_is_logged_once(begin: Begin, caplog: pytest.LogCaptureFixture) -> None:
    caller = await begin(poll_hold=0)
    await caller.call("ModifyEventConfig", Mode="PUSH", NotificationUrl="http://127.0.0.1:9/here")
    for _ in range(3):
        await caller.call("PullEvents")
    [line] = hints(caplog)
    assert "PUSH mode" in line
    assert "http://127.0.0.1:9/here" in line

    await caller.call("ModifyEventConfig", NotificationUrl="")
    for _ in range(3):
        await caller.call("PullEvents")
    [_, line] = hints(caplog)
    assert "events fail" in line


async def test_a_pull_of_an_empty_account_is_not_logged(begin: Begin, caplog: pytest.LogCaptureFixture) -> None:
    caller = await begin(poll_hold=0)
    await caller.call("PullEvents")
    assert hints(caplog) == []


async def test_a_response_does_not_contain_the_hint(begin: Begin) -> None:
    caller = await begin(poll_hold=0)
    await caller.control("POST", "/events", {}, sub_app_id=1)
    assert json.dumps(await caller.call("PullEvents")) == json.dumps(NO_EVENT)
