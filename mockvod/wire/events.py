"""Event notifications in Tencent's spelling: EventContent, read and written in four profiles.

Documents: 266/33958 (the event CreateSnapshotByTimeOffsetComplete), 266/33433 (PullEvents).
"""

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final, Literal, NamedTuple

from mockvod.wire.event_types import (
    CARRIERS,
    SNAPSHOT_COMPLETE,
    EventError,
    SnapshotByTimeOffsetTask,
    SnapshotInfo,
    check_snapshot_task,
    known_type,
    suggest,
)
from mockvod.wire.params import surrogate_in

__all__ = [
    "CARRIERS",
    "SNAPSHOT_COMPLETE",
    "Content",
    "EventError",
    "Profile",
    "SnapshotByTimeOffsetTask",
    "SnapshotInfo",
    "parse",
    "render",
    "render_tail",
    "sign",
    "with_sign",
]

Profile = Literal["seed", "current", "sparse", "recorded"]

# The fields that a profile always shows, null unless they carry: `seed` as document 266/33958 prints them, `current`
# as the PullEvents example of Tencent's command line does, `sparse` as the newer event documents, which omit nulls,
# `recorded` as the real service has pushed them in 2020 and 2021.
_SHOWN: Final[Mapping[Profile, Sequence[str]]] = {
    "seed": """
        FileUploadEvent ProcedureStateChangeEvent FileDeleteEvent PullCompleteEvent EditMediaComplete
        WechatPublishComplete TranscodeCompleteEvent ConcatCompleteEvent ClipCompleteEvent
        CreateImageSpriteCompleteEvent SnapshotByTimeOffsetCompleteEvent
    """.split(),
    "current": """
        FileUploadEvent ExtractCopyRightWatermarkCompleteEvent QualityInspectCompleteEvent
        ProcedureStateChangeEvent FileDeleteEvent PullCompleteEvent EditMediaCompleteEvent
        SplitMediaCompleteEvent ComposeMediaCompleteEvent WechatPublishCompleteEvent TranscodeCompleteEvent
        ConcatCompleteEvent ClipCompleteEvent CreateImageSpriteCompleteEvent
        SnapshotByTimeOffsetCompleteEvent WechatMiniProgramPublishCompleteEvent RemoveWatermarkCompleteEvent
        RestoreMediaCompleteEvent RebuildMediaCompleteEvent ExtractTraceWatermarkCompleteEvent
        ReviewAudioVideoCompleteEvent DescribeFileAttributesCompleteEvent ReduceMediaBitrateCompleteEvent
        QualityEnhanceCompleteEvent PersistenceCompleteEvent ComplexAdaptiveDynamicStreamingCompleteEvent
    """.split(),
    "sparse": (),
    "recorded": """
        FileUploadEvent ProcedureStateChangeEvent FileDeleteEvent PullCompleteEvent EditMediaCompleteEvent
        ComposeMediaCompleteEvent WechatPublishCompleteEvent TranscodeCompleteEvent ConcatCompleteEvent
        ClipCompleteEvent CreateImageSpriteCompleteEvent SnapshotByTimeOffsetCompleteEvent
        WechatMiniProgramPublishEvent
    """.split(),
}

# Fields that a profile spells otherwise than the data structure page and the SDKs.
_SPELLED: Final[Mapping[Profile, Mapping[str, str]]] = {
    "seed": {
        "EditMediaCompleteEvent": "EditMediaComplete",
        "WechatPublishCompleteEvent": "WechatPublishComplete",
    },
    "recorded": {"WechatMiniProgramPublishCompleteEvent": "WechatMiniProgramPublishEvent"},
}

_TYPE_OF: Final = {field: event_type for event_type, field in CARRIERS.items()}
_TYPE_OF.update({spelled: _TYPE_OF[field] for spelling in _SPELLED.values() for field, spelled in spelling.items()})

# What travels beside the event: a recorded notification may still have them.
_ENVELOPE: Final = frozenset({"EventType", "EventHandle", "Sign", "T"})

_dump = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


class Content(NamedTuple):
    """An event to be sent."""

    event_type: str
    structure: Mapping[str, Any]
    fields: tuple[str, ...] | None = None
    """The event fields of the document that it was read from, as spelled there; None for those of a profile."""


def parse(document: Mapping[str, Any]) -> Content:
    """The event in a whole EventContent, in the spelling of any profile.

    Skips ``EventHandle``, ``Sign`` and ``T``. Unknown fields may be null. The structure keeps its order of keys and
    its nulls; that of CreateSnapshotByTimeOffsetComplete is checked. Raises `EventError`.
    """
    if advice := _other_document(document):
        raise EventError(advice)
    event_type = known_type(document.get("EventType"))
    fields = tuple([field for field in document if field not in _ENVELOPE])
    given = [field for field in fields if document[field] is not None]
    if unknown := [field for field in given if field not in _TYPE_OF]:
        raise EventError(f"unknown field {unknown[0]!r}: {suggest(unknown[0], [*_ENVELOPE, *_TYPE_OF])}")
    own = [field for field in given if _TYPE_OF[field] == event_type]
    if not given:
        raise EventError(f"EventType {event_type!r} has no structure: give {CARRIERS[event_type]!r}")
    if not own:
        raise EventError(
            f"EventType {event_type!r} is carried by {CARRIERS[event_type]!r}, but the document gives {given[0]!r}: "
            f"rename the field, or set EventType to {_TYPE_OF[given[0]]!r}"
        )
    if len(given) > 1:
        names = " and ".join(map(repr, given))
        raise EventError(f"an event has one structure, but {names} are given: keep {own[0]!r} for {event_type!r}")
    structure = document[own[0]]
    if not isinstance(structure, Mapping):
        raise EventError(f"{own[0]} must be an object, not {structure!r}")
    if event_type == SNAPSHOT_COMPLETE:
        check_snapshot_task(structure)
    return Content(
        event_type, dict(structure), tuple([f for f in fields if f == own[0] or _TYPE_OF.get(f) != event_type])
    )


def _other_document(document: Mapping[str, Any]) -> str:
    """What to do with a document that is not an EventContent but contains some; empty for any other."""
    if "Response" in document or "EventSet" in document:
        return "this is a response of PullEvents: emit the elements of its EventSet one by one"
    if "eventType" in document or "eventContent" in document or "eventList" in document:
        return (
            "this is an event of API 2.0: emit its 3.0 form, an EventContent with EventType; the setting "
            "callback_format and the action PullEvent send that in the 2.0 form"
        )
    return ""


def render(
    event_type: str, structure: Mapping[str, Any], profile: Profile, fields: tuple[str, ...] | None = None
) -> bytes:
    """The EventContent without a handle, as compact UTF-8 JSON: what a callback receives.

    With *fields* of a document, several are written as they are there, and a single one in its spelling among those of
    *profile*. Raises `EventError` for an unknown EventType and for values that JSON cannot represent.
    """
    return b"{" + render_tail(event_type, structure, profile, fields)


def render_tail(
    event_type: str, structure: Mapping[str, Any], profile: Profile, fields: tuple[str, ...] | None = None
) -> bytes:
    """As `render`, without the first brace: a response of PullEvents puts a handle before the other keys."""
    known_type(event_type)
    before, after = _profile_frame(event_type, profile) if fields is None else _frame(event_type, profile, fields)
    try:
        # Joined, so that the bytes need no more memory than their length: there may be a million events.
        return b"".join((before, _dump(dict(structure)).encode(), after))
    except (TypeError, ValueError) as error:
        field = CARRIERS[event_type]
        if (path := surrogate_in({field: structure})) is not None:
            raise EventError(f"{path} has a lone surrogate, which is not a character") from error
        problem = next(_not_finite(structure, field), f"{field} cannot be written as JSON: {error}")
        raise EventError(problem) from error


def sign(sign_key: str, t: int) -> str:
    """The ``Sign`` of a notification that holds until *t*, in UNIX seconds: MD5(SignKey + T) (ModifyEventConfig)."""
    return hashlib.md5(f"{sign_key}{t}".encode(), usedforsecurity=False).hexdigest()


def check_sign(
    claimed: object, t: object, sign_keys: Iterable[str], now: float
) -> Literal["valid", "wrong", "expired", "unsigned"]:
    """What a receiver that knows *sign_keys* makes of ``Sign`` and ``T`` at *now*, in UNIX seconds."""
    if claimed is None and t is None:
        return "unsigned"
    if not isinstance(claimed, str) or not str(t).isdecimal() or len(str(t)) > 18:
        return "wrong"
    if not any(sign(key, int(str(t))) == claimed for key in sign_keys):
        return "wrong"
    return "valid" if int(str(t)) >= now else "expired"


def with_sign(body: bytes, *, sign_key: str, expires: int) -> bytes:
    """The notification of an application that has a SignKey: *body* with ``Sign`` and ``T`` as its last keys.

    ModifyEventConfig says that both are "in the notification message"; their place follows Tencent Live, whose
    scheme is the same. *expires* is in UNIX seconds.
    """
    return b'%b,"Sign":"%b","T":%d}' % (body[:-1], sign(sign_key, expires).encode(), expires)


@cache
def _profile_frame(event_type: str, profile: Profile) -> tuple[bytes, bytes]:
    """As `_frame`, for every event of a type that was not read from a document."""
    carrier = CARRIERS[event_type]
    return _frame(event_type, profile, (_SPELLED.get(profile, {}).get(carrier, carrier),))


def _frame(event_type: str, profile: Profile, fields: tuple[str, ...]) -> tuple[bytes, bytes]:
    """What comes before and after the structure."""
    carrier = next(field for field in fields if _TYPE_OF.get(field) == event_type)
    if len(fields) == 1:
        shown = [carrier if _TYPE_OF[field] == event_type else field for field in _SHOWN[profile]]
        fields = (*shown, *([] if carrier in shown else [carrier]))
    split = fields.index(carrier)
    before = [f'"EventType":"{event_type}"', *(f"{_dump(field)}:null" for field in fields[:split]), f'"{carrier}":']
    after = [f",{_dump(field)}:null" for field in fields[split + 1 :]]
    try:
        return ",".join(before).encode(), ("".join(after) + "}").encode()
    except UnicodeEncodeError:
        raise EventError("the name of a field has a lone surrogate, which is not a character") from None


def _not_finite(value: object, place: str) -> Iterator[str]:
    """A message for every NaN and Infinity in *value*."""
    if isinstance(value, float) and not math.isfinite(value):
        yield f"{place} is {value!r}: JSON has no such number, give a finite one or null"
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _not_finite(inner, f"{place}.{key}")
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _not_finite(inner, f"{place}.{index}")
