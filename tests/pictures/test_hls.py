"""A video file as HTTP Live Streaming: every frame is in one segment, and what HLS cannot have is left to others."""

from fractions import Fraction
from io import BytesIO
from math import inf
from pathlib import Path

import pytest
from PIL import Image

from mockvod.pictures.hls import MAX_BYTES, Playlist, Segment, playlist, segment
from mockvod.pictures.video import InvalidTimeOffset, UnsupportedVideo

av = pytest.importorskip("av")
RATE, SECONDS = 10, 11


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eleven seconds with a key frame every 1.5 s, frames that depend on later ones, and a sound."""
    path = tmp_path_factory.mktemp("hls") / "video.mp4"
    with av.open(str(path), "w") as output:
        options = {"bf": "2", "g": "15", "sc_threshold": "0"}
        pictures = output.add_stream("libx264", rate=RATE, width=64, height=64, pix_fmt="yuv420p", options=options)
        sound = output.add_stream("aac", rate=8000, layout="mono")
        for number in range(RATE * SECONDS):
            shade = Image.new("RGB", (64, 64), (number * 2,) * 3)
            output.mux(pictures.encode(av.VideoFrame.from_image(shade)))
        for number in range(8 * SECONDS):
            frame = av.AudioFrame("fltp", "mono", 1000)
            frame.planes[0].update(bytes(4000))
            frame.sample_rate, frame.pts, frame.time_base = 8000, number * 1000, Fraction(1, 8000)
            output.mux(sound.encode(frame))
        output.mux(pictures.encode())
        output.mux(sound.encode())
    return path


def segments(text: bytes) -> list[Segment]:
    names = [line[:-3].split("_") for line in text.decode().splitlines() if line.endswith(".ts")]
    return [Segment(Path(), int(begin), int(end)) for _, begin, end in names]


def frames(content: bytes) -> int:
    with av.open(BytesIO(content)) as container:
        assert container.streams.audio
        return sum(1 for _ in container.decode(video=0))


def test_every_frame_of_a_video_is_in_one_segment(video: Path) -> None:
    text = playlist(Playlist(video, 0, inf, ""))
    found = segments(text)
    assert [one.begin // 100 for one in found] == [0, 45, 90]  # the first key frames after 4 s each
    assert b"#EXT-X-TARGETDURATION:5\n" in text
    assert sum(frames(segment(one._replace(video=video))) for one in found) == RATE * SECONDS


def test_every_frame_of_mpeg_ts_is_in_one_segment(video: Path, tmp_path: Path) -> None:
    path = tmp_path / "video.ts"
    with av.open(str(video)) as source, av.open(str(path), "w") as target:
        outputs = {one.index: target.add_stream_from_template(one) for one in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = outputs[packet.stream.index]
                target.mux(packet)
    found = segments(playlist(Playlist(path, 0, inf, "")))
    assert [frames(segment(one._replace(video=path))) for one in found] == [45, 45, 20]


def test_a_playlist_of_a_part_has_the_segments_that_overlap_it(video: Path) -> None:
    assert [one.begin // 100 for one in segments(playlist(Playlist(video, 5, 6, "")))] == [45]


@pytest.mark.parametrize("codec", ["mpeg4", "mjpeg"])
def test_a_video_that_hls_cannot_have_gets_the_other_playlist(tmp_path: Path, codec: str) -> None:
    path, form = tmp_path / "video.mkv", "yuvj420p" if codec == "mjpeg" else "yuv420p"
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=RATE, width=64, height=64, pix_fmt=form)
        frame = av.VideoFrame.from_image(Image.new("RGB", (64, 64)))
        output.mux([*stream.encode(frame), *stream.encode()])
    assert playlist(Playlist(path, 0, inf, "other")) == b"other"


def test_a_segment_beyond_the_end_does_not_exist(video: Path) -> None:
    with pytest.raises(InvalidTimeOffset, match=r"no key frame from 99000 to 99999 ms"):
        segment(Segment(video, 99_000, 99_999))


def test_a_segment_is_limited_in_bytes(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(segment(Segment(video, 0, 4_500))) < MAX_BYTES
    monkeypatch.setattr("mockvod.pictures.hls.MAX_BYTES", 1_000)
    with pytest.raises(UnsupportedVideo, match=r"more than 1,000 bytes"):
        segment(Segment(video, 0, 4_500))
