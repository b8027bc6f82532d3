"""The actions of API 3.0 that start jobs on media, and that describe tasks."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from mockvod.http.action import Action
from mockvod.service.application import Application
from mockvod.service.jobs.kind import Job
from mockvod.service.jobs.procedure import PROCEDURE, procedure_of_address
from mockvod.service.jobs.table import jobs_of
from mockvod.service.media import Media
from mockvod.service.media_info import iso
from mockvod.service.tasks import SESSION_WINDOW, Session, SessionTaken, Task, TaskKind, TooManyTasks
from mockvod.wire import processing as wire
from mockvod.wire.calls import value_error
from mockvod.wire.error_codes import documented
from mockvod.wire.errors import (
    ApiError,
    InvalidParameterValue,
    MissingParameter,
    SessionIdTaken,
    TaskNotExist,
    UnsupportedOperation,
)

Members = Mapping[str, Any]

MAX_JOBS: Final = 100
MAX_OFFSETS: Final = 5_000
"""Time offsets in all jobs of a request; the limit is ours."""

# The members of DescribeTaskDetail that carry a task; exactly one is not null.
TASK_FIELDS: Final = (
    "ProcedureTask EditMediaTask WechatPublishTask ComposeMediaTask SplitMediaTask WechatMiniProgramPublishTask "
    "PullUploadTask TranscodeTask ConcatTask ClipTask CreateImageSpriteTask SnapshotByTimeOffsetTask "
    "RemoveWatermarkTask RebuildMediaTask ExtractTraceWatermarkTask ExtractCopyRightWatermarkTask "
    "ReviewAudioVideoTask ReduceMediaBitrateTask DescribeFileAttributesTask QualityInspectTask QualityEnhanceTask "
    "ComplexAdaptiveDynamicStreamingTask"
).split()


# --- starting jobs


async def process_media(application: Application, call: wire.ProcessMedia) -> Members:
    if call.url and not call.file_id:  # beside a FileId, a Url has no effect
        raise _unsupported("ProcessMedia", "Url")
    if call.output_as_independent_media == "ON":
        raise _unsupported("ProcessMedia", "OutputAsIndependentMedia")
    jobs = _jobs("ProcessMedia", call, checked_process(call.media_process_task))
    if not jobs:
        raise MissingParameter(name="MediaProcessTask")
    _check_budget(jobs)
    return {"TaskId": await start(application, "ProcessMedia", call, jobs)}


async def process_media_by_url(application: Application, call: wire.ProcessMediaByUrl) -> Members:
    jobs = _jobs("ProcessMediaByUrl", call)
    if not jobs:
        raise MissingParameter(name="AiContentReviewTask")
    source = call.input_info
    media = application.media.plausible(application.media.new_id())
    kind = procedure_of_address(source.id, source.name or media.name, source.url)
    return {"TaskId": await _start(application, call, media, jobs, kind)}


def _jobs(action: str, call: wire.AiTasks, process: Mapping[str, Any] | None = None) -> list[Job]:
    """The jobs that *call* asks for. Raises the errors of tasks and templates that are not simulated."""
    for name, task in (("AiAnalysisTask", call.ai_analysis_task), ("AiRecognitionTask", call.ai_recognition_task)):
        if task is not None:
            raise _unsupported(action, name)
    review = call.ai_content_review_task
    try:
        return jobs_of(process, None if review is None else review.model_dump(by_alias=True))
    except KeyError as unknown:
        raise value_error(action, "AiContentReviewTaskDefinition", unknown.args[0], "must be 10 or 20") from None


def _unsupported(action: str, parameter: str) -> UnsupportedOperation:
    simulated = "AiContentReviewTask" if action == "ProcessMediaByUrl" else "MediaProcessTask, AiContentReviewTask"
    return UnsupportedOperation(action=f"{action} with {parameter}", simulated=simulated)


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
    """The jobs of a procedure template; None if there is no template of this name."""
    template = application.templates.find("Procedure", name)
    if template is None:
        return None
    process, review = template.content["MediaProcessTask"], template.content["AiContentReviewTask"]
    try:
        return jobs_of(process, review)
    except KeyError:  # the content review template does not exist; the other jobs run
        return jobs_of(process)


async def start(application: Application, action: str, call: wire.JobRequest, jobs: list[Job]) -> str:
    """Start a procedure on the media file that *call* names, and return its TaskId."""
    if call.media_storage_path:
        raise UnsupportedOperation(action=f"{action} with MediaStoragePath", simulated="jobs by FileId")
    if not call.file_id:
        raise MissingParameter(name="FileId")
    media = application.find_media(call.file_id)
    if media is None:
        raise value_error(action, "FileId", call.file_id[:100], "there is no such media file")
    return await _start(application, call, media, jobs)


async def _start(
    application: Application,
    call: wire.ProcedureRequest,
    media: Media,
    jobs: list[Job],
    kind: TaskKind = PROCEDURE,
) -> str:
    """Start a procedure as *call* describes it, and return its TaskId."""
    session = use_session(application, call.session_context, call.session_id)
    how = {"notify": call.tasks_notify_mode, "priority": call.tasks_priority}
    task = start_task(application, media, jobs, kind, session=session, **how)
    if (hook := application.life.hooks.delivery) is not None:
        await hook.before_response()
    return task.task_id


def start_task(application: Application, media: Media, jobs: list[Job], kind: TaskKind = PROCEDURE, **how: Any) -> Task:
    """Start a task; *how* as Application.start takes it. Raises FailedOperation if too many tasks are active."""
    try:
        return application.start(kind, media, jobs, **how)
    except TooManyTasks as error:
        raise too_many_tasks(error) from None


def too_many_tasks(error: TooManyTasks) -> ApiError:
    return documented("FailedOperation", f"{error}: wait for their end, move the clock, or reset the account.")


def run_procedure(application: Application, procedure: str, session: Session) -> Callable[[Task], None]:
    """What follows a task that made a media file: the *procedure* that its request named runs on that file."""

    def then(task: Task) -> None:
        [result] = task.results
        if result is None or result.output is None:
            return
        task.made = application.find_media(result.output["FileId"])
        jobs = procedure_jobs(application, procedure) if procedure else None
        if task.made is not None and jobs:
            how: dict[str, Any] = {"session": Session(session.context), "base": task.addresses.base}
            task.procedure_task_id = start_task(application, task.made, jobs, **how).task_id

    return then


def use_session(application: Application, context: str, session_id: str) -> Session:
    """The session of a request. Raises SessionIdTaken."""
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
    """The *tasks* from the one that the token names on, even if that one does not pass the filters."""
    if not scroll_token:
        return tasks
    for place, task in enumerate(tasks):
        if task.task_id == scroll_token:
            return tasks[place:]
    raise InvalidParameterValue(
        name="ScrollToken", value=scroll_token[:100], reason="must be the ScrollToken of an earlier response"
    )


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
    """Whether the *date* of a response lies within *limits*. An empty date is outside any limits."""
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
    "ProcessMediaByUrl": Action(wire.ProcessMediaByUrl, process_media_by_url),
    "DescribeTaskDetail": Action(wire.DescribeTaskDetail, describe_task_detail),
    "DescribeTasks": Action(wire.DescribeTasks, describe_tasks),
}
