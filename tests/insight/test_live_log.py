"""The live log: what a line says, and when lines are summarized."""

import logging
from collections.abc import Callable
from typing import Any

import pytest

from mockvod.engine.attempt import Attempt
from mockvod.insight import live_log
from mockvod.insight.live_log import LiveLog, start_lines
from mockvod.service.world import World
from mockvod.settings import Settings
from mockvod.wire.events import SNAPSHOT_COMPLETE
from tests.journeys.test_push import push_to
from tests.receivers import ended
from tests.support import Caller, Receiver

Lines = Callable[[], list[str]]


@pytest.fixture
def lines(caller: Caller, caplog: pytest.LogCaptureFixture) -> Lines:
    """The lines logged since the last call."""
    caplog.set_level(logging.INFO, "mockvod.live")
    LiveLog(caller.running.world)

    def new() -> list[str]:
        found = [record.getMessage() for record in caplog.records if record.name == "mockvod.live"]
        caplog.clear()
        return found

    return new


def fields(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [record.fields for record in caplog.records if record.name == "mockvod.live"]  # type: ignore[attr-defined]


# --- lines


async def test_a_pulled_event_is_followed_to_its_confirm(caller: Caller, lines: Lines) -> None:
    await caller.emit()
    [content] = (await caller.call("PullEvents"))["EventSet"]
    await caller.call("ConfirmEvents", EventHandles=[content["EventHandle"]])
    emitted, pulled, confirmed = lines()
    assert emitted == "emitted evt_000001 (CreateSnapshotByTimeOffsetComplete), to the queue"
    assert pulled.startswith("pulled evt_000001 (CreateSnapshotByTimeOffsetComplete), by ")
    assert "127.0.0.1" in pulled
    assert confirmed.startswith("confirmed evt_000001")


async def test_events_that_are_handled_together_share_a_line(caller: Caller, lines: Lines) -> None:
    await caller.control("POST", "/events", {"count": 5}, sub_app_id=7)
    await caller.call("PullEvents", SubAppId=7)
    emitted, pulled = lines()
    assert emitted == "emitted evt_000001, evt_000002, evt_000003 and 2 more of application 7, to the queue"
    assert "evt_000003 and 2 more of application 7, by " in pulled


async def test_a_pushed_event_is_followed_to_its_end(caller: Caller, lines: Lines, receiver: Receiver) -> None:
    await push_to(caller, receiver.url)
    [event] = await caller.emit()
    assert await ended(caller.account, event["id"]) == ["delivered"]
    await caller.control("POST", f"/events/{event['id']}/redeliver")
    assert await ended(caller.account, event["id"]) == ["delivered"]
    assert [line.split()[0] for line in lines()] == ["settings", "emitted", "delivered", "redelivered", "delivered"]


async def test_a_failed_attempt_says_why(caller: Caller, lines: Lines, caplog: pytest.LogCaptureFixture) -> None:
    await push_to(caller, "http://user:pass@127.0.0.1:9/callback", callback_retries=0)
    [event] = await caller.emit()
    assert await ended(caller.account, event["id"]) == ["failed"]
    assert "pass" not in str(fields(caplog))
    *_, attempt, failed = lines()
    assert attempt.startswith("attempt 1 to push evt_000001")
    assert "http://user:***@127.0.0.1:9/callback failed: cannot connect" in attempt
    assert failed.startswith("failed evt_000001 (CreateSnapshotByTimeOffsetComplete): cannot connect")


async def test_time_and_its_effects_are_logged(caller: Caller, lines: Lines) -> None:
    await caller.control("POST", "/clock", {"freeze": True})
    await caller.emit(delay=1)
    await caller.control("POST", "/clock", {"advance": 1})
    await caller.call("PullEvents")
    await caller.control("POST", "/clock", {"advance": 30})
    await caller.control("POST", "/clock", {"advance": 4 * 86400})
    found = lines()
    assert found[0] == "clock: freeze"
    assert found[1].endswith("due in 1 s")
    assert [line.split()[0] for line in found[2:5]] == ["clock:", "emitted", "pulled"]
    assert found[6].endswith("was not confirmed in time: redelivered")
    assert found[-1].startswith("expired evt_000001")


async def test_a_reset_and_a_refused_call_are_logged(caller: Caller, lines: Lines) -> None:
    await caller.emit(count=2)
    await caller.control("POST", "/reset")
    await caller.call("NoSuchAction")
    await caller.emit()
    _, reset, refused, emitted = lines()
    assert reset == "reset of the default account, discarded: 2 events, 2 queued"
    assert refused.startswith("refused NoSuchAction by ")
    assert ": InvalidAction: " in refused
    assert emitted.startswith("emitted evt_000001")


async def test_lines_of_a_declared_account_name_it(caller: Caller, lines: Lines) -> None:
    await caller.control("POST", "/accounts", {"secret_id": "AKIDmine"})
    await caller.control("POST", "/events", {}, secret_id="AKIDmine")
    assert lines()[-1].startswith("account AKIDmine: emitted evt_000001")


async def test_a_line_has_fields(caller: Caller, lines: Lines, caplog: pytest.LogCaptureFixture) -> None:
    await caller.emit()
    [found] = fields(caplog)
    assert found == {"what": "emitted", "account": "", "sub_app_id": None, "events": ["evt_000001"], "detail": {}}
    assert lines()


def test_every_outcome_of_an_attempt_can_be_shown() -> None:
    assert Attempt(1, "http://a/", 0.0, 0.1, status=500).as_json().keys() >= {"error", "status", "number", "url"}


# --- the rate


async def test_above_a_rate_lines_are_summarized(caller: Caller, lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    now, timers = 0.0, []
    monkeypatch.setattr(live_log, "monotonic", lambda: now)
    monkeypatch.setattr(live_log, "call_in_real_time", lambda _, call: timers.append(call))
    application = caller.account.life.application()

    def emit() -> None:
        application.emit(SNAPSHOT_COMPLETE, application.snapshot_task())

    for _ in range(50):
        emit()
    assert len(lines()) == live_log.MOST_LINES
    now = 1.0
    [timer] = timers
    timer()
    assert lines() == ["in the last second also: 30 emitted"]
    emit()
    assert lines() == [], "the rate is still high"
    now = 2.0
    timers[1]()
    assert lines() == ["in the last second also: 1 emitted"]
    now = 3.5
    emit()
    assert len(lines()) == 1


# --- the start


def start(**settings: Any) -> list[tuple[int, str]]:
    origins = {name: f"flag --{name}" for name in settings}
    world = World(Settings(**settings), object(), origins)  # type: ignore[arg-type]
    return [*start_lines(world, "http://127.0.0.1:8266")]


async def test_the_start_names_mode_and_changed_settings() -> None:
    console = "http://127.0.0.1:8266/mockvod/"
    found = start(poll_hold=1.0, console=True)
    assert found == [
        (logging.INFO, f"console at {console}; an event is at {console}#/events/evt_000001"),
        (logging.INFO, "mode PULL: events wait in the queue for PullEvents"),
        (logging.INFO, "poll-hold = 1.0 (flag --poll_hold)"),
    ]


async def test_the_start_names_no_console_where_there_is_none() -> None:
    assert "/mockvod/" not in str(start(console=False))


async def test_the_start_shows_no_secret() -> None:
    text = str(
        start(callback_url="http://user:s3cret@127.0.0.1/", sign_key="s3cret", secret_id="a", secret_key="s3cret")
    )
    assert "mode PUSH: events are pushed to http://user:***@127.0.0.1/" in text
    assert "s3cret" not in text


async def test_the_start_warns_of_push_mode_without_a_callback_url() -> None:
    assert logging.WARNING in [level for level, _ in start(mode="PUSH")]
