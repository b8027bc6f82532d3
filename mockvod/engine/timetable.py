"""The calls that an application makes at moments of its clock."""

from collections.abc import Callable

from mockvod.engine.clock import Clock, Timer


class Timetable:
    """The timers of one application. They end with it."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._timers: set[Timer] = set()

    def at(self, moment: float, call: Callable[[], None], what: str) -> None:
        """As Clock.at."""

        def ring() -> None:
            self._timers.discard(timer)
            call()

        timer = self.clock.at(moment, ring, what)
        self._timers.add(timer)

    def repeat(self, call: Callable[[], None], what: str, *, first: float, every: float, times: int | None) -> None:
        """Call *call* in *first* seconds and then every *every* seconds: *times* times, or without end (None).

        *what* describes the call to users.
        """
        self._repeat(call, what, self.clock.now() + first, every, times)

    def _repeat(self, call: Callable[[], None], what: str, moment: float, every: float, times: int | None) -> None:
        def ring() -> None:
            if times is None or times > 1:
                self._repeat(call, what, moment + every, every, None if times is None else times - 1)
            call()

        self.at(moment, ring, what)

    def close(self) -> None:
        self.clock.cancel_all(self._timers)
        self._timers.clear()
