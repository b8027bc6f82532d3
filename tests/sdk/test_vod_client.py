"""Reliable callback through Tencent's own SDK: every signature, both methods, both of its halves."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.retry import StandardRetryer
from tencentcloud.common.retry_async import StandardRetryer as AsyncStandardRetryer
from tencentcloud.vod.v20180717.vod_client import VodClient

from mockvod.app import Running
from mockvod.engine.events import Event
from mockvod.service.application import Application
from mockvod.wire.actions import VOD_ACTIONS
from mockvod.wire.errors import MissingParameter
from mockvod.wire.events import SNAPSHOT_COMPLETE
from tests.polls import polls_held
from tests.sdk.client import SECRET_ID, SECRET_KEY, WAYS, Sdk, Way, make_sdk

# The SDK still uses what Python 3.12 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcfromtimestamp:DeprecationWarning")

Start = Callable[..., Awaitable[Running]]
MakeSdk = Callable[..., Sdk]

every_way = pytest.mark.parametrize("way", WAYS, ids=str)
both_halves = pytest.mark.parametrize("way", [Way(), Way(asynchronous=True)], ids=str)

UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


@pytest.fixture
async def sdk_of() -> AsyncIterator[MakeSdk]:
    """Makes clients of a server, in the first way if not told another: `sdk_of(running, way, language="en-US")`."""
    made: list[Sdk] = []

    def make(running: Running, way: Way | None = None, **how: Any) -> Sdk:
        made.append(make_sdk(f"127.0.0.1:{running.port}", way or Way(), **how))
        return made[-1]

    yield make
    for sdk in made:
        await sdk.close()


@pytest.fixture
async def secured(start: Start) -> Running:
    """A server that really checks signatures, and answers what the SDK's models know."""
    return await start(
        auth="strict", strict_service=True, secret_id=SECRET_ID, secret_key=SECRET_KEY, profile="current"
    )


def application(running: Running, sub_app_id: int | None = None) -> Application:
    return running.world.default.life.application(sub_app_id)


def emit(running: Running, count: int = 1, *, sub_app_id: int | None = None, **options: Any) -> list[Event]:
    app = application(running, sub_app_id)
    return [app.emit(SNAPSHOT_COMPLETE, app.snapshot_task(**options)) for _ in range(count)]


async def refusal(call: Awaitable[Any]) -> TencentCloudSDKException:
    with pytest.raises(TencentCloudSDKException) as caught:
        await call
    assert re.fullmatch(UUID, caught.value.requestId)
    return caught.value


async def no_event(sdk: Sdk, running: Running) -> TencentCloudSDKException:
    """What a pull raises once its hold is over; the clock must be frozen."""
    async with asyncio.TaskGroup() as group:
        refused = group.create_task(refusal(sdk.call("PullEvents")))
        await polls_held(application(running).queue, 1)
        await running.world.default.life.clock.advance(5)
    return refused.result()


# --- every way


@every_way
async def test_events_are_pulled_and_confirmed(secured: Running, sdk_of: MakeSdk, way: Way) -> None:
    sdk = sdk_of(secured, way)
    [event] = emit(secured, time_offsets=[10000, 20000], failed=[20000], err_code=-43001, definition=1008)
    task = event.structure()

    answer = await sdk.call("PullEvents")

    assert re.fullmatch(UUID, answer.RequestId)
    [content] = answer.EventSet
    assert content.EventType == "CreateSnapshotByTimeOffsetComplete"
    assert re.fullmatch("[0-9]{18}", content.EventHandle)
    reported = content.SnapshotByTimeOffsetCompleteEvent
    assert (reported.TaskId, reported.FileId, reported.Definition) == (task["TaskId"], task["FileId"], 1008)
    good, bad = reported.SnapshotInfoSet
    assert (good.ErrCode, good.TimeOffset, good.Url) == (0, 10000, task["SnapshotInfoSet"][0]["Url"])
    assert (bad.ErrCode, bad.TimeOffset, bad.Url) == (-43001, 20000, "")
    others = {name: value for name, value in vars(content).items() if value is not None}
    assert set(others) == {"_EventHandle", "_EventType", "_SnapshotByTimeOffsetCompleteEvent"}

    confirmed = await sdk.call("ConfirmEvents", EventHandles=[content.EventHandle])
    assert re.fullmatch(UUID, confirmed.RequestId)
    assert event.state == "confirmed"


@every_way
async def test_an_empty_poll_is_the_error_no_event_after_five_seconds(
    secured: Running, sdk_of: MakeSdk, way: Way
) -> None:
    await secured.world.default.life.clock.freeze()
    error = await no_event(sdk_of(secured, way), secured)
    assert (error.code, error.message) == ("ResourceNotFound", "no event")


@every_way
async def test_the_number_of_events_is_returned(secured: Running, sdk_of: MakeSdk, way: Way) -> None:
    sdk = sdk_of(secured, way)
    emit(secured, 3)
    assert (await sdk.call("DescribeEventsState")).CountOfEventsToPull == 3
    assert (await sdk.call("DescribeEventsState", SubAppId=1500000001)).CountOfEventsToPull == 0


@every_way
async def test_the_event_config_is_changed_and_described(secured: Running, sdk_of: MakeSdk, way: Way) -> None:
    sdk = sdk_of(secured, way)
    url = "http://127.0.0.1:9/a b?x=1&y=云"
    await sdk.call(
        "ModifyEventConfig",
        Mode="PUSH",
        NotificationUrl=url,
        UploadMediaCompleteEventSwitch="ON",
        DeleteMediaCompleteEventSwitch="OFF",
        PersistenceCompleteEventSwitch="ON",
        SignKey="abc123",
        SubAppId=1500000001,
    )
    config = await sdk.call("DescribeEventConfig", SubAppId=1500000001)
    assert (config.Mode, config.NotificationUrl) == ("PUSH", url)
    assert config.UploadMediaCompleteEventSwitch == "ON"
    assert config.DeleteMediaCompleteEventSwitch == "OFF"
    assert config.PersistenceCompleteEventSwitch == "ON"
    assert application(secured, 1500000001).settings.sign_key == "abc123"
    other = await sdk.call("DescribeEventConfig")
    assert (other.Mode, other.NotificationUrl) == ("PULL", "")


@every_way
async def test_an_error_raises_with_its_code_and_request_id(secured: Running, sdk_of: MakeSdk, way: Way) -> None:
    sdk = sdk_of(secured, way, language="en-US")
    error = await refusal(sdk.call("ConfirmEvents", EventHandles=["830895250939762237"]))
    assert error.code == "InvalidParameterValue"
    assert "`EventHandles.0`" in error.message
    assert "`830895250939762237`" in error.message
    unsimulated = await refusal(sdk.call("DescribeCdnLogs", DomainName="a"))
    assert unsimulated.code == "UnsupportedOperation"
    assert "`DescribeCdnLogs`" in unsimulated.message


@every_way
async def test_a_wrong_key_is_a_signature_failure(secured: Running, sdk_of: MakeSdk, way: Way) -> None:
    emit(secured)
    error = await refusal(sdk_of(secured, way, secret_key="wrong").call("PullEvents"))
    assert error.code == "AuthFailure.SignatureFailure"
    stranger = await refusal(sdk_of(secured, way, secret_id="AKIDother").call("PullEvents"))
    assert stranger.code == "AuthFailure.SecretIdNotFound"
    assert application(secured).queue.visible == 1


@every_way
async def test_messages_are_in_the_language_of_the_profile(secured: Running, sdk_of: MakeSdk, way: Way) -> None:
    english = await refusal(sdk_of(secured, way, language="en-US").call("ConfirmEvents"))
    assert english.message == MissingParameter(name="EventHandles").message("en-US")
    chinese = await refusal(sdk_of(secured, way, language="zh-CN").call("ConfirmEvents"))
    assert chinese.message == MissingParameter(name="EventHandles").message("zh-CN")


@every_way
async def test_values_of_any_text_survive_the_signature(secured: Running, sdk_of: MakeSdk, way: Way) -> None:
    sdk = sdk_of(secured, way, language="en-US")
    handles = ["a b+c", "云/=~*&?#%41", "e\u0301"]
    error = await refusal(sdk.call("ConfirmEvents", EventHandles=handles, ExtInfo="x=1&y=云 "))
    assert "`a b+c`" in error.message
    error = await refusal(sdk.call("ConfirmEvents", EventHandles=handles[1:]))
    assert "`云/=~*&?#%41`" in error.message


# --- what only some ways have


@both_halves
async def test_an_unsigned_payload_is_accepted(secured: Running, sdk_of: MakeSdk, way: Way) -> None:
    sdk = sdk_of(secured, way, unsigned_payload=True)
    emit(secured)
    [content] = await sdk.pull()
    await sdk.call("ConfirmEvents", EventHandles=[content.EventHandle])
    assert application(secured).queue.leased == 0


@both_halves
async def test_parameters_may_come_as_multipart(secured: Running, sdk_of: MakeSdk, way: Way) -> None:
    sdk = sdk_of(secured, way)
    emit(secured)
    multipart = {"IsMultipart": True}
    answer = await sdk.call_with(multipart, "PullEvents")
    [content] = answer["EventSet"]
    assert set(await sdk.call_with(multipart, "ConfirmEvents", EventHandles=[content["EventHandle"]])) == {"RequestId"}
    assert application(secured).queue.leased == 0


@both_halves
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_unsigned_call_passes_unless_signatures_are_required(
    running: Running, secured: Running, sdk_of: MakeSdk, way: Way, method: str
) -> None:
    way = Way(method=method, asynchronous=way.asynchronous)
    skip = {"SkipSign": True}
    answer = await sdk_of(running, way).call_with(skip, "DescribeEventsState", SubAppId=1)
    assert answer["CountOfEventsToPull"] == 0
    error = await refusal(sdk_of(secured, way, language="en-US").call_with(skip, "DescribeEventsState"))
    assert (error.code, "`Authorization`" in error.message) == ("MissingParameter", True)


@both_halves
async def test_a_temporary_credential_brings_its_token(secured: Running, sdk_of: MakeSdk, way: Way) -> None:
    for sign_method in ("TC3-HMAC-SHA256", "HmacSHA256"):
        sdk = sdk_of(secured, Way(sign_method, asynchronous=way.asynchronous))
        sdk.client.credential.token = "a-token"
        assert (await sdk.call("DescribeEventsState")).CountOfEventsToPull == 0


# --- what events look like


@both_halves
@pytest.mark.parametrize("profile", ["current", "sparse"])
async def test_the_models_know_every_field(start: Start, sdk_of: MakeSdk, way: Way, profile: str) -> None:
    # Of a field that it does not know the SDK warns, and here a warning is an error.
    running = await start(profile=profile)
    emit(running)
    [content] = await sdk_of(running, way).pull()
    assert content.SnapshotByTimeOffsetCompleteEvent.FileId


@both_halves
async def test_the_models_know_all_but_two_fields_of_the_oldest_document(
    start: Start, sdk_of: MakeSdk, way: Way
) -> None:
    running = await start(profile="seed")
    [event] = emit(running)
    with pytest.warns(UserWarning, match="fileds are useless") as caught:
        [content] = await sdk_of(running, way).pull()
    [warning] = [str(one.message) for one in caught if one.category is UserWarning]  # not what Python deprecates
    unknown = warning.split(" ")[0].split(",")
    assert sorted(unknown) == ["EditMediaComplete", "WechatPublishComplete"]
    assert content.SnapshotByTimeOffsetCompleteEvent.TaskId == event.structure()["TaskId"]


@both_halves
async def test_an_empty_event_set_is_a_setting(start: Start, sdk_of: MakeSdk, way: Way) -> None:
    for empty_reply, event_set in (("null", None), ("empty", [])):
        running = await start(empty_reply=empty_reply, poll_hold=0)
        answer = await sdk_of(running, way).call("PullEvents")
        assert answer.EventSet == event_set


# --- how programs use it


def retryer(way: Way) -> Any:
    async def at_once(_: int) -> float:
        return 0

    return AsyncStandardRetryer(backoff_fn=at_once) if way.asynchronous else StandardRetryer(backoff_fn=lambda _: 0)


@both_halves
async def test_the_sdks_retryer_does_not_retry_an_empty_poll(secured: Running, sdk_of: MakeSdk, way: Way) -> None:
    await secured.world.default.life.clock.freeze()
    error = await no_event(sdk_of(secured, way, retryer=retryer(way)), secured)
    assert (error.code, error.message) == ("ResourceNotFound", "no event")
    assert application(secured).queue.waiting == 0


@both_halves
async def test_a_loop_that_confirms_all_it_pulled_in_one_batch_sees_every_event_once(
    secured: Running, sdk_of: MakeSdk, way: Way
) -> None:
    sdk = sdk_of(secured, way)
    clock = secured.world.default.life.clock
    await clock.freeze()
    emitted = [event.structure()["TaskId"] for event in emit(secured, 40)]
    seen: list[str] = []
    sizes: list[int] = []

    while True:
        if application(secured).queue.visible:
            batch = await sdk.pull()
        else:
            assert (await no_event(sdk, secured)).message == "no event"
            break
        seen += [content.SnapshotByTimeOffsetCompleteEvent.TaskId for content in batch]
        sizes.append(len(batch))
        await sdk.call("ConfirmEvents", EventHandles=[content.EventHandle for content in batch])
        await clock.advance(10)

    assert (seen, sizes) == (emitted, [16, 16, 8])
    await clock.advance(60)
    assert (await sdk.call("DescribeEventsState")).CountOfEventsToPull == 0


@every_way
async def test_handles_after_leading_gaps_are_confirmed(secured: Running, sdk_of: MakeSdk, way: Way) -> None:
    sdk = sdk_of(secured, way)
    emit(secured, 2)
    handles = [content.EventHandle for content in await sdk.pull()]
    if way.method == "POST" and way.sign_method == "TC3-HMAC-SHA256":
        # JSON has no gaps: what would be one is a null there, which is no handle.
        error = await refusal(sdk.call("ConfirmEvents", EventHandles=[None, *handles]))
        assert (error.code, "EventHandles.0" in error.message) == ("InvalidParameter", True)
        assert application(secured).queue.leased == 2
    else:
        # The SDK leaves out what is None and keeps the indexes: EventHandles.3 and EventHandles.4.
        await sdk.call("ConfirmEvents", EventHandles=[None, None, None, *handles])
        assert application(secured).queue.leased == 0


@both_halves
async def test_unconfirmed_events_are_delivered_again_under_new_handles(
    secured: Running, sdk_of: MakeSdk, way: Way
) -> None:
    sdk = sdk_of(secured, way)
    clock = secured.world.default.life.clock
    await clock.freeze()
    emit(secured, 16)
    first = await sdk.pull()
    await sdk.call("ConfirmEvents", EventHandles=[content.EventHandle for content in first[:12]])
    left = [content.SnapshotByTimeOffsetCompleteEvent.TaskId for content in first[12:]]

    await clock.advance(29.9)
    assert (await sdk.call("DescribeEventsState")).CountOfEventsToPull == 0
    await clock.advance(0.1)
    again = await sdk.pull()

    assert [content.SnapshotByTimeOffsetCompleteEvent.TaskId for content in again] == left
    assert not {content.EventHandle for content in again} & {content.EventHandle for content in first}
    late = await refusal(sdk.call("ConfirmEvents", EventHandles=[first[15].EventHandle]))
    assert late.code == "InvalidParameterValue"


@every_way
@pytest.mark.parametrize("handles", [None, []])
async def test_confirming_no_handles_is_refused(secured: Running, sdk_of: MakeSdk, way: Way, handles: Any) -> None:
    error = await refusal(sdk_of(secured, way).call("ConfirmEvents", EventHandles=handles))
    assert (error.code, "`EventHandles`" in error.message) == ("MissingParameter", True)


@every_way
async def test_seventeen_handles_are_too_many(secured: Running, sdk_of: MakeSdk, way: Way) -> None:
    sdk = sdk_of(secured, way)
    emit(secured, 17)
    handles = [content.EventHandle for content in await sdk.pull() + await sdk.pull()]
    assert len(handles) == 17
    error = await refusal(sdk.call("ConfirmEvents", EventHandles=handles))
    assert (error.code, "17" in error.message) == ("InvalidParameterValue", True)
    assert application(secured).queue.leased == 17


@both_halves
async def test_a_client_that_gives_up_before_the_hold_ends_leases_no_event(
    secured: Running, sdk_of: MakeSdk, way: Way
) -> None:
    hasty = sdk_of(secured, way, timeout=0.2)
    queue = application(secured).queue
    await secured.world.default.life.clock.freeze()
    with pytest.raises((TencentCloudSDKException, httpx.ReadTimeout)) as caught:
        await hasty.call("PullEvents")
    if not way.asynchronous:
        assert caught.value.code == "ClientNetworkError"
    await polls_held(queue, 0)
    emit(secured)
    [content] = await sdk_of(secured, way).pull()
    assert content.EventHandle


@both_halves
async def test_a_blocked_poll_gets_an_event_that_happens_meanwhile(secured: Running, sdk_of: MakeSdk, way: Way) -> None:
    await secured.world.default.life.clock.freeze()
    async with asyncio.TaskGroup() as group:
        pull = group.create_task(sdk_of(secured, way).pull())
        await polls_held(application(secured).queue, 1)
        [event] = emit(secured)
    [content] = pull.result()
    assert content.SnapshotByTimeOffsetCompleteEvent.TaskId == event.structure()["TaskId"]


async def test_a_blocked_poll_returns_no_event_when_the_server_stops(start: Start, sdk_of: MakeSdk) -> None:
    running = await start()
    async with asyncio.TaskGroup() as group:
        refused = group.create_task(refusal(sdk_of(running).call("PullEvents")))
        await polls_held(application(running).queue, 1)
        running.world.begin_shutdown()
    assert refused.result().message == "no event"


async def test_the_response_is_what_the_sdk_expects_byte_for_byte(secured: Running, sdk_of: MakeSdk) -> None:
    # The SDK looks for errors under exactly this Content-Type and no other.
    sdk = sdk_of(secured)
    answers: list[Any] = []
    send = sdk.client.request.conn._session.send

    def keep(*args: Any, **kwargs: Any) -> Any:
        answers.append(send(*args, **kwargs))
        return answers[-1]

    sdk.client.request.conn._session.send = keep
    await refusal(sdk.call("ConfirmEvents"))
    [answer] = answers
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert set(json.loads(answer.content)) == {"Response"}


def test_every_action_of_the_sdk_is_known() -> None:
    actions = {name for name in vars(VodClient) if name[0].isupper()}
    assert len(actions) > 200
    assert actions <= VOD_ACTIONS


@pytest.mark.parametrize("sign_method", ["TC3-HMAC-SHA256", "HmacSHA1"])
async def test_an_endpoint_may_end_with_a_slash(secured: Running, sign_method: str) -> None:
    sdk = make_sdk(f"127.0.0.1:{secured.port}/", Way(sign_method=sign_method))
    assert (await sdk.call("DescribeEventsState")).CountOfEventsToPull == 0
    await sdk.close()
