"""The control API, as a tester's HTTP client meets it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from mockvod.app import Running
from mockvod.http.control import BODY_LIMIT
from mockvod.http.routes import ROUTES
from mockvod.vod.events import STATES
from mockvod.wire.events import CARRIERS
from tests.listeners import listening
from tests.polls import polls_held
from tests.support import Caller, Receiver

Start = Callable[..., Awaitable[Running]]
FROZEN = {"freeze": True}


@pytest.fixture
def control(caller: Caller) -> "Control":
    return Control(caller)


class Control:
    """Calls of the control API that say what they expect."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller

    async def raw(self, method: str, path: str, data: Any = None, **options: Any) -> tuple[int, dict[str, Any]]:
        url = f"{self.caller.running.url}{path}"
        async with self.caller.session.request(method, url, data=data, **options) as response:
            assert response.content_type == "application/json"
            return response.status, json.loads(await response.read())

    async def ask(self, method: str, path: str, body: Any = None, **query: Any) -> tuple[int, dict[str, Any]]:
        data = None if body is None else json.dumps(body)
        return await self.raw(method, "/mockvod/v1" + path, data, params=query)

    async def done(self, method: str, path: str, body: Any = None, **query: Any) -> dict[str, Any]:
        status, answer = await self.ask(method, path, body, **query)
        assert status in {200, 201}, answer
        return answer

    async def refused(self, method: str, path: str, body: Any = None, **query: Any) -> tuple[int, str, str, str | None]:
        status, answer = await self.ask(method, path, body, **query)
        error = answer["error"]
        return status, error["code"], error["message"], error["field"]


def pictures(event: dict[str, Any]) -> list[tuple[int, int, str]]:
    task = event["content"]["SnapshotByTimeOffsetCompleteEvent"]
    return [(one["ErrCode"], one["TimeOffset"], one["Url"]) for one in task["SnapshotInfoSet"]]


# Emitting


async def test_an_event_comes_without_any_wish(control: Control) -> None:
    status, answer = await control.ask("POST", "/events")
    assert status == 201
    [event] = answer["events"]
    assert event["state"] == "queued"
    assert event["event_type"] == "CreateSnapshotByTimeOffsetComplete"
    assert event["task_id"].startswith("CreateSnapshotByTimeOffset-")
    assert event["sub_app_id"] is None


async def test_every_wish_is_in_the_event(control: Control, caller: Caller) -> None:
    wishes = {
        "file_id": "5285890784246869930",
        "task_id": "mine",
        "definition": 24,
        "time_offsets": [1000, 2000],
        "failed": [2000],
        "err_code": -7,
    }
    [event] = await caller.emit(**wishes)
    assert (event["task_id"], event["file_id"]) == ("mine", "5285890784246869930")
    event = await caller.event(event["id"])
    assert event["content"]["SnapshotByTimeOffsetCompleteEvent"]["Definition"] == 24
    [(good, first, url), failed] = pictures(event)
    assert (good, first, bool(url)) == (0, 1000, True)
    assert failed == (-7, 2000, "")


async def test_exact_snapshots_are_taken_as_they_are(caller: Caller) -> None:
    [event] = await caller.emit(snapshots=[{"ErrCode": 3, "TimeOffset": 5, "Url": "x"}])
    assert pictures(await caller.event(event["id"])) == [(3, 5, "x")]


async def test_a_whole_event_of_any_type_is_emitted(caller: Caller) -> None:
    event = {"EventType": "FileDeleted", "FileDeleteEvent": {"FileIdSet": ["1"]}}
    for one in await caller.emit(event=event, count=2):
        content = (await caller.event(one["id"]))["content"]
        assert (content["EventType"], content["FileDeleteEvent"]) == ("FileDeleted", {"FileIdSet": ["1"]})


async def test_the_example_of_a_type_is_emitted_with_what_differs(caller: Caller) -> None:
    wish = {"event_type": "NewFileUpload", "set": {"FileUploadEvent.FileId": "17"}, "count": 2}
    for event in await caller.emit(**wish):
        assert (event["event_type"], event["file_id"]) == ("NewFileUpload", "17")
        content = (await caller.event(event["id"]))["content"]
        assert content["FileUploadEvent"]["MediaBasicInfo"]["Name"]


async def test_as_many_events_as_asked_for_are_emitted(caller: Caller) -> None:
    events = await caller.emit(count=50)
    assert len({event["id"] for event in events}) == len({event["task_id"] for event in events}) == 50


async def test_a_delayed_event_happens_when_its_time_has_come(caller: Caller) -> None:
    await caller.clock.freeze()
    [event] = await caller.emit(delay=60)
    assert event["state"] == "scheduled"
    await caller.clock.advance(59.9)
    assert (await caller.event(event["id"]))["state"] == "scheduled"
    await caller.clock.advance(0.2)
    assert (await caller.event(event["id"]))["state"] == "queued"


SNAPSHOT = {"EventType": "CreateSnapshotByTimeOffsetComplete"}
CONTRADICTIONS = [
    ({"failed": [5], "time_offsets": [1]}, "contradiction", "failed", "[5]"),
    ({"failed": [99_999_999]}, "contradiction", "failed", "99999999"),
    ({"failed": [1], "time_offsets": [1], "err_code": 0}, "contradiction", "err_code", "0"),
    ({"err_code": 17}, "contradiction", "err_code", "17"),
    ({"snapshots": [], "time_offsets": [1]}, "contradiction", "time_offsets", "snapshots"),
    ({"snapshots": [], "failed": [1]}, "contradiction", "failed", "snapshots"),
    ({"snapshots": [], "err_code": 1}, "contradiction", "err_code", "snapshots"),
    ({"event": SNAPSHOT, "file_id": "1"}, "contradiction", "file_id", "event"),
    ({"event": SNAPSHOT, "event_type": "FileDeleted"}, "contradiction", "event_type", "event"),
    ({"event_type": "FileDeleted", "file_id": "1"}, "contradiction", "file_id", "event_type"),
    ({"set": {"FileDeleteEvent": {}}}, "contradiction", "set", "event_type"),
    ({"event_type": "FileDelete"}, "bad_event", "event_type", "did you mean 'FileDeleted'?"),
    (
        {"event_type": "FileDeleted", "set": {"FileDeleteEvent.FileIds": 1}},
        "bad_event",
        "set",
        "FileDeleteEvent.FileIdSet",
    ),
    ({"event_type": "FileDeleted", "set": {"FileDeleteEvent": 1}}, "bad_event", "set", "must be an object"),
    ({"event": SNAPSHOT, "snapshots": []}, "contradiction", "snapshots", "event"),
    ({"snapshots": [{"ErrCode": "x", "TimeOffset": 1}]}, "bad_event", "snapshots", "'x'"),
    ({"snapshots": [{"ErrCode": 1}]}, "bad_event", "snapshots", "TimeOffset"),
    ({"event": {"EventType": "FileDeleted"}}, "bad_event", "event", "FileDeleteEvent"),
    ({"event": {}}, "bad_event", "event", "EventType"),
    ({"event": {"EventType": "FileDelete"}}, "bad_event", "event", "'FileDeleted'"),
    ({"count": 0}, "bad_value", "count", "0"),
    ({"count": 10_001}, "bad_value", "count", "10001"),
    ({"count": "2"}, "bad_value", "count", "'2'"),
    ({"count": True}, "bad_value", "count", "True"),
    ({"count": 1.5}, "bad_value", "count", "1.5"),
    ({"count": 10**30}, "bad_value", "count", "100000"),
    ({"delay": -1}, "bad_value", "delay", "-1"),
    ({"delay": 10**12}, "bad_value", "delay", "1000000000000"),
    ({"time_offsets": [1, -5]}, "bad_value", "time_offsets.1", "-5"),
    ({"file_id": ""}, "bad_value", "file_id", "''"),
    ({"file_id": 5285890784246869930}, "bad_value", "file_id", "5285890784246869930"),
    ({"offsets": [1]}, "unknown_field", "offsets", "time_offsets"),
    ({"zzz": 1}, "unknown_field", "zzz", "file_id"),
]


@pytest.mark.parametrize(("wishes", "code", "field", "said"), CONTRADICTIONS)
async def test_what_cannot_be_emitted_is_refused_and_nothing_happens(
    control: Control, wishes: dict[str, Any], code: str, field: str, said: str
) -> None:
    status, got, message, where = await control.refused("POST", "/events", wishes)
    assert (status, got, where) == (400, code, field)
    assert said in message
    assert (await control.done("GET", "/events"))["events"] == []


@pytest.mark.parametrize("event_type", ["NewFileUpload", "TranscodeComplete", "AigcImageTaskComplete"])
async def test_a_wrong_pairing_is_refused_with_the_right_one_named(control: Control, event_type: str) -> None:
    event = {"EventType": event_type, "FileDeleteEvent": {}}
    status, code, message, field = await control.refused("POST", "/events", {"event": event})
    assert (status, code, field) == (400, "bad_event", "event")
    assert CARRIERS[event_type] in message
    assert "'FileDeleted'" in message


async def test_numbers_may_be_written_as_json_has_them(caller: Caller) -> None:
    assert len(await caller.emit(count=2.0, time_offsets=[1000.0])) == 2


async def test_no_more_events_are_taken_than_may_be_owed(start: Start, session: ClientSession) -> None:
    caller = Caller(await start(owed_bytes=2000), session)
    status, code, message, _ = await Control(caller).refused("POST", "/events", {"count": 100})
    assert (status, code) == (429, "too_much_owed")
    taken = len((await caller.control("GET", "/events"))["events"])
    assert 0 < taken < 10
    assert f"({taken} of 100 events have happened)" in message


# Listing


async def test_events_are_listed_by_what_is_known_of_them(control: Control, caller: Caller) -> None:
    [first] = await caller.emit(task_id="one", file_id="17")
    [second] = await caller.emit(task_id="two", file_id="17", delay=3600)
    [third] = await caller.emit(event={"EventType": "FileDeleted", "FileDeleteEvent": {}})
    await caller.control("POST", "/events", sub_app_id=5)

    async def listed(**query: Any) -> list[str]:
        return [event["id"] for event in (await control.done("GET", "/events", **query))["events"]]

    assert await listed(task_id="two") == [second["id"]]
    assert await listed(file_id="17") == [first["id"], second["id"]]
    assert await listed(file_id="17", state="queued") == [first["id"]]
    assert await listed(state="scheduled,leased") == [second["id"]]
    assert await listed(event_type="FileDeleted") == [third["id"]]
    assert await listed(sub_app_id=5) == ["evt_000004"]
    assert await listed(sub_app_id=0) == [first["id"], second["id"], third["id"]]
    assert len(await listed()) == 4
    assert await listed(task_id="on") == []


async def test_pages_follow_each_other_without_gap_or_overlap(control: Control, caller: Caller) -> None:
    await caller.emit(count=250)
    found: list[str] = []
    query: dict[str, Any] = {"limit": 100}
    sizes = []
    while True:
        page = await control.done("GET", "/events", **query)
        found += [event["id"] for event in page["events"]]
        sizes.append(len(page["events"]))
        if page["next"] is None:
            break
        await caller.emit()  # what comes meanwhile comes at the end
        query["cursor"] = page["next"]
    assert sizes == [100, 100, 52]
    assert found == [f"evt_{number:06d}" for number in range(1, 253)]


async def test_a_page_that_ends_exactly_at_the_end_says_so(control: Control, caller: Caller) -> None:
    await caller.emit(count=2)
    assert (await control.done("GET", "/events", limit=2))["next"] is None


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"cursor": "5"}, "cursor"),
        ({"cursor": "evt_١"}, "cursor"),
        ({"state": "qeued"}, "state.0"),
        ({"stat": "queued"}, "stat"),
        ({"sub_app_id": "x"}, "sub_app_id"),
        ({"sub_app_id": "-1"}, "sub_app_id"),
        ({"sub_app_id": str(2**63)}, "sub_app_id"),
        ({"sub_app_id": "9" * 5000}, "sub_app_id"),
    ],
)
async def test_a_wrong_query_is_refused(control: Control, query: dict[str, Any], field: str) -> None:
    status, _, message, where = await control.refused("GET", "/events", **query)
    assert (status, where) == (400, field)
    assert str(next(iter(query.values())))[:10] in message or field in message


async def test_a_query_parameter_given_twice_is_refused(control: Control) -> None:
    status, answer = await control.raw("GET", "/mockvod/v1/events?limit=1&limit=2")
    assert (status, answer["error"]["field"]) == (400, "limit")
    assert "more than once" in answer["error"]["message"]


async def test_a_query_that_a_call_does_not_take_is_refused(control: Control) -> None:
    status, _, message, field = await control.refused("GET", "/stats", limit=1)
    assert (status, field) == (400, "limit")
    assert "GET /mockvod/v1/stats takes no 'limit'" in message


async def test_an_account_that_was_not_declared_is_named(control: Control) -> None:
    status, code, message, field = await control.refused("GET", "/events", secret_id="AKIDnobody")
    assert (status, code, field) == (404, "no_such_account", "secret_id")
    assert "AKIDnobody" in message
    assert "POST /mockvod/v1/accounts" in message


# One event


async def test_an_event_has_its_timeline(caller: Caller) -> None:
    [event] = await caller.emit()
    [pulled] = (await caller.call("PullEvents"))["EventSet"]
    await caller.call("ConfirmEvents", EventHandles=[pulled["EventHandle"]])
    event = await caller.event(event["id"])
    assert [entry["what"] for entry in event["timeline"]] == ["queued", "leased", "confirmed"]
    assert event["timeline"][1]["event_handle"] == pulled["EventHandle"]
    assert event["created_at"] == event["timeline"][0]["at"]


@pytest.mark.parametrize("named", ["evt_000001", "evt_x", "1", "evt_١", "evt_" + "9" * 30, "%2e%2e", "a%2fb"])
@pytest.mark.parametrize(("method", "rest"), [("GET", ""), ("POST", "/redeliver")])
async def test_an_event_that_is_not_there_is_named(control: Control, method: str, rest: str, named: str) -> None:
    status, answer = await control.raw(method, f"/mockvod/v1/events/{named}{rest}")
    assert (status, answer["error"]["code"]) in {(404, "no_such_event"), (404, "no_such_path")}


async def test_an_event_that_is_over_is_redelivered(control: Control, caller: Caller) -> None:
    [event] = await caller.emit()
    [pulled] = (await caller.call("PullEvents"))["EventSet"]
    await caller.call("ConfirmEvents", EventHandles=[pulled["EventHandle"]])
    again = await control.done("POST", f"/events/{event['id']}/redeliver")
    assert again["state"] == "queued"
    [pulled_again] = (await caller.call("PullEvents"))["EventSet"]
    assert pulled_again["EventHandle"] != pulled["EventHandle"]


async def test_an_event_under_way_is_not_redelivered(control: Control, caller: Caller) -> None:
    [event] = await caller.emit()
    status, code, message, field = await control.refused("POST", f"/events/{event['id']}/redeliver")
    assert (status, code, field) == (409, "still_under_way", "id")
    assert event["id"] in message


# Settings


async def test_settings_are_shown_with_the_mode_in_force(control: Control) -> None:
    config = await control.done("GET", "/config")
    assert (config["mode"], config["mode_in_force"], config["poll_hold"]) == (None, "PULL", 5)


async def test_a_change_of_several_settings_holds_at_once(control: Control) -> None:
    wish = {"callback_url": "http://127.0.0.1:9/", "sign_key": "hush", "poll_hold": "250ms", "empty_reply": "null"}
    config = await control.done("PATCH", "/config", wish)
    assert (config["mode_in_force"], config["poll_hold"], config["empty_reply"]) == ("PUSH", 0.25, "null")
    assert config["sign_key"] == "(set)"
    assert config == await control.done("GET", "/config")


async def test_the_journal_tells_of_a_change_but_not_the_secret(control: Control) -> None:
    await control.done("PATCH", "/config", {"sign_key": "hush"})
    assert "hush" not in json.dumps(await control.done("GET", "/journal"))


async def test_settings_of_an_application_are_its_own(control: Control) -> None:
    await control.done("PATCH", "/config", {"mode": "PUSH", "poll_hold": 1}, sub_app_id=5)
    other = await control.done("GET", "/config")
    assert (other["mode_in_force"], other["poll_hold"]) == ("PULL", 1)


BAD_CONFIGS = [
    ({"poll_hold": 1, "mode": "BOTH"}, "mode", "'BOTH'"),
    ({"poll_hold": 1, "sign_key": "no spaces"}, "sign_key", "match"),
    ({"callback_url": "ftp://x", "poll_hold": 1}, "callback_url", "'ftp://x'"),
    ({"poll_hold": -1, "mode": "PUSH"}, "poll_hold", "-1"),
    ({"poll_hold": "5 parsecs", "mode": "PUSH"}, "poll_hold", "5 parsecs"),
    ({"poll_hold": True, "mode": "PUSH"}, "poll_hold", "True"),
    ({"every": 1e-9, "mode": "PUSH"}, "every", "1ms"),
    ({"pull_limit": 0, "mode": "PUSH"}, "pull_limit", "0"),
    ({"callback_ca": "/no/such/file", "mode": "PUSH"}, "callback_ca", "no such file"),
    ({"pol_hold": 1, "mode": "PUSH"}, "pol_hold", "did you mean poll_hold?"),
    ({"host": "0.0.0.0", "mode": "PUSH"}, "host", "it knows"),
]


@pytest.mark.parametrize(("changes", "field", "said"), BAD_CONFIGS)
async def test_a_change_with_one_bad_key_changes_nothing(
    control: Control, changes: dict[str, Any], field: str, said: str
) -> None:
    before = await control.done("GET", "/config")
    status, _, message, where = await control.refused("PATCH", "/config", changes)
    assert (status, where) == (400, field)
    assert said in message
    assert "no spaces" not in message
    assert await control.done("GET", "/config") == before
    assert (await control.done("GET", "/journal"))["entries"] == []


async def test_a_change_is_refused_when_what_was_there_no_longer_fits(
    start: Start, session: ClientSession, tmp_path: Path
) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_text("")
    control = Control(Caller(await start(callback_ca=str(authority)), session))
    authority.unlink()
    status, _, message, field = await control.refused("PATCH", "/config", {"mode": "PUSH", "poll_hold": 1})
    assert (status, field) == (400, "callback_ca")
    assert "no such file" in message
    assert (await control.done("GET", "/config"))["mode"] is None


# Counting


async def test_the_counts_are_exact(control: Control, caller: Caller, receiver: Receiver) -> None:
    await caller.clock.freeze()
    await caller.emit(count=20)
    await caller.emit(count=2, delay=60)
    pulled = (await caller.call("PullEvents"))["EventSet"]
    await caller.call("ConfirmEvents", EventHandles=[one["EventHandle"] for one in pulled[:5]])
    await control.done("PATCH", "/config", {"callback_url": receiver.url}, sub_app_id=5)
    await control.done("POST", "/events", {"count": 3}, sub_app_id=5)
    await control.done("PATCH", "/config", {"mode": "PUSH"}, sub_app_id=6)
    await control.done("POST", "/events", {"count": 4}, sub_app_id=6)
    await control.done("POST", "/wait", {"state": "delivered", "count": 3})

    stats = await control.done("GET", "/stats")
    assert stats["counts"] == dict.fromkeys(STATES, 0) | {
        "scheduled": 2, "queued": 4, "leased": 11, "confirmed": 5, "delivered": 3, "failed": 4,
    }  # fmt: skip
    default, pushed, nowhere = stats["applications"]
    assert (default["sub_app_id"], default["mode"], default["visible"], default["leased"]) == (None, "PULL", 4, 11)
    assert (pushed["sub_app_id"], pushed["mode"], pushed["deliveries"]) == (5, "PUSH", 0)
    assert nowhere["mode"] == "PUSH"
    assert stats["owed_bytes"] == sum(
        len(e.body) for e in caller.account.events if e.state in {"scheduled", "queued", "leased"}
    )


async def test_the_counts_go_on_when_events_are_forgotten(start: Start, session: ClientSession) -> None:
    caller = Caller(await start(history_events=3), session)
    await caller.emit(count=8)
    pulled = (await caller.call("PullEvents"))["EventSet"]
    await caller.call("ConfirmEvents", EventHandles=[one["EventHandle"] for one in pulled])
    stats = await caller.control("GET", "/stats")
    assert (stats["counts"]["confirmed"], stats["evicted"], stats["owed_bytes"]) == (8, 5, 0)
    assert len((await caller.control("GET", "/events"))["events"]) == 3


# Beginning anew


async def test_a_reset_answers_what_it_threw_away(control: Control, caller: Caller) -> None:
    await caller.clock.freeze()
    await caller.emit(count=20)
    await caller.call("PullEvents")
    poll = asyncio.create_task(caller.call("PullEvents", SubAppId=9))
    await polls_held(caller.account.application(9).queue, 1)
    answer = await control.done("POST", "/reset")
    assert answer == {"events": 20, "queued": 4, "leased": 16, "polls": 1, "deliveries": 0}
    assert (await poll)["Error"]["Code"] == "ResourceNotFound"
    assert (await control.done("GET", "/events"))["events"] == []
    assert not (await control.done("GET", "/clock"))["frozen"]


async def test_a_reset_puts_settings_back_and_begins_the_ids_anew(control: Control, caller: Caller) -> None:
    [before] = await caller.emit()
    await control.done("PATCH", "/config", {"mode": "PUSH", "poll_hold": 1})
    await control.done("POST", "/reset")
    config = await control.done("GET", "/config")
    assert (config["mode"], config["poll_hold"]) == (None, 5)
    [after] = await caller.emit()
    assert (after["id"], after["task_id"]) == (before["id"], before["task_id"])


async def test_a_reset_ends_deliveries_that_hang(control: Control, caller: Caller, receiver: Receiver) -> None:
    async def hang(_: Any) -> Any:
        await asyncio.Event().wait()

    receiver.answering = hang
    await control.done("PATCH", "/config", {"callback_url": receiver.url})
    await caller.emit(count=3)
    await receiver.wait_for(3)
    assert (await control.done("POST", "/reset"))["deliveries"] == 3
    assert (await control.done("GET", "/stats"))["applications"] == []


async def test_a_reset_of_one_account_leaves_the_others(control: Control, caller: Caller) -> None:
    one = (await control.done("POST", "/accounts"))["secret_id"]
    await control.done("POST", "/events", secret_id=one)
    await caller.emit()
    assert (await control.done("POST", "/reset", secret_id=one))["events"] == 1
    assert len((await control.done("GET", "/events"))["events"]) == 1
    assert (await control.done("POST", "/reset"))["events"] == 1


async def test_a_reset_leaves_no_half_of_it_to_a_pull(start: Start, session: ClientSession) -> None:
    caller = Caller(await start(poll_hold=0), session)
    control = Control(caller)
    await caller.emit(count=16, task_id="before")
    pulls = [caller.call("PullEvents") for _ in range(3)]
    *answers, _ = await asyncio.gather(*pulls, control.done("POST", "/reset"))
    sizes = sorted(len(answer.get("EventSet", ())) for answer in answers)
    assert sizes in ([0, 0, 0], [0, 0, 16])


# Health, and what is not there


async def test_the_server_says_that_it_lives_and_when_it_is_ready(control: Control, caller: Caller) -> None:
    assert await control.raw("GET", "/mockvod/livez") == (200, {"status": "alive"})
    assert await control.raw("GET", "/mockvod/readyz") == (200, {"status": "ready"})
    caller.running.world.ready = False
    assert await control.raw("GET", "/mockvod/readyz") == (503, {"status": "starting"})
    assert (await control.done("GET", "/journal"))["entries"] == []


@pytest.mark.parametrize(
    ("path", "advice"),
    [
        ("/mockvod/v1/event", "did you mean /mockvod/v1/events?"),
        ("/mockvod/v1/events/", "did you mean /mockvod/v1/events?"),
        ("/mockvod/v2/events", "did you mean /mockvod/v1/events?"),
        ("/mockvod", "/mockvod/livez"),
        ("/mockvod/" + "x" * 3000, "openapi.json"),
    ],
)
async def test_a_path_that_is_not_there_gets_advice(control: Control, path: str, advice: str) -> None:
    status, answer = await control.raw("GET", path)
    assert (status, answer["error"]["code"]) == (404, "no_such_path")
    assert advice in answer["error"]["message"]
    assert len(answer["error"]["message"]) < 400


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/mockvod/v1/events", "GET, POST"),
        ("PUT", "/mockvod/v1/config", "GET, PATCH"),
        ("GET", "/mockvod/v1/wait", "POST"),
        ("GET", "/mockvod/v1/events/evt_000001/redeliver", "POST"),
        ("POST", "/mockvod/livez", "GET, HEAD"),
    ],
)
async def test_a_wrong_method_gets_the_right_one(control: Control, method: str, path: str, allowed: str) -> None:
    url = control.caller.running.url + path
    async with control.caller.session.request(method, url) as response:
        assert (response.status, response.headers["Allow"]) == (405, allowed)
        error = (await response.json())["error"]
    assert error["code"] == "wrong_method"
    assert all(one in error["message"] for one in (method, path, allowed.partition(",")[0]))


# Bodies


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"{", "not JSON"),
        (b"count=5", "not JSON"),
        (b'{"count": 1} x', "not JSON"),
        (b"[]", "an object"),
        (b'"x"', "an object"),
        (b"null", "an object"),
        (b"\xff\xfe", "not UTF-8: byte 0xff at position 0"),
        (b'{"file_id": "\xc3"}', "not UTF-8"),
        (b'{"file_id": "\\ud800"}', "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"event": ' * 5000, "not JSON"),
        (b'{"count": 1e999}', "count"),
        (b'{"delay": NaN}', "delay"),
        (b'{"count": ' + b"9" * 6000 + b"}", "not JSON"),
        (b'{"event": {"EventType": "FileDeleted", "FileDeleteEvent": {"a": NaN}}}', "FileDeleteEvent.a"),
    ],
)
async def test_a_body_that_cannot_be_read_is_refused(control: Control, raw: bytes, said: str) -> None:
    status, answer = await control.raw("POST", "/mockvod/v1/events", raw)
    assert status == 400
    assert said in answer["error"]["message"]
    assert len(answer["error"]["message"]) < 400
    assert (await control.done("GET", "/events"))["events"] == []


@pytest.mark.parametrize("raw", [b"", b"  \n", b"{}"])
async def test_an_empty_body_asks_for_nothing_in_particular(control: Control, raw: bytes) -> None:
    status, answer = await control.raw("POST", "/mockvod/v1/events", raw)
    assert (status, len(answer["events"])) == (201, 1)


async def pieces(size: int) -> Any:
    """A body whose length is not told before."""
    for _ in range(size // 65536):
        yield b" " * 65536


@pytest.mark.parametrize("data", [b" " * (BODY_LIMIT + 1), pieces], ids=["told", "in pieces"])
async def test_a_body_that_is_too_large_is_refused(control: Control, data: Any) -> None:
    body = BytesIO(data) if isinstance(data, bytes) else data(BODY_LIMIT + 65536)
    status, answer = await control.raw("POST", "/mockvod/v1/events", body)
    assert (status, answer["error"]["code"]) == (413, "too_large")
    assert str(BODY_LIMIT) in answer["error"]["message"]


async def test_a_body_that_breaks_off_inside_is_refused(control: Control) -> None:
    headers = {"Content-Encoding": "gzip"}
    status, answer = await control.raw("POST", "/mockvod/v1/events", b"not gzip at all", headers=headers)
    assert (status, answer["error"]["code"]) == (400, "bad_json")


async def test_a_mistake_of_ours_is_logged_and_says_so(
    control: Control, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(type(control.caller.account), "applications", lambda _: 1 / 0)
    status, answer = await control.ask("GET", "/stats")
    assert (status, answer["error"]["code"]) == (500, "internal")
    assert "ZeroDivisionError" in caplog.text


async def test_every_call_is_in_the_table_once() -> None:
    rows = [(route.method, route.path) for route in ROUTES]
    assert len(rows) == len(set(rows))


# The clock


async def test_a_clock_is_frozen_and_released(control: Control) -> None:
    frozen = await control.done("POST", "/clock", FROZEN)
    assert (frozen["frozen"], frozen["rate"], frozen["happened"]) == (True, 0, [])
    assert (await control.done("GET", "/clock"))["now"] == frozen["now"]
    released = await control.done("POST", "/clock", {"release": True})
    assert (released["frozen"], released["rate"]) == (False, 1)


async def test_a_clock_is_set_scaled_and_advanced(control: Control) -> None:
    await control.done("POST", "/clock", FROZEN)
    assert (await control.done("POST", "/clock", {"set": 1_000_000_000}))["now"] == 1_000_000_000
    assert (await control.done("POST", "/clock", {"advance": 0.5}))["now"] == 1_000_000_000.5
    assert (await control.done("POST", "/clock", {"advance": "4d"}))["now"] == 1_000_345_600.5
    assert (await control.done("POST", "/clock", {"scale": 60}))["rate"] == 60


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"freeze": True, "release": True},
        {"freeze": None},
        {"freeze": False},
        {"advance": -1},
        {"advance": "x"},
        {"advance": 1e300},
        {"set": -1},
        {"set": 2**60},
        {"scale": 0},
        {"scale": -1},
        {"forward": 5},
    ],
)
async def test_a_clock_takes_exactly_one_change_that_makes_sense(control: Control, change: dict[str, Any]) -> None:
    status, _, _, _ = await control.refused("POST", "/clock", change)
    assert status == 400
    assert (await control.done("GET", "/clock"))["rate"] == 1


async def test_a_frozen_clock_says_who_waits_for_what(control: Control, caller: Caller) -> None:
    assert (await control.done("GET", "/clock"))["hint"] is None
    await control.done("POST", "/clock", FROZEN)
    poll = asyncio.create_task(caller.call("PullEvents"))
    await polls_held(caller.account.application().queue, 1)
    clock = await control.done("GET", "/clock")
    [waiting] = clock["waiting"]
    assert waiting["what"] == "PullEvents of the default application is held"
    assert waiting["within"] == 5
    assert waiting["due"] == pytest.approx(clock["now"] + 5)
    assert "the clock is frozen" in clock["hint"]
    assert "PullEvents of the default application is held, due in 5 s" in clock["hint"]
    await control.done("POST", "/clock", {"advance": 5})
    assert (await poll)["Error"]["Message"] == "no event"


async def test_an_advance_tells_what_happened_in_order(control: Control, caller: Caller, receiver: Receiver) -> None:
    await control.done("POST", "/clock", FROZEN)
    await caller.emit()
    await caller.call("PullEvents")
    await control.done("PATCH", "/config", {"callback_url": receiver.url}, sub_app_id=5)
    await control.done("POST", "/events", {"delay": 10}, sub_app_id=5)
    before = (await control.done("GET", "/clock"))["now"]
    moved = await control.done("POST", "/clock", {"advance": 31})
    told = [(entry["what"], round(entry["at"] - before, 3)) for entry in moved["happened"]]
    assert told == [("delivering", 10), ("attempt", 10), ("delivered", 10), ("lease_ended", 30)]
    assert not moved["happened_more"]


async def test_four_days_pass_through_every_due_moment_in_order(control: Control, caller: Caller) -> None:
    await control.done("POST", "/clock", FROZEN)
    await caller.emit()
    for hours in (50, 10, 90):
        await caller.emit(delay=hours * 3600)
    await control.done("PATCH", "/config", {"every": "1d"})
    before = (await control.done("GET", "/clock"))["now"]
    moved = await control.done("POST", "/clock", {"advance": "4d"})
    told = [(entry["what"], entry["event"], round((entry["at"] - before) / 3600)) for entry in moved["happened"]]
    assert told == [
        ("queued", "evt_000003", 10),
        ("queued", "evt_000005", 24),
        ("queued", "evt_000006", 48),
        ("queued", "evt_000002", 50),
        ("queued", "evt_000007", 72),
        ("queued", "evt_000004", 90),
        *told[6:],
    ]
    assert sorted(told[6:]) == [("expired", "evt_000001", 96), ("queued", "evt_000008", 96)]


async def test_an_advance_tells_of_a_thousand_entries_at_most(control: Control, caller: Caller) -> None:
    await control.done("POST", "/clock", FROZEN)
    await caller.emit(count=1001, delay=1)
    moved = await control.done("POST", "/clock", {"advance": 1})
    assert (len(moved["happened"]), moved["happened_more"]) == (1000, True)


# Accounts


async def test_an_account_is_made_up_where_nothing_is_said(control: Control) -> None:
    status, one = await control.ask("POST", "/accounts")
    other = await control.done("POST", "/accounts")
    assert status == 201
    assert one["secret_id"].startswith("AKID")
    assert one["secret_id"] != other["secret_id"]
    assert one["secret_key"] != other["secret_key"]
    assert one["sub_app_id"] != other["sub_app_id"]
    assert one["seed"] != other["seed"]
    assert (one["default"], one["events"]) == (False, 0)


async def test_an_account_is_made_as_asked(control: Control) -> None:
    wish = {
        "secret_id": "AKIDmine",
        "secret_key": "key",
        "sub_app_id": 1500000009,
        "seed": 7,
        "frozen": True,
        "config": {"mode": "PUSH", "poll_hold": "2s", "sign_key": "k"},
    }
    made = await control.done("POST", "/accounts", wish)
    assert {name: made[name] for name in ("secret_id", "secret_key", "sub_app_id", "seed")} == {
        name: wish[name] for name in ("secret_id", "secret_key", "sub_app_id", "seed")
    }
    assert (await control.done("GET", "/clock", secret_id="AKIDmine"))["frozen"]
    config = await control.done("GET", "/config", secret_id="AKIDmine")
    assert (config["mode"], config["poll_hold"], config["sign_key"]) == ("PUSH", 2, "(set)")
    assert (await control.done("GET", "/config"))["mode"] is None
    listed = (await control.done("GET", "/accounts"))["accounts"]
    assert [(one["secret_id"], one["default"]) for one in listed] == [("", True), ("AKIDmine", False)]
    assert "key" not in listed[1].values()


async def test_a_reset_gives_an_account_the_settings_that_it_was_made_with(control: Control) -> None:
    await control.done("POST", "/accounts", {"secret_id": "AKIDmine", "config": {"poll_hold": 2}})
    await control.done("PATCH", "/config", {"poll_hold": 3}, secret_id="AKIDmine")
    await control.done("POST", "/reset")
    assert (await control.done("GET", "/config", secret_id="AKIDmine"))["poll_hold"] == 2


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"secret_id": ""}, "secret_id"),
        ({"secret_id": "a b"}, "secret_id"),
        ({"secret_id": ".."}, "secret_id"),
        ({"secret_id": "a/b"}, "secret_id"),
        ({"secret_key": ""}, "secret_key"),
        ({"secret_key": "hush" * 100}, "secret_key"),
        ({"sub_app_id": 0}, "sub_app_id"),
        ({"seed": "x"}, "seed"),
        ({"config": {"poll_hold": -1}}, "config.poll_hold"),
        ({"config": {"sign_key": "hush!"}}, "config.sign_key"),
        ({"config": {"pol_hold": 1}}, "config.pol_hold"),
        ({"name": "x"}, "name"),
    ],
)
async def test_an_account_that_makes_no_sense_is_refused(control: Control, wish: dict[str, Any], field: str) -> None:
    status, _, message, where = await control.refused("POST", "/accounts", wish)
    assert (status, where) == (400, field)
    assert "hush" not in message
    assert ("poll_hold?" in message) == (field == "config.pol_hold")
    assert len((await control.done("GET", "/accounts"))["accounts"]) == 1


async def test_an_account_cannot_be_made_twice(control: Control) -> None:
    await control.done("POST", "/accounts", {"secret_id": "AKIDmine"})
    status, code, message, field = await control.refused("POST", "/accounts", {"secret_id": "AKIDmine"})
    assert (status, code, field) == (409, "account_refused", "secret_id")
    assert "AKIDmine" in message


async def test_a_deleted_account_is_gone_and_may_be_made_again(control: Control) -> None:
    made = await control.done("POST", "/accounts", {"secret_id": "AKIDmine"})
    gone = await control.done("DELETE", "/accounts/AKIDmine")
    assert (gone["secret_id"], gone["seed"]) == (made["secret_id"], made["seed"])
    status, code, message, _ = await control.refused("GET", "/events", secret_id="AKIDmine")
    assert (status, code) == (404, "no_such_account")
    assert "was deleted" in message
    assert (await control.refused("DELETE", "/accounts/AKIDmine"))[0] == 404
    await control.done("POST", "/accounts", {"secret_id": "AKIDmine"})
    await control.done("GET", "/events", secret_id="AKIDmine")


async def test_the_default_account_stays(start: Start, session: ClientSession) -> None:
    control = Control(Caller(await start(secret_id="AKIDours", secret_key="x"), session))
    status, code, message, _ = await control.refused("DELETE", "/accounts/AKIDours")
    assert (status, code) == (409, "account_refused")
    assert "reset it instead" in message
    await control.done("GET", "/events", secret_id="AKIDours")


async def test_deleting_an_account_ends_its_polls_and_waits(control: Control, caller: Caller) -> None:
    await control.done("POST", "/accounts", {"secret_id": "AKIDmine", "frozen": True})
    account = caller.running.world.account("AKIDmine")
    wait = asyncio.create_task(
        control.ask("POST", "/wait", {"state": "confirmed", "timeout": 60}, secret_id="AKIDmine")
    )
    body = {"Action": "PullEvents", "Version": "2018-07-17", "SecretId": "AKIDmine"}
    poll = asyncio.create_task(caller.session.get(caller.running.url + "/", params=body))
    await polls_held(account.application().queue, 1)
    await listening(account.journal, 1)
    await control.done("DELETE", "/accounts/AKIDmine")
    status, answer = await wait
    assert (status, answer["error"]["code"], answer["error"]["field"]) == (503, "closed", "secret_id")
    async with await poll as response:
        assert (await response.json())["Response"]["Error"]["Code"] == "ResourceNotFound"
    assert account.clock.waiting() == []


async def test_a_call_that_comes_after_its_account_was_deleted_is_refused(control: Control, caller: Caller) -> None:
    await control.done("POST", "/accounts", {"secret_id": "AKIDmine"})
    await control.done("DELETE", "/accounts/AKIDmine")
    await caller.emit()  # of the default account, which it must not get
    query = {"Action": "PullEvents", "Version": "2018-07-17", "SecretId": "AKIDmine"}
    async with caller.session.get(caller.running.url + "/", params=query) as response:
        error = (await response.json())["Response"]["Error"]
    assert error["Code"] == "AuthFailure.SecretIdNotFound"


async def test_accounts_do_not_see_each_other(control: Control, caller: Caller) -> None:
    for name in ("AKIDone", "AKIDtwo"):
        await control.done("POST", "/accounts", {"secret_id": name, "seed": 7})
    await control.done("POST", "/clock", FROZEN, secret_id="AKIDone")
    await control.done("PATCH", "/config", {"poll_hold": 1}, secret_id="AKIDone")
    [one] = (await control.done("POST", "/events", secret_id="AKIDone"))["events"]
    assert (await control.done("GET", "/events", secret_id="AKIDtwo"))["events"] == []
    assert not (await control.done("GET", "/clock", secret_id="AKIDtwo"))["frozen"]
    assert (await control.done("GET", "/config", secret_id="AKIDtwo"))["poll_hold"] == 5
    assert (await control.done("GET", "/journal", secret_id="AKIDtwo"))["entries"] == []
    assert (await control.done("GET", "/stats", secret_id="AKIDtwo"))["counts"]["queued"] == 0
    assert (await caller.call("DescribeEventsState"))["CountOfEventsToPull"] == 0
    # The same seed makes the same ids, whatever the other account did meanwhile.
    [two] = (await control.done("POST", "/events", secret_id="AKIDtwo"))["events"]
    assert (one["id"], one["task_id"], one["file_id"]) == (two["id"], two["task_id"], two["file_id"])


async def test_an_account_s_own_sub_app_id_is_its_default_application(control: Control) -> None:
    await control.done("POST", "/accounts", {"secret_id": "AKIDmine", "sub_app_id": 77})
    whom = {"secret_id": "AKIDmine", "sub_app_id": 77}
    [event] = (await control.done("POST", "/events", **whom))["events"]
    for query in (whom, {"secret_id": "AKIDmine"}, {**whom, "sub_app_id": 0}):
        assert (await control.done("GET", "/events", **query))["events"] == [event]
        assert (await control.done("POST", "/wait", {"state": "queued"}, **query))["events"] == [event]
        assert len((await control.done("GET", "/journal", **query))["entries"]) == 1


# The journal, page by page


async def test_the_journal_is_read_page_by_page(control: Control, caller: Caller) -> None:
    await caller.emit(count=5)
    first = await control.done("GET", "/journal", limit=3)
    assert [entry["seq"] for entry in first["entries"]] == [1, 2, 3]
    second = await control.done("GET", "/journal", limit=3, since=first["next"])
    assert [entry["event"] for entry in second["entries"]] == ["evt_000004", "evt_000005"]
    end = await control.done("GET", "/journal", since=second["next"])
    assert (end["entries"], end["next"], end["missed"]) == ([], 5, 0)


async def test_the_journal_says_how_much_is_no_longer_kept(control: Control, caller: Caller) -> None:
    await control.done("PATCH", "/config", {"journal_entries": 100})
    await caller.emit(count=149)
    page = await control.done("GET", "/journal")
    assert (page["missed"], len(page["entries"]), page["next"]) == (50, 100, 150)


async def test_a_cursor_of_another_life_begins_at_the_end(control: Control, caller: Caller) -> None:
    page = await control.done("GET", "/journal", since=2**62)
    assert page["next"] == 0
    await caller.emit()
    assert len((await control.done("GET", "/journal", since=page["next"]))["entries"]) == 1


async def test_the_journal_of_one_application_has_its_entries_only(control: Control, caller: Caller) -> None:
    for sub_app_id in (5, 0, 5, 0, 5):
        await control.done("POST", "/events", sub_app_id=sub_app_id)
    page = await control.done("GET", "/journal", sub_app_id=5, limit=2)
    assert ([entry["seq"] for entry in page["entries"]], page["next"]) == ([1, 3], 3)
    page = await control.done("GET", "/journal", sub_app_id=5, limit=2, since=3)
    assert ([entry["seq"] for entry in page["entries"]], page["next"]) == ([5], 5)
