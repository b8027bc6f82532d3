"""Calls that an application repeats on its clock."""

from collections.abc import Callable

from mockvod.engine.clock import Clock, Timer


class Timetable:
    """Repeated calls. They end after their number of times, or with the application."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._timers: set[Timer] = set()

    def repeat(self, call: Callable[[], None], what: str, *, first: float, every: float, times: int | None) -> None:
        """Call *call* in *first* seconds and then every *every* seconds: *times* times, or without end (None).

        *what* describes the call to users.
        """
        self._schedule(call, what, self._clock.now() + first, every, times)

    def _schedule(self, call: Callable[[], None], what: str, moment: float, every: float, times: int | None) -> None:
        def ring() -> None:
            self._timers.discard(timer)
            if times is None or times > 1:
                self._schedule(call, what, moment + every, every, None if times is None else times - 1)
            call()

        timer = self._clock.at(moment, ring, what)
        self._timers.add(timer)

    def close(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
