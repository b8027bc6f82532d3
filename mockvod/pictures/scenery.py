"""A drawn landscape, which differs for every file and changes with the time offset."""

from dataclasses import dataclass
from math import floor, pi, sin
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from PIL import Image

Colour = tuple[int, int, int]
Size = tuple[int, int]


class Palette(NamedTuple):
    """The colours of an hour of the day, from the top of the sky to the nearest ground."""

    zenith: Colour
    horizon: Colour
    sun: Colour
    far: Colour
    near: Colour


HOURS: Final = (
    Palette((38, 76, 138), (250, 206, 160), (255, 240, 205), (150, 150, 178), (20, 42, 60)),
    Palette((50, 128, 200), (204, 232, 244), (255, 252, 228), (126, 168, 190), (18, 66, 62)),
    Palette((28, 98, 120), (240, 228, 190), (255, 246, 210), (140, 170, 160), (24, 54, 44)),
    Palette((72, 58, 128), (248, 166, 132), (255, 226, 176), (158, 116, 146), (40, 26, 58)),
    Palette((122, 48, 92), (255, 178, 102), (255, 232, 170), (196, 112, 104), (54, 22, 40)),
    Palette((30, 36, 88), (232, 140, 160), (255, 214, 206), (122, 96, 148), (22, 20, 50)),
    Palette((10, 18, 48), (74, 108, 158), (236, 240, 255), (50, 74, 118), (6, 12, 28)),
    Palette((14, 44, 64), (122, 190, 176), (240, 255, 238), (66, 122, 128), (8, 28, 36)),
)
HOUR: Final = 60.0  # seconds of the video from one palette to the next
ARC: Final = 240.0  # seconds of the video that the sun takes across the picture

RIDGES: Final = 5
STEPS: Final = 320  # points of a ridge's outline
TREES: Final = 30.0  # per picture height
CLEARING: Final = 0.3  # the share of them that is missing


@dataclass(frozen=True, slots=True)
class _Ridge:
    """One line of hills. Lengths are in picture heights, so that a hill keeps its shape in every format."""

    level: float
    height: float
    waves: tuple[tuple[float, float, float], ...]
    """Of each: how many per picture height, where it begins, how much of the hills' height it makes."""
    speed: float
    """Picture heights per second of the video: the nearer, the faster."""

    def top(self, x: float) -> float:
        return self.level - self.height * sum(
            share * sin(2 * pi * (count * x + begin)) for count, begin, share in self.waves
        )


def landscape(file_id: str, seconds: float, size: Size) -> "Image.Image":
    """The landscape of *file_id* at *seconds*, as RGB of *size*: the same for the same arguments."""
    dice = Random(file_id)
    palette = _palette(dice.randrange(len(HOURS)) + dice.random() + seconds / HOUR)
    phase = (dice.uniform(0.2, 0.8) + seconds / ARC) % 1
    clouds = [(dice.uniform(0, 2.6), dice.uniform(0.06, 0.34), dice.uniform(0.10, 0.26)) for _ in range(5)]
    ridges = [_ridge(dice, place) for place in range(RIDGES)]
    trees = [dice.random() for _ in range(61)]

    image = _gradient([palette.zenith, _mix(palette.zenith, palette.horizon, 0.55), palette.horizon], size, 0.62)
    _draw_sun(image, palette, phase)
    _draw_clouds(image, palette, clouds, seconds)
    for place, ridge in enumerate(ridges):
        nearness = place / (RIDGES - 1)
        top = _mix(palette.far, palette.near, nearness**0.85)
        foot = _mix(top, palette.horizon, 0.42 * (1 - nearness))  # mist lies in the valleys between
        _draw_ridge(image, ridge, seconds * ridge.speed, top, foot, trees if place >= RIDGES - 2 else None)
    return image


def _ridge(dice: Random, place: int) -> _Ridge:
    pointed = 1 - place / RIDGES
    waves = (
        (dice.uniform(0.35, 0.6), dice.random(), 0.55),
        (dice.uniform(0.9, 1.5), dice.random(), 0.30),
        (dice.uniform(2.5, 4.0), dice.random(), 0.11 * pointed),
        (dice.uniform(6.0, 9.0), dice.random(), 0.04 * pointed),
    )
    return _Ridge(0.50 + 0.105 * place, 0.13 - 0.016 * place, waves, 0.003 + 0.005 * place**1.5)


def _palette(hour: float) -> Palette:
    before, share = floor(hour), hour % 1
    pair = zip(HOURS[before % len(HOURS)], HOURS[(before + 1) % len(HOURS)], strict=True)
    return Palette(*(_mix(one, other, share) for one, other in pair))


def _mix(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _gradient(colours: list[Colour], size: Size, reach: float = 1.0) -> "Image.Image":
    """Top to bottom through *colours*, the last of them from *reach* of the height on."""
    from PIL import Image

    steps = min(size[1], 200)
    column = bytearray()
    for y in range(steps):
        place = min(y / (steps * reach), 1.0) * (len(colours) - 1)
        start = min(int(place), len(colours) - 2)
        column += bytes(_mix(colours[start], colours[start + 1], place - start))
    return Image.frombytes("RGB", (1, steps), bytes(column)).resize(size, Image.Resampling.BILINEAR)


def _draw_sun(image: "Image.Image", palette: Palette, phase: float) -> None:
    from PIL import Image, ImageDraw

    width, height = image.size
    x, y = (-0.1 + 1.2 * phase) * width, (0.46 - 0.28 * sin(pi * phase)) * height
    strength = 0.75 * sin(pi * phase)
    reach = max(2, round(0.75 * height))
    # Pillow's gradient is 180 in the middle of its edges and 255 only in the corners.
    fading = [round(255 * strength * max(0.0, 1 - v / 180) ** 2) for v in range(256)]
    glow = Image.radial_gradient("L").point(fading)
    glow = glow.resize((2 * reach, 2 * reach), Image.Resampling.BILINEAR)
    image.paste(palette.sun, (round(x) - reach, round(y) - reach), glow)
    radius = max(1, round(0.065 * height))
    disc = Image.new("L", (8 * radius + 8, 8 * radius + 8))
    ImageDraw.Draw(disc).ellipse((4, 4, 8 * radius + 3, 8 * radius + 3), fill=255)
    image.paste(palette.sun, (round(x) - radius - 1, round(y) - radius - 1), disc.reduce(4))


def _draw_clouds(
    image: "Image.Image", palette: Palette, clouds: list[tuple[float, float, float]], seconds: float
) -> None:
    from PIL import Image, ImageDraw, ImageFilter

    width, height = image.size
    sky = min(height, round(0.55 * height) + 1)
    down = max(2, min(90, 90 * 4 * height // width))  # the clouds are soft: a few points are enough
    across, shown = max(1, width * down // height), max(1, down * sky // height)
    mask = Image.new("L", (across, shown))
    draw = ImageDraw.Draw(mask)
    for start, level, length in clouds:
        x = (start + 0.012 * seconds * (0.5 + length)) % 2.6 - 0.4
        for shift, rise, part in ((0.0, 0.0, 1.0), (-0.25, 0.012, 0.7), (0.3, 0.016, 0.6), (0.1, -0.02, 0.45)):
            half, thick = length * part * down, 0.1 * length * (0.6 + part) * down
            middle, centre = (x + shift * length * 2) * down, (level + rise) * down
            draw.ellipse((middle - half, centre - thick, middle + half, centre + thick), fill=150)
    mask = mask.filter(ImageFilter.GaussianBlur(2.2)).resize((width, sky), Image.Resampling.BICUBIC)
    image.paste(_mix(palette.horizon, (255, 255, 255), 0.45), (0, 0), mask)


def _draw_ridge(
    image: "Image.Image", ridge: _Ridge, passed: float, top: Colour, foot: Colour, trees: list[float] | None
) -> None:
    from PIL import Image, ImageDraw

    width, height = image.size
    outline = [
        (x / height, ridge.top(x / height + passed)) for x in (width * step / STEPS for step in range(-1, STEPS + 2))
    ]
    shapes = [[(-1.0, 2.0), *outline, (width / height + 1, 2.0)]]
    if trees is not None:
        shapes += _firs(ridge, passed, width / height, trees)
    highest = max(0, floor(min(y for shape in shapes for _, y in shape) * height))
    band = max(1, height - highest)
    # Twice the size and back: Pillow's polygons have hard edges.
    mask = Image.new("L", (2 * width, 2 * band))
    draw = ImageDraw.Draw(mask)
    for shape in shapes:
        draw.polygon([(2 * x * height, 2 * (y * height - highest)) for x, y in shape], fill=255)
    image.paste(_gradient([top, foot], (width, band)), (0, highest), mask.reduce(2))


def _firs(ridge: _Ridge, passed: float, across: float, trees: list[float]) -> list[list[tuple[float, float]]]:
    """The outlines of the firs that stand on *ridge* where the picture shows it: two triangles each."""
    shapes = []
    size = 0.6 + 8 * ridge.speed
    for number in range(floor(passed * TREES) - 1, floor((passed + across) * TREES) + 2):
        chance = trees[number % len(trees)]
        if chance < CLEARING:
            continue
        at = (number + chance) / TREES
        x, foot, tall = at - passed, ridge.top(at) + 0.004, 0.06 * chance * size
        for low, high, half in ((0.0, 0.75, 0.21), (0.42, 1.0, 0.14)):
            shapes.append(
                [(x - half * tall, foot - low * tall), (x, foot - high * tall), (x + half * tall, foot - low * tall)]
            )
    return shapes
