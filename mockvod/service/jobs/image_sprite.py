"""ImageSprites: many small pictures on few large sheets, and a WebVTT file that says where each one is."""

from typing import Any, Final

from mockvod.engine.clock import Clock
from mockvod.pictures.sheets import fitting
from mockvod.service.jobs.kind import Input, Job, JobContext, JobKind, Output
from mockvod.service.jobs.sizes import picture_size, sampling
from mockvod.service.tasks import Task, TaskKind
from mockvod.settings import AccountSettings

MAX_PICTURES: Final = 10_000
MAX_SHEETS: Final = 1_000


def run(context: JobContext, given: Input) -> Output:
    definition = given["Definition"]
    template = context.template("ImageSprite", definition).content
    on_a_sheet = template["RowCount"] * template["ColumnCount"]
    step, count = sampling(template, context.end, min(MAX_PICTURES, MAX_SHEETS * on_a_sheet))
    context.keep("ImageSpriteLayout", definition, {"Template": template, "Step": step, "End": context.end})
    width, height = fitting(picture_size(template, context), template["ColumnCount"], template["RowCount"])
    sheets = range(-(-count // on_a_sheet))
    name = f"imageSprite/imageSprite_{definition}"
    item = {
        "Definition": definition,
        "Height": height,
        "Width": width,
        "TotalCount": count,
        "ImageUrlSet": [context.product(f"{name}_{number}.{template['Format']}") for number in sheets],
        "WebVttUrl": context.product(f"{name}.vtt"),
    }
    return context.keep("ImageSpriteSet", definition, item)


KIND: Final = JobKind("ImageSprites", "ImageSpriteTask", run)


def image_sprite(definition: int) -> Job:
    return Job(KIND, {"Definition": definition})


def _structure(task: Task, _: Clock, __: AccountSettings) -> dict[str, Any]:
    """The CreateImageSpriteTask2017 of an API 2.0 task (M:39043)."""
    [job], [result] = task.jobs, task.results
    output = (result and result.output) or {}
    return {
        "TaskId": task.task_id,
        "ErrCode": result.err_code if result else 0,
        "Message": result.message if result else "",
        "FileId": task.media.file_id,
        "Definition": job.input["Definition"],
        "TotalCount": output.get("TotalCount", 0),
        "ImageSpriteUrlSet": output.get("ImageUrlSet", []),
        "WebVttUrl": output.get("WebVttUrl", ""),
    }


LEGACY: Final = TaskKind(
    type="ImageSprite",
    field="CreateImageSpriteTask",
    event_type="CreateImageSpriteComplete",
    task_id="{app_id}-imageSprite-{number:032x}t0",
    structure=_structure,
)
