"""Delivery faults: applied to an event on its way to its application, pulled or pushed."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar, Final

from mockvod.engine.clock import Timer
from mockvod.engine.events import BacklogFull, Event
from mockvod.faults.base import ActiveFault, Count, Fault, Group, shuffled
from mockvod.faults.timing import Slow
from mockvod.settings import Seconds

COPIES_MOST: Final = 1000  # of one event, by all faults together: each copy may be copied again


@dataclass(slots=True)
class Journey:
    """One event on its way to its application, and the copies that faults make of it."""

    faults: "Sequence[tuple[ArrivalFault, ActiveFault]]"
    sub_app_id: int | None
    land: Callable[[Event], None]
    copies: int = 0

    def continue_with(self, event: Event, place: int = 0) -> None:
        """Apply the faults from *place* on until one of them takes over; land *event* if none does."""
        for number in range(place, len(self.faults)):
            fault, active = self.faults[number]
            if active.fires_for_event(event):
                fault.apply(Step(self, number, active, event))
                return
        self.land(event)


@dataclass(frozen=True, slots=True)
class Step:
    """An event that one fault fires for."""

    journey: Journey
    place: int
    active: ActiveFault
    event: Event

    def continue_with(self, event: Event) -> None:
        """Apply the rest of the faults to *event*: the event of this step or a copy of it."""
        self.active.context.run(partial(self.journey.continue_with, event, self.place + 1))

    def continue_after(self, event: Event, seconds: float) -> None:
        if seconds <= 0:
            self.continue_with(event)
        else:
            self.note_scheduled(event, seconds)
            self.active.later(seconds, partial(self.continue_with, event), self.journey.sub_app_id)

    def note_scheduled(self, event: Event, seconds: float) -> None:
        context = self.active.context
        due = context.clock.epoch(context.clock.now() + seconds)
        context.events.note(event, "scheduled", {"due": due, "fault": self.active.id})

    def copy(self) -> Event:
        """A new event with the same content. Raises BacklogFull."""
        if self.journey.copies >= COPIES_MOST:
            raise BacklogFull(f"faults make at most {COPIES_MOST} copies of one event")
        original = self.event
        copy = self.active.context.events.create(original.sub_app_id, original.event_type, original.tail)
        self.journey.copies += 1
        self.active.annotate(f"copy of {original.id}", copy, copy_of=original.id)
        return copy


@dataclass(frozen=True, slots=True)
class DeliveryFault(Fault):
    group: ClassVar[Group] = "delivery"
    scoped_by: ClassVar[tuple[str, ...]] = ("sub_app_id", "event_type", "file_id")


@dataclass(frozen=True, slots=True)
class ArrivalFault(DeliveryFault):
    """Changes how an event arrives."""

    @abstractmethod
    def apply(self, step: Step) -> None:
        """Fire for the event of *step*: it does not arrive unless `step.continue_with` is called, now or later."""


@dataclass(frozen=True, slots=True)
class Duplicate(ArrivalFault):
    """The event arrives more than once."""

    name: ClassVar[str] = "duplicate"

    copies: Count = 1
    after: Seconds = 0.0

    def apply(self, step: Step) -> None:
        copies: list[Event] = []
        missing = ""
        try:
            while len(copies) < self.copies:
                copies.append(step.copy())
        except BacklogFull as error:
            missing = f"; {self.copies - len(copies)} of {self.copies} copies were not created: {error}"
        ids = ", ".join([copy.id for copy in copies[:3]]) + (" …" if len(copies) > 3 else "")
        step.active.record(f"duplicated as {ids or 'no event'}{missing}", step.event)
        step.continue_with(step.event)
        for number, copy in enumerate(copies, 1):
            step.continue_after(copy, number * self.after)


@dataclass(frozen=True, slots=True)
class Drop(ArrivalFault):
    """The event never arrives."""

    name: ClassVar[str] = "drop"

    def apply(self, step: Step) -> None:
        step.active.record("dropped", step.event)
        step.active.context.events.note(step.event, "dropped", {"fault": step.active.id})


@dataclass(frozen=True, slots=True)
class Delay(Slow, ArrivalFault):
    """The event arrives late."""

    name: ClassVar[str] = "delay"

    def apply(self, step: Step) -> None:
        seconds = self.draw(step.active.random)
        step.active.record(f"delayed by {seconds:.3f} s", step.event)
        step.continue_after(step.event, seconds)


@dataclass
class HoldBuffer:
    """Events of one application that a fault holds back until there are enough or the time is up."""

    steps: list[Step] = field(default_factory=list)
    timer: Timer | None = None


@dataclass(frozen=True, slots=True)
class Holding(ArrivalFault):
    """Holds events back until there are `count` or the first has waited for `seconds`."""

    count: Count = 3
    seconds: Seconds = 1.0

    @abstractmethod
    def order(self, active: ActiveFault, steps: list[Step]) -> list[Step]:
        """The order in which held events continue."""

    def apply(self, step: Step) -> None:
        active, key = step.active, step.journey.sub_app_id
        active.record("held back", step.event)
        buffer: HoldBuffer = active.memory.setdefault(key, HoldBuffer())
        buffer.steps.append(step)
        if len(buffer.steps) >= self.count:
            self._release(active, key)
            return
        if buffer.timer is None:
            buffer.timer = active.later(self.seconds, partial(self._release, active, key), key)
        step.note_scheduled(step.event, buffer.timer.when - active.context.clock.now())

    def release(self, active: ActiveFault) -> None:
        for key in list(active.memory):
            self._release(active, key)

    def discard(self, active: ActiveFault, sub_app_id: int | None) -> None:
        active.memory.pop(sub_app_id, None)

    def _release(self, active: ActiveFault, key: int | None) -> None:
        buffer: HoldBuffer = active.memory.pop(key)
        if buffer.timer is not None:
            active.context.cancel_timer(buffer.timer)
        for step in self.order(active, buffer.steps):
            step.continue_with(step.event)


@dataclass(frozen=True, slots=True)
class Reorder(Holding):
    """Events arrive in another order: those held back, `count` of them or those of `seconds`, are shuffled."""

    name: ClassVar[str] = "reorder"

    def order(self, active: ActiveFault, steps: list[Step]) -> list[Step]:
        return shuffled(steps, active.random)


@dataclass(frozen=True, slots=True)
class Burst(Holding):
    """Events arrive all at once: held back until there are `count` or the first has waited for `seconds`."""

    name: ClassVar[str] = "burst"

    count: Count = 16
    seconds: Seconds = 5.0

    def order(self, active: ActiveFault, steps: list[Step]) -> list[Step]:
        return steps


@dataclass(frozen=True, slots=True)
class Early(DeliveryFault):
    """The event of a job arrives before the response to the call that started the job."""

    name: ClassVar[str] = "early"
    scoped_by: ClassVar[tuple[str, ...]] = ("sub_app_id", "file_id")


DELIVERY: Final[tuple[type[Fault], ...]] = (Duplicate, Reorder, Delay, Drop, Early, Burst)


class DeliveryHook:
    """Applies the delivery faults, in the order in which they were added."""

    def __init__(self, faults: Sequence[ActiveFault]) -> None:
        self._context = faults[0].context
        self._arrival = [(one.fault, one) for one in faults if isinstance(one.fault, ArrivalFault)]
        self._early = [(one.fault, one) for one in faults if isinstance(one.fault, Early)]

    def arrive(self, sub_app_id: int | None, event: Event, land: Callable[[Event], None]) -> None:
        self._context.run(partial(Journey(self._arrival, sub_app_id, land).continue_with, event))

    def completes_immediately(self, sub_app_id: int | None, file_id: str) -> bool:
        for _, active in self._early:
            if active.fires_for_call(sub_app_id, None, file_id):
                active.record(f"job of {file_id} ends before its call is answered", sub_app_id=sub_app_id)
                return True
        return False

    async def before_response(self) -> None:
        if self._early:
            await self._context.clock.settle()
