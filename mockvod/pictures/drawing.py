"""The picture at a time offset: a landscape drawn for the file, or the frame of its video where it has one."""

from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from math import inf, sqrt
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Final, Literal

from mockvod.extras import ExtraMissing
from mockvod.pictures.scenery import Size, landscape

if TYPE_CHECKING:
    from PIL import Image, ImageFont

Fill = Literal["stretch", "black", "white", "gauss"]
Format = Literal["jpg", "png", "webp"]

CONTENT_TYPES: Final[dict[Format, str]] = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}

LEAST_SIDE: Final = 16
MOST_SIDE: Final = 4096  # px, the most that a template may have
MOST_PIXELS: Final = 4096 * 2304


@dataclass(frozen=True, slots=True)
class Look:
    """What a template makes of a frame (SnapshotByTimeOffsetTemplate).

    A side of 0 px follows the source. *fill* applies if the two ratios differ. *resolution_adaptive*
    makes the width the long side and the height the short one, so that a portrait source stays upright.
    """

    width: int = 0
    height: int = 0
    fill: Fill = "stretch"
    format: Format = "jpg"
    resolution_adaptive: bool = True


@dataclass(frozen=True, slots=True)
class Source:
    """The media a picture is of: its size in px, its duration in seconds, its video file if it has one."""

    file_id: str
    name: str = ""
    width: int = 1280
    height: int = 720
    duration: float = inf
    video: Path | None = None


def picture(source: Source, look: Look, definition: int, offset: int, stop: Event | None = None) -> bytes:
    """The encoded picture of *source* at *offset* milliseconds: the same bytes for the same arguments.

    A drawn picture has its file, offset and definition written on it. That of a video file is the frame itself, in the
    size of the video rather than of *source*; reading the video ends when *stop* is set. Raises what `video.frame`
    raises, and ExtraMissing.
    """
    return encoded(drawn(source, look, definition, offset, stop), look.format)


def drawn(source: Source, look: Look, definition: int, offset: int, stop: Event | None = None) -> "Image.Image":
    """As `picture`, but not encoded."""
    require_pillow()
    if source.video is not None:
        from mockvod.pictures.video import frame

        image = frame(source.video, offset, stop)
        return fitted(image, size_of(look, image.size), look.fill)
    ratio = (source.width, source.height)
    size = size_of(look, ratio)
    image = landscape(source.file_id, offset / 1000, contained(ratio, size))
    image = fitted(image, size, look.fill)
    _write_on(image, _caption(source, look, definition, offset, size))
    return image


def require_pillow() -> None:
    """Raise ExtraMissing if Pillow, an optional dependency, is not installed."""
    try:
        import PIL  # noqa: F401
    except ImportError:
        raise ExtraMissing("pictures", "Pillow", "pictures") from None


def time_code(offset: int) -> str:
    """*offset* in milliseconds as hours, minutes, seconds: `00:00:10.000`."""
    seconds, thousandths = divmod(offset, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{thousandths:03}"


def size_of(look: Look, source: Size) -> Size:
    """Width and height in px of the picture that *look* makes of a *source* of that size.

    As documented for Width, Height and ResolutionAdaptive of a template, within the bounds of this module: what
    would be larger is made smaller in both directions.
    """
    wanted, (width, height) = (look.width, look.height), (max(1, source[0]), max(1, source[1]))
    if look.resolution_adaptive and height > width:
        wanted = (look.height, look.width)
    match wanted:
        case (0, 0):
            across, down = float(width), float(height)
        case (0, down):
            across = down * width / height
        case (across, 0):
            down = across * height / width
        case (across, down):
            pass
    scale = min(1.0, MOST_SIDE / max(across, down), sqrt(MOST_PIXELS / (across * down)))
    return max(LEAST_SIDE, round(across * scale)), max(LEAST_SIDE, round(down * scale))


def contained(inner: Size, outer: Size) -> Size:
    """The largest size of the ratio of *inner* that fits into *outer*; differences of a rounded pixel do not count."""
    scale = min(outer[0] / inner[0], outer[1] / inner[1])
    width, height = (max(1, round(side * scale)) for side in inner)
    return outer[0] if abs(outer[0] - width) <= 1 else width, outer[1] if abs(outer[1] - height) <= 1 else height


def fitted(image: "Image.Image", size: Size, fill: Fill) -> "Image.Image":
    """*image* in a picture of *size*, the rest filled by *fill*."""
    from PIL import Image, ImageFilter, ImageOps

    inner = contained(image.size, size)
    if fill == "stretch" or inner == size:
        return _resized(image, size)
    if fill == "gauss":
        # Blurred small and then enlarged: it is soft either way, and a large blur is slow.
        small = (max(1, size[0] // 8), max(1, size[1] // 8))
        middle = ImageOps.fit(image, small, Image.Resampling.BILINEAR)
        canvas = _resized(middle.filter(ImageFilter.GaussianBlur(max(2, max(small) / 30))), size)
    else:
        canvas = Image.new("RGB", size, fill)
    canvas.paste(_resized(image, inner), ((size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2))
    return canvas


def encoded(image: "Image.Image", kind: Format) -> bytes:
    buffer = BytesIO()
    match kind:
        case "jpg":
            image.save(buffer, "JPEG", quality=88)
        case "png":
            image.save(buffer, "PNG", compress_level=3)
        case "webp":
            image.save(buffer, "WEBP", quality=84, method=2)
    return buffer.getvalue()


def _resized(image: "Image.Image", size: Size) -> "Image.Image":
    from PIL import Image

    return image if image.size == size else image.resize(size, Image.Resampling.BICUBIC)


# --- what is written on a drawn picture


def _caption(source: Source, look: Look, definition: int, offset: int, size: Size) -> list[str]:
    """Most important first: of a small picture the rest is left out."""
    lines = [time_code(offset), _readable(source.file_id)]
    if source.name and source.name.isascii() and source.name.isprintable():
        lines.append(source.name)
    return [*lines, f"definition {definition}  ·  {size[0]} x {size[1]} {look.format}"]


def _readable(text: str) -> str:
    """*text* in the letters that Pillow's own font has."""
    return text.encode("unicode_escape").decode()


def _write_on(image: "Image.Image", lines: list[str]) -> None:
    """Put *lines* on a dark panel at the lower left, the first of them large."""
    from PIL import Image, ImageDraw

    width, height = image.size
    unit = min(height, width * 0.75) / 24  # the height of a small line
    margin = unit * 0.9
    room = width - 4 * margin
    written: list[tuple[str, ImageFont.FreeTypeFont, float]] = []
    used = margin
    for line in lines:
        large = not written
        text, font = _fitting(line, unit * (2.1 if large else 1.0), room)
        advance = font.size * (1.25 if large else 1.4)
        if written and used + advance > height - 3 * margin:
            break
        written.append((text, font, used))
        used += advance
    panel = (
        round(margin),
        round(height - margin - used - 0.7 * margin),
        round(min(width - margin, 3 * margin + max(font.getlength(text) for text, font, _ in written))),
        round(height - margin),
    )
    mask = Image.new("L", (panel[2] - panel[0], panel[3] - panel[1]))
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, mask.width - 1, mask.height - 1), radius=unit * 0.6, fill=118)
    image.paste((8, 12, 22), panel, mask)
    draw = ImageDraw.Draw(image)
    for place, (text, font, y) in enumerate(written):
        colour = (255, 255, 255) if place == 0 else (226, 230, 238)
        draw.text((panel[0] + margin, panel[1] + y), text, colour, font, anchor="la")


def _fitting(text: str, size: float, room: float) -> tuple[str, "ImageFont.FreeTypeFont"]:
    """*text* and a font that together are at most *room* px wide: first smaller letters, then fewer."""
    font = _font(max(7, round(size)))
    if (width := font.getlength(text)) > room:
        font = _font(max(7, int(font.size * room / width)))
    if font.getlength(text) > room:
        length = bisect_left(range(1, len(text)), True, key=lambda end: font.getlength(text[:end] + "…") > room)
        text = text[:length] + "…"
    return text, font


@lru_cache(8)  # each has about 400 KB
def _font(size: int) -> "ImageFont.FreeTypeFont":
    from PIL import ImageFont

    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise TypeError("this Pillow was built without FreeType, which writes on the pictures")
    return font
