from typing import Any

import pytest

from mockvod.service import media
from mockvod.service.media import MediaLibrary, TooManyMedia


@pytest.fixture
def library() -> MediaLibrary:
    return MediaLibrary("7/default", 1_700_000_000.0)


def found(library: MediaLibrary, file_id: str, **how: Any) -> media.Media:
    one = library.find(file_id, **how)
    assert one is not None
    return one


# --- media that nobody declared


def test_any_file_id_has_plausible_media(library: MediaLibrary) -> None:
    one = found(library, "5285890784246869930")
    assert (one.file_id, one.created_at) == ("5285890784246869930", 1_700_000_000.0)
    assert 60 <= one.duration <= 600
    assert (one.width, one.height) in media.SHAPES
    assert one.size > 1_000_000
    assert one.name
    assert (one.video, one.fails_with) == (None, None)


def test_a_file_id_is_the_same_media_whenever_it_is_named(library: MediaLibrary) -> None:
    first = found(library, "1")
    found(library, "2")
    assert found(library, "1") == first
    assert found(MediaLibrary("7/default", 1_700_000_000.0), "1") == first
    assert found(MediaLibrary("8/default", 1_700_000_000.0), "1") != first


def test_no_file_id_is_no_media(library: MediaLibrary) -> None:
    assert library.find("") is None


def test_only_declared_media_exist_with_strict_media(library: MediaLibrary) -> None:
    library.declare("1")
    assert library.find("2", strict=True) is None
    assert found(library, "1", strict=True).file_id == "1"


# --- media that were declared


def test_what_is_not_declared_of_a_media_is_plausible(library: MediaLibrary) -> None:
    plausible = found(library, "1")
    declared = library.declare("1", duration=12.5, name="Fox")
    assert (declared.duration, declared.name) == (12.5, "Fox")
    assert (declared.width, declared.height, declared.size) == (plausible.width, plausible.height, plausible.size)
    assert found(library, "1") is declared


def test_a_media_without_a_file_id_is_given_one_from_the_seed(library: MediaLibrary) -> None:
    first, second = library.declare(), library.declare()
    assert first.file_id.isdigit()
    assert len(first.file_id) in {19, 20}
    assert int(first.file_id) < 2**64
    assert first.file_id != second.file_id
    assert MediaLibrary("7/default", 0.0).declare().file_id == first.file_id


def test_a_media_that_is_declared_again_takes_the_place_of_the_first(library: MediaLibrary) -> None:
    library.declare("1", duration=10.0)
    library.declare("2")
    library.declare("1", duration=20.0)
    assert [one.file_id for one in library.declared()] == ["1", "2"]
    assert found(library, "1").duration == 20


def test_the_number_of_declared_media_is_bounded(library: MediaLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "MAX_DECLARED", 2)
    library.declare("1")
    library.declare("2")
    library.declare("2", duration=1.0)
    with pytest.raises(TooManyMedia, match="2 media files are declared"):
        library.declare("3")


# --- their pictures


def test_a_template_has_one_set_of_pictures_of_a_media_the_last(library: MediaLibrary) -> None:
    library.keep("1", "TranscodeSet", 10, {"Url": "a"})
    library.keep("1", "TranscodeSet", 20, {"Url": "b"})
    library.keep("1", "TranscodeSet", 10, {"Url": "c"})
    assert library.outputs("1", "TranscodeSet") == {10: {"Url": "c"}, 20: {"Url": "b"}}
    assert library.outputs("1", "ImageSpriteSet") == library.outputs("2", "TranscodeSet") == {}


def test_the_least_recently_made_outputs_are_evicted(library: MediaLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "MAX_WITH_OUTPUTS", 2)
    for file_id in ("1", "2", "1", "3"):
        library.keep(file_id, "TranscodeSet", 10, {"Url": file_id})
    assert [file_id for file_id in "123" if library.outputs(file_id, "TranscodeSet")] == ["1", "3"]


def test_outputs_with_many_addresses_are_evicted_sooner(library: MediaLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "MAX_OUTPUTS", 4)
    for file_id in ("1", "2", "3"):
        library.keep(file_id, "SampleSnapshotSet", 10, {"ImageUrlSet": ["a", "b"]})
    assert [file_id for file_id in "123" if library.outputs(file_id, "SampleSnapshotSet")] == ["2", "3"]


# --- deleting


def test_a_deleted_media_file_does_not_exist_until_it_is_declared_again(library: MediaLibrary) -> None:
    library.declare("1", duration=5.0)
    library.keep("1", "TranscodeSet", 10, {"Url": "a"})
    library.delete("1")
    library.delete("2")
    assert (library.find("1"), library.find("2"), library.outputs("1", "TranscodeSet")) == (None, None, {})
    assert library.declare("1", duration=6.0) == library.find("1")


def test_outputs_can_be_deleted_of_one_template_or_of_all(library: MediaLibrary) -> None:
    for definition in (10, 20, 30):
        library.keep("1", "TranscodeSet", definition, {"Url": "a"})
    library.delete_outputs("1", "TranscodeSet", 20)
    assert list(library.outputs("1", "TranscodeSet")) == [10, 30]
    library.delete_outputs("1", "TranscodeSet")
    library.delete_outputs("2", "TranscodeSet", 10)
    assert library.outputs("1", "TranscodeSet") == {}
