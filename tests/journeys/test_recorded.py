"""Notifications as they were recorded, emitted and received again."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from mockvod.app import Running
from tests.receivers import ended
from tests.support import Caller, Receiver

Start = Callable[..., Awaitable[Running]]
RECORDED = Path(__file__).parents[2] / "fixtures" / "recorded"
JOB = '"MediaProcessTask":{"SnapshotByTimeOffsetTaskSet":[{"Definition":10,"ExtTimeOffsetSet":["1s"]}]}'


def recorded(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))
    return content


@pytest.mark.parametrize("name", ["push_13_keys", "miniprogram_field"])
async def test_a_recorded_push_is_pulled_and_pushed_key_for_key(
    start: Start, session: ClientSession, receiver: Receiver, name: str
) -> None:
    caller = Caller(await start(profile="recorded", poll_hold=0), session)
    event = recorded(name)
    [queued] = await caller.emit(event=event)
    assert queued["event_type"] == event["EventType"]
    [pulled] = (await caller.call("PullEvents"))["EventSet"]
    assert pulled.pop("EventHandle")
    await caller.control("PATCH", "/config", {"callback_url": receiver.url, "mode": "PUSH"})
    [pushed] = await caller.emit(event=event)
    assert await ended(caller.account, pushed["id"]) == ["delivered"]
    for content in (pulled, receiver.received[0].event):
        if len(event) == 1 + 13:  # a whole one keeps the order of its keys, too
            assert json.dumps(content) == json.dumps(event)
        assert {name: value for name, value in content.items() if value is not None} == {
            name: value for name, value in event.items() if value is not None
        }
        assert len(content) == 1 + 13


@pytest.mark.parametrize("name", ["callback_2_0"])
async def test_an_event_of_api_2_0_is_refused_with_what_to_emit(caller: Caller, name: str) -> None:
    error = (await caller.control("POST", "/events", {"event": recorded(name)}))["error"]
    assert (error["code"], error["field"]) == ("bad_event", "event")
    assert "API 2.0" in error["message"]


async def test_a_lone_surrogate_in_a_job_is_refused_when_the_call_comes(caller: Caller) -> None:
    body = '{"FileId":"1","SessionContext":"\\ud800",' + JOB + "}"
    headers = {"X-TC-Action": "ProcessMedia", "X-TC-Version": "2018-07-17", "Content-Type": "application/json"}
    async with caller.session.post(caller.running.url + "/", data=body, headers=headers) as response:
        error = json.loads(await response.read())["Response"]["Error"]
    assert (error["Code"], "`SessionContext`" in error["Message"]) == ("InvalidParameterValue", True)
    assert caller.account.life.application().tasks.active == 0
