"""A scenario on its way into a server: at the start, over the control API, and looked at beforehand."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from mockvod.app import Running, WrongScenario
from mockvod.cli import main as cli
from mockvod.http.control.scenario import MOST_TEXT, ScenarioBody
from mockvod.scenario.models import Scenario, published_schema
from tests.support import Caller, Receiver

Start = Callable[..., Awaitable[Running]]
WORKER = {"secret_id": "AKIDworker", "secret_key": "key", "sub_app_id": 5, "frozen": True}


def command(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert isinstance(ended.value.code, int)
    return ended.value.code, *capsys.readouterr()


# --- at the start


async def test_a_server_is_ready_with_its_scenario_applied(start: Start, session: ClientSession) -> None:
    running = await start(scenario="pull-worker")
    caller = Caller(running, session)
    async with session.get(f"{running.url}/mockvod/readyz") as ready:
        assert ready.status == 200
    event_set = (await caller.call("PullEvents"))["EventSet"]
    assert [event["EventType"] for event in event_set] == [
        "CreateSnapshotByTimeOffsetComplete",
        "CreateSnapshotByTimeOffsetComplete",
        "FileDeleted",
    ]


async def test_a_server_does_not_start_with_an_invalid_scenario(start: Start, tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text("events:\n  - att: 5\nconfigs: {}", encoding="utf-8")
    with pytest.raises(WrongScenario) as refused:
        await start(scenario=str(tmp_path / "wrong.yaml"))
    assert str(refused.value).splitlines() == [
        f"{tmp_path}/wrong.yaml:2: events.0.att: unknown key; did you mean at?",
        f"{tmp_path}/wrong.yaml:3: configs: unknown key; did you mean config?",
    ]


@pytest.mark.parametrize("name", ["serve", "demo"])
def test_a_wrong_scenario_at_the_start_ends_with_2_and_no_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MOCKVOD_SCENARIO", "wrong.json")
    Path("wrong.json").write_text('{"events":\n[{"count": 0}]}', encoding="utf-8")
    code, out, err = command(capsys, name, "--port", "0")
    assert (code, out) == (2, "")
    assert err.endswith("invalid scenario:\nwrong.json:2: events.0.count: must be greater than or equal to 1, got 0\n")
    assert "Traceback" not in err


async def test_a_push_of_a_scenario_arrives(start: Start, receiver: Receiver, tmp_path: Path) -> None:
    path = tmp_path / "push.json"
    path.write_text(json.dumps({"config": {"callback_url": receiver.url}, "events": [{"file_id": 17}]}))
    await start(scenario=str(path))
    [received] = await receiver.wait_for(1)
    assert received.event["SnapshotByTimeOffsetCompleteEvent"]["FileId"] == "17"


# --- over the control API


async def test_a_scenario_is_added_to_a_running_server(caller: Caller) -> None:
    scenario = {
        "frozen": True,
        "accounts": [WORKER],
        "applications": [{"account": "AKIDworker", "media": [{"file_id": "1", "duration": "5m"}]}],
        "events": [{"account": "AKIDworker", "at": "5m"}, {"every": 60, "at": 60}],
    }
    applied = await caller.control("PUT", "/scenario", scenario)
    assert applied == {"accounts": 1, "applications": 1, "templates": 0, "procedures": 0, "media": 1, "events": 2}
    clock = await caller.control("GET", "/clock", secret_id="AKIDworker")
    assert clock["frozen"] is True
    assert [one["what"] for one in clock["waiting"]] == ["evt_000001 happens"]
    await caller.control("POST", "/clock", {"advance": 300}, secret_id="AKIDworker")
    assert caller.running.world.account("AKIDworker").life.application().queue.visible == 1
    await caller.control("POST", "/clock", {"advance": 300})
    assert caller.account.life.application().queue.visible == 5


async def test_an_invalid_scenario_changes_nothing_and_reports_all_problems(caller: Caller) -> None:
    scenario = {"config": {"poll_hold": 1}, "accounts": [WORKER, WORKER], "events": [{"at": -1}]}
    async with caller.session.put(f"{caller.running.url}/mockvod/v1/scenario", json=scenario) as response:
        assert response.status == 400
        answer: dict[str, Any] = await response.json()
    assert answer["problems"] == [
        {"key": "events.0.at", "code": "invalid", "message": "must be greater than or equal to 0, got -1"},
        {"key": "accounts.1.secret_id", "code": "duplicate", "message": "'AKIDworker' is given twice"},
    ]
    assert answer["error"] == {
        "code": "bad_scenario",
        "message": "events.0.at: must be greater than or equal to 0, got -1; see problems for 1 more",
        "field": "events.0.at",
    }
    assert caller.running.world.accounts() == [caller.account]
    assert caller.account.life.settings.poll_hold == 5


async def test_two_scenarios_at_once_cannot_make_one_account_twice(caller: Caller) -> None:
    answers = await asyncio.gather(*(caller.control("PUT", "/scenario", {"accounts": [WORKER]}) for _ in range(4)))
    assert sum("error" not in answer for answer in answers) == 1


@pytest.mark.parametrize("body", [[], 7, "text", {"unknown": 1}, {"events": None}])
async def test_an_invalid_body_is_no_scenario(caller: Caller, body: Any) -> None:
    assert (await caller.control("PUT", "/scenario", body))["error"]["code"] in {"bad_value", "bad_scenario"}


async def test_a_scenario_file_is_applied_unchanged(caller: Caller) -> None:
    text = "events:\n  - count: 2\n"
    applied = await caller.control("POST", "/scenario/file", {"name": "mine.yaml", "text": text})
    assert applied["events"] == 1
    assert caller.account.life.application().queue.visible == 2
    assert (await caller.control("POST", "/scenario/file", {"name": "a.json", "text": "{}"}))["events"] == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("events:\n  - att: 5\n", "mine.yaml:2: events.0.att: unknown key; did you mean at?"),
        ("events: [\n", "mine.yaml:2: is not YAML: expected the node content, but found '<stream end>'"),
        ("", "mine.yaml: is empty"),
    ],
)
async def test_a_scenario_file_that_is_wrong_is_rejected_with_its_line(caller: Caller, text: str, message: str) -> None:
    answer = await caller.control("POST", "/scenario/file", {"name": "mine.yaml", "text": text})
    assert (answer["error"]["code"], answer["error"]["message"]) == ("bad_scenario", message)


async def test_a_scenario_file_without_pyyaml_says_what_to_install(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mockvod.scenario.reader", None)
    answer = await caller.control("POST", "/scenario/file", {"text": "events: []"})
    assert "PyYAML" in answer["error"]["message"]


async def test_a_scenario_file_that_is_too_large_is_rejected(caller: Caller) -> None:
    answer = await caller.control("POST", "/scenario/file", {"text": "#" * (MOST_TEXT + 1)})
    assert (answer["error"]["code"], answer["error"]["field"]) == ("bad_value", "text")


def test_the_body_names_the_keys_of_a_scenario() -> None:
    assert set(ScenarioBody.model_fields) == set(Scenario.model_fields)


# --- looked at beforehand


def test_a_valid_scenario_is_summarized(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = command(capsys, "scenario", "check", "two-applications")
    assert (code, err) == (0, "")
    assert out == "two-applications is valid: 1 account, 2 applications, 1 template, 1 procedure, 2 media, 2 events\n"


def test_an_invalid_scenario_is_reported_line_by_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("wrong.yaml").write_text("frozen: perhaps\nevents: [{failed: [1]}]", encoding="utf-8")
    code, out, err = command(capsys, "scenario", "check", "wrong.yaml")
    assert (code, out) == (1, "")
    assert err.splitlines() == [
        "mockvod: invalid scenario:",
        "wrong.yaml:1: frozen: must be a valid boolean, got 'perhaps'",
        "wrong.yaml:2: events.0.failed: [1] must be among the time_offsets",
    ]


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = command(capsys, "scenario", "schema")
    assert (code, json.loads(out)) == (0, published_schema())
