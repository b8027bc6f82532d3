"""What happened, in order; an event's part of it is its timeline."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from mockvod.vod.clock import Clock

Listener = Callable[["Entry"], None]


class Entry(NamedTuple):
    """One thing that happened. Linked to the entry before it of the same event, so a timeline costs nothing to keep."""

    seq: int
    at: float
    """Seconds since 1970 as the account's clock showed them."""
    what: str
    event: int | None
    sub_app_id: int | None
    detail: Any
    """A text, a mapping, or a value that `vod` defines (an Attempt); what it means depends on `what`."""
    before: "Entry | None"


class Journal:
    """Append-only record of one account. Old entries give way to new ones; sequence numbers never repeat."""

    def __init__(self, clock: Clock, limit: Callable[[], int]) -> None:
        self._clock = clock
        self._limit = limit
        self._entries: deque[Entry] = deque()
        self._listeners: list[Listener] = []
        self.seq = 0

    def moment(self) -> float:
        """What an entry made now has for `at`."""
        return self._clock.epoch()

    def append(self, entries: Sequence[Entry]) -> None:
        """Add *entries*, numbered on from `seq`. Whoever does calls `tell` once their events are in the new state."""
        kept = self._entries
        self.seq += len(entries)
        kept.extend(entries)
        for _ in range(len(kept) - self._limit()):
            kept.popleft()

    def note(self, what: str, *, sub_app_id: int | None = None, detail: Any = None) -> Entry:
        """Record something that is no event's: a change of settings, of the clock, a reset."""
        entry = Entry(self.seq + 1, self.moment(), what, None, sub_app_id, detail, None)
        self.append((entry,))
        self.tell((entry,))
        return entry

    def tell(self, entries: Sequence[Entry]) -> None:
        if self._listeners:
            for entry in entries:
                for listener in tuple(self._listeners):
                    listener(entry)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call *listener* with every entry from now on; returns what ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @property
    def first(self) -> int:
        """Sequence number of the oldest entry still kept; one more than the last when there is none."""
        return self._entries[0].seq if self._entries else self.seq + 1

    def since(self, seq: int, limit: int | None = None) -> Iterator[Entry]:
        """Entries after *seq*, at most *limit*."""
        skip = max(0, seq - self.first + 1)
        return islice(self._entries, skip, None if limit is None else skip + limit)

    def clear(self, clock: Clock) -> None:
        """Forget all entries and go on by *clock*."""
        self._entries.clear()
        self._clock = clock
