"""EditMedia: parts of media files, one after the other, become a new media file."""

from typing import Any, Final

from mockvod.engine.clock import Clock
from mockvod.service.jobs.kind import Input, JobContext, JobFailed, JobKind, Output
from mockvod.service.jobs.sizes import clip
from mockvod.service.media import FOREVER
from mockvod.service.media_info import media_url, meta_data
from mockvod.service.tasks import Task, TaskKind
from mockvod.settings import AccountSettings


def run(context: JobContext, given: Input) -> Output:
    duration = 0.0
    for one in given["FileInfoSet"]:
        source = context.library.find(one["FileId"])
        if source is None:
            raise JobFailed("SourceFileError.DownloadNotAccessible")
        begins, ends = clip(one, source.duration)
        duration += ends - begins
    return new_media(context, given["OutputConfig"], duration)


def new_media(context: JobContext, config: Input, duration: float, **facts: Any) -> Output:
    """Add the media file that a task made of others, and return the Output of the task."""
    source, extension = context.media, {"hls": "m3u8"}.get(config["Type"], config["Type"])
    bitrate = source.size / source.duration if source.duration else 0
    same = {name: getattr(source, name) for name in ("width", "height", "video", "inspection")}
    media = context.library.declare(
        name=config["MediaName"] or source.name,
        **{**same, "duration": round(duration, 3), "size": int(bitrate * duration), **facts},
        type=extension,
        class_id=config["ClassId"],
        expire_time=config["ExpireTime"] or FOREVER,
        source_type="VideoProcessing",
        created_at=context.now,
    )
    return {
        "FileType": config["Type"],
        "FileUrl": media_url(media, context.addresses),
        "FileId": media.file_id,
        "MediaName": media.name,
        "ClassId": media.class_id,
        "ExpireTime": media.expire_time,
    }


KIND: Final = JobKind("EditMedia", "EditMediaTask", run, needs_picture=False)


def ended(task: Task, now: float) -> dict[str, Any]:
    """The members that the structures of EditMedia and ComposeMedia share."""
    [result] = task.results
    made = task.made
    return {
        "TaskId": task.task_id,
        "Status": "FINISH" if task.finished else "PROCESSING",
        "ErrCode": result.err_code if result else 0,
        "Message": result.message if result else "",
        "Progress": task.progress(0, now),
        "Output": result.output if result else None,
        "MetaData": meta_data(made) if made else None,
        "SessionId": task.session.id,
        "SessionContext": task.session.context,
    }


def _structure(task: Task, clock: Clock, _: AccountSettings) -> dict[str, Any]:
    """The EditMediaTask (M:56483)."""
    [job], [result] = task.jobs, task.results
    given = {name: job.input[name] for name in ("InputType", "FileInfoSet", "StreamInfoSet")}
    return {
        **ended(task, clock.now()),
        "ErrCodeExt": result.err_code_ext if result else "",
        "Input": given,
        "ProcedureTaskId": task.procedure_task_id,
        "ReviewAudioVideoTaskId": "",
    }


EDIT: Final = TaskKind(
    type="EditMedia",
    field="EditMediaTask",
    event_type="EditMediaComplete",
    task_id="{app_id}-EditMedia-{number:032x}t0",
    structure=_structure,
)
