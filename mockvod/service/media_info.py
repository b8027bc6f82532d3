"""A media file as the vendor writes it: BasicInfo, MetaData and the rest of MediaInfo."""

import mimetypes
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from mockvod.service.addresses import Addresses
from mockvod.service.media import Media, MediaLibrary

CLASS_NAME: Final = "其他"
CONTAINERS: Final = {
    **dict.fromkeys(("mp4", "m4a", "mov", "m4v", "3gp"), "mov,mp4,m4a,3gp,3g2,mj2"),
    **dict.fromkeys(("hls", "m3u8"), "hls,applehttp"),
    **dict.fromkeys(("webm", "mkv"), "matroska,webm"),
    "ts": "mpegts",
}
"""`Container` by extension, for those that differ."""

_JOBS: Final = (
    "Transcode AnimatedGraphics SampleSnapshot ImageSprite SnapshotByTimeOffset AdaptiveDynamicStreaming".split()
)
_MEMBERS: Final = (
    "BasicInfo MetaData TranscodeInfo AnimatedGraphicsInfo SampleSnapshotInfo ImageSpriteInfo SnapshotByTimeOffsetInfo "
    "KeyFrameDescInfo AdaptiveDynamicStreamingInfo MiniProgramReviewInfo SubtitleInfo ReviewInfo MPSAiMediaInfo "
    "ImageUnderstandingInfo KnowledgeBasesInfo FaceRecognitionInfo".split()
)
MEMBERS: Final = {
    "mpsAiMediaInfo" if name == "MPSAiMediaInfo" else name[:1].lower() + name[1:]: name for name in _MEMBERS
}
"""The members of MediaInfo, by the name of their filter."""
SETS: Final = {f"{job}Info": f"{job}Set" for job in _JOBS}
"""The list in each member that jobs fill."""


def iso(epoch: float) -> str:
    """A time in the format of document 266/11732, in UTC. *epoch* is in seconds since 1970."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def container(extension: str) -> str:
    return CONTAINERS.get(extension, extension)


def media_url(media: Media, addresses: Addresses) -> str:
    """The address of the media file itself; empty once it was deleted."""
    return addresses.original(media.file_id, media.original) if media.original else ""


def category(media: Media) -> str:
    kind = (mimetypes.guess_type(f"f.{media.type}")[0] or "").partition("/")[0]
    return {"image": "Image", "audio": "Audio"}.get(kind, "Video" if media.width else "Audio")


def media_info(
    media: Media, library: MediaLibrary, addresses: Addresses, wanted: Collection[str] = MEMBERS.keys()
) -> dict[str, Any]:
    """The MediaInfo of a media file (M:66633). Members other than those of the filters *wanted* are null."""
    info: dict[str, Any] = dict.fromkeys(MEMBERS.values())
    info["FileId"] = media.file_id
    for word in wanted:
        member = MEMBERS[word]
        if member == "BasicInfo":
            info[member] = basic_info(media, addresses)
        elif member == "MetaData":
            info[member] = meta_data(media)
        elif member == "KeyFrameDescInfo":
            frames = [{"TimeOffset": offset, "Content": content} for offset, content in media.key_frames]
            info[member] = {"KeyFrameDescSet": frames} if frames else None
        elif member == "SubtitleInfo":
            info[member] = {"SubtitleSet": list(media.subtitles)} if media.subtitles else None
        elif member in SETS:
            items = [*library.outputs(media.file_id, SETS[member]).values()]
            if member == "TranscodeInfo":
                items = [*_original(media, addresses), *items]
            info[member] = {SETS[member]: items} if items else None
    return info


def file_upload(media: Media, addresses: Addresses, procedure_task_id: str = "") -> dict[str, Any]:
    """The FileUploadTask of the event NewFileUpload (M:58537)."""
    return {
        "FileId": media.file_id,
        "MediaBasicInfo": basic_info(media, addresses),
        "ProcedureTaskId": procedure_task_id,
        "ReviewAudioVideoTaskId": "",
        "MetaData": meta_data(media),
    }


def basic_info(media: Media, addresses: Addresses) -> dict[str, Any]:
    """The MediaBasicInfo of a media file (M:62963)."""
    url = media_url(media, addresses)
    return {
        "Name": media.name,
        "Description": media.description,
        "CreateTime": iso(media.created_at),
        "UpdateTime": iso(media.created_at if media.updated_at is None else media.updated_at),
        "ExpireTime": media.expire_time,
        "ClassId": media.class_id,
        "ClassName": CLASS_NAME,
        "ClassPath": CLASS_NAME,
        "CoverUrl": media.cover_url,
        "Type": media.type,
        "MediaUrl": url,
        "SourceInfo": {
            "SourceType": media.source_type,
            "SourceContext": media.source_context,
            "LiveRecordInfo": None,
            "TrtcRecordInfo": None,
            "WebPageRecordInfo": None,
        },
        "StorageRegion": "ap-chongqing",
        "StoragePath": "",
        "TagSet": list(media.tags),
        "Vid": media.file_id,
        "Category": category(media),
        "Status": "Normal",
        "StorageClass": "STANDARD",
    }


def meta_data(media: Media) -> dict[str, Any]:
    """The MediaMetaData of a media file (M:68463)."""
    bitrate = int(media.size * 8 / media.duration) if media.duration else 0
    return {
        "Size": media.size,
        "Container": container(media.type),
        "Bitrate": bitrate,
        "Height": media.height,
        "Width": media.width,
        "Duration": media.duration,
        "Rotate": 0,
        **streams(bitrate, media.width, media.height),
        "VideoDuration": media.duration if media.width else 0.0,
        "AudioDuration": media.duration,
        "Md5": "",
    }


def streams(
    bitrate: int, width: int, height: int, *, codec: str = "h264", fps: int = 25, sampling_rate: int = 48000
) -> dict[str, Any]:
    """VideoStreamSet and AudioStreamSet of a file of *bitrate* bits per second; it has no video without a width."""
    video_bitrate = int(bitrate * 0.95) if width else 0
    video = {
        "Bitrate": video_bitrate,
        "Height": height,
        "Width": width,
        "Codec": codec,
        "Fps": fps,
        "CodecTag": "hvc1" if codec == "hevc" else "avc1",
        "DynamicRangeInfo": {"Type": "SDR", "HDRType": ""},
    }
    audio = {"Bitrate": bitrate - video_bitrate, "SamplingRate": sampling_rate, "Codec": "aac"}
    return {"VideoStreamSet": [video] if width else [], "AudioStreamSet": [audio]}


def _original(media: Media, addresses: Addresses) -> list[Mapping[str, Any]]:
    """The first entry of every TranscodeSet: the media file itself, with Definition 0."""
    if not media.original:
        return []
    data = meta_data(media)
    same = ("Bitrate", "Height", "Width", "Size", "Duration", "Md5", "Container", "VideoStreamSet", "AudioStreamSet")
    return [transcode_item(media_url(media, addresses), 0, **{name: data[name] for name in same})]


def transcode_item(url: str, definition: int, **members: Any) -> dict[str, Any]:
    """A MediaTranscodeItem (M:68875)."""
    return {
        "Url": url,
        "Definition": definition,
        **members,
        "DigitalWatermarkType": members.get("DigitalWatermarkType", "None"),
        "CopyRightWatermarkText": members.get("CopyRightWatermarkText", ""),
        "BlindWatermarkDefinition": 0,
        "FileId": "",
    }
