"""ConvertVodFile: the task of API 2.0 that transcodes as set in the console. It ends in TranscodeComplete."""

from typing import Any, Final

from mockvod.engine.clock import Clock
from mockvod.service.jobs import cover_by_snapshot, transcode
from mockvod.service.jobs.kind import Job
from mockvod.service.tasks import Task, TaskKind
from mockvod.settings import AccountSettings
from mockvod.wire.processing import TranscodeTaskInput

DEFINITIONS: Final = (10, 20, 30)
"""The transcode templates that are set in the console of a new application."""


def conversion(*, cover: bool) -> list[Job]:
    """The jobs of a conversion: a transcode for each of DEFINITIONS, and with *cover* a cover of the first moment."""
    inputs = [TranscodeTaskInput.model_validate({"Definition": one}) for one in DEFINITIONS]
    jobs = [Job(transcode.KIND, one.model_dump(by_alias=True)) for one in inputs]
    if cover:
        given = {"Definition": 10, "PositionType": "Time", "PositionValue": 0.0, "WatermarkSet": []}
        jobs.append(Job(cover_by_snapshot.KIND, given))
    return jobs


def _structure(task: Task, _: Clock, __: AccountSettings) -> dict[str, Any]:
    """The TranscodeTask2017 (M:101211)."""
    outputs = [result.output for result in task.results if result is not None and result.output is not None]
    failed = next((result for result in task.results if result is not None and result.output is None), None)
    items = [one for one in outputs if "Url" in one]
    return {
        "TaskId": task.task_id,
        "ErrCode": failed.err_code if failed else 0,
        "Message": failed.message if failed else "SUCCESS" if task.finished else "",
        "FileId": task.media.file_id,
        "FileName": task.media.name,
        "Duration": round(task.media.duration),
        "CoverUrl": next((one["CoverUrl"] for one in outputs if "CoverUrl" in one), task.media.cover_url),
        "PlayInfoSet": [
            {name: one[name] for name in ("Url", "Definition", "Bitrate", "Height", "Width")} for one in items
        ],
    }


CONVERSION: Final = TaskKind(
    type="Transcode",
    field="TranscodeTask",
    event_type="TranscodeComplete",
    task_id="{app_id}-transcode-{number:032x}t0",
    structure=_structure,
)
