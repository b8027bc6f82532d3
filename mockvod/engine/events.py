"""Events and their states: found by id, counted by state, evicted only in a terminal state."""

import json
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal, get_args

from mockvod.engine.journal import Batch, Entry, Journal, Record
from mockvod.settings import AccountSettings

State = Literal["scheduled", "queued", "leased", "confirmed", "delivering", "delivered", "failed", "expired", "dropped"]
STATES: Final[tuple[State, ...]] = get_args(State)
TERMINAL: Final[frozenset[State]] = frozenset({"confirmed", "delivered", "failed", "expired", "dropped"})

# The state of an event after what happened to it. Anything else leaves it in its state.
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


_DROPPED_AT_ONCE: Final = 500
_OVERHEAD: Final = 600  # bytes that an event takes besides its body: itself, its place among all, a short timeline


class Event:
    """One notification. Its content never changes; its record and state do.

    Events are pending by the hundred thousand, so each is a body rendered once and a few numbers. Anything else is read
    from the body when it is needed.
    """

    __slots__ = ("arrived_at", "created_at", "event_type", "number", "order", "record", "state", "sub_app_id", "tail")

    def __init__(self, number: int, sub_app_id: int | None, event_type: str, tail: bytes) -> None:
        self.number = number
        self.sub_app_id = sub_app_id
        self.event_type = event_type
        self.tail = tail
        """The body without its first brace: a pull puts an EventHandle before it."""
        self.record: Record | None = None
        """The record of what happened to it last; None until something has."""
        self.state: State = "scheduled"
        self.created_at = 0.0
        """When something first happened to it, in seconds since 1970."""
        self.arrived_at = 0.0
        """When it was put into its queue, on the clock's axis."""
        self.order = 0
        """Its place in the queue: smaller is older."""

    @property
    def id(self) -> str:
        return event_id(self.number)

    @property
    def body(self) -> bytes:
        """The rendered event as JSON."""
        return b"{" + self.tail

    @property
    def last(self) -> Entry | None:
        """What happened to it last."""
        return None if self.record is None else self.record.entry_of(self.number)

    def timeline(self) -> list[Entry]:
        """What happened to it, first to last, as far as the journal keeps it."""
        entries = []
        entry = self.last
        while entry is not None:
            entries.append(entry)
            entry = entry.before
        return entries[::-1]

    def content(self) -> dict[str, Any]:
        """The EventContent that is sent."""
        content: dict[str, Any] = json.loads(self.body)
        return content

    def structure(self) -> dict[str, Any]:
        """The one field of its content that is an object."""
        return next((value for key, value in self.content().items() if isinstance(value, dict)), {})


def _size(events: Sequence[Event]) -> int:
    """Bytes of the bodies of *events*."""
    return sum([len(event.tail) for event in events]) + len(events)


def event_id(number: int) -> str:
    return f"evt_{number:06d}"


def event_number(text: str) -> int | None:
    """The number in an id of this form; None for any other text."""
    digits = text.removeprefix("evt_")
    return int(digits) if digits != text and digits.isascii() and digits.isdigit() and len(digits) < 19 else None


class BacklogFull(Exception):
    """Raised when pending events exceed `pending-bytes`."""


EventListener = Callable[[Event, Entry], None]


class Events:
    """All events of one life of an account.

    Pending events are kept, up to `pending-bytes`. Events in a terminal state are kept to be looked up, up to
    `history-events` and `history-bytes`; those that ended first are evicted first. The counters count evicted events
    too.
    """

    def __init__(self, journal: Journal, config: Callable[[], AccountSettings]) -> None:
        self._journal = journal
        self._config = config
        self._listeners: list[EventListener] = []
        self.last_number = 0
        self._all: dict[int, Event] = {}
        self._in_order = True
        self._terminal: deque[Event] = deque()
        self._terminal_bytes = 0
        self.counts: Counter[State] = Counter(dict.fromkeys(STATES, 0))
        self.pending_bytes = 0
        """Bytes of the bodies of pending events."""
        self.evicted = 0
        self._cleared = False

    def create(self, sub_app_id: int | None, event_type: str, tail: bytes) -> Event:
        """A new event of an EventType, with its body less the first brace. Raises BacklogFull."""
        size = 1 + len(tail)
        self.check_room(size)
        self.last_number += 1
        event = Event(self.last_number, sub_app_id, event_type, tail)
        self._all[event.number] = event
        self.counts["scheduled"] += 1
        self.pending_bytes += size
        return event

    def check_room(self, size: int) -> None:
        """Raise BacklogFull if one more pending event with a body of *size* bytes would exceed `pending-bytes`."""
        pending, limit = self.pending_bytes, self._config().pending_bytes
        if pending + size > limit:
            raise BacklogFull(
                f"{pending} bytes of events are pending and one more would exceed pending-bytes ({limit}): "
                "pull and confirm them, reset the account, or raise pending-bytes"
            )

    def note(self, event: Event, what: str, detail: object = None, *, at: float | None = None) -> Entry:
        """Record what happened to *event*, and change its state accordingly.

        *at* is the moment in seconds since 1970 (default: now).
        """
        journal = self._journal
        if at is None:
            at = journal.moment()
        entry = Entry(journal.seq + 1, at, what, event.number, event.sub_app_id, detail, event.record)
        self._record(entry, (event,))
        return entry

    def note_all(self, events: Sequence[Event], what: str, details: Sequence[object], *, at: float) -> int:
        """Record that the same happened to several *events* of one application, all new or all in one state until now.

        It keeps *details*, one for each. Returns the number of the first entry; the others are numbered on from it.
        Not for what happens to an event over and over: a batch keeps the earlier records of all its events.
        """
        numbers = [event.number for event in events]
        earlier = [event.record for event in events]
        batch = Batch(self._journal.seq + 1, at, what, numbers, events[0].sub_app_id, details, earlier)
        self._record(batch, events)
        return batch.seq

    def _record(self, record: Record, events: Sequence[Event]) -> None:
        was = events[0].state
        state = STATE_AFTER.get(record.what, was)
        if events[0].record is None:
            for event in events:
                event.created_at = record.at
        for event in events:
            event.record = record
            event.state = state
        self._journal.append(record)
        if state != was:
            self.counts[was] -= len(events)
            self.counts[state] += len(events)
            if state not in TERMINAL:
                if was in TERMINAL:
                    self._reopen(events)
            elif was not in TERMINAL:
                self._end(events)
        self._journal.tell(record)
        if self._listeners:
            for event, entry in zip(events, record.entries(), strict=True):
                for listener in tuple(self._listeners):
                    listener(event, entry)

    def listen(self, listener: EventListener) -> Callable[[], None]:
        """Call *listener* with each event that something happens to, and the entry. Returns a function that ends it.

        The event is in its new state, and may be evicted already.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

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

    def clear(self) -> None:
        """Forget every event: the life has ended."""
        self._cleared = True
        self._all.clear()
        self._terminal.clear()

    def after(self, number: int) -> Iterator[Event]:
        """The events with larger numbers than *number*, oldest first."""
        if self.last_number - number > len(self._all):  # there are more gaps than events
            return (event for event in [*self] if event.number > number)
        numbers = range(number + 1, self.last_number + 1)
        return (event for one in numbers if (event := self._all.get(one)) is not None)

    def before(self, number: int | None) -> Iterator[Event]:
        """The events with smaller numbers than *number*, or all of them, newest first."""
        if number is None or number > self.last_number:
            number = self.last_number + 1
        if number > 2 * len(self._all):  # there may be more gaps than events
            return (event for event in reversed([*self]) if event.number < number)
        return (event for one in range(number - 1, 0, -1) if (event := self._all.get(one)) is not None)

    def _end(self, events: Sequence[Event]) -> None:
        """*events* have reached a terminal state: keep them as history, and evict its oldest events."""
        size = _size(events)
        self.pending_bytes -= size
        if events[0].number not in self._all:  # discarded
            return
        self._terminal_bytes += size
        terminal = self._terminal
        terminal.extend(events)
        config = self._config()
        if (too_many := len(terminal) - config.history_events) > 0:
            self._evict(too_many)
        while self._terminal_bytes + _OVERHEAD * len(terminal) > config.history_bytes:
            self._evict(1)

    def discard(self, sub_app_id: int | None, reason: str) -> Iterator[None]:
        """Evict all events of an application. Each step of the result records some of the pending ones as dropped."""
        events = [event for event in self._all.values() if event.sub_app_id == sub_app_id]
        for event in events:
            del self._all[event.number]
        self.evicted += len(events)
        self._terminal_bytes -= _size([event for event in events if event.state in TERMINAL])
        self._terminal = deque(event for event in self._terminal if event.sub_app_id != sub_app_id)
        return self._drop([event for event in events if event.state not in TERMINAL], {"reason": reason})

    def _drop(self, events: Sequence[Event], detail: Mapping[str, str]) -> Iterator[None]:
        for start in range(0, len(events), _DROPPED_AT_ONCE):
            if self._cleared:
                return
            by_state: dict[State, list[Event]] = {}
            for event in events[start : start + _DROPPED_AT_ONCE]:
                by_state.setdefault(event.state, []).append(event)
            for same in by_state.values():
                self.note_all(same, "dropped", [detail] * len(same), at=self._journal.moment())
            yield

    def _evict(self, count: int) -> None:
        """Forget the *count* events that have been in a terminal state for longest."""
        terminal, known, size = self._terminal, self._all, count
        for _ in range(count):
            event = terminal.popleft()
            size += len(event.tail)
            del known[event.number]
        self._terminal_bytes -= size
        self.evicted += count

    def _reopen(self, events: Sequence[Event]) -> None:
        """*events* were in a terminal state and are pending again."""
        for event in events:
            if event.number in self._all:
                # Most have just ended, so the search begins with the youngest.
                place = next(place for place, one in enumerate(reversed(self._terminal), 1) if one is event)
                del self._terminal[-place]
                self._terminal_bytes -= _size((event,))
            else:  # evicted while a caller held on to it
                self._all[event.number] = event
                self._in_order = False
            self.pending_bytes += _size((event,))
