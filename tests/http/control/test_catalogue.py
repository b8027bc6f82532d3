"""The control API: what can be chosen from, and what the server is."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import ClientSession

from mockvod import __version__
from mockvod.app import Running, serving
from mockvod.settings import RECIPES, Settings
from mockvod.wire.events import CARRIERS
from tests.http.asking import Control
from tests.support import Caller

Start = Callable[..., Awaitable[Running]]


async def test_every_event_type_is_listed_and_has_an_example_that_can_be_emitted(control: Control) -> None:
    listed = await control.done("GET", "/event-types")
    assert {one["event_type"]: one["field"] for one in listed["event_types"]} == CARRIERS
    for name in CARRIERS:
        found = await control.done("GET", f"/event-types/{name}")
        assert found["example"]["EventType"] == name
        await control.done("POST", "/events", {"event": found["example"]})


async def test_an_unknown_event_type_is_refused(control: Control) -> None:
    status, code, _, field = await control.refused("GET", "/event-types/NewFileUplod")
    assert (status, code, field) == (404, "no_such_event_type", "name")


async def test_every_fault_is_listed_with_its_parameters(control: Control) -> None:
    listed = await control.done("GET", "/fault-types")
    duplicate = next(one for one in listed["faults"] if one["fault"] == "duplicate")
    parameters = {one["name"]: one["json_schema"] for one in duplicate["parameters"]}
    assert parameters["copies"]["type"] == "integer"
    assert duplicate["group"] == "delivery"
    assert "event_type" in duplicate["scope"]


async def test_every_recipe_is_listed_with_faults_that_can_be_added(control: Control) -> None:
    listed = await control.done("GET", "/fault-types")
    assert {one["recipe"] for one in listed["recipes"]} == set(RECIPES)
    for recipe in listed["recipes"]:
        for one in recipe["faults"]:
            await control.done("POST", "/faults", {"fault": one["fault"], "when": one["when"], **one["parameters"]})


async def test_the_packaged_scenarios_can_be_applied_as_they_are_listed(control: Control) -> None:
    listed = (await control.done("GET", "/scenarios"))["scenarios"]
    assert "pull-worker" in {one["name"] for one in listed}
    for one in listed:
        assert one["description"]
        await control.done("PUT", "/scenario", one["scenario"])


async def test_the_server_says_its_version_its_seed_and_where_its_console_is(control: Control) -> None:
    server = await control.done("GET", "/server")
    assert (server["version"], server["seed"], server["console"]) == (__version__, 7, "/mockvod/")


def by_name(answer: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in answer["settings"]}


async def test_every_setting_is_listed_with_its_value_and_scope(control: Control) -> None:
    settings = by_name(await control.done("GET", "/settings"))
    assert set(settings) == set(Settings.model_fields)
    assert settings["seed"]["scope"] == "server"
    assert (settings["poll_hold"]["scope"], settings["poll_hold"]["value"]) == ("account", 5.0)
    assert settings["mode"]["scope"] == "application"
    assert settings["mode"]["kind"] == "PULL|PUSH"


async def test_a_setting_says_where_its_value_came_from(session: ClientSession) -> None:
    settings = Settings(port=0, seed=7, poll_hold=1.0)
    async with serving(settings, {"poll_hold": "flag --poll-hold"}) as running:
        control = Control(Caller(running, session))
        await control.done("PATCH", "/config", {"retention": 60})
        found = by_name(await control.done("GET", "/settings"))
    origins = {name: found[name]["origin"] for name in ("poll_hold", "retention", "seed", "auth")}
    assert origins == {
        "poll_hold": "flag --poll-hold",
        "retention": "control API",
        "seed": "argument",
        "auth": "default",
    }


async def test_a_secret_is_not_shown_among_the_settings(start: Start, session: ClientSession) -> None:
    running = await start(secret_id="AKID", secret_key="canary", sign_key="canary")
    async with session.get(f"{running.url}/mockvod/v1/settings") as response:
        text = await response.text()
    assert "canary" not in text
    assert "***" in text


async def test_showing_the_settings_makes_no_application(control: Control, caller: Caller) -> None:
    await control.done("GET", "/settings", sub_app_id=1500000001)
    assert caller.account.life.applications() == []
