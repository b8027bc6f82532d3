"""Reliable callback: a queue that hands each event out until it is confirmed."""

import asyncio
import heapq
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from random import Random

from mockvod.settings import AccountSettings
from mockvod.vod.clock import Clock, Timer, Waiter
from mockvod.vod.events import Event, Events

REMEMBERED = 50_000  # confirmed handles kept, so that confirming again within the lease succeeds


@dataclass(frozen=True, slots=True)
class Leased:
    """An event as one pull got it."""

    handle: str
    event: Event


class Outcome(Enum):
    """What became of one handle of a ConfirmEvents."""

    CONFIRMED = "confirmed"
    REPEATED = "confirmed before"
    UNKNOWN = "unknown, or its 30 s are over"


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
        # Oldest first each: never leased, in the order of arrival; and come back from a lease, as a heap.
        self._fresh: deque[Event] = deque()
        self._returned: list[tuple[int, Event]] = []
        self._leases: OrderedDict[str, tuple[Event, float]] = OrderedDict()
        self._confirmed: OrderedDict[str, float] = OrderedDict()
        self._pollers: OrderedDict[Waiter, None] = OrderedDict()
        self._timer: Timer | None = None
        self._serving = True
        self._holding = True
        self._closed = False

    # --- the three operations

    def put(self, event: Event, detail: object = None) -> None:
        """Make *event* visible now, behind all others."""
        event.arrived_at = self._clock.now()
        event.order = self._events.note(event, "queued", detail).seq
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
        config = self._config()
        outcomes = [self._outlook(handle) for handle in handles]
        if config.bad_handle == "refuse" and Outcome.UNKNOWN in outcomes:
            return outcomes
        for handle in handles:
            lease = self._leases.pop(handle, None)
            if lease is not None:
                event, leased_at = lease
                self._confirmed[handle] = leased_at
                self._events.note(event, "confirmed", handle)
        while len(self._confirmed) > REMEMBERED:
            self._confirmed.popitem(last=False)
        return outcomes

    def _outlook(self, handle: str) -> Outcome:
        if handle in self._leases:
            return Outcome.CONFIRMED
        config = self._config()
        leased_at = self._confirmed.get(handle)
        if leased_at is None or leased_at + config.visibility_timeout <= self._clock.now():
            return Outcome.UNKNOWN
        return Outcome.REPEATED if config.repeated_confirm == "accept" else Outcome.UNKNOWN

    # --- what people ask

    @property
    def visible(self) -> int:
        """Events that a pull would get now."""
        self._catch_up()
        return len(self._fresh) + len(self._returned)

    @property
    def leased(self) -> int:
        self._catch_up()
        return len(self._leases)

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
        self._leases.clear()
        self._confirmed.clear()

    # --- leases

    def _lease(self, limit: int) -> list[Leased]:
        if self._closed or not self._serving:
            return []
        self._catch_up()
        batch: list[Leased] = []
        now = self._clock.now()
        fresh, returned = self._fresh, self._returned
        while len(batch) < limit and (fresh or returned):
            if returned and (not fresh or returned[0][0] < fresh[0].order):
                event = heapq.heappop(returned)[1]
            else:
                event = fresh.popleft()
            handle = self._new_handle()
            self._leases[handle] = (event, now)
            self._events.note(event, "leased", handle)
            batch.append(Leased(handle, event))
        if batch:
            self._watch(now + self._config().visibility_timeout)
        return batch

    def _new_handle(self) -> str:
        """18 digits, as handles of the real service have been seen (document of ReduceMediaBitrateComplete)."""
        while (handle := str(self._random.randrange(10**17, 10**18))) in self._leases or handle in self._confirmed:
            pass
        return handle

    def _catch_up(self) -> None:
        """End what has ended by now: leases, the memory of confirmed handles, events past their retention."""
        now = self._clock.now()
        config = self._config()
        leases, confirmed = self._leases, self._confirmed
        ended = 0
        while leases:
            handle, (event, leased_at) = next(iter(leases.items()))
            if leased_at + config.visibility_timeout > now:
                break
            del leases[handle]
            heapq.heappush(self._returned, (event.order, event))
            self._events.note(event, "lease_ended", handle)
            ended += 1
        # These lie in the order of confirming, so one may stay a little longer than its lease: `_outlook` looks again.
        while confirmed:
            handle, leased_at = next(iter(confirmed.items()))
            if leased_at + config.visibility_timeout > now:
                break
            del confirmed[handle]
        # The older of the two heads is the oldest of all, and age decides.
        while self._fresh and self._fresh[0].arrived_at + config.retention <= now:
            self._events.note(self._fresh.popleft(), "expired")
        while self._returned and self._returned[0][1].arrived_at + config.retention <= now:
            self._events.note(heapq.heappop(self._returned)[1], "expired")
        for _ in range(ended):
            self._wake_one()

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
        if self._leases:
            self._watch(next(iter(self._leases.values()))[1] + config.visibility_timeout)
        if self._fresh:
            self._watch(self._fresh[0].arrived_at + config.retention)
        if self._returned:
            self._watch(self._returned[0][1].arrived_at + config.retention)
