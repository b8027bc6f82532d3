"""Every event type has an example that Tencent's SDK knows; copies of it with other values; all of it in the wheel."""

import json
import re
import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any, get_args

import pytest
from tencentcloud.vod.v20180717 import models

from mockvod.wire import events
from mockvod.wire.event_types import CARRIERS, EventError
from mockvod.wire.events import Profile
from mockvod.wire.examples import example, fixtures, with_changes
from mockvod.wire.legacy_events import LEGACY_TYPES
from tests.support import needs_checkout

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "fixtures"

# The types whose example a document of Tencent's shows; the others have every field of their structure.
DOCUMENTED = {
    "NewFileUpload",
    "ProcedureStateChanged",
    "FileDeleted",
    "PullComplete",
    "EditMediaComplete",
    "ComposeMediaComplete",
    "ClipComplete",
    "TranscodeComplete",
    "CreateImageSpriteComplete",
    "ConcatComplete",
    "CreateSnapshotByTimeOffsetComplete",
    "WechatPublishComplete",
    "WechatMiniProgramPublishComplete",
    "RestoreMediaComplete",
    "ReviewAudioVideoComplete",
    "ReduceMediaBitrateComplete",
}
# Of these structures, some sources of a file exclude each other.
IN_PART = {"MediaSourceData"}

PLAIN = {"str": str, "int": int, "float": int | float, "bool": bool}


def judged(content: dict[str, Any]) -> Any:
    """What Tencent's SDK makes of an event; a field that it does not know is an error."""
    event = models.EventContent()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        event._deserialize(content)
    return event


def documented_types(model: object) -> dict[str, str]:
    """The fields of an SDK model and their types, as its docstring has them: `str`, `list of int`, `AudioTransform`."""
    reported = type(model).__init__.__doc__ or ""
    found = re.findall(r":type (\w+): (.+)", reported)
    return {name: re.sub(r":class:|`|tencentcloud\.vod\.v20180717\.models\.", "", text).strip() for name, text in found}


def differences(model: object, given: dict[str, Any], place: str) -> list[str]:
    """Where the SDK's object and the JSON part, in fields, values or types."""
    types = documented_types(model)
    wrong = [f"{place}.{name} is lost" for name in set(given) - set(types)]
    for name, kind in types.items():
        read = getattr(model, f"_{name}")
        if given.get(name) is None:
            wrong += [f"{place}.{name} came from nowhere"] if read is not None else []
        else:
            wrong += value_differences(read, given[name], kind, f"{place}.{name}")
    return wrong


def value_differences(read: Any, given: Any, kind: str, place: str) -> list[str]:
    if kind.startswith("list of "):
        if not isinstance(given, list) or len(read) != len(given):
            return [f"{place} is no list like {given}"]
        inner = kind.removeprefix("list of ")
        pairs = enumerate(zip(read, given, strict=True))
        return [wrong for index, (r, g) in pairs for wrong in value_differences(r, g, inner, f"{place}.{index}")]
    if kind in PLAIN:
        right = isinstance(given, PLAIN[kind]) and (kind == "bool") is isinstance(given, bool) and read == given
        return [] if right else [f"{place} is {given!r}, not {kind}"]
    if type(read).__name__ != kind:
        return [f"{place} is {type(read).__name__}, not {kind}"]
    return differences(read, given, place)


def unfilled(model: Any, place: str) -> list[str]:
    """The fields that the example leaves out, in the structure and all within it."""
    if isinstance(model, list):
        return [path for index, each in enumerate(model) for path in unfilled(each, f"{place}.{index}")]
    if not isinstance(model, models.AbstractModel):
        return []
    fields = vars(model).items()
    empty = [f"{place}{name}" for name, value in fields if value is None and type(model).__name__ not in IN_PART]
    return empty + [path for name, value in fields for path in unfilled(value, f"{place}{name}.")]


# The examples


def test_every_event_type_has_an_example_and_nothing_else_has() -> None:
    assert {path.stem for path in (FIXTURES / "events").iterdir()} == set(CARRIERS)


@pytest.mark.parametrize("event_type", CARRIERS)
def test_an_example_is_the_type_and_the_field_that_carries_it(event_type: str) -> None:
    assert list(example(event_type)) == ["EventType", CARRIERS[event_type]]
    assert example(event_type)["EventType"] == event_type


@pytest.mark.parametrize("event_type", CARRIERS)
def test_the_sdk_reads_every_field_of_an_example(event_type: str) -> None:
    content = example(event_type)
    assert differences(judged(content), content, "") == []


@pytest.mark.parametrize("event_type", sorted(set(CARRIERS) - DOCUMENTED))
def test_an_example_that_no_document_shows_has_every_field_there_is(event_type: str) -> None:
    carried = getattr(judged(example(event_type)), CARRIERS[event_type])
    assert unfilled(carried, "") == []


@pytest.mark.parametrize("event_type", CARRIERS)
def test_an_example_survives_being_read_and_written_in_every_profile(event_type: str) -> None:
    structure = example(event_type)[CARRIERS[event_type]]
    for profile in get_args(Profile):
        body = events.render(*events.parse(example(event_type))[:2], profile)
        assert json.dumps(events.parse(json.loads(body))[:2]) == json.dumps((event_type, structure))
    assert json.loads(events.render(event_type, structure, "sparse")) == example(event_type)


def test_every_example_of_a_procedure_has_its_outcome() -> None:
    assert {"Status", "ErrCode"} <= set(example("ProcedureStateChanged")["ProcedureStateChangeEvent"])


def test_an_example_is_a_fresh_one_every_time() -> None:
    example("FileDeleted")["FileDeleteEvent"]["FileIdSet"].clear()
    assert example("FileDeleted")["FileDeleteEvent"]["FileIdSet"] == ["24961954183381008"]


@pytest.mark.parametrize("unknown", ["NewFileUploads", "../legacy/NewFileUpload"])
def test_there_is_no_example_of_an_unknown_type(unknown: str) -> None:
    with pytest.raises(EventError, match="did you mean 'NewFileUpload'"):
        example(unknown)


def test_the_readme_lists_every_example_as_documented_or_composed() -> None:
    table = (FIXTURES / "README.md").read_text(encoding="utf-8")
    documented, _, composed = table.partition("### Composed")
    listed = [set(re.findall(r"`events/(\w+)\.json`", part)) for part in (documented, composed)]
    assert listed == [DOCUMENTED, set(CARRIERS) - DOCUMENTED]


def test_the_page_on_events_lists_every_type_with_its_field_and_its_form() -> None:
    page = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| (\w+) \| `(\w+)` \| (yes|) \| \[(\w+)\]\(../fixtures/events/(\w+)\.json\) \|$", page, re.MULTILINE
    )
    assert rows == [
        (
            event_type,
            carrier,
            "yes" if event_type in LEGACY_TYPES else "",
            "documented" if event_type in DOCUMENTED else "composed",
            event_type,
        )
        for event_type, carrier in CARRIERS.items()
    ]


# Copies with other values


def changed(event_type: str, **changes: object) -> Any:
    """The structure with *changes*, whose paths are within it and have `__` for a dot."""
    carrier = CARRIERS[event_type]
    paths = {f"{carrier}.{path.replace('__', '.')}": value for path, value in changes.items()}
    return with_changes(example(event_type), paths)[carrier]


def test_a_value_goes_where_its_path_says() -> None:
    structure = changed("NewFileUpload", FileId="123", MediaBasicInfo__Name="夏の花火")
    original = example("NewFileUpload")["FileUploadEvent"]
    assert structure == original | {
        "FileId": "123",
        "MediaBasicInfo": original["MediaBasicInfo"] | {"Name": "夏の花火"},
    }


def test_the_content_itself_stays_as_it_was() -> None:
    content = example("FileDeleted")
    with_changes(content, {"FileDeleteEvent.FileIdSet.0": "7"})
    assert content == example("FileDeleted")


@pytest.mark.parametrize(
    ("given", "stands"),
    [
        ("7", 7),
        ("-1.5", -1.5),
        ("null", None),
        ("true", "true"),
        ("seven", "seven"),
        ('"7"', '"7"'),
        (7, 7),
        (None, None),
        (True, True),
        ("[" * 100_000, "[" * 100_000),
    ],
)
def test_a_text_is_read_as_the_number_that_the_field_has(given: object, stands: object) -> None:
    set_value = changed("PullComplete", ErrCode=given)["ErrCode"]
    assert (type(set_value), set_value) == (type(stands), stands)


@pytest.mark.parametrize(
    ("given", "stands"), [("7", "7"), ("null", "null"), ("{}", "{}"), ('"7"', "7"), ("", ""), ('"', '"')]
)
def test_a_field_of_text_keeps_what_looks_like_something_else(given: str, stands: str) -> None:
    assert changed("PullComplete", FileId=given)["FileId"] == stands


def test_lists_objects_and_booleans_are_read_too() -> None:
    assert changed("FileDeleted", FileIdSet='["1", "2"]')["FileIdSet"] == ["1", "2"]
    assert changed("PullComplete", MediaBasicInfo='{"Name": "n"}')["MediaBasicInfo"] == {"Name": "n"}
    assert changed("ExtractBlindWatermarkComplete", IsDetected="false")["IsDetected"] is False
    assert changed("ExtractBlindWatermarkComplete", IsDetected="0")["IsDetected"] == "0"


def test_any_value_may_replace_a_null() -> None:
    path = "MediaProcessResultSet.0.AdaptiveDynamicStreamingTask".replace(".", "__")
    structure = changed("ReduceMediaBitrateComplete", **{path: '{"Status": "FAIL"}'})
    assert structure["MediaProcessResultSet"][0]["AdaptiveDynamicStreamingTask"] == {"Status": "FAIL"}


def test_later_changes_see_earlier_ones() -> None:
    structure = changed("FileDeleted", FileIdSet='["1", "2"]', FileIdSet__1="7")
    assert structure["FileIdSet"] == ["1", "7"]


@pytest.mark.parametrize(
    ("path", "nearest"),
    [
        ("FileUploadEvent.FileID", "FileUploadEvent.FileId"),
        ("FileUploadEvent.MediaBasicInfo.name", "FileUploadEvent.MediaBasicInfo.Name"),
        ("FileUpload.FileId", "FileUploadEvent.FileId"),
        ("FileUploadEvent.FileId.0", "FileUploadEvent.FileId"),
        ("FileUploadEvent..FileId", "FileUploadEvent.FileId"),
        ("FileUploadEvent.MediaBasicInfo.TagSet.1", "FileUploadEvent.MediaBasicInfo.TagSet"),
    ],
)
def test_an_unknown_path_is_refused_with_the_nearest(path: str, nearest: str) -> None:
    with pytest.raises(EventError) as refused:
        with_changes(example("NewFileUpload"), {path: "1"})
    assert str(refused.value) == f"unknown path {path!r}: did you mean {nearest!r}?"


@pytest.mark.parametrize(
    ("path", "given", "stands"),
    [
        ("FileUploadEvent.MetaData.Duration", "7", 7),
        ("FileUploadEvent.MetaData.VideoStreamSet.1.Codec", "123", "123"),
        ("FileUploadEvent.MetaData.VideoStreamSet.1.Fps", "25", 25),
        ("FileUploadEvent.MediaBasicInfo.TagSet.0", "7", "7"),
        ("FileUploadEvent.MediaBasicInfo.Status", "null", "null"),
        ("FileUploadEvent.MetaData.Md5", "true", "true"),
        ("FileUploadEvent.MediaBasicInfo.SourceInfo.WebPageRecordInfo", '{"RecordTaskId": "1"}', {"RecordTaskId": "1"}),
    ],
)
def test_any_field_of_the_model_is_added_with_its_type(path: str, given: str, stands: object) -> None:
    value: Any = with_changes(example("NewFileUpload"), {path: given})
    for step in path.split("."):
        value = value[int(step)] if isinstance(value, list) else value[step]
    assert (type(value), value) == (type(stands), stands)


def test_the_model_is_that_of_the_sdk() -> None:
    names = {"string": "str"}
    model = json.loads((FIXTURES / "model.json").read_text(encoding="utf-8"))
    for structure, fields in model.items():
        of_sdk = documented_types(getattr(models, structure)())
        ours = {
            name: f"list of {names.get(kind[0], kind[0])}" if isinstance(kind, list) else names.get(kind, kind)
            for name, kind in fields.items()
        }
        assert ours == of_sdk, structure
    used = {kind[0] if isinstance(kind, list) else kind for fields in model.values() for kind in fields.values()}
    assert used - {"string", "int", "float", "bool"} == set(model) - {"EventContent"}


@pytest.mark.parametrize("index", ["2", "-1", "00", "²", "x", ""])
def test_an_element_beyond_the_next_is_refused(index: str) -> None:
    with pytest.raises(EventError, match=r"did you mean 'FileDeleteEvent\.FileIdSet"):
        with_changes(example("FileDeleted"), {f"FileDeleteEvent.FileIdSet.{index}": "1"})


# The package


@needs_checkout
def test_a_checkout_reads_the_files_beside_the_package() -> None:
    assert Path(str(fixtures())) == FIXTURES


SHOW_EXAMPLES = """
import json, sys
sys.path.insert(0, sys.argv[1])
import mockvod
from mockvod.wire.event_types import CARRIERS
from mockvod.wire.examples import example, fixtures
assert mockvod.__file__.startswith(sys.argv[1])
names = sorted(each.name for each in fixtures().iterdir())
print(json.dumps([names, {name: example(name) for name in CARRIERS}]))
"""


@needs_checkout
def test_the_wheel_has_the_fixtures(tmp_path: Path) -> None:
    pytest.importorskip("hatchling")
    source = tmp_path / "source"  # a copy, because a build writes the version into the package
    for name in ("mockvod", "fixtures"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=source, check=True, capture_output=True)  # noqa: S603 - our own words
    [wheel] = tmp_path.glob("*.whl")
    # Imported from the archive itself: what is no file on a disk is read too.
    command = [sys.executable, "-c", SHOW_EXAMPLES, str(wheel)]
    shown = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout  # noqa: S603
    names, examples = json.loads(shown)
    assert {"README.md", "events", "legacy", "seed"} <= set(names)
    assert examples == {event_type: example(event_type) for event_type in CARRIERS}
