"""AdaptiveDynamicStreaming: a playlist of several streams, from which a player chooses by its bandwidth."""

from collections.abc import Mapping
from typing import Any, Final

from mockvod.service.jobs.kind import Input, JobContext, JobKind, Output
from mockvod.service.jobs.sizes import picture_size
from mockvod.service.jobs.transcode import digital_watermark

EXTENSIONS: Final = {"HLS": "m3u8", "MPEG-DASH": "mpd"}


def run(context: JobContext, given: Input) -> Output:
    definition = given["Definition"]
    template = context.template("AdaptiveDynamicStreaming", definition).content
    streams = [_stream(one, context) for one in _streams(template, context)]
    item = {
        "Definition": definition,
        "Package": "HLS" if template["Format"] == "HLS" else "DASH",
        "DrmType": template["DrmType"],
        "Url": context.product(f"adp.{definition}.{EXTENSIONS[template['Format']]}"),
        "Size": sum(stream["Size"] for stream in streams),
        **digital_watermark(given),
        "SubStreamSet": streams,
        "BlindWatermarkDefinition": 0,
        "SubtitleSet": [],
        "DefaultSubtitleId": "",
        "DrmEncryptType": template["DrmEncryptType"],
    }
    return context.keep("AdaptiveDynamicStreamingSet", definition, item)


def _streams(template: Mapping[str, Any], context: JobContext) -> list[Mapping[str, Any]]:
    """The streams of a template. If it says so, those that are larger than the media file are left out."""
    every: list[Mapping[str, Any]] = template["StreamInfos"]
    if not template["DisableHigherVideoBitrate"] and not template["DisableHigherVideoResolution"]:
        return every
    short_side = min(context.media.width, context.media.height)
    fitting = [one for one in every if min(picture_size(one["Video"], context)) <= short_side]
    return fitting or every[:1]


def _stream(stream: Mapping[str, Any], context: JobContext) -> dict[str, Any]:
    width, height = (0, 0) if stream["RemoveVideo"] else picture_size(stream["Video"], context)
    bitrate = stream["Video"]["Bitrate"] + stream["Audio"]["Bitrate"]
    kind = "audio" if stream["RemoveVideo"] else "video"
    return {"Type": kind, "Width": width, "Height": height, "Size": int(bitrate * 125 * context.media.duration)}


KIND: Final = JobKind("AdaptiveDynamicStreaming", "AdaptiveDynamicStreamingTask", run)
