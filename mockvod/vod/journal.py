"""What happened, in order; an event's part of it is its timeline."""

from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from mockvod.vod.clock import Clock

Listener = Callable[["Entry"], None]


class Entry:
    """One thing that happened. Linked to the entry before it of the same event, so a timeline costs nothing to keep."""

    __slots__ = ("at", "before", "detail", "event", "seq", "sub_app_id", "what")

    def __init__(
        self,
        seq: int,
        at: float,
        what: str,
        event: int | None,
        sub_app_id: int | None,
        detail: Any,
        before: "Entry | None",
    ) -> None:
        self.seq = seq
        self.at = at
        """Seconds since 1970 as the account's clock showed them."""
        self.what = what
        self.event = event
        self.sub_app_id = sub_app_id
        self.detail = detail
        """A text, a mapping, or a value that `vod` defines (an Attempt); what it means depends on `what`."""
        self.before = before


class Journal:
    """Append-only record of one account. Old entries give way to new ones; sequence numbers never repeat."""

    def __init__(self, clock: Clock, limit: Callable[[], int]) -> None:
        self._clock = clock
        self._limit = limit
        self._entries: deque[Entry] = deque()
        self._listeners: list[Listener] = []
        self.seq = 0

    def record(
        self,
        what: str,
        *,
        event: int | None = None,
        sub_app_id: int | None = None,
        detail: Any = None,
        before: Entry | None = None,
    ) -> Entry:
        """Append an entry. Whoever records for an event calls `tell` once the event is in its new state."""
        self.seq += 1
        entry = Entry(self.seq, self._clock.epoch(), what, event, sub_app_id, detail, before)
        self._entries.append(entry)
        limit = self._limit()
        while len(self._entries) > limit:
            self._entries.popleft()
        return entry

    def note(self, what: str, *, sub_app_id: int | None = None, detail: Any = None) -> Entry:
        """Record something that is no event's: a change of settings, of the clock, a reset."""
        entry = self.record(what, sub_app_id=sub_app_id, detail=detail)
        self.tell(entry)
        return entry

    def tell(self, entry: Entry) -> None:
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
