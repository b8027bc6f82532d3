"""Faults by the control API: added, listed, removed; the same seed and calls give the same run."""

import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientError, ClientSession

from mockvod.app import Running
from mockvod.faults import recipes as cookbook
from mockvod.faults.base import Fault
from mockvod.faults.registry import FAULTS_MOST
from mockvod.faults.rules import RULES
from mockvod.faults.table import FAULTS
from mockvod.settings import RECIPES
from mockvod.testing.client import AsyncClient
from mockvod.testing.shapes import MockVodError
from tests.receivers import ended
from tests.support import Caller, Receiver

Start = Callable[..., Awaitable[Running]]
PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
JOB = {"MediaProcessTask": {"SnapshotByTimeOffsetTaskSet": [{"Definition": 10, "ExtTimeOffsetSet": ["1s"]}]}}


async def put(caller: Caller, given: Any, **query: Any) -> list[dict[str, Any]]:
    answer = await caller.control("POST", "/faults", given, **query)
    faults: list[dict[str, Any]] = answer["faults"]
    return faults


async def refused(caller: Caller, given: Any) -> tuple[str, str, str | None]:
    error = (await caller.control("POST", "/faults", given))["error"]
    return error["code"], error["message"], error["field"]


async def listed(caller: Caller) -> list[str]:
    return [one["fault"] for one in (await caller.control("GET", "/faults"))["faults"]]


# --- adding faults


async def test_adding_a_fault_returns_the_active_fault(caller: Caller) -> None:
    given = {"fault": "delay", "seconds": 3, "when": {"probability": 0.5}, "scope": {"event_type": "FileDeleted"}}
    [fault] = await put(caller, given)
    assert fault == {
        "id": "flt_000001",
        "fault": "delay",
        "recipe": None,
        "parameters": {"seconds": 3.0, "distribution": "fixed", "at_most": 60.0, "sigma": 1.0},
        "when": {"probability": 0.5},
        "scope": {"event_type": "FileDeleted"},
        "seen": 0,
        "fired": 0,
    }
    assert await caller.control("GET", "/faults") == {"seed": 7, "faults": [fault]}


@pytest.mark.parametrize("name", FAULTS)
async def test_every_fault_can_be_added_by_its_name_alone(caller: Caller, name: str) -> None:
    [fault] = await put(caller, {"fault": name})
    assert (fault["fault"], fault["when"], fault["scope"]) == (name, {"always": True}, {})
    assert list(fault["parameters"]) == [one.name for one in fields(FAULTS[name])]


@pytest.mark.parametrize(
    "when",
    [{"always": True}, {"probability": 0.1}, {"nth": 3}, {"first": 3}, {"every": 3}, {"until": 3.5}],
    ids=lambda when: next(iter(when)),
)
async def test_a_rule_says_when_a_fault_fires(caller: Caller, when: dict[str, Any]) -> None:
    [fault] = await put(caller, {"fault": "drop", "when": when})
    assert fault["when"] == when


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({}, "fault", "give either fault or recipe"),
        ({"fault": "drop", "recipe": "throttled"}, "fault", "give either fault or recipe"),
        ({"fault": "duplicat"}, "fault", "unknown fault 'duplicat'; did you mean duplicate?"),
        ({"fault": "?"}, "fault", "known: duplicate, reorder, delay"),
        ({"fault": 5}, "fault", "unknown fault 5"),
        ({"recipe": "lost-confirms"}, "recipe", "unknown recipe; did you mean lost-confirm?"),
        ({"fault": "duplicate", "copie": 2}, "copie", "did you mean copies?"),
        ({"fault": "duplicate", "copy": 2}, "copy", "copy: unknown field; did you mean scope?"),
        ({"fault": "duplicate", "copies": 0}, "copies", "greater than or equal to 1"),
        ({"fault": "duplicate", "copies": "2"}, "copies", "valid integer"),
        ({"fault": "http-status", "status": 404}, "status", "must be 500, 502, 503 or 504"),
        ({"fault": "error", "code": "InternalErr"}, "code", "did you mean InternalError?"),
        ({"fault": "drop", "when": {"nth": 1, "first": 1}}, "when", "give exactly one of always, probability"),
        ({"fault": "drop", "when": {}}, "when", "give exactly one of"),
        ({"fault": "drop", "when": {"probability": 1.1}}, "when.probability", "less than or equal to 1"),
        ({"fault": "drop", "when": {"probability": "0.1"}}, "when.probability", "valid number"),
        ({"fault": "drop", "when": {"always": False}}, "when.always", "must be True"),
        ({"fault": "drop", "when": {"often": 1}}, "when.often", "known: always, probability, nth"),
        ({"fault": "drop", "scope": {"event_type": "FileDelete"}}, "scope.event_type", "did you mean FileDeleted?"),
        ({"fault": "drop", "scope": {"action": "PullEvents"}}, "scope.action", "known: sub_app_id, event_type"),
        ({"fault": "reset", "scope": {"action": "PullEvent"}}, "scope.action", "did you mean PullEvents?"),
        ({"fault": "fewer", "scope": {"file_id": "1"}}, "scope.file_id", "known: sub_app_id"),
        ({"recipe": "throttled", "when": {"nth": 1}}, "when", "when: unknown field"),
    ],
)
async def test_an_invalid_fault_is_refused_with_what_to_change(
    caller: Caller, given: dict[str, Any], field: str, words: str
) -> None:
    code, message, where = await refused(caller, given)
    assert code in {"bad_value", "unknown_field"}
    assert where == field
    assert words in message
    assert await listed(caller) == []


async def test_the_application_of_the_query_is_the_scope(caller: Caller) -> None:
    assert [one["scope"] for one in await put(caller, {"fault": "drop"}, sub_app_id=5)] == [{"sub_app_id": 5}]
    given = {"fault": "drop", "scope": {"sub_app_id": 6}}
    assert [one["scope"] for one in await put(caller, given, sub_app_id=5)] == [{"sub_app_id": 6}]


async def test_an_accounts_own_sub_app_id_is_its_default_application(caller: Caller) -> None:
    made = await caller.control("POST", "/accounts", {"sub_app_id": 1500})
    given = {"fault": "drop", "scope": {"sub_app_id": 1500}}
    assert [one["scope"] for one in await put(caller, given, secret_id=made["secret_id"])] == [{"sub_app_id": 0}]
    answer = await caller.control("POST", "/events", {}, secret_id=made["secret_id"])
    assert [one["state"] for one in answer["events"]] == ["dropped"]


async def test_faults_belong_to_one_account(caller: Caller) -> None:
    made = await caller.control("POST", "/accounts", {})
    await put(caller, {"fault": "drop"}, secret_id=made["secret_id"])
    assert await listed(caller) == []
    [event] = await caller.emit()
    assert event["state"] == "queued"


# --- their end


async def test_removing_one_fault_keeps_the_others(caller: Caller) -> None:
    [drop] = await put(caller, {"fault": "drop"})
    await put(caller, {"fault": "reset", "scope": {"action": "PullEvents"}})
    answer = await caller.control("DELETE", f"/faults/{drop['id']}")
    assert [one["fault"] for one in answer["faults"]] == ["drop"]
    assert await listed(caller) == ["reset"]
    [event] = await caller.emit()
    assert event["state"] == "queued"


async def test_a_fault_that_is_not_active_cannot_be_removed(caller: Caller) -> None:
    answer = await caller.control("DELETE", "/faults/flt_000009")
    assert answer["error"]["code"] == "no_such_fault"


async def test_all_faults_are_removed_at_once(caller: Caller) -> None:
    for name in FAULTS:
        await put(caller, {"fault": name})
    answer = await caller.control("DELETE", "/faults")
    assert [one["fault"] for one in answer["faults"]] == list(FAULTS)
    assert await listed(caller) == []


async def test_a_reset_removes_all_faults_and_what_they_held_back(caller: Caller) -> None:
    await caller.clock.freeze()
    await put(caller, {"fault": "burst", "seconds": 10})
    await put(caller, {"fault": "delay", "seconds": 10})
    await caller.emit(count=3)
    await caller.control("POST", "/reset")
    assert await listed(caller) == []
    await caller.clock.freeze()
    await caller.clock.advance(100)
    assert (await caller.control("GET", "/stats"))["counts"]["queued"] == 0
    [fault] = await put(caller, {"fault": "drop"})
    assert fault["id"] == "flt_000001"  # and its random numbers are those of the first run


# --- the journal


async def test_the_journal_records_a_fault_from_its_start_to_its_end(caller: Caller) -> None:
    await put(caller, {"fault": "drop", "when": {"nth": 1}})
    [event] = await caller.emit()
    await caller.control("DELETE", "/faults")
    entries = (await caller.control("GET", "/journal"))["entries"]
    [begun, struck, over] = [entry for entry in entries if entry.get("fault") == "drop"]
    assert (begun["what"], begun["id"], begun["when"], begun["seed"]) == ("fault_set", "flt_000001", {"nth": 1}, 7)
    assert (struck["what"], struck["event"], struck["id"]) == ("fault", event["id"], "flt_000001")
    assert (over["what"], over["id"]) == ("fault_removed", "flt_000001")


async def test_a_fault_in_a_timeline_leaves_the_events_state_and_the_counts_alone(caller: Caller) -> None:
    await put(caller, {"fault": "lose-confirm"})
    [event] = await caller.emit()
    [pulled] = (await caller.call("PullEvents"))["EventSet"]
    await caller.call("ConfirmEvents", EventHandles=[pulled["EventHandle"]])
    found = await caller.event(event["id"])
    assert [entry["what"] for entry in found["timeline"]] == ["queued", "leased", "fault"]
    assert found["state"] == "leased"
    await caller.clock.freeze()
    await caller.clock.advance(30)
    counts = (await caller.control("GET", "/stats"))["counts"]
    assert {state: count for state, count in counts.items() if count} == {"queued": 1}
    answer = await caller.control("POST", "/wait", {"state": ["leased"], "timeout": 0})
    assert [one["id"] for one in answer["events"]] == [event["id"]]


# --- the page about faults


def rows() -> dict[str, list[str]]:
    """The rows of the page's tables: what a fault or recipe does, what it takes, a body that adds it."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| `")]
    return {row[0].strip("`"): row[1:] for row in cells}


def test_the_page_has_every_fault_with_its_parameters() -> None:
    page = rows()
    assert set(page) >= set(FAULTS)
    for name, fault in FAULTS.items():
        for one in fields(fault):
            assert f"`{one.name}` " in page[name][1], f"{name} takes {one.name}"


@pytest.mark.parametrize("name", [*FAULTS, *RECIPES])
async def test_the_page_adds_the_fault_that_it_sends(caller: Caller, name: str) -> None:
    given = json.loads(rows()[name][-1].strip("`"))
    assert given.get("fault", given.get("recipe")) == name
    await put(caller, given)


def test_the_page_gives_the_defaults_of_every_rule() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [name for name in RULES if f'`{{"{name}": ' not in text] == []


# --- recipes


def test_the_setting_knows_every_recipe() -> None:
    assert list(cookbook.RECIPES) == list(RECIPES)


@pytest.mark.parametrize("name", RECIPES)
async def test_a_recipe_adds_its_faults(caller: Caller, name: str) -> None:
    faults = await put(caller, {"recipe": name, "scope": {"sub_app_id": 5}})
    assert [one["fault"] for one in faults] == [fault.name for fault, _ in cookbook.RECIPES[name].faults]
    assert {one["recipe"] for one in faults} == {name}
    assert all(one["scope"] == {"sub_app_id": 5} for one in faults)


async def test_a_server_starts_with_the_recipes_of_its_settings(start: Start, session: ClientSession) -> None:
    caller = Caller(await start(faults="throttled,lost-confirm"), session)
    assert await listed(caller) == ["throttle", "lose-confirm", "fail-confirm"]
    await put(caller, {"fault": "drop"})
    await caller.control("POST", "/reset")
    assert await listed(caller) == ["throttle", "lose-confirm", "fail-confirm"]  # as at the start


async def test_recipes_are_changed_as_a_setting_and_leave_other_faults_alone(caller: Caller) -> None:
    await put(caller, {"fault": "drop"})
    await caller.control("PATCH", "/config", {"faults": "throttled"})
    assert await listed(caller) == ["drop", "throttle"]
    await caller.control("PATCH", "/config", {"poll_hold": 1})
    await caller.control("PATCH", "/config", {"faults": "lost-confirm"})
    assert await listed(caller) == ["drop", "lose-confirm", "fail-confirm"]
    await caller.control("PATCH", "/config", {"faults": ""})
    assert await listed(caller) == ["drop"]


async def test_an_account_is_made_with_recipes(caller: Caller) -> None:
    made = await caller.control("POST", "/accounts", {"config": {"faults": "throttled"}})
    answer = await caller.control("GET", "/faults", secret_id=made["secret_id"])
    assert [one["fault"] for one in answer["faults"]] == ["throttle"]


async def test_an_unknown_recipe_is_refused_with_the_nearest(caller: Caller) -> None:
    error = (await caller.control("PATCH", "/config", {"faults": "throttled,flaky-netwerk"}))["error"]
    assert (error["field"], "did you mean flaky-network?" in error["message"]) == ("faults", True)


# --- the same seed, the same run


@pytest.mark.parametrize("name", FAULTS)
async def test_the_same_seed_gives_the_same_run_with_faults(
    start: Start, session: ClientSession, receiver: Receiver, name: str
) -> None:
    run = pushed if FAULTS[name].group == "callback" else pulled
    first = await run(Caller(await start(), session), receiver, FAULTS[name])
    again = await run(Caller(await start(), session), receiver, FAULTS[name])
    assert first == again
    assert any(entry["what"] == "fault" for entry in first)


@pytest.mark.parametrize("name", ["duplicate", "lose-confirm", "error"])
async def test_another_seed_gives_another_run_with_faults(
    start: Start, session: ClientSession, receiver: Receiver, name: str
) -> None:
    runs = [await pulled(Caller(await start(seed=seed), session), receiver, FAULTS[name]) for seed in (7, 8)]
    fired = [[entry["seq"] for entry in run if entry["what"] == "fault"] for run in runs]
    assert fired[0] != fired[1]


async def pulled(caller: Caller, receiver: Receiver, fault: type[Fault]) -> list[dict[str, Any]]:
    """What happens to a worker that pulls and confirms, under a fault that fires half of the time."""
    # A second of the clock that is the same in every run, so that a rate per second is, too.
    await caller.clock.freeze()
    await caller.clock.set(1_900_000_000)
    await caller.control("PATCH", "/config", {"poll_hold": 0, "settle_grace": 0.05})
    parameters = {"throttle": {"rate": 0}, "latency": {"seconds": 0}, "dribble": {"seconds": 0}}.get(fault.name, {})
    await put(caller, {"fault": fault.name, "when": {"probability": 0.5}, **parameters})
    for _ in range(12):
        await caller.emit(count=3)
        with suppress(ClientError, AssertionError, UnicodeDecodeError, ValueError):
            await caller.call("ProcessMedia", FileId="528", **JOB)
        with suppress(ClientError, AssertionError, UnicodeDecodeError, ValueError):
            events = (await caller.call("PullEvents")).get("EventSet", [])
            await caller.call("ConfirmEvents", EventHandles=[one["EventHandle"] for one in events])
        await caller.clock.advance(3)
    return await story(caller)


async def pushed(caller: Caller, receiver: Receiver, fault: type[Fault]) -> list[dict[str, Any]]:
    """What happens to a receiver, under a fault that fires half of the time."""
    await caller.clock.freeze()
    await caller.control(
        "PATCH",
        "/config",
        {"callback_url": receiver.url, "sign_key": "key", "callback_pause": 0, "callback_concurrency": 1},
    )
    await put(caller, {"fault": fault.name, "when": {"probability": 0.5}})
    for _ in range(8):
        [event] = await caller.emit()
        await caller.clock.advance(5)
        await ended(caller.account, event["id"])
    return await story(caller)


async def story(caller: Caller) -> list[dict[str, Any]]:
    """The journal, less what is measured."""
    measured = {"at", "due", "url", "attempt"}
    entries = (await caller.control("GET", "/journal"))["entries"]
    return [{name: value for name, value in entry.items() if name not in measured} for entry in entries]


# --- the clients


async def test_the_client_adds_and_removes_faults(caller: Caller) -> None:
    async with AsyncClient(caller.running.url) as client:
        fault = await client.fault("duplicate", copies=2, when={"probability": 0.5}, scope={"file_id": "1"})
        assert (fault.fault, fault.parameters["copies"], fault.when, fault.scope) == (
            "duplicate",
            2,
            {"probability": 0.5},
            {"file_id": "1"},
        )
        recipe = await client.recipe("throttled")
        assert await client.faults() == [fault, *recipe]
        assert await client.clear_faults(fault.id) == [fault]
        assert await client.clear_faults() == recipe
        assert await client.faults() == []


async def test_more_faults_than_an_account_may_have_are_refused(caller: Caller) -> None:
    faults = caller.account.life.faults
    for _ in range(FAULTS_MOST):
        faults.add(FAULTS["drop"]())
    async with AsyncClient(caller.running.url) as client:
        with pytest.raises(MockVodError, match="at most 200 active faults") as refused:
            await client.fault("drop")
    assert (refused.value.status, refused.value.code) == (409, "too_many")
