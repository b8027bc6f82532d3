"""Requests of API 3.0 that describe, find, change and delete media.

Sources: DescribeMediaInfos 266/31763, SearchMedia 266/31813, ModifyMediaInfo 266/31762, DeleteMedia 266/31764, as
the SDK's models have them.
"""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from mockvod.wire.processing import Date, FileId, Flag, Part, Request, Seconds, Text, TimeRange, Whole

Tag = Annotated[str, StringConstraints(min_length=1, max_length=32)]
Ten = Field(max_length=10)


class DescribeMediaInfos(Request):
    file_ids: list[FileId]
    filters: list[str] = []


class MediaDeleteItem(Part):
    type: Literal[
        "OriginalFiles",
        "TranscodeFiles",
        "AdaptiveDynamicStreamingFiles",
        "WechatPublishFiles",
        "WechatMiniProgramPublishFiles",
    ]
    definition: Whole = 0


class DeleteMedia(Request):
    file_id: FileId
    delete_parts: Annotated[list[MediaDeleteItem], Field(max_length=100)] = []


class KeyFrameDesc(Part):
    time_offset: Annotated[Seconds, Field(ge=0)]
    content: str


class Subtitle(Part):
    name: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    language: Annotated[str, StringConstraints(min_length=1, max_length=20)]
    format: Literal["vtt"]
    content: Annotated[str, StringConstraints(max_length=1_000_000)] = ""
    id: Annotated[str, StringConstraints(max_length=16, pattern=r"^[A-Za-z0-9_-]*$")] = ""


class ModifyMediaInfo(Request):
    file_id: FileId
    name: Annotated[str, StringConstraints(max_length=64)] | None = None
    description: Annotated[str, StringConstraints(max_length=128)] | None = None
    class_id: Annotated[int, Field(ge=-1, lt=2**31)] | None = None
    expire_time: Date | None = None
    cover_data: str = ""
    add_key_frame_descs: Annotated[list[KeyFrameDesc], Field(max_length=100)] = []
    delete_key_frame_descs: Annotated[list[Seconds], Field(max_length=100)] = []
    clear_key_frame_descs: Flag = 0
    add_tags: Annotated[list[str], Field(max_length=16)] = []
    delete_tags: Annotated[list[str], Field(max_length=16)] = []
    clear_tags: Flag = 0
    add_subtitles: Annotated[list[Subtitle], Field(max_length=16)] = []
    delete_subtitle_ids: Annotated[list[str], Field(max_length=16)] = []
    clear_subtitles: Flag = 0
    delete_knowledge_bases: Annotated[list[str], Field(max_length=100)] = []
    clear_knowledge_bases: Flag = 0


class Sort(Part):
    field: Literal["CreateTime"]
    order: Literal["Asc", "Desc"] = "Desc"


Source = Literal["Record", "Upload", "VideoProcessing", "TrtcRecord", "WebPageRecord", "Unknown"]


class SearchMedia(Request):
    file_ids: Annotated[list[Annotated[str, StringConstraints(max_length=40)]], Ten] = []
    names: Annotated[list[Annotated[str, StringConstraints(max_length=100)]], Ten] = []
    name_prefixes: Annotated[list[Annotated[str, StringConstraints(max_length=100)]], Ten] = []
    descriptions: Annotated[list[Annotated[str, StringConstraints(max_length=100)]], Ten] = []
    class_ids: Annotated[list[int], Ten] = []
    tags: Annotated[list[Tag], Field(max_length=16)] = []
    categories: Annotated[list[Literal["Video", "Audio", "Image"]], Ten] = []
    source_types: Annotated[list[Source], Ten] = []
    stream_ids: Annotated[list[Text], Ten] = []
    create_time: TimeRange | None = None
    expire_time: TimeRange | None = None
    storage_regions: Annotated[list[Text], Field(max_length=20)] = []
    storage_classes: list[Literal["STANDARD", "STANDARD_IA", "ARCHIVE", "DEEP_ARCHIVE"]] = []
    media_types: Annotated[list[Text], Ten] = []
    status: list[Literal["Normal", "SystemForbidden", "Forbidden"]] = []
    review_results: list[Literal["pass", "review", "block", "notModerated"]] = []
    trtc_sdk_app_ids: Annotated[list[Whole], Ten] = []
    trtc_room_ids: Annotated[list[Text], Ten] = []
    filters: list[str] = []
    sort: Sort | None = None
    offset: Annotated[Whole, Field(le=5000)] = 0
    limit: Annotated[Whole, Field(ge=1, le=5000)] = 10
    text: Annotated[str, StringConstraints(max_length=64)] = ""
    source_type: Source | None = None
    stream_id: Text = ""
    start_time: Date | None = None
    end_time: Date | None = None
    vids: Annotated[list[Text], Ten] = []
    vid: Text = ""
    stream_domains: Annotated[list[Text], Ten] = []
    stream_paths: Annotated[list[Text], Ten] = []
    knowledge_bases: Annotated[list[Text], Ten] = []
