"""ComposeMedia: tracks of videos, sounds and stickers become a new media file."""

from collections.abc import Mapping
from typing import Any, Final

from mockvod.engine.clock import Clock
from mockvod.service.jobs.edit_media import ended, new_media
from mockvod.service.jobs.kind import Input, JobContext, JobFailed, JobKind, Output
from mockvod.service.tasks import Task, TaskKind
from mockvod.settings import AccountSettings


def run(context: JobContext, given: Input) -> Output:
    output, canvas = given["Output"], given["Canvas"] or {}
    duration = max(sum(_length(item, context) for item in track["TrackItems"]) for track in given["Tracks"])
    if not duration:
        raise JobFailed("InvalidInput.InvalidTimeOffset")
    config = {**output, "Type": output["Container"], "MediaName": output["FileName"]}
    sizes = {name: canvas[member] for name, member in (("width", "Width"), ("height", "Height")) if canvas.get(member)}
    if output["RemoveVideo"] or output["Container"] == "mp3":
        sizes = {"width": 0, "height": 0, "video": None, "inspection": None}
    return new_media(context, config, duration, description=output["Description"], **sizes)


def _length(item: Mapping[str, Any], context: JobContext) -> float:
    """Seconds that an item of a track lasts; a transition overlaps its neighbours."""
    if item["Type"] == "Transition":
        return 0.0
    content = item[f"{item['Type']}Item"]
    if length := content.get("TargetDuration") or content["Duration"]:
        return float(length)
    source = context.library.find(content["SourceMedia"])
    return 0.0 if source is None else max(0.0, source.duration - content["SourceMediaStartTime"])


KIND: Final = JobKind("ComposeMedia", "ComposeMediaTask", run, needs_picture=False)


def _structure(task: Task, clock: Clock, _: AccountSettings) -> dict[str, Any]:
    """The ComposeMediaTask (M:22013)."""
    [job] = task.jobs
    return {**ended(task, clock.now()), "Input": job.input}


COMPOSE: Final = TaskKind(
    type="ComposeMedia",
    field="ComposeMediaTask",
    event_type="ComposeMediaComplete",
    task_id="{app_id}-ComposeMedia-{number:032x}t0",
    structure=_structure,
)
