"""Requests of API 3.0 about templates: four for each family.

Sources: the template actions as the SDK's models have them, their limits as their documents say (266/33480 and
beside it). A Modify request has the members of the Create request, all of them optional.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, create_model, model_validator

from mockvod.wire.calls import Switch
from mockvod.wire.processing import (
    Comment,
    Definition,
    FillType,
    Flag,
    Format,
    MediaProcessTask,
    Name,
    OfTemplate,
    Part,
    PictureSide,
    Request,
    ResolutionAdaptive,
    Text,
    Whole,
    side,
)

Position = Annotated[str, StringConstraints(pattern=r"^-?[0-9]{1,5}(\.[0-9]{1,3})?(px|%)$")]
Number = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Page(Request):
    """The templates that a Describe request asks for."""

    definitions: Annotated[list[Definition], Field(max_length=100)] | None = None
    offset: Whole = 0
    limit: Annotated[Whole, Field(ge=1, le=100)] = 10


class Describe(Page):
    """What every Describe request has, but that of watermarks."""

    type: Literal["Preset", "Custom"] | None = None


class Delete(Request):
    definition: Definition


def modify(template: type[Request]) -> type[Request]:
    """The Modify request for the members of *template*, which are all optional."""
    return create_model(f"Modify{template.__name__}", __base__=template, definition=(Definition, ...))


class Look(Request):
    """The members that all templates of pictures share."""

    name: Name | None = None
    comment: Comment | None = None
    resolution_adaptive: ResolutionAdaptive | None = None


# --- Transcode


class VideoTemplate(Part):
    codec: Literal["libx264", "libx265", "av1", "H.266"] | None = None
    fps: Annotated[Whole, Field(le=100)] | None = None
    bitrate: Annotated[Whole, side(128, 100_000)] | None = None
    resolution_adaptive: ResolutionAdaptive | None = None
    width: Annotated[Whole, side(128, 8192)] | None = None
    height: Annotated[Whole, side(128, 8192)] | None = None
    fill_type: FillType | None = None
    vcrf: Annotated[Whole, side(1, 51)] | None = None
    gop: Annotated[Whole, Field(le=100_000)] | None = None
    gop_unit: Literal["frame", "second"] | None = None
    preserve_hdr_switch: Annotated[Switch | None, Field(alias="PreserveHDRSwitch")] = None
    codec_tag: Literal["hvc1", "hev1"] | None = None
    mode: Literal["VBR", "ABR", "CBR"] | None = None
    bframes: Annotated[Whole, Field(le=16)] | None = None
    hls_time: Annotated[Whole, Field(le=10)] | None = None
    video_profile: Text | None = None


class NewVideoTemplate(VideoTemplate):
    codec: Literal["libx264", "libx265", "av1", "H.266"]
    fps: Annotated[Whole, Field(le=100)]
    bitrate: Annotated[Whole, side(128, 100_000)]


class AudioTemplate(Part):
    codec: Literal["libfdk_aac", "libmp3lame", "ac3", "mp2", "flac", "pcm16"] | None = None
    bitrate: Annotated[Whole, side(26, 256)] | None = None
    sample_rate: Literal[16000, 32000, 44100, 48000] | None = None
    audio_channel: Literal[0, 1, 2, 6] | None = None
    # Accepted without an effect.
    stream_selects: Annotated[Annotated[list[Whole], Field(max_length=100)] | None, Field(exclude=True)] = None


class NewAudioTemplate(AudioTemplate):
    codec: Literal["libfdk_aac", "libmp3lame", "ac3", "mp2", "flac", "pcm16"]
    bitrate: Annotated[Whole, side(26, 256)]
    sample_rate: Literal[16000, 32000, 44100, 48000]


class TEHDConfig(Part):
    type: Literal["TEHD-100", "OFF"] | None = None
    max_video_bitrate: Whole | None = None


Container = Literal["mp4", "flv", "hls", "mp3", "flac", "ogg", "m4a", "wav"]


class TranscodeTemplate(Request):
    container: Container | None = None
    name: Name | None = None
    comment: Comment | None = None
    remove_video: Flag | None = None
    remove_audio: Flag | None = None
    video_template: VideoTemplate | None = None
    audio_template: AudioTemplate | None = None
    tehd_config: Annotated[TEHDConfig | None, Field(alias="TEHDConfig")] = None
    enhance_config: dict[str, Any] | None = None
    segment_type: Literal["ts", "fmp4"] | None = None
    std_ext_info: Text | None = None


class CreateTranscodeTemplate(TranscodeTemplate):
    container: Container
    video_template: NewVideoTemplate | None = None
    audio_template: NewAudioTemplate | None = None


class DescribeTranscodeTemplates(Describe):
    container_type: Literal["Video", "PureAudio"] | None = None
    tehd_type: Annotated[Literal["Common", "TEHD"] | None, Field(alias="TEHDType")] = None
    enhance_type: Text | None = None
    enhance_scenario_type: Text | None = None


# --- AdaptiveDynamicStreaming


class Stream(Part):
    video: NewVideoTemplate
    audio: NewAudioTemplate
    remove_audio: Flag = 0
    remove_video: Flag = 0
    tehd_config: Annotated[TEHDConfig | None, Field(alias="TEHDConfig")] = None
    enhance_config: dict[str, Any] | None = None
    std_ext_info: Text | None = None


Streams = Annotated[list[Stream], Field(min_length=1, max_length=10)]


class AdaptiveDynamicStreamingTemplate(Request):
    format: Literal["HLS", "MPEG-DASH"] | None = None
    stream_infos: Streams | None = None
    name: Name | None = None
    comment: Comment | None = None
    drm_type: Literal["", "SimpleAES", "Widevine", "FairPlay", "Widevine+FairPlay"] | None = None
    drm_key_provider: Literal["SDMC", "VOD", ""] | None = None
    drm_encrypt_type: Literal["cbcs", "cenc", ""] | None = None
    disable_higher_video_bitrate: Flag | None = None
    disable_higher_video_resolution: Flag | None = None
    segment_type: Text | None = None
    segment_duration: Annotated[Whole, Field(ge=1, le=10)] | None = None


class CreateAdaptiveDynamicStreamingTemplate(AdaptiveDynamicStreamingTemplate):
    format: Literal["HLS", "MPEG-DASH"]
    stream_infos: Streams


# --- pictures


class SnapshotByTimeOffsetTemplate(Look):
    width: PictureSide | None = None
    height: PictureSide | None = None
    format: Format | None = None
    fill_type: FillType | None = None


class SampleSnapshotTemplate(SnapshotByTimeOffsetTemplate):
    sample_type: Literal["Percent", "Time"] | None = None
    sample_interval: Annotated[Whole, Field(ge=1)] | None = None


class CreateSampleSnapshotTemplate(SampleSnapshotTemplate):
    sample_type: Literal["Percent", "Time"]
    sample_interval: Annotated[Whole, Field(ge=1)]


class ImageSpriteTemplate(SampleSnapshotTemplate):
    row_count: Annotated[Whole, Field(ge=1, le=100)] | None = None
    column_count: Annotated[Whole, Field(ge=1, le=100)] | None = None


class CreateImageSpriteTemplate(ImageSpriteTemplate):
    sample_type: Literal["Percent", "Time"]
    sample_interval: Annotated[Whole, Field(ge=1)]
    row_count: Annotated[Whole, Field(ge=1, le=100)]
    column_count: Annotated[Whole, Field(ge=1, le=100)]


class AnimatedGraphicsTemplate(Look):
    width: Annotated[Whole, side(128, 4096)] | None = None
    height: Annotated[Whole, side(128, 4096)] | None = None
    format: Literal["gif", "webp"] | None = None
    fps: Annotated[Whole, Field(ge=1, le=30)] | None = None
    quality: Annotated[float, Field(ge=1, le=100)] | None = None


class CreateAnimatedGraphicsTemplate(AnimatedGraphicsTemplate):
    fps: Annotated[Whole, Field(ge=1, le=30)]


# --- Watermark


class ImageWatermark(Part):
    image_content: Annotated[str, StringConstraints(max_length=300_000)] | None = None
    width: Position | None = None
    height: Position | None = None
    repeat_type: Literal["once", "repeat_last_frame", "repeat"] | None = None
    transparency: Annotated[Whole, Field(le=100)] | None = None


class TextWatermark(Part):
    font_type: Literal["simkai.ttf", "arial.ttf"]
    font_size: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,4}px$")]
    font_color: Annotated[str, StringConstraints(pattern=r"^0x[0-9A-Fa-f]{6}$")]
    font_alpha: Annotated[float, Field(gt=0, le=1)]


class SvgWatermark(Part):
    width: Annotated[str, StringConstraints(max_length=20)] | None = None
    height: Annotated[str, StringConstraints(max_length=20)] | None = None
    # Accepted without an effect.
    cycle_config: Annotated[dict[str, Any] | None, Field(exclude=True)] = None


class WatermarkTemplate(Request):
    name: Name | None = None
    comment: Comment | None = None
    coordinate_origin: Literal["TopLeft", "TopRight", "BottomLeft", "BottomRight"] | None = None
    x_pos: Position | None = None
    y_pos: Position | None = None
    image_template: ImageWatermark | None = None
    text_template: TextWatermark | None = None
    svg_template: SvgWatermark | None = None


class CreateWatermarkTemplate(WatermarkTemplate):
    type: Literal["image", "text", "svg"]


class DescribeWatermarkTemplates(Page):
    type: Literal["image", "text", "svg"] | None = None


# --- Procedure

ProcedureName = Annotated[str, StringConstraints(min_length=1, max_length=20)]


class ReviewAudioVideoTask(OfTemplate):
    review_contents: list[Literal["Media", "Cover"]] = ["Media"]


class KnowledgeTask(OfTemplate):
    knowledge_base_ids: Annotated[list[str], Field(max_length=100)] | None = None


class CreateProcedureTemplate(Request):
    """ResetProcedureTemplate has the same parameters."""

    name: ProcedureName
    comment: Comment | None = None
    media_process_task: MediaProcessTask | None = None
    ai_content_review_task: OfTemplate | None = None
    ai_analysis_task: OfTemplate | None = None
    ai_recognition_task_set: Annotated[list[OfTemplate], Field(max_length=10)] = []
    ai_recognition_task: OfTemplate | None = None
    review_audio_video_task: ReviewAudioVideoTask | None = None
    import_media_knowledge_task_set: Annotated[list[KnowledgeTask], Field(max_length=10)] = []


class DeleteProcedureTemplate(Request):
    name: str


class ProcedureSort(Part):
    field: Literal["CreateTime"] = "CreateTime"
    order: Literal["asc", "desc"] = "desc"

    @model_validator(mode="before")
    @classmethod
    def _any_case(cls, data: Any) -> Any:
        order = data.get("Order") if isinstance(data, dict) else None
        return {**data, "Order": order.lower()} if isinstance(order, str) else data


class DescribeProcedureTemplates(Request):
    names: Annotated[list[Text], Field(max_length=100)] | None = None
    type: Literal["Preset", "Custom"] | None = None
    offset: Whole = 0
    limit: Annotated[Whole, Field(ge=1, le=100)] = 10
    sort_by: Annotated[list[ProcedureSort], Field(max_length=10)] = []
