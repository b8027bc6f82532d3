"""All event types, the field of EventContent that carries each, and the one structure that mockvod checks.

Documents: 266/33958 (the event CreateSnapshotByTimeOffsetComplete), 266/34187 (EventContent).
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_pascal

from mockvod.problems import nearest

SNAPSHOT_COMPLETE = "CreateSnapshotByTimeOffsetComplete"

# EventType to the field of EventContent that carries its structure, in the order of the SDK's model. Four of the
# newest are documented with the field's own name as EventType, "Event" included.
CARRIERS: dict[str, str] = {
    "NewFileUpload": "FileUploadEvent",
    "ProcedureStateChanged": "ProcedureStateChangeEvent",
    "FileDeleted": "FileDeleteEvent",
    "PullComplete": "PullCompleteEvent",
    "EditMediaComplete": "EditMediaCompleteEvent",
    "SplitMediaComplete": "SplitMediaCompleteEvent",
    "ComposeMediaComplete": "ComposeMediaCompleteEvent",
    "ClipComplete": "ClipCompleteEvent",
    "TranscodeComplete": "TranscodeCompleteEvent",
    "CreateImageSpriteComplete": "CreateImageSpriteCompleteEvent",
    "ConcatComplete": "ConcatCompleteEvent",
    SNAPSHOT_COMPLETE: "SnapshotByTimeOffsetCompleteEvent",
    "WechatPublishComplete": "WechatPublishCompleteEvent",
    "WechatMiniProgramPublishComplete": "WechatMiniProgramPublishCompleteEvent",
    "RemoveWatermark": "RemoveWatermarkCompleteEvent",
    "RestoreMediaComplete": "RestoreMediaCompleteEvent",
    "RebuildMediaComplete": "RebuildMediaCompleteEvent",
    "ExtractTraceWatermarkComplete": "ExtractTraceWatermarkCompleteEvent",
    "ExtractCopyRightWatermarkComplete": "ExtractCopyRightWatermarkCompleteEvent",
    "ReviewAudioVideoComplete": "ReviewAudioVideoCompleteEvent",
    "ReduceMediaBitrateComplete": "ReduceMediaBitrateCompleteEvent",
    "DescribeFileAttributesComplete": "DescribeFileAttributesCompleteEvent",
    "QualityInspectComplete": "QualityInspectCompleteEvent",
    "QualityEnhanceComplete": "QualityEnhanceCompleteEvent",
    "MediaCastStatusChanged": "MediaCastStatusChangedEvent",
    "PersistenceComplete": "PersistenceCompleteEvent",
    "ComplexAdaptiveDynamicStreamingComplete": "ComplexAdaptiveDynamicStreamingCompleteEvent",
    "ProcessMediaByMPSComplete": "ProcessMediaByMPSCompleteEvent",
    "AigcImageTaskComplete": "AigcImageCompleteEvent",
    "AigcVideoTaskComplete": "AigcVideoCompleteEvent",
    "ExtractBlindWatermarkComplete": "ExtractBlindWatermarkComplete",
    "SceneAigcImageCompleteEvent": "SceneAigcImageCompleteEvent",
    "ProcessImageAsyncCompleteEvent": "ProcessImageAsyncCompleteEvent",
    "CreateAigcAdvancedCustomElementCompleteEvent": "CreateAigcAdvancedCustomElementCompleteEvent",
    "CreateAigcCustomVoiceCompleteEvent": "CreateAigcCustomVoiceCompleteEvent",
    "DescribeAigcFaceInfoAsyncComplete": "DescribeAigcFaceInfoAsyncCompleteEvent",
    "AigcHunyuan3DTaskComplete": "AigcHunyuan3DCompleteEvent",
}


class EventError(ValueError):
    """The given document is not a valid EventContent, or cannot be sent as one."""


class _Structure(BaseModel):
    """Fields that Tencent may add are kept; the known ones must have their documented type."""

    # By alias alone: a snake_case key would pass here and then be sent unchanged.
    model_config = ConfigDict(alias_generator=to_pascal, strict=True, extra="allow", frozen=True, defer_build=True)


class SnapshotInfo(_Structure):
    """One picture of a task: SnapshotByTimeOffset2017.

    ``err_code`` is 0 for a picture that succeeded, ``time_offset`` in milliseconds. A failed picture has an empty
    ``url``, or none.
    """

    err_code: int
    time_offset: Annotated[int, Field(ge=0)]
    url: str | None = None


class SnapshotByTimeOffsetTask(_Structure):
    """What CreateSnapshotByTimeOffsetComplete reports: SnapshotByTimeOffsetTask2017.

    ``file_id`` is a string of digits: as a number it would not survive a reader that knows doubles only.
    """

    task_id: str
    file_id: str
    definition: int
    snapshot_info_set: list[SnapshotInfo]


def known_type(event_type: object) -> str:
    """*event_type* itself. Raises EventError with the nearest known one."""
    if event_type is None:
        raise EventError(f"EventType is missing: give the event's name, such as {SNAPSHOT_COMPLETE!r}")
    if not isinstance(event_type, str):
        raise EventError(f"EventType must be a string, not {event_type!r}")
    if event_type not in CARRIERS:
        raise EventError(f"unknown EventType {event_type!r}: {suggest(event_type, CARRIERS)}")
    return event_type


def suggest(name: str, known: Iterable[str]) -> str:
    """The nearest of the *known* names, as a question that ends a message."""
    return f"did you mean {nearest(name, known, cutoff=0)!r}?"


def check_snapshot_task(structure: Mapping[str, Any]) -> SnapshotByTimeOffsetTask:
    """The task in Tencent's spelling. Raises EventError with the invalid field."""
    try:
        return SnapshotByTimeOffsetTask.model_validate(dict(structure))
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
    place = ".".join(str(step) for step in (CARRIERS[SNAPSHOT_COMPLETE], *problem["loc"]))
    if problem["type"] == "missing":
        raise EventError(f"{place} is missing: every snapshot event has it")
    raise EventError(f"{place} is {problem['input']!r}: {problem['msg']}")
