"""Now and waiting. Nothing else in mockvod tells the time or sleeps, so a test that owns the clock owns every timer."""

import asyncio
import heapq
import itertools
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import NamedTuple, Self

log = logging.getLogger("mockvod.clock")

real_time = time.time
"""Seconds since 1970, whatever a test does to a clock: what signatures of requests are checked against."""


class Timer:
    """Something due at a moment; `cancel` it when it no longer is."""

    __slots__ = ("_clock", "call", "cancelled", "what", "when")

    def __init__(self, clock: "Clock", when: float, call: Callable[[], None], what: str) -> None:
        self._clock = clock
        self.when = when
        self.call = call
        self.what = what
        self.cancelled = False

    def cancel(self) -> None:
        if not self.cancelled:
            self.cancelled = True
            self._clock._forget_one()


class Waiter:
    """Somebody who waits until a moment, or until woken before it."""

    __slots__ = ("_clock", "_future", "_what", "woken")

    def __init__(self, clock: "Clock", what: str) -> None:
        self._clock = clock
        self._what = what
        self._future: asyncio.Future[None] | None = None
        self.woken = False

    async def wait(self, until: float) -> bool:
        """Wait; True when woken, False when the moment came. Only inside `Clock.busy`."""
        if self.woken:
            return True
        future = self._future = asyncio.get_running_loop().create_future()
        timer = self._clock.at(until, self._rouse, self._what)
        self._clock.end_work()
        try:
            await future
        finally:
            timer.cancel()
            if not future.done() or future.cancelled():
                self._clock.begin_work()
        return self.woken

    def wake(self) -> None:
        self.woken = True
        self._rouse()

    def _rouse(self) -> None:
        future = self._future
        if future is not None and not future.done():
            # Counted as busy from here, not from when the task gets its turn: else a settling clock would run past it.
            self._clock.begin_work()
            future.set_result(None)


class ExternalCall:
    """A call to somebody else; a class, because entering a generator takes three times as long.

    The clock counts as busy who waits for nobody else: so the caller leaves when the call begins and enters when it is
    over, and a block in `at_home`, which may run in another task and outlast the call, enters and leaves for itself.
    """

    __slots__ = ("_at_home", "_clock", "_over")

    def __init__(self, clock: "Clock") -> None:
        self._clock = clock
        self._at_home = False
        self._over = False

    def __enter__(self) -> Self:
        self._clock._leave_for(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True
        if self._at_home:
            self._clock.begin_work()
        else:
            self._clock._come_back(self)

    @contextmanager
    def at_home(self) -> Iterator[None]:
        """In the block the call waits for its own clock and for nobody else; then its grace begins anew."""
        if self._over:
            self._clock.begin_work()
        else:
            self._clock._come_back(self)
        self._at_home = True
        try:
            yield
        finally:
            self._at_home = False
            if self._over:
                self._clock.end_work()
            else:
                self._clock._leave_for(self)


class Waiting(NamedTuple):
    """One thing that is due: what, and when on the clock's own axis."""

    what: str
    when: float


class Clock:
    """The time of one account.

    Runs with the system until somebody freezes, scales or advances it. Moments are numbers on an axis of its own that
    never goes back (`now`); what people see is that moment as seconds since 1970 (`epoch`). So a clock that is
    released from four days ahead shows today again, while a lease that has ten seconds left still has them.

    *Settled* means: nobody works on something that became due (`busy`), and no call to the outside is under way
    (`outside`) but for those that have not been answered within the grace.
    """

    def __init__(self, *, grace: Callable[[], float] = lambda: 1.0) -> None:
        self._base = time.time()
        self._mark = time.monotonic()
        self._rate = 1.0
        self._shift = 0.0
        self._timers: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self._cancelled = 0
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at = 0.0
        self._busy = 0
        self._flights: dict[ExternalCall, float] = {}
        self._grace = grace
        self._change: asyncio.Future[None] | None = None
        self._moving = asyncio.Lock()

    # --- telling the time

    def now(self) -> float:
        """The present moment on the clock's own axis, in seconds."""
        if self._rate == 0.0:
            return self._base
        return self._base + (time.monotonic() - self._mark) * self._rate

    def epoch(self, moment: float | None = None) -> float:
        """A moment (now, when not given) as people see it: seconds since 1970."""
        if moment is None:
            moment = self.now()
        # The same object, where it is the same number: a held event has both.
        return moment + self._shift if self._shift else moment

    @property
    def rate(self) -> float:
        """Seconds of this clock in a real second; 0 when frozen."""
        return self._rate

    def waiting(self) -> list[Waiting]:
        """All that is due at some moment, the next first."""
        return [Waiting(t.what, when) for when, _, t in sorted(self._timers, key=lambda e: e[:2]) if not t.cancelled]

    # --- waiting

    def at(self, when: float, call: Callable[[], None], what: str) -> Timer:
        """Call *call* at the moment *when*; *what* says for whom, to people."""
        timer = Timer(self, when, call, what)
        heapq.heappush(self._timers, (when, next(self._order), timer))
        if self._alarm is None or when < self._alarm_at:
            self._arm()
        return timer

    def waiter(self, what: str) -> Waiter:
        return Waiter(self, what)

    async def sleep_until(self, moment: float, what: str) -> None:
        """Wait until *moment*. Only inside `busy`."""
        await Waiter(self, what).wait(moment)

    @asynccontextmanager
    async def timeout(self, seconds: float, what: str) -> AsyncIterator[None]:
        """Raise TimeoutError in the block once *seconds* of this clock have passed."""
        rung = False

        def ring() -> None:
            nonlocal rung
            rung = True
            self.begin_work()  # as in Waiter: busy from the moment it is due
            limit.reschedule(0)

        try:
            async with asyncio.timeout(None) as limit:
                timer = self.at(self.now() + seconds, ring, what)
                try:
                    yield
                finally:
                    timer.cancel()
        finally:
            if rung:
                self.end_work()

    # --- who is at work

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Around work that a moved clock must wait for; waiting inside it does not count."""
        self.begin_work()
        try:
            yield
        finally:
            self.end_work()

    def begin_work(self) -> None:
        self._busy += 1

    def end_work(self) -> None:
        self._busy -= 1
        if not self._busy:
            self._changed()

    def outside(self) -> ExternalCall:
        """Around a call to somebody else, inside `busy`: waited for only as long as the grace, in real seconds."""
        return ExternalCall(self)

    def _leave_for(self, flight: ExternalCall) -> None:
        self._flights[flight] = time.monotonic()
        self.end_work()

    def _come_back(self, flight: ExternalCall) -> None:
        self.begin_work()
        del self._flights[flight]

    async def settle(self) -> None:
        """Wait until all that became due is done, or waits for a later moment."""
        while True:
            self._fire()
            await asyncio.sleep(0)
            if self._busy:
                await self._next_change(None)
                continue
            now, grace = time.monotonic(), self._grace()
            young = [since + grace - now for since in self._flights.values() if since + grace > now]
            if not young:
                return
            await self._next_change(max(young))

    async def _next_change(self, at_most: float | None) -> None:
        if self._change is None:
            self._change = asyncio.get_running_loop().create_future()
        await asyncio.wait([self._change], timeout=at_most)

    def _changed(self) -> None:
        change, self._change = self._change, None
        if change is not None and not change.done():
            change.set_result(None)

    # --- moving it

    async def freeze(self) -> None:
        async with self._moving:
            self._pace(0.0)

    async def scale(self, rate: float) -> None:
        """Run *rate* times as fast as the system."""
        async with self._moving:
            self._pace(rate)

    async def release(self) -> None:
        """Run with the system again and show its time; what is still to come keeps the seconds it has left."""
        async with self._moving:
            self._pace(1.0)
            self._shift = time.time() - self.now()

    async def advance(self, seconds: float) -> None:
        """Move on by *seconds*, through every due moment in its order; returns when it has settled."""
        if seconds < 0:
            raise ValueError(f"a clock advances by 0 seconds or more, not by {seconds:g}")
        async with self._stopped():
            await self._move_to(self._base + seconds)

    async def set(self, epoch: float) -> None:
        """Show *epoch*: moves there through every due moment, or turns the hands back when it lies in the past."""
        async with self._stopped():
            moment = epoch - self._shift
            if moment >= self._base:
                await self._move_to(moment)
            else:
                self._shift = epoch - self._base

    @asynccontextmanager
    async def _stopped(self) -> AsyncIterator[None]:
        """In the block the clock stands still and nobody else moves it; then it runs as before."""
        async with self._moving:
            rate = self._rate
            self._pace(0.0)
            try:
                yield
            finally:
                self._pace(rate)

    async def _move_to(self, moment: float) -> None:
        await self.settle()
        while self._timers and self._timers[0][0] <= moment:
            self._base = max(self._base, self._timers[0][0])
            await self.settle()
        self._base = moment

    def _pace(self, rate: float) -> None:
        self._base, self._mark, self._rate = self.now(), time.monotonic(), rate
        self._arm()

    # --- the alarm

    def _arm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if not self._timers:
            return
        self._alarm_at = self._timers[0][0]
        ahead = max(0.0, self._alarm_at - self.now())
        # A clock that stands still comes to nothing new, but what is due already must not wait until it moves.
        if self._rate or not ahead:
            delay = ahead / self._rate if ahead else 0.0
            self._alarm = asyncio.get_running_loop().call_later(delay, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        self._fire()
        self._arm()

    def _fire(self) -> None:
        now = self.now()
        while self._timers and self._timers[0][0] <= now:
            _, _, timer = heapq.heappop(self._timers)
            if timer.cancelled:
                self._cancelled -= 1
                continue
            timer.cancelled = True  # over: cancelling it later is nothing
            try:
                timer.call()
            except Exception:
                log.exception("what was due failed: %s", timer.what)

    def _forget_one(self) -> None:
        self._cancelled += 1
        if self._cancelled > 64 and self._cancelled * 2 > len(self._timers):
            self._timers = [entry for entry in self._timers if not entry[2].cancelled]
            heapq.heapify(self._timers)
            self._cancelled = 0
