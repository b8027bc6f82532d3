"""Event notifications in Tencent's spelling: EventContent in three profiles, and the 2.0 body it replaced.

Documents: 266/33958 (the event CreateSnapshotByTimeOffsetComplete), 266/33433 (PullEvents), 266/33962 (the 2.0 bodies).
"""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_pascal

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

Profile = Literal["seed", "current", "sparse"]

# The fields that a profile always shows, null unless they carry: `seed` as document 266/33958 prints them, `current`
# as the PullEvents example of Tencent's command line does, `sparse` as the newer event documents, which omit nulls.
_SHOWN: dict[Profile, tuple[str, ...]] = {
    "seed": (
        "FileUploadEvent",
        "ProcedureStateChangeEvent",
        "FileDeleteEvent",
        "PullCompleteEvent",
        "EditMediaComplete",
        "WechatPublishComplete",
        "TranscodeCompleteEvent",
        "ConcatCompleteEvent",
        "ClipCompleteEvent",
        "CreateImageSpriteCompleteEvent",
        "SnapshotByTimeOffsetCompleteEvent",
    ),
    "current": (
        "FileUploadEvent",
        "ExtractCopyRightWatermarkCompleteEvent",
        "QualityInspectCompleteEvent",
        "ProcedureStateChangeEvent",
        "FileDeleteEvent",
        "PullCompleteEvent",
        "EditMediaCompleteEvent",
        "SplitMediaCompleteEvent",
        "ComposeMediaCompleteEvent",
        "WechatPublishCompleteEvent",
        "TranscodeCompleteEvent",
        "ConcatCompleteEvent",
        "ClipCompleteEvent",
        "CreateImageSpriteCompleteEvent",
        "SnapshotByTimeOffsetCompleteEvent",
        "WechatMiniProgramPublishCompleteEvent",
        "RemoveWatermarkCompleteEvent",
        "RestoreMediaCompleteEvent",
        "RebuildMediaCompleteEvent",
        "ExtractTraceWatermarkCompleteEvent",
        "ReviewAudioVideoCompleteEvent",
        "DescribeFileAttributesCompleteEvent",
        "ReduceMediaBitrateCompleteEvent",
        "QualityEnhanceCompleteEvent",
        "PersistenceCompleteEvent",
        "ComplexAdaptiveDynamicStreamingCompleteEvent",
    ),
    "sparse": (),
}

# How document 266/33958 spells two of the fields; the data structure page and the SDKs do otherwise.
_SEED_SPELLING = {
    "EditMediaCompleteEvent": "EditMediaComplete",
    "WechatPublishCompleteEvent": "WechatPublishComplete",
}

_TYPE_CARRIED = {field: event_type for event_type, field in CARRIERS.items()} | {
    seed: seed for seed in _SEED_SPELLING.values()
}

# What travels beside the event: a recorded notification may still have them.
_ENVELOPE = frozenset({"EventType", "EventHandle", "Sign", "T"})

_dump = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


class EventError(ValueError):
    """The document given is no EventContent, or cannot be sent as one."""


class _Structure(BaseModel):
    """Fields that Tencent may add are kept; the known ones must have their documented type."""

    model_config = ConfigDict(alias_generator=to_pascal, populate_by_name=True, strict=True, extra="allow", frozen=True)


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


def parse(document: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """EventType and structure of a whole EventContent, whichever profile it is spelled in.

    ``EventHandle``, ``Sign`` and ``T`` are passed over. The structure keeps its order of keys and its nulls; that of
    CreateSnapshotByTimeOffsetComplete is checked. Raises `EventError`.
    """
    event_type = _known_type(document.get("EventType"))
    for field in document:
        if field not in _TYPE_CARRIED and field not in _ENVELOPE:
            raise EventError(_unknown_field(field))
    given = [field for field in document if field in _TYPE_CARRIED and document[field] is not None]
    own = [field for field in given if _TYPE_CARRIED[field] == event_type]
    if not given:
        raise EventError(f"EventType {event_type!r} comes without its structure: give {CARRIERS[event_type]!r}")
    if not own:
        raise EventError(
            f"EventType {event_type!r} is carried by {CARRIERS[event_type]!r}, but the document gives {given[0]!r}: "
            f"rename the field, or set EventType to {_TYPE_CARRIED[given[0]]!r}"
        )
    if len(given) > 1:
        fields = " and ".join(map(repr, given))
        raise EventError(f"an event has one structure, but {fields} are given: keep {own[0]!r} for {event_type!r}")
    structure = document[own[0]]
    if not isinstance(structure, Mapping):
        raise EventError(f"{own[0]} must be an object, not {structure!r}")
    if event_type == SNAPSHOT_COMPLETE:
        _check_snapshot_task(structure)
    return event_type, dict(structure)


def render(event_type: str, structure: Mapping[str, Any], profile: Profile) -> bytes:
    """The EventContent without a handle, as compact UTF-8 JSON: what a callback receives.

    Raises `EventError` for an unknown EventType and for values that JSON has no form for.
    """
    before, after = _frame(event_type, profile)
    try:
        # Joined, so that the bytes take no more room than they have: events are held by the million.
        return b"".join((before, _dump(dict(structure)).encode(), after))
    except (TypeError, ValueError) as error:
        field = CARRIERS[event_type]
        problem = next(_not_finite(structure, field), f"{field} cannot be written as JSON: {error}")
        raise EventError(problem) from error


def with_handle(body: bytes, handle: str) -> bytes:
    """The event as PullEvents answers it: *body* with ``EventHandle`` before every other key."""
    quoted = f'"{handle}"' if handle.isalnum() else _dump(handle)
    return b'{"EventHandle":%b,%b' % (quoted.encode(), body[1:])


def sign(sign_key: str, t: int) -> str:
    """The ``Sign`` of a notification that holds until *t*, in UNIX seconds: MD5(SignKey + T) (ModifyEventConfig)."""
    return hashlib.md5(f"{sign_key}{t}".encode(), usedforsecurity=False).hexdigest()


def with_sign(body: bytes, *, sign_key: str, expires: int) -> bytes:
    """The notification of an application that has a SignKey: *body* with ``Sign`` and ``T`` as its last keys.

    ModifyEventConfig says that both are "in the notification message"; their place follows Tencent Live, whose
    scheme is the same. *expires* is in UNIX seconds.
    """
    return b'%b,"Sign":"%b","T":%d}' % (body[:-1], sign(sign_key, expires).encode(), expires)


def legacy(event_type: str, structure: Mapping[str, Any]) -> dict[str, Any]:
    """The 2.0 body of the same event (266/33962), of CreateSnapshotByTimeOffsetComplete only.

    A picture that failed has no ``url`` there. Fields that 2.0 has no name for are left out.
    Raises `EventError` for every other EventType.
    """
    if event_type != SNAPSHOT_COMPLETE:
        raise EventError(f"EventType {event_type!r} has no 2.0 body here: only {SNAPSHOT_COMPLETE!r} has one")
    task = _check_snapshot_task(structure)
    return {
        "version": "4.0",
        "eventType": event_type,
        "data": {
            "vodTaskId": task.task_id,
            "fileId": task.file_id,
            "definition": task.definition,
            "picInfo": [_legacy_picture(picture) for picture in task.snapshot_info_set],
        },
    }


def _legacy_picture(picture: SnapshotInfo) -> dict[str, Any]:
    known: dict[str, Any] = {"status": picture.err_code, "timeOffset": picture.time_offset}
    return known | {"url": picture.url} if picture.err_code == 0 and picture.url is not None else known


@cache
def _frame(event_type: str, profile: Profile) -> tuple[bytes, bytes]:
    """What stands before and after the structure: the same for every event of a type."""
    carrier = CARRIERS[_known_type(event_type)]
    if profile == "seed":
        carrier = _SEED_SPELLING.get(carrier, carrier)
    shown = _SHOWN[profile] if carrier in _SHOWN[profile] else (*_SHOWN[profile], carrier)
    split = shown.index(carrier)
    before = [f'{{"EventType":"{event_type}"', *(f'"{field}":null' for field in shown[:split]), f'"{carrier}":']
    after = [f',"{field}":null' for field in shown[split + 1 :]]
    return ",".join(before).encode(), ("".join(after) + "}").encode()


def _known_type(event_type: object) -> str:
    if event_type is None:
        raise EventError(f"EventType is missing: give the event's name, such as {SNAPSHOT_COMPLETE!r}")
    if not isinstance(event_type, str):
        raise EventError(f"EventType must be a string, not {event_type!r}")
    if event_type not in CARRIERS:
        raise EventError(f"unknown EventType {event_type!r}: {_suggest(event_type, CARRIERS)}")
    return event_type


def _unknown_field(field: str) -> str:
    if field == "Response":
        return "unknown field 'Response': give one element of Response.EventSet, not the whole answer"
    return f"unknown field {field!r}: {_suggest(field, [*_ENVELOPE, *_TYPE_CARRIED])}"


def _suggest(name: str, known: Mapping[str, str] | list[str]) -> str:
    [nearest] = get_close_matches(name[:100], known, n=1, cutoff=0)  # cut: comparing takes time, and a name is short
    return f"did you mean {nearest!r}?"


def _check_snapshot_task(structure: Mapping[str, Any]) -> SnapshotByTimeOffsetTask:
    try:
        # By alias alone: a snake_case key would pass here and then reach the wire as it is.
        return SnapshotByTimeOffsetTask.model_validate(dict(structure), by_alias=True, by_name=False)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
    place = ".".join(str(step) for step in (CARRIERS[SNAPSHOT_COMPLETE], *problem["loc"]))
    if problem["type"] == "missing":
        raise EventError(f"{place} is missing: every snapshot event has it")
    raise EventError(f"{place} is {problem['input']!r}: {problem['msg']}")


def _not_finite(value: object, place: str) -> Iterator[str]:
    """A sentence for every NaN and Infinity in *value*."""
    if isinstance(value, float) and not math.isfinite(value):
        yield f"{place} is {value!r}: JSON has no such number, give a finite one or null"
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _not_finite(inner, f"{place}.{key}")
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _not_finite(inner, f"{place}.{index}")
