"""Scenario files: found, read as what is written, and refused with the line where they cannot be."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from mockvod.scenario import files as scenario_file
from mockvod.scenario import reader
from mockvod.scenario.apply import apply
from mockvod.scenario.files import examples, from_text, load
from mockvod.scenario.models import published_schema
from mockvod.scenario.source import ScenarioError, Source
from mockvod.service.world import World
from mockvod.settings import Settings
from tests.support import NoPushes


def read(text: str, name: str = "scenario.yaml") -> Source:
    return from_text(text, name=name, folder=Path())


def refused(text: str, name: str = "scenario.yaml") -> str:
    with pytest.raises(ScenarioError) as error:
        read(text, name)
    return str(error.value)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("ON", "ON"),
        ("no", "no"),
        ("true", True),
        ("0123", "0123"),
        ("1_000", "1_000"),
        ("5:00", "5:00"),
        ("2026-01-01", "2026-01-01"),
        ("17", 17),
        ("-3", -3),
        ("0.5", 0.5),
        ("1e3", 1000.0),
        ("1e999", "1e999"),
        ("'17'", "17"),
        ('"true"', "true"),
        ("387702292285462759999", 387702292285462759999),
        ("", None),
        ("~", None),
        ("null", None),
        ("快照", "快照"),
    ],
)
def test_only_what_json_would_take_for_something_else_is_no_text(written: str, value: object) -> None:
    assert read(f"key: {written}").data == {"key": value}


def test_the_line_of_every_key_and_element_is_known() -> None:
    lines = read("a:\n  - b: 1\n    c:\n      2\n  - d\n").lines
    assert lines == {(): 1, ("a",): 1, ("a", 0): 2, ("a", 0, "b"): 2, ("a", 0, "c"): 3, ("a", 1): 5}


def test_json_is_read_as_json_with_the_lines_of_its_keys() -> None:
    data: dict[str, Any] = {"events": [{"file_id": "\U0001f98a/\u0007", "at": 1.5}], "n": [None, True, -1e-7]}
    source = read(json.dumps(data, indent="\t"), "scenario.json")
    assert source.data == data
    assert source.lines["events", 0, "at"] == 5


def test_what_is_named_twice_is_read_twice() -> None:
    source = read("a: &one {b: [1]}\nc: *one")
    assert source.data == {"a": {"b": [1]}, "c": {"b": [1]}}
    assert source.lines["c", "b"] == 1


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ("", "a.yaml", "a.yaml: is empty"),
        ("# nothing", "a.yaml", "a.yaml: is empty"),
        ("a: 1\nb: [", "a.yaml", "a.yaml:2: is not YAML: expected the node content, but found '<stream end>'"),
        ("a: 1\n---\nb: 1", "a.yaml", "a.yaml:2: is not YAML: but found another document"),
        ("a: *b", "a.yaml", "a.yaml:1: is not YAML: found undefined alias 'b'"),
        ("a: \x00", "a.yaml", "a.yaml: is not YAML: unacceptable character"),
        ('{"a": 1,\n "b"}', "a.json", "a.json:2: is not JSON: Expecting ':' delimiter"),
        ("a: 1", "a.json", "a.json:1: is not JSON: Expecting value"),
    ],
)
def test_an_unreadable_file_is_refused_with_its_line(text: str, name: str, message: str) -> None:
    assert refused(text, name).startswith(message)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a: &a [*a]", "a.yaml"),
        ("[" * 1500, "a.yaml"),
        ("\n".join(" " * depth + "a:" for depth in range(1500)), "a.yaml"),
        ("[" * 61 + "]" * 61, "a.yaml"),
        ("[" * 61 + "]" * 61, "a.json"),
        ("[" * 100_000, "a.json"),
        ('{"a":' * 100_000, "a.json"),
    ],
)
def test_a_file_that_is_nested_too_deep_is_refused(text: str, name: str) -> None:
    assert refused(text, name) == f"{name}: is nested deeper than 60 levels"


@pytest.mark.parametrize("name", ["a.yaml", "a.json"])
def test_brackets_in_a_text_are_not_nesting(name: str) -> None:
    brackets = "[{" * 100
    assert read(json.dumps([brackets, f'"{brackets}']), name).data == [brackets, f'"{brackets}']
    read("[" * 60 + "]" * 60, name)


def test_a_few_lines_that_expand_to_millions_of_values_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MOST_NODES", 10_000)
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 8)]
    assert refused("\n".join(lines)) == "scenario.yaml: has more than 10000 values"


def test_a_file_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scenario_file, "MOST_BYTES", 10)
    (tmp_path / "a.yaml").write_text("a: 4567890", encoding="utf-8")
    assert load(str(tmp_path / "a.yaml")).data == {"a": 4567890}
    (tmp_path / "a.yaml").write_text("a: 45678901", encoding="utf-8")
    with pytest.raises(ScenarioError, match="is larger than 10 bytes"):
        load(str(tmp_path / "a.yaml"))


@pytest.mark.parametrize(("text", "name"), [("a: 1\nb: 2\na: 3", "a.yaml"), ('{"a": 1,\n"b": 2,\n"a": 3}', "a.json")])
def test_a_key_that_is_given_twice_is_a_problem(text: str, name: str) -> None:
    source = read(text, name)
    assert [source.locate(one) for one in source.problems] == [f"{name}:3: a: is given twice, in lines 1 and 3"]


def test_a_key_that_is_not_text_is_a_problem() -> None:
    assert [(one.key, one.code) for one in read("a:\n  [1, 2]: 3").problems] == [("a", "invalid")]


# --- files


def test_a_file_is_found_by_its_path_and_its_folder_is_where_paths_begin(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_bytes(b"\xef\xbb\xbfframe: 1")
    source = load(str(tmp_path / "mine.yaml"))
    assert (source.data, source.folder) == ({"frame": 1}, tmp_path)


def test_a_file_comes_before_an_example_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load("pull-worker").data != {}
    Path("pull-worker").write_text("{}", encoding="utf-8")
    assert load("pull-worker").data == {}


def test_an_unknown_name_is_refused_with_the_nearest_example(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"pull-wrker: cannot be read: .*did you mean 'pull-worker'"):
        load("pull-wrker")
    with pytest.raises(ScenarioError, match="cannot be read"):
        load(str(tmp_path))


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"a: \xff")
    with pytest.raises(ScenarioError, match="is not UTF-8: byte 0xff at 3"):
        load(str(tmp_path / "a.yaml"))


# --- the examples


@pytest.mark.parametrize("name", examples())
async def test_an_example_fits_the_schema_and_comes_to_be(name: str) -> None:
    source = load(name)
    jsonschema_rs.validator_for(published_schema()).validate(source.data)
    async with World(Settings(seed=7), NoPushes()) as world:
        await world.default.life.clock.freeze()
        scenario = await apply(source, world)
        for account in world.accounts():
            for application in account.life.applications():
                application.configure({"callback_url": ""})  # nobody listens there
            await account.life.clock.freeze()
            await account.life.clock.advance(600)
        events = [event for account in world.accounts() for event in account.life.events]
        assert {event.state for event in events} <= {"queued", "failed"}
        assert len(events) >= len(scenario.events)


# --- the page about them

PAGE = Path(__file__).parents[2] / "docs" / "scenarios.md"


async def test_the_example_of_the_page_comes_to_be() -> None:
    [text] = re.findall(r"^```yaml\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    source = read(text)
    jsonschema_rs.validator_for(published_schema()).validate(source.data)
    async with World(Settings(seed=7), NoPushes()) as world:
        await apply(source, world)
        assert world.account("AKIDworker").life.clock.rate == 0


def test_the_page_has_every_key_and_every_example() -> None:
    named = set(re.findall(r"`([\w-]+)`", PAGE.read_text(encoding="utf-8")))
    parts = published_schema()["$defs"]
    keys = {key for name, part in parts.items() if name.startswith("Scenario") for key in part["properties"]}
    assert keys - set(parts["Config"]["properties"]) | {*examples()} <= named


# --- what it costs


def test_a_server_without_a_scenario_imports_none_of_it() -> None:
    heavy = "[name for name in sys.modules if name.startswith(('yaml', 'mockvod.scenario.'))]"
    code = f"import mockvod.app, sys; print({heavy})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout == "[]\n"


def test_without_pyyaml_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "mockvod.scenario.reader")
    monkeypatch.setitem(sys.modules, "yaml", None)
    assert refused("clock: {}", "a.yaml") == (
        "a.yaml: scenario files need PyYAML, which is not installed: pip install 'mockvod[scenarios]'"
    )
