import asyncio
from typing import Any

import pytest
from pydantic import ValidationError

from mockvod.app import Running
from mockvod.engine.events import Event
from mockvod.faults.delivery import Drop
from mockvod.faults.rules import When
from mockvod.service.application import Application, StillPending
from mockvod.wire.events import SNAPSHOT_COMPLETE, EventError
from tests.support import life_of


@pytest.fixture
def application(running: Running) -> Application:
    return running.world.default.life.application()


def emit(application: Application, *, delay: float = 0.0, **options: Any) -> Event:
    return application.emit(SNAPSHOT_COMPLETE, application.snapshot_task(**options), delay=delay)


def timeline(event: Event) -> list[str]:
    return [entry.what for entry in event.timeline()]


async def test_an_event_goes_to_the_queue_in_pull_mode(application: Application) -> None:
    event = emit(application)
    assert (event.state, application.queue.visible) == ("queued", 1)


async def test_an_event_that_cannot_be_written_is_refused_and_leaves_nothing(application: Application) -> None:
    task = application.snapshot_task()
    with pytest.raises(EventError, match="nan"):
        application.emit(SNAPSHOT_COMPLETE, {**task, "Definition": float("nan")})
    assert len(application.life.events) == 0


async def test_a_callback_address_means_push_mode_unless_a_mode_is_set(application: Application) -> None:
    application.configure({"callback_url": "http://127.0.0.1:9/"})
    assert application.mode == "PUSH"
    application.configure({"mode": "PULL"})
    assert application.mode == "PULL"


async def test_an_invalid_setting_changes_nothing(application: Application) -> None:
    before = application.settings
    with pytest.raises(ValidationError):
        application.configure({"mode": "PULL", "callback_url": "ftp://x/"})
    assert application.settings is before


async def test_a_sign_key_does_not_come_into_the_journal(application: Application) -> None:
    application.configure({"sign_key": "secret1"})
    [entry] = application.life.journal.since(0)
    assert (entry.what, entry.detail) == ("configured", {"sign_key": "***"})


async def test_a_scheduled_event_happens_at_its_moment(application: Application) -> None:
    clock = application.life.clock
    await clock.freeze()
    event = emit(application, delay=5)
    assert event.state == "scheduled"
    assert [one.what for one in clock.waiting()] == [f"{event.id} happens"]
    await clock.advance(5)
    assert timeline(event) == ["scheduled", "queued"]


async def test_events_of_a_batch_are_queued_and_numbered_in_their_order(application: Application) -> None:
    with application.batch():
        events = [emit(application) for _ in range(40)]
        others = [emit(application, delay=5), emit(application)]
    single = emit(application)
    assert [timeline(event) for event in events] == [["queued"]] * 40
    assert timeline(others[0]) == ["scheduled"]
    queued = [*events, others[1], single]
    assert [event.timeline()[0].at for event in queued] == [event.created_at for event in queued]
    assert [entry.event for entry in application.life.journal.since(0) if entry.what == "queued"] == [
        event.number for event in queued
    ]
    assert [event.order for event in queued] == [event.timeline()[0].seq for event in queued]
    assert application.life.events.counts["queued"] == application.queue.visible == 42
    with application.life.clock.busy():
        batches = [await application.queue.pull(16, hold=0) for _ in range(3)]
    assert [event for batch in batches for event in batch.events] == queued


async def test_a_nested_batch_is_part_of_the_outer_one(application: Application) -> None:
    with application.batch():
        first = emit(application)
        with application.batch():
            emit(application)
        emit(application)
        assert timeline(first) == []
    assert application.queue.visible == 3
    assert [timeline(event) for event in application.life.events] == [["queued"]] * 3


async def test_a_redelivered_event_in_a_batch_keeps_its_turn(application: Application) -> None:
    old = emit(application)
    with application.life.clock.busy():
        application.queue.confirm((await application.pull()).handles)
    with application.batch():
        before = emit(application)
        application.redeliver(old)
        after = emit(application)
    assert old.timeline()[-1].detail == {"redelivery": True}
    assert sorted((before, old, after), key=lambda event: event.order) == [before, old, after]
    assert application.life.events.counts["queued"] == 3
    assert list((await application.pull()).events) == [before, old, after]


async def test_events_before_an_error_in_a_batch_are_queued(application: Application) -> None:
    task = application.snapshot_task()

    def emit_two() -> None:
        with application.batch():
            emit(application)
            application.emit(SNAPSHOT_COMPLETE, {**task, "Definition": float("nan")})

    with pytest.raises(EventError):
        emit_two()
    [event] = application.life.events
    assert timeline(event) == ["queued"]
    assert application.queue.visible == 1
    assert timeline(emit(application)) == ["queued"]


async def test_each_event_of_a_batch_wakes_a_poll(application: Application) -> None:
    clock = application.life.clock
    await clock.freeze()

    async def poll() -> int:
        with clock.busy():
            return len(await application.queue.pull(1, hold=5))

    polls = [asyncio.create_task(poll()) for _ in range(3)]
    await clock.settle()
    with application.batch():
        emit(application)
        emit(application)
        assert application.queue.waiting == 3
    await clock.settle()
    assert [one.done() for one in polls] == [True, True, False]
    await clock.advance(5)
    assert [one.result() for one in polls] == [1, 1, 0]


async def test_what_a_fault_does_to_one_event_is_written_before_the_next_happens(application: Application) -> None:
    life_of(application).faults.add(Drop(), when=When("nth", 2))
    with application.batch():
        for _ in range(3):
            emit(application)
    happened = [(entry.event, entry.what) for entry in application.life.journal.since(0) if entry.event is not None]
    assert happened == [(1, "queued"), (2, "fault"), (2, "dropped"), (3, "queued")]


async def test_a_closed_application_emits_nothing(application: Application) -> None:
    clock = application.life.clock
    await clock.freeze()
    event = emit(application, delay=5)
    await application.aclose()
    await clock.advance(10)
    assert timeline(event) == ["scheduled"]


async def test_only_a_terminal_event_is_redelivered(application: Application) -> None:
    event = emit(application)
    with pytest.raises(StillPending, match="evt_000001 is queued"):
        application.redeliver(event)


async def test_a_confirmed_event_is_queued_again(application: Application) -> None:
    event = emit(application)
    for _ in range(2):
        with application.life.clock.busy():
            [leased] = await application.queue.pull(16, hold=0)
        assert leased.event is event
        application.queue.confirm([leased.handle])
        application.redeliver(event)
    assert event.state == "queued"
    assert event.timeline()[-1].detail == {"redelivery": True}


async def test_an_evicted_event_is_kept_again_when_redelivered(application: Application) -> None:
    account = life_of(application)
    account.configure({"history_events": 0})
    application.configure({"mode": "PUSH"})
    event = emit(application)
    assert (event.state, account.events.find(event.number)) == ("failed", None)
    application.configure({"mode": "PULL"})
    application.redeliver(event)
    assert account.events.find(event.number) is event
    assert account.events.pending_bytes == len(event.body)


# --- where events are that a pull did not find


async def test_without_any_event_there_is_no_hint(application: Application) -> None:
    assert application.hint() is None


async def test_push_mode_is_a_hint(application: Application) -> None:
    application.configure({"mode": "PUSH"})
    assert "PUSH mode" in (application.hint() or "")
    application.configure({"callback_url": "http://127.0.0.1:9/"})
    assert "pushed to http://127.0.0.1:9/" in (application.hint() or "")


async def test_events_in_another_application_are_a_hint(application: Application) -> None:
    emit(life_of(application).application(7))
    emit(life_of(application).application(7))
    assert application.hint() == (
        "the default application of the default account has no event; events that wait in application 7: 2"
    )


async def test_events_being_pushed_are_a_hint(application: Application) -> None:
    other = life_of(application).application(7)
    other.configure({"callback_url": "http://127.0.0.1:9/"})
    emit(other)
    assert application.hint() == (
        "the default application has no event, but application 7 is in PUSH mode and pushes some"
    )


async def test_a_hint_is_logged_once_until_a_pull_finds_events(
    application: Application, caplog: pytest.LogCaptureFixture
) -> None:
    life_of(application).configure({"poll_hold": 0})
    emit(life_of(application).application(7))

    async def warnings() -> int:
        caplog.clear()
        await application.pull()
        return len(caplog.records)

    assert [await warnings(), await warnings()] == [1, 0]
    emit(life_of(application).application(7))
    assert await warnings() == 0
    emit(application)
    assert [await warnings(), await warnings(), await warnings()] == [0, 1, 0]
    application.configure({"mode": "PUSH"})
    assert await warnings() == 1
