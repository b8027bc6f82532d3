"""Events and where each of them is: found by id, counted by state, forgotten only when over and old."""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Literal, get_args

from mockvod.engine.journal import Batch, Entry, Journal, Record
from mockvod.settings import AccountSettings

State = Literal["scheduled", "queued", "leased", "confirmed", "delivering", "delivered", "failed", "expired", "dropped"]
STATES: Final[tuple[State, ...]] = get_args(State)
TERMINAL: Final[frozenset[State]] = frozenset({"confirmed", "delivered", "failed", "expired", "dropped"})

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


def _state(record: Record | None) -> State | None:
    """The state of an event that was last written of in *record*; None before anything was. A fault changes none."""
    while record is not None:
        if (state := STATE_AFTER.get(record.what)) is not None:
            return state
        record = record.before if isinstance(record, Entry) else None
    return None


_entry = tuple.__new__  # of Entry: its own constructor takes three times as long
_OVERHEAD = 600  # bytes that an event takes beside its body: itself, its id's entry, a short timeline


class Event:
    """One notification: immutable, but for the last entry of its timeline, which says in which state it is.

    Held by the hundred thousand, so it is a body rendered once and a few numbers; what else people ask for is read
    out of the body when they ask.
    """

    __slots__ = ("arrived_at", "event_type", "number", "order", "record", "sub_app_id", "tail")

    def __init__(self, number: int, sub_app_id: int | None, event_type: str, tail: bytes) -> None:
        self.number = number
        self.sub_app_id = sub_app_id
        self.event_type = event_type
        self.tail = tail
        """The body less its first brace: a pull puts an EventHandle before it."""
        self.record: Record | None = None
        """Where it was written of last."""
        self.arrived_at = 0.0
        """When it came into its queue, on the clock's axis."""
        self.order = 0
        """Its place in the queue: smaller is older."""

    @property
    def id(self) -> str:
        return event_id(self.number)

    @property
    def body(self) -> bytes:
        """The event as JSON, as it was rendered."""
        return b"{" + self.tail

    @property
    def state(self) -> State:
        return _state(self.record) or "scheduled"

    @property
    def last(self) -> Entry | None:
        """What happened to it last."""
        return None if self.record is None else self.record.entry_of(self.number)

    @property
    def began_at(self) -> float:
        """When it was written of first, in seconds since 1970; 0 before anything was."""
        record, at = self.record, 0.0
        while record is not None:
            at = record.at
            record = record.earlier_of(self.number)
        return at

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


def _size(events: Sequence[Event]) -> int:
    """Bytes of the bodies of *events*."""
    return sum([len(event.tail) for event in events]) + len(events)


def event_id(number: int) -> str:
    return f"evt_{number:06d}"


def event_number(text: str) -> int | None:
    """The number in an id, None when it is none of ours."""
    digits = text.removeprefix("evt_")
    return int(digits) if digits != text and digits.isascii() and digits.isdigit() and len(digits) < 19 else None


class BacklogFull(Exception):
    """Raised when pending events exceed `pending-bytes`."""


class Events:
    """All events of one account.

    What is owed to a client is kept whatever it takes. What is over is kept to be looked up, as many and as large as
    the settings say, oldest out first. The counters count every event since the last reset, also those put out.
    """

    def __init__(self, journal: Journal, config: Callable[[], AccountSettings]) -> None:
        self._journal = journal
        self._config = config
        self._last_number = 0
        self._all: dict[int, Event] = {}
        self._in_order = True
        self._over: deque[Event] = deque()
        self._over_bytes = 0
        self.counts: Counter[State] = Counter(dict.fromkeys(STATES, 0))
        self.pending_bytes = 0
        self.evicted = 0

    def create(self, sub_app_id: int | None, event_type: str, tail: bytes) -> Event:
        """A new event of an EventType, with its body less the first brace. Raises BacklogFull."""
        pending, limit = self.pending_bytes + 1 + len(tail), self._config().pending_bytes
        if pending > limit:
            raise BacklogFull(
                f"{self.pending_bytes} bytes of events are pending and one more would exceed pending-bytes ({limit}): "
                "pull and confirm them, reset the account, or raise pending-bytes"
            )
        self._last_number += 1
        event = Event(self._last_number, sub_app_id, event_type, tail)
        self._all[event.number] = event
        self.pending_bytes += 1 + len(tail)
        return event

    def note(self, event: Event, what: str, detail: object = None, *, at: float | None = None) -> Entry:
        """Write down what happened to *event*, which puts it into the state that follows.

        *at* is the moment in seconds since 1970, for a caller that knows it; else now.
        """
        journal, earlier = self._journal, event.record
        if at is None:
            at = journal.moment()
        entry: Entry = _entry(Entry, (journal.seq + 1, at, what, event.number, event.sub_app_id, detail, earlier))
        event.record = entry
        journal.append(entry)
        self._moved((event,), _state(earlier), STATE_AFTER[what])
        journal.tell(entry)
        return entry

    def note_fault(self, event: Event, detail: object) -> Entry:
        """Write down what a fault did to *event*, which leaves it in its state."""
        journal = self._journal
        entry = Entry(journal.seq + 1, journal.moment(), "fault", event.number, event.sub_app_id, detail, event.record)
        event.record = entry
        journal.append(entry)
        journal.tell(entry)
        return entry

    def note_all(self, events: Sequence[Event], what: str, details: Sequence[object], *, at: float) -> int:
        """Write down that the same happened to several *events* of one application, all of them in one state until now.

        It keeps *details*, one for each. Answers the number of the first's entry; the others are numbered on from it.
        Not for events to which this happens over and over: all that happened to one would be remembered as long as any
        of the others.
        """
        journal = self._journal
        numbers = [event.number for event in events]
        earlier = [event.record for event in events]
        batch = Batch(journal.seq + 1, at, what, numbers, events[0].sub_app_id, details, earlier)
        for event in events:
            event.record = batch
        journal.append(batch)
        self._moved(events, _state(earlier[0]), STATE_AFTER[what])
        journal.tell(batch)
        return batch.seq

    def _moved(self, events: Sequence[Event], was: State | None, state: State) -> None:
        """*events* have gone from one state to another: count them, and see which memory they belong to."""
        if state is was:
            return
        self.counts[state] += len(events)
        if was is not None:
            self.counts[was] -= len(events)
        if (state in TERMINAL) is not (was in TERMINAL):
            if state in TERMINAL:
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
        if self._last_number - number > len(self._all):  # there are more gaps than events
            return (event for event in [*self] if event.number > number)
        numbers = range(number + 1, self._last_number + 1)
        return (event for one in numbers if (event := self._all.get(one)) is not None)

    def before(self, number: int | None) -> Iterator[Event]:
        """The events older than *number*, or all of them, newest first."""
        if number is None or number > self._last_number:
            number = self._last_number + 1
        if number > 2 * len(self._all):  # there may be more gaps than events
            return (event for event in reversed([*self]) if event.number < number)
        return (event for one in range(number - 1, 0, -1) if (event := self._all.get(one)) is not None)

    def _end(self, events: Sequence[Event]) -> None:
        size = _size(events)
        self.pending_bytes -= size
        self._over_bytes += size
        over = self._over
        over.extend(events)
        config = self._config()
        if (too_many := len(over) - config.history_events) > 0:
            self._evict(too_many)
        while self._over_bytes + _OVERHEAD * len(over) > config.history_bytes:
            self._evict(1)

    def _evict(self, count: int) -> None:
        """Forget the oldest *count* of the events that are over."""
        over, known, size = self._over, self._all, count
        for _ in range(count):
            event = over.popleft()
            size += len(event.tail)
            del known[event.number]
        self._over_bytes -= size
        self.evicted += count

    def _revive(self, events: Sequence[Event]) -> None:
        for event in events:
            if event.number in self._all:
                # Most have just ended: so it is looked for among the youngest first.
                place = next(place for place, one in enumerate(reversed(self._over), 1) if one is event)
                del self._over[-place]
                self._over_bytes -= _size((event,))
            else:  # put out while somebody held on to it
                self._all[event.number] = event
                self._in_order = False
            self.pending_bytes += _size((event,))
