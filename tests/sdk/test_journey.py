"""Whole ways through Tencent's SDK, pulled and pushed: a member that its models do not know fails the test."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientSession
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

from mockvod.app import Running
from tests.sdk.client import SECRET_ID, SECRET_KEY, Way, make_sdk
from tests.sdk.journey import PROCEDURE, TASKS, UPLOADS, Journey, fetch, structure
from tests.support import Caller, Receiver

Start = Callable[..., Awaitable[Running]]

pytestmark = [
    pytest.mark.filterwarnings("ignore:datetime.datetime.utcfromtimestamp:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:parameter `(ErrCode|Message)` is deprecated:DeprecationWarning"),
]

WAYS = {"server": Way(), "browser": Way("HmacSHA256"), "address": Way(asynchronous=True)}
"""How each journey of an upload uses the SDK."""


@pytest.fixture(params=["pull", "push"])
async def journey(
    start: Start, session: ClientSession, receiver: Receiver, request: pytest.FixtureRequest
) -> AsyncIterator[Journey]:
    """A consumer whose events are pulled or pushed, of a server that notifies of everything; its clock is frozen."""
    pushed = request.param == "push"
    switches = dict.fromkeys(
        (f"{kind}_complete_event_switch" for kind in ("upload_media", "delete_media", "persistence")), "ON"
    )
    running = await start(
        secret_id=SECRET_ID, secret_key=SECRET_KEY, task_duration=10, poll_hold=0, profile="current",
        **switches, **({"callback_url": receiver.url} if pushed else {}),
    )  # fmt: skip
    caller = Caller(running, session)
    await caller.clock.freeze()
    upload = request.node.callspec.params.get("upload", "server")
    sdk = make_sdk(f"127.0.0.1:{running.port}", WAYS[upload], language="en-US")
    yield Journey(caller, sdk, receiver if pushed else None)
    await sdk.close()


@pytest.mark.parametrize("upload", UPLOADS)
async def test_an_upload_is_processed_fetched_described_and_deleted(journey: Journey, upload: str) -> None:
    await journey.call(
        "CreateProcedureTemplate", Name=PROCEDURE, MediaProcessTask=structure("MediaProcessTaskInput", TASKS)
    )
    uploaded = await UPLOADS[upload](journey)
    assert uploaded.MediaBasicInfo.SourceInfo.SourceContext == "source"
    reported = await journey.procedure(uploaded.ProcedureTaskId)
    assert (reported.FileId, reported.SessionContext) == (uploaded.FileId, "session")
    detail = await journey.call("DescribeTaskDetail", TaskId=reported.TaskId)
    assert [one.Type for one in detail.ProcedureTask.MediaProcessResultSet] == [
        one.Type for one in reported.MediaProcessResultSet
    ]

    media = await journey.media(uploaded.FileId)
    [cover] = [one.CoverBySnapshotTask for one in reported.MediaProcessResultSet if one.Type == "CoverBySnapshot"]
    assert media.BasicInfo.CoverUrl == cover.Output.CoverUrl
    urls = await journey.fetch_all(uploaded, reported, media)
    assert len(urls) > 20

    await journey.call("DeleteMedia", FileId=uploaded.FileId)
    deleted = (await journey.event("FileDeleted")).FileDeleteEvent
    assert (deleted.FileIdSet, deleted.FileDeleteResultInfo[0].DeleteParts) == ([uploaded.FileId], [])
    assert {await journey.status(url) for url in urls} == {404}
    described = await journey.call("DescribeMediaInfos", FileIds=[uploaded.FileId])
    assert described.NotExistFileIdSet == [uploaded.FileId]


@pytest.mark.parametrize("kind", TASKS)
async def test_each_kind_of_job_makes_files_that_can_be_fetched(journey: Journey, kind: str) -> None:
    reported = await journey.process("1", {kind: TASKS[kind]}, SessionContext="c", TasksPriority=3)
    assert (reported.SessionContext, reported.TasksPriority) == ("c", 3)
    results = reported.MediaProcessResultSet
    assert [carried(result).Status for result in results] == ["SUCCESS"] * len(TASKS[kind])
    media = await journey.media("1")
    outputs = await journey.fetch_all(*results)
    assert outputs
    assert outputs <= await journey.fetch_all(media)


def carried(result: Any) -> Any:
    """The task within one result of a procedure."""
    [task] = [value for name, value in vars(result).items() if name != "_Type" and value is not None]
    return task


async def test_a_review_is_read_from_the_event(journey: Journey) -> None:
    review = structure("AiContentReviewTaskInput", {"Definition": 10})
    reported = await journey.process("1", {}, AiContentReviewTask=review)
    assert [carried(one).Output.Suggestion for one in reported.AiContentReviewResultSet] == ["pass"] * 3


# --- templates

JOB = {"Definition": 10}
PIXEL = "R0lGODlhAQABAIAAAAAAAAAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw=="
"""A GIF of one pixel, in Base64."""
VIDEO = {"Codec": "libx264", "Fps": 25, "Bitrate": 400, "Width": 640, "Height": 360}
AUDIO = {"Codec": "libfdk_aac", "Bitrate": 64, "SampleRate": 44100}
SAMPLES = {"SampleType": "Time", "SampleInterval": 20, "Width": 160, "Height": 90}
TEMPLATES: dict[str, tuple[str, dict[str, Any], dict[str, Any], str, str]] = {
    "Transcode": (
        "TranscodeTaskSet",
        {"Container": "mp4", "VideoTemplate": VIDEO, "AudioTemplate": AUDIO},
        {"Container": "hls"},
        ".mp4",
        ".m3u8",
    ),
    "AdaptiveDynamicStreaming": (
        "AdaptiveDynamicStreamingTaskSet",
        {"Format": "HLS", "StreamInfos": [{"Video": VIDEO, "Audio": AUDIO}]},
        {"Format": "MPEG-DASH"},
        ".m3u8",
        ".mpd",
    ),
    "SnapshotByTimeOffset": ("SnapshotByTimeOffsetTaskSet", {"Width": 160}, {"Format": "png"}, ".jpg", ".png"),
    "SampleSnapshot": ("SampleSnapshotTaskSet", SAMPLES, {"Format": "png"}, ".jpg", ".png"),
    "ImageSprite": (
        "ImageSpriteTaskSet",
        {**SAMPLES, "RowCount": 4, "ColumnCount": 4},
        {"Format": "png"},
        ".jpg",
        ".png",
    ),
    "AnimatedGraphics": (
        "AnimatedGraphicTaskSet",
        {"Fps": 2, "Width": 160, "Height": 128},
        {"Format": "webp"},
        ".gif",
        ".webp",
    ),
}
"""By family: the job that uses a template, its members, a change, and how addresses end before and after that."""


@pytest.mark.parametrize("family", TEMPLATES)
async def test_a_template_is_created_used_modified_and_deleted(journey: Journey, family: str) -> None:
    kind, create, change, before, after = TEMPLATES[family]
    definition = int((await journey.call(f"Create{family}Template", **create)).Definition)
    job = {kind: [{**TASKS[kind][0], "Definition": definition}]}

    [result] = (await journey.process("1", job)).MediaProcessResultSet
    assert before in endings(await journey.fetch_all(result))
    await journey.call(f"Modify{family}Template", Definition=definition, **change)
    [result] = (await journey.process("1", job)).MediaProcessResultSet
    assert after in endings(await journey.fetch_all(result))

    assert (await journey.call(f"Describe{family}Templates", Definitions=[definition])).TotalCount == 1
    await journey.call(f"Delete{family}Template", Definition=definition)
    assert (await journey.call(f"Describe{family}Templates", Definitions=[definition])).TotalCount == 0
    [result] = (await journey.process("1", job)).MediaProcessResultSet
    assert (carried(result).Status, carried(result).ErrCodeExt) == ("FAIL", "InvalidInput.DefinitionNotExist")


def endings(urls: set[str]) -> set[str]:
    """The extensions of addresses."""
    return {Path(urlsplit(url).path).suffix for url in urls}


async def test_a_watermark_is_created_used_modified_and_deleted(journey: Journey) -> None:
    image = {"ImageContent": PIXEL, "Width": "10%"}
    made = await journey.call("CreateWatermarkTemplate", Type="image", ImageTemplate=image)
    assert await journey.fetch_all(made) == {made.ImageUrl}
    mark = {"Definition": made.Definition}
    reported = await journey.process("1", {"SampleSnapshotTaskSet": [{"Definition": 10, "WatermarkSet": [mark]}]})
    assert carried(reported.MediaProcessResultSet[0]).Output.WaterMarkDefinition == [made.Definition]
    await journey.call("ModifyWatermarkTemplate", Definition=made.Definition, XPos="5px")
    [shown] = (await journey.call("DescribeWatermarkTemplates", Definitions=[made.Definition])).WatermarkTemplateSet
    assert shown.XPos == "5px"
    await journey.call("DeleteWatermarkTemplate", Definition=made.Definition)
    assert (await journey.call("DescribeWatermarkTemplates")).TotalCount == 0


# --- media and applications


async def test_a_media_file_is_changed_found_and_deleted_in_parts(journey: Journey) -> None:
    await journey.process("1", {"TranscodeTaskSet": [{"Definition": 100020}, {"Definition": 100220}]})
    cover = await journey.call("ModifyMediaInfo", FileId="1", Name="Renamed", AddTags=["t"], CoverData=PIXEL)
    await fetch(journey.session, cover.CoverUrl)
    [found] = (await journey.call("SearchMedia", Tags=["t"], Names=["renam"])).MediaInfoSet
    assert (found.FileId, found.BasicInfo.CoverUrl) == ("1", cover.CoverUrl)

    _, deleted, kept = [one.Url for one in found.TranscodeInfo.TranscodeSet]
    part = structure("MediaDeleteItem", {"Type": "TranscodeFiles", "Definition": 100020})
    await journey.call("DeleteMedia", FileId="1", DeleteParts=[part])
    reported = (await journey.event("FileDeleted")).FileDeleteEvent
    assert reported.FileDeleteResultInfo[0].DeleteParts[0].Definition == 100020
    assert [await journey.status(url) for url in (deleted, kept)] == [404, 200]


async def test_an_application_is_created_and_has_its_own_media_and_events(journey: Journey) -> None:
    created = await journey.call("CreateSubAppId", Name="second")
    second = replace(journey, sub_app_id=created.SubAppId)
    assert (await journey.call("DescribeSubAppIds", Name="second")).SubAppIdInfoSet[0].SubAppId == created.SubAppId
    await second.call("CreateProcedureTemplate", Name=PROCEDURE, MediaProcessTask={"ImageSpriteTaskSet": [JOB]})
    if journey.receiver is not None:
        await second.call("ModifyEventConfig", NotificationUrl=f"{journey.receiver.url}/second")
    uploaded = await second.upload_by_server()
    await second.fetch_all(uploaded, await second.procedure(uploaded.ProcedureTaskId))
    if journey.receiver is None:
        with pytest.raises(TencentCloudSDKException, match="no event"):
            await journey.event("NewFileUpload")
    else:
        assert {one.path for one in journey.receiver.received} == {"/callback/second"}

    await journey.call("ModifySubAppIdInfo", SubAppId=created.SubAppId, Name="renamed")
    await journey.call("ModifySubAppIdStatus", SubAppId=created.SubAppId, Status="Off")
    [reported] = (await journey.call("DescribeSubAppIds", Name="renamed")).SubAppIdInfoSet
    assert (reported.SubAppId, reported.Status) == (created.SubAppId, "Off")


# --- media made from others


async def test_parts_of_files_become_a_new_one(journey: Journey) -> None:
    parts = [{"FileId": "1", "StartTimeOffset": 1, "EndTimeOffset": 3}, {"FileId": "2"}]
    started = await journey.call("EditMedia", InputType="File", FileInfos=parts, ProcedureName="LongVideoPreset")
    await journey.clock.advance(10)
    edited = (await journey.event("EditMediaComplete")).EditMediaCompleteEvent
    assert (edited.TaskId, edited.Status) == (started.TaskId, "FINISH")
    await journey.fetch_all(edited, await journey.procedure(edited.ProcedureTaskId))
    await made_media(journey, edited.Output.FileId, edited.Output.FileUrl)


async def test_tracks_become_a_new_file(journey: Journey) -> None:
    items = [{"Type": "Video", "VideoItem": {"SourceMedia": file_id, "Duration": 5}} for file_id in ("1", "2")]
    output = {"FileName": "both", "Container": "mp4"}
    started = await journey.call("ComposeMedia", Tracks=[{"Type": "Video", "TrackItems": items}], Output=output)
    await journey.clock.advance(10)
    composed = (await journey.event("ComposeMediaComplete")).ComposeMediaCompleteEvent
    assert (composed.TaskId, composed.MetaData.Duration) == (started.TaskId, 10)
    await made_media(journey, composed.Output.FileId, composed.Output.FileUrl)


async def test_a_clip_of_a_playlist_becomes_a_new_file(journey: Journey) -> None:
    reported = await journey.process("1", {"TranscodeTaskSet": [{"Definition": 100220}]})
    playlist = carried(reported.MediaProcessResultSet[0]).Output.Url
    clip = await journey.call("SimpleHlsClip", Url=playlist, EndTimeOffset=8, IsPersistence=1)
    assert (await journey.event("PersistenceComplete")).PersistenceCompleteEvent.FileId == clip.FileId
    assert (await journey.event("NewFileUpload")).FileUploadEvent.MetaData.Duration == 8
    await made_media(journey, clip.FileId, clip.Url)


async def made_media(journey: Journey, file_id: str, url: str) -> None:
    """The file exists, its address is *url*, and it can be fetched, described and deleted."""
    media = await journey.media(file_id)
    assert (media.BasicInfo.MediaUrl, media.BasicInfo.SourceInfo.SourceType) == (url, "VideoProcessing")
    assert url in await journey.fetch_all(media)
    await journey.call("DeleteMedia", FileId=file_id)
    assert (await journey.event("FileDeleted")).FileDeleteEvent.FileIdSet == [file_id]
    assert await journey.status(url) == 404
