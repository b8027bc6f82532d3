"""Queue faults, as Tencent's SDK meets them."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import ClientSession
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

from mockvod.app import Running
from tests.sdk.client import Sdk
from tests.support import Caller

# The SDK still uses what Python 3.12 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcfromtimestamp:DeprecationWarning")

Start = Callable[..., Awaitable[Running]]


@pytest.fixture
async def frozen(start: Start, session: ClientSession) -> Caller:
    caller = Caller(await start(profile="current"), session)
    await caller.clock.freeze()
    return caller


async def put(caller: Caller, fault: str, **given: Any) -> None:
    assert len((await caller.control("POST", "/faults", {"fault": fault, **given}))["faults"]) == 1


def task_ids(pulled: list[Any]) -> list[str]:
    return [one.SnapshotByTimeOffsetCompleteEvent.TaskId for one in pulled]


def ids(events: list[dict[str, Any]]) -> list[str]:
    return [one["task_id"] for one in events]


async def state(caller: Caller, event: dict[str, Any]) -> str:
    found: str = (await caller.event(event["id"]))["state"]
    return found


async def confirm(sdk: Sdk, *pulled: Any) -> None:
    await sdk.call("ConfirmEvents", EventHandles=[one.EventHandle for one in pulled])


async def test_an_event_is_delivered_again_before_its_visibility_timeout(frozen: Caller, sdk: Sdk) -> None:
    await put(frozen, "redeliver-early", when={"first": 1})
    [event] = await frozen.emit()
    [first] = await sdk.pull()
    [second] = await sdk.pull()
    assert task_ids([first, second]) == [event["task_id"]] * 2
    assert first.EventHandle != second.EventHandle
    await confirm(sdk, first)  # which is answered with success, and changes nothing
    assert await state(frozen, event) == "leased"
    await confirm(sdk, second)
    assert await state(frozen, event) == "confirmed"


async def test_an_event_is_delivered_again_after_a_part_of_its_visibility_timeout(frozen: Caller, sdk: Sdk) -> None:
    await put(frozen, "redeliver-early", after=10, when={"first": 2})
    slow, fast = await frozen.emit(count=2)
    pulled = await sdk.pull()
    await confirm(sdk, pulled[1])
    await frozen.clock.advance(9.9)
    assert frozen.account.life.application().queue.visible == 0
    await frozen.clock.advance(0.1)
    assert task_ids(await sdk.pull()) == [slow["task_id"]]
    assert await state(frozen, fast) == "confirmed"


async def test_a_lost_confirmation_delivers_the_event_again(frozen: Caller, sdk: Sdk) -> None:
    await put(frozen, "lose-confirm", when={"nth": 2})
    first, second = await frozen.emit(count=2)
    await confirm(sdk, *await sdk.pull())
    assert (await state(frozen, first), await state(frozen, second)) == ("confirmed", "leased")
    await frozen.clock.advance(30)
    [again] = await sdk.pull()
    assert task_ids([again]) == [second["task_id"]]
    await confirm(sdk, again)
    assert await state(frozen, second) == "confirmed"


async def test_a_confirmation_succeeds_and_gets_an_error(frozen: Caller, sdk: Sdk) -> None:
    await put(frozen, "fail-confirm", when={"first": 1})
    events = await frozen.emit(count=2)
    pulled = await sdk.pull()
    with pytest.raises(TencentCloudSDKException) as refused:
        await confirm(sdk, *pulled)
    assert refused.value.code == "InternalError"
    assert {await state(frozen, event) for event in events} == {"confirmed"}
    await confirm(sdk, *pulled)  # a second try is answered with success
    timelines = [(await frozen.event(event["id"]))["timeline"] for event in events]
    assert [[entry["what"] for entry in timeline].count("fault") for timeline in timelines] == [1, 1]
    assert [one["fired"] for one in (await frozen.control("GET", "/faults"))["faults"]] == [1]


async def test_a_stale_handle_is_refused_and_the_event_delivered_again(frozen: Caller, sdk: Sdk) -> None:
    await put(frozen, "stale-handle", when={"first": 1})
    [event] = await frozen.emit()
    [pulled] = await sdk.pull()
    assert len(pulled.EventHandle) == 18
    with pytest.raises(TencentCloudSDKException) as refused:
        await confirm(sdk, pulled)
    assert refused.value.code == "InvalidParameterValue"
    await frozen.clock.advance(30)
    [again] = await sdk.pull()
    await confirm(sdk, again)
    assert await state(frozen, event) == "confirmed"


async def test_a_pull_finds_nothing_although_events_wait(frozen: Caller, sdk: Sdk) -> None:
    await put(frozen, "empty-pull", when={"first": 1})
    [event] = await frozen.emit()
    with pytest.raises(TencentCloudSDKException) as refused:
        await sdk.pull()
    assert (refused.value.code, refused.value.message) == ("ResourceNotFound", "no event")
    assert task_ids(await sdk.pull()) == [event["task_id"]]


async def test_an_empty_queue_does_not_count_as_a_fault(frozen: Caller) -> None:
    await put(frozen, "empty-pull")
    await frozen.control("PATCH", "/config", {"poll_hold": 0})
    await frozen.call("PullEvents")
    [fault] = (await frozen.control("GET", "/faults"))["faults"]
    assert (fault["seen"], fault["fired"]) == (0, 0)


async def test_a_pull_gets_fewer_events_than_wait(frozen: Caller, sdk: Sdk) -> None:
    await put(frozen, "fewer", at_most=2, when={"first": 1})
    events = await frozen.emit(count=5)
    assert task_ids(await sdk.pull()) == ids(events[:2])
    assert task_ids(await sdk.pull()) == ids(events[2:])


async def test_the_events_of_a_pull_are_reordered(frozen: Caller, sdk: Sdk) -> None:
    await put(frozen, "swap-order")
    events = await frozen.emit(count=4)
    pulled = await sdk.pull()
    assert task_ids(pulled) != ids(events)
    assert sorted(task_ids(pulled)) == sorted(ids(events))
    await confirm(sdk, pulled[0])
    [confirmed] = (await frozen.control("GET", "/events", state="confirmed"))["events"]
    assert confirmed["task_id"] == task_ids(pulled)[0]


async def test_a_scope_limits_queue_faults(frozen: Caller, sdk: Sdk) -> None:
    await put(frozen, "lose-confirm", scope={"file_id": "1"})
    [lost] = await frozen.emit(file_id="1")
    [kept] = await frozen.emit(file_id="2")
    await confirm(sdk, *await sdk.pull())
    assert (await state(frozen, lost), await state(frozen, kept)) == ("leased", "confirmed")
