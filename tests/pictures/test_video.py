import os
import shutil
import sys
import wave
from collections.abc import Callable
from fractions import Fraction
from math import inf
from pathlib import Path
from threading import Event

import pytest
from PIL import Image

from fixtures.media.make_sample import FRAMES, HEIGHT, WIDTH, drawn, make, number_of
from mockvod.extras import ExtraMissing
from mockvod.pictures.video import (
    ContentMalformed,
    DownloadNotAccessible,
    InvalidTimeOffset,
    NoVideoMedia,
    UnsupportedVideo,
    Video,
    VideoError,
    frame,
    inspect,
    probe,
)

SAMPLE = Path(__file__).parents[2] / "fixtures/media/sample.mp4"


def test_the_sample_is_small() -> None:
    assert SAMPLE.stat().st_size < 100_000


@pytest.mark.parametrize("offset", [0, 1, 99, 100, 101, 950, 1000, 2345, 3899, 3900, 3999])
def test_the_frame_is_the_one_shown_at_the_offset(offset: int) -> None:
    assert number_of(frame(SAMPLE, offset)) == offset // 100


def test_at_the_very_end_the_last_frame_is_shown() -> None:
    assert number_of(frame(SAMPLE, 4000)) == FRAMES - 1


def test_an_offset_beyond_the_end_is_refused() -> None:
    with pytest.raises(InvalidTimeOffset, match=r"4001 ms is beyond the end .* 4\.000 s"):
        frame(SAMPLE, 4001)


def test_probing_finds_size_duration_and_rotation() -> None:
    assert probe(SAMPLE) == Video(WIDTH, HEIGHT, 4.0, 0)


# --- turned ones

TURNED: list[tuple[int, bool, int, Callable[[Image.Image], Image.Image]]] = [
    (90, False, 90, lambda image: image.rotate(90, expand=True)),
    (180, False, 180, lambda image: image.rotate(180)),
    (270, False, 270, lambda image: image.rotate(270, expand=True)),
    (0, True, 0, lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)),
    (90, True, 90, lambda image: image.rotate(90, expand=True).transpose(Image.Transpose.FLIP_LEFT_RIGHT)),
    (180, True, 0, lambda image: image.transpose(Image.Transpose.FLIP_TOP_BOTTOM)),
    (270, True, 270, lambda image: image.rotate(270, expand=True).transpose(Image.Transpose.FLIP_LEFT_RIGHT)),
]


@pytest.mark.parametrize(("turned", "mirrored", "rotation", "shown"), TURNED)
def test_a_frame_is_turned_as_the_display_matrix_says(
    tmp_path: Path, turned: int, mirrored: bool, rotation: int, shown: Callable[[Image.Image], Image.Image]
) -> None:
    make(tmp_path / "turned.mp4", turned=turned, mirrored=mirrored, frames=6)
    expected = shown(drawn(5))
    found = frame(tmp_path / "turned.mp4", 500)
    assert found.size == expected.size
    apart = [
        abs(one - other)
        for one, other in zip(
            found.convert("L").resize((40, 40)).tobytes(), expected.convert("L").resize((40, 40)).tobytes(), strict=True
        )
    ]
    assert sum(apart) / len(apart) < 6
    assert probe(tmp_path / "turned.mp4") == Video(*expected.size, 0.6, rotation)


def test_the_pixels_of_a_frame_are_made_square(tmp_path: Path) -> None:
    import av

    path = tmp_path / "wide.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)
        container.mux(stream.encode(av.VideoFrame.from_image(drawn(5))))  # type: ignore[no-untyped-call]
        container.mux(stream.encode())
    assert frame(path, 0).size == (427, HEIGHT)
    assert number_of(frame(path, 0)) == 5


# --- ones that are none


def test_a_file_that_is_no_video_is_malformed(tmp_path: Path) -> None:
    for name, content in {
        "noise.mp4": bytes(range(256)) * 64,
        "empty.mp4": b"",
        "notes.txt": b"no video at all\n" * 50,
        "cut.mp4": SAMPLE.read_bytes()[:9000],
    }.items():
        path = tmp_path / name
        path.write_bytes(content)
        for look in (probe, lambda path: frame(path, 1000)):
            with pytest.raises(ContentMalformed, match=name):
                look(path)


def test_a_playlist_leads_to_no_other_file(tmp_path: Path) -> None:
    shutil.copy(SAMPLE, tmp_path / "other.mp4")
    path = tmp_path / "list.mp4"
    path.write_bytes(b"ffconcat version 1.0\nfile other.mp4\n")
    with pytest.raises(VideoError):
        frame(path, 0)


def silence(folder: Path) -> Path:
    """A sound file of a second."""
    path = folder / "sound.wav"
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(16_000))
    return path


def test_an_audio_file_has_no_video(tmp_path: Path) -> None:
    path = silence(tmp_path)
    with pytest.raises(NoVideoMedia, match="has no video stream"):
        probe(path)


def test_a_title_that_is_not_utf_8_does_no_harm(tmp_path: Path) -> None:
    path = silence(tmp_path)
    title = b"INFOINAM" + (4).to_bytes(4, "little") + b"\xd2\xff\xd2\x00"
    chunk = b"LIST" + len(title).to_bytes(4, "little") + title
    content = path.read_bytes() + chunk
    path.write_bytes(content[:4] + (len(content) - 8).to_bytes(4, "little") + content[8:])
    with pytest.raises(NoVideoMedia):
        probe(path)


def test_a_file_that_cannot_be_opened_is_not_accessible(tmp_path: Path) -> None:
    with pytest.raises(DownloadNotAccessible, match="cannot be opened"):
        frame(tmp_path / "missing.mp4", 0)
    assert inspect(tmp_path / "missing.mp4").video is None


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path, tmp_path / "fifo", Path("/dev/zero"), Path("a\0b")):
        with pytest.raises(UnsupportedVideo):
            frame(path, 0)
        assert isinstance(inspect(path).error, UnsupportedVideo)


def test_frames_of_too_many_pixels_are_not_decoded(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    Image.new("1", (8000, 6000)).save(path)
    with pytest.raises(UnsupportedVideo, match="more than 40,000,000 pixels"):
        probe(path)


def test_reading_ends_when_it_is_stopped() -> None:
    stop = Event()
    assert inspect(SAMPLE, stop).error is None
    stop.set()
    with pytest.raises(ContentMalformed):
        frame(SAMPLE, 3000, stop)


def test_a_stream_of_unknown_length_ends_with_its_last_frame(tmp_path: Path) -> None:
    import av

    path = tmp_path / "bare.h264"
    with av.open(str(path), "w", format="h264") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(5):
            picture = av.VideoFrame.from_image(drawn(number))  # type: ignore[no-untyped-call]
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    assert probe(path).duration == inf
    assert number_of(frame(path, 0)) == 0
    with pytest.raises(InvalidTimeOffset):
        frame(path, 60_000)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ContentMalformed, "SourceFileError.ContentMalformed"),
        (NoVideoMedia, "SourceFileError.NoVideoMedia"),
        (DownloadNotAccessible, "SourceFileError.DownloadNotAccessible"),
        (InvalidTimeOffset, "InvalidInput.InvalidTimeOffset"),
    ],
)
def test_every_error_has_the_vendors_code(error: type[VideoError], code: str) -> None:
    assert error.err_code_ext == code


def test_without_the_extra_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ExtraMissing, match=r"pip install 'mockvod\[video\]'"):
        frame(SAMPLE, 0)
