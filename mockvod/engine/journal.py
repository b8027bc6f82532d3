"""What happened, in order; an event's part of it is its timeline."""

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from operator import attrgetter
from typing import Any, NamedTuple

from mockvod.engine.clock import Clock

Listener = Callable[["Entry"], None]


class Entry(NamedTuple):
    """One thing that happened. It knows what happened to the same event before, so a timeline costs nothing to keep."""

    seq: int
    at: float
    """Seconds since 1970 as the account's clock showed them."""
    what: str
    event: int | None
    sub_app_id: int | None
    detail: Any
    """A text, a mapping, or a value that `vod` defines (an Attempt); what it means depends on `what`."""
    earlier: "Record | None" = None
    """Where the same event was written of before."""

    @property
    def before(self) -> "Entry | None":
        """What happened to the same event before; None at its beginning."""
        return None if self.earlier is None or self.event is None else self.earlier.entry_of(self.event)

    @property
    def last_seq(self) -> int:
        return self.seq

    def entry_of(self, event: int) -> "Entry":  # noqa: ARG002 - as a Batch has it
        return self

    def earlier_of(self, event: int) -> "Record | None":  # noqa: ARG002 - as a Batch has it
        return self.earlier

    def entries(self) -> "Sequence[Entry]":
        return (self,)


class Batch:
    """The same thing, at one moment, to each of several events: one record, of which entries are made when read.

    Events emitted together, a pull and its confirmation write of sixteen events each; entries of their own would double
    what that costs.
    """

    __slots__ = ("at", "details", "earlier_of_each", "events", "seq", "sub_app_id", "what")

    def __init__(
        self,
        seq: int,
        at: float,
        what: str,
        events: Sequence[int],
        sub_app_id: int | None,
        details: Sequence[Any],
        earlier_of_each: "Sequence[Record | None]",
    ) -> None:
        self.seq = seq
        """Of the first entry; the others are numbered on from it."""
        self.at = at
        self.what = what
        self.events = events
        self.sub_app_id = sub_app_id
        self.details = details
        self.earlier_of_each = earlier_of_each

    @property
    def last_seq(self) -> int:
        return self.seq + len(self.events) - 1

    def entry_of(self, event: int) -> Entry:
        return self._entry(self.events.index(event))

    def earlier_of(self, event: int) -> "Record | None":
        return self.earlier_of_each[self.events.index(event)]

    def entries(self) -> Sequence[Entry]:
        return list(map(self._entry, range(len(self.events))))

    def _entry(self, place: int) -> Entry:
        return Entry(
            self.seq + place,
            self.at,
            self.what,
            self.events[place],
            self.sub_app_id,
            self.details[place],
            self.earlier_of_each[place],
        )


Record = Entry | Batch


class Journal:
    """Append-only record of one account. Old entries give way to new ones; sequence numbers never repeat."""

    def __init__(self, clock: Clock, limit: Callable[[], int], first: int = 1) -> None:
        self._clock = clock
        self._limit = limit
        self._records: deque[Record] = deque()
        self._listeners: list[Listener] = []
        self._observers: list[Callable[[Record], None]] = []
        self.seq = first - 1
        self.first = first
        """Sequence number of the oldest entry still kept; one more than the last when there is none."""

    def moment(self) -> float:
        """What an entry made now has for `at`."""
        return self._clock.epoch()

    def append(self, record: Record) -> None:
        """Add a *record* numbered on from `seq`. Whoever does calls `tell` once its events are in the new state."""
        kept = self._records
        kept.append(record)
        self.seq = record.last_seq
        first = self.seq - self._limit() + 1
        if first > self.first:
            self.first = first
            while kept[0].last_seq < first:
                kept.popleft()

    def note(self, what: str, *, sub_app_id: int | None = None, detail: Any = None) -> Entry:
        """Record something that is no event's: a change of settings, of the clock, a reset."""
        entry = Entry(self.seq + 1, self.moment(), what, None, sub_app_id, detail)
        self.append(entry)
        self.tell(entry)
        return entry

    def tell(self, record: Record) -> None:
        for observer in self._observers:
            observer(record)
        if self._listeners:
            for entry in record.entries():
                for listener in tuple(self._listeners):
                    listener(entry)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call *listener* with every entry from now on; returns what ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def observe(self, observer: Callable[[Record], None]) -> None:
        """Call *observer* with every record from now on: once for a batch, so that it costs next to nothing."""
        self._observers.append(observer)

    def since(self, seq: int, limit: int | None = None) -> Iterator[Entry]:
        """Entries after *seq*, at most *limit*."""
        first = max(seq + 1, self.first)
        end = self.seq + 1 if limit is None else first + limit
        for record in islice(self._records, bisect_left(self._records, first, key=attrgetter("last_seq")), None):
            for entry in record.entries():
                if entry.seq >= end:
                    return
                if entry.seq >= first:
                    yield entry
