"""Requests of API 3.0 that make a new media file from others.

Sources: EditMedia 266/34783, ComposeMedia 266/40060, SimpleHlsClip 266/43253, as the SDK's models have them.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from mockvod.wire.processing import Date, FileId, Flag, Part, Request, Seconds, SessionContext, SessionId, Text, Whole

MAX_INPUTS = 100
MediaName = Annotated[str, StringConstraints(max_length=64)]
Length = Annotated[float, Field(ge=0, lt=2**31, allow_inf_nan=False)]
Priority = Annotated[int, Field(ge=-10, le=10)]


class EditMediaFileInfo(Part):
    file_id: FileId
    start_time_offset: Seconds = 0.0
    end_time_offset: Seconds = 0.0


class EditMediaStreamInfo(Part):
    stream_id: Text
    start_time: Date = ""
    end_time: Date = ""


class EditMediaOutputConfig(Part):
    media_name: MediaName = ""
    type: Literal["mp4", "hls"] = "mp4"
    class_id: int = 0
    expire_time: Date | None = None
    video_stream: dict[str, Any] | None = None
    tehd_config: Annotated[dict[str, Any] | None, Field(alias="TEHDConfig")] = None


class EditMedia(Request):
    input_type: Literal["File", "Stream"]
    file_infos: Annotated[list[EditMediaFileInfo], Field(max_length=MAX_INPUTS)] = []
    stream_infos: Annotated[list[EditMediaStreamInfo], Field(max_length=MAX_INPUTS)] = []
    definition: Literal[10, 20] = 10
    procedure_name: Text = ""
    output_config: EditMediaOutputConfig = EditMediaOutputConfig.model_construct(media_name="", type="mp4", class_id=0)
    session_context: SessionContext = ""
    tasks_priority: Priority = 0
    session_id: SessionId = ""
    ext_info: str = ""


class VideoTrackItem(Part):
    source_media: Text
    source_media_start_time: Length = 0.0
    duration: Length = 0.0
    target_duration: Length = 0.0
    coordinate_origin: Literal["TopLeft", "Center"] = "Center"
    x_pos: Text = "0px"
    y_pos: Text = "0px"
    width: Text = ""
    height: Text = ""
    audio_operations: Annotated[list[dict[str, Any]], Field(max_length=10)] = []
    image_operations: Annotated[list[dict[str, Any]], Field(max_length=10)] = []


class AudioTrackItem(Part):
    source_media: Text
    source_media_start_time: Length = 0.0
    duration: Length = 0.0
    target_duration: Length = 0.0
    audio_operations: Annotated[list[dict[str, Any]], Field(max_length=10)] = []


class StickerTrackItem(Part):
    source_media: Text
    duration: Length
    start_time: Length = 0.0
    coordinate_origin: Literal["TopLeft", "Center"] = "Center"
    x_pos: Text = "0px"
    y_pos: Text = "0px"
    width: Text = ""
    height: Text = ""
    image_operations: Annotated[list[dict[str, Any]], Field(max_length=10)] = []


class TransitionItem(Part):
    duration: Length = 1.0
    transitions: list[dict[str, Any]] | None = None
    media_transitions: list[dict[str, Any]] = []


class EmptyItem(Part):
    duration: Length


class TrackItem(Part):
    type: Literal["Video", "Audio", "Sticker", "Transition", "Empty"]
    video_item: VideoTrackItem | None = None
    audio_item: AudioTrackItem | None = None
    sticker_item: StickerTrackItem | None = None
    transition_item: TransitionItem | None = None
    empty_item: EmptyItem | None = None


class Track(Part):
    type: Literal["Video", "Audio", "Sticker"]
    track_items: Annotated[list[TrackItem], Field(min_length=1, max_length=MAX_INPUTS)]


class ComposeMediaOutput(Part):
    file_name: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    description: Annotated[str, StringConstraints(max_length=128)] = ""
    class_id: int = 0
    expire_time: Date | None = None
    container: Literal["mp4", "mp3"] = "mp4"
    video_stream: dict[str, Any] | None = None
    audio_stream: dict[str, Any] | None = None
    remove_video: Flag = 0
    remove_audio: Flag = 0


class Canvas(Part):
    color: Text = "Black"
    width: Annotated[Whole, Field(le=3840)] = 0
    height: Annotated[Whole, Field(le=3840)] = 0


class ComposeMedia(Request):
    tracks: Annotated[list[Track], Field(min_length=1, max_length=10)]
    output: ComposeMediaOutput
    canvas: Canvas | None = None
    session_context: SessionContext = ""
    session_id: SessionId = ""


class SimpleHlsClip(Request):
    url: Annotated[str, StringConstraints(max_length=2048)]
    start_time_offset: Seconds = 0.0
    end_time_offset: Seconds = 0.0
    is_persistence: Flag = 0
    expire_time: Date | None = None
    procedure: Text = ""
    class_id: int = 0
    source_context: Annotated[str, StringConstraints(max_length=250)] = ""
    session_context: SessionContext = ""
    precision: Literal["Segment", "Frame"] | None = None
    output_media_type: Literal["hls", "mp4"] = "hls"
    ext_info: str = ""
