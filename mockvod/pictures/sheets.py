"""Several pictures in one file: a sheet of small ones, or an animation."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from math import sqrt
from threading import Event
from typing import TYPE_CHECKING, Final, Literal

from mockvod.pictures.drawing import Look, Source, drawn, encoded, require_pillow, size_of

if TYPE_CHECKING:
    from PIL import Image

MAX_SHEET_PIXELS: Final = 16_000_000
"""Most pixels of a sheet: drawing one takes several times three bytes for each."""
MAX_SHEET_SIDE: Final = 15_000
MAX_FRAMES: Final = 40
MAX_ANIMATION_SIDE: Final = 480


@dataclass(frozen=True, slots=True)
class Sheet:
    """Pictures of *source* at the *offsets* (milliseconds), row by row."""

    source: Source
    look: Look
    definition: int
    offsets: tuple[int, ...]
    columns: int
    rows: int


@dataclass(frozen=True, slots=True)
class Animation:
    """Pictures of *source* from *begin* to *end* (seconds), *fps* in a second."""

    source: Source
    look: Look
    definition: int
    begin: float
    end: float
    fps: int
    format: Literal["gif", "webp"]


def fitting(size: tuple[int, int], columns: int, rows: int) -> tuple[int, int]:
    """The size in px of the pictures on a sheet: *size*, or smaller if the sheet would be too large."""
    width, height = size
    scale = min(
        1.0,
        sqrt(MAX_SHEET_PIXELS / (columns * rows * width * height)),
        MAX_SHEET_SIDE / (columns * width),
        MAX_SHEET_SIDE / (rows * height),
    )
    return max(1, int(width * scale)), max(1, int(height * scale))


def sheet(what: Sheet, stop: Event) -> bytes:
    """The encoded sheet. It ends early, with the rest black, when *stop* is set."""
    require_pillow()
    from PIL import Image

    width, height = size_of(what.look, (what.source.width, what.source.height))
    canvas = Image.new("RGB", (what.columns * width, what.rows * height))
    for place, offset in enumerate(what.offsets[: what.columns * what.rows]):
        if stop.is_set():
            break
        small = drawn(what.source, what.look, what.definition, offset, stop)
        canvas.paste(small, (place % what.columns * width, place // what.columns * height))
    return encoded(canvas, what.look.format)


def animation(what: Animation, stop: Event) -> bytes:
    """The encoded animation, with a smaller size and fewer frames than requested if it would be large."""
    offsets = frame_offsets(what)
    width, height = size_of(what.look, (what.source.width, what.source.height))
    scale = min(1.0, MAX_ANIMATION_SIDE / max(width, height))
    look = replace(what.look, width=round(width * scale), height=round(height * scale), resolution_adaptive=False)
    frames: list[Image.Image] = []
    for offset in offsets:
        if stop.is_set() and frames:
            break
        frames.append(drawn(what.source, look, what.definition, offset, stop))
    buffer = BytesIO()
    step = round((what.end - what.begin) * 1000 / len(offsets))
    first, *others = frames
    first.save(buffer, what.format.upper(), save_all=True, append_images=others, duration=step, loop=0)
    return buffer.getvalue()


def frame_offsets(what: Animation) -> Sequence[int]:
    """The milliseconds of its frames."""
    count = max(1, min(MAX_FRAMES, round((what.end - what.begin) * what.fps)))
    step = (what.end - what.begin) * 1000 / count
    return [round(what.begin * 1000 + number * step) for number in range(count)]
