"""The actions of API 2.0 about media and tasks.

Sources: IP/服务端 API 手册 (获取视频信息, 查询任务详情, 获取任务列表, 视频处理, 视频转码, 删除视频).
"""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

from mockvod.http.legacy_params import BAD_PARAMETER, LegacyError, Members, Params, number, only, several
from mockvod.http.media_actions import delete
from mockvod.http.processing import checked_process
from mockvod.service.application import Application
from mockvod.service.jobs.convert_vod_file import CONVERSION, conversion
from mockvod.service.jobs.kind import Job
from mockvod.service.jobs.procedure import PROCEDURE
from mockvod.service.jobs.table import jobs_of
from mockvod.service.media import Media
from mockvod.service.media_info import media_info
from mockvod.service.tasks import Task, TaskKind, TooManyTasks
from mockvod.wire import calls
from mockvod.wire.legacy_events import legacy
from mockvod.wire.legacy_media import FILTERS, video_info
from mockvod.wire.processing import ProcessMedia

NO_FILE: Final = 10008
NO_TASK: Final = 70014
INVALID: Final = 1000

TASK_TYPES: Final = {
    "Procedure": "procedure",
    "Transcode": "transcode",
    "SnapshotByTimeOffset": "snapShotByTime",
    "ImageSprite": "imageSprite",
}
"""The types of task that API 2.0 knows."""
KINDS: Final = {
    "transcode": "TranscodeTaskSet",
    "animatedGraphics": "AnimatedGraphicTaskSet",
    "sampleSnapshot": "SampleSnapshotTaskSet",
    "coverBySnapshot": "CoverBySnapshotTaskSet",
    "snapshotByTimeOffset": "SnapshotByTimeOffsetTaskSet",
    "imageSprite": "ImageSpriteTaskSet",
}
NAMES: Final = {
    "startTime": "StartTimeOffset",
    "endTime": "EndTimeOffset",
    "positionType": "PositionType",
    "position": "PositionValue",
}
IGNORED: Final = frozenset({"watermark", "watermarkDefinition", "hlsMasterPlaylist", "idrAlignment", "definition"})


def _media(application: Application, params: Params) -> Media:
    file_id = params.get("fileId")
    if not isinstance(file_id, str) or not file_id:
        raise LegacyError(BAD_PARAMETER, "fileId is missing")
    media = application.find_media(file_id)
    if media is None:
        raise LegacyError(NO_FILE, f"the file {file_id[:100]!r} does not exist")
    return media


# --- media


async def get_video_info(application: Application, params: Params) -> Members:
    only(params, "fileId", "infoFilter")
    wanted = several(params, "infoFilter") if "infoFilter" in params else []
    for name in wanted:
        if name not in FILTERS:
            raise LegacyError(INVALID, f"infoFilter {name[:100]!r} must be one of {', '.join(FILTERS)}")
    media = _media(application, params)
    return video_info(media_info(media, application.media, application.reachable_addresses()), frozenset(wanted))


async def delete_vod_file(application: Application, params: Params) -> Members:
    only(params, "fileId", "priority", "isFlushCdn")
    delete(application, _media(application, params).file_id, [])
    return {}


# --- starting jobs


async def process_file(application: Application, params: Params) -> Members:
    only(params, "fileId", "notifyMode", "priority", *KINDS)
    media = _media(application, params)
    tasks = {member: _inputs(name, params[name]) for name, member in KINDS.items() if name in params}
    request = {"MediaProcessTask": tasks, **_options(params)}
    call = calls.parse(ProcessMedia, request, texts=True, action="ProcessMedia")
    jobs = jobs_of(checked_process(call.media_process_task))
    if not jobs:
        raise LegacyError(BAD_PARAMETER, f"name at least one of {', '.join(KINDS)}")
    how = {"notify": call.tasks_notify_mode, "priority": call.tasks_priority}
    return await _start(application, PROCEDURE, media, jobs, **how)


def _options(params: Params) -> dict[str, Any]:
    names = {"notifyMode": "TasksNotifyMode", "priority": "TasksPriority"}
    return {new: params[old] for old, new in names.items() if old in params}


def _inputs(kind: str, given: object) -> list[dict[str, Any]]:
    """The inputs of the jobs of one kind, one for each of its definitions."""
    if not isinstance(given, Mapping):
        raise LegacyError(BAD_PARAMETER, f"{kind} has members, such as {kind}.definition")
    members = {NAMES[name]: value for name, value in given.items() if name in NAMES}
    if kind == "animatedGraphics":
        members = {"StartTimeOffset": "0", "EndTimeOffset": "0", **members}
    if kind == "coverBySnapshot":
        members = {"PositionType": "Time", "PositionValue": "0", **members}
    if "timeOffset" in given:
        members["TimeOffsetSet"] = several(given, "timeOffset")
    for name in given:
        if name not in NAMES and name not in IGNORED and name != "timeOffset":
            raise LegacyError(BAD_PARAMETER, f"the parameter {kind}.{str(name)[:100]} is not known")
    return [{"Definition": one, **members} for one in several(given, "definition")]


async def convert_vod_file(application: Application, params: Params) -> Members:
    only(params, "fileId", "isScreenshot", "isWatermark")
    cover = number("isScreenshot", params.get("isScreenshot", "0")) == 1
    return await _start(application, CONVERSION, _media(application, params), conversion(cover=cover))


async def _start(application: Application, kind: TaskKind, media: Media, jobs: list[Job], **how: Any) -> Members:
    try:
        task = application.start(kind, media, jobs, **how)
    except TooManyTasks as error:
        raise LegacyError(INVALID, str(error)) from None
    if (hook := application.life.hooks.delivery) is not None:
        await hook.before_response()
    return {"vodTaskId": task.task_id}


# --- tasks


async def get_task_info(application: Application, params: Params) -> Members:
    only(params, "vodTaskId")
    task_id = params.get("vodTaskId")
    task = application.tasks.find(task_id) if isinstance(task_id, str) else None
    if task is None or task.kind.type not in TASK_TYPES:
        raise LegacyError(NO_TASK, f"the task {str(task_id)[:100]!r} does not exist")
    summary = _summary(application, task)
    del summary["vodTaskId"]
    if summary["status"] == "WAITING":
        return summary
    body = legacy(task.kind.event_type, application.tasks.structure(task))
    return {**summary, "data": body["data"]}


async def get_task_list(application: Application, params: Params) -> Members:
    only(params, "status", "fileId", "maxCount", "next")
    status = params.get("status")
    if status not in {"WAITING", "PROCESSING", "FINISH"}:
        raise LegacyError(INVALID, f"status {str(status)[:100]!r} must be WAITING, PROCESSING or FINISH")
    most = number("maxCount", params.get("maxCount", "10"))
    if not 1 <= most <= 100:
        raise LegacyError(INVALID, f"maxCount {most} must be from 1 to 100")
    now = application.life.clock.now()
    tasks = [
        task
        for task in reversed(application.tasks.oldest_first())
        if task.kind.type in TASK_TYPES
        and task.status(now) == status
        and params.get("fileId", task.media.file_id) == task.media.file_id
    ]
    ids = [task.task_id for task in tasks]
    first = params.get("next") or (ids[0] if ids else "")
    place = ids.index(first) if first in ids else len(ids)
    page, rest = tasks[place : place + most], ids[place + most :]
    listed = [_summary(application, task) for task in page]
    for one in listed:
        del one["status"]
    return {"data": {"next": rest[0] if rest else "", "status": status, "taskList": listed}}


def _summary(application: Application, task: Task) -> dict[str, Any]:
    clock = application.life.clock
    status = task.status(clock.now())
    return {
        "vodTaskId": task.task_id,
        "type": TASK_TYPES[task.kind.type],
        "status": status,
        "createTime": int(clock.epoch(task.created_at)),
        "beginProcessTime": 0 if status == "WAITING" else int(clock.epoch(task.begins_at)),
        "finishTime": int(clock.epoch(task.ends_at)) if status == "FINISH" else 0,
    }


ACTIONS: Final[dict[str, Callable[[Application, Params], Coroutine[Any, Any, Members]]]] = {
    "GetVideoInfo": get_video_info,
    "GetTaskInfo": get_task_info,
    "GetTaskList": get_task_list,
    "ProcessFile": process_file,
    "ConvertVodFile": convert_vod_file,
    "DeleteVodFile": delete_vod_file,
}
