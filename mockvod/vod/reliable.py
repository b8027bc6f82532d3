"""Reliable callback: a queue that hands each event out until it is confirmed."""

import asyncio
import heapq
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from enum import Enum
from functools import partial
from random import Random
from typing import NamedTuple

from mockvod.settings import AccountSettings
from mockvod.vod.clock import Clock, Timer, Waiter
from mockvod.vod.events import Event, Events

REMEMBERED = 50_000  # confirmed handles kept, so that confirming again within the lease succeeds


class Leased(NamedTuple):
    """An event as one pull got it."""

    handle: str
    event: Event


_leased = partial(tuple.__new__, Leased)  # its own constructor takes three times as long


class Outcome(Enum):
    """What became of one handle of a ConfirmEvents."""

    CONFIRMED = "confirmed"
    REPEATED = "confirmed before"
    UNKNOWN = "unknown, or its 30 s are over"


class _Pull:
    """What one pull took: since when, and under which handles."""

    __slots__ = ("at", "handles")

    def __init__(self, at: float, handles: list[str]) -> None:
        self.at = at
        self.handles = handles


class EventQueue:
    """Events of one application that nobody has confirmed yet.

    Pulling leases an event: it stays hidden until it is confirmed, which removes it, or until its lease runs out,
    which makes it visible again under a new handle. Nothing but the comparison with the clock decides that; the one
    timer there is only wakes up who waits and keeps the journal in step.

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
        # 18 digits, as handles of the real service have been seen (the document of ReduceMediaBitrateComplete).
        self._last_handle = random.randrange(10**17, 4 * 10**17)
        # Oldest first each: never leased, in the order of arrival; and come back from a lease, as a heap.
        self._fresh: deque[Event] = deque()
        self._returned: list[tuple[int, Event]] = []
        # Every handle whose lease has not ended: its event, or None once that is confirmed. The pulls say which are
        # due when, oldest first.
        self._handles: dict[str, Event | None] = {}
        self._pulls: deque[_Pull] = deque()
        self._leased = 0
        self._pollers: OrderedDict[Waiter, None] = OrderedDict()
        self._timer: Timer | None = None
        self._serving = True
        self._holding = True
        self._closed = False

    # --- the three operations

    def put(self, event: Event, detail: object = None) -> None:
        """Make *event* visible now, behind all others."""
        clock = self._clock
        event.arrived_at = clock.now()
        event.order = self._events.note(event, "queued", detail, at=clock.epoch(event.arrived_at)).seq
        self._fresh.append(event)
        self._watch(event.arrived_at + self._config().retention)
        self._wake_one()

    async def pull(self, limit: int, *, hold: float) -> list[Leased]:
        """Lease up to *limit* events, waiting up to *hold* seconds for the first. Only inside `Clock.busy`."""
        batch = self._lease(limit)
        if batch or hold <= 0 or not self._holding:
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
            if batch or not woken or not self._holding:
                return batch

    def confirm(self, handles: Sequence[str]) -> list[Outcome]:
        """Remove the events leased under *handles*; one outcome for each handle, in their order.

        What a bad handle or a repeated one means for the batch is decided by the account's settings: with
        ``bad_handle=refuse`` nothing is confirmed unless all can be.
        """
        self._catch_up()
        known = self._handles
        taken = [known.get(handle) for handle in handles]
        if None in taken or len(set(handles)) != len(handles):
            return self._confirm_one_by_one(handles)
        self._end(handles, [event for event in taken if event is not None])
        return [Outcome.CONFIRMED] * len(handles)

    def _confirm_one_by_one(self, handles: Sequence[str]) -> list[Outcome]:
        """As `confirm`, where not every handle stands for an event of its own that is to be confirmed."""
        config, known = self._config(), self._handles
        again = Outcome.REPEATED if config.repeated_confirm == "accept" else Outcome.UNKNOWN
        if config.bad_handle == "refuse":
            outlook = [
                Outcome.UNKNOWN if h not in known else again if known[h] is None else Outcome.CONFIRMED for h in handles
            ]
            if Outcome.UNKNOWN in outlook:
                return outlook
        outcomes = []
        confirmed: dict[str, Event] = {}
        for handle in handles:
            event = known.get(handle)
            if event is not None:  # given twice in one batch it counts once
                confirmed[handle] = event
                outcomes.append(Outcome.CONFIRMED)
            else:
                outcomes.append(again if handle in known else Outcome.UNKNOWN)
        self._end(list(confirmed), list(confirmed.values()))
        return outcomes

    def _end(self, handles: Sequence[str], events: Sequence[Event]) -> None:
        self._handles.update(dict.fromkeys(handles))
        self._leased -= len(events)
        self._events.note_all(events, "confirmed", handles)
        if len(self._handles) - self._leased > REMEMBERED:
            self._forget_confirmed()

    def _forget_confirmed(self) -> None:
        """Forget which handles were confirmed, but for those of the younger half of all pulls."""
        old = len(self._pulls) // 2
        for place, pull in enumerate(self._pulls):
            if place >= old:
                break
            for handle in pull.handles:
                if self._handles[handle] is None:
                    del self._handles[handle]
            pull.handles = [handle for handle in pull.handles if handle in self._handles]
        self._pulls = deque(pull for pull in self._pulls if pull.handles)

    def event_of(self, handle: str) -> Event | None:
        """The event that is leased under *handle* and not confirmed."""
        self._catch_up()
        return self._handles.get(handle)

    def give_back(self, handle: str) -> None:
        """Make the event that is leased under *handle* visible now. Confirming the handle will change nothing."""
        event = self._handles[handle]
        if event is not None:
            self._handles[handle] = None
            self._leased -= 1
            heapq.heappush(self._returned, (event.order, event))
            self._events.note(event, "lease_ended", handle)
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
        self._handles.clear()
        self._pulls.clear()
        self._leased = 0

    # --- leases

    def _lease(self, limit: int) -> list[Leased]:
        if self._closed or not self._serving:
            return []
        now = self._catch_up()
        events = self._oldest(limit)
        if not events:
            return []
        bits, last = self._random.getrandbits, self._last_handle
        handles = []
        for _ in events:
            last += bits(24) + 1  # never the same twice, and nobody guesses the next
            handles.append(str(last))
        self._last_handle = last
        self._handles.update(zip(handles, events, strict=True))
        self._leased += len(events)
        self._pulls.append(_Pull(now, handles))
        self._events.note_all(events, "leased", handles)
        self._watch(now + self._config().visibility_timeout)
        return list(map(_leased, zip(handles, events, strict=True)))

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
        """End what has ended by now: leases, the memory of their handles, events past their retention. Answers now."""
        now = self._clock.now()
        config = self._config()
        ended = 0
        while self._pulls and self._pulls[0].at + config.visibility_timeout <= now:
            for handle in self._pulls.popleft().handles:
                event = self._handles.pop(handle)
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
        return now

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
        self._catch_up()
        config = self._config()
        if self._pulls:
            self._watch(self._pulls[0].at + config.visibility_timeout)
        if self._fresh:
            self._watch(self._fresh[0].arrived_at + config.retention)
        if self._returned:
            self._watch(self._returned[0][1].arrived_at + config.retention)
