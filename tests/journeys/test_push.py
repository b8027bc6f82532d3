"""An event walked through normal callback."""

import hashlib
import json
from typing import Any

import pytest
from aiohttp import ClientSession, web

from mockvod.engine.events import event_number
from mockvod.wire.events import SNAPSHOT_COMPLETE
from tests.receivers import ended, free_port, hanging, receiving
from tests.support import Caller, Receiver


async def push_to(caller: Caller, url: str, /, app: int | None = None, **changes: Any) -> None:
    query = {} if app is None else {"sub_app_id": app}
    answer = await caller.control("PATCH", "/config", {"callback_url": url, **changes}, **query)
    assert "error" not in answer, answer


async def emit(caller: Caller, **options: Any) -> str:
    [event] = await caller.emit(**options)
    event_id: str = event["id"]
    return event_id


async def delivered(caller: Caller, **options: Any) -> dict[str, Any]:
    event_id = await emit(caller, **options)
    assert await ended(caller.account, event_id) == ["delivered"]
    return await caller.event(event_id)


def rendered(caller: Caller, event_id: str) -> bytes:
    event = caller.account.life.events.find(event_number(event_id) or 0)
    assert event is not None
    return event.body


# --- what arrives, and what is known of it


async def test_an_event_arrives_as_a_post_of_json(caller: Caller, receiver: Receiver) -> None:
    await push_to(caller, receiver.url)
    event = await delivered(caller, time_offsets=[10000, 20000])
    [one] = receiver.received
    assert (one.method, one.path) == ("POST", "/callback")
    assert one.headers["Content-Type"] == "application/json"
    assert one.headers["User-Agent"] == "mockvod"
    assert one.headers["Accept-Encoding"] == "identity"
    assert one.body == rendered(caller, event["id"])
    assert one.event["SnapshotByTimeOffsetCompleteEvent"]["TaskId"] == event["task_id"]
    assert "EventHandle" not in one.event


async def test_what_is_pushed_is_what_pull_events_gives_less_the_handle(
    caller: Caller, receiver: Receiver, session: ClientSession
) -> None:
    await push_to(caller, receiver.url)
    event = await delivered(caller)
    await caller.call("ModifyEventConfig", Mode="PULL")
    await caller.control("POST", f"/events/{event['id']}/redeliver")
    headers = {"X-TC-Action": "PullEvents", "X-TC-Version": "2018-07-17"}
    async with session.post(caller.running.url, json={}, headers=headers) as response:
        raw = await response.read()
    pulled = raw.partition(b'"EventSet":[')[2].rpartition(b"],")[0]
    handle = json.loads(pulled)["EventHandle"]
    assert pulled == b'{"EventHandle":"%b",%b' % (handle.encode(), receiver.received[0].body[1:])


async def test_an_attempt_is_recorded_with_its_time_status_and_response(caller: Caller, receiver: Receiver) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=201, text="é" + 1000 * "x")

    receiver.answering = answer
    await caller.clock.freeze()
    await push_to(caller, receiver.url)
    event = await delivered(caller)
    [attempt] = event["attempts"]
    assert attempt.pop("answer").startswith("éxxx")
    assert attempt == {
        "number": 1,
        "url": receiver.url,
        "started_at": caller.clock.epoch(),
        "duration": 0.0,
        "status": 201,
        "error": None,
    }
    assert [entry["what"] for entry in event["timeline"]] == ["delivering", "attempt", "delivered"]


async def test_an_event_of_more_than_a_mebibyte_arrives_whole(caller: Caller) -> None:
    sizes: list[int] = []

    async def answer(request: web.Request) -> web.Response:
        sizes.append(len(await request.read()))
        return web.Response()

    app = web.Application(client_max_size=0)
    app.router.add_post("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    await push_to(caller, f"http://127.0.0.1:{runner.addresses[0][1]}/")
    application = caller.account.life.application()
    pictures = [{"ErrCode": 0, "TimeOffset": n, "Url": 2000 * "x"} for n in range(1000)]
    event = application.emit(SNAPSHOT_COMPLETE, application.snapshot_task(snapshots=pictures))
    assert await ended(caller.account, event.id) == ["delivered"]
    await runner.cleanup()
    assert sizes == [len(event.body)]
    assert sizes[0] > 1024 * 1024


async def test_events_of_several_applications_go_each_to_its_own_address(caller: Caller, receiver: Receiver) -> None:
    apps = (None, 1500000001, 1500000002)
    for app in apps:
        await push_to(caller, f"{receiver.url}/{app}", app)
    ids: dict[int | None, list[str]] = {}
    for app in apps:
        query = {} if app is None else {"sub_app_id": app}
        answer = await caller.control("POST", "/events", {"count": 50}, **query)
        ids[app] = [event["id"] for event in answer["events"]]
    assert set(await ended(caller.account, *(one for group in ids.values() for one in group))) == {"delivered"}
    for app in apps:
        came = {one.body for one in receiver.received if one.path == f"/callback/{app}"}
        assert came == {rendered(caller, one) for one in ids[app]}


# --- Sign and T


async def test_a_sign_key_adds_sign_and_t_to_the_body(caller: Caller, receiver: Receiver) -> None:
    await caller.clock.freeze()
    await push_to(caller, receiver.url, sign_key="key123")
    event = await delivered(caller)
    [one] = receiver.received
    t = int(caller.clock.epoch()) + 600
    sign = hashlib.md5(f"key123{t}".encode()).hexdigest()
    assert one.body == rendered(caller, event["id"])[:-1] + f',"Sign":"{sign}","T":{t}}}'.encode()


async def test_each_attempt_has_a_t_of_its_own(caller: Caller, receiver: Receiver) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=503)

    receiver.answering = answer
    await caller.clock.freeze()
    await push_to(caller, receiver.url, sign_key="key", callback_retry_on_status=True, callback_pause=60)
    start = int(caller.clock.epoch())
    await emit(caller)
    await caller.clock.advance(120)
    assert [one.event["T"] - start for one in receiver.received] == [600, 660, 720]
    assert len({one.event["Sign"] for one in receiver.received}) == 3


async def test_sign_and_t_can_go_into_the_query_string(caller: Caller, receiver: Receiver) -> None:
    await caller.clock.freeze()
    await push_to(caller, receiver.url + "?tenant=a%20b&Sign=old", sign_key="key", sign_in="query")
    event = await delivered(caller)
    [one] = receiver.received
    t = str(int(caller.clock.epoch()) + 600)
    assert one.query == {"tenant": "a b", "Sign": hashlib.md5(f"key{t}".encode()).hexdigest(), "T": t}
    assert one.body == rendered(caller, event["id"])
    assert event["attempts"][0]["url"] == receiver.url + "?tenant=a%20b&Sign=old"


# --- the legacy form


async def test_format_2_0_pushes_the_legacy_body_alone(caller: Caller, receiver: Receiver) -> None:
    await push_to(caller, receiver.url, callback_format="2.0")
    event = await delivered(caller, time_offsets=[10000, 20000], failed=[20000])
    [one] = receiver.received
    assert (one.event["version"], one.event["eventType"]) == ("4.0", "CreateSnapshotByTimeOffsetComplete")
    assert one.event["data"]["vodTaskId"] == event["task_id"]
    assert [picture["status"] for picture in one.event["data"]["picInfo"]] == [0, -46204]


async def test_both_formats_go_each_to_its_address_and_both_are_signed(caller: Caller, receiver: Receiver) -> None:
    urls: dict[str, Any] = {"callback_url_v2": receiver.url + "/v2", "callback_format": "both", "sign_key": "key"}
    await push_to(caller, receiver.url + "/v3", **urls)
    event = await delivered(caller)
    came = {one.path: one.event for one in receiver.received}
    assert came["/callback/v3"]["EventType"] == came["/callback/v2"]["eventType"]
    assert all({"Sign", "T"} <= body.keys() for body in came.values())
    assert len(event["attempts"]) == 2


async def test_an_event_with_two_addresses_fails_when_one_of_them_does(caller: Caller, receiver: Receiver) -> None:
    gone = f"http://127.0.0.1:{free_port()}/v2"
    await push_to(caller, receiver.url, callback_url_v2=gone, callback_format="both", callback_retries=0)
    event_id = await emit(caller)
    assert await ended(caller.account, event_id) == ["failed"]
    assert len(receiver.received) == 1
    event = await caller.event(event_id)
    assert {attempt["status"] for attempt in event["attempts"]} == {200, None}


PERSISTED = {
    "EventType": "PersistenceComplete",
    "PersistenceCompleteEvent": {"FileId": "1", "PersistenceSource": "SimpleHlsClip"},
}


@pytest.mark.parametrize(("form", "state"), [("both", "delivered"), ("2.0", "failed")])
async def test_an_event_type_that_2_0_does_not_know_goes_as_3_0_or_not_at_all(
    caller: Caller, receiver: Receiver, form: str, state: str
) -> None:
    await push_to(caller, receiver.url, callback_url_v2=receiver.url, callback_format=form)
    event_id = await emit(caller, event=PERSISTED)
    assert await ended(caller.account, event_id) == [state]
    assert [one.event["EventType"] for one in receiver.received] == ["PersistenceComplete"] * (form == "both")
    if state == "failed":
        timeline = (await caller.event(event_id))["timeline"]
        assert "has no 2.0 body" in timeline[-1]["reason"]


# --- settings change meanwhile


async def test_a_changed_address_applies_to_the_next_event(caller: Caller, receiver: Receiver) -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.path == "/callback":
            await caller.call("ModifyEventConfig", Mode="PUSH", NotificationUrl=receiver.url + "/new", SignKey="key")
            return web.Response(status=500)
        return web.Response()

    receiver.answering = answer
    await caller.clock.freeze()
    await push_to(caller, receiver.url, callback_retry_on_status=True, callback_retries=1)
    first = await emit(caller)
    await caller.clock.advance(1)
    assert [one.path for one in receiver.received] == ["/callback", "/callback"]
    assert (await caller.event(first))["state"] == "failed"
    await delivered(caller)
    assert receiver.received[-1].path == "/callback/new"
    assert "Sign" in receiver.received[-1].event
    assert "Sign" not in receiver.received[1].event


async def test_push_mode_without_an_address_fails_events_with_a_reason(caller: Caller) -> None:
    await caller.call("ModifyEventConfig", Mode="PUSH")
    event_id = await emit(caller)
    event = await caller.event(event_id)
    assert (event["state"], event["attempts"]) == ("failed", [])
    assert event["timeline"][-1]["reason"] == "the default application is in PUSH mode and has no callback URL"


async def test_a_changed_mode_applies_to_the_next_event(caller: Caller, receiver: Receiver) -> None:
    await push_to(caller, receiver.url)
    await delivered(caller)
    await caller.call("ModifyEventConfig", Mode="PULL")
    queued = await emit(caller)
    assert (await caller.event(queued))["state"] == "queued"
    await caller.call("ModifyEventConfig", Mode="PUSH")
    await delivered(caller)
    assert len(receiver.received) == 2
    assert (await caller.event(queued))["state"] == "queued"
    await caller.call("ModifyEventConfig", Mode="PULL")
    [content] = (await caller.call("PullEvents"))["EventSet"]
    assert content["SnapshotByTimeOffsetCompleteEvent"]["TaskId"] == (await caller.event(queued))["task_id"]


# --- once more, and later


async def test_a_delivered_event_is_redelivered(caller: Caller, receiver: Receiver) -> None:
    await push_to(caller, receiver.url)
    event = await delivered(caller)
    again = await caller.control("POST", f"/events/{event['id']}/redeliver")
    assert again["state"] == "delivering"
    assert await ended(caller.account, event["id"]) == ["delivered"]
    assert receiver.received[0].body == receiver.received[1].body
    timeline = (await caller.event(event["id"]))["timeline"]
    assert [entry["what"] for entry in timeline] == 2 * ["delivering", "attempt", "delivered"]
    assert timeline[3]["redelivery"] is True


async def test_a_failed_event_is_redelivered_to_the_present_address(caller: Caller, receiver: Receiver) -> None:
    await push_to(caller, f"http://127.0.0.1:{free_port()}", callback_retries=0)
    event_id = await emit(caller)
    assert await ended(caller.account, event_id) == ["failed"]
    await push_to(caller, receiver.url)
    await caller.control("POST", f"/events/{event_id}/redeliver")
    assert await ended(caller.account, event_id) == ["delivered"]


async def test_a_confirmed_event_is_pushed_once_the_mode_says_so(caller: Caller, receiver: Receiver) -> None:
    event_id = await emit(caller)
    [content] = (await caller.call("PullEvents"))["EventSet"]
    await caller.call("ConfirmEvents", EventHandles=[content["EventHandle"]])
    await push_to(caller, receiver.url)
    await caller.control("POST", f"/events/{event_id}/redeliver")
    assert await ended(caller.account, event_id) == ["delivered"]


async def test_an_event_that_is_being_delivered_is_not_redelivered(caller: Caller) -> None:
    async with receiving(hanging) as url:
        queued = await emit(caller)
        scheduled = await emit(caller, delay=60)
        await push_to(caller, url)
        delivering = await emit(caller)
        for event_id, state in ((queued, "queued"), (scheduled, "scheduled"), (delivering, "delivering")):
            answer = await caller.control("POST", f"/events/{event_id}/redeliver")
            assert answer["error"]["code"] == "still_under_way"
            assert answer["error"]["message"].startswith(f"{event_id} is {state}:")


async def test_a_delayed_event_is_pushed_at_its_moment(caller: Caller, receiver: Receiver) -> None:
    await caller.clock.freeze()
    await push_to(caller, receiver.url)
    event_id = await emit(caller, delay=10)
    await caller.clock.advance(9.9)
    event = await caller.event(event_id)
    assert (event["state"], receiver.received) == ("scheduled", [])
    assert event["timeline"][0]["due"] == pytest.approx(caller.clock.epoch() + 0.1)
    await caller.clock.advance(0.1)
    assert (await caller.event(event_id))["state"] == "delivered"
    assert len(receiver.received) == 1


async def test_the_mode_that_counts_for_a_delayed_event_is_the_one_when_it_happens(
    caller: Caller, receiver: Receiver
) -> None:
    await caller.clock.freeze()
    event_id = await emit(caller, delay=10)
    await push_to(caller, receiver.url)
    await caller.clock.advance(10)
    assert (await caller.event(event_id))["state"] == "delivered"


async def test_events_are_pushed_at_the_interval_of_every(caller: Caller, receiver: Receiver) -> None:
    await caller.clock.freeze()
    await push_to(caller, receiver.url, every="10s")
    await caller.clock.advance(35)
    assert len(receiver.received) == 3
    await caller.control("PATCH", "/config", {"every": 2})
    await caller.clock.advance(4)
    assert len(receiver.received) == 5
    await caller.control("PATCH", "/config", {"every": 0})
    await caller.clock.advance(1000)
    assert len(receiver.received) == 5
