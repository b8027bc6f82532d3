"""Scenarios: what they set up and emit; an invalid one is rejected before anything has changed."""

import asyncio
import json
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from mockvod.scenario.apply import apply
from mockvod.scenario.check import read
from mockvod.scenario.files import from_text
from mockvod.scenario.models import Scenario, published_schema
from mockvod.scenario.source import ScenarioError, Source
from mockvod.service.application import Application
from mockvod.service.world import Account, World
from mockvod.settings import Settings
from mockvod.wire.examples import fixtures
from tests.support import OLD_PYDANTIC, NoPushes

SCHEMA = Path(str(fixtures())) / "scenarios" / "schema.json"
OWN = {"secret_id": "AKIDown", "secret_key": "key"}


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with World(Settings(seed=7), NoPushes()) as world:
        await world.default.life.clock.freeze()
        yield world


def scenario(text: str, folder: Path = Path()) -> Source:
    return from_text(textwrap.dedent(text), name="scenario.yaml", folder=folder)


def happened(account: Account) -> list[tuple[str, str]]:
    """EventType and state of every event, oldest first."""
    return [(event.event_type, event.state) for event in account.life.events]


def coming(account: Account) -> list[str]:
    """What is still to come of events that come again and again."""
    return [one.what for one in account.life.clock.waiting() if "every" in one.what]


def pictures(application: Application) -> list[Any]:
    [event] = application.life.events
    return [(one["TimeOffset"], one["ErrCode"]) for one in event.structure()["SnapshotInfoSet"]]


async def refused(source: Source, world: World) -> ScenarioError:
    """The error for *source*, which must not have changed *world*."""
    before = json.dumps(snapshot(world))
    with pytest.raises(ScenarioError) as error:
        await apply(source, world)
    assert json.dumps(snapshot(world)) == before
    return error.value


async def problems(source: Source, world: World) -> list[tuple[str, str]]:
    """Key and code of every problem of *source*."""
    return [(one.key, one.code) for one in (await refused(source, world)).problems]


def snapshot(world: World) -> list[Any]:
    return [
        (one.secret_id, one.life.journal.seq, len(one.life.applications()), len(one.life.clock.waiting()))
        for one in world.accounts()
    ]


# --- what comes to be


async def test_a_scenario_that_says_nothing_changes_nothing(world: World) -> None:
    await apply(Source({}), world)
    assert world.accounts() == [world.default]
    assert world.default.life.applications() == []
    assert world.default.life.clock.waiting() == []


async def test_config_is_that_of_the_default_account_and_its_default_application(world: World) -> None:
    await apply(scenario("config: {poll_hold: 250ms, sign_key: open, bad_handle: refuse}"), world)
    assert (world.default.life.settings.poll_hold, world.default.life.settings.bad_handle) == (0.25, "refuse")
    assert world.default.life.application().settings.sign_key == "open"
    assert world.default.life.application(5).settings.sign_key == ""


async def test_an_account_has_the_given_values(world: World) -> None:
    await apply(
        scenario(
            """
            accounts:
              - {secret_id: AKIDown, secret_key: key, sub_app_id: 5, seed: 3, frozen: true, config: {pull_limit: 2}}
              - {secret_id: AKIDother, secret_key: key}
            """
        ),
        world,
    )
    own, other = world.account("AKIDown"), world.account("AKIDother")
    assert (
        own.secret_key,
        own.identity.sub_app_id,
        own.life.seed,
        own.life.clock.rate,
        own.life.settings.pull_limit,
    ) == ("key", 5, 3, 0, 2)
    assert (other.life.seed, other.life.clock.rate, other.life.settings.pull_limit) == ("7/AKIDother", 1, 16)
    assert other.identity.sub_app_id


async def test_an_application_has_its_settings_templates_procedures_and_media(world: World, tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").touch()
    await apply(
        scenario(
            """
            applications:
              - sub_app_id: 5
                config: {mode: PUSH}
                templates: [{definition: 20001, width: 320, format: png, fill_type: white}]
                procedures:
                  covers: [{definition: 20001, ext_time_offsets: [10%, 3.5s]}, {time_offsets: [1000]}]
                media:
                  - {file_id: 387702292285462759, duration: 2m, width: 64, height: 48, size: 9, name: Fox}
                  - {file_id: broken, fails_with: SourceFileError.ContentMalformed}
            """,
            tmp_path,
        ),
        world,
    )
    application = world.default.life.application(5)
    assert application.mode == "PUSH"
    template = application.templates.find("SnapshotByTimeOffset", 20001)
    assert template is not None
    assert [template.content[name] for name in ("Width", "Height", "Format", "FillType")] == [320, 0, "png", "white"]
    procedure = application.templates.find("Procedure", "covers")
    assert procedure is not None
    first, second = procedure.content["MediaProcessTask"]["SnapshotByTimeOffsetTaskSet"]
    assert (first["Definition"], first["ExtTimeOffsetSet"]) == (20001, ["10%", "3.5s"])
    assert (second["Definition"], second["TimeOffsetSet"]) == (10, [1000.0])
    fox, broken = application.media.declared()
    assert (fox.file_id, fox.duration, fox.width, fox.height, fox.size, fox.name) == (
        "387702292285462759",
        120,
        64,
        48,
        9,
        "Fox",
    )
    assert broken.fails_with == "SourceFileError.ContentMalformed"
    assert world.default.life.application().media.declared() == []


async def test_a_scenario_adds_to_the_one_before(world: World) -> None:
    await apply(
        scenario("applications: [{templates: [{definition: 1}, {definition: 2}], media: [{file_id: a}]}]"), world
    )
    again = (
        "applications: [{templates: [{definition: 2, name: b}], procedures: {p: [{definition: 1, time_offsets: [1]}]}}]"
    )
    await apply(scenario(again), world)
    application = world.default.life.application()
    assert [(one.key, one.content["Name"]) for one in application.templates.all("SnapshotByTimeOffset")][1:] == [
        (1, ""),
        (2, "b"),
    ]
    assert [one.file_id for one in application.media.declared()] == ["a"]


# --- events


async def test_events_happen_at_their_time(world: World) -> None:
    await apply(scenario("events: [{file_id: 1}, {at: 1500ms, file_id: 2, count: 2}, {at: 2, file_id: 3}]"), world)
    account = world.default
    clock = account.life.clock
    states = []
    for step in (0, 1.4, 0.1, 0.5):
        await clock.advance(step)
        states.append([state for _, state in happened(account)])
    assert states == [
        ["queued", "scheduled", "scheduled", "scheduled"],
        ["queued", "scheduled", "scheduled", "scheduled"],
        ["queued", "queued", "queued", "scheduled"],
        ["queued"] * 4,
    ]
    assert [event.structure()["FileId"] for event in account.life.events] == ["1", "2", "2", "3"]


async def test_an_event_is_repeated_count_times(world: World) -> None:
    await apply(scenario("events: [{at: 1s, every: 10s, count: 3}]"), world)
    counts = []
    for step in (0.9, 0.1, 9.9, 0.1, 10, 1000):
        await world.default.life.clock.advance(step)
        counts.append(len(world.default.life.events))
    assert counts == [0, 1, 1, 2, 3, 3]
    assert coming(world.default) == []


async def test_an_event_without_a_count_is_repeated_until_a_reset(world: World) -> None:
    await apply(scenario("events: [{every: 500ms}]"), world)
    await world.default.life.clock.advance(10)
    assert len(world.default.life.events) == 21
    clock = world.default.life.clock
    await world.reset()
    assert clock.waiting() == world.default.life.clock.waiting() == []


async def test_events_that_wait_end_with_their_account(world: World) -> None:
    events = [{"account": "AKIDown", "at": 5}, {"account": "AKIDown", "every": 5}]
    await apply(Source({"accounts": [OWN], "events": events}), world)
    own = world.account("AKIDown")
    assert len(own.life.clock.waiting()) == 2
    await world.delete_account(own)
    assert own.life.clock.waiting() == []


async def test_events_go_to_the_application_that_they_name(world: World) -> None:
    await apply(
        Source({"accounts": [OWN], "events": [{"account": "AKIDown", "sub_app_id": 9}, {"sub_app_id": 8}]}), world
    )
    assert [event.sub_app_id for event in world.account("AKIDown").life.events] == [9]
    assert [event.sub_app_id for event in world.default.life.events] == [8]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("{time_offsets: [1, 2], failed: [2], err_code: -5}", [(1, 0), (2, -5)]),
        ("{snapshots: [{ErrCode: 3, TimeOffset: 4}]}", [(4, 3)]),
        ("{event_type: CreateSnapshotByTimeOffsetComplete}", [(10000, 0), (20000, 0)]),
        (
            (
                "{event: {EventType: CreateSnapshotByTimeOffsetComplete, SnapshotByTimeOffsetCompleteEvent: "
                '{TaskId: a, FileId: "1", Definition: 1, SnapshotInfoSet: [{ErrCode: 0, TimeOffset: 7, Url: b}]}}}'
            ),
            [(7, 0)],
        ),
    ],
)
async def test_an_event_has_the_given_values(world: World, given: str, shown: list[Any]) -> None:
    await apply(scenario(f"events: [{given}]"), world)
    assert pictures(world.default.life.application()) == shown


async def test_set_changes_an_example(world: World) -> None:
    text = """
    events:
      - event_type: NewFileUpload
        set:
          FileUploadEvent.FileId: 387702292285462759
          FileUploadEvent.MediaBasicInfo.Name: fox
    """
    await apply(scenario(text), world)
    [event] = world.default.life.events
    structure = event.structure()
    assert (structure["FileId"], structure["MediaBasicInfo"]["Name"]) == ("387702292285462759", "fox")


async def test_the_same_scenario_and_seed_give_the_same_events(world: World) -> None:
    source = scenario("events: [{count: 3}, {every: 1s, count: 3}]")
    await apply(source, world)
    await world.default.life.clock.advance(5)
    async with World(Settings(seed=7), NoPushes()) as other:
        await other.default.life.clock.freeze()
        await apply(source, other)
        await other.default.life.clock.advance(5)
        assert [event.body for event in other.default.life.events] == [
            event.body for event in world.default.life.events
        ]


async def test_an_event_for_which_there_is_no_room_is_left_out_and_the_next_one_comes(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await apply(scenario("config: {pending_bytes: 1024}\nevents: [{every: 1s}]"), world)
    await world.default.life.clock.advance(9.5)
    there = len(world.default.life.events)
    assert 0 < there < 9
    assert len(coming(world.default)) == 1
    assert {record.message.partition(":")[0] for record in caplog.records} == {
        "an event of the scenario was not emitted"
    }


# --- invalid scenarios

WRONG = """\
config:
  callback_format: 3.0
  poll_hld: 3
  sign_key: a secret!
accounts:
  - secret_id: AKIDone
    secret_key: 123
  - secret_id: AKIDtwo
    secret_key: abc
  - secret_id: AKIDtwo
    secret_key: abc
applications:
  - account: AKIDtw
    templates:
      - definition: 10
      - definition: 11
      - definition: 11
    procedures:
      covers:
        - definition: 12
          ext_time_offsets: [10%]
        - {}
    media:
      - file_id: 7
        video: nope.mp4
      - file_id: 7
  - account: AKIDone
  - sub_app_id: 0
  - {}
events:
  - at: 5 minutes
  - at: 0
    at: 1
  - counts: 3
  - account: AKIDthree
"""


async def test_every_problem_is_reported_with_file_line_and_key(world: World, tmp_path: Path) -> None:
    error = await refused(from_text(WRONG, name="wrong.yaml", folder=tmp_path), world)
    assert str(error).splitlines() == [
        "wrong.yaml:2: config.callback_format: must be '3.0', '2.0' or 'both', got 3.0: put it in quotes",
        "wrong.yaml:3: config.poll_hld: unknown key; did you mean poll_hold?",
        "wrong.yaml:4: config.sign_key: must be at most 32 letters and digits, got (not shown)",
        "wrong.yaml:7: accounts.0.secret_key: must be a valid string, got (not shown): put it in quotes",
        "wrong.yaml:10: accounts.2.secret_id: 'AKIDtwo' is given twice",
        "wrong.yaml:13: applications.0.account: no account 'AKIDtw'; did you mean AKIDtwo?",
        (
            "wrong.yaml:15: applications.0.templates.0.definition: "
            "10 is the preset template: choose another ID, such as 10001"
        ),
        "wrong.yaml:17: applications.0.templates.2.definition: 11 is given twice",
        (
            "wrong.yaml:20: applications.0.procedures.covers.0.definition: "
            "the application has no template 12; it has 10, 11"
        ),
        "wrong.yaml:22: applications.0.procedures.covers.1: has no time offsets: give ext_time_offsets or time_offsets",
        f"wrong.yaml:25: applications.0.media.0.video: no file '{tmp_path}/nope.mp4'",
        "wrong.yaml:26: applications.0.media.1.file_id: '7' is given twice",
        "wrong.yaml:29: applications.3: is the same application as an earlier entry: merge them",
        "wrong.yaml:31: events.0.at: must be seconds, or a duration such as 500ms, 30s, 5m, 1h, 4d, got '5 minutes'",
        "wrong.yaml:33: events.1.at: is given twice, in lines 32 and 33",
        "wrong.yaml:34: events.2.counts: unknown key; did you mean count?",
        "wrong.yaml:35: events.3.account: no account 'AKIDthree'; did you mean AKIDtwo?",
    ]


@pytest.mark.parametrize(
    ("event", "key", "code"),
    [
        ("{event: {EventType: FileDeleted, FileUploadEvent: {}}}", "event", "invalid"),
        ("{event: {EventType: FileDeleted, FileDeleteEvent: {}}, definition: 1}", "definition", "conflict"),
        ("{event: {EventType: FileDeleted, FileDeleteEvent: {}}, set: {}}", "set", "conflict"),
        ("{event_type: NewFileUplod}", "event_type", "invalid"),
        ("{event_type: NewFileUpload, set: {FileUploadEvent.FileI: 1}}", "set", "invalid"),
        ("{event_type: NewFileUpload, failed: [1]}", "failed", "conflict"),
        ("{set: {a: 1}}", "set", "conflict"),
        ("{snapshots: [], err_code: 3}", "err_code", "conflict"),
        ("{snapshots: [{ErrCode: x, TimeOffset: 1}]}", "snapshots", "invalid"),
        ("{failed: [1]}", "failed", "conflict"),
        ("{time_offsets: [2], failed: [1, 2, 3]}", "failed", "conflict"),
        ("{time_offsets: [1], failed: [1], err_code: 0}", "err_code", "conflict"),
        ("{err_code: 4}", "err_code", "conflict"),
        ("{every: 0}", "every", "invalid"),
        ("{every: 1s, count: 0}", "count", "invalid"),
        ("7", "", "invalid"),
    ],
)
async def test_an_invalid_event_is_refused(world: World, event: str, key: str, code: str) -> None:
    error = await refused(scenario(f"events:\n  - file_id: 1\n  - {event}"), world)
    assert [(one.key, one.code) for one in error.problems] == [(f"events.1.{key}".rstrip("."), code)]
    assert str(error).startswith("scenario.yaml:3: ")


async def test_an_event_that_json_cannot_express_is_refused(world: World) -> None:
    event = {"EventType": "FileDeleted", "FileDeleteEvent": {"FileIdSet": [float("nan")]}}
    assert await problems(Source({"events": [{"event": event}]}), world) == [("events.0.event", "invalid")]


@pytest.mark.parametrize(
    ("data", "key"),
    [
        (None, ""),
        ([], ""),
        ("text", ""),
        (7, ""),
        ({"events": {}}, "events"),
        ({"events": [{}] * 10_001}, "events"),
        ({"accounts": [None]}, "accounts.0"),
        ({"config": []}, "config"),
    ],
)
async def test_data_of_another_shape_is_refused(world: World, data: object, key: str) -> None:
    assert await problems(Source(data), world) == [(key, "invalid")]


async def test_the_state_of_the_world_counts(world: World) -> None:
    await apply(Source({"accounts": [OWN], "applications": [{"templates": [{"definition": 11}]}]}), world)
    assert await problems(Source({"accounts": [OWN]}), world) == [("accounts.0.secret_id", "duplicate")]
    procedures = {"p": [{"definition": 11, "time_offsets": [1]}]}
    await read(Source({"applications": [{"procedures": procedures}]}), world)
    await read(Source({"events": [{"account": "AKIDown"}]}), world)
    assert await problems(Source({"applications": [{"account": "AKIDown", "procedures": procedures}]}), world) == [
        ("applications.0.procedures.p.0.definition", "not_found")
    ]


async def test_an_account_in_an_invalid_entry_is_not_reported_as_unknown(world: World) -> None:
    source = Source({"accounts": [{"secret_id": "AKIDown"}], "events": [{"account": "AKIDown"}]})
    assert await problems(source, world) == [("accounts.0.secret_key", "missing")]


@pytest.mark.parametrize("name", ["AKIDown", None])
async def test_pending_events_must_fit_into_pending_bytes(world: World, name: str | None) -> None:
    accounts = [{**OWN, "config": {"pending_bytes": 1024}}]
    await apply(Source({"config": {"pending_bytes": 1024}, "accounts": accounts}), world)
    assert await problems(Source({"events": [{"account": name, "at": 5, "count": 5}]}), world) == [("events", "limit")]


async def test_the_sub_app_id_of_an_account_names_its_default_application(world: World) -> None:
    own = {**OWN, "sub_app_id": 5}
    applications = [{"account": "AKIDown"}, {"account": "AKIDown", "sub_app_id": 5}]
    assert await problems(Source({"accounts": [own], "applications": applications}), world) == [
        ("applications.1", "duplicate")
    ]


async def test_more_than_the_limits_is_refused(world: World) -> None:
    templates = [{"definition": number} for number in range(11, 1012)]
    assert await problems(Source({"applications": [{"templates": templates}]}), world) == [
        ("applications.0.templates", "limit")
    ]
    assert await problems(Source({"events": [{"count": 10_000}] * 11}), world) == [("events", "limit")]


async def test_a_setting_whose_file_was_deleted_is_reported_before_anything_changes(tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.touch()
    async with World(Settings(callback_ca=str(authority)), NoPushes()) as world:
        authority.unlink()
        assert await problems(Source({"config": {"poll_hold": 1}}), world) == [("config.callback_ca", "invalid")]


async def test_a_secret_is_not_shown(world: World) -> None:
    account = {"secret_id": "AKIDown", "secret_key": "s3cret" * 50, "config": {"sign_key": "s3cret!"}}
    assert "s3cret" not in str(await refused(Source({"accounts": [account]}), world))


# --- what it costs


@pytest.mark.parametrize(
    "data",
    [
        {"config": {f"key{number}": 1 for number in range(20_000)}},
        {"events": [{"event_type": "NewFileUpload", "set": {f"FileUploadEvent.F{n}": 1}} for n in range(9_000)]},
        {"events": [{"counts": 1}] * 10_000},
        {"accounts": [{**OWN, "config": {"poll": 1}}] * 10_000},
    ],
)
async def test_at_most_100_problems_are_reported(world: World, data: object) -> None:
    error = await refused(Source(data), world)
    assert len(error.problems) == 100
    assert str(error).splitlines()[-1] == "only the first 100 problems are reported"
    assert str(error).count("; ") <= 10  # hints


async def test_a_large_scenario_lets_other_tasks_run(world: World) -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async with asyncio.TaskGroup() as tasks:
        counting = tasks.create_task(count())
        await apply(Source({"events": [{"file_id": str(number)} for number in range(2_000)]}), world)
        counting.cancel()
    assert turns > 2
    assert world.default.life.events.counts["queued"] == 2_000


# --- the schema


@pytest.mark.skipif(OLD_PYDANTIC, reason="it writes the same schema in another way")
def test_the_published_schema_is_that_of_the_models() -> None:
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == published_schema(), (
        "renew it with: mockvod scenario schema > fixtures/scenarios/schema.json"
    )


def test_the_published_schema_takes_durations_and_unquoted_ids() -> None:
    schema = jsonschema_rs.validator_for(published_schema())
    data: dict[str, Any] = {"config": {"poll_hold": "1s"}, "events": [{"at": "500ms", "file_id": 17}, {"at": 3}]}
    assert schema.is_valid(data)
    assert Scenario.model_validate(data, strict=True).config.poll_hold == 1
    assert not schema.is_valid({"events": [{"at": "soon"}]})
    assert not schema.is_valid({"event": []})
