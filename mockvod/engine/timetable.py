"""What an application does again and again by itself."""

from collections.abc import Callable

from mockvod.engine.clock import Clock, Timer


class Timetable:
    """Calls that come round on the clock, until they have come often enough or the application ends."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._timers: set[Timer] = set()

    def repeat(self, call: Callable[[], None], what: str, *, first: float, every: float, times: int | None) -> None:
        """Call *call* in *first* seconds and every *every* seconds from then on: *times* times, or without end.

        *what* says to people what comes round.
        """
        self._enter(call, what, self._clock.now() + first, every, times)

    def _enter(self, call: Callable[[], None], what: str, moment: float, every: float, times: int | None) -> None:
        def ring() -> None:
            self._timers.discard(timer)
            if times is None or times > 1:
                self._enter(call, what, moment + every, every, None if times is None else times - 1)
            call()

        timer = self._clock.at(moment, ring, what)
        self._timers.add(timer)

    def close(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
