"""The built-in receiver: what it received, and how it responds."""

import asyncio
from typing import Any

import pytest
from aiohttp import ClientSession, ServerDisconnectedError

from mockvod.service import inbox
from tests.http.asking import FROZEN, Control
from tests.support import Caller


async def pushed(control: Control, caller: Caller, **config: Any) -> dict[str, Any]:
    """An event that was pushed to the inbox, and has ended."""
    await control.done("PATCH", "/config", {"callback_url": f"{caller.running.url}/mockvod/inbox", **config})
    [event] = await caller.emit()
    await control.done("POST", "/wait", {"state": "delivered,failed", "id": event["id"]})
    return await caller.event(event["id"])


async def test_a_push_to_the_inbox_is_delivered_and_shown(control: Control, caller: Caller) -> None:
    event = await pushed(control, caller, sign_key="opensesame")
    found = await control.done("GET", "/inbox")
    [request] = found["requests"]
    assert event["state"] == "delivered"
    assert (request["method"], request["url"], request["sign"]) == ("POST", "/mockvod/inbox", "valid")
    assert event["task_id"] in request["body"]
    assert found["received"] == 1
    assert "mockvod" in dict(request["headers"]).values()


async def test_the_inbox_responds_as_programmed(control: Control, caller: Caller, session: ClientSession) -> None:
    steps = [{"status": 500, "times": 2}, {"status": 404, "body": "gone", "times": 1}]
    await control.done("PUT", "/inbox", {"responses": steps})
    statuses = []
    for _ in range(4):
        async with session.post(f"{caller.running.url}/mockvod/inbox/anything") as response:
            statuses.append(response.status)
    assert statuses == [500, 500, 404, 200]


async def test_what_is_left_of_the_program_is_shown(control: Control, caller: Caller, session: ClientSession) -> None:
    await control.done("PUT", "/inbox", {"responses": [{"status": 500, "times": 3}, {"status": 204}]})
    async with session.post(f"{caller.running.url}/mockvod/inbox"):
        found = await control.done("GET", "/inbox")
    assert [(one["status"], one["times"]) for one in found["responses"]] == [(500, 2), (204, None)]


async def test_the_inbox_hangs_up(control: Control, caller: Caller) -> None:
    await control.done("PUT", "/inbox", {"responses": [{"hang_up": True}]})
    event = await pushed(control, caller, callback_retries=0)
    assert event["attempts"][0]["error"].startswith("connection closed")


async def test_the_delay_of_the_inbox_is_on_the_accounts_clock(control: Control, caller: Caller) -> None:
    await control.done("PUT", "/inbox", {"responses": [{"delay": 4.5}]})
    await control.done("POST", "/clock", FROZEN)
    await control.done("PATCH", "/config", {"callback_url": f"{caller.running.url}/mockvod/inbox"})
    [event] = await caller.emit()
    await control.done("POST", "/clock", {"advance": 4})
    assert (await caller.event(event["id"]))["state"] == "delivering"
    await control.done("POST", "/clock", {"advance": 0.5})
    await control.done("POST", "/wait", {"state": "delivered", "id": event["id"]})


async def test_a_reset_ends_a_delay_and_empties_the_inbox(
    control: Control, caller: Caller, session: ClientSession
) -> None:
    await control.done("PUT", "/inbox", {"responses": [{"delay": 3600}]})
    await control.done("POST", "/clock", FROZEN)
    waiting = asyncio.create_task(session.post(f"{caller.running.url}/mockvod/inbox"))
    while not (await control.done("GET", "/inbox"))["received"]:
        pass
    await control.done("POST", "/reset")
    async with await waiting as response:
        assert response.status == 200
    found = await control.done("GET", "/inbox")
    assert (found["received"], found["requests"], found["responses"][0]["delay"]) == (0, [], 0)


async def test_each_account_has_an_inbox_of_its_own(control: Control, caller: Caller, session: ClientSession) -> None:
    await control.done("POST", "/accounts", {"secret_id": "AKIDother"})
    other = await control.done("GET", "/inbox", secret_id="AKIDother")
    async with session.post(caller.running.url + other["url"]) as response:
        assert response.status == 200
    assert (await control.done("GET", "/inbox", secret_id="AKIDother"))["received"] == 1
    assert (await control.done("GET", "/inbox"))["received"] == 0
    async with session.post(f"{caller.running.url}/mockvod/inbox?secret_id=nobody") as response:
        assert response.status == 404


async def test_an_entry_of_the_journal_says_that_a_request_came(
    control: Control, caller: Caller, session: ClientSession
) -> None:
    async with session.post(f"{caller.running.url}/mockvod/inbox"):
        pass
    entries = (await control.done("GET", "/journal"))["entries"]
    assert [(one["number"], one["status"]) for one in entries if one["what"] == "inbox"] == [(1, 200)]


async def test_a_cleared_inbox_keeps_its_program(control: Control, caller: Caller, session: ClientSession) -> None:
    await control.done("PUT", "/inbox", {"responses": [{"status": 201}]})
    async with session.post(f"{caller.running.url}/mockvod/inbox"):
        pass
    found = await control.done("DELETE", "/inbox")
    assert (found["requests"], found["responses"][0]["status"]) == ([], 201)


@pytest.mark.parametrize(
    "responses",
    [[], [{"status": 99}], [{"status": 200}, {"status": 500}], [{"delay": -1}], [{"sttus": 200}], [{"times": 0}]],
)
async def test_an_invalid_program_is_rejected(control: Control, responses: list[Any]) -> None:
    status, _, message, _ = await control.refused("PUT", "/inbox", {"responses": responses})
    assert status == 400
    assert "responses" in message


async def test_the_inbox_is_bounded_in_count_and_bytes() -> None:
    kept = inbox.Inbox()
    for number in range(inbox.MOST + 10):
        body = bytes(inbox.BODY_KEPT if number % 2 else 10)
        kept.add(inbox.Received(number, 0.0, "POST", "/", [], body, len(body), "unsigned", inbox.Response()))
    assert len(kept.requests()) <= inbox.MOST
    assert sum(one.kept_bytes for one in kept.requests()) <= inbox.MOST_BYTES


async def test_any_request_to_the_inbox_is_shown(control: Control, session: ClientSession, caller: Caller) -> None:
    async with session.get(f"{caller.running.url}/mockvod/inbox/deep?T=x&Sign=y") as response:
        assert response.status == 200
    [request] = (await control.done("GET", "/inbox"))["requests"]
    assert (request["method"], request["sign"]) == ("GET", "wrong")


async def test_the_inbox_hangs_up_on_any_client(control: Control, session: ClientSession, caller: Caller) -> None:
    await control.done("PUT", "/inbox", {"responses": [{"hang_up": True}]})
    with pytest.raises(ServerDisconnectedError):
        await session.post(f"{caller.running.url}/mockvod/inbox")
