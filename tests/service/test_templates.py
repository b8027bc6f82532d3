import pytest

from mockvod.service import templates
from mockvod.service.templates import Template, Templates, TooManyTemplates


@pytest.fixture
def own() -> Templates:
    return Templates(1000.0)


def found(own: Templates, definition: int) -> Template:
    one = own.find(definition)
    assert one is not None
    return one


def test_the_preset_makes_jpg_in_the_size_of_the_source_stretched(own: Templates) -> None:
    [preset] = own
    assert (preset.definition, preset.preset) == (10, True)
    assert (preset.format, preset.width, preset.height, preset.fill_type) == ("jpg", 0, 0, "stretch")
    assert (preset.created_at, preset.updated_at) == (1000.0, 1000.0)


def test_a_template_of_ones_own_is_as_documented_where_nothing_is_said(own: Templates) -> None:
    one = own.add(2000.0, name="mine")
    assert not one.preset
    assert found(own, one.definition) is one
    assert (one.name, one.format, one.fill_type, one.resolution_adaptive) == ("mine", "jpg", "black", "open")
    assert (one.created_at, one.updated_at) == (2000.0, 2000.0)


def test_templates_are_numbered_and_no_number_comes_twice(own: Templates) -> None:
    own.add(0.0, definition=templates.FIRST_CUSTOM + 1)
    numbers = [own.add(0.0).definition for _ in range(3)]
    first = templates.FIRST_CUSTOM
    assert numbers == [first, first + 2, first + 3]


def test_the_number_of_a_removed_template_does_not_come_again(own: Templates) -> None:
    first = own.add(0.0).definition
    own.remove(first)
    assert own.find(first) is None
    assert own.add(0.0).definition != first


def test_a_change_keeps_what_it_does_not_name(own: Templates) -> None:
    one = own.add(1000.0, name="mine", width=640, format="png")
    own.change(one.definition, 3000.0, width=320)
    changed = found(own, one.definition)
    assert (changed.name, changed.width, changed.format) == ("mine", 320, "png")
    assert (changed.created_at, changed.updated_at) == (1000.0, 3000.0)


def test_there_are_only_so_many_templates_beside_the_preset(own: Templates, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(templates, "MOST", 2)
    own.add(0.0)
    own.add(0.0)
    with pytest.raises(TooManyTemplates, match="2 templates"):
        own.add(0.0)
