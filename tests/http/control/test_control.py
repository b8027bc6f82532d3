"""The control API: its bodies and errors, settings, counters, health."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestClient, TestServer

from mockvod.app import WORLD, create_app
from mockvod.engine.events import STATES
from mockvod.http.control.request import LARGE_BODY, SMALL_BODY
from mockvod.http.control.routes import ROUTES
from mockvod.problems import MOST_FIELDS
from mockvod.settings import Settings
from tests.http.asking import Control, Start
from tests.support import Caller, Receiver

# Settings


async def test_settings_are_shown_with_the_effective_mode(control: Control) -> None:
    config = await control.done("GET", "/config")
    assert (config["mode"], config["mode_in_force"], config["poll_hold"]) == (None, "PULL", 5)


async def test_a_change_of_several_settings_applies_at_once(control: Control) -> None:
    given = {"callback_url": "http://127.0.0.1:9/", "sign_key": "hush", "poll_hold": "250ms", "empty_reply": "null"}
    config = await control.done("PATCH", "/config", given)
    assert (config["mode_in_force"], config["poll_hold"], config["empty_reply"]) == ("PUSH", 0.25, "null")
    assert config["sign_key"] == "***"
    assert config == await control.done("GET", "/config")


async def test_the_journal_records_a_change_without_the_secret(control: Control) -> None:
    await control.done("PATCH", "/config", {"sign_key": "hush"})
    assert "hush" not in json.dumps(await control.done("GET", "/journal"))


async def test_settings_of_an_application_are_its_own(control: Control) -> None:
    await control.done("PATCH", "/config", {"mode": "PUSH", "poll_hold": 1}, sub_app_id=5)
    other = await control.done("GET", "/config")
    assert (other["mode_in_force"], other["poll_hold"]) == ("PULL", 1)


BAD_CONFIGS = [
    ({"poll_hold": 1, "mode": "BOTH"}, "mode", "'BOTH'"),
    ({"poll_hold": 1, "sign_key": "no spaces"}, "sign_key", "letters and digits"),
    ({"callback_url": "ftp://x", "poll_hold": 1}, "callback_url", "'ftp://x'"),
    ({"poll_hold": -1, "mode": "PUSH"}, "poll_hold", "-1"),
    ({"poll_hold": "5 parsecs", "mode": "PUSH"}, "poll_hold", "5 parsecs"),
    ({"poll_hold": True, "mode": "PUSH"}, "poll_hold", "True"),
    ({"every": 1e-9, "mode": "PUSH"}, "every", "1ms"),
    ({"pull_limit": 0, "mode": "PUSH"}, "pull_limit", "0"),
    ({"callback_ca": "/no/such/file", "mode": "PUSH"}, "callback_ca", "no such file"),
    ({"pol_hold": 1, "mode": "PUSH"}, "pol_hold", "did you mean poll_hold?"),
    ({"host": "0.0.0.0", "mode": "PUSH"}, "host", "known: "),
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


async def test_a_change_is_refused_if_an_unchanged_setting_is_invalid_by_now(
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
    assert stats["pending_bytes"] == sum(
        len(e.body) for e in caller.account.life.events if e.state in {"scheduled", "queued", "leased"}
    )


async def test_the_counts_include_evicted_events(start: Start, session: ClientSession) -> None:
    caller = Caller(await start(history_events=3), session)
    await caller.emit(count=8)
    pulled = (await caller.call("PullEvents"))["EventSet"]
    await caller.call("ConfirmEvents", EventHandles=[one["EventHandle"] for one in pulled])
    stats = await caller.control("GET", "/stats")
    assert (stats["counts"]["confirmed"], stats["evicted"], stats["pending_bytes"]) == (8, 5, 0)
    assert len((await caller.control("GET", "/events"))["events"]) == 3


# Health, and what is not there


async def test_the_health_routes_say_alive_and_ready(control: Control, caller: Caller) -> None:
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
        ("/mockvod/" + "x" * 3000, "openapi.json"),
    ],
)
async def test_an_unknown_path_gets_a_suggestion(control: Control, path: str, advice: str) -> None:
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
async def test_a_wrong_method_gets_the_allowed_ones(control: Control, method: str, path: str, allowed: str) -> None:
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
        (b"{", "not valid JSON"),
        (b"count=5", "not valid JSON"),
        (b'{"count": 1} x', "not valid JSON"),
        (b"[]", "an object"),
        (b'"x"', "an object"),
        (b"null", "an object"),
        (b"\xff\xfe", "not UTF-8: byte 0xff at position 0"),
        (b'{"file_id": "\xc3"}', "not UTF-8"),
        (b'{"file_id": "\\ud800"}', "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b'{"event": ' * 5000, "not valid JSON"),
        (b'{"count": 1e999}', "count"),
        (b'{"delay": NaN}', "delay"),
        (b'{"count": ' + b"9" * 6000 + b"}", "not valid JSON"),
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
async def test_an_empty_body_means_the_defaults(control: Control, raw: bytes) -> None:
    status, answer = await control.raw("POST", "/mockvod/v1/events", raw)
    assert (status, len(answer["events"])) == (201, 1)


async def pieces(size: int) -> Any:
    """A body of unknown length."""
    for _ in range(size // 65536):
        yield b" " * 65536


@pytest.mark.parametrize("data", [b" " * (LARGE_BODY + 1), pieces], ids=["reported", "in pieces"])
async def test_a_body_that_is_too_large_is_refused(control: Control, data: Any) -> None:
    body = BytesIO(data) if isinstance(data, bytes) else data(LARGE_BODY + 65536)
    status, answer = await control.raw("POST", "/mockvod/v1/events", body)
    assert (status, answer["error"]["code"]) == (413, "too_large")
    assert str(LARGE_BODY) in answer["error"]["message"]


async def test_a_small_body_is_enough_for_settings(control: Control) -> None:
    status, answer = await control.raw("PATCH", "/mockvod/v1/config", b" " * (SMALL_BODY + 1))
    assert (status, answer["error"]["code"]) == (413, "too_large")
    assert str(SMALL_BODY) in answer["error"]["message"]


@pytest.mark.parametrize("path", ["/events", "/scenario"])
async def test_a_body_with_too_many_fields_is_refused_before_each_is_named(control: Control, path: str) -> None:
    body = json.dumps({f"field_{number}": 1 for number in range(MOST_FIELDS + 1)}).encode()
    status, answer = await control.raw("PUT" if path == "/scenario" else "POST", f"/mockvod/v1{path}", body)
    assert (status, answer["error"]["code"]) == (413, "too_large")
    assert str(MOST_FIELDS) in answer["error"]["message"]


async def test_a_call_that_needs_a_thread_says_that_the_server_is_stopping() -> None:
    app = create_app(Settings(port=0))
    async with TestClient(TestServer(app)) as client:
        app[WORLD].begin_shutdown()
        async with client.get("/mockvod/v1/openapi.json") as response:
            assert response.status == 503
            assert (await response.json())["error"]["code"] == "stopping"


async def test_a_body_that_is_cut_short_is_refused(control: Control) -> None:
    headers = {"Content-Encoding": "gzip"}
    status, answer = await control.raw("POST", "/mockvod/v1/events", b"not gzip at all", headers=headers)
    assert (status, answer["error"]["code"]) == (400, "bad_json")


async def test_an_unhandled_exception_is_logged_and_named_a_bug(
    control: Control, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(type(control.caller.account.life), "applications", lambda _: 1 / 0)
    status, answer = await control.ask("GET", "/stats")
    assert (status, answer["error"]["code"]) == (500, "internal")
    assert "ZeroDivisionError" in caplog.text


async def test_every_call_is_in_the_table_once() -> None:
    rows = [(route.method, route.path) for route in ROUTES]
    assert len(rows) == len(set(rows))
