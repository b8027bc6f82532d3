"""Requests of API 3.0 that start jobs on media, and that describe tasks.

Sources: ProcessMedia 266/33427, ProcessMediaByProcedure 266/34782, ProcessMediaByUrl 266/33426, DescribeTaskDetail
266/33431, DescribeTasks 266/33430; as the SDK's models have them. The inputs of jobs have every member of the
vendor's structures, so that a dump of one is complete.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator
from pydantic.alias_generators import to_pascal

from mockvod.wire.calls import Call, ExtTimeOffset, Switch, plain_number

OFFSETS_MOST = 1_000
JOBS_MOST = 50
"""Jobs of one kind in a request; the limit is ours."""

Whole = Annotated[int, Field(ge=0, lt=2**53), BeforeValidator(plain_number)]
Definition = Whole
Flag = Annotated[Literal[0, 1], BeforeValidator(lambda value: {"0": 0, "1": 1}.get(value, value))]
FileId = Annotated[str, StringConstraints(max_length=200)]
Milliseconds = Annotated[float, Field(ge=0, lt=2**53, allow_inf_nan=False)]
Seconds = Annotated[float, Field(gt=-(2**53), lt=2**53, allow_inf_nan=False)]
ResolutionAdaptive = Literal["open", "close"]
Format = Literal["jpg", "png", "webp"]
FillType = Literal["stretch", "black", "white", "gauss"]
Name = Annotated[str, StringConstraints(max_length=64)]
Comment = Annotated[str, StringConstraints(max_length=256)]
Text = Annotated[str, StringConstraints(max_length=1_000)]
SessionContext = Text
SessionId = Annotated[str, StringConstraints(max_length=50)]


def side(least: int, most: int) -> AfterValidator:
    """Pixels of a side: 0, or from *least* to *most*."""

    def check(value: int) -> int:
        if value and not least <= value <= most:
            msg = f"should be 0 or from {least} to {most}"
            raise ValueError(msg)
        return value

    return AfterValidator(check)


PictureSide = Annotated[int, Field(ge=0, le=4096), BeforeValidator(plain_number), side(32, 4096)]


def _without_nulls(data: Any) -> Any:
    return {key: value for key, value in data.items() if value is not None} if isinstance(data, dict) else data


NullsAreDefaults = model_validator(mode="before")(_without_nulls)


class Part(BaseModel):
    """A structure within a request. A null means the default, as an absent member does."""

    model_config = ConfigDict(alias_generator=to_pascal, extra="forbid", frozen=True, defer_build=True)

    _nulls = NullsAreDefaults


class Request(Call):
    """A request in which a null means the default."""

    _nulls = NullsAreDefaults


# --- inputs of jobs


class OfTemplate(Part):
    """A structure that names a template; many, such as ImageSpriteTaskInput, have no other member."""

    definition: Definition


class WatermarkInput(Part):
    definition: Definition
    text_content: Annotated[str, StringConstraints(max_length=100)] = ""
    svg_content: Annotated[str, StringConstraints(max_length=2_000_000)] = ""
    start_time_offset: Seconds = 0.0
    end_time_offset: Seconds = 0.0


Watermarks = Annotated[list[WatermarkInput], Field(max_length=10)]


class TraceWatermark(Part):
    switch: Literal["", "ON", "OFF"] = ""
    definition: Definition = 0


class CopyRightWatermark(Part):
    text: Annotated[str, StringConstraints(max_length=200)] = ""


class Mosaic(Part):
    coordinate_origin: Literal["TopLeft"] = "TopLeft"
    x_pos: Text = "0px"
    y_pos: Text = "0px"
    width: Text = "10%"
    height: Text = "10%"
    start_time_offset: Seconds = 0.0
    end_time_offset: Seconds = 0.0


class VideoTaskInput(Part):
    """What the inputs of jobs that make videos have."""

    definition: Definition
    watermark_set: Watermarks = []
    trace_watermark: TraceWatermark = TraceWatermark.model_construct(switch="", definition=0)
    copy_right_watermark: CopyRightWatermark = CopyRightWatermark.model_construct(text="")
    blind_watermark: OfTemplate | None = None


class TranscodeTaskInput(VideoTaskInput):
    mosaic_set: Annotated[list[Mosaic], Field(max_length=10)] = []
    head_tail_set: Annotated[list[OfTemplate], Field(max_length=10)] = []
    start_time_offset: Seconds = 0.0
    end_time_offset: Seconds = 0.0
    override_parameter: dict[str, Any] | None = None
    subtitle_info_set: Annotated[list[dict[str, Any]], Field(max_length=2)] = []


class AnimatedGraphicTaskInput(Part):
    definition: Definition
    start_time_offset: Seconds
    end_time_offset: Seconds


class SnapshotByTimeOffsetTaskInput(Part):
    definition: Definition
    ext_time_offset_set: Annotated[list[ExtTimeOffset], Field(max_length=OFFSETS_MOST)] = []
    time_offset_set: Annotated[list[Milliseconds], Field(max_length=OFFSETS_MOST)] = []
    watermark_set: Watermarks = []


class SampleSnapshotTaskInput(Part):
    definition: Definition
    watermark_set: Watermarks = []


class CoverBySnapshotTaskInput(Part):
    definition: Definition
    position_type: Literal["Time", "Percent"]
    position_value: Annotated[float, Field(ge=0, lt=2**53, allow_inf_nan=False)]
    watermark_set: Watermarks = []

    @model_validator(mode="after")
    def _within(self) -> "CoverBySnapshotTaskInput":
        if self.position_type == "Percent" and self.position_value > 100:
            msg = "should have a PositionValue of at most 100 percent"
            raise ValueError(msg)
        return self


class AdaptiveDynamicStreamingTaskInput(VideoTaskInput):
    subtitle_set: Annotated[list[Text], Field(max_length=16)] = []
    subtitle_info_set: Annotated[list[dict[str, Any]], Field(max_length=2)] = []
    drm_info: dict[str, Any] | None = None


class MediaProcessTask(Part):
    transcode_task_set: Annotated[list[TranscodeTaskInput], Field(max_length=JOBS_MOST)] = []
    animated_graphic_task_set: Annotated[list[AnimatedGraphicTaskInput], Field(max_length=JOBS_MOST)] = []
    snapshot_by_time_offset_task_set: Annotated[list[SnapshotByTimeOffsetTaskInput], Field(max_length=JOBS_MOST)] = []
    sample_snapshot_task_set: Annotated[list[SampleSnapshotTaskInput], Field(max_length=JOBS_MOST)] = []
    image_sprite_task_set: Annotated[list[OfTemplate], Field(max_length=JOBS_MOST)] = []
    cover_by_snapshot_task_set: Annotated[list[CoverBySnapshotTaskInput], Field(max_length=JOBS_MOST)] = []
    adaptive_dynamic_streaming_task_set: Annotated[
        list[AdaptiveDynamicStreamingTaskInput], Field(max_length=JOBS_MOST)
    ] = []


# --- requests


class ProcedureRequest(Request):
    """What every request that starts a procedure has."""

    tasks_priority: Annotated[int, Field(ge=-10, le=10)] = 0
    tasks_notify_mode: Literal["Finish", "Change", "None"] = "Finish"
    session_context: SessionContext = ""
    session_id: SessionId = ""


class JobRequest(ProcedureRequest):
    """A request that starts a procedure on a media file."""

    file_id: FileId = ""
    media_storage_path: Text = ""
    ext_info: str = ""


class AiTasks(Request):
    """The tasks of artificial intelligence that a request may ask for."""

    ai_content_review_task: OfTemplate | None = None
    ai_analysis_task: dict[str, Any] | None = None
    ai_recognition_task: dict[str, Any] | None = None


class ProcessMedia(JobRequest, AiTasks):
    media_process_task: MediaProcessTask | None = None
    url: Text = ""
    output_as_independent_media: Switch = "OFF"


class ProcessMediaByProcedure(JobRequest):
    procedure_name: str


class MediaInputInfo(Part):
    url: Annotated[str, StringConstraints(max_length=2_048, pattern=r"^https?://[^/]")]
    name: Text = ""
    id: FileId = ""


class MediaOutputInfo(Part):
    region: Text = ""
    bucket: Text = ""
    dir: Annotated[str, StringConstraints(max_length=1_000, pattern=r"^(.*/)?$")] = ""


class ProcessMediaByUrl(ProcedureRequest, AiTasks):
    input_info: MediaInputInfo
    output_info: MediaOutputInfo | None = None


class DescribeTaskDetail(Request):
    task_id: str


def _date(value: str) -> str:
    datetime.fromisoformat(value)
    return value


Date = Annotated[str, AfterValidator(_date)]


class TimeRange(Part):
    """From *after* on, and before *before*."""

    after: Date = ""
    before: Date = ""


class SortBy(Part):
    field: Literal["CreateTime", "FinishTime"]
    order: Literal["Asc", "Desc"] = "Desc"


class DescribeTasks(Request):
    status: Literal["WAITING", "PROCESSING", "FINISH"] | None = None
    file_id: FileId = ""
    create_time: TimeRange | None = None
    finish_time: TimeRange | None = None
    sort: SortBy | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 10
    scroll_token: str = ""
