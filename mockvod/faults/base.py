"""A fault, and a fault that is active in an account."""

from abc import ABC
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from random import Random
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from mockvod.engine.clock import Clock, Timer
from mockvod.engine.events import Event, Events
from mockvod.engine.journal import Journal
from mockvod.faults.rules import Scope, When
from mockvod.settings import WHOLE

Group = Literal["delivery", "queue", "api", "callback"]
"""The four groups have the names of the four places in `Hooks`."""

Count = Annotated[int, Field(ge=1, le=1000), WHOLE]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True)
class Fault(ABC):
    """One kind of fault. Its fields are its parameters."""

    name: ClassVar[str]
    group: ClassVar[Group]
    scoped_by: ClassVar[tuple[str, ...]]
    """The fields that its scope may have."""

    @classmethod
    def summary(cls) -> str:
        """The first line of its docstring."""
        return (cls.__doc__ or "").partition("\n")[0]

    def release(self, active: "ActiveFault") -> None:  # noqa: B027 - most faults hold nothing back
        """Release what the fault holds back. Called when the fault is removed."""

    def discard(self, active: "ActiveFault", sub_app_id: int | None) -> None:  # noqa: B027 - as `release`
        """Forget what the fault holds back of an application. Called when the application is reset."""

    def parameters(self) -> dict[str, Any]:
        return {one.name: getattr(self, one.name) for one in fields(self)}


class FaultContext:
    """What faults need from the engine, and the timers that they start.

    Timers end with `close`: nothing that a fault has held back outlives the account's life. Those about one application
    end with `discard`.
    """

    def __init__(self, clock: Clock, events: Events, journal: Journal) -> None:
        self.clock = clock
        self.events = events
        self.journal = journal
        self._timers: dict[Timer, int | None] = {}
        """Each with the application that it is about."""
        self._steps: list[Callable[[], None]] = []
        self._added: list[Callable[[], None]] = []
        self._running = False

    def start_timer(self, seconds: float, call: Callable[[], None], what: str, sub_app_id: int | None) -> Timer:
        def ring() -> None:
            del self._timers[timer]
            call()

        timer = self.clock.at(self.clock.now() + seconds, ring, what)
        self._timers[timer] = sub_app_id
        return timer

    def cancel_timer(self, timer: Timer) -> None:
        timer.cancel()
        self._timers.pop(timer, None)

    def discard(self, sub_app_id: int | None) -> None:
        """End the timers about an application."""
        for timer in [timer for timer, about in self._timers.items() if about == sub_app_id]:
            self.cancel_timer(timer)

    def run(self, step: Callable[[], None]) -> None:
        """Run *step*, and every step that it passes to `run`, depth first.

        Steps run one after the other, not nested, so any number of faults can follow each other.
        """
        self._added.append(step)
        if self._running:
            return
        self._running = True
        try:
            while self._added or self._steps:
                self._steps += reversed(self._added)
                self._added.clear()
                self._steps.pop()()
        finally:
            self._running = False
            self._steps.clear()
            self._added.clear()

    def close(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()


@dataclass(eq=False)
class ActiveFault:
    """A fault since it was added: its id, scope and rule, its random numbers, how often it fired."""

    context: FaultContext
    id: str
    fault: Fault
    scope: Scope
    when: When
    random: Random
    recipe: str | None
    since: float
    """When it was added, on the clock's axis."""
    seen: int = 0
    """The number of events or calls of its scope so far."""
    fired: int = 0
    """The number of those that it changed."""
    memory: dict[Any, Any] = field(default_factory=dict)
    """What the fault keeps from one event or call to the next."""
    removed: bool = False
    """Set when it is removed: events that were already on their way are no longer affected."""

    def fires(self) -> bool:
        """Count one more event or call of its scope; whether the rule applies to it."""
        if self.removed:
            return False
        self.seen += 1
        return self.when.applies(self.seen, self.random, self.context.clock.now() - self.since)

    def fires_for_event(self, event: Event) -> bool:
        return self.scope.matches_event(event) and self.fires()

    def fires_for_application(self, sub_app_id: int | None) -> bool:
        return self.scope.matches_application(sub_app_id) and self.fires()

    def fires_for_call(self, sub_app_id: int | None, action: str | None, file_id: str | None) -> bool:
        return self.scope.matches_call(sub_app_id, action, file_id) and self.fires()

    def record(self, message: str, event: Event | None = None, *, sub_app_id: int | None = None, **facts: str) -> None:
        """Count that the fault fired, and write *message* and *facts* to the event's timeline or to the journal."""
        self.fired += 1
        if event is not None:
            self.annotate(message, event, **facts)
        else:
            self.context.journal.note("fault", sub_app_id=sub_app_id, detail=self._detail(message, facts))

    def annotate(self, message: str, event: Event, **facts: str) -> None:
        """Write *message* and *facts* to the event's timeline without counting."""
        self.context.events.note(event, "fault", self._detail(message, facts))

    def _detail(self, message: str, facts: dict[str, str]) -> dict[str, str]:
        return {"id": self.id, "fault": self.fault.name, "message": message, **facts}

    def later(self, seconds: float, call: Callable[[], None], sub_app_id: int | None) -> Timer:
        """Call *call* after *seconds* of the clock, unless the account's life or the application ends before."""
        return self.context.start_timer(seconds, call, f"{self.id} ({self.fault.name}) continues", sub_app_id)


def shuffled(items: Sequence[Any], random: Random) -> list[Any]:
    """*items* in a different order, if there is one."""
    mixed = list(items)
    random.shuffle(mixed)
    return mixed if mixed != items else mixed[1:] + mixed[:1]
