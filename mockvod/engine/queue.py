"""Reliable callback: a queue that leases each event repeatedly until it is confirmed."""

import asyncio
import heapq
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from random import Random
from typing import Final, NamedTuple

from mockvod.engine.clock import Clock, LoopShare, Timer, Waiter
from mockvod.engine.events import Event, Events
from mockvod.settings import AccountSettings

BATCH_SIZE: Final = 16
"""Events that share a record in the journal. It is kept as long as one of them needs it."""
EXPIRED_AT_ONCE: Final = 500
"""Leases and retentions that end in one step: other tasks may run before those after them end."""
HANDLES_KEPT: Final = 50_000
"""Handles of confirmed pulls that are kept, so that confirming again within the lease succeeds."""


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


@dataclass(slots=True, eq=False)
class Leases:
    """What one pull got, in the order of the response."""

    handles: Sequence[str]
    events: Sequence[Event]

    def __len__(self) -> int:
        return len(self.events)

    def __iter__(self) -> Iterator[Leased]:
        return map(Leased, self.handles, self.events)


NO_LEASES: Final = Leases((), ())


class Outcome(Enum):
    """The result of ConfirmEvents for one handle."""

    CONFIRMED = "confirmed"
    REPEATED = "confirmed before"
    UNKNOWN = "unknown or expired"


class _Pull:
    """The leases of one pull: since when, of which events, and under which handles.

    An event whose lease has ended leaves None in its place.
    """

    __slots__ = ("at", "events", "handles", "left")

    def __init__(self, at: float, handles: list[str], events: list[Event]) -> None:
        self.at = at
        self.handles = handles
        self.events: list[Event | None] = [*events]
        self.left = len(events)
        """How many places are not None."""


# A handle has 18 digits, as those of the real service (the document of ReduceMediaBitrateComplete): ten for its pull,
# four that are random, three for its place in the pull (at most `pull-limit`). So nothing is stored for each handle.
# The last digit is odd: a client that reads a handle as a floating-point number sends an even one, which is unknown.
_PULL = 10  # the number of digits for the pull
_PLACE = slice(-4, -1)  # the digits for the place
_PLACES = tuple([f"{place:03d}1" for place in range(1000)])


class EventQueue:
    """The unconfirmed events of one application.

    A pull leases events: each is hidden until it is confirmed, which removes it, or until its visibility timeout ends,
    which makes it visible again; the next pull leases it under a new handle. Every operation first expires leases and
    events that are due; a single timer does the same for blocked pollers and the journal. The timer is due no later
    than the first lease or event, so before its moment no operation has to look for any.

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
        # The visible events, oldest first: those never leased, in the order of arrival; those leased before, as a heap.
        self._fresh: deque[Event] = deque()
        self._returned: list[tuple[int, Event]] = []
        # Pulls whose visibility timeout has not ended, by the first digits of their handles, oldest first.
        self._pulls: OrderedDict[str, _Pull] = OrderedDict()
        self._leased = 0
        # Those of them without an open lease, and how many handles they have.
        self._finished: OrderedDict[str, None] = OrderedDict()
        self._finished_handles = 0
        self._batch: list[Event] | None = None
        """The events of a batch that are not in the queue yet; None outside a batch."""
        self._pollers: OrderedDict[Waiter, None] = OrderedDict()
        self._timer: Timer | None = None
        self._serving = True
        self._blocking = True
        self._closed = False

    # --- the three operations

    def put(self, event: Event, detail: object = None) -> None:
        """Make *event* visible, behind all others: now, or at the end of a `batch`. Raises LifeEnded."""
        self._clock.check_alive()
        if self._batch is not None:
            if event.record is None and detail is None:
                self._batch.append(event)
                if len(self._batch) == BATCH_SIZE:
                    self._put_batch()
                return
            self._put_batch()  # those before it
        clock = self._clock
        event.arrived_at = clock.now()
        event.order = self._events.note(event, "queued", detail, at=clock.epoch(event.arrived_at)).seq
        self._fresh.append(event)
        self._watch(event.arrived_at + self._config().retention)
        self._wake_one()

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Around putting many events, without an `await`: the journal has one record for up to BATCH_SIZE new ones.

        This takes less memory, and less time with each later step of the events.
        """
        if self._batch is not None:  # part of the outer batch
            yield
            return
        self._batch = []
        try:
            yield
        finally:
            try:
                self._put_batch()
            finally:
                self._batch = None

    def _put_batch(self) -> None:
        events, self._batch = self._batch, []
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
        """Lease up to *limit* events; block up to *hold* seconds for the first. Only inside `Clock.busy`.

        Raises LifeEnded; a pull that is blocked when the queue is closed returns no leases.
        """
        self._clock.check_alive()
        leases = self._lease(limit, await self._expire_all())
        if leases.events or hold <= 0 or not self._blocking:
            return leases
        deadline = self._clock.now() + hold
        while True:
            poller = self._clock.waiter(f"PullEvents of {self._name} blocks")
            self._pollers[poller] = None
            try:
                woken = await poller.wait(deadline)
                now = await self._expire_all()
            except asyncio.CancelledError:
                if poller.woken:  # for an event that it does not take, so the next poller gets it
                    self._wake_one()
                raise
            finally:
                self._pollers.pop(poller, None)
            leases = self._lease(limit, now)
            if leases.events or not woken or not self._blocking:
                return leases

    def confirm(self, handles: Sequence[str]) -> list[Outcome]:
        """Remove the events leased under *handles*; return one outcome for each handle, in their order.

        Handles that are unknown or confirmed already are treated as the account's settings say: with
        ``bad_handle=refuse`` nothing is confirmed unless every handle can be. Raises LifeEnded.
        """
        self._clock.check_alive()
        self._expire()
        pull = self._pulls.get(handles[0][:_PULL]) if handles else None
        if pull is not None and pull.left == len(handles) and pull.handles == handles:
            events = [event for event in pull.events if event is not None]
            pull.events = [None] * len(events)
            self._count_ended(handles[0], pull, len(events))
            self._note_confirmed(events, pull.handles)
            return [Outcome.CONFIRMED] * len(handles)
        return self._confirm_one_by_one(handles)

    def _confirm_one_by_one(self, handles: Sequence[str]) -> list[Outcome]:
        """As `confirm`, for handles that are not exactly those of one pull in their order."""
        config = self._config()
        again = Outcome.REPEATED if config.repeated_confirm == "accept" else Outcome.UNKNOWN
        outcomes = [
            Outcome.UNKNOWN if pull is None else again if pull.events[place] is None else Outcome.CONFIRMED
            for pull, place in map(self._find, handles)
        ]
        if config.bad_handle == "refuse" and Outcome.UNKNOWN in outcomes:
            return outcomes
        # A handle that is given twice counts once.
        confirmed = {handle: event for handle in handles if (event := self._take(handle)) is not None}
        if confirmed:
            self._note_confirmed(list(confirmed.values()), list(confirmed))
        return outcomes

    def _note_confirmed(self, events: Sequence[Event], handles: Sequence[str]) -> None:
        self._events.note_all(events, "confirmed", handles, at=self._clock.epoch())

    def _take(self, handle: str) -> Event | None:
        """End the lease under *handle* and return its event; None if there is no such lease."""
        pull, place = self._find(handle)
        event = None if pull is None else pull.events[place]
        if pull is not None and event is not None:
            pull.events[place] = None
            self._count_ended(handle, pull, 1)
        return event

    def _count_ended(self, handle: str, pull: _Pull, leases: int) -> None:
        pull.left -= leases
        self._leased -= leases
        if not pull.left:
            self._finished[handle[:_PULL]] = None
            self._finished_handles += len(pull.handles)
            while self._finished_handles > HANDLES_KEPT:
                oldest, _ = self._finished.popitem(last=False)
                self._finished_handles -= len(self._pulls.pop(oldest).handles)

    def _find(self, handle: str) -> tuple[_Pull | None, int]:
        """The pull of *handle* and its place there; None if its visibility timeout has ended or there is none."""
        pull = self._pulls.get(handle[:_PULL])
        place = handle[_PLACE]
        if pull is not None and place.isascii() and place.isdigit():
            number = int(place)
            if number < len(pull.handles) and pull.handles[number] == handle:
                return pull, number
        return None, 0

    def event_of(self, handle: str) -> Event | None:
        """The event that is leased under *handle*."""
        self._expire()
        pull, place = self._find(handle)
        return None if pull is None else pull.events[place]

    def end_lease(self, handle: str) -> None:
        """Make the event that is leased under *handle* visible now. Confirming the handle changes nothing any more."""
        event = self._take(handle)
        if event is not None:
            heapq.heappush(self._returned, (event.order, event))
            self._events.note(event, "lease_ended", handle)
            self._watch(event.arrived_at + self._config().retention)
            self._wake_one()

    # --- looking at it

    @property
    def visible(self) -> int:
        """The number of events that a pull could lease now."""
        self._expire()
        return len(self._fresh) + len(self._returned)

    @property
    def leased(self) -> int:
        self._expire()
        return self._leased

    def leases(self, at_most: int) -> list[OpenLease]:
        """The leases that have not ended, the first to end first."""
        self._expire()
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
        """The number of blocked pulls."""
        return len(self._pollers)

    def serve(self, serving: bool) -> None:
        """Let pulls lease events, or not (in PUSH mode)."""
        self._serving = serving
        if serving:
            for _ in range(min(self.visible, self.waiting)):
                self._wake_one()

    # --- its end

    def release_pollers(self) -> None:
        """Let every blocked pull return, and block none from now on."""
        self._blocking = False
        while self._pollers:
            self._pollers.popitem(last=False)[0].wake()

    def close(self) -> None:
        """Drop all events and leases, and let every blocked pull return without events."""
        self._closed = True
        self.release_pollers()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._fresh.clear()
        self._returned.clear()
        self._pulls.clear()
        self._finished.clear()
        self._leased = self._finished_handles = 0

    # --- leases

    def _lease(self, limit: int, now: float) -> Leases:
        """Lease up to *limit* events at the moment *now*, at which all that were due have expired."""
        if self._closed or not self._serving:
            return NO_LEASES
        all_fresh = not self._returned
        events = self._oldest(limit)
        if not events:
            return NO_LEASES
        self._last_pull += 1
        begin = str(self._last_pull * 10_000 + self._random.getrandbits(13))
        handles = [begin + place for place in _PLACES[: len(events)]]
        self._pulls[begin[:_PULL]] = _Pull(now, handles, events)
        self._leased += len(events)
        at = self._clock.epoch()  # read again, because leases have ended meanwhile
        if all_fresh:
            self._events.note_all(events, "leased", handles, at=at)
        else:  # a batch would keep the records of an event that is leased again and again
            for event, handle in zip(events, handles, strict=True):
                self._events.note(event, "leased", handle, at=at)
        self._watch(now + self._config().visibility_timeout)
        return Leases(handles, events)

    def _oldest(self, limit: int) -> list[Event]:
        """Take up to *limit* visible events, the oldest first."""
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

    def _expire(self) -> float:
        """End leases and retentions that are due. Returns the present moment."""
        now = self._clock.now()
        if self._timer is not None and self._timer.when <= now:
            self._expire_due(now)
        return now

    async def _expire_all(self) -> float:
        """End all leases and retentions that are due, with turns for other tasks. Returns the present moment."""
        now = self._clock.now()
        if self._timer is not None and self._timer.when <= now:
            share = LoopShare()
            while self._expire_due(now):
                await share.turn()
                now = self._clock.now()
        return now

    def _expire_due(self, now: float) -> bool:
        """End leases, then retentions, that are due: about EXPIRED_AT_ONCE of each. Returns whether more may be due."""
        config = self._config()
        ended = 0
        while self._pulls and self._oldest_pull().at + config.visibility_timeout <= now and ended < EXPIRED_AT_ONCE:
            key, pull = self._pulls.popitem(last=False)
            if not pull.left:
                del self._finished[key]
                self._finished_handles -= len(pull.handles)
            for handle, event in zip(pull.handles, pull.events, strict=True):
                if event is not None:
                    heapq.heappush(self._returned, (event.order, event))
                    self._events.note(event, "lease_ended", handle)
                    ended += 1
        self._leased -= ended
        # The older of the two first events is the oldest of all.
        expired = 0
        while expired < EXPIRED_AT_ONCE:
            if self._fresh and self._fresh[0].arrived_at + config.retention <= now:
                self._events.note(self._fresh.popleft(), "expired")
            elif self._returned and self._returned[0][1].arrived_at + config.retention <= now:
                self._events.note(heapq.heappop(self._returned)[1], "expired")
            else:
                break
            expired += 1
        for _ in range(ended):
            self._wake_one()
        return max(ended, expired) >= EXPIRED_AT_ONCE

    def _oldest_pull(self) -> _Pull:
        return next(iter(self._pulls.values()))

    def _wake_one(self) -> None:
        if self._pollers:
            self._pollers.popitem(last=False)[0].wake()

    # --- the timer

    def reschedule(self) -> None:
        """Follow changed settings: leases and retentions end at other moments."""
        if self._timer is not None:
            self._timer.cancel()
        self._ring()

    def _watch(self, moment: float) -> None:
        """Expire what is due at *moment*, or before."""
        if self._timer is not None:
            if self._timer.when <= moment:
                return
            self._timer.cancel()
        self._timer = self._clock.at(moment, self._ring, f"{self._name}: a lease or a retention ends")

    def _ring(self) -> None:
        self._timer = None
        self._expire_due(self._clock.now())
        config = self._config()
        if self._pulls:
            self._watch(self._oldest_pull().at + config.visibility_timeout)
        if self._fresh:
            self._watch(self._fresh[0].arrived_at + config.retention)
        if self._returned:
            self._watch(self._returned[0][1].arrived_at + config.retention)
