"""A media file's way through Tencent's SDK: processed, told of, described, deleted. Unknown members fail the test."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import ClientSession
from tencentcloud.vod.v20180717 import models

from mockvod.app import Running
from tests.sdk.client import Way, make_sdk
from tests.support import Caller, Receiver

Start = Callable[..., Awaitable[Running]]

pytestmark = [
    pytest.mark.filterwarnings("ignore:datetime.datetime.utcfromtimestamp:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:parameter `(ErrCode|Message)` is deprecated:DeprecationWarning"),
]

TASKS = {
    "TranscodeTaskSet": [{"Definition": 100020}],
    "CoverBySnapshotTaskSet": [{"Definition": 10, "PositionType": "Time", "PositionValue": 1}],
    "SnapshotByTimeOffsetTaskSet": [{"Definition": 10, "ExtTimeOffsetSet": ["1s"]}],
    "AdaptiveDynamicStreamingTaskSet": [{"Definition": 10}],
    "ImageSpriteTaskSet": [{"Definition": 10}],
    "SampleSnapshotTaskSet": [{"Definition": 10}],
    "AnimatedGraphicTaskSet": [{"Definition": 20000, "StartTimeOffset": 0, "EndTimeOffset": 1}],
}


def structure(name: str, members: dict[str, Any]) -> Any:
    made = getattr(models, name)()
    made._deserialize(members)
    return made


@pytest.mark.parametrize("way", [Way(), Way("HmacSHA256"), Way(asynchronous=True)], ids=str)
@pytest.mark.parametrize("mode", ["pull", "push"])
async def test_a_media_file_goes_its_whole_way(
    start: Start, session: ClientSession, receiver: Receiver, mode: str, way: Way
) -> None:
    pushed = {"callback_url": receiver.url} if mode == "push" else {}
    switches = {"delete_media_complete_event_switch": "ON"}
    caller = Caller(await start(task_duration=5, poll_hold=0, profile="current", **switches, **pushed), session)
    await caller.clock.freeze()
    sdk = make_sdk(f"127.0.0.1:{caller.running.port}", way, language="en-US")

    async def event(number: int) -> Any:
        if mode == "push":
            return structure("EventContent", (await receiver.wait_for(number))[number - 1].event)
        [pulled] = await sdk.pull()
        await sdk.call("ConfirmEvents", EventHandles=[pulled.EventHandle])
        return pulled

    process = structure("MediaProcessTaskInput", TASKS)
    await sdk.call("CreateProcedureTemplate", Name="Whole", MediaProcessTask=process)
    started = await sdk.call("ProcessMediaByProcedure", FileId="1", ProcedureName="Whole", SessionContext="c")
    await caller.clock.advance(5)
    reported = (await event(1)).ProcedureStateChangeEvent
    assert (reported.TaskId, reported.Status, reported.SessionContext) == (started.TaskId, "FINISH", "c")
    results = {one.Type: one for one in reported.MediaProcessResultSet}
    assert len(results) == len(TASKS)
    assert results["Transcode"].TranscodeTask.Output.Definition == 100020
    detail = await sdk.call("DescribeTaskDetail", TaskId=started.TaskId)
    assert detail.ProcedureTask.MediaProcessResultSet[0].TranscodeTask.Status == "SUCCESS"

    [media] = (await sdk.call("DescribeMediaInfos", FileIds=["1"])).MediaInfoSet
    assert media.BasicInfo.CoverUrl == results["CoverBySnapshot"].CoverBySnapshotTask.Output.CoverUrl
    async with session.get(media.TranscodeInfo.TranscodeSet[1].Url) as response:
        assert (response.status, response.content_type) == (200, "video/mp4")

    await sdk.call("ModifyMediaInfo", FileId="1", Name="Renamed", AddTags=["t"])
    [found] = (await sdk.call("SearchMedia", Tags=["t"])).MediaInfoSet
    assert (found.FileId, found.BasicInfo.Name) == ("1", "Renamed")
    await sdk.call("DeleteMedia", FileId="1")
    deleted = (await event(2)).FileDeleteEvent
    assert (deleted.FileIdSet, deleted.FileDeleteResultInfo[0].DeleteParts) == (["1"], [])
    assert (await sdk.call("DescribeMediaInfos", FileIds=["1"])).NotExistFileIdSet == ["1"]
    await sdk.close()
