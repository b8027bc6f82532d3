"""Frames of a video file, and what is known about it. Needs the extra `video`, imported with the first file."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple, cast

if TYPE_CHECKING:
    import av
    from av.container import InputContainer
    from av.sidedata.sidedata import SideData
    from av.video.stream import VideoStream
    from PIL import Image

# Where the two axes of a stored frame go on the screen -> what Pillow calls that, and degrees counterclockwise.
# The numbers are the first four of a display matrix (a, b, c, d of ISO 14496-12): x' = ax + cy, y' = bx + dy, y down.
TURNS: Final[dict[tuple[int, int, int, int], tuple[str, int]]] = {
    (0, -1, 1, 0): ("ROTATE_90", 90),
    (-1, 0, 0, -1): ("ROTATE_180", 180),
    (0, 1, -1, 0): ("ROTATE_270", 270),
    (-1, 0, 0, 1): ("FLIP_LEFT_RIGHT", 0),
    (1, 0, 0, -1): ("FLIP_TOP_BOTTOM", 0),
    (0, 1, 1, 0): ("TRANSPOSE", 270),
    (0, -1, -1, 0): ("TRANSVERSE", 90),
}


class VideoError(Exception):
    """There is no such frame; *err_code_ext* is the vendor's word for the reason (266/50368)."""

    err_code_ext: ClassVar[str]


class ContentMalformed(VideoError):
    err_code_ext = "SourceFileError.ContentMalformed"


class NoVideoMedia(VideoError):
    err_code_ext = "SourceFileError.NoVideoMedia"


class DownloadNotAccessible(VideoError):
    err_code_ext = "SourceFileError.DownloadNotAccessible"


class InvalidTimeOffset(VideoError):
    err_code_ext = "InvalidInput.InvalidTimeOffset"


class VideoExtraMissing(Exception):
    """PyAV is not installed; the message says how to install it."""


class Video(NamedTuple):
    """A video as it is shown: size in px after turning, duration in seconds (`inf` where the file does not tell)."""

    width: int
    height: int
    duration: float
    rotation: int
    """Degrees counterclockwise by which its frames are turned to be shown: 0, 90, 180 or 270."""


def probe(path: Path) -> Video:
    """Look at the video file at *path* and at its first frame. Raises VideoError and VideoExtraMissing."""
    with _opened(path) as (container, stream):
        for found in container.decode(stream):
            image, rotation = _as_shown(found, stream)
            return Video(image.width, image.height, _duration(container, stream), rotation)
        raise ContentMalformed(f"{path} has a video stream without a frame")


def frame(path: Path, offset: int) -> "Image.Image":
    """What the video at *path* shows at *offset* milliseconds, turned as its display matrix says, as RGB.

    At the very end that is its last frame. Raises VideoError and VideoExtraMissing.
    """
    with _opened(path) as (container, stream):
        end = _duration(container, stream)
        if offset / 1000 > end:
            raise _beyond(path, offset, end)
        # A bare stream carries no times: it is read from its beginning, and its frames are counted.
        started = _started(stream)
        at = (started or 0.0) + offset / 1000 + 0.0005  # the frame that begins within this millisecond has begun
        if offset and started is not None:
            container.seek(int(at * 1_000_000), backward=True)
        shown, since = None, 0.0
        for number, found in enumerate(container.decode(stream)):
            begins = number / _rate(stream) if found.pts is None else found.time
            if shown is not None and begins > at:
                break
            shown, since = found, begins
        else:
            if end == inf:
                end = since - (started or 0.0) + 1 / _rate(stream)
            if offset / 1000 > end:
                raise _beyond(path, offset, end)
        if shown is None:
            raise ContentMalformed(f"{path} has no frame at {offset} ms")
        return _as_shown(shown, stream)[0]


@contextmanager
def _opened(path: Path) -> Iterator[tuple["InputContainer", "VideoStream"]]:
    """The file and its video stream; what goes wrong with them in the block becomes a VideoError."""
    try:
        import av
    except ImportError:
        raise VideoExtraMissing(
            f"the frames of {path} need PyAV, which is not installed: pip install 'mockvod[video]'"
        ) from None
    try:
        file = path.open("rb")
    except OSError as error:
        raise DownloadNotAccessible(f"{path} cannot be opened: {error.strerror or error}") from None
    try:
        # A Python file, and no protocol: a playlist that poses as a video reaches neither the network nor other files.
        with file, av.open(file, "r", options={"protocol_whitelist": "none"}) as container:
            if container.format.name == "tty":
                raise ContentMalformed(f"{path} is a text, not a video")
            streams = [one for one in container.streams.video if not one.disposition & _cover()]
            if not streams:
                raise NoVideoMedia(f"{path} has no video stream")
            yield container, streams[0]
    except (av.error.FFmpegError, OSError) as error:
        raise ContentMalformed(f"{path} cannot be read as a video: {error.strerror or error}") from None


def _cover() -> int:
    """The mark of a picture that is attached to a sound file."""
    from av.stream import Disposition

    return Disposition.attached_pic


def _duration(container: "InputContainer", stream: "VideoStream") -> float:
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return inf if container.duration is None else container.duration / 1_000_000


def _started(stream: "VideoStream") -> float | None:
    """The time of its first frame in seconds; None where it carries no times."""
    if stream.start_time is None or stream.time_base is None:
        return None
    return float(stream.start_time * stream.time_base)


def _rate(stream: "VideoStream") -> float:
    """Frames per second; 25 where nothing says so, as FFmpeg has it."""
    return float(stream.average_rate or stream.guessed_rate or 25)


def _beyond(path: Path, offset: int, end: float) -> InvalidTimeOffset:
    return InvalidTimeOffset(f"{offset} ms is beyond the end of {path}, which lasts {end:.3f} s")


def _as_shown(found: "av.VideoFrame", stream: "VideoStream") -> tuple["Image.Image", int]:
    from PIL import Image

    image: Image.Image = found.to_image()  # type: ignore[no-untyped-call]  # PyAV's
    shape = stream.sample_aspect_ratio
    if shape and shape != 1:
        image = image.resize((max(1, round(image.width * shape)), image.height), Image.Resampling.BICUBIC)
    matrix = cast("SideData | None", found.side_data.get("DISPLAYMATRIX"))
    if matrix is None:
        return image, 0
    a, b, _, c, d = struct.unpack_from("=5i", bytes(matrix))
    right = (round(a / 65536), round(b / 65536), round(c / 65536), round(d / 65536))
    if right not in TURNS:
        return image, 0
    name, degrees = TURNS[right]
    return image.transpose(Image.Transpose[name]), degrees
