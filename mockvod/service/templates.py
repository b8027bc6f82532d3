"""The templates of one application: one store for every family, one row per family."""

import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

PRESETS: Final = Path(__file__).with_name("presets.json")
FIRST_CUSTOM: Final = 10_001
PRESET: Final = 10
"""The preset template of snapshots."""

VIDEO: Final = {
    "Codec": "libx264",
    "Fps": 0,
    "Bitrate": 0,
    "ResolutionAdaptive": "open",
    "Width": 0,
    "Height": 0,
    "FillType": "black",
    "Vcrf": 0,
    "Gop": 0,
    "GopUnit": "frame",
    "PreserveHDRSwitch": "OFF",
    "CodecTag": "hvc1",
    "Mode": "VBR",
    "Bframes": 0,
    "HlsTime": 0,
    "VideoProfile": "",
}
AUDIO: Final = {"Codec": "libfdk_aac", "Bitrate": 0, "SampleRate": 44100, "AudioChannel": 2}
TEHD: Final = {"Type": "OFF", "MaxVideoBitrate": 0}
STREAM: Final = {
    "Video": VIDEO,
    "Audio": AUDIO,
    "RemoveAudio": 0,
    "RemoveVideo": 0,
    "TEHDConfig": TEHD,
    "EnhanceConfig": None,
    "StdExtInfo": "",
}
PICTURE: Final = {"Width": 0, "Height": 0, "ResolutionAdaptive": "open", "Format": "jpg"}
SAMPLING: Final = {"SampleType": "Percent", "SampleInterval": 10}
PROCESS: Final[Mapping[str, Any]] = {
    name: []
    for name in """
        TranscodeTaskSet AnimatedGraphicTaskSet SnapshotByTimeOffsetTaskSet SampleSnapshotTaskSet ImageSpriteTaskSet
        CoverBySnapshotTaskSet AdaptiveDynamicStreamingTaskSet
    """.split()
}


class Family(NamedTuple):
    """One family of templates: its limit per application, and the members of a template with their defaults.

    A default that is a mapping is that of a nested structure; a list with one mapping is that of its items.
    """

    limit: int
    defaults: Mapping[str, Any]


FAMILIES: Final[Mapping[str, Family]] = {
    "Transcode": Family(
        100,
        {
            "Container": "",
            "RemoveVideo": 0,
            "RemoveAudio": 0,
            "VideoTemplate": VIDEO,
            "AudioTemplate": AUDIO,
            "TEHDConfig": TEHD,
            "EnhanceConfig": None,
            "SegmentType": "",
            "StdExtInfo": "",
        },
    ),
    "AdaptiveDynamicStreaming": Family(
        100,
        {
            "Format": "",
            "DrmType": "",
            "DrmKeyProvider": "VOD",
            "DrmEncryptType": "",
            "StreamInfos": [STREAM],
            "DisableHigherVideoBitrate": 0,
            "DisableHigherVideoResolution": 0,
            "SegmentType": "ts-segment",
            "SegmentDuration": 6,
        },
    ),
    "ImageSprite": Family(16, {**PICTURE, **SAMPLING, "RowCount": 0, "ColumnCount": 0, "FillType": "black"}),
    "SampleSnapshot": Family(16, {**PICTURE, **SAMPLING, "FillType": "black"}),
    "SnapshotByTimeOffset": Family(16, {**PICTURE, "FillType": "black"}),
    "AnimatedGraphics": Family(16, {**PICTURE, "Format": "gif", "Fps": 2, "Quality": 75.0}),
    "Watermark": Family(
        1000,
        {
            "Type": "image",
            "CoordinateOrigin": "TopLeft",
            "XPos": "0px",
            "YPos": "0px",
            "ImageTemplate": None,
            "TextTemplate": None,
            "SvgTemplate": None,
        },
    ),
    "Procedure": Family(
        50,
        {
            "MediaProcessTask": PROCESS,
            "AiContentReviewTask": None,
            "AiAnalysisTask": None,
            "AiRecognitionTaskSet": [],
            "AiRecognitionTask": None,
            "MiniProgramPublishTask": None,
            "ReviewAudioVideoTask": None,
            "ImportMediaKnowledgeTaskSet": [],
        },
    ),
}

Key = int | str
"""The key of a template: its Definition, or the Name of a procedure."""


class Template(NamedTuple):
    """A template. *content* has every member of its family, in the vendor's spelling."""

    key: Key
    preset: bool
    created_at: float
    updated_at: float
    content: Mapping[str, Any]


class TooManyTemplates(Exception):
    """The application has the maximum number of templates of a family."""


class Templates:
    """The templates of one application: presets, which cannot be changed, and its own."""

    def __init__(self, now: float) -> None:
        self._now = now
        self._families: dict[str, dict[Key, Template]] = {}
        self._next = dict.fromkeys(FAMILIES, FIRST_CUSTOM)

    def find(self, family: str, key: Key) -> Template | None:
        return self._of(family).get(key)

    def all(self, family: str) -> Iterator[Template]:
        """Presets first, then the application's own, oldest first."""
        return iter(self._of(family).values())

    def add(self, family: str, now: float, given: Mapping[str, Any], *, key: Key | None = None) -> Template:
        """Add a template of the application's own, or replace the content of the one with its *key*.

        Raises TooManyTemplates.
        """
        templates, limit = self._of(family), FAMILIES[family].limit
        if key not in templates and sum(not one.preset for one in templates.values()) >= limit:
            raise TooManyTemplates(f"an application may have {limit} {family} templates of its own")
        if key is None:
            while self._next[family] in templates:
                self._next[family] += 1
            key, self._next[family] = self._next[family], self._next[family] + 1
        created_at = templates[key].created_at if key in templates else now
        template = templates[key] = Template(key, False, created_at, now, _complete(family, given))
        return template

    def change(self, family: str, template: Template, now: float, given: Mapping[str, Any]) -> Template:
        """Change the members of *template* that are in *given*, also those of nested structures."""
        changed = template._replace(updated_at=now, content=_merged(template.content, given))
        self._of(family)[template.key] = changed
        return changed

    def watermark(self, definition: int) -> bytes | None:
        """The picture of a watermark template."""
        template = self.find("Watermark", definition)
        image = template.content["ImageTemplate"] if template is not None else None
        return base64.b64decode(image["ImageContent"]) if image else None

    def remove(self, family: str, template: Template) -> None:
        del self._of(family)[template.key]

    def _of(self, family: str) -> dict[Key, Template]:
        templates = self._families.get(family)
        if templates is None:
            templates = self._families[family] = {
                key: Template(key, True, self._now, self._now, content) for key, content in _presets(family)
            }
        return templates


def _presets(family: str) -> Iterator[tuple[Key, Mapping[str, Any]]]:
    # Read again for each family of each application: it takes a fraction of a millisecond, and keeps no memory.
    presets = json.loads(PRESETS.read_text(encoding="utf-8"))
    for key, given in presets.get(family, {}).items():
        if family == "AdaptiveDynamicStreaming":  # whose presets all have the same streams
            given["StreamInfos"] = presets["AdaptiveStreams"]
        yield key if family == "Procedure" else int(key), _complete(family, given)


def _complete(family: str, given: Mapping[str, Any]) -> Mapping[str, Any]:
    content = {"Name": "", "Comment": "", **_filled(FAMILIES[family].defaults, given)}
    return {**content, **{name: given[name] for name in ("Name", "Comment") if given.get(name)}}


def _filled(defaults: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """*given* in the order of *defaults*, with the defaults of missing members."""
    filled = dict(defaults)
    for name, default in defaults.items():
        value = given.get(name)
        if value is None:
            filled[name] = [] if isinstance(default, list) else default
        elif isinstance(default, Mapping):
            filled[name] = _filled(default, value)
        elif isinstance(default, list) and default:
            filled[name] = [_filled(default[0], one) for one in value]
        else:
            filled[name] = value
    return filled


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(old)
    for name, value in new.items():
        before = merged.get(name)
        both = isinstance(value, Mapping) and isinstance(before, Mapping)
        merged[name] = _merged(before, value) if both else value  # type: ignore[arg-type]  # both are mappings
    return merged
