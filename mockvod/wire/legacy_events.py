"""The 2.0 bodies of the event types that have one: each 3.0 name with its 2.0 name.

Document: 266/33962. What 2.0 has no name for is left out, and so is what 3.0 does not tell, such as
``transcodeTaskId``, ``author`` and ``drm``. A null of 3.0 is no key in 2.0.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from mockvod.wire.event_types import (
    CARRIERS,
    SNAPSHOT_COMPLETE,
    EventError,
    SnapshotInfo,
    check_snapshot_task,
    known_type,
)

Members = dict[str, Any]
Form = Callable[["_Part"], Members]


def legacy(event_type: str, structure: Mapping[str, Any]) -> Members:
    """The 2.0 body of the event whose 3.0 structure is *structure*.

    Raises `EventError` for types without a 2.0 form, naming those that have one, and for a structure whose objects
    and lists are not where the documents have them.
    """
    form = _FORMS.get(known_type(event_type))
    if form is None:
        known = ", ".join(map(repr, LEGACY_TYPES))
        raise EventError(f"EventType {event_type!r} has no 2.0 body, only these have one: {known}")
    return {"version": "4.0", "eventType": event_type, "data": form(_Part(CARRIERS[event_type], structure))}


@cache
def _pairs(names: str) -> list[tuple[str, str]]:
    """2.0 and 3.0 names."""
    pairs = [name.partition("=") for name in names.split()]
    return [(old, new or old[:1].upper() + old[1:]) for old, _, new in pairs]


class _Part:
    """An object of the 3.0 structure, with its path for error messages. A null member counts as absent."""

    def __init__(self, place: str, members: object) -> None:
        if not isinstance(members, Mapping):
            raise EventError(f"{place} must be an object, not {members!r}")
        self.place = place
        self.members = members

    def get(self, name: str, otherwise: Any = None) -> Any:
        value = self.members.get(name)
        return otherwise if value is None else value

    def part(self, name: str) -> "_Part":
        """The object *name*, empty if there is none."""
        return _Part(f"{self.place}.{name}", self.get(name, {}))

    def parts(self, name: str) -> "list[_Part]":
        """The objects in the list *name*."""
        return [_Part(f"{self.place}.{name}.{index}", each) for index, each in enumerate(self.items(name))]

    def items(self, name: str) -> list[Any]:
        value = self.get(name, [])
        if not isinstance(value, list):
            raise EventError(f"{self.place}.{name} must be a list, not {value!r}")
        return value

    def renamed(self, names: str) -> Members:
        """The members that *names* lists by 2.0 name: `old=New`, or `old` if only the first letter differs."""
        return {old: self.get(new) for old, new in _pairs(names) if self.get(new) is not None}

    def whole(self, name: str) -> int | None:
        """A number that is an Integer in 2.0 and a Float in 3.0."""
        value = self.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise EventError(f"{self.place}.{name} must be a number, not {value!r}")
        return round(value)


def _present(**members: Any) -> Members:
    return {name: value for name, value in members.items() if value is not None}


# Members of several types.
_FILE: Final = "fileType status=ErrCode message fileId fileUrl"


def _renames(names: str) -> Form:
    """The form of a part whose members only have other names: those that `_Part.renamed` takes."""
    return lambda part: part.renamed(names)


# --- one function a type


def _new_file_upload(task: _Part) -> Members:
    media = task.part("MediaBasicInfo")
    source = media.part("SourceInfo")
    source_type = source.get("SourceType")
    if source_type == "Upload":
        source_type = "ServerUpload"  # or "ClientUpload": 3.0 does not tell them apart
    return {
        **task.renamed("fileId"),
        **media.renamed("fileName=Name coverUrl fileUrl=MediaUrl"),
        **task.renamed("procedureTaskId"),
        **_present(sourceType=source_type),
        **source.renamed("sourceContext"),
        **source.part("LiveRecordInfo").renamed("streamId"),
    }


def _file_deleted(task: _Part) -> Members:
    # 3.0 reports no failed deletion.
    return {"status": 0, "message": "", "fileInfo": [{"fileId": file_id} for file_id in task.items("FileIdSet")]}


def _transcode_complete(task: _Part) -> Members:
    names = "status=ErrCode message vodTaskId=TaskId fileId fileName duration coverUrl"
    played = "url definition vbitrate=Bitrate vheight=Height vwidth=Width"
    return task.renamed(names) | {"playSet": [each.renamed(played) for each in task.parts("PlayInfoSet")]}


def _snapshot_complete(task: _Part) -> Members:
    checked = check_snapshot_task(task.members)
    return {
        "vodTaskId": checked.task_id,
        "fileId": checked.file_id,
        "definition": checked.definition,
        "picInfo": [_picture(picture) for picture in checked.snapshot_info_set],
    }


def _picture(picture: SnapshotInfo) -> Members:
    """A failed picture has no ``url``, as in an earlier edition of the document."""
    known: Members = {"status": picture.err_code, "timeOffset": picture.time_offset}
    return known | {"url": picture.url} if picture.err_code == 0 and picture.url is not None else known


def _clip_complete(task: _Part) -> Members:
    names = "vodTaskId=TaskId srcFileId"
    return task.renamed(names) | {"fileInfo": task.part("FileInfo").renamed(_FILE)}


def _concat_complete(task: _Part) -> Members:
    files = [each.renamed(_FILE) for each in task.parts("FileInfoSet")]
    return task.renamed("vodTaskId=TaskId") | {"fileInfo": files}


# --- ProcedureStateChanged, which has tasks of many kinds

_SIZE: Final = "size container md5 bitrate height width"
_VIDEO: Final = "bitrate height width codec fps"
_AUDIO: Final = "codec samplingRate bitrate"


def _procedure_state_changed(task: _Part) -> Members:
    names = "vodTaskId=TaskId status message errCode fileId"
    return task.renamed(names) | _present(
        metaData=_media(task.part("MetaData")) or None,
        contentReviewList=_results(task.parts("AiContentReviewResultSet"), _REVIEWS) or None,
        aIAnalysisList=_results(task.parts("AiAnalysisResultSet"), _ANALYSES) or None,
        processTaskList=_results(task.parts("MediaProcessResultSet"), _PROCESSES) or None,
    )


def _media(media: _Part) -> Members:
    return media.renamed(_SIZE) | _present(
        duration=media.whole("Duration"),
        rotate=media.get("Rotate"),
        videoStreamList=[stream.renamed(_VIDEO) for stream in media.parts("VideoStreamSet")] or None,
        audioStreamList=[stream.renamed(_AUDIO) for stream in media.parts("AudioStreamSet")] or None,
    )


Kinds = Mapping[str, tuple[str, Form, Form]]


def _results(results: list[_Part], kinds: Kinds) -> list[Members]:
    """The results whose Type 2.0 knows; *kinds* has the 3.0 field and the forms of input and output of each."""
    typed = [(str(result.get("Type")), result) for result in results]
    return [_result(name, result, *kinds[name]) for name, result in typed if name in kinds]


def _result(task_type: str, result: _Part, field: str, taken: Form, made: Form) -> Members:
    task = result.part(field)
    return {
        "taskType": task_type,
        **task.renamed("status errCode message"),
        "input": taken(task.part("Input")),
        **({"output": made(task.part("Output"))} if task.get("Output") is not None else {}),
    }


_template: Final = _renames("definition")


def _watermarked(task: _Part) -> Members:
    definitions = [watermark.get("Definition") for watermark in task.parts("WatermarkSet")]
    return _template(task) | _present(watermarkDefinition=definitions or None)


def _transcode_input(task: _Part) -> Members:
    names = "width height left=XPos top=YPos startTimeOffset endTimeOffset"
    mosaics = [mosaic.renamed(names) for mosaic in task.parts("MosaicSet")]
    return {
        **_template(task),
        "watermark": int(bool(task.items("WatermarkSet"))),
        **_present(mosaicList=mosaics or None),
    }


def _transcode_output(media: _Part) -> Members:
    return media.renamed("url") | _media(media)


def _animated_input(task: _Part) -> Members:
    return _template(task) | _present(startTime=task.whole("StartTimeOffset"), endTime=task.whole("EndTimeOffset"))


def _snapshot_input(task: _Part) -> Members:
    """The offset in milliseconds. A percentage has no 2.0 form."""
    seconds = [text for text in task.items("ExtTimeOffsetSet") if _SECONDS.fullmatch(str(text))]
    offsets = [round(float(text[:-1]) * 1000) for text in seconds]
    offsets += [round(offset) for offset in task.items("TimeOffsetSet") if isinstance(offset, int | float)]
    return _template(task) | {"timeOffset": offsets} | _watermarked(task)


def _snapshot_output(media: _Part) -> Members:
    pictures = media.parts("PicInfoSet")
    return {
        "imgInfo": [_present(timeOffset=picture.whole("TimeOffset")) | picture.renamed("url") for picture in pictures]
    }


def _cover_input(task: _Part) -> Members:
    positions = task.renamed("positionType") | _present(position=task.whole("PositionValue"))
    return _template(task) | positions | _watermarked(task)


def _porn_output(found: _Part) -> Members:
    names = "startTimeOffset endTimeOffset confidence suggestion url picUrlExpireTimeStamp"
    segments = [segment.renamed(names) for segment in found.parts("SegmentSet")]
    return found.renamed("confidence suggestion") | {"segments": segments}


def _classification_output(found: _Part) -> Members:
    names = "classification confidence"
    return {"classifications": [each.renamed(names) for each in found.parts("ClassificationSet")]}


def _tag_output(found: _Part) -> Members:
    return {"tags": [tag.renamed("tag confidence") for tag in found.parts("TagSet")]}


_PROCESSES: Final[Kinds] = {
    "Transcode": ("TranscodeTask", _transcode_input, _transcode_output),
    "AnimatedGraphics": ("AnimatedGraphicTask", _animated_input, _renames("url container height width")),
    "SnapshotByTimeOffset": ("SnapshotByTimeOffsetTask", _snapshot_input, _snapshot_output),
    "SampleSnapshot": ("SampleSnapshotTask", _watermarked, _renames("imageUrls=ImageUrlSet")),
    "ImageSprites": ("ImageSpriteTask", _template, _renames("totalCount urlList=ImageUrlSet webVttUrl")),
    "CoverBySnapshot": ("CoverBySnapshotTask", _cover_input, _renames("imageUrl=CoverUrl")),
}
_REVIEWS: Final[Kinds] = {"Porn": ("PornTask", _template, _porn_output)}
_ANALYSES: Final[Kinds] = {
    "Classification": ("ClassificationTask", _template, _classification_output),
    "Tag": ("TagTask", _template, _tag_output),
}
_SECONDS: Final = re.compile(r"\d{1,9}(\.\d{1,6})?s", re.ASCII)


_FORMS: Final[Mapping[str, Form]] = {
    "NewFileUpload": _new_file_upload,
    "PullComplete": _renames("status=ErrCode message vodTaskId=TaskId fileId fileUrl"),
    "FileDeleted": _file_deleted,
    "ProcedureStateChanged": _procedure_state_changed,
    "TranscodeComplete": _transcode_complete,
    SNAPSHOT_COMPLETE: _snapshot_complete,
    "CreateImageSpriteComplete": _renames(
        "status=ErrCode message vodTaskId=TaskId fileId definition totalCount "
        "imageSpriteUrl=ImageSpriteUrlSet webVttUrl"
    ),
    "ClipComplete": _clip_complete,
    "ConcatComplete": _concat_complete,
}

LEGACY_TYPES: Final = tuple(_FORMS)
"""The event types that have a 2.0 body, in the order of the document."""
