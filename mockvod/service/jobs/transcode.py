"""Transcode: the media file in another format."""

from typing import Any, Final

from mockvod.service.jobs.kind import Input, JobContext, JobKind, Output
from mockvod.service.jobs.sizes import clip, md5, picture_size
from mockvod.service.media_info import container, streams, transcode_item

EXTENSIONS: Final = {"hls": "m3u8"}
CODECS: Final = {"libx264": "h264", "libx265": "hevc"}


def run(context: JobContext, given: Input) -> Output:
    definition, media = given["Definition"], context.media
    template = context.template("Transcode", definition).content
    content: dict[str, Any] = {**template, **_overridden(template, given.get("OverrideParameter") or {})}
    video, audio = content["VideoTemplate"], content["AudioTemplate"]
    without_picture = bool(content["RemoveVideo"]) or not media.width
    width, height = (0, 0) if without_picture else picture_size(video, context)
    begins, ends = clip(given, media.duration)
    source_bitrate = int(media.size * 8 / media.duration) if media.duration else 0
    bitrate = ((0 if without_picture else video["Bitrate"]) + audio["Bitrate"]) * 1000 or source_bitrate
    url = context.product(f"v.f{definition}.{EXTENSIONS.get(content['Container'], content['Container'])}")
    item = transcode_item(
        url,
        definition,
        Bitrate=bitrate,
        Height=height,
        Width=width,
        Size=int(bitrate * (ends - begins) / 8),
        Duration=round(ends - begins, 3),
        Md5=md5(url),
        Container=container(content["Container"]),
        **streams(
            bitrate,
            width,
            height,
            codec=CODECS.get(video["Codec"], video["Codec"]),
            fps=video["Fps"] or 25,
            sampling_rate=audio["SampleRate"],
        ),
        **digital_watermark(given),
    )
    return context.keep("TranscodeSet", definition, item)


def digital_watermark(given: Input) -> dict[str, str]:
    """The two members of an output that describe its digital watermark."""
    # The tasks of preset procedures have fewer members than those of requests.
    text = (given.get("CopyRightWatermark") or {}).get("Text", "")
    trace = (given.get("TraceWatermark") or {}).get("Switch", "OFF")
    kind = "Trace" if trace == "ON" else "CopyRight" if text else "None"
    return {"DigitalWatermarkType": kind, "CopyRightWatermarkText": text}


def _overridden(template: Any, override: dict[str, Any]) -> dict[str, Any]:
    changed = {name: value for name, value in override.items() if value is not None and name in template}
    for name in ("VideoTemplate", "AudioTemplate"):
        if name in changed:
            changed[name] = {**template[name], **changed[name]}
    return changed


KIND: Final = JobKind("Transcode", "TranscodeTask", run, needs_picture=False)
