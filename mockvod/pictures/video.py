"""Frames of a video file, and what is known about it. Needs the extra `video`.

Reading a file takes up to seconds, and importing PyAV too: call these functions in a thread.
"""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from math import inf
from pathlib import Path
from stat import S_ISREG
from threading import Event
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, cast

from mockvod.extras import ExtraMissing

if TYPE_CHECKING:
    import av
    from av.container import InputContainer
    from av.sidedata.sidedata import SideData
    from av.video.stream import VideoStream
    from PIL import Image

PIXELS_MOST: Final = 40_000_000  # of a frame: 8K has 33 million

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
    """There is no such frame. *err_code_ext* is the vendor's code for the reason (266/50368)."""

    err_code_ext: ClassVar[str]


class ContentMalformed(VideoError):
    err_code_ext = "SourceFileError.ContentMalformed"


class NoVideoMedia(VideoError):
    err_code_ext = "SourceFileError.NoVideoMedia"


class DownloadNotAccessible(VideoError):
    err_code_ext = "SourceFileError.DownloadNotAccessible"


class UnsupportedVideo(ContentMalformed):
    """Not a regular file, or larger frames than mockvod reads."""


class InvalidTimeOffset(VideoError):
    err_code_ext = "InvalidInput.InvalidTimeOffset"


class Video(NamedTuple):
    """A video: size in px after rotation, duration in seconds (`inf` if the file does not say)."""

    width: int
    height: int
    duration: float
    rotation: int
    """Degrees counterclockwise by which its frames are rotated to be shown: 0, 90, 180 or 270."""


class Inspection(NamedTuple):
    """What is known of a file: its video, or the reason why it cannot be read as one."""

    video: Video | None = None
    size: int = 0
    """Bytes."""
    error: VideoError | ExtraMissing | None = None


def inspect(path: Path, stop: Event | None = None) -> Inspection:
    """Read the video file at *path* as far as its first frame."""
    try:
        return Inspection(probe(path, stop), path.stat().st_size)
    except (VideoError, ExtraMissing) as error:
        return Inspection(error=error)


def probe(path: Path, stop: Event | None = None) -> Video:
    """Size, duration and rotation of the video file at *path*. Raises VideoError and ExtraMissing."""
    with opened(path, stop) as (container, stream):
        for found in container.decode(stream):
            image, rotation = _as_shown(found, stream)
            return Video(image.width, image.height, _duration(container, stream), rotation)
        raise ContentMalformed(f"{path} has a video stream without a frame")


def frame(path: Path, offset: int, stop: Event | None = None) -> "Image.Image":
    """The frame that the video at *path* shows at *offset* milliseconds, rotated by its display matrix, as RGB.

    At the very end that is its last frame. Raises VideoError and ExtraMissing.
    """
    with opened(path, stop) as (container, stream):
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
            if stop is not None and stop.is_set():
                raise ContentMalformed(f"{path} takes too long to read")
        else:
            if end == inf:
                end = since - (started or 0.0) + 1 / _rate(stream)
            if offset / 1000 > end:
                raise _beyond(path, offset, end)
        if shown is None:
            raise ContentMalformed(f"{path} has no frame at {offset} ms")
        return _as_shown(shown, stream)[0]


class _File(FileIO):
    """A file whose reading fails once *stop* is set."""

    def __init__(self, path: Path, stop: Event | None) -> None:
        super().__init__(path)
        self._stop = stop

    def read(self, size: int | None = -1) -> bytes:
        if self._stop is not None and self._stop.is_set():
            raise OSError("takes too long to read")
        return super().read(size)


def _open(path: Path, stop: Event | None) -> _File:
    try:
        if not S_ISREG(path.stat().st_mode):  # opening a FIFO or a device may block
            raise UnsupportedVideo(f"{path} is not a regular file")
        return _File(path, stop)
    except OSError as error:
        raise DownloadNotAccessible(f"{path} cannot be opened: {error.strerror or error}") from None
    except ValueError as error:  # a NUL byte
        raise UnsupportedVideo(f"{str(path)!r} is not a path: {error}") from None


@contextmanager
def opened(path: Path, stop: Event | None) -> Iterator[tuple["InputContainer", "VideoStream"]]:
    """The file and its video stream. What fails within the block is raised as a VideoError."""
    try:
        import av
    except ImportError:
        raise ExtraMissing(f"the frames of {path}", "PyAV", "video") from None
    limit = {"max_pixels": str(PIXELS_MOST)}
    # A title that is not UTF-8 is an error to PyAV 18, but not to PyAV 19, which has no such argument.
    tolerant: Any = {"metadata_errors": "replace"} if av.__version__.startswith("18.") else {}
    try:
        # A Python file and no protocol: a playlist named as a video reaches neither the network nor other files.
        with (
            _open(path, stop) as file,
            av.open(file, "r", options={"protocol_whitelist": "none", **limit}, **tolerant) as container,
        ):
            if container.format.name == "tty":
                raise ContentMalformed(f"{path} is a text, not a video")
            streams = [one for one in container.streams.video if not one.disposition & _cover()]
            if not streams:
                raise NoVideoMedia(f"{path} has no video stream")
            stream = streams[0]
            if not 0 < stream.width * stream.height <= PIXELS_MOST:  # 0: FFmpeg has not decoded the first frame
                raise UnsupportedVideo(f"{path} is broken, or its frames have more than {PIXELS_MOST:,} pixels")
            stream.codec_context.options = limit
            yield container, stream
    except (av.error.FFmpegError, OSError) as error:
        raise ContentMalformed(f"{path} cannot be read as a video: {error.strerror or error}") from None


def _cover() -> int:
    """The flag of a picture that is attached to a sound file."""
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
    """Frames per second; 25 by default, as in FFmpeg."""
    return float(stream.average_rate or stream.guessed_rate or 25)


def _beyond(path: Path, offset: int, end: float) -> InvalidTimeOffset:
    return InvalidTimeOffset(f"{offset} ms is beyond the end of {path}, which lasts {end:.3f} s")


def _as_shown(found: "av.VideoFrame", stream: "VideoStream") -> tuple["Image.Image", int]:
    from PIL import Image

    image: Image.Image = found.to_image()  # type: ignore[no-untyped-call]  # PyAV's
    shape = stream.sample_aspect_ratio
    if shape and shape != 1:
        width = max(1, round(image.width * shape))
        if width * image.height > PIXELS_MOST:
            raise UnsupportedVideo(f"the frames have pixels of {shape.numerator}:{shape.denominator}")
        image = image.resize((width, image.height), Image.Resampling.BICUBIC)
    matrix = cast("SideData | None", found.side_data.get("DISPLAYMATRIX"))
    if matrix is None:
        return image, 0
    a, b, _, c, d = struct.unpack_from("=5i", bytes(matrix))
    right = (round(a / 65536), round(b / 65536), round(c / 65536), round(d / 65536))
    if right not in TURNS:
        return image, 0
    name, degrees = TURNS[right]
    return image.transpose(Image.Transpose[name]), degrees
