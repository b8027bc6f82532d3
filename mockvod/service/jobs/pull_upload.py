"""PullUpload: a media file from an address. mockvod does not fetch it."""

from typing import Any, Final

from mockvod.engine.clock import Clock
from mockvod.service.jobs.kind import Input, JobContext, JobKind, Output
from mockvod.service.media_info import basic_info, media_url, meta_data
from mockvod.service.tasks import Task, TaskKind
from mockvod.settings import AccountSettings

ERR_CODES: Final = {"": 0, "InvalidInput": 40000, "SourceFileError": 60000}
"""ErrCode by the first word of the reason; 70000 for others."""


def run(context: JobContext, given: Input) -> Output:
    media = context.library.declare(
        context.media.file_id,
        name=given["Name"],
        type=given["Type"],
        class_id=given["ClassId"],
        expire_time=given["ExpireTime"],
        source_context=given["SourceContext"],
        cover_url=given["CoverUrl"],
        original=f"f0.{given['Type']}",
        created_at=context.now,
    )
    return {"FileId": media.file_id}


KIND: Final = JobKind("PullUpload", "PullUploadTask", run, needs_picture=False)


def _structure(task: Task, clock: Clock, _: AccountSettings) -> dict[str, Any]:
    """The PullUploadTask (M:81093)."""
    [result] = task.results
    made = task.made
    return {
        "TaskId": task.task_id,
        "Status": "FINISH" if task.finished else "PROCESSING",
        "ErrCode": ERR_CODES.get(result.err_code_ext.partition(".")[0], 70000) if result else 0,
        "Message": result.message if result else "",
        "FileId": made.file_id if made else "",
        "MediaBasicInfo": basic_info(made, task.addresses) if made else None,
        "MetaData": meta_data(made) if made else None,
        "FileUrl": media_url(made, task.addresses) if made else "",
        "ProcedureTaskId": task.procedure_task_id,
        "ReviewAudioVideoTaskId": "",
        "SessionContext": task.session.context,
        "SessionId": task.session.id,
        "Progress": task.progress(0, clock.now()),
    }


PULL: Final = TaskKind(
    type="PullUpload",
    field="PullUploadTask",
    event_type="PullComplete",
    task_id="{app_id}-Pull-{number:032x}t0",
    structure=_structure,
)
