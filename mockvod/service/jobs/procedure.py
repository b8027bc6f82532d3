"""Procedure: the task of API 3.0. It runs several jobs on one media file and ends in ProcedureStateChanged."""

from typing import Any, Final

from mockvod.engine.clock import Clock
from mockvod.service.jobs.table import KINDS
from mockvod.service.media_info import iso, media_url, meta_data
from mockvod.service.tasks import Task, TaskKind
from mockvod.settings import AccountSettings

FIELDS: Final = {
    "MediaProcessResultSet": [kind.field for kind in KINDS.values()],
    "AiContentReviewResultSet": """
        PornTask TerrorismTask PoliticalTask PornAsrTask PornOcrTask PoliticalAsrTask PoliticalOcrTask
        TerrorismOcrTask ProhibitedOcrTask ProhibitedAsrTask
    """.split(),
}
"""The members of a result in each set. Exactly one of them is not null."""


def structure(task: Task, clock: Clock, _: AccountSettings) -> dict[str, Any]:
    """The ProcedureTask (M:79756). It is complete in every state: receivers read it by subscript."""
    now = clock.now()
    finished = task.status(now) == "FINISH"
    return {
        "TaskId": task.task_id,
        "Status": "FINISH" if finished else "PROCESSING",
        "ErrCode": 0,
        "Message": "SUCCESS" if finished else "",
        "FileId": task.media.file_id,
        "FileName": task.media.name,
        "FileUrl": media_url(task.media, task.addresses),
        "MetaData": meta_data(task.media),
        **{name: _results(task, name, clock, now) for name in FIELDS},
        "AiAnalysisResultSet": [],
        "AiRecognitionResultSet": [],
        "TasksPriority": task.priority,
        "TasksNotifyMode": task.notify,
        "SessionContext": task.session.context,
        "SessionId": task.session.id,
        "Operator": "",
        "OperationType": "",
    }


def procedure_of_address(media_id: str, name: str, url: str) -> TaskKind:
    """A procedure of ProcessMediaByUrl: its ProcedureTask has the Id, Name and Url of the request's MediaInputInfo."""

    def by_url(task: Task, clock: Clock, settings: AccountSettings) -> dict[str, Any]:
        return {**structure(task, clock, settings), "FileId": media_id, "FileName": name, "FileUrl": url}

    return PROCEDURE._replace(structure=by_url)


def _results(task: Task, result_set: str, clock: Clock, now: float) -> list[dict[str, Any]]:
    empty = dict.fromkeys(FIELDS[result_set])
    return [
        {"Type": job.kind.type, **empty, job.kind.field: _result(task, place, clock, now)}
        for place, job in enumerate(task.jobs)
        if job.kind.result_set == result_set
    ]


def _result(task: Task, place: int, clock: Clock, now: float) -> dict[str, Any]:
    job, result, begins = task.jobs[place], task.results[place], task.job_begins_at(place)
    members = {
        "Status": "PROCESSING" if result is None else "SUCCESS" if result.output is not None else "FAIL",
        "ErrCodeExt": result.err_code_ext if result else "",
        "ErrCode": result.err_code if result else 0,
        "Message": result.message if result else "",
        "Input": job.input,
        "Output": result.output if result else None,
        "Progress": task.progress(place, now),
    }
    if job.kind.result_set == "MediaProcessResultSet":
        members["BeginProcessTime"] = iso(clock.epoch(begins)) if now >= begins else ""
        members["FinishTime"] = iso(clock.epoch(task.job_ends_at(place))) if result else ""
    return members


PROCEDURE: Final = TaskKind(
    type="Procedure",
    field="ProcedureTask",
    event_type="ProcedureStateChanged",
    task_id="{app_id}-procedurev2-{number:032x}t0",
    structure=structure,
)
