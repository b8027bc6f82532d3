"""EditMedia, ComposeMedia and SimpleHlsClip: their result is a new media file."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import ClientSession

from mockvod.app import Running
from tests.sdk.shapes import differences
from tests.support import Caller

Start = Callable[..., Awaitable[Running]]


@pytest.fixture
async def caller(start: Start, session: ClientSession) -> Caller:
    switches = {"persistence_complete_event_switch": "ON", "upload_media_complete_event_switch": "ON"}
    caller = Caller(await start(task_duration=10, poll_hold=0, profile="sparse", **switches), session)
    await caller.clock.freeze()
    for file_id, duration in (("1", 100), ("2", 60)):
        facts = {"file_id": file_id, "name": f"n{file_id}", "duration": duration, "size": duration * 100_000}
        await caller.control("POST", "/media", facts)
    return caller


async def run(caller: Caller, action: str, **params: Any) -> dict[str, Any]:
    """DescribeTaskDetail of the task that *action* starts, at its end."""
    answer = await caller.call(action, **params)
    assert "TaskId" in answer, answer
    await caller.clock.advance(10)
    return await caller.call("DescribeTaskDetail", TaskId=answer["TaskId"])


async def events(caller: Caller) -> list[dict[str, Any]]:
    answer = await caller.call("PullEvents")
    found: list[dict[str, Any]] = answer.get("EventSet", [])
    return found


async def media(caller: Caller, file_id: str) -> dict[str, Any]:
    [info] = (await caller.call("DescribeMediaInfos", FileIds=[file_id]))["MediaInfoSet"]
    found: dict[str, Any] = info
    return found


async def test_parts_of_files_become_a_new_one_on_which_a_procedure_runs(
    caller: Caller, session: ClientSession
) -> None:
    detail = await run(
        caller, "EditMedia", InputType="File", ProcedureName="LongVideoPreset", SessionContext="c", SessionId="s",
        FileInfos=[{"FileId": "1", "StartTimeOffset": 10, "EndTimeOffset": 30}, {"FileId": "2"}],
        OutputConfig={"MediaName": "both", "Type": "mp4", "ClassId": 3},
    )  # fmt: skip
    task = detail["EditMediaTask"]
    assert (detail["TaskType"], task["Status"], task["Message"]) == ("EditMedia", "FINISH", "SUCCESS")
    assert differences(task, "EditMediaTask") == []
    made = await media(caller, task["Output"]["FileId"])
    assert (made["MetaData"]["Duration"], made["BasicInfo"]["Name"], made["BasicInfo"]["ClassId"]) == (80, "both", 3)
    assert made["BasicInfo"]["SourceInfo"]["SourceType"] == "VideoProcessing"
    async with session.get(task["Output"]["FileUrl"]) as response:
        assert response.status == 200

    [edited] = await events(caller)
    assert edited["EventType"] == "EditMediaComplete"
    assert (edited["EditMediaCompleteEvent"]["SessionContext"], edited["EditMediaCompleteEvent"]["SessionId"]) == (
        "c", "s",
    )  # fmt: skip
    await caller.clock.advance(10)
    [processed] = await events(caller)
    reported = processed["ProcedureStateChangeEvent"]
    assert (reported["TaskId"], reported["FileId"], reported["SessionContext"]) == (
        task["ProcedureTaskId"], task["Output"]["FileId"], "c",
    )  # fmt: skip


async def test_an_edit_of_a_file_that_was_deleted_meanwhile_fails(caller: Caller) -> None:
    answer = await caller.call("EditMedia", InputType="File", FileInfos=[{"FileId": "1"}, {"FileId": "2"}])
    await caller.call("DeleteMedia", FileId="2")
    await caller.clock.advance(10)
    task = (await caller.call("DescribeTaskDetail", TaskId=answer["TaskId"]))["EditMediaTask"]
    assert (task["ErrCodeExt"], task["ErrCode"], task["Output"]) == (
        "SourceFileError.DownloadNotAccessible", 30009, None,
    )  # fmt: skip


async def test_tracks_become_a_new_file_as_long_as_the_longest(caller: Caller) -> None:
    tracks = [
        {"Type": "Video", "TrackItems": [
            {"Type": "Video", "VideoItem": {"SourceMedia": "1", "Duration": 15}},
            {"Type": "Transition", "TransitionItem": {"Duration": 1}},
            {"Type": "Video", "VideoItem": {"SourceMedia": "2", "SourceMediaStartTime": 50}},
        ]},
        {"Type": "Audio", "TrackItems": [
            {"Type": "Empty", "EmptyItem": {"Duration": 5}},
            {"Type": "Audio", "AudioItem": {"SourceMedia": "2", "Duration": 4}},
        ]},
    ]  # fmt: skip
    output = {"FileName": "mix", "Container": "mp4", "Description": "d"}
    canvas = {"Width": 640, "Height": 360}
    detail = await run(caller, "ComposeMedia", Tracks=tracks, Output=output, Canvas=canvas, SessionContext="c")
    task = detail["ComposeMediaTask"]
    assert differences({**task, "Input": None}, "ComposeMediaTask") == []
    assert (detail["TaskType"], task["Output"]["MediaName"], task["SessionContext"]) == ("ComposeMedia", "mix", "c")
    made = await media(caller, task["Output"]["FileId"])
    assert (made["MetaData"]["Duration"], made["MetaData"]["Width"], made["BasicInfo"]["Description"]) == (25, 640, "d")
    [event] = await events(caller)
    assert event["ComposeMediaCompleteEvent"] == task


async def test_a_part_of_a_playlist_is_clipped_at_once(caller: Caller, session: ClientSession) -> None:
    transcoded = await run(
        caller, "ProcessMedia", FileId="1", MediaProcessTask={"TranscodeTaskSet": [{"Definition": 100220}]}
    )
    result = transcoded["ProcedureTask"]["MediaProcessResultSet"][0]["TranscodeTask"]
    await events(caller)
    url = result["Output"]["Url"]
    clip = await caller.call("SimpleHlsClip", Url=url, StartTimeOffset=10, EndTimeOffset=-50)
    assert (clip["MetaData"]["VideoDuration"], clip["FileId"], clip["TaskId"]) == (40, "", "")
    assert clip["Url"].endswith("/10_50.m3u8")
    async with session.get(clip["Url"]) as response:
        assert (await response.text()).count("clip.ts") == 10
    assert await events(caller) == []

    kept = await caller.call(
        "SimpleHlsClip", Url=url, EndTimeOffset=20, IsPersistence=1, Procedure="LongVideoPreset", SourceContext="x"
    )
    made = await media(caller, kept["FileId"])
    assert (made["MetaData"]["Duration"], made["BasicInfo"]["MediaUrl"]) == (20, kept["Url"])
    assert [one["EventType"] for one in await events(caller)] == ["PersistenceComplete", "NewFileUpload"]
    async with session.get(kept["Url"]) as response:
        assert response.status == 200
    await caller.clock.advance(10)
    [event] = await events(caller)
    assert event["ProcedureStateChangeEvent"]["TaskId"] == kept["TaskId"]


@pytest.mark.parametrize(
    ("action", "params", "code"),
    [
        ("EditMedia", {"InputType": "File"}, "MissingParameter"),
        ("EditMedia", {"InputType": "Stream"}, "UnsupportedOperation"),
        ("EditMedia", {"InputType": "File", "FileInfos": [{"FileId": ""}]}, "ResourceNotFound"),
        (
            "EditMedia",
            {"InputType": "File", "FileInfos": [{"FileId": "1"}], "SessionId": "x" * 51},
            "InvalidParameterValue.SessionIdTooLong",
        ),
        ("ComposeMedia", {"Tracks": [], "Output": {"FileName": "x"}}, "InvalidParameterValue"),
        (
            "ComposeMedia",
            {"Tracks": [{"Type": "Video", "TrackItems": [{"Type": "Video"}]}], "Output": {"FileName": "x"}},
            "MissingParameter",
        ),
        (
            "ComposeMedia",
            {
                "Tracks": [{"Type": "Video", "TrackItems": [{"Type": "Empty", "EmptyItem": {"Duration": 1}}]}],
                "Output": {"FileName": "x"},
                "SessionId": "x" * 51,
            },
            "InvalidParameterValue.SessionId",
        ),
        ("SimpleHlsClip", {"Url": "http://elsewhere/a.m3u8"}, "InvalidParameterValue.Url"),
        ("SimpleHlsClip", {"Url": "http://h/b/000000001/adp.10.m3u8"}, "ResourceUnavailable.MasterPlaylist"),
        (
            "SimpleHlsClip",
            {"Url": "http://h/b/000000001/v.f210.m3u8", "StartTimeOffset": 9, "EndTimeOffset": 8},
            "InvalidParameterValue.EndTimeOffset",
        ),
        (
            "SimpleHlsClip",
            {"Url": "http://h/b/000000001/v.f210.m3u8", "Procedure": "none"},
            "InvalidParameterValue.Procedure",
        ),
        (
            "SimpleHlsClip",
            {"Url": "http://h/b/000000001/v.f210.m3u8", "IsPersistence": 2},
            "InvalidParameterValue.IsPersistence",
        ),
    ],
)
async def test_a_call_is_refused_by_its_code(caller: Caller, action: str, params: dict[str, Any], code: str) -> None:
    answer = await caller.call(action, **params)
    assert answer["Error"]["Code"] == code
