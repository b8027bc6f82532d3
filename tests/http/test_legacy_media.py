"""The actions of API 2.0 about media and tasks."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import ClientSession

from mockvod.app import Running
from mockvod.http import legacy, legacy_media
from tests.http.test_legacy import Old
from tests.sdk.journey import addresses, fetch
from tests.support import Receiver

Start = Callable[..., Awaitable[Running]]


@pytest.fixture
async def old(start: Start, session: ClientSession) -> Old:
    settings = {"poll_hold": 0, "task_duration": 10, "delete_media_complete_event_switch": "ON"}
    caller = Old(await start(**settings), session)
    await caller.clock.freeze()
    await caller.clock.set(1_700_000_000)
    facts = {"file_id": "1", "name": "Fox", "duration": 98.66, "width": 1280, "height": 720, "size": 14_214_980}
    await caller.control("POST", "/media", facts)
    return caller


EVERY_KIND = {
    "transcode.definition.0": "20",
    "transcode.definition.1": "30",
    "transcode.watermark": "1",
    "sampleSnapshot.definition": "10",
    "animatedGraphics.definition.0": "20000",
    "animatedGraphics.startTime": "1",
    "animatedGraphics.endTime": "2",
    "coverBySnapshot.definition": "10",
    "coverBySnapshot.positionType": "Percent",
    "coverBySnapshot.position": "50",
    "snapshotByTimeOffset.definition": "10",
    "snapshotByTimeOffset.timeOffset.0": "1000",
    "snapshotByTimeOffset.timeOffset.1": "2500",
    "imageSprite.definition": "10",
}


async def test_a_file_is_processed_polled_and_notified(old: Old) -> None:
    answer = await old.act("ProcessFile", fileId="1", priority="3", **EVERY_KIND)
    assert answer["code"] == 0, answer
    task_id = answer["vodTaskId"]
    info = await old.act("GetTaskInfo", vodTaskId=task_id)
    assert (info["type"], info["status"], info["createTime"], info["finishTime"]) == (
        "procedure", "WAITING", 1_700_000_000, 0,
    )  # fmt: skip
    assert "data" not in info
    await old.clock.advance(10)
    info = await old.act("GetTaskInfo", vodTaskId=task_id)
    assert (info["status"], info["beginProcessTime"], info["finishTime"]) == ("FINISH", 1_700_000_001, 1_700_000_010)
    kinds = [one["taskType"] for one in info["data"]["processTaskList"]]
    assert sorted(set(kinds)) == [
        "AnimatedGraphics", "CoverBySnapshot", "ImageSprites", "SampleSnapshot", "SnapshotByTimeOffset", "Transcode",
    ]  # fmt: skip
    assert {one["status"] for one in info["data"]["processTaskList"]} == {"SUCCESS"}
    [event] = (await old.act("PullEvent"))["eventList"]
    assert event["eventContent"]["eventType"] == "ProcedureStateChanged"
    assert event["eventContent"]["data"] == info["data"]


async def test_the_info_of_a_video_has_what_was_made_of_it(old: Old) -> None:
    await old.act("ProcessFile", fileId="1", **EVERY_KIND)
    await old.clock.advance(10)
    info = await old.act("GetVideoInfo", fileId="1")
    basic = info["basicInfo"]
    assert (basic["name"], basic["size"], basic["duration"], basic["status"]) == ("Fox", 14_214_980, 99, "normal")
    assert (basic["createTime"], basic["type"]) == (1_700_000_000, "mp4")
    assert basic["coverUrl"].endswith("coverBySnapshot_10_0.jpg")
    assert (info["metaData"]["floatDuration"], info["metaData"]["videoStreamList"][0]["codec"]) == (98.66, "h264")
    assert [one["definition"] for one in info["transcodeInfo"]["transcodeList"]] == [0, 20, 30]
    assert info["imageSpriteInfo"]["imageSpriteList"][0]["totalCount"] == 10
    [samples] = info["sampleSnapshotInfo"]
    assert (samples["sampleType"], len(samples["imageUrls"])) == ("Percent", 10)
    [snapshots] = info["snapshotByTimeOffsetInfo"]["snapshotByTimeOffsetList"]
    assert [one["timeOffset"] for one in snapshots["picInfoList"]] == [1000, 2500]
    [animation] = info["animatedGraphicsInfo"]["animatedGraphicsList"]
    assert (animation["startTime"], animation["endTime"]) == (1, 2)
    assert "keyFrameDescInfo" not in info

    filtered = await old.act("GetVideoInfo", fileId="1", **{"infoFilter.0": "basicInfo", "infoFilter.1": "drm"})
    assert list(filtered) == ["code", "message", "basicInfo"]


async def test_a_conversion_ends_in_an_event_of_its_own(old: Old) -> None:
    answer = await old.act("ConvertVodFile", fileId="1", isScreenshot="1", isWatermark="0")
    await old.clock.advance(10)
    [event] = (await old.act("PullEvent"))["eventList"]
    content = event["eventContent"]
    assert (content["eventType"], content["data"]["vodTaskId"]) == ("TranscodeComplete", answer["vodTaskId"])
    assert [one["definition"] for one in content["data"]["playSet"]] == [10, 20, 30]
    assert content["data"]["coverUrl"].endswith(".jpg")
    detail = await old.call("DescribeTaskDetail", TaskId=answer["vodTaskId"])
    assert (detail["TaskType"], detail["TranscodeTask"]["Duration"]) == ("Transcode", 99)


@pytest.mark.parametrize("mode", ["pull", "push"])
@pytest.mark.parametrize(
    ("action", "params", "event_type"),
    [
        ("ConvertVodFile", {"isScreenshot": "1"}, "TranscodeComplete"),
        ("ProcessFile", EVERY_KIND, "ProcedureStateChanged"),
    ],
)
async def test_a_file_is_processed_fetched_and_deleted(
    old: Old, receiver: Receiver, action: str, params: dict[str, str], event_type: str, mode: str
) -> None:
    if mode == "push":
        await old.control("PATCH", "/config", {"callback_url": receiver.url, "mode": "PUSH", "callback_format": "2.0"})

    async def event(number: int) -> dict[str, Any]:
        if mode == "push":
            return (await receiver.wait_for(number))[number - 1].event
        [pulled] = (await old.act("PullEvent"))["eventList"]
        assert (await old.act("ConfirmEvent", **{"msgHandle.0": pulled["msgHandle"]}))["code"] == 0
        content: dict[str, Any] = pulled["eventContent"]
        return content

    started = await old.act(action, fileId="1", **params)
    await old.clock.advance(10)
    info = await old.act("GetTaskInfo", vodTaskId=started["vodTaskId"])
    ended = await event(1)
    assert (info["status"], ended["version"], ended["eventType"]) == ("FINISH", "4.0", event_type)
    assert ended["data"] == info["data"]
    urls = {*addresses(ended), *addresses(await old.act("GetVideoInfo", fileId="1"))}
    assert len(urls) >= 4
    for url in urls:
        await fetch(old.session, url)

    assert (await old.act("DeleteVodFile", fileId="1", priority="0"))["code"] == 0
    deleted = await event(2)
    assert (deleted["eventType"], deleted["data"]["fileInfo"]) == ("FileDeleted", [{"fileId": "1"}])
    assert (await old.act("GetVideoInfo", fileId="1"))["code"] == 10008


async def test_tasks_are_listed_by_status_page_by_page(old: Old) -> None:
    started = [(await old.act("ConvertVodFile", fileId=str(one)))["vodTaskId"] for one in range(3)]
    first = (await old.act("GetTaskList", status="WAITING", maxCount="2"))["data"]
    assert ([one["vodTaskId"] for one in first["taskList"]], first["next"]) == (started[:0:-1], started[0])
    second = (await old.act("GetTaskList", status="WAITING", maxCount="2", next=first["next"]))["data"]
    assert ([one["vodTaskId"] for one in second["taskList"]], second["next"]) == (started[:1], "")
    [own] = (await old.act("GetTaskList", status="WAITING", fileId="1"))["data"]["taskList"]
    assert (own["vodTaskId"], own["type"], own["beginProcessTime"]) == (started[1], "transcode", 0)
    assert (await old.act("GetTaskList", status="FINISH"))["data"]["taskList"] == []


@pytest.mark.parametrize(
    ("action", "params", "code", "named"),
    [
        ("GetVideoInfo", {}, 4000, "fileId"),
        ("GetVideoInfo", {"fileId": "1", "infoFilter.0": "all"}, 1000, "all"),
        ("GetTaskInfo", {"vodTaskId": "x"}, 70014, "x"),
        ("GetTaskInfo", {}, 70014, ""),
        ("GetTaskList", {}, 1000, "status"),
        ("GetTaskList", {"status": "FINISH", "maxCount": "101"}, 1000, "maxCount"),
        ("ProcessFile", {"fileId": "1"}, 4000, "transcode"),
        ("ProcessFile", {"fileId": "1", "transcode": "10"}, 4000, "transcode.definition"),
        ("ProcessFile", {"fileId": "1", "transcode.watermark": "1"}, 4000, "definition"),
        ("ProcessFile", {"fileId": "1", "transcode.definition.0": "x"}, 4000, "Definition"),
        ("ProcessFile", {"fileId": "1", "transcode.definition.0": "10", "transcode.speed": "2"}, 4000, "speed"),
        ("ProcessFile", {"fileId": "1", "pornReview.definition": "10"}, 4000, "pornReview"),
        ("ProcessFile", {"fileId": "1", "imageSprite.definition": "10", "notifyMode": "x"}, 4000, "NotifyMode"),
        ("ConvertVodFile", {"fileId": "1", "isScreenshot": "yes"}, 4000, "isScreenshot"),
        ("DeleteVodFile", {"fileId": ""}, 4000, "fileId"),
    ],
)
async def test_a_call_is_refused_by_the_parameter_that_is_invalid(
    old: Old, action: str, params: dict[str, Any], code: int, named: str
) -> None:
    answer = await old.act(action, **params)
    assert (answer["code"], named in answer["message"]) == (code, True), answer


def test_the_later_actions_of_api_2_0_exist() -> None:
    assert tuple(legacy_media.ACTIONS) == legacy.LATER
