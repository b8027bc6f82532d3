"""Waiting for events: which match a pattern, and which states count."""

import asyncio
import json
from typing import Any

import pytest

from mockvod.engine.clock import Clock
from mockvod.engine.events import Event, Events
from mockvod.engine.journal import Journal
from mockvod.engine.waiting import Pattern, Wait
from mockvod.settings import AccountSettings
from mockvod.wire.events import render_tail
from tests.limits import journal_limits


def events_with(**settings: Any) -> Events:
    return Events(Journal(Clock(), lambda: journal_limits(1000)), lambda: AccountSettings(**settings))


def carrying(**structure: Any) -> Event:
    return Event(1, None, "FileDeleted", render_tail("FileDeleted", structure, "seed"))


IDS = [
    "123",
    "1400-Procedure-a1t0",
    'with "quotes"',
    "back\\slash",
    "媒体",
    "é\u2028",
    "",
    "x" * 200,
    "tab\t",
    "\u007f/",
]


@pytest.mark.parametrize("wanted", IDS)
def test_events_are_found_by_task_id_and_file_id_whatever_characters_they_have(wanted: str) -> None:
    for key, pattern in (("TaskId", Pattern(task_id=wanted)), ("FileId", Pattern(file_id=wanted))):
        assert pattern.matches(carrying(**{key: wanted}))
        assert not pattern.matches(carrying(**{key: wanted + "1"}))
        assert not pattern.matches(carrying(Inner={key: wanted}))
        assert not pattern.matches(carrying(Other=json.dumps({key: wanted})))


def test_a_lone_surrogate_matches_no_event() -> None:
    assert not Pattern(task_id="\ud800").matches(carrying(TaskId="?"))


def test_both_ids_must_match() -> None:
    event = carrying(TaskId="t", FileId="f")
    assert Pattern(task_id="t", file_id="f").matches(event)
    assert not Pattern(task_id="t", file_id="g").matches(event)
    assert not Pattern(task_id="s", file_id="f").matches(event)


def test_a_pattern_parses_only_events_that_contain_its_id(monkeypatch: pytest.MonkeyPatch) -> None:
    events = [carrying(TaskId=f"task-{number}") for number in range(100)]
    parsed: list[Event] = []
    content = Event.content

    def counting(event: Event) -> dict[str, Any]:
        parsed.append(event)
        return content(event)

    monkeypatch.setattr(Event, "content", counting)
    pattern = Pattern(task_id="task-77")
    assert [event for event in events if pattern.matches(event)] == [events[77]] == parsed


@pytest.mark.parametrize("history", [{"history_events": 0}, {"history_events": 1}, {"history_bytes": 0}])
async def test_a_wait_sees_a_terminal_state_although_the_event_is_evicted_in_the_same_step(
    history: dict[str, int],
) -> None:
    events = events_with(**history)
    created = [events.create(None, "FileDeleted", b'"EventType":"FileDeleted"}') for _ in range(3)]
    for event in created:
        events.note(event, "queued")
    wait = Wait(events, Pattern(), {"confirmed"}, count=3)
    waiting = asyncio.create_task(wait.reached(10))
    await asyncio.sleep(0)
    events.note(created[0], "confirmed")
    events.note_all(created[1:], "confirmed", ["a", "b"], at=5.0)
    assert await waiting == created
