"""The actions of API 3.0 that start snapshot jobs and look at tasks, media and templates."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from mockvod.http.actions import Action
from mockvod.service.application import Application
from mockvod.service.media import Media
from mockvod.service.tasks import SESSION_WINDOW, Session, SessionTaken, SnapshotJob, Task, iso, media_url, meta_data
from mockvod.service.templates import Template, TooManyTemplates
from mockvod.wire import processing as wire
from mockvod.wire.errors import (
    ApiError,
    DeleteDefaultTemplate,
    FileNotExist,
    InvalidParameterValue,
    MissingParameter,
    ModifyDefaultTemplate,
    ProcedureNotExist,
    SessionContextTooLong,
    SessionIdTaken,
    SessionIdTooLong,
    TaskNotExist,
    TemplateNotExist,
    TooMuchTemplate,
    UnsupportedOperation,
)

Members = Mapping[str, Any]

# Of a media, by the word that DescribeMediaInfos filters by (M: DescribeMediaInfosRequest).
SIMULATED_INFO: Final = {
    "basicInfo": "BasicInfo",
    "metaData": "MetaData",
    "snapshotByTimeOffsetInfo": "SnapshotByTimeOffsetInfo",
}
OTHER_INFO: Final = {
    "transcodeInfo": "TranscodeInfo",
    "animatedGraphicsInfo": "AnimatedGraphicsInfo",
    "imageSpriteInfo": "ImageSpriteInfo",
    "sampleSnapshotInfo": "SampleSnapshotInfo",
    "keyFrameDescInfo": "KeyFrameDescInfo",
    "adaptiveDynamicStreamingInfo": "AdaptiveDynamicStreamingInfo",
    "miniProgramReviewInfo": "MiniProgramReviewInfo",
    "subtitleInfo": "SubtitleInfo",
    "reviewInfo": "ReviewInfo",
    "mpsAiMediaInfo": "MPSAiMediaInfo",
    "knowledgeBasesInfo": "KnowledgeBasesInfo",
}
SIMULATED_TASKS: Final = "MediaProcessTask.SnapshotByTimeOffsetTaskSet"
FOREVER: Final = "9999-12-31T23:59:59Z"


# --- jobs


async def process_media(application: Application, call: wire.ProcessMedia) -> Members:
    for name, given in (
        ("AiContentReviewTask", call.ai_content_review_task is not None),
        ("AiAnalysisTask", call.ai_analysis_task is not None),
        ("AiRecognitionTask", call.ai_recognition_task is not None),
        ("Url", bool(call.url and not call.file_id)),  # which holds where there is no FileId only
    ):
        if given:
            raise UnsupportedOperation(action=f"ProcessMedia with {name}", simulated=SIMULATED_TASKS)
    tasks = call.media_process_task
    if tasks is None:
        raise MissingParameter(name="MediaProcessTask")
    for field, facts in wire.MediaProcessTask.model_fields.items():
        if field != "snapshot_by_time_offset_task_set" and getattr(tasks, field):
            raise UnsupportedOperation(
                action=f"ProcessMedia with MediaProcessTask.{facts.alias}", simulated=SIMULATED_TASKS
            )
    inputs = tasks.snapshot_by_time_offset_task_set
    if not inputs:
        raise MissingParameter(name="MediaProcessTask.SnapshotByTimeOffsetTaskSet")
    jobs = [_job(one, place) for place, one in enumerate(inputs)]
    return await _begun(application, call, jobs)


def _job(wish: wire.SnapshotByTimeOffsetTaskInput, place: int) -> SnapshotJob:
    if not wish.ext_time_offset_set and not wish.time_offset_set:
        raise MissingParameter(name=f"MediaProcessTask.SnapshotByTimeOffsetTaskSet.{place}.ExtTimeOffsetSet")
    return SnapshotJob(
        wish.definition,
        tuple(wish.ext_time_offset_set or ()),
        tuple(wish.time_offset_set or ()),
        tuple(mark.model_dump(by_alias=True, exclude_none=True) for mark in wish.watermark_set or ()),
    )


async def process_media_by_procedure(application: Application, call: wire.ProcessMediaByProcedure) -> Members:
    jobs = application.procedures.get(call.procedure_name)
    if jobs is None:
        raise ProcedureNotExist(name=call.procedure_name[:100])
    return await _begun(application, call, list(jobs))


async def _begun(application: Application, call: wire.Job, jobs: list[SnapshotJob]) -> Members:
    task_id = _begin(application, call, jobs)
    if (hook := application.life.hooks.delivery) is not None:
        await hook.before_response()
    return {"TaskId": task_id}


def _begin(application: Application, call: wire.Job, jobs: list[SnapshotJob]) -> str:
    if call.media_storage_path:
        raise UnsupportedOperation(action="a job by MediaStoragePath", simulated="jobs by FileId")
    if not call.file_id:
        raise MissingParameter(name="FileId")
    if len(call.session_context or "") > 1000:
        raise SessionContextTooLong(length=len(call.session_context or ""))
    if len(call.session_id or "") > 50:
        raise SessionIdTooLong(length=len(call.session_id or ""))
    media = application.find_media(call.file_id)
    if media is None:
        raise FileNotExist(file_id=call.file_id[:100])
    if call.session_id:
        try:
            application.tasks.use_session(call.session_id)
        except SessionTaken:
            raise SessionIdTaken(session_id=call.session_id, days=int(SESSION_WINDOW / 86400)) from None
    task = application.start_procedure(
        media,
        jobs,
        notify=call.tasks_notify_mode or "Finish",
        priority=call.tasks_priority or 0,
        session=Session(call.session_context or "", call.session_id or ""),
    )
    return task.task_id


# --- tasks


async def describe_task_detail(application: Application, call: wire.DescribeTaskDetail) -> Members:
    task = application.tasks.find(call.task_id)
    if task is None:
        raise TaskNotExist(task_id=call.task_id[:100])
    dates = _dates(application, task)
    procedure = application.tasks.procedure(task) if task.kind == "Procedure" else None
    snapshots = application.tasks.snapshot_task(task) if task.kind == "SnapshotByTimeOffset" else None
    return {"TaskType": task.kind, **dates, "ProcedureTask": procedure, "SnapshotByTimeOffsetTask": snapshots}


def _dates(application: Application, task: Task) -> dict[str, str]:
    clock = application.life.clock
    now = clock.now()
    status = task.status(now)
    return {
        "Status": status,
        "CreateTime": iso(clock.epoch(task.created_at)),
        "BeginProcessTime": iso(clock.epoch(task.begins_at)) if status != "WAITING" else "",
        "FinishTime": iso(clock.epoch(task.ends_at)) if status == "FINISH" else "",
    }


async def describe_tasks(application: Application, call: wire.DescribeTasks) -> Members:
    found: list[Members] = []
    for task in _from(call.scroll_token, _in_order(application, call.sort)):
        dates = _dates(application, task)
        if (
            (call.status is None or call.status == dates["Status"])
            and (call.file_id is None or call.file_id == task.media.file_id)
            and _within(dates["CreateTime"], call.create_time)
            and _within(dates["FinishTime"], call.finish_time)
        ):
            if len(found) == call.limit:
                return {"TaskSet": found, "ScrollToken": task.task_id}
            found.append(_summary(task, dates))
    return {"TaskSet": found, "ScrollToken": ""}


def _in_order(application: Application, sort: wire.SortBy | None) -> list[Task]:
    """Newest first where nothing else is wished; a task that is not over counts as the last to finish."""
    tasks = application.tasks.oldest_first()
    if sort is not None and sort.field == "FinishTime":
        tasks.sort(key=lambda task: (not task.finished, task.ends_at))
    return tasks if sort is not None and sort.order == "Asc" else tasks[::-1]


def _from(scroll_token: str | None, tasks: list[Task]) -> list[Task]:
    """Those of *tasks* from the one on that the token names, whether the filters still let it pass or not."""
    if not scroll_token:
        return tasks
    for place, task in enumerate(tasks):
        if task.task_id == scroll_token:
            return tasks[place:]
    raise InvalidParameterValue(name="ScrollToken", value=scroll_token[:100], reason="it is from no answer")


def _summary(task: Task, dates: Members) -> Members:
    return {
        "TaskId": task.task_id,
        **dates,
        "FileId": task.media.file_id,
        "TaskType": task.kind,
        "SessionId": task.session.id,
        "SessionContext": task.session.context,
    }


def _within(date: str, limits: wire.TimeRange | None) -> bool:
    if limits is None:
        return True
    if not date:
        return False
    moment = _moment(date)
    return (limits.after is None or moment >= _moment(limits.after)) and (
        limits.before is None or moment < _moment(limits.before)
    )


def _moment(date: str) -> datetime:
    moment = datetime.fromisoformat(date)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


# --- media


async def describe_media_infos(application: Application, call: wire.DescribeMediaInfos) -> Members:
    if not call.file_ids:
        raise MissingParameter(name="FileIds")
    if len(call.file_ids) > 20:
        raise InvalidParameterValue(name="FileIds", value=f"{len(call.file_ids)} files", reason="at most 20 at once")
    wanted = SIMULATED_INFO.keys() if not call.filters else call.filters
    for name in wanted:
        if name not in SIMULATED_INFO and name not in OTHER_INFO:
            known = ", ".join([*SIMULATED_INFO, *OTHER_INFO])
            raise InvalidParameterValue(name="Filters", value=name[:100], reason=f"it should be one of {known}")
    infos, missing = [], []
    for file_id in call.file_ids:
        media = application.find_media(file_id)
        if media is None:
            missing.append(file_id)
        else:
            infos.append(_info(application, media, set(wanted)))
    return {"MediaInfoSet": infos, "NotExistFileIdSet": missing}


def _info(application: Application, media: Media, wanted: set[str]) -> Members:
    info: dict[str, Any] = dict.fromkeys([*SIMULATED_INFO.values(), *OTHER_INFO.values()])
    info["FileId"] = media.file_id
    if "basicInfo" in wanted:
        info["BasicInfo"] = {
            "Name": media.name,
            "Description": "",
            "CreateTime": iso(media.created_at),
            "UpdateTime": iso(media.created_at),
            "ExpireTime": FOREVER,
            "ClassId": 0,
            "ClassName": "其他",
            "ClassPath": "其他",
            "CoverUrl": "",
            "Type": "mp4",
            "MediaUrl": media_url(media),
            "SourceInfo": None,
            "StorageRegion": "ap-chongqing",
            "StoragePath": "",
            "TagSet": [],
            "Vid": "",
            "Category": "Video",
            "Status": "Normal",
            "StorageClass": "STANDARD",
        }
    if "metaData" in wanted:
        info["MetaData"] = meta_data(media)
    if "snapshotByTimeOffsetInfo" in wanted:
        info["SnapshotByTimeOffsetInfo"] = {
            "SnapshotByTimeOffsetSet": [
                {
                    "Definition": definition,
                    "PicInfoSet": [
                        {"TimeOffset": float(picture.time_offset), "Url": picture.url, "WaterMarkDefinition": []}
                        for picture in pictures
                    ],
                }
                for definition, pictures in application.media.pictures(media.file_id).items()
            ]
        }
    return info


# --- templates


async def create_template(application: Application, call: wire.CreateSnapshotByTimeOffsetTemplate) -> Members:
    try:
        template = application.templates.add(application.life.clock.epoch(), **_look(call))
    except TooManyTemplates:
        raise TooMuchTemplate from None
    return {"Definition": template.definition}


async def modify_template(application: Application, call: wire.ModifySnapshotByTimeOffsetTemplate) -> Members:
    template = _own_template(application, call.definition, ModifyDefaultTemplate)
    application.templates.change(template.definition, application.life.clock.epoch(), **_look(call))
    return {}


async def delete_template(application: Application, call: wire.DeleteSnapshotByTimeOffsetTemplate) -> Members:
    application.templates.remove(_own_template(application, call.definition, DeleteDefaultTemplate).definition)
    return {}


def _own_template(application: Application, definition: int, if_preset: type[ApiError]) -> Template:
    template = application.templates.find(definition)
    if template is None:
        raise TemplateNotExist(definition=definition)
    if template.preset:
        raise if_preset(definition=definition)
    return template


def _look(call: wire.CreateSnapshotByTimeOffsetTemplate) -> dict[str, Any]:
    return call.model_dump(exclude={"sub_app_id", "ext_info", "definition"}, exclude_none=True)


async def describe_templates(application: Application, call: wire.DescribeSnapshotByTimeOffsetTemplates) -> Members:
    found = [
        template
        for template in application.templates
        if (call.definitions is None or template.definition in call.definitions)
        and (call.type is None or call.type == ("Preset" if template.preset else "Custom"))
    ]
    return {
        "TotalCount": len(found),
        "SnapshotByTimeOffsetTemplateSet": [
            {
                "Definition": template.definition,
                "Type": "Preset" if template.preset else "Custom",
                "Name": template.name,
                "Comment": template.comment,
                "Width": template.width,
                "Height": template.height,
                "ResolutionAdaptive": template.resolution_adaptive,
                "Format": template.format,
                "CreateTime": iso(template.created_at),
                "UpdateTime": iso(template.updated_at),
                "FillType": template.fill_type,
            }
            for template in found[call.offset : call.offset + call.limit]
        ],
    }


# --- the table

ACTIONS: Final[dict[str, Action[Any]]] = {
    "ProcessMedia": Action(wire.ProcessMedia, process_media),
    "ProcessMediaByProcedure": Action(wire.ProcessMediaByProcedure, process_media_by_procedure),
    "DescribeTaskDetail": Action(wire.DescribeTaskDetail, describe_task_detail),
    "DescribeTasks": Action(wire.DescribeTasks, describe_tasks),
    "DescribeMediaInfos": Action(wire.DescribeMediaInfos, describe_media_infos),
    "CreateSnapshotByTimeOffsetTemplate": Action(wire.CreateSnapshotByTimeOffsetTemplate, create_template),
    "ModifySnapshotByTimeOffsetTemplate": Action(wire.ModifySnapshotByTimeOffsetTemplate, modify_template),
    "DeleteSnapshotByTimeOffsetTemplate": Action(wire.DeleteSnapshotByTimeOffsetTemplate, delete_template),
    "DescribeSnapshotByTimeOffsetTemplates": Action(wire.DescribeSnapshotByTimeOffsetTemplates, describe_templates),
}
