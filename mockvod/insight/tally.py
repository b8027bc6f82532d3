"""Counts and durations of what happens on the whole server, from the journals, for the metrics."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from typing import Final

from mockvod.engine.attempt import Attempt
from mockvod.engine.clock import LoopShare
from mockvod.engine.events import STATE_AFTER, Event
from mockvod.engine.journal import Batch, Record
from mockvod.engine.push_client import ERROR_KINDS
from mockvod.service.life import Life
from mockvod.service.world import World
from mockvod.wire.event_types import CARRIERS

SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)
"""The upper bounds of the buckets of a histogram."""
OTHER: Final = "other"
"""In place of a name that is not one of the known names, of which there are only so many."""

OUTCOMES: Final = frozenset({"1xx", "2xx", "3xx", "4xx", "5xx", *ERROR_KINDS})

_CONFIRMS: Final = {"confirmed_again": "repeated", "confirm_refused": "refused"}


class Histogram:
    """How many values were not above each bound."""

    def __init__(self, bounds: Sequence[float] = SECONDS) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        """For each bound, the values between it and the one before; the last are above all bounds."""
        self.sum = 0.0

    def add(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value


class Tally:
    """Counts the records of every account from its creation on. `read_earlier` adds those that the journals still have.

    An event that was evicted before has the type OTHER, and no age.
    """

    def __init__(self, world: World) -> None:
        self.changes: Counter[tuple[str, str]] = Counter()
        """What happened to events, by name of the journal entry and type of the event."""
        self.confirms: Counter[str] = Counter()
        """Handles that were confirmed, by result."""
        self.attempts: Counter[str] = Counter()
        """Attempts to deliver an event, by outcome."""
        self.callback_seconds = Histogram()
        self.age_when_leased = Histogram()
        self.age_when_confirmed = Histogram()
        self._earlier = [(account.life, iter(account.life.journal.records())) for account in world.accounts()]
        world.observe(self.add)

    async def read_earlier(self) -> None:
        share = LoopShare()
        while self._earlier:
            life, records = self._earlier[-1]
            for record in records:  # an iterator: if this is cancelled, the next call goes on
                self.add(life, record)
                await share.turn()
            self._earlier.pop()

    def add(self, life: Life, record: Record) -> None:
        what = record.what
        if what == "attempt":
            self._add_attempt(record.entries()[0].detail)
        elif what in STATE_AFTER:
            numbers = record.events if isinstance(record, Batch) else [record.event]
            events = [life.events.find(number or 0) for number in numbers]
            for event in events:
                self.changes[what, type_of(event)] += 1
            if what == "leased":
                self._add_ages(self.age_when_leased, life, record, events)
            elif what == "confirmed":
                self.confirms[what] += len(events)
                self._add_ages(self.age_when_confirmed, life, record, events)
        elif what in _CONFIRMS:
            self.confirms[_CONFIRMS[what]] += len(record.entries()[0].detail["event_handles"])

    def _add_attempt(self, attempt: Attempt) -> None:
        kind = f"{attempt.status // 100}xx" if attempt.status is not None else ""
        if attempt.error is not None:
            kind = attempt.error.partition(":")[0]
        self.attempts[kind if kind in OUTCOMES else OTHER] += 1
        self.callback_seconds.add(attempt.duration)

    def _add_ages(self, ages: Histogram, life: Life, record: Record, events: Sequence[Event | None]) -> None:
        for event in events:
            if event is not None:
                ages.add(max(0.0, record.at - life.clock.epoch(event.arrived_at)))


def type_of(event: Event | None) -> str:
    """The EventType, if it is one of the vendor's."""
    return event.event_type if event is not None and event.event_type in CARRIERS else OTHER
