"""What happened, in order; an event's entries are its timeline."""

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from operator import attrgetter
from typing import Any, Final

from mockvod.engine.clock import Clock
from mockvod.settings import AccountSettings

Listener = Callable[["Entry"], None]

_ENTRY_BYTES: Final = 200  # what an entry takes besides its detail


@dataclass(slots=True)
class Entry:
    """One thing that happened."""

    seq: int
    at: float
    """Seconds since 1970 on the account's clock."""
    what: str
    event: int | None
    sub_app_id: int | None
    detail: Any
    """A text, a mapping, or an Attempt; what it means depends on `what`."""
    earlier: "Record | None" = field(default=None, compare=False, repr=False)
    """The record of what happened to the same event before, as far as the journal keeps it."""

    @property
    def before(self) -> "Entry | None":
        """What happened to the same event before; None at the beginning of its timeline."""
        return None if self.earlier is None or self.event is None else self.earlier.entry_of(self.event)

    @property
    def last_seq(self) -> int:
        return self.seq

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        return _ENTRY_BYTES if self.detail is None else _ENTRY_BYTES + _size(self.detail)

    def entry_of(self, event: int) -> "Entry":  # noqa: ARG002 - as a Batch has it
        return self

    def entries(self) -> "Sequence[Entry]":
        return (self,)

    def forget_earlier(self) -> None:
        self.earlier = None


@dataclass(slots=True, eq=False, repr=False)
class Batch:
    """The same thing, at one moment, to each of several events: one record, whose entries are made when they are read.

    Events that are emitted together, a pull and its confirmation record up to sixteen events each. With an entry for
    each event these would cost twice as much.
    """

    seq: int
    """Of the first entry; the others are numbered on from it."""
    at: float
    what: str
    events: Sequence[int]
    sub_app_id: int | None
    details: Sequence[Any]
    earlier: "Sequence[Record | None]"

    @property
    def last_seq(self) -> int:
        return self.seq + len(self.events) - 1

    @property
    def size(self) -> int:
        """About how many bytes its entries take."""
        return _ENTRY_BYTES * len(self.events)

    def entry_of(self, event: int) -> Entry:
        return self._entry(self.events.index(event))

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
            self.earlier[place] if self.earlier else None,
        )

    def forget_earlier(self) -> None:
        self.earlier = ()


Record = Entry | Batch


class Journal:
    """Append-only record of one life of an account. Sequence numbers begin with *first* and never repeat.

    The oldest entries are evicted when there are more of them, or more bytes, than *limits* returns. An evicted entry
    remains only while it is the last of an event that is kept. So timelines are bounded too: together they take no more
    than the journal and one entry for each event.
    """

    def __init__(self, clock: Clock, limits: Callable[[], AccountSettings], first: int = 1) -> None:
        self._clock = clock
        self._limits = limits
        self._records: deque[Record] = deque()
        self._bytes = 0
        self._listeners: list[Listener] = []
        self._observers: list[Callable[[Record], None]] = []
        self.seq = first - 1
        self.first = first
        """Sequence number of the oldest entry that is kept; one more than the last if there is none."""

    def moment(self) -> float:
        """The `at` of an entry made now."""
        return self._clock.epoch()

    def append(self, record: Record) -> None:
        """Add a *record* numbered on from `seq`. The caller then calls `tell`, once its events are in the new state."""
        kept = self._records
        kept.append(record)
        self.seq = record.last_seq
        self._bytes += record.size
        limits = self._limits()
        if self.seq - self.first >= limits.journal_entries or self._bytes > limits.journal_bytes:
            self._evict(limits)
        for observer in self._observers:
            observer(record)

    def _evict(self, limits: AccountSettings) -> None:
        kept = self._records
        first = self.seq - limits.journal_entries + 1
        # The last record stays, however large it is.
        while kept[0].last_seq < first or (self._bytes > limits.journal_bytes and len(kept) > 1):
            evicted = kept.popleft()
            evicted.forget_earlier()
            self._bytes -= evicted.size
        self.first = max(first, kept[0].seq)

    def observe(self, observer: Callable[[Record], None]) -> None:
        """Call *observer* with every record from now on: once for a batch, so that it costs next to nothing."""
        self._observers.append(observer)

    def note(self, what: str, *, sub_app_id: int | None = None, detail: Any = None) -> Entry:
        """Record something that belongs to no event: a change of settings, a move of the clock."""
        entry = Entry(self.seq + 1, self.moment(), what, None, sub_app_id, detail)
        self.append(entry)
        self.tell(entry)
        return entry

    def tell(self, record: Record) -> None:
        """Call the listeners with the entries of *record*."""
        if self._listeners:
            for entry in record.entries():
                for listener in tuple(self._listeners):
                    listener(entry)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call *listener* with every entry from now on. Returns a function that ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def clear(self) -> None:
        """Forget every entry: the life has ended."""
        self._records.clear()
        self._bytes = 0
        self.first = self.seq + 1

    def records(self) -> list[Record]:
        """What is kept, oldest first."""
        return [*self._records]

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


_PART_BYTES: Final = 64  # about what a short value takes
_SHORT: Final = frozenset({int, float, bool, type(None)})


def _size(detail: object) -> int:
    """About how many bytes *detail* takes."""
    if isinstance(detail, str | bytes):
        return _PART_BYTES + len(detail)
    if not isinstance(detail, dict | list | tuple):
        return _PART_BYTES
    parts = detail.values() if isinstance(detail, dict) else detail
    return _PART_BYTES * (1 + len(parts)) + sum([_size(part) for part in parts if type(part) not in _SHORT])
