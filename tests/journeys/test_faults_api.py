"""API faults, as Tencent's SDK and a plain HTTP client meet them."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import ClientOSError, ClientPayloadError, ClientSession, ServerDisconnectedError, web
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

from mockvod.app import Running
from mockvod.engine.clock import Clock, Timer
from tests.sdk.client import Sdk, Way, make_sdk
from tests.support import Caller

# The SDK still uses what Python 3.12 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcfromtimestamp:DeprecationWarning")

Start = Callable[..., Awaitable[Running]]


@pytest.fixture
async def frozen(start: Start, session: ClientSession) -> Caller:
    caller = Caller(await start(profile="current", poll_hold=0), session)
    await caller.clock.freeze()
    return caller


async def put(caller: Caller, fault: str, **given: Any) -> None:
    assert len((await caller.control("POST", "/faults", {"fault": fault, **given}))["faults"]) == 1


async def refusal(call: Awaitable[Any]) -> TencentCloudSDKException:
    with pytest.raises(TencentCloudSDKException) as caught:
        await call
    return caught.value


@dataclass
class Answer:
    status: int
    content_type: str
    body: bytes


async def answered(caller: Caller, action: str = "DescribeEventsState", language: str = "en-US") -> Answer:
    """What a plain HTTP client gets."""
    headers = {"X-TC-Action": action, "X-TC-Version": "2018-07-17", "X-TC-Language": language}
    async with caller.session.post(caller.running.url + "/", json={}, headers=headers) as response:
        return Answer(response.status, response.headers["Content-Type"], await response.read())


async def waiting_for(clock: Clock, what: str) -> None:
    """Return as soon as something of this name is due on the clock."""
    begun = asyncio.Event()
    at = clock.at

    def watched(when: float, call: Callable[[], None], name: str) -> Timer:
        if what in name:
            begun.set()
        return at(when, call, name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "at", watched)
        async with asyncio.timeout(10):
            await begun.wait()


# --- errors


async def test_a_call_gets_a_documented_error(frozen: Caller, sdk: Sdk) -> None:
    await put(frozen, "error", code="FailedOperation.InvalidVodUser", scope={"action": "PullEvents"})
    [event] = await frozen.emit()
    error = await refusal(sdk.pull())
    assert (error.code, error.message) == ("FailedOperation.InvalidVodUser", "invalid vod user")
    assert (await frozen.event(event["id"]))["state"] == "queued"
    assert (await sdk.call("DescribeEventsState")).CountOfEventsToPull == 1  # another action is as it should be


async def test_a_call_may_be_executed_and_get_an_error_all_the_same(frozen: Caller, sdk: Sdk) -> None:
    await put(frozen, "error", done=True, message="{it} happened")
    [event] = await frozen.emit()
    error = await refusal(sdk.pull())
    assert (error.code, error.message) == ("InternalError", "{it} happened")
    assert (await frozen.event(event["id"]))["state"] == "leased"


async def test_calls_beyond_the_rate_are_refused_until_the_next_second(frozen: Caller, sdk: Sdk) -> None:
    await put(frozen, "throttle", rate=2)
    await frozen.control("POST", "/clock", {"set": 1_900_000_000})
    for _ in range(2):
        await sdk.call("DescribeEventsState")
    error = await refusal(sdk.call("DescribeEventsState"))
    assert error.code == "RequestLimitExceeded"
    assert error.message == (
        "Your current request times equals to `3` in a second, which exceeds the frequency limit `2` for a second. "
        "Please reduce the frequency of calls."
    )
    await sdk.call("DescribeEventConfig")  # each action has a rate of its own
    await frozen.clock.advance(1)
    await sdk.call("DescribeEventsState")


async def test_a_throttled_call_gets_the_message_in_its_language(frozen: Caller) -> None:
    await put(frozen, "throttle", rate=0)
    error = json.loads((await answered(frozen, language="zh-CN")).body)["Response"]["Error"]
    assert error["Message"] == "您当前每秒请求 `1` 次，超过了每秒频率上限 `0`，请稍后重试。"


# --- answers that are none


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_gateway_responds_instead_of_the_service(frozen: Caller, sdk: Sdk, status: int) -> None:
    await put(frozen, "http-status", status=status, when={"first": 1})
    [event] = await frozen.emit()
    error = await refusal(sdk.pull())
    assert error.code == "ServerNetworkError"
    assert str(status) in str(error.message)  # bytes, where the SDK takes the body for it
    assert (await frozen.event(event["id"]))["state"] == "queued"
    assert len(await sdk.pull()) == 1


async def test_a_connection_is_reset(frozen: Caller, sdk: Sdk) -> None:
    await put(frozen, "reset", when={"first": 2})
    assert (await refusal(sdk.call("DescribeEventsState"))).code == "ClientNetworkError"
    with pytest.raises((ClientOSError, ServerDisconnectedError)):
        await answered(frozen)
    assert (await answered(frozen)).status == 200


async def test_pulled_events_are_lost_with_the_connection(frozen: Caller, sdk: Sdk) -> None:
    await put(frozen, "reset", done=True, when={"first": 1})
    [event] = await frozen.emit()
    assert (await refusal(sdk.pull())).code == "ClientNetworkError"
    assert (await frozen.event(event["id"]))["state"] == "leased"
    await frozen.clock.advance(30)
    assert len(await sdk.pull()) == 1


async def test_a_response_is_empty(frozen: Caller, sdk: Sdk) -> None:
    await put(frozen, "empty-answer")
    assert (await answered(frozen)).body == b""
    with pytest.raises((TencentCloudSDKException, ValueError)):
        await sdk.call("DescribeEventsState")


async def test_a_response_is_garbage(frozen: Caller, sdk: Sdk) -> None:
    await put(frozen, "garbage", length=100)
    body = (await answered(frozen)).body
    assert len(body) == 100
    with pytest.raises(UnicodeDecodeError):
        body.decode()
    with pytest.raises((TencentCloudSDKException, ValueError)):
        await sdk.call("DescribeEventsState")


async def test_a_response_is_truncated(frozen: Caller, sdk: Sdk) -> None:
    await put(frozen, "truncated", share=0.5, when={"first": 2})
    [event] = await frozen.emit()
    assert (await refusal(sdk.pull())).code == "ChunkedEncodingError"
    assert (await frozen.event(event["id"]))["state"] == "leased"
    with pytest.raises(ClientPayloadError):
        await answered(frozen)


async def test_error_responses_are_truncated_too(frozen: Caller) -> None:
    await put(frozen, "truncated", share=1)
    with pytest.raises(ClientPayloadError):
        await answered(frozen, "PullEvents")


async def test_the_sdk_sees_no_error_behind_another_content_type(frozen: Caller, sdk: Sdk) -> None:
    await put(frozen, "wrong-content-type")
    assert (await answered(frozen)).content_type == "application/json; charset=utf-8"
    answer = await sdk.call("PullEvents")  # which found nothing
    assert answer.EventSet is None
    assert answer.RequestId


# --- time


async def test_a_call_takes_longer_by_the_clock(frozen: Caller, sdk: Sdk) -> None:
    await put(frozen, "latency", seconds=20)
    await frozen.emit()
    async with asyncio.TaskGroup() as group:
        pull = group.create_task(sdk.pull())
        await waiting_for(frozen.clock, "PullEvents is delayed by a fault")
        await frozen.clock.advance(19.9)
        assert not pull.done()
        await frozen.clock.advance(0.1)
    assert len(pull.result()) == 1


async def test_a_call_takes_longer_in_real_time_where_the_clock_runs(caller: Caller) -> None:
    await put(caller, "latency", seconds=0.2)
    began = time.monotonic()
    await answered(caller)
    assert time.monotonic() - began >= 0.2


async def test_the_sdk_gives_up_on_a_call_that_takes_too_long(frozen: Caller) -> None:
    sdk = make_sdk(f"127.0.0.1:{frozen.running.port}", Way(), timeout=0.2)
    await put(frozen, "latency", seconds=20)
    assert (await refusal(sdk.pull())).code == "ClientNetworkError"
    await sdk.close()


async def test_a_client_that_hangs_up_during_its_response_is_no_error(
    frozen: Caller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def write(response: web.StreamResponse, _: bytes) -> None:
        assert response._req is not None
        assert response._req.transport is not None
        response._req.transport.close()
        raise ConnectionResetError("Cannot write to closing transport")

    await put(frozen, "http-status", status=502)
    monkeypatch.setattr(web.StreamResponse, "write", write)
    with pytest.raises(ClientPayloadError):
        await answered(frozen)
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_response_comes_in_pieces(frozen: Caller, sdk: Sdk) -> None:
    await put(frozen, "dribble", pieces=5, seconds=8)
    [event] = await frozen.emit()
    async with asyncio.TaskGroup() as group:
        pull = group.create_task(sdk.pull())
        await waiting_for(frozen.clock, "a slow response continues")
        await frozen.clock.advance(7.9)
        assert not pull.done()
        await frozen.clock.advance(0.1)
    [pulled] = pull.result()
    assert pulled.SnapshotByTimeOffsetCompleteEvent.TaskId == event["task_id"]


# --- rules and scopes


async def test_a_fault_fires_for_every_other_call(frozen: Caller, sdk: Sdk) -> None:
    await put(frozen, "error", when={"every": 2})
    for _ in range(2):
        await sdk.call("DescribeEventsState")
        assert (await refusal(sdk.call("DescribeEventsState"))).code == "InternalError"


async def test_a_fault_ends_at_its_time(frozen: Caller, sdk: Sdk) -> None:
    await put(frozen, "error", when={"until": 60})
    await frozen.clock.advance(59)
    assert (await refusal(sdk.call("DescribeEventsState"))).code == "InternalError"
    await frozen.clock.advance(1)
    await sdk.call("DescribeEventsState")


async def test_a_fault_of_one_application_leaves_the_others_alone(frozen: Caller, sdk: Sdk) -> None:
    await frozen.control("POST", "/faults", {"fault": "error"}, sub_app_id=5)
    assert (await refusal(sdk.call("DescribeEventsState", SubAppId=5))).code == "InternalError"
    await sdk.call("DescribeEventsState")


async def test_a_fault_of_one_file_fires_for_jobs_on_it(frozen: Caller, sdk: Sdk) -> None:
    await put(frozen, "error", scope={"file_id": "528"})
    job = {"MediaProcessTask": {"SnapshotByTimeOffsetTaskSet": [{"Definition": 10, "ExtTimeOffsetSet": ["1s"]}]}}
    with pytest.raises(TencentCloudSDKException):
        await sdk.call_with({}, "ProcessMedia", FileId="528", **job)
    await sdk.call_with({}, "ProcessMedia", FileId="529", **job)
