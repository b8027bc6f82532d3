"""A job walked from the call that starts it to the event that ends it, by plain HTTP under a frozen clock."""

import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from PIL import Image

from mockvod.app import Running
from mockvod.service.media import inspect_video
from mockvod.service.templates import FAMILIES
from mockvod.wire.legacy_events import LEGACY_TYPES
from tests.support import Caller, Receiver

Start = Callable[..., Awaitable[Running]]
Begin = Callable[..., Awaitable[Caller]]

FIXTURES = Path(__file__).parents[2] / "fixtures"


@pytest.fixture
async def begin(start: Start, session: ClientSession) -> Begin:
    """A caller of a server with the settings given, whose clock stands still."""

    async def begun(**settings: Any) -> Caller:
        caller = Caller(await start(**{"task_duration": 10, "poll_hold": 0, **settings}), session)
        await caller.clock.freeze()
        return caller

    return begun


@pytest.fixture
async def frozen(begin: Begin) -> Caller:
    return await begin()


async def start_job(caller: Caller, *offsets: str, file_id: str = "1", definition: int = 10, **more: Any) -> str:
    """The TaskId of a job that takes snapshots at *offsets*, such as `10%`."""
    inputs = [{"Definition": definition, "ExtTimeOffsetSet": list(offsets or ["1s"])}]
    tasks = {"SnapshotByTimeOffsetTaskSet": inputs}
    answer = await caller.call("ProcessMedia", FileId=file_id, MediaProcessTask=tasks, **more)
    task_id: str = answer["TaskId"]
    return task_id


async def declare(caller: Caller, **facts: Any) -> dict[str, Any]:
    media: dict[str, Any] = await caller.control("POST", "/media", {"file_id": "1", **facts})
    assert "error" not in media, media
    return media


async def pulled(caller: Caller, **params: Any) -> list[dict[str, Any]]:
    answer = await caller.call("PullEvents", **params)
    events: list[dict[str, Any]] = answer.get("EventSet", [])
    return events


async def result(caller: Caller) -> dict[str, Any]:
    """The one job's result in the one event that is there."""
    [event] = await pulled(caller)
    [only] = event["ProcedureStateChangeEvent"]["MediaProcessResultSet"]
    outcome: dict[str, Any] = only["SnapshotByTimeOffsetTask"]
    return outcome


async def status(caller: Caller, task_id: str) -> str:
    reported: str = (await caller.call("DescribeTaskDetail", TaskId=task_id))["Status"]
    return reported


# --- a job's whole life


async def test_a_job_is_started_polled_and_notified(frozen: Caller) -> None:
    await declare(frozen, name="Fox", duration=100, width=640, height=360, size=1_000_000)
    task_id = await start_job(frozen, "10%", "2.5s", SessionContext="mine", SessionId="s")
    seen = []
    for seconds in (0, 1, 4.5, 4.4):
        await frozen.clock.advance(seconds)
        seen.append(await status(frozen, task_id))
    assert seen == ["WAITING", "PROCESSING", "PROCESSING", "PROCESSING"]
    assert await pulled(frozen) == []
    [due] = (await frozen.control("GET", "/clock"))["waiting"]
    assert due["what"] == f"{task_id} ends SnapshotByTimeOffset"

    await frozen.clock.advance(0.2)
    assert await status(frozen, task_id) == "FINISH"
    [event] = await pulled(frozen)
    assert event["EventType"] == "ProcedureStateChanged"
    reported = event["ProcedureStateChangeEvent"]
    assert list(reported) == [
        "TaskId", "Status", "ErrCode", "Message", "FileId", "FileName", "FileUrl", "MetaData", "MediaProcessResultSet",
        "AiContentReviewResultSet", "AiAnalysisResultSet", "AiRecognitionResultSet", "TasksPriority",
        "TasksNotifyMode", "SessionContext", "SessionId", "Operator", "OperationType",
    ]  # fmt: skip
    assert (reported["TaskId"], reported["Status"], reported["FileName"]) == (task_id, "FINISH", "Fox")
    assert (reported["SessionContext"], reported["SessionId"]) == ("mine", "s")
    assert (reported["MetaData"]["Width"], reported["MetaData"]["Bitrate"]) == (640, 80_000)
    # Polling returns what the event reports.
    detail = await frozen.call("DescribeTaskDetail", TaskId=task_id)
    assert detail["ProcedureTask"] == reported
    # And its pictures are the media's from now on.
    [output] = [one["SnapshotByTimeOffsetTask"]["Output"] for one in reported["MediaProcessResultSet"]]
    infos = await frozen.call("DescribeMediaInfos", FileIds=["1"], Filters=["snapshotByTimeOffsetInfo"])
    assert infos["MediaInfoSet"][0]["SnapshotByTimeOffsetInfo"]["SnapshotByTimeOffsetSet"] == [output]


async def test_a_jobs_event_is_pushed_in_push_mode(begin: Begin, receiver: Receiver) -> None:
    caller = await begin(callback_url=receiver.url, profile="sparse", sign_key="key")
    task_id = await start_job(caller)
    await caller.clock.advance(10)
    [received] = await receiver.wait_for(1)
    assert list(received.event) == ["EventType", "ProcedureStateChangeEvent", "Sign", "T"]
    assert received.event["ProcedureStateChangeEvent"]["TaskId"] == task_id


async def test_an_event_of_a_job_can_be_waited_for_by_its_task_and_file(frozen: Caller) -> None:
    task_id = await start_job(frozen, file_id="77")
    await frozen.clock.advance(10)
    for given in ({"task_id": task_id}, {"file_id": "77"}, {"event_type": "ProcedureStateChanged"}):
        answer = await frozen.control("POST", "/wait", {"state": "queued", **given})
        assert [one["task_id"] for one in answer["events"]] == [task_id]


async def test_jobs_are_counted_while_they_are_under_way(frozen: Caller) -> None:
    await start_job(frozen)
    await start_job(frozen)
    assert (await frozen.control("GET", "/stats"))["applications"][0]["tasks"] == 2
    await frozen.clock.advance(10)
    assert (await frozen.control("GET", "/stats"))["applications"][0]["tasks"] == 0


async def test_a_job_takes_as_long_as_is_set_when_it_starts(frozen: Caller) -> None:
    first = await start_job(frozen)
    await frozen.control("PATCH", "/config", {"task_duration": 2})
    second = await start_job(frozen)
    await frozen.clock.advance(2)
    assert [await status(frozen, task_id) for task_id in (first, second)] == ["PROCESSING", "FINISH"]


async def test_a_job_of_one_application_is_not_seen_by_another(frozen: Caller) -> None:
    task_id = await start_job(frozen, SubAppId=1500000001)
    assert (await frozen.call("DescribeTaskDetail", TaskId=task_id))["Error"]["Code"] == "InvalidParameterValue.TaskId"
    await frozen.clock.advance(10)
    assert await pulled(frozen) == []
    assert len(await pulled(frozen, SubAppId=1500000001)) == 1


async def test_a_declared_procedure_is_run_by_its_name(frozen: Caller) -> None:
    given = {"snapshots": [{"ext_time_offsets": ["10%", "3.5s"]}, {"definition": 20, "ext_time_offsets": ["1s"]}]}
    made = await frozen.control("PUT", "/procedures/Cover%20shots", given)
    assert made["name"] == "Cover shots"
    assert (await frozen.control("GET", "/procedures"))["procedures"] == [made]
    answer = await frozen.call("ProcessMediaByProcedure", ProcedureName="Cover shots", FileId="1")
    await frozen.clock.advance(10)
    [event] = await pulled(frozen)
    reported = event["ProcedureStateChangeEvent"]
    assert reported["TaskId"] == answer["TaskId"]
    results = [one["SnapshotByTimeOffsetTask"] for one in reported["MediaProcessResultSet"]]
    assert [one["Status"] for one in results] == ["SUCCESS", "FAIL"]
    assert results[0]["Input"]["ExtTimeOffsetSet"] == ["10%", "3.5s"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "snapshots"),
        ({"snapshots": []}, "snapshots"),
        ({"snapshots": [{"ext_time_offsets": []}]}, "snapshots.0.ext_time_offsets"),
        ({"snapshots": [{"ext_time_offsets": ["1"]}]}, "snapshots.0.ext_time_offsets.0"),
    ],
)
async def test_an_invalid_procedure_is_refused_with_its_field(
    frozen: Caller, given: dict[str, Any], field: str
) -> None:
    answer = await frozen.control("PUT", "/procedures/p", given)
    assert (answer["error"]["code"], answer["error"]["field"]) == ("bad_value", field)


async def test_the_number_of_procedures_is_bounded(frozen: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    family = FAMILIES["Procedure"]._replace(limit=1)
    monkeypatch.setattr("mockvod.service.templates.FAMILIES", {**FAMILIES, "Procedure": family})
    given = {"snapshots": [{"ext_time_offsets": ["1s"]}]}
    for name, code in (("a", None), ("a", None), ("b", "too_many")):
        answer = await frozen.control("PUT", f"/procedures/{name}", given)
        assert answer.get("error", {}).get("code") == code


# --- where its pictures are


async def test_pictures_are_under_the_public_url_each_in_the_format_of_its_template(begin: Begin) -> None:
    caller = await begin(public_url="http://pictures.test/")
    made = await caller.call("CreateSnapshotByTimeOffsetTemplate", Format="webp")
    await start_job(caller, "1s", "2.5s", definition=made["Definition"])
    await caller.clock.advance(10)
    outcome = await result(caller)
    definition = made["Definition"]
    assert [picture["Url"] for picture in outcome["Output"]["PicInfoSet"]] == [
        f"http://pictures.test/snapshots/1/{definition}/1000.webp",
        f"http://pictures.test/snapshots/1/{definition}/2500.webp",
    ]


async def test_urls_of_pictures_name_their_application(begin: Begin) -> None:
    caller = await begin(public_url="http://pictures.test")
    await start_job(caller, SubAppId=1500000001, file_id="a/b ?")
    await caller.clock.advance(10)
    [event] = await pulled(caller, SubAppId=1500000001)
    [one] = event["ProcedureStateChangeEvent"]["MediaProcessResultSet"]
    [picture] = one["SnapshotByTimeOffsetTask"]["Output"]["PicInfoSet"]
    assert picture["Url"] == "http://pictures.test/snapshots/a%2Fb%20%3F/10/1000.jpg?sub_app_id=1500000001"


# --- failure on demand


async def test_an_offset_beyond_the_end_fails_that_snapshot_alone(frozen: Caller) -> None:
    await declare(frozen, duration=20)
    await start_job(frozen, "10s", "20s", "20.001s", "101%")
    await frozen.clock.advance(10)
    outcome = await result(frozen)
    assert (outcome["Status"], outcome["ErrCodeExt"]) == ("SUCCESS", "")
    assert [picture["TimeOffset"] for picture in outcome["Output"]["PicInfoSet"]] == [10_000, 20_000]


async def test_a_job_all_of_whose_offsets_are_beyond_the_end_fails(frozen: Caller) -> None:
    await declare(frozen, duration=20)
    await start_job(frozen, "21s", "200%")
    await frozen.clock.advance(10)
    outcome = await result(frozen)
    assert (outcome["Status"], outcome["ErrCodeExt"]) == ("FAIL", "InvalidInput.InvalidTimeOffset")
    assert (outcome["ErrCode"], outcome["Output"], outcome["Progress"]) == (30009, None, 100)
    assert outcome["Message"]


async def test_a_template_that_does_not_exist_fails_the_job(frozen: Caller) -> None:
    await start_job(frozen, definition=99)
    await frozen.clock.advance(10)
    assert (await result(frozen))["ErrCodeExt"] == "InvalidInput.DefinitionNotExist"


async def test_a_template_that_is_deleted_meanwhile_fails_the_job(frozen: Caller) -> None:
    made = await frozen.call("CreateSnapshotByTimeOffsetTemplate")
    await start_job(frozen, definition=made["Definition"])
    await frozen.call("DeleteSnapshotByTimeOffsetTemplate", Definition=made["Definition"])
    await frozen.clock.advance(10)
    assert (await result(frozen))["ErrCodeExt"] == "InvalidInput.DefinitionNotExist"


async def test_a_file_fails_every_job_as_it_was_declared_to(frozen: Caller) -> None:
    await declare(frozen, fails_with="SourceFileError.ContentMalformed")
    await start_job(frozen)
    await start_job(frozen, file_id="2")
    await frozen.clock.advance(10)
    [broken, good] = [event["ProcedureStateChangeEvent"] for event in await pulled(frozen)]
    outcome = broken["MediaProcessResultSet"][0]["SnapshotByTimeOffsetTask"]
    assert (outcome["Status"], outcome["ErrCodeExt"]) == ("FAIL", "SourceFileError.ContentMalformed")
    assert (outcome["ErrCode"], broken["Status"]) == (30009, "FINISH")
    assert good["MediaProcessResultSet"][0]["SnapshotByTimeOffsetTask"]["Status"] == "SUCCESS"


async def test_the_setting_task_error_fails_every_job(frozen: Caller) -> None:
    await frozen.control("PATCH", "/config", {"task_error": "InternalError"})
    await start_job(frozen)
    await frozen.clock.advance(10)
    outcome = await result(frozen)
    assert (outcome["ErrCodeExt"], outcome["ErrCode"]) == ("InternalError", 30010)
    await frozen.control("PATCH", "/config", {"task_error": ""})
    await start_job(frozen)
    await frozen.clock.advance(10)
    assert (await result(frozen))["Status"] == "SUCCESS"


async def test_a_malformed_error_code_is_refused(frozen: Caller) -> None:
    answer = await frozen.control("PATCH", "/config", {"task_error": "no such thing"})
    assert answer["error"]["field"] == "task_error"
    answer = await frozen.control("POST", "/media", {"fails_with": "no such thing"})
    assert answer["error"]["field"] == "fails_with"


# --- media, and those that are video files


async def test_media_are_declared_and_listed(frozen: Caller) -> None:
    made_up = await frozen.control("POST", "/media", {})
    assert made_up["file_id"].isdigit()
    mine = await declare(frozen, name="Fox", duration="1m", width=640)
    assert (mine["duration"], mine["width"], mine["video"]) == (60, 640, None)
    assert (await frozen.control("GET", "/media"))["media"] == [made_up, mine]
    assert (await frozen.control("GET", "/media", sub_app_id=1500000001))["media"] == []
    [info] = (await frozen.call("DescribeMediaInfos", FileIds=["1"]))["MediaInfoSet"]
    assert (info["BasicInfo"]["Name"], info["MetaData"]["Duration"]) == ("Fox", 60)


async def test_the_number_of_media_is_bounded(frozen: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mockvod.service.media.MAX_DECLARED", 1)
    await declare(frozen)
    answer = await frozen.control("POST", "/media", {"file_id": "2"})
    assert answer["error"]["code"] == "too_many"


async def test_the_size_and_length_of_a_video_are_read_from_the_file(frozen: Caller) -> None:
    pytest.importorskip("av")
    sample = FIXTURES / "media" / "sample.mp4"
    media = await declare(frozen, video=str(sample), width=100)
    assert (media["size"], media["width"], media["video"]) == (sample.stat().st_size, 100, str(sample))
    beyond = f"{media['duration'] + 0.1:.3f}s"
    await start_job(frozen, "0s", "50%", beyond)
    await frozen.clock.advance(10)
    outcome = await result(frozen)
    assert [picture["TimeOffset"] for picture in outcome["Output"]["PicInfoSet"]] == [
        0,
        round(media["duration"] * 500),
    ]


async def test_a_video_that_is_shorter_than_declared_fails_what_lies_beyond_it(frozen: Caller) -> None:
    pytest.importorskip("av")
    await declare(frozen, video=str(FIXTURES / "media" / "sample.mp4"), duration=1000)
    await start_job(frozen, "0s", "999s")
    await frozen.clock.advance(10)
    assert [picture["TimeOffset"] for picture in (await result(frozen))["Output"]["PicInfoSet"]] == [0]


async def test_a_video_file_that_cannot_be_read_fails_every_job_on_it(frozen: Caller, tmp_path: Path) -> None:
    pytest.importorskip("av")
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"\x00\x00\x00\x18ftypmp42" + bytes(100))
    for path, error in (
        (broken, "SourceFileError.ContentMalformed"),
        (tmp_path / "none.mp4", "SourceFileError.DownloadNotAccessible"),
    ):
        await declare(frozen, video=str(path))
        await start_job(frozen)
        await frozen.clock.advance(10)
        outcome = await result(frozen)
        assert (outcome["Status"], outcome["ErrCodeExt"], outcome["ErrCode"]) == ("FAIL", error, 30009)
        assert path.name in outcome["Message"]


async def test_jobs_follow_the_video_as_it_was_when_it_was_declared(frozen: Caller, tmp_path: Path) -> None:
    pytest.importorskip("av")
    video = tmp_path / "later.mp4"
    statuses = []
    for content in ((FIXTURES / "media" / "sample.mp4").read_bytes(), b"broken"):
        await declare(frozen, video=str(video), duration=1)
        video.write_bytes(content)
        await start_job(frozen, "0s")
        await frozen.clock.advance(10)
        statuses.append((await result(frozen))["Status"])
    assert statuses == ["FAIL", "SUCCESS"]


async def test_a_video_without_pyav_is_refused_and_fails_the_jobs_of_a_scenario(
    frozen: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    monkeypatch.setattr("mockvod.http.control.media.find_spec", lambda _: None)
    answer = await frozen.control("POST", "/media", {"video": "fox.mp4"})
    assert (answer["error"]["code"], answer["error"]["field"]) == ("no_video", "video")

    inspection = await inspect_video(frozen.running.world.worker, "fox.mp4")
    frozen.account.life.application().declare_media("1", video="fox.mp4", inspection=inspection)
    await start_job(frozen)
    await frozen.clock.advance(10)
    outcome = await result(frozen)
    assert (outcome["ErrCodeExt"], "PyAV" in outcome["Message"]) == ("InternalError", True)


@pytest.mark.parametrize("kind", ["fifo", "device", "folder", "nul", "pixels"])
async def test_a_video_that_is_not_a_regular_file_of_a_usual_size_is_refused(
    frozen: Caller, tmp_path: Path, kind: str
) -> None:
    pytest.importorskip("av")
    paths = {"device": "/dev/zero", "folder": str(tmp_path), "nul": "a\0b"}
    path = paths.get(kind, str(tmp_path / kind))
    if kind == "fifo":
        os.mkfifo(path)
    if kind == "pixels":
        Image.new("1", (16_000, 16_000)).save(path, "PNG")
    answer = await frozen.control("POST", "/media", {"file_id": "1", "video": path})
    assert (answer["error"]["code"], answer["error"]["field"]) == ("bad_value", "video")
    assert frozen.account.life.application().media.declared() == []


# --- what ends a job before its time


async def test_a_reset_ends_the_jobs_under_way(frozen: Caller) -> None:
    task_id = await start_job(frozen)
    await declare(frozen)
    clock = frozen.clock
    await frozen.control("POST", "/reset")
    assert clock.waiting() == []
    await frozen.clock.freeze()
    await frozen.clock.advance(10)
    assert await pulled(frozen) == []
    assert (await frozen.call("DescribeTaskDetail", TaskId=task_id))["Error"]["Code"] == "InvalidParameterValue.TaskId"
    assert (await frozen.control("GET", "/media"))["media"] == []


async def test_a_deleted_account_ends_its_jobs(frozen: Caller) -> None:
    await frozen.control("POST", "/accounts", {"secret_id": "AKIDmine", "frozen": True})
    account = frozen.running.world.declared("AKIDmine")
    assert account is not None
    query = "Action=CreateSnapshotByTimeOffset&fileId=1&definition=10&timeOffset.0=1&SecretId=AKIDmine"
    async with frozen.session.get(f"{frozen.running.url}/v2/index.php?{query}") as response:
        assert (await response.json())["code"] == 0
    [due] = account.life.clock.waiting()
    assert "ends SnapshotByTimeOffset" in due.what
    await frozen.control("DELETE", "/accounts/AKIDmine")
    assert account.life.clock.waiting() == []
    assert len(account.life.events) == 0


# --- both forms of what ends a job, and of every other event that has two


def example(event_type: str) -> dict[str, Any]:
    text = (FIXTURES / "events" / f"{event_type}.json").read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content


@pytest.mark.parametrize("event_type", LEGACY_TYPES)
async def test_an_event_goes_in_each_form_to_its_address(begin: Begin, receiver: Receiver, event_type: str) -> None:
    caller = await begin(
        callback_format="both",
        callback_url=receiver.url + "/v3",
        callback_url_v2=receiver.url + "/v2",
        profile="sparse",
    )
    await caller.emit(event_type=event_type)
    came = {one.path: one.event for one in await receiver.wait_for(2)}
    assert came["/callback/v3"] == example(event_type)
    old = came["/callback/v2"]
    assert (list(old), old["version"], old["eventType"]) == (["version", "eventType", "data"], "4.0", event_type)
    assert old["data"]


@pytest.mark.parametrize("event_type", LEGACY_TYPES)
async def test_an_event_is_pushed_in_2_0_alone_with_callback_format_2_0(
    begin: Begin, receiver: Receiver, event_type: str
) -> None:
    caller = await begin(callback_format="2.0", callback_url=receiver.url)
    await caller.emit(event_type=event_type)
    [received] = await receiver.wait_for(1)
    assert (received.event["version"], received.event["eventType"]) == ("4.0", event_type)


async def test_the_2_0_event_of_a_job_has_no_url_for_a_failed_picture(begin: Begin, receiver: Receiver) -> None:
    caller = await begin(callback_format="2.0", callback_url=receiver.url)
    await declare(caller, duration=20)
    query = "Action=CreateSnapshotByTimeOffset&fileId=1&definition=10&timeOffset.0=1000&timeOffset.1=21000"
    async with caller.session.get(f"{caller.running.url}/v2/index.php?{query}") as response:
        task_id = (await response.json())["vodTaskId"]
    await caller.clock.advance(10)
    [received] = await receiver.wait_for(1)
    data = received.event["data"]
    assert (data["vodTaskId"], data["fileId"], data["definition"]) == (task_id, "1", 10)
    good, bad = data["picInfo"]
    assert list(good) == ["status", "timeOffset", "url"]
    assert bad == {"status": -46204, "timeOffset": 21000}


async def test_the_2_0_event_of_a_procedure_has_its_pictures(begin: Begin, receiver: Receiver) -> None:
    caller = await begin(callback_format="2.0", callback_url=receiver.url)
    task_id = await start_job(caller, "1s", "2s")
    await caller.clock.advance(10)
    [received] = await receiver.wait_for(1)
    data = received.event["data"]
    assert (received.event["eventType"], data["vodTaskId"], data["status"]) == (
        "ProcedureStateChanged",
        task_id,
        "FINISH",
    )
    [done] = data["processTaskList"]
    assert (done["taskType"], done["status"], done["input"]["timeOffset"]) == (
        "SnapshotByTimeOffset",
        "SUCCESS",
        [1000, 2000],
    )
    assert [picture["timeOffset"] for picture in done["output"]["imgInfo"]] == [1000, 2000]
