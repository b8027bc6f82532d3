"""SnapshotByTimeOffset: pictures at given moments. The task of API 2.0 has a structure and an event of its own."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from mockvod.engine.clock import Clock
from mockvod.service.jobs.kind import Input, Job, JobContext, JobFailed, JobKind, Output, watermark_definitions
from mockvod.service.snapshots import FAILED
from mockvod.service.tasks import Task, TaskKind
from mockvod.service.templates import Template, Templates
from mockvod.settings import AccountSettings
from mockvod.wire.events import SNAPSHOT_COMPLETE


def snapshots(definition: int, ext_time_offsets: Sequence[str] = (), time_offsets: Sequence[float] = ()) -> Job:
    """A job that takes a picture at each offset: `3.5s` or `10%`, or milliseconds if there are none of those."""
    given = {
        "Definition": definition,
        "ExtTimeOffsetSet": list(ext_time_offsets),
        "TimeOffsetSet": list(time_offsets),
        "WatermarkSet": [],
    }
    return Job(KIND, given)


def milliseconds(given: Input, duration: float) -> list[int]:
    """The offsets of a job in milliseconds, in the order given, in a media file of *duration* seconds."""
    if not given["ExtTimeOffsetSet"]:
        return [round(offset) for offset in given["TimeOffsetSet"]]
    percent = duration * 10
    return [round(float(text[:-1]) * (1000 if text.endswith("s") else percent)) for text in given["ExtTimeOffsetSet"]]


def declare_procedure(templates: Templates, now: float, name: str, jobs: Iterable[Job]) -> Template:
    """Add or replace a procedure that takes snapshots. Raises TooManyTemplates."""
    process = {"SnapshotByTimeOffsetTaskSet": [job.input for job in jobs]}
    return templates.add("Procedure", now, {"MediaProcessTask": process}, key=name)


def run(context: JobContext, given: Input) -> Output:
    definition, file_id = given["Definition"], context.media.file_id
    template = context.template("SnapshotByTimeOffset", definition).content
    marks = watermark_definitions(given)
    last = round(context.end * 1000)
    pictures = [
        {
            "TimeOffset": float(offset),
            "Url": context.addresses.snapshot(file_id, definition, number, offset, template["Format"]),
            "WaterMarkDefinition": marks,
        }
        for number, offset in enumerate(milliseconds(given, context.media.duration))
        if offset <= last
    ]
    context.keep("SnapshotLayout", definition, {"Template": template})
    if not pictures:
        raise JobFailed("InvalidInput.InvalidTimeOffset")
    return context.keep("SnapshotByTimeOffsetSet", definition, {"Definition": definition, "PicInfoSet": pictures})


KIND: Final = JobKind("SnapshotByTimeOffset", "SnapshotByTimeOffsetTask", run)


def _structure(task: Task, _: Clock, settings: AccountSettings) -> dict[str, Any]:
    """The SnapshotByTimeOffsetTask2017 of an API 2.0 task (M:95687)."""
    [job], [result] = task.jobs, task.results
    pictures: list[dict[str, Any]] = []
    if result is not None:
        made = (result.output or {}).get("PicInfoSet", [])
        urls = {round(picture["TimeOffset"]): picture["Url"] for picture in made}
        for offset in milliseconds(job.input, task.media.duration):
            picture: dict[str, Any] = {"ErrCode": 0 if offset in urls else FAILED, "TimeOffset": offset}
            if offset in urls or settings.failed_url != "omit":
                picture["Url"] = urls.get(offset, "")
            pictures.append(picture)
    return {
        "TaskId": task.task_id,
        "FileId": task.media.file_id,
        "Definition": job.input["Definition"],
        "SnapshotInfoSet": pictures,
    }


LEGACY: Final = TaskKind(
    type="SnapshotByTimeOffset",
    field="SnapshotByTimeOffsetTask",
    event_type=SNAPSHOT_COMPLETE,
    task_id="CreateSnapshotByTimeOffset-{number:032x}",
    structure=_structure,
)
