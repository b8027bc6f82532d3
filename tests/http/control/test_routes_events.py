"""The control API: emitting events, and looking at them."""

from typing import Any

import pytest
from aiohttp import ClientSession

from mockvod.wire.events import CARRIERS
from tests.http.asking import Control, Start
from tests.support import Caller


def pictures(event: dict[str, Any]) -> list[tuple[int, int, str]]:
    task = event["content"]["SnapshotByTimeOffsetCompleteEvent"]
    return [(one["ErrCode"], one["TimeOffset"], one["Url"]) for one in task["SnapshotInfoSet"]]


# Emitting


async def test_an_emit_needs_no_arguments(control: Control) -> None:
    status, answer = await control.ask("POST", "/events")
    assert status == 201
    [event] = answer["events"]
    assert event["state"] == "queued"
    assert event["event_type"] == "CreateSnapshotByTimeOffsetComplete"
    assert event["task_id"].startswith("CreateSnapshotByTimeOffset-")
    assert event["sub_app_id"] is None


async def test_every_argument_is_in_the_event(control: Control, caller: Caller) -> None:
    options = {
        "file_id": "5285890784246869930",
        "task_id": "mine",
        "definition": 24,
        "time_offsets": [1000, 2000],
        "failed": [2000],
        "err_code": -7,
    }
    [event] = await caller.emit(**options)
    assert (event["task_id"], event["file_id"]) == ("mine", "5285890784246869930")
    event = await caller.event(event["id"])
    assert event["content"]["SnapshotByTimeOffsetCompleteEvent"]["Definition"] == 24
    [(good, first, url), failed] = pictures(event)
    assert (good, first, bool(url)) == (0, 1000, True)
    assert failed == (-7, 2000, "")


async def test_exact_snapshots_are_sent_unchanged(caller: Caller) -> None:
    [event] = await caller.emit(snapshots=[{"ErrCode": 3, "TimeOffset": 5, "Url": "x"}])
    assert pictures(await caller.event(event["id"])) == [(3, 5, "x")]


async def test_a_whole_event_of_any_type_is_emitted(caller: Caller) -> None:
    event = {"EventType": "FileDeleted", "FileDeleteEvent": {"FileIdSet": ["1"]}}
    for one in await caller.emit(event=event, count=2):
        content = (await caller.event(one["id"]))["content"]
        assert (content["EventType"], content["FileDeleteEvent"]) == ("FileDeleted", {"FileIdSet": ["1"]})


async def test_the_example_of_a_type_is_emitted_with_its_changes(caller: Caller) -> None:
    given = {"event_type": "NewFileUpload", "set": {"FileUploadEvent.FileId": "17"}, "count": 2}
    for event in await caller.emit(**given):
        assert (event["event_type"], event["file_id"]) == ("NewFileUpload", "17")
        content = (await caller.event(event["id"]))["content"]
        assert content["FileUploadEvent"]["MediaBasicInfo"]["Name"]


async def test_count_events_are_emitted(caller: Caller) -> None:
    events = await caller.emit(count=50)
    assert len({event["id"] for event in events}) == len({event["task_id"] for event in events}) == 50


async def test_a_delayed_event_is_emitted_at_its_time(caller: Caller) -> None:
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
    ({"offsets": [1]}, "unknown_field", "offsets", "time_offsets"),
    ({"zzz": 1}, "unknown_field", "zzz", "file_id"),
]


@pytest.mark.parametrize(("options", "code", "field", "said"), CONTRADICTIONS)
async def test_an_invalid_emit_is_refused_and_emits_nothing(
    control: Control, options: dict[str, Any], code: str, field: str, said: str
) -> None:
    status, got, message, where = await control.refused("POST", "/events", options)
    assert (status, got, where) == (400, code, field)
    assert said in message
    assert (await control.done("GET", "/events"))["events"] == []


@pytest.mark.parametrize("event_type", ["NewFileUpload", "TranscodeComplete", "AigcImageTaskComplete"])
async def test_a_wrong_pair_of_type_and_field_is_refused_with_the_right_one(control: Control, event_type: str) -> None:
    event = {"EventType": event_type, "FileDeleteEvent": {}}
    status, code, message, field = await control.refused("POST", "/events", {"event": event})
    assert (status, code, field) == (400, "bad_event", "event")
    assert CARRIERS[event_type] in message
    assert "'FileDeleted'" in message


async def test_numbers_may_be_written_as_json_has_them(caller: Caller) -> None:
    [first, _] = await caller.emit(count=2.0, time_offsets=[1000.0], file_id=5285890784246869930)
    assert first["file_id"] == "5285890784246869930"


async def test_pending_events_are_bounded_in_bytes(start: Start, session: ClientSession) -> None:
    caller = Caller(await start(pending_bytes=10_000), session)
    await caller.emit(event_type="FileDeleted")
    count = 10_000 // (await caller.control("GET", "/stats"))["pending_bytes"]
    body = {"count": count, "event_type": "FileDeleted"}
    status, code, message, _ = await Control(caller).refused("POST", "/events", body)
    assert (status, code) == (429, "backlog_full")
    assert len((await caller.control("GET", "/events"))["events"]) == count
    assert f"({count - 1} of {count} events were emitted)" in message


async def test_a_redelivery_counts_among_pending_events(start: Start, session: ClientSession) -> None:
    caller = Caller(await start(pending_bytes=1024), session)
    [event] = await caller.emit(event_type="FileDeleted")
    handles = [one["EventHandle"] for one in (await caller.call("PullEvents"))["EventSet"]]
    await caller.call("ConfirmEvents", EventHandles=handles)
    while (await caller.control("POST", "/events", {"event_type": "FileDeleted"})).get("events"):
        pass
    status, code, _, _ = await Control(caller).refused("POST", f"/events/{event['id']}/redeliver")
    assert (status, code) == (429, "backlog_full")


@pytest.mark.parametrize(
    ("body", "budget"),
    [
        ({"count": 10_000, "time_offsets": list(range(1000))}, "10000000 snapshots"),
        ({"count": 10_000, "snapshots": [{"ErrCode": 0, "TimeOffset": 1, "Url": ""}] * 11}, "110000 snapshots"),
        (
            {"count": 10_000, "event": {"EventType": "FileDeleted", "FileDeleteEvent": {"x": "y" * 400_000}}},
            "pending-bytes",
        ),
        ({"count": 1000, "event_type": "FileDeleted"}, "pending-bytes (100000)"),
    ],
)
async def test_a_call_over_budget_is_rejected_before_anything_is_emitted(
    start: Start, session: ClientSession, body: dict[str, Any], budget: str
) -> None:
    control = Control(Caller(await start(pending_bytes=100_000), session))
    for path in ("/events", "/events/check"):
        status, code, message, field = await control.refused("POST", path, body)
        assert (status, code, field) == (413, "over_budget", "count")
        assert budget in message
    assert (await control.done("GET", "/events"))["events"] == []


# Listing


async def test_events_are_filtered_by_their_fields(control: Control, caller: Caller) -> None:
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


async def test_the_newest_events_come_first_with_order_newest(control: Control, caller: Caller) -> None:
    await caller.emit(count=5)
    first = await control.done("GET", "/events", order="newest", limit=3)
    second = await control.done("GET", "/events", order="newest", limit=3, cursor=first["next"])
    assert [event["id"][-1] for event in first["events"]] == ["5", "4", "3"]
    assert [event["id"][-1] for event in second["events"]] == ["2", "1"]
    assert second["next"] is None


async def test_a_list_counts_pulls_and_names_the_last_entry_of_the_journal(control: Control, caller: Caller) -> None:
    await caller.emit()
    await caller.call("PullEvents")
    await caller.control("POST", "/clock", {"advance": 31})
    await caller.call("PullEvents")
    [event] = (await control.done("GET", "/events"))["events"]
    journal = await control.done("GET", "/journal")
    assert event["tries"] == 2
    assert event["seq"] == [entry["seq"] for entry in journal["entries"] if entry["event"]][-1]


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
        ({"state": "qeued"}, "state"),
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


async def test_an_unknown_query_parameter_is_refused(control: Control) -> None:
    status, _, message, field = await control.refused("GET", "/stats", limit=1)
    assert (status, field) == (400, "limit")
    assert message == "limit: unknown parameter of GET /mockvod/v1/stats"


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
async def test_an_unknown_event_is_named(control: Control, method: str, rest: str, named: str) -> None:
    status, answer = await control.raw(method, f"/mockvod/v1/events/{named}{rest}")
    assert (status, answer["error"]["code"]) in {(404, "no_such_event"), (404, "no_such_path")}


async def test_a_terminal_event_is_redelivered(control: Control, caller: Caller) -> None:
    [event] = await caller.emit()
    [pulled] = (await caller.call("PullEvents"))["EventSet"]
    await caller.call("ConfirmEvents", EventHandles=[pulled["EventHandle"]])
    again = await control.done("POST", f"/events/{event['id']}/redeliver")
    assert again["state"] == "queued"
    [pulled_again] = (await caller.call("PullEvents"))["EventSet"]
    assert pulled_again["EventHandle"] != pulled["EventHandle"]


async def test_a_pending_event_is_not_redelivered(control: Control, caller: Caller) -> None:
    [event] = await caller.emit()
    status, code, message, field = await control.refused("POST", f"/events/{event['id']}/redeliver")
    assert (status, code, field) == (409, "still_under_way", "id")
    assert event["id"] in message
