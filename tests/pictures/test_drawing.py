import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageStat

from fixtures.media.make_sample import number_of
from mockvod.extras import ExtraMissing
from mockvod.pictures.drawing import (
    LEAST_SIDE,
    MOST_PIXELS,
    MOST_SIDE,
    Fill,
    Format,
    Look,
    Source,
    _fitting,
    fitted,
    picture,
    size_of,
    time_code,
)

SAMPLE = Path(__file__).parents[2] / "fixtures/media/sample.mp4"
FILE = Source("5285890784246869930", "holiday.mp4")
SMALL = Look(320, 180, format="png")


def opened(body: bytes) -> Image.Image:
    image = Image.open(BytesIO(body))
    image.load()
    return image


def drawn(source: Source = FILE, look: Look = SMALL, definition: int = 10, offset: int = 10_000) -> Image.Image:
    return opened(picture(source, look, definition, offset)).convert("RGB")


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean of how far the two are apart, of 255."""
    means = ImageStat.Stat(ImageChops.difference(one, other)).mean
    return sum(means) / len(means)


def panel(image: Image.Image) -> Image.Image:
    return image.crop((0, image.height * 3 // 5, image.width * 2 // 5, image.height))


def sky(image: Image.Image) -> Image.Image:
    return image.crop((0, 0, image.width, image.height // 2))


# --- what is drawn


def test_the_same_arguments_give_the_same_bytes() -> None:
    assert picture(FILE, SMALL, 10, 1000) == picture(FILE, SMALL, 10, 1000)


@pytest.mark.parametrize(("kind", "name"), [("jpg", "JPEG"), ("png", "PNG"), ("webp", "WEBP")])
def test_a_picture_has_the_size_of_its_source_and_the_format_of_its_template(kind: Format, name: str) -> None:
    image = opened(picture(FILE, Look(format=kind), 10, 10_000))
    assert (image.format, image.size) == (name, (1280, 720))


def test_a_picture_is_a_scene_of_many_colours() -> None:
    colours = sky(drawn()).getcolors(1_000_000)
    assert colours is not None
    assert len(colours) > 500
    top, bottom = drawn().getpixel((160, 0)), drawn().getpixel((300, 175))
    assert top != bottom


def test_every_offset_has_its_own_picture_and_those_of_one_video_are_alike() -> None:
    now, soon, later = drawn(offset=0), drawn(offset=100), drawn(offset=8000)
    assert now.tobytes() != soon.tobytes()
    assert 0 < difference(sky(now), sky(soon)) < difference(sky(now), sky(later)) < 20


def test_every_file_has_a_scene_of_its_own() -> None:
    scenes = [sky(drawn(Source(file_id))) for file_id in ("1", "2", "3", "4")]
    assert all(difference(one, other) > 5 for place, one in enumerate(scenes) for other in scenes[:place])


def test_light_letters_are_on_a_dark_panel() -> None:
    written = panel(drawn(look=Look(640, 360, format="png"))).convert("L")
    lightest = sum(written.histogram()[225:]) / (written.width * written.height)
    assert 0.02 < lightest < 0.3
    assert ImageStat.Stat(written).median[0] < 100


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"definition": 10}, {"definition": 1008}),
        ({"source": Source("1", "a.mp4")}, {"source": Source("1", "b.mp4")}),
    ],
)
def test_the_caption_differs_with_the_arguments(one: dict[str, int | Source], other: dict[str, int | Source]) -> None:
    first, second = drawn(**one), drawn(**other)  # type: ignore[arg-type]
    assert panel(first).tobytes() != panel(second).tobytes()
    assert sky(first).tobytes() == sky(second).tobytes()


@pytest.mark.parametrize("name", ["度假.mp4", "line\nbreak", ""])
def test_a_name_that_the_letters_cannot_write_is_left_out(name: str) -> None:
    assert drawn(Source("1", name)).tobytes() == drawn(Source("1")).tobytes()


def test_a_file_id_of_any_letters_is_written() -> None:
    assert panel(drawn(Source("文件"))).tobytes() != panel(drawn(Source("文"))).tobytes()


@pytest.mark.parametrize(
    ("offset", "code"),
    [(0, "00:00:00.000"), (10_000, "00:00:10.000"), (3_723_004, "01:02:03.004"), (360_000_000, "100:00:00.000")],
)
def test_an_offset_is_written_as_a_time_code(offset: int, code: str) -> None:
    assert time_code(offset) == code


def test_a_long_text_is_shortened_to_the_room_there_is() -> None:
    text, font = _fitting("A" * 100_000, 20, 200)
    assert text.startswith("AAA")
    assert text.endswith("…")
    assert 150 < font.getlength(text) <= 200


# --- size and fill


@pytest.mark.parametrize(
    ("look", "source", "size"),
    [
        (Look(), (1280, 720), (1280, 720)),
        (Look(640, 0), (1280, 720), (640, 360)),
        (Look(0, 180), (1280, 720), (320, 180)),
        (Look(300, 300), (1280, 720), (300, 300)),
        # Portrait: the width is the long side, as ResolutionAdaptive says.
        (Look(640, 360), (720, 1280), (360, 640)),
        (Look(640, 0), (720, 1280), (360, 640)),
        (Look(0, 360), (720, 1280), (360, 640)),
        (Look(640, 360, resolution_adaptive=False), (720, 1280), (640, 360)),
        (Look(360, 0, resolution_adaptive=False), (720, 1280), (360, 640)),
        # What is too large is made smaller as a whole, what is too small larger.
        (Look(), (8192, 4096), (4096, 2048)),
        (Look(4096, 4096), (1, 1), (3072, 3072)),
        (Look(), (4, 2), (16, 16)),
    ],
)
def test_a_template_gives_the_size(look: Look, source: tuple[int, int], size: tuple[int, int]) -> None:
    assert size_of(look, source) == size


@given(
    st.builds(Look, st.integers(0, 10**6), st.integers(0, 10**6), resolution_adaptive=st.booleans()),
    st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)),
)
def test_no_picture_is_larger_or_smaller_than_the_bounds(look: Look, source: tuple[int, int]) -> None:
    width, height = size_of(look, source)
    assert min(width, height) >= LEAST_SIDE
    assert max(width, height) <= MOST_SIDE
    assert width * height <= MOST_PIXELS * 1.01


@settings(max_examples=25)
@given(
    st.tuples(st.integers(1, 4096), st.integers(1, 4096)),
    st.tuples(st.integers(16, 200), st.integers(16, 200)),
    st.sampled_from(["stretch", "black", "white", "gauss"]),
    st.integers(0, 10**14),
)
def test_any_size_ratio_and_offset_can_be_drawn(
    ratio: tuple[int, int], size: tuple[int, int], fill: Fill, offset: int
) -> None:
    look = Look(*size, fill, resolution_adaptive=False)
    assert drawn(Source("1" * 40, "x" * 80, *ratio), look, offset=offset).size == size


@pytest.mark.parametrize(("fill", "edge"), [("black", (0, 0, 0)), ("white", (255, 255, 255))])
def test_the_rest_of_another_ratio_is_black_or_white(fill: Fill, edge: tuple[int, int, int]) -> None:
    image = drawn(look=Look(300, 300, fill, "png"))
    assert image.getpixel((150, 20)) == edge
    assert image.getpixel((150, 66)) not in {(0, 0, 0), (255, 255, 255)}
    assert image.getpixel((290, 290)) == edge


def test_the_rest_of_another_ratio_is_the_picture_itself_blurred() -> None:
    stripes = Image.new("RGB", (160, 90), (200, 40, 40))
    stripes.paste((40, 40, 200), (0, 0, 80, 90))
    image = fitted(stripes, (160, 160), "gauss")
    left, middle, right = (image.getpixel((x, 10)) for x in (5, 80, 155))
    assert isinstance(left, tuple)
    assert isinstance(middle, tuple)
    assert isinstance(right, tuple)
    assert left[2] > 150 > left[0]
    assert right[0] > 150 > right[2]
    assert 60 < middle[0] < 180
    assert image.getpixel((75, 80)) == (40, 40, 200)


def test_a_stretched_picture_is_squeezed_and_has_no_border() -> None:
    half = Image.new("RGB", (160, 90), "white")
    half.paste("black", (0, 0, 80, 90))
    image = fitted(half, (100, 100), "stretch")
    assert [image.getpixel(at) for at in ((10, 2), (10, 97), (90, 2), (90, 97))] == [(0,) * 3] * 2 + [(255,) * 3] * 2


# --- a video, and what is imported


def test_a_file_with_a_video_shows_its_frame_scaled_as_the_template_says() -> None:
    image = drawn(Source("1", video=SAMPLE), Look(640, 0, format="webp"), offset=2300)
    assert image.size == (640, 360)
    assert number_of(image) == 23


def test_importing_the_pictures_imports_neither_pillow_nor_pyav() -> None:
    program = (
        "import sys, mockvod.pictures.drawing, mockvod.http.pictures; print(sorted({'PIL', 'av'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603
    assert found.stdout.strip() == "[]"


def test_without_pillow_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ExtraMissing, match=r"^pictures need Pillow, .* pip install 'mockvod\[pictures\]'$"):
        picture(Source("1"), Look(), 10, 0)
