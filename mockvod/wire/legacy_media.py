"""A media file as API 2.0 writes it: the response of GetVideoInfo, made from the MediaInfo of API 3.0.

Document: IP/服务端 API 手册 (获取视频信息). What 3.0 does not have is left out, and so are infos that do not exist.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

Members = dict[str, Any]
Info = Mapping[str, Any]

_RENAMED: Final = {
    "VideoStreamSet": "videoStreamList",
    "AudioStreamSet": "audioStreamList",
    "ImageUrlSet": "imageUrls",
    "WaterMarkDefinition": "watermarkDefinition",
    "StartTimeOffset": "startTime",
    "EndTimeOffset": "endTime",
    "SamplingRate": "samplingRate",
}
_UNKNOWN: Final = frozenset(
    "DynamicRangeInfo CodecTag VideoDuration AudioDuration DigitalWatermarkType CopyRightWatermarkText "
    "BlindWatermarkDefinition FileId".split()
)
"""Members that 2.0 does not have."""


def video_info(info: Info, wanted: frozenset[str]) -> Members:
    """The members of GetVideoInfo for a MediaInfo with all members. *wanted* are filters; none means all."""
    made = {name: form(info) for name, form in _FORMS.items() if not wanted or name in wanted}
    return {name: members for name, members in made.items() if members is not None}


def _lower(item: Info) -> Members:
    """The members of one item under their 2.0 names."""
    members: Members = {}
    for name, value in item.items():
        if name in _UNKNOWN:
            continue
        if name == "Duration":
            members |= {"duration": round(value), "floatDuration": value}
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            members[_name(name)] = [_lower(one) for one in value]
        else:
            members[_name(name)] = value
    return members


def _name(name: str) -> str:
    return _RENAMED.get(name, name[:1].lower() + name[1:])


def _basic(info: Info) -> Members:
    basic, data = info["BasicInfo"], info["MetaData"]
    return {
        "name": basic["Name"],
        "size": data["Size"],
        "duration": round(data["Duration"]),
        "description": basic["Description"],
        "status": "normal",
        "createTime": _unix(basic["CreateTime"]),
        "updateTime": _unix(basic["UpdateTime"]),
        "expireTime": _unix(basic["ExpireTime"]),
        "classificationId": basic["ClassId"],
        "classificationName": basic["ClassName"],
        "playerId": 0,
        "coverUrl": basic["CoverUrl"],
        "type": basic["Type"],
        "sourceVideoUrl": basic["MediaUrl"],
    }


def _unix(date: str) -> int:
    return int(datetime.fromisoformat(date).timestamp())


def _meta(info: Info) -> Members:
    return {**_lower(info["MetaData"]), "totalSize": info["MetaData"]["Size"]}


def _items(info: Info, member: str, items: str) -> list[Members]:
    found = info[member]
    return [] if found is None else [_lower(one) for one in found[items]]


def _listed(member: str, items: str, name: str, **more: Any) -> Callable[[Info], Members | None]:
    def form(info: Info) -> Members | None:
        found = _items(info, member, items)
        return {**more, name: found} if found else None

    return form


def _snapshots(info: Info) -> Members | None:
    found = info["SnapshotByTimeOffsetInfo"]
    if found is None:
        return None
    sets = [
        {
            "definition": one["Definition"],
            "picInfoList": [
                {"timeOffset": round(picture["TimeOffset"]), "url": picture["Url"]} for picture in one["PicInfoSet"]
            ],
        }
        for one in found["SnapshotByTimeOffsetSet"]
    ]
    return {"snapshotByTimeOffsetList": sets}


def _key_frames(info: Info) -> Members | None:
    found = info["KeyFrameDescInfo"]
    if found is None:
        return None
    frames = found["KeyFrameDescSet"]
    listed = [{"timeOffset": round(one["TimeOffset"] * 1000), "content": one["Content"]} for one in frames]
    return {"keyFrameDescList": listed}


def _samples(info: Info) -> list[Members] | None:
    return _items(info, "SampleSnapshotInfo", "SampleSnapshotSet") or None


_FORMS: Final[Mapping[str, Callable[[Info], Members | list[Members] | None]]] = {
    "basicInfo": _basic,
    "metaData": _meta,
    "transcodeInfo": _listed("TranscodeInfo", "TranscodeSet", "transcodeList", idrAlignment=0),
    "animatedGraphicsInfo": _listed("AnimatedGraphicsInfo", "AnimatedGraphicsSet", "animatedGraphicsList"),
    "sampleSnapshotInfo": _samples,
    "imageSpriteInfo": _listed("ImageSpriteInfo", "ImageSpriteSet", "imageSpriteList"),
    "snapshotByTimeOffsetInfo": _snapshots,
    "keyFrameDescInfo": _key_frames,
}
FILTERS: Final = (*_FORMS, "drm", "contentReviewInfo", "aiAnalysisInfo")
"""What infoFilter may name; the last three are never there."""
