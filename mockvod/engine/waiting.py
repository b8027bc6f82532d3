"""Waiting for events to reach a state."""

import asyncio
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mockvod.engine.events import STATE_AFTER, Event, Events, State, event_id
from mockvod.engine.journal import Entry


@dataclass(frozen=True)
class Pattern:
    """Which events a wait or a query is about; a field that is None matches every event."""

    number: int | None = None
    sub_app_id: int | None = None
    any_application: bool = True
    event_type: str | None = None
    task_id: str | None = None
    file_id: str | None = None

    def matches(self, event: Event) -> bool:
        return (
            (self.number is None or event.number == self.number)
            and (self.any_application or event.sub_app_id == self.sub_app_id)
            and (self.event_type is None or event.event_type == self.event_type)
            and all(needle in event.tail for needle in self._needles)
            and (not self._needles or self._matches_structure(event.structure()))
        )

    def _matches_structure(self, structure: Mapping[str, Any]) -> bool:
        return self.task_id in {None, structure.get("TaskId")} and self.file_id in {None, structure.get("FileId")}

    @cached_property
    def _needles(self) -> tuple[bytes, ...]:
        """Bytes that the body of each matching event contains; only bodies that contain them are parsed."""
        wanted = {"TaskId": self.task_id, "FileId": self.file_id}
        return tuple(
            f'"{key}":{json.dumps(value, ensure_ascii=False)}'.encode(errors="replace")
            for key, value in wanted.items()
            if value is not None
        )

    def description(self) -> str:
        """The pattern as a message shows it."""
        named = {
            "id": None if self.number is None else event_id(self.number),
            "task_id": self.task_id,
            "file_id": self.file_id,
            "event_type": self.event_type,
        }
        parts = [f"{name} {value}" for name, value in named.items() if value is not None]
        if not self.any_application:
            parts.append(f"application {self.sub_app_id or 'default'}")
        return ", ".join(parts) or "any event"


class Wait:
    """Waits until *count* events that match a pattern have been in one of *states*, after journal entry *since*.

    States before the call count too: an event that was leased and is confirmed by now has been leased.
    """

    def __init__(
        self,
        events: Events,
        pattern: Pattern,
        states: Collection[State],
        count: int = 1,
        since: int = 0,
    ) -> None:
        self._events = events
        self.pattern = pattern
        self.states = frozenset(states)
        self._count = count
        self.since = since
        self._enough: asyncio.Future[None] | None = None
        self._reached: dict[int, Event] = {}

    async def reached(self, seconds: float) -> list[Event] | None:
        """The events, once there are *count* of them; None after *seconds* of real time."""
        for event in self._events:
            if self.pattern.matches(event) and self._was_in_state(event):
                self._reached[event.number] = event
                if len(self._reached) == self._count:
                    return list(self._reached.values())
        self._enough = asyncio.get_running_loop().create_future()
        stop_listening = self._events.listen(self._listen)
        try:
            # Real time: it bounds how long a test may take, whatever its clock does.
            async with asyncio.timeout(seconds):
                await self._enough
        except TimeoutError:
            return None
        finally:
            stop_listening()
        return list(self._reached.values())

    def _was_in_state(self, event: Event) -> bool:
        entry = event.last
        while entry is not None and entry.seq > self.since:
            if STATE_AFTER.get(entry.what) in self.states:
                return True
            entry = entry.before
        return False

    def _listen(self, event: Event, entry: Entry) -> None:
        if STATE_AFTER.get(entry.what) not in self.states or event.number in self._reached:
            return
        if not self.pattern.matches(event):
            return
        self._reached[event.number] = event
        if len(self._reached) >= self._count and self._enough is not None and not self._enough.done():
            self._enough.set_result(None)

    def candidates(self) -> list[Event]:
        """Events that match the pattern but have not been in one of the states."""
        return [e for e in self._events if e.number not in self._reached and self.pattern.matches(e)]

    @property
    def found(self) -> int:
        return len(self._reached)
