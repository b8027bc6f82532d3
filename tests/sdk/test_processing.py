"""Jobs, tasks, media and templates through Tencent's own SDK; of what its models do not know it warns, which fails."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.vod.v20180717 import models

from mockvod.app import Running
from mockvod.engine.clock import Clock
from mockvod.service.application import Application
from mockvod.service.jobs.snapshot_by_time_offset import LEGACY, declare_procedure
from mockvod.service.jobs.snapshot_by_time_offset import snapshots as snapshots_job
from mockvod.service.templates import FAMILIES
from tests.sdk.client import SECRET_ID, SECRET_KEY, Sdk, Way, make_sdk
from tests.support import life_of

pytestmark = [
    # The SDK still uses what Python 3.12 deprecates.
    pytest.mark.filterwarnings("ignore:datetime.datetime.utcfromtimestamp:DeprecationWarning"),
    # ErrCode of a whole procedure, which receivers read all the same.
    pytest.mark.filterwarnings("ignore:parameter `(ErrCode|Message)` is deprecated:DeprecationWarning"),
]

Start = Callable[..., Awaitable[Running]]

BEGAN = 1_700_000_000.0  # 2023-11-14T22:13:20Z
# Structures within structures: as JSON, spelled out in a query and in a form, by both halves of the SDK.
WAYS = [Way(), Way(method="GET", asynchronous=True), Way("HmacSHA256")]
every_way = pytest.mark.parametrize("sdk", WAYS, ids=str, indirect=True)


@pytest.fixture
async def running(start: Start) -> Running:
    running = await start(
        auth="strict",
        secret_id=SECRET_ID,
        secret_key=SECRET_KEY,
        profile="current",
        task_duration=10,
        poll_hold=0,
        public_url="vendor",
    )
    await running.world.default.life.clock.freeze()
    await running.world.default.life.clock.set(BEGAN)
    return running


@pytest.fixture
async def sdk(running: Running, request: pytest.FixtureRequest) -> AsyncIterator[Sdk]:
    sdk = make_sdk(f"127.0.0.1:{running.port}", getattr(request, "param", Way()), language="en-US")
    yield sdk
    await sdk.close()


@pytest.fixture
def clock(running: Running) -> Clock:
    return running.world.default.life.clock


@pytest.fixture
def application(running: Running) -> Application:
    application = running.world.default.life.application()
    application.declare_media("1", name="Fox", duration=100.0, width=1280, height=720, size=12_500_000)
    return application


def structure(name: str, **members: Any) -> Any:
    """One of the SDK's structures."""
    made = getattr(models, name)()
    for member, value in members.items():
        setattr(made, member, value)
    return made


def snapshots(*offsets: str, definition: int = 10, **more: Any) -> Any:
    return structure("SnapshotByTimeOffsetTaskInput", Definition=definition, ExtTimeOffsetSet=list(offsets), **more)


async def begin(sdk: Sdk, *inputs: Any, file_id: str = "1", **more: Any) -> str:
    """The TaskId of a job that takes the snapshots of *inputs*."""
    tasks = structure("MediaProcessTaskInput", SnapshotByTimeOffsetTaskSet=list(inputs or [snapshots("1s")]))
    answer = await sdk.call("ProcessMedia", FileId=file_id, MediaProcessTask=tasks, **more)
    task_id: str = answer.TaskId
    return task_id


async def refusal(call: Awaitable[Any]) -> TencentCloudSDKException:
    with pytest.raises(TencentCloudSDKException) as caught:
        await call
    return caught.value


async def pulled(sdk: Sdk) -> list[Any]:
    """The procedures of the events that are there."""
    events = await sdk.pull()
    assert {event.EventType for event in events} == {"ProcedureStateChanged"}
    return [event.ProcedureStateChangeEvent for event in events]


# --- starting a job


@every_way
async def test_a_job_ends_in_an_event_with_its_pictures(sdk: Sdk, application: Application, clock: Clock) -> None:
    task_id = await begin(sdk, snapshots("3.5s", "10%"), SessionContext="云 a&b=c", SessionId="s-1", TasksPriority=-10)
    assert re.fullmatch(r"\d{10}-procedurev2-[0-9a-f]{32}t0", task_id)
    await clock.advance(10)
    [reported] = await pulled(sdk)

    assert (reported.TaskId, reported.Status, reported.ErrCode, reported.Message) == (task_id, "FINISH", 0, "SUCCESS")
    assert (reported.FileId, reported.FileName, reported.FileUrl.endswith("1/f0.mp4")) == ("1", "Fox", True)
    assert (reported.SessionContext, reported.SessionId, reported.TasksPriority) == ("云 a&b=c", "s-1", -10)
    assert reported.TasksNotifyMode == "Finish"
    assert (reported.MetaData.Duration, reported.MetaData.Width, reported.MetaData.Height) == (100, 1280, 720)
    assert reported.MetaData.VideoStreamSet[0].Codec == "h264"
    [result] = reported.MediaProcessResultSet
    assert (result.Type, result.TranscodeTask) == ("SnapshotByTimeOffset", None)
    task = result.SnapshotByTimeOffsetTask
    assert (task.Status, task.ErrCodeExt, task.ErrCode, task.Message, task.Progress) == (
        "SUCCESS",
        "",
        0,
        "SUCCESS",
        100,
    )
    assert (task.BeginProcessTime, task.FinishTime) == ("2023-11-14T22:13:21Z", "2023-11-14T22:13:30Z")
    assert (task.Input.Definition, task.Input.ExtTimeOffsetSet) == (10, ["3.5s", "10%"])
    assert task.Output.Definition == 10
    assert [picture.TimeOffset for picture in task.Output.PicInfoSet] == [3500, 10_000]
    assert all(re.fullmatch(r"http://.*_\d+\.jpg", picture.Url) for picture in task.Output.PicInfoSet)


async def test_older_offsets_are_milliseconds(sdk: Sdk, application: Application, clock: Clock) -> None:
    older = structure("SnapshotByTimeOffsetTaskInput", Definition=10, TimeOffsetSet=[1500, 2000.4])
    await begin(sdk, older)
    await clock.advance(10)
    [reported] = await pulled(sdk)
    task = reported.MediaProcessResultSet[0].SnapshotByTimeOffsetTask
    assert task.Input.TimeOffsetSet == [1500, 2000.4]
    assert [picture.TimeOffset for picture in task.Output.PicInfoSet] == [1500, 2000]


async def test_watermarks_are_described(sdk: Sdk, application: Application, clock: Clock) -> None:
    mark = structure("WatermarkInput", Definition=20, StartTimeOffset=-1.5)
    await begin(sdk, snapshots("1s", WatermarkSet=[mark]))
    await clock.advance(10)
    [reported] = await pulled(sdk)
    task = reported.MediaProcessResultSet[0].SnapshotByTimeOffsetTask
    assert (task.Input.WatermarkSet[0].Definition, task.Input.WatermarkSet[0].StartTimeOffset) == (20, -1.5)
    assert task.Output.PicInfoSet[0].WaterMarkDefinition == [20]


async def test_several_jobs_of_one_task_have_a_result_each(sdk: Sdk, application: Application, clock: Clock) -> None:
    made = await sdk.call("CreateSnapshotByTimeOffsetTemplate", Format="png")
    await begin(sdk, snapshots("1s"), snapshots("2s", definition=made.Definition), snapshots("3s", definition=99))
    await clock.advance(10)
    [reported] = await pulled(sdk)
    results = [one.SnapshotByTimeOffsetTask for one in reported.MediaProcessResultSet]
    assert [one.Status for one in results] == ["SUCCESS", "SUCCESS", "FAIL"]
    assert [one.ErrCodeExt for one in results] == ["", "", "InvalidInput.DefinitionNotExist"]
    assert results[1].Output.PicInfoSet[0].Url.endswith(".png")
    assert (results[2].Output, results[2].ErrCode) == (None, 30009)
    assert reported.ErrCode == 0  # which is deprecated: each job has its own


@every_way
async def test_a_session_id_is_good_once(sdk: Sdk, application: Application, clock: Clock) -> None:
    await begin(sdk, SessionId="云-1")
    error = await refusal(begin(sdk, SessionId="云-1"))
    assert (error.code, "`云-1`" in error.message) == ("InvalidParameterValue.SessionId", True)
    await begin(sdk, SessionId="")
    await begin(sdk, SessionId="")
    await clock.advance(3 * 86400)
    await begin(sdk, SessionId="云-1")


async def test_a_refused_call_does_not_use_its_session_id_up(sdk: Sdk, application: Application) -> None:
    await refusal(begin(sdk, SessionId="once", SessionContext="x" * 1001))
    await begin(sdk, SessionId="once")


async def test_sessions_are_of_one_application(sdk: Sdk, application: Application) -> None:
    await begin(sdk, SessionId="once")
    await begin(sdk, SessionId="once", SubAppId=1500000001)


@pytest.mark.parametrize(
    ("mode", "statuses"),
    [("Finish", ["FINISH"]), (None, ["FINISH"]), ("Change", ["PROCESSING", "FINISH"]), ("None", [])],
)
async def test_a_task_notifies_as_requested(
    sdk: Sdk, application: Application, clock: Clock, mode: str | None, statuses: list[str]
) -> None:
    await begin(sdk, TasksNotifyMode=mode)
    await clock.advance(10)
    found = [event.structure() for event in application.life.events]
    assert [one["Status"] for one in found] == statuses
    assert all(one["TasksNotifyMode"] == (mode or "Finish") for one in found)


@pytest.mark.parametrize(
    ("field", "kind"),
    [
        ("AiAnalysisTask", "AiAnalysisTaskInput"),
        ("AiRecognitionTask", "AiRecognitionTaskInput"),
    ],
)
async def test_a_task_of_artificial_intelligence_is_refused_by_its_name(
    sdk: Sdk, application: Application, field: str, kind: str
) -> None:
    error = await refusal(begin(sdk, **{field: structure(kind, Definition=10)}))
    assert (error.code, f"`ProcessMedia with {field}`" in error.message) == ("UnsupportedOperation", True)


def no_tasks() -> dict[str, Any]:
    return {"MediaProcessTask": structure("MediaProcessTaskInput")}


def tasks_of(given: Any) -> dict[str, Any]:
    return {"MediaProcessTask": structure("MediaProcessTaskInput", SnapshotByTimeOffsetTaskSet=[given])}


@pytest.mark.parametrize(
    ("params", "code", "named"),
    [
        ({}, "MissingParameter", "`MediaProcessTask`"),
        (no_tasks(), "MissingParameter", "`MediaProcessTask`"),
        (tasks_of(snapshots()), "MissingParameter", "SnapshotByTimeOffsetTaskSet.0.ExtTimeOffsetSet`"),
        (
            tasks_of(structure("SnapshotByTimeOffsetTaskInput", ExtTimeOffsetSet=["1s"])),
            "MissingParameter",
            "Definition",
        ),
        (tasks_of(snapshots("1")), "InvalidParameterValue", "ExtTimeOffsetSet.0`"),
        (tasks_of(snapshots("-1s")), "InvalidParameterValue", "`-1s`"),
        (tasks_of(snapshots("١s")), "InvalidParameterValue", "`١s`"),
        (tasks_of(snapshots("1s", definition=-1)), "InvalidParameterValue", "Definition`"),
        (tasks_of(snapshots("1s")) | {"TasksPriority": 11}, "InvalidParameterValue", "`TasksPriority`"),
        (tasks_of(snapshots("1s")) | {"TasksNotifyMode": "Never"}, "InvalidParameterValue", "`TasksNotifyMode`"),
        (tasks_of(snapshots("1s")) | {"SessionId": "x" * 51}, "InvalidParameterValue.SessionIdTooLong", "50"),
        (tasks_of(snapshots("1s")) | {"SessionContext": "x" * 1001}, "InvalidParameterValue.SessionContextTooLong", ""),
        (tasks_of(snapshots("1s")) | {"FileId": None}, "MissingParameter", "`FileId`"),
        (tasks_of(snapshots("1s")) | {"FileId": "x" * 201}, "InvalidParameterValue.FileId", "`FileId`"),
        (tasks_of(snapshots("1s")) | {"FileId": None, "Url": "http://a/b.mp4"}, "UnsupportedOperation", "Url"),
        (tasks_of(snapshots("1s")) | {"MediaStoragePath": "/a/b.mp4"}, "UnsupportedOperation", "MediaStoragePath"),
    ],
)
async def test_a_call_that_cannot_start_a_job_is_refused(
    sdk: Sdk, application: Application, params: dict[str, Any], code: str, named: str
) -> None:
    error = await refusal(sdk.call("ProcessMedia", **{"FileId": "1", **params}))
    assert error.code == code
    assert named in error.message
    assert application.tasks.active == 0


async def test_a_file_is_reviewed_by_its_address(sdk: Sdk, clock: Clock) -> None:
    review = structure("AiContentReviewTaskInput", Definition=10)
    source = structure("MediaInputInfo", Url="https://cdn.example/fox.mp4", Name="Fox", Id="my-id")
    started = await sdk.call(
        "ProcessMediaByUrl", InputInfo=source, AiContentReviewTask=review, SessionContext="c", SessionId="s"
    )
    await clock.advance(10)
    [reported] = await pulled(sdk)
    assert (reported.TaskId, reported.Status, reported.SessionContext, reported.SessionId) == (
        started.TaskId,
        "FINISH",
        "c",
        "s",
    )
    assert (reported.FileId, reported.FileName, reported.FileUrl) == ("my-id", "Fox", "https://cdn.example/fox.mp4")
    assert [one.Type for one in reported.AiContentReviewResultSet] == ["Porn", "Terrorism", "Political"]
    assert (await sdk.call("DescribeMediaInfos", FileIds=["my-id"])).MediaInfoSet[0].BasicInfo.Name != "Fox"


@pytest.mark.parametrize(
    ("params", "code", "named"),
    [
        ({"InputInfo": None}, "MissingParameter", "`InputInfo`"),
        ({"AiContentReviewTask": None}, "MissingParameter", "`AiContentReviewTask`"),
        ({"InputInfo": {"Url": "fox.mp4"}}, "InvalidParameterValue", "`InputInfo.Url`"),
        ({"OutputInfo": {"Dir": "out"}}, "InvalidParameterValue", "`OutputInfo.Dir`"),
        (
            {"AiContentReviewTask": {"Definition": 30}},
            "InvalidParameterValue.AiContentReviewTaskDefinition",
            "`30`",
        ),
        ({"AiAnalysisTask": {"Definition": 10}}, "UnsupportedOperation", "`ProcessMediaByUrl with AiAnalysisTask`"),
        ({"SessionId": "x" * 51}, "InvalidParameterValue.SessionIdTooLong", "`SessionId`"),
    ],
)
async def test_a_review_by_address_is_refused_by_the_parameter_that_is_invalid(
    sdk: Sdk, params: dict[str, Any], code: str, named: str
) -> None:
    given = {"InputInfo": {"Url": "http://a/b.mp4"}, "AiContentReviewTask": {"Definition": 10}, **params}
    error = await refusal(sdk.call_with({}, "ProcessMediaByUrl", **given))
    assert (error.code, named in error.message) == (code, True)


async def test_an_address_beside_a_file_does_not_count(sdk: Sdk, application: Application) -> None:
    await begin(sdk, Url="http://a/b.mp4")
    assert application.tasks.active == 1


async def test_a_file_that_was_not_declared_is_refused_where_files_must_be(sdk: Sdk, application: Application) -> None:
    await begin(sdk, file_id="2")
    life_of(application).configure({"strict_media": True})
    error = await refusal(begin(sdk, file_id="2"))
    assert (error.code, "`2`" in error.message) == ("InvalidParameterValue.FileId", True)
    await begin(sdk, file_id="1")


# --- procedures


async def test_a_procedure_does_what_was_declared(sdk: Sdk, application: Application, clock: Clock) -> None:
    declare_procedure(application.templates, 0.0, "Covers", [snapshots_job(10, ("10%",)), snapshots_job(10, ("90%",))])
    answer = await sdk.call(
        "ProcessMediaByProcedure",
        ProcedureName="Covers",
        FileId="1",
        SessionContext="c",
        SessionId="s",
        TasksPriority=3,
    )
    await clock.advance(10)
    [reported] = await pulled(sdk)
    assert (reported.TaskId, reported.SessionContext, reported.SessionId, reported.TasksPriority) == (
        answer.TaskId,
        "c",
        "s",
        3,
    )
    offsets = [one.SnapshotByTimeOffsetTask.Output.PicInfoSet[0].TimeOffset for one in reported.MediaProcessResultSet]
    assert offsets == [10_000, 90_000]


async def test_a_procedure_that_was_not_declared_is_refused_by_its_name(sdk: Sdk, application: Application) -> None:
    error = await refusal(sdk.call("ProcessMediaByProcedure", ProcedureName="Covers", FileId="1"))
    assert (error.code, "`Covers`" in error.message) == ("InvalidParameterValue.ProcedureName", True)
    declare_procedure(application.templates, 0.0, "Covers", [snapshots_job(10, ("10%",))])
    error = await refusal(sdk.call("ProcessMediaByProcedure", ProcedureName="Covers"))
    assert (error.code, "`FileId`" in error.message) == ("MissingParameter", True)


# --- looking at tasks


@every_way
async def test_a_task_is_watched_from_waiting_to_finish(sdk: Sdk, application: Application, clock: Clock) -> None:
    task_id = await begin(sdk, snapshots("1s"), SessionContext="c")

    async def look() -> tuple[Any, Any]:
        reported = await sdk.call("DescribeTaskDetail", TaskId=task_id)
        assert (reported.TaskType, reported.CreateTime) == ("Procedure", "2023-11-14T22:13:20Z")
        assert (reported.ProcedureTask.TaskId, reported.ProcedureTask.SessionContext) == (task_id, "c")
        assert (reported.SnapshotByTimeOffsetTask, reported.TranscodeTask) == (None, None)
        return reported, reported.ProcedureTask.MediaProcessResultSet[0].SnapshotByTimeOffsetTask

    reported, task = await look()
    assert (reported.Status, reported.BeginProcessTime, reported.FinishTime) == ("WAITING", "", "")
    assert (task.Status, task.Progress, task.BeginProcessTime) == ("PROCESSING", 0, "")

    await clock.advance(5.5)
    reported, task = await look()
    assert (reported.Status, reported.BeginProcessTime, reported.FinishTime) == (
        "PROCESSING",
        "2023-11-14T22:13:21Z",
        "",
    )
    assert (reported.ProcedureTask.Status, task.Status, task.Progress) == ("PROCESSING", "PROCESSING", 50)
    assert task.Output is None

    await clock.advance(4.5)
    reported, task = await look()
    assert (reported.Status, reported.FinishTime) == ("FINISH", "2023-11-14T22:13:30Z")
    assert (reported.ProcedureTask.Status, task.Status, task.Progress) == ("FINISH", "SUCCESS", 100)
    assert task.Output.PicInfoSet[0].TimeOffset == 1000


async def test_a_legacy_task_is_described_by_its_own_type(sdk: Sdk, application: Application, clock: Clock) -> None:
    media = application.find_media("1")
    assert media is not None
    task_id = application.start(LEGACY, media, [snapshots_job(10, (), (1000.0,))]).task_id
    await clock.advance(10)
    reported = await sdk.call("DescribeTaskDetail", TaskId=task_id)
    assert (reported.TaskType, reported.Status, reported.ProcedureTask) == ("SnapshotByTimeOffset", "FINISH", None)
    assert [one.TimeOffset for one in reported.SnapshotByTimeOffsetTask.SnapshotInfoSet] == [1000]


async def test_a_task_that_there_is_not_is_refused_by_its_id(sdk: Sdk, application: Application) -> None:
    task_id = await begin(sdk)
    error = await refusal(sdk.call("DescribeTaskDetail", TaskId="1-Procedure-0t0"))
    assert (error.code, "`1-Procedure-0t0`" in error.message) == ("InvalidParameterValue.TaskId", True)
    error = await refusal(sdk.call("DescribeTaskDetail", TaskId=task_id, SubAppId=1500000001))
    assert error.code == "InvalidParameterValue.TaskId"


@pytest.fixture
async def three(sdk: Sdk, application: Application, clock: Clock) -> list[str]:
    """A task that is over, one that is processed and one that waits, begun 8 and 6 seconds after each other."""
    begun = []
    for file_id, seconds in (("1", 8), ("2", 6), ("1", 0)):
        begun.append(await begin(sdk, file_id=file_id, SessionContext=f"of {file_id}"))
        await clock.advance(seconds)
    return begun


async def ids(sdk: Sdk, **filters: Any) -> list[str]:
    answer = await sdk.call("DescribeTasks", **filters)
    return [one.TaskId for one in answer.TaskSet]


@every_way
async def test_tasks_are_listed_newest_first(sdk: Sdk, three: list[str]) -> None:
    answer = await sdk.call("DescribeTasks")
    assert [one.TaskId for one in answer.TaskSet] == three[::-1]
    assert answer.ScrollToken == ""
    assert [one.Status for one in answer.TaskSet] == ["WAITING", "PROCESSING", "FINISH"]
    over = answer.TaskSet[2]
    assert (over.FileId, over.TaskType, over.SessionContext, over.SessionId) == ("1", "Procedure", "of 1", "")
    assert (over.CreateTime, over.FinishTime) == ("2023-11-14T22:13:20Z", "2023-11-14T22:13:30Z")


@every_way
async def test_tasks_are_found_by_status_file_and_time(sdk: Sdk, three: list[str]) -> None:
    over, processed, waiting = three
    assert await ids(sdk, Status="FINISH") == [over]
    assert await ids(sdk, Status="WAITING") == [waiting]
    assert await ids(sdk, FileId="1") == [waiting, over]
    assert await ids(sdk, FileId="1", Status="FINISH") == [over]
    second = structure("TimeRange", After="2023-11-14T22:13:28Z", Before="2023-11-14T22:13:34Z")
    assert await ids(sdk, CreateTime=second) == [processed]  # the second begins there, the third at its end
    assert await ids(sdk, CreateTime=structure("TimeRange", After="2023-11-15T06:13:34+08:00")) == [waiting]
    assert await ids(sdk, FinishTime=structure("TimeRange", Before="2030-01-01T00:00:00Z")) == [over]
    assert await ids(sdk, FinishTime=structure("TimeRange", After="2023-11-14T22:13:31Z")) == []


async def test_tasks_are_sorted_as_requested(sdk: Sdk, three: list[str]) -> None:
    for field in ("CreateTime", "FinishTime"):
        assert await ids(sdk, Sort=structure("SortBy", Field=field, Order="Asc")) == three
        assert await ids(sdk, Sort=structure("SortBy", Field=field, Order="Desc")) == three[::-1]
    error = await refusal(ids(sdk, Sort=structure("SortBy", Field="TaskId")))
    assert (error.code, "`Sort.Field`" in error.message) == ("InvalidParameterValue", True)


@every_way
async def test_tasks_come_page_by_page(sdk: Sdk, application: Application) -> None:
    begun = [await begin(sdk) for _ in range(5)]
    seen: list[str] = []
    token = None
    for count in (2, 2, 1):
        answer = await sdk.call("DescribeTasks", Limit=2, ScrollToken=token)
        assert len(answer.TaskSet) == count
        seen += [one.TaskId for one in answer.TaskSet]
        token = answer.ScrollToken
    assert (seen, token) == (begun[::-1], "")


async def test_the_next_page_is_right_although_tasks_have_changed(sdk: Sdk, three: list[str]) -> None:
    over, processed, _ = three
    answer = await sdk.call("DescribeTasks", Limit=2)
    assert await ids(sdk, ScrollToken=answer.ScrollToken, Status="PROCESSING") == []
    assert await ids(sdk, ScrollToken=processed, FileId="1") == [over]


@pytest.mark.parametrize(
    ("params", "named"),
    [
        ({"ScrollToken": "elsewhere"}, "ScrollToken"),
        ({"Limit": 101}, "Limit"),
        ({"Limit": 0}, "Limit"),
        ({"Status": "TERMINAL"}, "Status"),
        ({"CreateTime": structure("TimeRange", After="yesterday")}, "CreateTime.After"),
    ],
)
async def test_an_invalid_query_for_tasks_is_refused_with_its_parameter(
    sdk: Sdk, application: Application, params: dict[str, Any], named: str
) -> None:
    error = await refusal(sdk.call("DescribeTasks", **params))
    code = "InvalidParameterValue.Status" if named == "Status" else "InvalidParameterValue"
    assert (error.code, f"`{named}`" in error.message) == (code, True)


# --- media


@every_way
async def test_media_are_described_with_everything_that_is_simulated(
    sdk: Sdk, application: Application, clock: Clock
) -> None:
    await begin(sdk, snapshots("1s", "2s"))
    await clock.advance(10)
    answer = await sdk.call("DescribeMediaInfos", FileIds=["1", "2"])
    assert answer.NotExistFileIdSet == []
    first, second = answer.MediaInfoSet
    assert (first.FileId, first.BasicInfo.Name, first.MetaData.Duration) == ("1", "Fox", 100)
    assert first.BasicInfo.CreateTime == "2023-11-14T22:13:20Z"
    assert first.BasicInfo.MediaUrl.endswith("1/f0.mp4")
    [item] = first.SnapshotByTimeOffsetInfo.SnapshotByTimeOffsetSet
    assert item.Definition == 10
    assert [(one.TimeOffset, bool(one.Url)) for one in item.PicInfoSet] == [(1000, True), (2000, True)]
    assert [(one.Definition, one.Url) for one in first.TranscodeInfo.TranscodeSet] == [(0, first.BasicInfo.MediaUrl)]
    assert (first.ImageSpriteInfo, second.SnapshotByTimeOffsetInfo) == (None, None)
    assert second.BasicInfo.Name


@every_way
async def test_only_the_requested_parts_of_media_are_described(sdk: Sdk, application: Application) -> None:
    answer = await sdk.call("DescribeMediaInfos", FileIds=["1"], Filters=["metaData", "transcodeInfo"])
    [info] = answer.MediaInfoSet
    assert (info.BasicInfo, info.SnapshotByTimeOffsetInfo, info.MetaData.Size) == (None, None, 12_500_000)


async def test_unknown_files_are_listed_separately(sdk: Sdk, application: Application) -> None:
    life_of(application).configure({"strict_media": True})
    answer = await sdk.call("DescribeMediaInfos", FileIds=["2", "1", ""])
    assert [one.FileId for one in answer.MediaInfoSet] == ["1"]
    assert answer.NotExistFileIdSet == ["2", ""]


@pytest.mark.parametrize(
    ("params", "code", "named"),
    [
        ({"FileIds": []}, "InvalidParameterValue.FileIdsEmpty", "FileIds"),
        ({"FileIds": [str(number) for number in range(21)]}, "InvalidParameterValue.FileIdsOverLimit", "FileIds"),
        ({"FileIds": ["1"], "Filters": ["metadata"]}, "InvalidParameterValue", "metaData"),
    ],
)
async def test_an_invalid_query_for_media_is_refused_with_its_parameter(
    sdk: Sdk, application: Application, params: dict[str, Any], code: str, named: str
) -> None:
    error = await refusal(sdk.call("DescribeMediaInfos", **params))
    assert (error.code, named in error.message) == (code, True)


# --- templates


async def templates(sdk: Sdk, **filters: Any) -> list[Any]:
    answer = await sdk.call("DescribeSnapshotByTimeOffsetTemplates", **filters)
    return list(answer.SnapshotByTimeOffsetTemplateSet)


@every_way
async def test_a_template_is_made_described_changed_and_deleted(sdk: Sdk, running: Running, clock: Clock) -> None:
    look = {"Name": "高 1", "Width": 640, "Height": 32, "ResolutionAdaptive": "close", "Format": "webp"}
    look |= {"Comment": "c", "FillType": "gauss"}
    definition = (await sdk.call("CreateSnapshotByTimeOffsetTemplate", **look)).Definition
    [made] = await templates(sdk, Definitions=[definition])
    assert {name: getattr(made, name) for name in look} == look
    assert (made.Type, made.CreateTime, made.UpdateTime) == ("Custom", "2023-11-14T22:13:20Z", "2023-11-14T22:13:20Z")

    await clock.advance(60)
    await sdk.call("ModifySnapshotByTimeOffsetTemplate", Definition=definition, Width=0, Format="png")
    [changed] = await templates(sdk, Definitions=[definition])
    assert (changed.Width, changed.Format, changed.Name, changed.Height) == (0, "png", "高 1", 32)
    assert (changed.CreateTime, changed.UpdateTime) == ("2023-11-14T22:13:20Z", "2023-11-14T22:14:20Z")

    await sdk.call("DeleteSnapshotByTimeOffsetTemplate", Definition=definition)
    assert await templates(sdk, Definitions=[definition]) == []


@every_way
async def test_the_preset_exists_and_cannot_be_changed(sdk: Sdk, running: Running) -> None:
    [preset] = await templates(sdk)
    assert (preset.Definition, preset.Type, preset.Format, preset.FillType) == (10, "Preset", "jpg", "stretch")
    error = await refusal(sdk.call("ModifySnapshotByTimeOffsetTemplate", Definition=10, Width=640))
    assert (error.code, "preset" in error.message) == ("ResourceNotFound.TemplateNotExist", True)
    error = await refusal(sdk.call("DeleteSnapshotByTimeOffsetTemplate", Definition=10))
    assert error.code == "ResourceNotFound.TemplateNotExist"


async def test_templates_come_page_by_page_and_by_type(sdk: Sdk, running: Running) -> None:
    made = [(await sdk.call("CreateSnapshotByTimeOffsetTemplate")).Definition for _ in range(12)]
    answer = await sdk.call("DescribeSnapshotByTimeOffsetTemplates", Offset=10, Limit=2)
    assert answer.TotalCount == 13
    assert [one.Definition for one in answer.SnapshotByTimeOffsetTemplateSet] == made[9:11]
    assert len(await templates(sdk)) == 10
    assert [one.Definition for one in await templates(sdk, Type="Preset")] == [10]
    assert [one.Definition for one in await templates(sdk, Type="Custom", Limit=100)] == made
    assert [one.Definition for one in await templates(sdk, SubAppId=1500000001)] == [10]


@pytest.mark.parametrize(
    ("params", "named", "code"),
    [
        ({"Width": 31}, "Width", ".Width"),
        ({"Height": 4097}, "Height", ".Height"),
        ({"Format": "gif"}, "Format", ".Format"),
        ({"FillType": "crop"}, "FillType", ""),
        ({"ResolutionAdaptive": "yes"}, "ResolutionAdaptive", ""),
        ({"Name": "x" * 65}, "Name", ".Name"),
        ({"Comment": "x" * 257}, "Comment", ".Comment"),
    ],
)
async def test_an_invalid_template_is_refused_with_its_parameter(
    sdk: Sdk, running: Running, params: dict[str, Any], named: str, code: str
) -> None:
    error = await refusal(sdk.call("CreateSnapshotByTimeOffsetTemplate", **params))
    assert (error.code, f"`{named}`" in error.message) == (f"InvalidParameterValue{code}", True)


async def test_a_template_that_there_is_not_is_refused_by_its_number(sdk: Sdk, running: Running) -> None:
    for action in ("ModifySnapshotByTimeOffsetTemplate", "DeleteSnapshotByTimeOffsetTemplate"):
        error = await refusal(sdk.call(action, Definition=99))
        assert (error.code, "`99`" in error.message) == ("ResourceNotFound.TemplateNotExist", True)


async def test_there_are_only_so_many_templates(sdk: Sdk, running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    family = FAMILIES["SnapshotByTimeOffset"]._replace(limit=1)
    monkeypatch.setattr("mockvod.service.templates.FAMILIES", {**FAMILIES, "SnapshotByTimeOffset": family})
    await sdk.call("CreateSnapshotByTimeOffsetTemplate")
    error = await refusal(sdk.call("CreateSnapshotByTimeOffsetTemplate"))
    assert error.code == "LimitExceeded.TooMuchTemplate"
