"""Delivery faults: what can happen to an event on its way to its application, be it pulled or pushed."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar, Final

from mockvod.engine.clock import Timer
from mockvod.engine.events import Event
from mockvod.faults.base import ActiveFault, Fault, Group, Several, shuffled
from mockvod.faults.registry import FaultContext, FaultRegistry
from mockvod.faults.timing import Slow
from mockvod.settings import Seconds


class Way(FaultContext):
    """The rest of an event's way, as a fault meets it: other faults may still be on it."""

    def __init__(
        self,
        faults: FaultRegistry,
        one: ActiveFault,
        event: Event,
        sub_app_id: int | None,
        rest: Callable[[Event], None],
    ) -> None:
        super().__init__(faults, one)
        self.event = event
        self.sub_app_id = sub_app_id
        self.go_on = rest

    def copy(self) -> Event:
        """Another event with the same content."""
        events, event = self.faults.events, self.event
        copied = events.create(event.sub_app_id, event.event_type, event.tail)
        self.faults.mark(self.one, f"is a copy of {event.id}", copied)
        return copied

    def drop(self) -> None:
        self.faults.events.note(self.event, "dropped", {"fault": self.one.id})

    def wait(self, event: Event, seconds: float) -> None:
        """Let *event* go on after *seconds* of the clock."""
        if seconds <= 0:
            self.go_on(event)
            return
        self.put_off(event, seconds)
        self.later(seconds, lambda: self.go_on(event))

    def put_off(self, event: Event, seconds: float) -> None:
        faults = self.faults
        due = faults.clock.epoch(faults.clock.now() + seconds)
        faults.events.note(event, "scheduled", {"due": due, "fault": self.one.id})


@dataclass
class HoldBuffer:
    """Events held back until enough have come or the time is over."""

    held: list[Way] = field(default_factory=list)
    timer: Timer | None = None

    def let_go(self, order: Callable[[list[Any]], list[Any]]) -> None:
        if self.timer is not None:
            self.timer.cancel()
        held, self.held = self.held, []
        for way in order(held):
            way.go_on(way.event)


@dataclass(frozen=True, slots=True)
class DeliveryFault(Fault):
    group: ClassVar[Group] = "delivery"
    scoped_by: ClassVar[tuple[str, ...]] = ("sub_app_id", "event_type", "file_id")

    @classmethod
    def hook(cls, faults: FaultRegistry) -> "DeliveryHook":
        return DeliveryHook(faults)

    @abstractmethod
    def meet(self, way: Way) -> None:
        """Do to the event what the fault does, and let it go on, or not."""


@dataclass(frozen=True, slots=True)
class Duplicate(DeliveryFault):
    """The event comes more than once."""

    name: ClassVar[str] = "duplicate"

    copies: Several = 1
    after: Seconds = 0.0

    def meet(self, way: Way) -> None:
        copies = [way.copy() for _ in range(self.copies)]
        way.tell(f"comes again as {', '.join([copy.id for copy in copies])}", way.event)
        way.go_on(way.event)
        for place, copy in enumerate(copies, 1):
            way.wait(copy, place * self.after)


@dataclass(frozen=True, slots=True)
class Drop(DeliveryFault):
    """The event never comes."""

    name: ClassVar[str] = "drop"

    def meet(self, way: Way) -> None:
        way.tell("never comes", way.event)
        way.drop()


@dataclass(frozen=True, slots=True)
class Delay(Slow, DeliveryFault):
    """The event comes late."""

    name: ClassVar[str] = "delay"

    def meet(self, way: Way) -> None:
        seconds = self.draw(way.random)
        way.tell(f"comes {seconds:.3f} s late", way.event)
        way.wait(way.event, seconds)


@dataclass(frozen=True, slots=True)
class Holding(DeliveryFault):
    """Events are held back until `count` have come or the first has waited for `seconds`."""

    count: Several = 3
    seconds: Seconds = 1.0

    @abstractmethod
    def order(self, one: ActiveFault) -> Callable[[list[Any]], list[Any]]:
        """In which order they go on."""

    def removed(self, faults: FaultRegistry, one: ActiveFault) -> None:
        for key in [key for key in faults.pens if key[0] is one]:
            faults.pens.pop(key).let_go(self.order(one))

    def meet(self, way: Way) -> None:
        way.tell("is held back", way.event)
        pen = way.faults.pens.setdefault((way.one, way.sub_app_id), HoldBuffer())
        pen.held.append(way)
        order = self.order(way.one)
        if len(pen.held) >= self.count:
            pen.let_go(order)
            return
        if len(pen.held) == 1:
            pen.timer = way.faults.after(self.seconds, lambda: pen.let_go(order), f"{way.one.id} lets events go")
        remaining = pen.timer.when - way.faults.clock.now() if pen.timer is not None else 0.0
        way.put_off(way.event, remaining)


@dataclass(frozen=True, slots=True)
class Reorder(Holding):
    """Events come in another order than they happened: `count` of them, or those of `seconds`, are mixed up."""

    name: ClassVar[str] = "reorder"

    def order(self, one: ActiveFault) -> Callable[[list[Any]], list[Any]]:
        return lambda held: shuffled(held, one.random)


@dataclass(frozen=True, slots=True)
class Burst(Holding):
    """Events come all at once: held back until `count` have come, or the first has waited for `seconds`."""

    name: ClassVar[str] = "burst"

    count: Several = 16
    seconds: Seconds = 5.0

    def order(self, one: ActiveFault) -> Callable[[list[Any]], list[Any]]:
        return list


@dataclass(frozen=True, slots=True)
class Early(Fault):
    """The event of a job comes before the call that started the job is answered."""

    name: ClassVar[str] = "early"
    group: ClassVar[Group] = "delivery"
    scoped_by: ClassVar[tuple[str, ...]] = ("sub_app_id", "file_id")

    @classmethod
    def hook(cls, faults: FaultRegistry) -> "DeliveryHook":
        return DeliveryHook(faults)


DELIVERY: Final[tuple[type[Fault], ...]] = (Duplicate, Reorder, Delay, Drop, Early, Burst)


def arrive(faults: FaultRegistry, sub_app_id: int | None, event: Event, land: Callable[[Event], None]) -> None:
    """Let *event* meet every delivery fault in force, and *land* if none keeps it."""
    _pass(faults, [one for one in faults.delivery if isinstance(one.fault, DeliveryFault)], sub_app_id, event, land)


def _pass(
    faults: FaultRegistry, ahead: list[ActiveFault], sub_app_id: int | None, event: Event, land: Callable[[Event], None]
) -> None:
    for place, one in enumerate(ahead):
        if isinstance(one.fault, DeliveryFault) and faults.strikes_event(one, event):
            go_on = partial(_pass, faults, ahead[place + 1 :], sub_app_id, land=land)
            one.fault.meet(Way(faults, one, event, sub_app_id, go_on))
            return
    land(event)


def hastens(faults: FaultRegistry, sub_app_id: int | None, file_id: str) -> bool:
    """Whether a job that begins now ends at once, before the call that starts it is answered."""
    for one in faults.delivery:
        if isinstance(one.fault, Early) and faults.strikes_call(one, sub_app_id, "", file_id):
            faults.fired(one, f"a job of {file_id} ends before its call is answered", None, sub_app_id)
            return True
    return False


async def let_happen(faults: FaultRegistry) -> None:
    """Before a call is answered: what it has begun and is due already happens."""
    if any(isinstance(one.fault, Early) for one in faults.delivery):
        await faults.clock.settle()


class DeliveryHook:
    def __init__(self, faults: FaultRegistry) -> None:
        self._faults = faults

    def arrive(self, sub_app_id: int | None, event: Event, land: Callable[[Event], None]) -> None:
        arrive(self._faults, sub_app_id, event, land)

    def hastens(self, sub_app_id: int | None, file_id: str) -> bool:
        return hastens(self._faults, sub_app_id, file_id)

    async def before_answer(self) -> None:
        await let_happen(self._faults)
