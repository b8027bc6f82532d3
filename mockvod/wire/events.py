"""Event notifications in Tencent's spelling: EventContent, read and written in three profiles.

Documents: 266/33958 (the event CreateSnapshotByTimeOffsetComplete), 266/33433 (PullEvents).
"""

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Literal

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

__all__ = [
    "CARRIERS",
    "SNAPSHOT_COMPLETE",
    "EventError",
    "Profile",
    "SnapshotByTimeOffsetTask",
    "SnapshotInfo",
    "parse",
    "render",
    "render_tail",
    "sign",
    "with_handle",
    "with_sign",
]

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


def parse(document: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """EventType and structure of a whole EventContent, whichever profile it is spelled in.

    ``EventHandle``, ``Sign`` and ``T`` are passed over. The structure keeps its order of keys and its nulls; that of
    CreateSnapshotByTimeOffsetComplete is checked. Raises `EventError`.
    """
    event_type = known_type(document.get("EventType"))
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
        check_snapshot_task(structure)
    return event_type, dict(structure)


def render(event_type: str, structure: Mapping[str, Any], profile: Profile) -> bytes:
    """The EventContent without a handle, as compact UTF-8 JSON: what a callback receives.

    Raises `EventError` for an unknown EventType and for values that JSON has no form for.
    """
    return b"{" + render_tail(event_type, structure, profile)


def render_tail(event_type: str, structure: Mapping[str, Any], profile: Profile) -> bytes:
    """As `render`, less the first brace: where an answer of PullEvents puts a handle before the other keys."""
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
def _frame(event_type: str, profile: Profile) -> tuple[bytes, bytes]:
    """What stands before and after the structure: the same for every event of a type."""
    carrier = CARRIERS[known_type(event_type)]
    if profile == "seed":
        carrier = _SEED_SPELLING.get(carrier, carrier)
    shown = _SHOWN[profile] if carrier in _SHOWN[profile] else (*_SHOWN[profile], carrier)
    split = shown.index(carrier)
    before = [f'"EventType":"{event_type}"', *(f'"{field}":null' for field in shown[:split]), f'"{carrier}":']
    after = [f',"{field}":null' for field in shown[split + 1 :]]
    return ",".join(before).encode(), ("".join(after) + "}").encode()


def _unknown_field(field: str) -> str:
    if field == "Response":
        return "unknown field 'Response': give one element of Response.EventSet, not the whole answer"
    return f"unknown field {field!r}: {suggest(field, [*_ENVELOPE, *_TYPE_CARRIED])}"


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
