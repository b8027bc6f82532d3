"""Events and where each of them is: found by id, counted by state, forgotten only when over and old."""

import itertools
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Literal, get_args

from mockvod.settings import AccountSettings
from mockvod.vod.journal import Entry, Journal

State = Literal["scheduled", "queued", "leased", "confirmed", "delivering", "delivered", "failed", "expired", "dropped"]
STATES: Final[tuple[State, ...]] = get_args(State)
OVER: Final[frozenset[State]] = frozenset({"confirmed", "delivered", "failed", "expired", "dropped"})

# What happened to an event says in which state it is since then.
STATE_AFTER: Final[dict[str, State]] = {
    "scheduled": "scheduled",
    "queued": "queued",
    "leased": "leased",
    "lease_ended": "queued",
    "confirmed": "confirmed",
    "delivering": "delivering",
    "attempt": "delivering",
    "delivered": "delivered",
    "failed": "failed",
    "expired": "expired",
    "dropped": "dropped",
}


def state_after(entry: Entry | None) -> State | None:
    """The state of an event whose newest entry is *entry*; None before the first. What a fault did is no state."""
    while entry is not None:
        if (state := STATE_AFTER.get(entry.what)) is not None:
            return state
        entry = entry.before
    return None


_entry = tuple.__new__  # of Entry: its own constructor takes three times as long
_OVERHEAD = 600  # bytes that an event takes beside its body: itself, its id's entry, a short timeline


class Event:
    """One notification: immutable, but for the last entry of its timeline, which says in which state it is.

    Held by the hundred thousand, so it is a body rendered once and a few numbers; what else people ask for is read
    out of the body when they ask.
    """

    __slots__ = ("arrived_at", "body", "event_type", "last", "number", "order", "sub_app_id")

    def __init__(self, number: int, sub_app_id: int | None, event_type: str, body: bytes) -> None:
        self.number = number
        self.sub_app_id = sub_app_id
        self.event_type = event_type
        self.body = body
        self.last: Entry | None = None
        self.arrived_at = 0.0
        """When it came into its queue, on the clock's axis."""
        self.order = 0
        """Its place in the queue: smaller is older."""

    @property
    def id(self) -> str:
        return event_id(self.number)

    @property
    def state(self) -> State:
        last = self.last
        if last is None:
            return "scheduled"
        return STATE_AFTER.get(last.what) or state_after(last) or "scheduled"

    def timeline(self) -> list[Entry]:
        """All that happened to it, first to last."""
        entries = []
        entry = self.last
        while entry is not None:
            entries.append(entry)
            entry = entry.before
        return entries[::-1]

    def content(self) -> dict[str, Any]:
        """The EventContent as it goes over the wire."""
        import json

        content: dict[str, Any] = json.loads(self.body)
        return content

    def structure(self) -> dict[str, Any]:
        """What the event carries: the one field of its content that is not null."""
        return next((value for key, value in self.content().items() if isinstance(value, dict)), {})


def event_id(number: int) -> str:
    return f"evt_{number:06d}"


def event_number(text: str) -> int | None:
    """The number in an id, None when it is none of ours."""
    digits = text.removeprefix("evt_")
    return int(digits) if digits != text and digits.isascii() and digits.isdigit() and len(digits) < 19 else None


class Events:
    """All events of one account.

    What is owed to a client is kept whatever it takes. What is over is kept to be looked up, as many and as large as
    the settings say, oldest out first. The counters count every event since the last reset, also those put out.
    """

    def __init__(self, journal: Journal, config: Callable[[], AccountSettings]) -> None:
        self._journal = journal
        self._config = config
        self._numbers = itertools.count(1)
        self._all: dict[int, Event] = {}
        self._in_order = True
        self._over: OrderedDict[int, int] = OrderedDict()
        self._over_bytes = 0
        self.counts: Counter[State] = Counter(dict.fromkeys(STATES, 0))
        self.owed_bytes = 0
        self.evicted = 0

    def create(self, sub_app_id: int | None, event_type: str, body: bytes) -> Event:
        event = Event(next(self._numbers), sub_app_id, event_type, body)
        self._all[event.number] = event
        self.owed_bytes += len(body)
        return event

    def note(self, event: Event, what: str, detail: object = None, *, at: float | None = None) -> Entry:
        """Write down what happened to *event*, which puts it into the state that follows.

        *at* is the moment in seconds since 1970, for a caller that knows it; else now.
        """
        journal, before = self._journal, event.last
        if at is None:
            at = journal.moment()
        entry: Entry = _entry(Entry, (journal.seq + 1, at, what, event.number, event.sub_app_id, detail, before))
        event.last = entry
        journal.append((entry,))
        was = None if before is None else STATE_AFTER.get(before.what) or state_after(before)
        self._moved((event,), was, STATE_AFTER[what])
        journal.tell((entry,))
        return entry

    def note_fault(self, event: Event, detail: object) -> Entry:
        """Write down what a fault did to *event*, which leaves it in its state."""
        journal = self._journal
        entry = Entry(journal.seq + 1, journal.moment(), "fault", event.number, event.sub_app_id, detail, event.last)
        event.last = entry
        journal.append((entry,))
        journal.tell((entry,))
        return entry

    def note_all(self, events: Sequence[Event], what: str, details: Sequence[object]) -> None:
        """Write down that the same happened to several events, each with its detail; all must be in one state now.

        A pull leases sixteen at a time, and this is where its time goes: so one look at the clock, one at the limits.
        """
        if not events:
            return
        journal = self._journal
        at, was = journal.moment(), events[0].state
        entries = []
        for seq, event, detail in zip(itertools.count(journal.seq + 1), events, details, strict=False):
            entry = event.last = _entry(Entry, (seq, at, what, event.number, event.sub_app_id, detail, event.last))
            entries.append(entry)
        journal.append(entries)
        self._moved(events, was, STATE_AFTER[what])
        journal.tell(entries)

    def _moved(self, events: Sequence[Event], was: State | None, state: State) -> None:
        """*events* have gone from one state to another: count them, and see which memory they belong to."""
        if state is was:
            return
        self.counts[state] += len(events)
        if was is not None:
            self.counts[was] -= len(events)
        if (state in OVER) is not (was in OVER):
            if state in OVER:
                self._end(events)
            else:
                self._revive(events)

    def find(self, number: int) -> Event | None:
        return self._all.get(number)

    def __iter__(self) -> Iterator[Event]:
        """The events, oldest first."""
        if not self._in_order:
            self._all = dict(sorted(self._all.items()))
            self._in_order = True
        return iter(self._all.values())

    def __len__(self) -> int:
        return len(self._all)

    def after(self, number: int) -> Iterator[Event]:
        """The events younger than *number*, oldest first."""
        return (event for event in self if event.number > number)

    def _end(self, events: Sequence[Event]) -> None:
        over = self._over
        total = 0
        for event in events:
            size = over[event.number] = len(event.body)
            total += size
        self.owed_bytes -= total
        self._over_bytes += total + _OVERHEAD * len(events)
        config = self._config()
        most, most_bytes = config.history_events, config.history_bytes
        while len(over) > most or self._over_bytes > most_bytes:
            number, size = over.popitem(last=False)
            self._over_bytes -= size + _OVERHEAD
            del self._all[number]
            self.evicted += 1

    def _revive(self, events: Sequence[Event]) -> None:
        for event in events:
            size = self._over.pop(event.number, None)
            if size is not None:
                self._over_bytes -= size + _OVERHEAD
            else:  # put out while somebody held on to it
                self._all[event.number] = event
                self._in_order = False
            self.owed_bytes += len(event.body)
