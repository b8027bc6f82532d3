"""The actions of API 3.0 that start jobs on media, and look at tasks."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from mockvod.http.action import Action
from mockvod.service.application import Application
from mockvod.service.jobs.kind import Job
from mockvod.service.jobs.procedure import PROCEDURE
from mockvod.service.jobs.table import jobs_of
from mockvod.service.media import Media
from mockvod.service.media_info import iso
from mockvod.service.tasks import SESSION_WINDOW, Session, SessionTaken, Task, TooManyTasks
from mockvod.wire import processing as wire
from mockvod.wire.calls import value_error
from mockvod.wire.error_codes import documented
from mockvod.wire.errors import (
    InvalidParameterValue,
    MissingParameter,
    SessionContextTooLong,
    SessionIdTaken,
    SessionIdTooLong,
    TaskNotExist,
    UnsupportedOperation,
)

Members = Mapping[str, Any]

MAX_JOBS: Final = 100
MAX_OFFSETS: Final = 5_000
"""Time offsets in all jobs of a request; the limit is ours."""

# The members of DescribeTaskDetail that carry a task, of which one is not null.
TASK_FIELDS: Final = (
    "ProcedureTask EditMediaTask WechatPublishTask ComposeMediaTask SplitMediaTask WechatMiniProgramPublishTask "
    "PullUploadTask TranscodeTask ConcatTask ClipTask CreateImageSpriteTask SnapshotByTimeOffsetTask "
    "RemoveWatermarkTask RebuildMediaTask ExtractTraceWatermarkTask ExtractCopyRightWatermarkTask "
    "ReviewAudioVideoTask ReduceMediaBitrateTask DescribeFileAttributesTask QualityInspectTask QualityEnhanceTask "
    "ComplexAdaptiveDynamicStreamingTask"
).split()


# --- starting jobs


async def process_media(application: Application, call: wire.ProcessMedia) -> Members:
    for name, given in (
        ("AiAnalysisTask", call.ai_analysis_task is not None),
        ("AiRecognitionTask", call.ai_recognition_task is not None),
        ("Url", bool(call.url and not call.file_id)),  # a Url counts only without a FileId
        ("OutputAsIndependentMedia", call.output_as_independent_media == "ON"),
    ):
        if given:
            raise UnsupportedOperation(
                action=f"ProcessMedia with {name}", simulated="MediaProcessTask, AiContentReviewTask"
            )
    process = checked_process(call.media_process_task)
    review = call.ai_content_review_task
    try:
        jobs = jobs_of(process, None if review is None else review.model_dump(by_alias=True))
    except KeyError as unknown:
        reason = "there are the templates 10 and 20"
        raise value_error("ProcessMedia", "AiContentReviewTaskDefinition", unknown.args[0], reason) from None
    if not jobs:
        raise MissingParameter(name="MediaProcessTask")
    _check_budget(jobs)
    return {"TaskId": await start(application, "ProcessMedia", call, jobs)}


def checked_process(task: wire.MediaProcessTask | None) -> dict[str, Any]:
    """A MediaProcessTask in the vendor's spelling. Raises MissingParameter for snapshots without time offsets."""
    process = {} if task is None else task.model_dump(by_alias=True)
    for place, one in enumerate(process.get("SnapshotByTimeOffsetTaskSet", ())):
        if not one["ExtTimeOffsetSet"] and not one["TimeOffsetSet"]:
            raise MissingParameter(name=f"MediaProcessTask.SnapshotByTimeOffsetTaskSet.{place}.ExtTimeOffsetSet")
    return process


def _check_budget(jobs: list[Job]) -> None:
    if len(jobs) > MAX_JOBS:
        raise _too_many(f"{len(jobs)} jobs", f"a task has at most {MAX_JOBS}")
    offsets = sum(len(job.input.get("ExtTimeOffsetSet") or job.input.get("TimeOffsetSet") or ()) for job in jobs)
    if offsets > MAX_OFFSETS:
        raise _too_many(f"{offsets} time offsets", f"a task has at most {MAX_OFFSETS}")


def _too_many(value: str, reason: str) -> InvalidParameterValue:
    return InvalidParameterValue(name="MediaProcessTask", value=value, reason=reason)


async def process_media_by_procedure(application: Application, call: wire.ProcessMediaByProcedure) -> Members:
    jobs = procedure_jobs(application, call.procedure_name)
    if jobs is None:
        name, reason = call.procedure_name[:100], "there is no procedure of this name"
        raise value_error("ProcessMediaByProcedure", "ProcedureName", name, reason)
    return {"TaskId": await start(application, "ProcessMediaByProcedure", call, jobs), "ReviewAudioVideoTaskId": ""}


def procedure_jobs(application: Application, name: str) -> list[Job] | None:
    """The jobs of a procedure template; None when there is none of this name."""
    template = application.templates.find("Procedure", name)
    if template is None:
        return None
    process, review = template.content["MediaProcessTask"], template.content["AiContentReviewTask"]
    try:
        return jobs_of(process, review)
    except KeyError:  # a template of content reviews that does not exist: the others run
        return jobs_of(process)


async def start(application: Application, action: str, call: wire.JobRequest, jobs: list[Job]) -> str:
    """Start the procedure that *call* asks for, and answer its TaskId."""
    if call.media_storage_path:
        raise UnsupportedOperation(action=f"{action} with MediaStoragePath", simulated="jobs by FileId")
    if not call.file_id:
        raise MissingParameter(name="FileId")
    media = application.find_media(call.file_id)
    if media is None:
        raise value_error(action, "FileId", call.file_id[:100], "there is no such media file")
    session = use_session(application, call.session_context, call.session_id)
    task = start_task(
        application,
        media,
        jobs,
        notify=call.tasks_notify_mode,
        priority=call.tasks_priority,
        session=session,
    )
    if (hook := application.life.hooks.delivery) is not None:
        await hook.before_response()
    return task.task_id


def start_task(application: Application, media: Media, jobs: list[Job], **how: Any) -> Task:
    """Start a procedure; *how* as Application.start takes it. Raises FailedOperation when too many tasks are active."""
    try:
        return application.start(PROCEDURE, media, jobs, **how)
    except TooManyTasks as error:
        raise documented(
            "FailedOperation", f"{error}: wait for their end, move the clock, or reset the account."
        ) from None


def use_session(application: Application, context: str, session_id: str) -> Session:
    """What the caller passes through. Raises the errors of a SessionContext or SessionId that cannot be used."""
    if len(context) > 1000:
        raise SessionContextTooLong(length=len(context))
    if len(session_id) > 50:
        raise SessionIdTooLong(length=len(session_id))
    if session_id:
        try:
            application.tasks.use_session(session_id)
        except SessionTaken:
            raise SessionIdTaken(session_id=session_id, days=int(SESSION_WINDOW / 86400)) from None
    return Session(context, session_id)


# --- tasks


async def describe_task_detail(application: Application, call: wire.DescribeTaskDetail) -> Members:
    task = application.tasks.find(call.task_id)
    if task is None:
        raise TaskNotExist(task_id=call.task_id[:100])
    carried = {task.kind.field: application.tasks.structure(task)}
    return {"TaskType": task.kind.type, **_dates(application, task), **dict.fromkeys(TASK_FIELDS), **carried}


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
            and (not call.file_id or call.file_id == task.media.file_id)
            and within(dates["CreateTime"], call.create_time)
            and within(dates["FinishTime"], call.finish_time)
        ):
            if len(found) == call.limit:
                return {"TaskSet": found, "ScrollToken": task.task_id}
            found.append(_summary(task, dates))
    return {"TaskSet": found, "ScrollToken": ""}


def _in_order(application: Application, sort: wire.SortBy | None) -> list[Task]:
    """Newest first by default; a task that has not ended counts as the last to finish."""
    tasks = application.tasks.oldest_first()
    if sort is not None and sort.field == "FinishTime":
        tasks.sort(key=lambda task: (not task.finished, task.ends_at))
    return tasks if sort is not None and sort.order == "Asc" else tasks[::-1]


def _from(scroll_token: str, tasks: list[Task]) -> list[Task]:
    """The *tasks* from the one on that the token names, whether the filters let it pass or not."""
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
        "TaskType": task.kind.type,
        "SessionId": task.session.id,
        "SessionContext": task.session.context,
    }


def within(date: str, limits: wire.TimeRange | None) -> bool:
    """Whether a *date* of an answer lies within *limits*; an empty one lies in none."""
    if limits is None:
        return True
    if not date:
        return False
    moment = _moment(date)
    return (not limits.after or moment >= _moment(limits.after)) and (
        not limits.before or moment < _moment(limits.before)
    )


def _moment(date: str) -> datetime:
    moment = datetime.fromisoformat(date)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


ACTIONS: Final[dict[str, Action[Any]]] = {
    "ProcessMedia": Action(wire.ProcessMedia, process_media),
    "ProcessMediaByProcedure": Action(wire.ProcessMediaByProcedure, process_media_by_procedure),
    "DescribeTaskDetail": Action(wire.DescribeTaskDetail, describe_task_detail),
    "DescribeTasks": Action(wire.DescribeTasks, describe_tasks),
}
