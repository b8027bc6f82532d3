"""A video file as HTTP Live Streaming: its playlist, and its segments as MPEG-TS. Nothing is decoded.

Needs the extra `video`. Call these functions in a thread, as those of `video`.
"""

from io import BytesIO
from itertools import pairwise
from math import ceil
from pathlib import Path
from threading import Event
from typing import Final, NamedTuple

from mockvod.pictures.video import InvalidTimeOffset, UnsupportedVideo, opened

SEGMENT_SECONDS: Final = 4.0
"""A segment ends at the first key frame after this time."""
MAX_SEGMENTS: Final = 1_000
MAX_BYTES: Final = 32 * 1024 * 1024
"""Of a segment."""
SEEK_EARLY: Final = 3_000
"""Milliseconds: MPEG-TS is searched by decoding times, which are earlier than those of a segment's key frame."""
VIDEO_CODECS: Final = ("h264", "hevc")
AUDIO_CODECS: Final = ("aac", "mp3", "ac3")


class Playlist(NamedTuple):
    """The playlist of a video file, or of a part of it."""

    video: Path
    begin: float
    """Seconds, as *end*."""
    end: float
    otherwise: str
    """The playlist to return if HLS does not support the codec of the video."""


class Segment(NamedTuple):
    """A segment of a video file; *begin* and *end* in milliseconds."""

    video: Path
    begin: int
    end: int


def playlist(wanted: Playlist, stop: Event | None = None) -> bytes:
    """The playlist, with segments named `segment_<begin>_<end>.ts`. Raises VideoError and ExtraMissing."""
    cuts: list[float] = []
    last = 0.0
    with opened(wanted.video, stop) as (container, stream):
        if stream.codec_context.name not in VIDEO_CODECS or not stream.time_base:
            return wanted.otherwise.encode()
        for packet in container.demux(stream):
            if packet.pts is None:  # the end, or a bare stream without times
                continue
            at = float(packet.pts * stream.time_base)
            if packet.is_keyframe and (not cuts or at >= cuts[-1] + SEGMENT_SECONDS):
                cuts.append(at)
            last = max(last, at + float((packet.duration or 0) * stream.time_base))
    segments = [one for one in pairwise([*cuts, last]) if one[0] < wanted.end and one[1] > wanted.begin]
    if not segments:
        return wanted.otherwise.encode()
    longest = ceil(max(end - begin for begin, end in segments))
    lines = ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-PLAYLIST-TYPE:VOD", f"#EXT-X-TARGETDURATION:{longest}"]
    for begin, end in segments[:MAX_SEGMENTS]:
        end_name = ceil(end * 1000) if end == last else int(end * 1000)
        lines += [f"#EXTINF:{end - begin:.3f},", f"segment_{int(begin * 1000)}_{end_name}.ts", "#EXT-X-DISCONTINUITY"]
    return "\n".join([*lines[:-1], "#EXT-X-ENDLIST\n"]).encode()


def segment(wanted: Segment, stop: Event | None = None) -> bytes:
    """The packets of a segment, from its key frame to the next segment's. Raises VideoError and ExtraMissing."""
    import av

    with opened(wanted.video, stop) as (container, stream), BytesIO() as target:
        sounds = [one for one in container.streams.audio if one.codec_context.name in AUDIO_CODECS][:1]
        with av.open(target, "w", format="mpegts") as output:
            outputs = {one.index: output.add_stream_from_template(one) for one in (stream, *sounds)}
            missing, begun, size = set(outputs), False, 0
            early = SEEK_EARLY if container.format.name == "mpegts" else 0
            container.seek((max(0, wanted.begin - early) + 1) * 1000)
            for packet in container.demux(stream, *sounds):
                if packet.pts is None or packet.stream.index not in missing:
                    continue
                at, is_video = int(packet.pts * packet.time_base * 1000), packet.stream.index == stream.index
                if at >= wanted.end and (packet.is_keyframe or not is_video):
                    missing.discard(packet.stream.index)
                    if not missing:
                        break
                    continue
                begun = begun or (is_video and packet.is_keyframe and at >= wanted.begin)
                if not begun if is_video else at < wanted.begin:
                    continue
                size += packet.size
                if size > MAX_BYTES:
                    raise UnsupportedVideo(f"a segment of {wanted.video} has more than {MAX_BYTES:,} bytes")
                packet.stream = outputs[packet.stream.index]
                output.mux(packet)
        if not size:
            raise InvalidTimeOffset(f"{wanted.video} has no key frame from {wanted.begin} to {wanted.end} ms")
        return target.getvalue()
