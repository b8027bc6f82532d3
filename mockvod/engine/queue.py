"""Reliable callback: a queue that hands each event out until it is confirmed."""

import asyncio
import heapq
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import Enum
from itertools import islice
from random import Random
from typing import NamedTuple

from mockvod.engine.clock import Clock, Timer, Waiter
from mockvod.engine.events import Event, Events
from mockvod.settings import AccountSettings

MOST_TOGETHER = 16  # events that share a record; as long as one of them is held, it is held for all
REMEMBERED = 50_000  # confirmed handles kept, so that confirming again within the lease succeeds


class Leased(NamedTuple):
    """An event as one pull got it."""

    handle: str
    event: Event


class OpenLease(NamedTuple):
    """A lease that has not ended; moments are on the clock's axis."""

    handle: str
    event: Event
    at: float
    until: float


class Leases:
    """What one pull got, in the order in which it is answered."""

    __slots__ = ("events", "handles")

    def __init__(self, handles: Sequence[str], events: Sequence[Event]) -> None:
        self.handles = handles
        self.events = events

    def __len__(self) -> int:
        return len(self.events)

    def __iter__(self) -> Iterator[Leased]:
        return map(Leased, self.handles, self.events)


NOTHING = Leases((), ())


class Outcome(Enum):
    """What became of one handle of a ConfirmEvents."""

    CONFIRMED = "confirmed"
    REPEATED = "confirmed before"
    UNKNOWN = "unknown, or its 30 s are over"


class _Pull:
    """What one pull took: since when, which events, and under which handles.

    An event that was confirmed or given back leaves None in its place.
    """

    __slots__ = ("at", "events", "handles", "left")

    def __init__(self, at: float, handles: list[str], events: list[Event]) -> None:
        self.at = at
        self.handles = handles
        self.events: list[Event | None] = [*events]
        self.left = len(events)
        """How many places are not None."""


# A handle has 18 digits, as those of the real service (the document of ReduceMediaBitrateComplete): ten say which pull
# it is of, four are random, three say which place it has there (`pull-limit` fits in), so that nothing has to be stored
# for each handle. The last is odd: who reads a handle as a floating-point number gets an even one, and is refused.
_PULL = 10  # how many digits tell the pull
_PLACE = slice(-4, -1)  # where those are that tell the place
_PLACES = tuple([f"{place:03d}1" for place in range(1000)])


class EventQueue:
    """Events of one application that nobody has confirmed yet.

    Pulling leases an event: it stays hidden until it is confirmed, which removes it, or until its lease runs out,
    which makes it visible again under a new handle. What has ended by the clock is looked for before anything else is
    done, and by the one timer there is, which wakes up who waits and keeps the journal in step. The timer is due no
    later than the first of all that ends; so before its moment nothing has to be looked for.

    Sources: PullEvents 266/33433, ConfirmEvents 266/33434.
    """

    def __init__(
        self, name: str, clock: Clock, events: Events, config: Callable[[], AccountSettings], random: Random
    ) -> None:
        self._name = name
        self._clock = clock
        self._events = events
        self._config = config
        self._random = random
        self._last_pull = random.randrange(10**9, 4 * 10**9)
        # Oldest first each: never leased, in the order of arrival; and come back from a lease, as a heap.
        self._fresh: deque[Event] = deque()
        self._returned: list[tuple[int, Event]] = []
        # Those whose leases have not ended, by the first digits of their handles, oldest first.
        self._pulls: OrderedDict[str, _Pull] = OrderedDict()
        self._leased = 0
        self._remembered = 0
        """Handles of theirs whose event is confirmed or given back."""
        self._not_forgotten = 0
        """How many of them were left when some were forgotten last: looking again at once would find none to forget."""
        self._gathered: list[Event] | None = None
        """Those put together until now; None where each is put by itself."""
        self._pollers: OrderedDict[Waiter, None] = OrderedDict()
        self._timer: Timer | None = None
        self._serving = True
        self._holding = True
        self._closed = False

    # --- the three operations

    def put(self, event: Event, detail: object = None) -> None:
        """Make *event* visible behind all others, now, or with all those that it is put `together` with."""
        if self._gathered is not None:
            if event.record is None and detail is None:
                self._gathered.append(event)
                if len(self._gathered) == MOST_TOGETHER:
                    self._let_in_gathered()
                return
            self._let_in_gathered()  # those before it
        clock = self._clock
        event.arrived_at = clock.now()
        event.order = self._events.note(event, "queued", detail, at=clock.epoch(event.arrived_at)).seq
        self._fresh.append(event)
        self._watch(event.arrived_at + self._config().retention)
        self._wake_one()

    @contextmanager
    def together(self) -> Iterator[None]:
        """Around putting many events, with no `await` in between: the journal has one record for many new ones.

        They take less memory so, and whatever is done to them takes less time.
        """
        if self._gathered is not None:  # part of the block around
            yield
            return
        self._gathered = []
        try:
            yield
        finally:
            try:
                self._let_in_gathered()
            finally:
                self._gathered = None

    def _let_in_gathered(self) -> None:
        events, self._gathered = self._gathered, []
        if not events:
            return
        now = self._clock.now()
        first = self._events.note_all(events, "queued", [None] * len(events), at=self._clock.epoch(now))
        for order, event in enumerate(events, first):
            event.arrived_at = now
            event.order = order
        self._fresh.extend(events)
        self._watch(now + self._config().retention)
        for _ in range(min(len(events), len(self._pollers))):
            self._wake_one()

    async def pull(self, limit: int, *, hold: float) -> Leases:
        """Lease up to *limit* events, waiting up to *hold* seconds for the first. Only inside `Clock.busy`."""
        batch = self._lease(limit)
        if batch.events or hold <= 0 or not self._holding:
            return batch
        deadline = self._clock.now() + hold
        while True:
            poller = self._clock.waiter(f"PullEvents of {self._name} is held")
            self._pollers[poller] = None
            try:
                woken = await poller.wait(deadline)
            except asyncio.CancelledError:
                if poller.woken:  # woken for an event that it will not take: the next in line shall have it
                    self._wake_one()
                raise
            finally:
                self._pollers.pop(poller, None)
            batch = self._lease(limit)
            if batch.events or not woken or not self._holding:
                return batch

    def confirm(self, handles: Sequence[str]) -> list[Outcome]:
        """Remove the events leased under *handles*; one outcome for each handle, in their order.

        What a bad handle or a repeated one means for the batch is decided by the account's settings: with
        ``bad_handle=refuse`` nothing is confirmed unless all can be.
        """
        self._catch_up()
        pull = self._pulls.get(handles[0][:_PULL]) if handles else None
        if pull is not None and pull.left == len(handles) and pull.handles == handles:
            events = [event for event in pull.events if event is not None]
            pull.events = [None] * len(events)
            self._count_taken(pull, len(events))
            self._end(events, pull.handles)
            return [Outcome.CONFIRMED] * len(handles)
        return self._confirm_one_by_one(handles)

    def _confirm_one_by_one(self, handles: Sequence[str]) -> list[Outcome]:
        """As `confirm`, where the handles are not all those of one pull in their order."""
        config = self._config()
        again = Outcome.REPEATED if config.repeated_confirm == "accept" else Outcome.UNKNOWN
        outcomes = [
            Outcome.UNKNOWN if pull is None else again if pull.events[place] is None else Outcome.CONFIRMED
            for pull, place in map(self._find, handles)
        ]
        if config.bad_handle == "refuse" and Outcome.UNKNOWN in outcomes:
            return outcomes
        # Given twice in one batch a handle counts once.
        confirmed = {handle: event for handle in handles if (event := self._take(handle)) is not None}
        if confirmed:
            self._end(list(confirmed.values()), list(confirmed))
        return outcomes

    def _end(self, events: Sequence[Event], handles: Sequence[str]) -> None:
        """*events*, taken from under *handles*, are confirmed."""
        self._events.note_all(events, "confirmed", handles, at=self._clock.epoch())
        if self._remembered > REMEMBERED and self._remembered - self._not_forgotten > REMEMBERED // 2:
            # Of the older half of all pulls, those that nothing is left of.
            for key in list(islice(self._pulls, len(self._pulls) // 2)):
                if not self._pulls[key].left:
                    self._remembered -= len(self._pulls.pop(key).handles)
            self._not_forgotten = self._remembered

    def _take(self, handle: str) -> Event | None:
        """Take away the event that is leased under *handle*, and leave None there."""
        pull, place = self._find(handle)
        event = None if pull is None else pull.events[place]
        if pull is not None and event is not None:
            pull.events[place] = None
            self._count_taken(pull, 1)
        return event

    def _count_taken(self, pull: _Pull, events: int) -> None:
        pull.left -= events
        self._leased -= events
        self._remembered += events

    def _find(self, handle: str) -> tuple[_Pull | None, int]:
        """The pull that *handle* is of, and its place there; None where its lease has ended, or there was none."""
        pull = self._pulls.get(handle[:_PULL])
        place = handle[_PLACE]
        if pull is not None and place.isascii() and place.isdigit():
            number = int(place)
            if number < len(pull.handles) and pull.handles[number] == handle:
                return pull, number
        return None, 0

    def event_of(self, handle: str) -> Event | None:
        """The event that is leased under *handle* and not confirmed."""
        self._catch_up()
        pull, place = self._find(handle)
        return None if pull is None else pull.events[place]

    def give_back(self, handle: str) -> None:
        """Make the event that is leased under *handle* visible now. Confirming the handle will change nothing."""
        event = self._take(handle)
        if event is not None:
            heapq.heappush(self._returned, (event.order, event))
            self._events.note(event, "lease_ended", handle)
            self._watch(event.arrived_at + self._config().retention)
            self._wake_one()

    # --- what people ask

    @property
    def visible(self) -> int:
        """Events that a pull would get now."""
        self._catch_up()
        return len(self._fresh) + len(self._returned)

    @property
    def leased(self) -> int:
        self._catch_up()
        return self._leased

    def leases(self, at_most: int) -> list[OpenLease]:
        """The leases that have not ended, those that end first, first."""
        self._catch_up()
        timeout = self._config().visibility_timeout
        found = (
            OpenLease(handle, event, pull.at, pull.at + timeout)
            for pull in self._pulls.values()
            for handle, event in zip(pull.handles, pull.events, strict=True)
            if event is not None
        )
        return list(islice(found, at_most))

    @property
    def waiting(self) -> int:
        """Polls held at this moment."""
        return len(self._pollers)

    def serve(self, serving: bool) -> None:
        """Hand events out, or keep them (in PUSH mode) until told otherwise."""
        self._serving = serving
        if serving:
            for _ in range(min(self.visible, self.waiting)):
                self._wake_one()

    # --- its end

    def stop_holding(self) -> None:
        """Answer every poll at once, those held now and those to come."""
        self._holding = False
        while self._pollers:
            self._pollers.popitem(last=False)[0].wake()

    def close(self) -> None:
        """Forget everything and answer every poll, now and later, with nothing."""
        self._closed = True
        self.stop_holding()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._fresh.clear()
        self._returned.clear()
        self._pulls.clear()
        self._leased = self._remembered = self._not_forgotten = 0

    # --- leases

    def _lease(self, limit: int) -> Leases:
        if self._closed or not self._serving:
            return NOTHING
        now = self._catch_up()
        all_fresh = not self._returned
        events = self._oldest(limit)
        if not events:
            return NOTHING
        self._last_pull += 1
        begin = str(self._last_pull * 10_000 + self._random.getrandbits(13))
        handles = [begin + place for place in _PLACES[: len(events)]]
        self._pulls[begin[:_PULL]] = _Pull(now, handles, events)
        self._leased += len(events)
        at = self._clock.epoch()  # not before what has just ended
        if all_fresh:
            self._events.note_all(events, "leased", handles, at=at)
        else:  # one that comes back again and again would have all the others remembered
            for event, handle in zip(events, handles, strict=True):
                self._events.note(event, "leased", handle, at=at)
        self._watch(now + self._config().visibility_timeout)
        return Leases(handles, events)

    def _oldest(self, limit: int) -> list[Event]:
        """Take away up to *limit* of the visible events, the oldest first."""
        fresh, returned = self._fresh, self._returned
        if not returned:
            return [fresh.popleft() for _ in range(min(limit, len(fresh)))]
        events: list[Event] = []
        while len(events) < limit and (fresh or returned):
            if returned and (not fresh or returned[0][0] < fresh[0].order):
                events.append(heapq.heappop(returned)[1])
            else:
                events.append(fresh.popleft())
        return events

    def _catch_up(self) -> float:
        """End what has ended by now. Answers now."""
        now = self._clock.now()
        if self._timer is not None and self._timer.when <= now:
            self._end_what_is_over(now)
        return now

    def _end_what_is_over(self, now: float) -> None:
        """Leases, the memory of their handles, events past their retention."""
        config = self._config()
        ended = 0
        while self._pulls and self._oldest_pull().at + config.visibility_timeout <= now:
            _, pull = self._pulls.popitem(last=False)
            self._remembered -= len(pull.handles) - pull.left
            self._not_forgotten = min(self._not_forgotten, self._remembered)
            for handle, event in zip(pull.handles, pull.events, strict=True):
                if event is not None:
                    heapq.heappush(self._returned, (event.order, event))
                    self._events.note(event, "lease_ended", handle)
                    ended += 1
        self._leased -= ended
        # The older of the two heads is the oldest of all, and age decides.
        while self._fresh and self._fresh[0].arrived_at + config.retention <= now:
            self._events.note(self._fresh.popleft(), "expired")
        while self._returned and self._returned[0][1].arrived_at + config.retention <= now:
            self._events.note(heapq.heappop(self._returned)[1], "expired")
        for _ in range(ended):
            self._wake_one()

    def _oldest_pull(self) -> _Pull:
        return next(iter(self._pulls.values()))

    def _wake_one(self) -> None:
        if self._pollers:
            self._pollers.popitem(last=False)[0].wake()

    # --- the timer

    def retime(self) -> None:
        """Settings have changed: what is due is due at other moments."""
        if self._timer is not None:
            self._timer.cancel()
        self._ring()

    def _watch(self, moment: float) -> None:
        """See to it that the queue catches up at *moment*."""
        if self._timer is not None:
            if self._timer.when <= moment:
                return
            self._timer.cancel()
        self._timer = self._clock.at(moment, self._ring, f"{self._name}: a lease or a retention ends")

    def _ring(self) -> None:
        self._timer = None
        self._end_what_is_over(self._clock.now())
        config = self._config()
        if self._pulls:
            self._watch(self._oldest_pull().at + config.visibility_timeout)
        if self._fresh:
            self._watch(self._fresh[0].arrived_at + config.retention)
        if self._returned:
            self._watch(self._returned[0][1].arrived_at + config.retention)
