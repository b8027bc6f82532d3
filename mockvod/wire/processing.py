"""Requests of API 3.0 that start snapshot jobs and look at tasks, media and templates.

Sources: ProcessMedia 266/33427, ProcessMediaByProcedure 266/34782, DescribeTaskDetail 266/33431, DescribeTasks
266/33430, DescribeMediaInfos 266/31763, the template actions beside 266/33480; as the SDK's models have them.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_pascal

from mockvod.wire.calls import Call

OFFSETS_MOST = 1_000
Definition = Annotated[int, Field(ge=0, lt=2**53)]
ExtTimeOffset = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,9}(\.[0-9]{1,6})?[s%]$")]
FileId = Annotated[str, StringConstraints(max_length=200)]
Milliseconds = Annotated[float, Field(ge=0, lt=2**53, allow_inf_nan=False)]
Seconds = Annotated[float, Field(gt=-(2**53), lt=2**53, allow_inf_nan=False)]
Side = Annotated[int, Field(ge=0, le=4096)]
ResolutionAdaptive = Literal["open", "close"]
Format = Literal["jpg", "png", "webp"]
FillType = Literal["stretch", "black", "white", "gauss"]
Name = Annotated[str, StringConstraints(max_length=64)]
Comment = Annotated[str, StringConstraints(max_length=256)]


def _side(value: int) -> int:
    if 0 < value < 32:
        msg = "should be 0 or from 32 to 4096"
        raise ValueError(msg)
    return value


PictureSide = Annotated[Side, AfterValidator(_side)]


class Part(BaseModel):
    """A structure within a request."""

    model_config = ConfigDict(alias_generator=to_pascal, extra="forbid", frozen=True, defer_build=True)


class WatermarkInput(Part):
    """Kept and told; no picture shows one."""

    definition: Definition
    text_content: str | None = None
    svg_content: str | None = None
    start_time_offset: Seconds | None = None
    end_time_offset: Seconds | None = None


class SnapshotByTimeOffsetTaskInput(Part):
    definition: Definition
    ext_time_offset_set: Annotated[list[ExtTimeOffset], Field(max_length=OFFSETS_MOST)] | None = None
    time_offset_set: Annotated[list[Milliseconds], Field(max_length=OFFSETS_MOST)] | None = None
    watermark_set: Annotated[list[WatermarkInput], Field(max_length=10)] | None = None


class MediaProcessTask(Part):
    """Of the kinds of task there are, those that mockvod has no simulation of are refused by their name."""

    transcode_task_set: list[Any] | None = None
    animated_graphic_task_set: list[Any] | None = None
    snapshot_by_time_offset_task_set: Annotated[list[SnapshotByTimeOffsetTaskInput], Field(max_length=100)] | None = (
        None
    )
    sample_snapshot_task_set: list[Any] | None = None
    image_sprite_task_set: list[Any] | None = None
    cover_by_snapshot_task_set: list[Any] | None = None
    adaptive_dynamic_streaming_task_set: list[Any] | None = None


class Job(Call):
    """What every call that starts a job has."""

    file_id: FileId | None = None
    media_storage_path: str | None = None
    tasks_priority: Annotated[int, Field(ge=-10, le=10)] | None = None
    tasks_notify_mode: Literal["Finish", "Change", "None"] | None = None
    session_context: str | None = None
    session_id: str | None = None


class ProcessMedia(Job):
    media_process_task: MediaProcessTask | None = None
    ai_content_review_task: dict[str, Any] | None = None
    ai_analysis_task: dict[str, Any] | None = None
    ai_recognition_task: dict[str, Any] | None = None
    url: str | None = None
    output_as_independent_media: Literal["ON", "OFF"] | None = None


class ProcessMediaByProcedure(Job):
    procedure_name: str


class DescribeTaskDetail(Call):
    task_id: str


def _date(value: str) -> str:
    datetime.fromisoformat(value)
    return value


Date = Annotated[str, AfterValidator(_date)]


class TimeRange(Part):
    """From *after* on, and before *before*."""

    after: Date | None = None
    before: Date | None = None


class SortBy(Part):
    field: Literal["CreateTime", "FinishTime"]
    order: Literal["Asc", "Desc"] = "Desc"


class DescribeTasks(Call):
    status: Literal["WAITING", "PROCESSING", "FINISH"] | None = None
    file_id: FileId | None = None
    create_time: TimeRange | None = None
    finish_time: TimeRange | None = None
    sort: SortBy | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 10
    scroll_token: str | None = None


class DescribeMediaInfos(Call):
    file_ids: list[FileId]
    filters: list[str] | None = None


class CreateSnapshotByTimeOffsetTemplate(Call):
    name: Name | None = None
    width: PictureSide | None = None
    height: PictureSide | None = None
    resolution_adaptive: ResolutionAdaptive | None = None
    format: Format | None = None
    comment: Comment | None = None
    fill_type: FillType | None = None


class ModifySnapshotByTimeOffsetTemplate(CreateSnapshotByTimeOffsetTemplate):
    definition: Definition


class DeleteSnapshotByTimeOffsetTemplate(Call):
    definition: Definition


class DescribeSnapshotByTimeOffsetTemplates(Call):
    definitions: Annotated[list[Definition], Field(max_length=100)] | None = None
    offset: Annotated[int, Field(ge=0, lt=2**53)] = 0
    limit: Annotated[int, Field(ge=1, le=100)] = 10
    type: Literal["Preset", "Custom"] | None = None
