"""Now and waiting. Nothing else in mockvod reads the time or sleeps, so a test that owns the clock owns every timer."""

import asyncio
import heapq
import itertools
import logging
import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple, Self

from mockvod.engine.lifetime import EndReason, LifeEnded

log = logging.getLogger("mockvod.clock")

MOVE_TIMERS: Final = 100_000
"""Timers that one advance or set fires at most."""
MOVE_SECONDS: Final = 50.0
"""Real seconds that one advance or set takes at most."""
PASS_SECONDS: Final = 0.005
"""Real seconds for which timers are fired, or steps taken, before the event loop gets its turn."""
BEHIND_SECONDS: Final = 1.0
"""Real seconds that timers of a running clock may be late before it reports that it is behind; reported as often."""
LATEST: Final = 253_402_300_799.0
"""The last moment that a clock can be set to: the end of the year 9999, in seconds since 1970."""


def _unpatched(name: str) -> Callable[[], float]:
    """The function *name* of `time`, even if mockvod is imported while freezegun has replaced it."""
    real: Callable[[], float] = getattr(sys.modules.get("freezegun.api"), f"real_{name}", getattr(time, name))
    return real


class _System:
    """The system's clocks. In a class, because freezegun replaces time functions that are attributes of a module."""

    time = staticmethod(_unpatched("time"))
    monotonic = staticmethod(_unpatched("monotonic"))


def real_time() -> float:
    """Real time in seconds since 1970, not an account's clock. Signatures of requests are checked against it."""
    return _System.time()


def monotonic() -> float:
    """Seconds of real time since an arbitrary moment, for event loops."""
    return _System.monotonic()


def call_in_real_time(seconds: float, call: Callable[[], None]) -> asyncio.TimerHandle:
    """Call *call* after *seconds* of real time, not of an account's clock."""
    return asyncio.get_running_loop().call_later(seconds, call)


class LoopShare:
    """Shares the event loop during a long computation: call `turn` between its steps."""

    def __init__(self, seconds: float = 0.02) -> None:
        self._seconds = seconds
        self._since = _System.monotonic()

    async def turn(self) -> None:
        """Let other tasks run if the computation has used the loop for longer than *seconds* of real time."""
        if _System.monotonic() - self._since >= self._seconds:
            await asyncio.sleep(0)
            self._since = _System.monotonic()


def in_turns(steps: Iterator[None]) -> asyncio.Future[None]:
    """Take *steps* to their end, sharing the event loop with everybody else; the future is done when they are.

    They go on if the caller does not wait, or is cancelled.
    """
    loop = asyncio.get_running_loop()
    done = loop.create_future()

    def go_on() -> None:
        end = _System.monotonic() + PASS_SECONDS
        try:
            for _ in steps:
                if _System.monotonic() >= end:
                    loop.call_soon(go_on)
                    return
        except Exception as error:
            log.exception("a long computation failed (a bug in mockvod)")
            if not done.done():
                done.set_exception(error)
        else:
            if not done.done():
                done.set_result(None)

    go_on()
    return done


class Timer:
    """A call at a moment of the clock; `cancel` it if it must not happen."""

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
            self._clock._count_cancelled()


class Waiter:
    """Waits until a moment, or until it is woken before."""

    __slots__ = ("_clock", "_future", "_what", "woken")

    def __init__(self, clock: "Clock", what: str) -> None:
        self._clock = clock
        self._what = what
        self._future: asyncio.Future[None] | None = None
        self.woken = False

    async def wait(self, until: float) -> bool:
        """Return True when woken, False when the moment has come. Only inside `Clock.busy`.

        Raises LifeEnded if the clock is closed.
        """
        if self.woken:
            return True
        clock = self._clock
        timer = clock.at(until, self._resume, self._what)
        future = self._future = asyncio.get_running_loop().create_future()
        clock._waiters.add(self)
        clock.end_work()
        try:
            await future
        finally:
            clock._waiters.discard(self)
            timer.cancel()
            if not future.done() or future.cancelled():
                clock.begin_work()
        return self.woken

    def wake(self) -> None:
        self.woken = True
        self._resume()

    def _resume(self, error: LifeEnded | None = None) -> None:
        future = self._future
        if future is not None and not future.done():
            # Busy from now on, not from when the task gets its turn: otherwise a settling clock would move past it.
            self._clock.begin_work()
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)


class ExternalCall:
    """A call to a server outside mockvod, as a context. A class, because a generator takes three times as long.

    A clock that settles waits for busy work without limit, but for an external call only during the grace. So the
    caller's work ends when the call begins, and begins again when it returns.
    """

    __slots__ = ("_clock", "_on_clock", "_returned")

    def __init__(self, clock: "Clock") -> None:
        self._clock = clock
        self._on_clock = False
        self._returned = False

    def __enter__(self) -> Self:
        self._clock._begin_call(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._returned = True
        if self._on_clock:
            self._clock.begin_work()
        else:
            self._clock._end_call(self)

    @contextmanager
    def on_clock(self) -> Iterator[None]:
        """In the block the call waits for its own clock only; afterwards its grace starts anew.

        The block may run in another task than the call, and may outlast it.
        """
        if self._returned:
            self._clock.begin_work()
        else:
            self._clock._end_call(self)
        self._on_clock = True
        try:
            yield
        finally:
            self._on_clock = False
            if self._returned:
                self._clock.end_work()
            else:
                self._clock._begin_call(self)


class Deadline:
    """Cancels the task that creates it at a moment of the clock, unless `end` is called before.

    The task catches CancelledError, looks at `expired`, and calls `end` whatever happened. (`asyncio.timeout` in a
    context of the clock's own would cost a tenth of an attempt to deliver an event.)
    """

    __slots__ = ("_clock", "_reached", "_task", "_timer")

    def __init__(self, clock: "Clock", moment: float, what: str) -> None:
        self._clock = clock
        self._task = asyncio.current_task()
        self._reached = False
        self._timer = clock.at(moment, self._cancel, what)

    def _cancel(self) -> None:
        self._reached = True
        self._clock.begin_work()  # as in Waiter: busy from the moment it is due
        if self._task is not None:
            self._task.cancel()

    @property
    def expired(self) -> bool:
        """Whether the task was cancelled by this deadline alone."""
        return self._reached and self._task is not None and self._task.cancelling() == 1

    def end(self) -> None:
        self._timer.cancel()
        if self._reached:
            if self._task is not None:
                self._task.uncancel()
            self._clock.end_work()


class Waiting(NamedTuple):
    """A pending timer: what it is for, and when it is due on the clock's own axis."""

    what: str
    when: float


class Move(NamedTuple):
    """The result of an advance or a set."""

    epoch: float
    """What the clock shows at its end, in seconds since 1970."""
    fired: int
    """How many timers fired."""
    completed: bool
    reason: str = ""
    """Why it was not completed."""


class Clock:
    """The time of one account, from one reset to the next.

    It runs with the system until it is frozen, scaled or moved. Moments are numbers on an axis of its own that never
    goes back (`now`); users see a moment as seconds since 1970 (`epoch`). So a clock that is released four days ahead
    shows today again, while a lease that has ten seconds left still has them.

    A clock is *settled* when nothing that became due is being worked on (`busy`), and no external call is younger than
    the grace.

    *grace* returns real seconds. *on_error* is called with a timer's purpose and the exception that its call raised;
    *on_behind* with the seconds by which a running clock is late, at most once in BEHIND_SECONDS.
    """

    def __init__(
        self,
        *,
        grace: Callable[[], float] = lambda: 1.0,
        on_error: Callable[[str, Exception], None] = lambda _what, _error: None,
        on_behind: Callable[[float], None] = lambda _seconds: None,
        rate: float = 1.0,
    ) -> None:
        self._base = _System.time()
        self._mark = _System.monotonic()
        self._rate = rate
        self._shift = 0.0
        self._timers: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self._cancelled = 0
        self._fired = 0
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at = 0.0
        self._busy = 0
        self._calls: dict[ExternalCall, float] = {}
        self._waiters: set[Waiter] = set()
        self._grace = grace
        self._on_error = on_error
        self._on_behind = on_behind
        self._next_report = 0.0
        self._change: asyncio.Future[None] | None = None
        self._moving = asyncio.Lock()
        self._interruptions = 0
        self._interrupted_by = ""
        self._end: tuple[str, EndReason] | None = None

    # --- reading the time

    def now(self) -> float:
        """The present moment on the clock's own axis, in seconds."""
        if self._rate == 0.0:
            return self._base
        return self._base + (_System.monotonic() - self._mark) * self._rate

    def epoch(self, moment: float | None = None) -> float:
        """A moment (default: now) as users see it: seconds since 1970."""
        if moment is None:
            moment = self.now()
        # The same object where it is the same number: a pending event keeps both.
        return moment + self._shift if self._shift else moment

    @property
    def rate(self) -> float:
        """Seconds of this clock in a real second; 0 when frozen."""
        return self._rate

    @property
    def pending(self) -> int:
        """How many timers are pending."""
        return len(self._timers) - self._cancelled

    def waiting(self, limit: int | None = None) -> list[Waiting]:
        """The pending timers, the next first; at most *limit*."""
        if limit is None:
            limit = len(self._timers)
        if self._cancelled > limit:
            self._drop_cancelled()
        found: list[Waiting] = []
        timers = self._timers
        # The next timer is the root of the heap or a child of one that was found: the others need not be looked at.
        next_ones = [(timers[0], 0)] if timers else []
        while next_ones and len(found) < limit:
            (when, _, timer), place = heapq.heappop(next_ones)
            if not timer.cancelled:
                found.append(Waiting(timer.what, when))
            for child in (2 * place + 1, 2 * place + 2):
                if child < len(timers):
                    heapq.heappush(next_ones, (timers[child], child))
        return found

    def check_alive(self) -> None:
        """Raise LifeEnded on a closed clock."""
        if self._end is not None:
            raise LifeEnded(*self._end)

    # --- waiting

    def at(self, when: float, call: Callable[[], None], what: str) -> Timer:
        """Call *call* at the moment *when*; *what* tells users what it is for. Raises LifeEnded on a closed clock."""
        self.check_alive()
        timer = Timer(self, when, call, what)
        heapq.heappush(self._timers, (when, next(self._order), timer))
        if self._alarm is None or when < self._alarm_at:
            self._arm()
        return timer

    def cancel_all(self, timers: Iterable[Timer]) -> None:
        """As `Timer.cancel` for each, of which there may be many."""
        for timer in timers:
            if not timer.cancelled:
                timer.cancelled = True
                self._cancelled += 1
        self._drop_cancelled()

    def waiter(self, what: str) -> Waiter:
        return Waiter(self, what)

    async def sleep_until(self, moment: float, what: str) -> None:
        """Wait until *moment*. Only inside `busy`."""
        await Waiter(self, what).wait(moment)

    async def sleep(self, seconds: float, what: str) -> None:
        """Wait for *seconds*, outside of `busy`."""
        with self.busy():
            await self.sleep_until(self.now() + seconds, what)

    # --- work under way

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Around work that a moving clock must wait for; waiting on the clock inside it does not count."""
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

    def external_call(self) -> ExternalCall:
        """Around a call to a server outside mockvod, inside `busy`; waited for only during the grace."""
        return ExternalCall(self)

    def _begin_call(self, call: ExternalCall) -> None:
        self._calls[call] = _System.monotonic()
        self.end_work()

    def _end_call(self, call: ExternalCall) -> None:
        self.begin_work()
        del self._calls[call]

    async def settle(self) -> None:
        """Wait until everything that is due by now is done, or waits for a later moment. Raises LifeEnded."""
        await self._settle(math.inf, lambda: False)

    async def _settle(self, deadline: float, gives_up: Callable[[], bool]) -> bool:
        """As `settle`; return False as soon as *gives_up* returns True. *deadline* is the moment to ask it again."""
        until = self.now()
        while not gives_up():
            self._fire(until)
            await asyncio.sleep(0)
            self.check_alive()
            if self._timers and self._timers[0][0] <= until:
                continue
            now, grace = _System.monotonic(), self._grace()
            if self._busy:
                wake_up = deadline
            else:
                wake_up = max((since + grace for since in self._calls.values()), default=now)
                if wake_up <= now:
                    return True
            await self._next_change(min(wake_up, deadline) - now)
        return False

    async def _next_change(self, at_most: float) -> None:
        if self._change is None:
            self._change = asyncio.get_running_loop().create_future()
        await asyncio.wait([self._change], timeout=None if at_most == math.inf else at_most)

    def _changed(self) -> None:
        change, self._change = self._change, None
        if change is not None and not change.done():
            change.set_result(None)

    # --- moving it

    async def freeze(self) -> None:
        """Stop the clock; ends an advance or a set under way."""
        self._interrupt("freeze")
        self._run_at(0.0)

    async def scale(self, rate: float) -> None:
        """Run *rate* times as fast as the system; ends an advance or a set under way."""
        self._interrupt("scale")
        self._run_at(rate)

    async def release(self) -> None:
        """Run with the system and show its time; pending timers keep the seconds that they have left.

        Ends an advance or a set under way.
        """
        self._interrupt("release")
        self._run_at(1.0)
        self._shift = _System.time() - self.now()

    def close(self, name: str, reason: EndReason) -> None:
        """Drop all timers, end moves and waits with LifeEnded(*name*, *reason*), and schedule nothing more."""
        self._end = name, reason
        self._interrupt("close")
        for _, _, timer in self._timers:
            timer.cancelled = True
        self._timers.clear()
        self._cancelled = 0
        self._arm()
        for waiter in tuple(self._waiters):
            waiter._resume(LifeEnded(name, reason))

    def _interrupt(self, by: str) -> None:
        self._interruptions += 1
        self._interrupted_by = by
        self._changed()

    async def advance(self, seconds: float) -> Move:
        """Move on by *seconds*, firing every timer on the way in order; returns when the clock has settled.

        It stops early after MOVE_TIMERS timers or MOVE_SECONDS, or when it is interrupted by `freeze`, `scale` or
        `release`. Moves begun at the same time run one after the other. Raises ValueError for a negative number or a
        moment after LATEST, LifeEnded if the clock is closed.
        """
        if seconds < 0:
            raise ValueError(f"a clock advances by 0 seconds or more, not by {seconds:g}")
        return await self._move(lambda: self._base + seconds)

    async def set(self, epoch: float) -> Move:
        """Show *epoch*: as `advance` when it is in the future, at once and without firing when it is in the past."""
        return await self._move(lambda: epoch - self._shift)

    async def _move(self, target: Callable[[], float]) -> Move:
        interruptions = self._interruptions
        async with self._moving:
            if self._interruptions != interruptions:
                return self._moved(0, f"interrupted by {self._interrupted_by}")
            rate = self._rate
            self._run_at(0.0)
            try:
                moment = target()
                if self.epoch(moment) > LATEST:
                    raise ValueError("the clock cannot move to a moment after the year 9999")
                if moment < self._base:
                    self._shift += moment - self._base
                    return self._moved(0)
                return await self._move_to(moment, interruptions)
            finally:
                if self._interruptions == interruptions:
                    self._run_at(rate)

    async def _move_to(self, moment: float, interruptions: int) -> Move:
        before, deadline = self._fired, _System.monotonic() + MOVE_SECONDS
        reason = ""

        def gives_up() -> bool:
            nonlocal reason
            if self._interruptions != interruptions:
                reason = f"interrupted by {self._interrupted_by}"
            elif self._fired - before >= MOVE_TIMERS and self._timers and self._timers[0][0] <= moment:
                reason = f"one move fires at most {MOVE_TIMERS} timers"
            elif _System.monotonic() >= deadline:
                reason = f"one move takes at most {MOVE_SECONDS:g} real seconds"
            return reason != ""

        while await self._settle(deadline, gives_up):
            if not self._timers or self._timers[0][0] > moment:
                self._base = moment
                break
            if gives_up():
                break
            self._base = max(self._base, self._timers[0][0])
        return self._moved(self._fired - before, reason)

    def _moved(self, fired: int, reason: str = "") -> Move:
        self.check_alive()
        return Move(self.epoch(), fired, completed=not reason, reason=reason)

    def _run_at(self, rate: float) -> None:
        self._base, self._mark, self._rate = self.now(), _System.monotonic(), rate
        self._arm()

    # --- the alarm

    def _arm(self) -> None:
        """Ask the event loop for the next pass over due timers."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if not self._timers:
            return
        self._alarm_at = self._timers[0][0]
        ahead = max(0.0, self._alarm_at - self.now())
        # A frozen clock reaches no later moment, but timers that are due already must not wait until it moves.
        if self._rate or not ahead:
            delay = ahead / self._rate if ahead else 0.0
            self._alarm = asyncio.get_running_loop().call_later(delay, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        self._fire(self.now())
        self._arm()
        self._report_if_behind()

    def _report_if_behind(self) -> None:
        late = self.now() - self._timers[0][0] if self._timers else 0.0
        if self._rate and late > BEHIND_SECONDS * self._rate and (now := _System.monotonic()) >= self._next_report:
            self._next_report = now + BEHIND_SECONDS
            log.warning("the clock runs %g times as fast as the system and is %.0f s late", self._rate, late)
            self._on_behind(late)

    def _fire(self, until: float) -> None:
        """Call what is due at the moment *until*, the earliest first, for at most PASS_SECONDS."""
        timers, end = self._timers, _System.monotonic() + PASS_SECONDS
        while timers and timers[0][0] <= until:
            timer = heapq.heappop(timers)[2]
            if timer.cancelled:
                self._cancelled -= 1
                continue
            timer.cancelled = True  # from now on `cancel` does nothing
            self._fired += 1
            try:
                timer.call()
            except Exception as error:
                log.exception("a timer failed: %s", timer.what)
                self._on_error(timer.what, error)
            if _System.monotonic() >= end:
                return

    def _count_cancelled(self) -> None:
        self._cancelled += 1
        if self._cancelled > 64 and self._cancelled * 2 > len(self._timers):
            self._drop_cancelled()

    def _drop_cancelled(self) -> None:
        self._timers[:] = [entry for entry in self._timers if not entry[2].cancelled]
        heapq.heapify(self._timers)
        self._cancelled = 0
