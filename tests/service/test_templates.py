import json

import pytest

from mockvod.service import templates
from mockvod.service.templates import FAMILIES, Family, Template, Templates, TooManyTemplates

SNAPSHOT = "SnapshotByTimeOffset"


@pytest.fixture
def own() -> Templates:
    return Templates(1000.0)


def found(own: Templates, family: str, key: int | str) -> Template:
    one = own.find(family, key)
    assert one is not None
    return one


def test_the_preset_makes_jpg_in_the_size_of_the_source_stretched(own: Templates) -> None:
    [preset] = own.all(SNAPSHOT)
    assert (preset.key, preset.preset, preset.created_at, preset.updated_at) == (10, True, 1000.0, 1000.0)
    members = ("Format", "Width", "Height", "FillType")
    assert [preset.content[name] for name in members] == ["jpg", 0, 0, "stretch"]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_preset_has_every_member_of_its_family(own: Templates, family: str) -> None:
    for preset in own.all(family):
        assert preset.preset
        assert list(preset.content) == ["Name", "Comment", *FAMILIES[family].defaults]
        json.dumps(preset.content)


def test_documented_presets_are_there(own: Templates) -> None:
    mp4 = found(own, "Transcode", 100020).content
    assert (mp4["Name"], mp4["Container"], mp4["VideoTemplate"]["Height"]) == ("STD-H264-MP4-540P", "mp4", 540)
    assert (mp4["VideoTemplate"]["Bitrate"], mp4["AudioTemplate"]["Bitrate"]) == (1000, 64)
    adaptive = found(own, "AdaptiveDynamicStreaming", 10).content
    assert [one["Video"]["Height"] for one in adaptive["StreamInfos"]] == [240, 480, 720, 1080, 1440, 2160]
    assert found(own, "Procedure", "LongVideoPreset").preset


def test_a_template_of_its_own_has_the_documented_defaults(own: Templates) -> None:
    one = own.add(SNAPSHOT, 2000.0, {"Name": "mine"})
    assert not one.preset
    assert found(own, SNAPSHOT, one.key) is one
    members = ("Name", "Format", "FillType", "ResolutionAdaptive")
    assert [one.content[name] for name in members] == ["mine", "jpg", "black", "open"]
    assert (one.created_at, one.updated_at) == (2000.0, 2000.0)


def test_templates_are_numbered_and_no_number_comes_twice(own: Templates) -> None:
    own.add(SNAPSHOT, 0.0, {}, key=templates.FIRST_CUSTOM + 1)
    numbers = [own.add(SNAPSHOT, 0.0, {}).key for _ in range(3)]
    first = templates.FIRST_CUSTOM
    assert numbers == [first, first + 2, first + 3]


def test_the_number_of_a_removed_template_does_not_come_again(own: Templates) -> None:
    first = own.add(SNAPSHOT, 0.0, {})
    own.remove(SNAPSHOT, first)
    assert own.find(SNAPSHOT, first.key) is None
    assert own.add(SNAPSHOT, 0.0, {}).key != first.key


def test_a_change_keeps_what_it_does_not_name(own: Templates) -> None:
    one = own.add("Transcode", 1000.0, {"Name": "mine", "VideoTemplate": {"Fps": 24, "Bitrate": 500}})
    changed = own.change("Transcode", one, 3000.0, {"VideoTemplate": {"Fps": 30}})
    assert found(own, "Transcode", one.key) is changed
    video = changed.content["VideoTemplate"]
    assert (changed.content["Name"], video["Fps"], video["Bitrate"]) == ("mine", 30, 500)
    assert (changed.created_at, changed.updated_at) == (1000.0, 3000.0)
    assert found(Templates(0.0), "Transcode", 10).content["VideoTemplate"]["Fps"] == 24


def test_a_template_that_is_replaced_keeps_the_time_of_its_creation(own: Templates) -> None:
    own.add("Procedure", 1.0, {"Comment": "first"}, key="Mine")
    own.add("Procedure", 2.0, {"Comment": "second"}, key="Mine")
    one = found(own, "Procedure", "Mine")
    assert (one.content["Comment"], one.created_at, one.updated_at) == ("second", 1.0, 2.0)


def test_the_number_of_templates_is_bounded(own: Templates, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(templates, "FAMILIES", {**FAMILIES, SNAPSHOT: Family(2, FAMILIES[SNAPSHOT].defaults)})
    own.add(SNAPSHOT, 0.0, {})
    own.add(SNAPSHOT, 0.0, {})
    with pytest.raises(TooManyTemplates, match="2 SnapshotByTimeOffset templates"):
        own.add(SNAPSHOT, 0.0, {})
