"""Applications are made when first named, but not by a GET; their number is bounded."""

import pytest
from aiohttp import ClientSession

from mockvod.http.control.routes import ROUTES
from mockvod.scenario.check import read
from mockvod.scenario.source import ScenarioError, Source
from mockvod.wire.signing import LEGACY_PATH
from tests.http.asking import Start
from tests.support import Caller


@pytest.fixture
async def caller(start: Start, session: ClientSession, monkeypatch: pytest.MonkeyPatch) -> Caller:
    monkeypatch.setattr("mockvod.service.life.MAX_APPLICATIONS", 3)
    monkeypatch.setattr("mockvod.scenario.check.MAX_APPLICATIONS", 3)
    return Caller(await start(), session)


@pytest.mark.parametrize("path", [one.path for one in ROUTES if one.method == "GET" and one.scoped])
async def test_a_get_makes_no_application(caller: Caller, path: str) -> None:
    path = path.format(id="evt_000001")
    query = {"probe": "true"} if path == "/diagnosis" else {}
    await caller.control("GET", path, sub_app_id=5, **query)
    await caller.control("GET", path)
    assert caller.account.life.applications() == []


async def test_a_get_of_an_unnamed_application_shows_what_it_would_start_with(caller: Caller) -> None:
    assert await caller.control("GET", "/config", sub_app_id=5) == await caller.control("GET", "/config", sub_app_id=6)
    assert (await caller.control("GET", "/media", sub_app_id=5), caller.account.life.applications()) == (
        {"media": []},
        [],
    )


async def test_the_number_of_applications_is_bounded(caller: Caller) -> None:
    for sub_app_id in (1, 2, 3):
        await caller.control("POST", "/events", {}, sub_app_id=sub_app_id)
    error = (await caller.control("POST", "/events", {}, sub_app_id=4))["error"]
    assert (error["code"], error["field"]) == ("too_many", "sub_app_id")
    assert error["message"] == (
        "the default account has 3 applications, which is the limit: use fewer SubAppIds, or reset the account"
    )
    assert (await caller.call("PullEvents", SubAppId=4))["Error"]["Code"].startswith("InvalidParameterValue")
    async with caller.session.get(f"{caller.running.url}{LEGACY_PATH}?Action=PullEvent&SubAppId=4") as response:
        assert "SubAppId" in await response.text()
    with pytest.raises(ScenarioError):
        await read(Source({"events": [{"sub_app_id": 4}]}), caller.running.world)
    await caller.emit()  # the default application is always there
    assert len(caller.account.life.applications()) == 4
    await caller.control("POST", "/reset")
    await caller.control("POST", "/events", {}, sub_app_id=4)
    assert len(caller.account.life.applications()) == 1
