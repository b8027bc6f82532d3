"""The control API: what each attempt sent and received."""

from typing import Any

import pytest
from aiohttp import web

from mockvod.engine import exchanges
from tests.http.asking import Control
from tests.support import Caller, Receiver


async def pushed(control: Control, receiver: Receiver, **config: Any) -> dict[str, Any]:
    await control.done("PATCH", "/config", {"callback_url": receiver.url, **config})
    [event] = (await control.done("POST", "/events"))["events"]
    await control.done("POST", "/wait", {"state": "delivered,failed", "id": event["id"]})
    [attempt] = (await control.done("GET", f"/events/{event['id']}/attempts"))["attempts"]
    found: dict[str, Any] = attempt
    return found


async def test_an_attempt_shows_its_request_and_its_response(control: Control, receiver: Receiver) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=202, text="taken", headers={"X-Worker": "7"})

    receiver.answering = answer
    attempt = await pushed(control, receiver)
    sent = dict(attempt["request"]["headers"])
    [received] = receiver.received
    assert sent["User-Agent"] == received.headers["User-Agent"] == "mockvod"
    assert sent["Host"] == received.headers["Host"]
    assert attempt["request"]["body"].encode() == received.body
    assert ["X-Worker", "7"] in attempt["response"]["headers"]
    assert (attempt["status"], attempt["response"]["reason"], attempt["answer"]) == (202, "Accepted", "taken")


async def test_cookies_of_a_receiver_are_not_shown(control: Control, receiver: Receiver) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(headers={"Set-Cookie": "session=opensesame", "X-Worker": "7"})

    receiver.answering = answer
    shown = (await pushed(control, receiver))["response"]["headers"]
    assert ["Set-Cookie", "***"] in shown
    assert "opensesame" not in str(shown)


@pytest.mark.parametrize("sign_in", ["body", "query"])
async def test_a_signed_attempt_is_checked(control: Control, receiver: Receiver, sign_in: str) -> None:
    attempt = await pushed(control, receiver, sign_key="opensesame", sign_in=sign_in)
    assert attempt["sign"] == "valid"


@pytest.mark.parametrize(("fault", "verdict"), [("wrong-sign", "wrong"), ("expired-sign", "expired")])
async def test_a_forged_sign_shows(control: Control, receiver: Receiver, fault: str, verdict: str) -> None:
    await control.done("POST", "/faults", {"fault": fault})
    attempt = await pushed(control, receiver, sign_key="opensesame")
    assert attempt["sign"] == verdict


async def test_an_attempt_without_a_sign_key_is_unsigned(control: Control, receiver: Receiver) -> None:
    assert (await pushed(control, receiver))["sign"] == "unsigned"


async def test_an_attempt_without_a_connection_shows_its_request_alone(control: Control, receiver: Receiver) -> None:
    receiver.url = "http://127.0.0.1:9/callback"
    attempt = await pushed(control, receiver, callback_retries=0)
    assert attempt["response"] is None
    assert attempt["request"]["url"] == receiver.url


async def test_the_oldest_requests_are_evicted(
    control: Control, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchanges, "MOST", 1)
    first = await pushed(control, receiver)
    await pushed(control, receiver)
    assert first["request"] is not None
    [again] = (await control.done("GET", "/events/evt_000001/attempts"))["attempts"]
    assert again["request"] is None
    assert again["number"] == 1


def test_exchanges_are_bounded_in_bytes() -> None:
    kept = exchanges.Exchanges()
    for number in range(100):
        kept.add(exchanges.Exchange(number, 0.0, 1, "", {}, bytes(exchanges.BODY_KEPT)))
    assert sum(len(list(kept.of(number))) for number in range(100)) <= exchanges.MOST_BYTES // exchanges.BODY_KEPT


async def test_an_unknown_event_has_no_attempts(control: Control, caller: Caller) -> None:
    assert (await control.refused("GET", "/events/evt_000009/attempts"))[:2] == (404, "no_such_event")
