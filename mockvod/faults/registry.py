"""The faults in force for an account."""

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from mockvod.engine.clock import Clock, Timer
from mockvod.engine.events import Event, Events
from mockvod.engine.hooks import Hooks
from mockvod.engine.journal import Journal
from mockvod.faults.base import ActiveFault, Fault
from mockvod.faults.rules import Always, Scope, When, name_of


class FaultRegistry:
    """What misbehaves, in the order in which it was put in force; lasts until a reset.

    Each fault draws from random numbers of its own, which come from the account's seed and the fault's number: the
    same faults and calls fire the same way again. The four groups are empty tuples while nothing misbehaves, so that
    looking there is all that an orderly account pays.
    """

    def __init__(
        self,
        hooks: Hooks,
        clock: Clock,
        events: Events,
        journal: Journal,
        seed: int | str,
        recipe: Callable[[str], Any],
    ) -> None:
        self._hooks = hooks
        self.clock = clock
        self.events = events
        self.journal = journal
        self.seed = seed
        self._recipe = recipe
        self.delivery: tuple[ActiveFault, ...] = ()
        self.queue: tuple[ActiveFault, ...] = ()
        self.api: tuple[ActiveFault, ...] = ()
        self.callback: tuple[ActiveFault, ...] = ()
        self._all: dict[str, ActiveFault] = {}
        self._last = 0
        self._from_settings: list[ActiveFault] = []
        self._timers: set[Timer] = set()
        self.pens: dict[tuple[ActiveFault, int | None], Any] = {}

    # --- putting in force

    def put(
        self,
        fault: Fault,
        scope: Scope | None = None,
        when: When | None = None,
        recipe: str | None = None,
    ) -> ActiveFault:
        """Let *fault* strike everybody that *scope* does not leave out, always when *when* does not say otherwise."""
        scope, when = scope or Scope(), when or Always()
        self._last += 1
        random = Random(f"{self.seed}/faults/{self._last}")
        now = self.clock.now()
        one = ActiveFault(self._last, fault, scope, when, random=random, since=now, recipe=recipe)
        self._all[one.id] = one
        self._group()
        detail: dict[str, Any] = {
            "id": one.id,
            "fault": fault.name,
            **({"recipe": recipe} if recipe else {}),
        }
        detail |= {
            "parameters": fault.parameters(),
            "when": {name_of(when): when.value},
            "seed": self.seed,
        }
        self.journal.note("fault_set", detail=detail)
        return one

    def put_recipe(self, name: str, scope: Scope | None = None) -> list[ActiveFault]:
        return [self.put(fault, scope, when, recipe=name) for fault, when in self._recipe(name).faults]

    def follow(self, setting: str) -> None:
        """Have the recipes of the setting `faults` in force, and no longer those that it named before."""
        for one in self._from_settings:
            self.remove(one.id)
        self._from_settings = [one for name in setting.split(",") if name for one in self.put_recipe(name)]

    def remove(self, fault_id: str) -> ActiveFault | None:
        """Let the fault be over; what it held back goes on. None when there is none of this id."""
        one = self._all.pop(fault_id, None)
        if one is not None:
            self._group()
            self.journal.note("fault_removed", detail={"id": one.id, "fault": one.fault.name})
            one.fault.removed(self, one)
        return one

    def clear(self) -> list[ActiveFault]:
        """Let all be over; answers which they were."""
        return [one for one in list(self) if self.remove(one.id)]

    def close(self) -> None:
        """The account ends: nothing goes on that a fault has held back."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self.pens.clear()

    def __iter__(self) -> Iterator[ActiveFault]:
        return iter(self._all.values())

    def _group(self) -> None:
        by_group: dict[str, list[ActiveFault]] = {
            "delivery": [],
            "queue": [],
            "api": [],
            "callback": [],
        }
        for one in self:
            by_group[one.fault.group].append(one)
        self.delivery, self.queue, self.api, self.callback = map(tuple, by_group.values())
        for group, those in by_group.items():
            setattr(self._hooks, group, those[0].fault.hook(self) if those else None)

    # --- whom they strike

    def strikes_event(self, one: ActiveFault, event: Event) -> bool:
        return one.scope.fits_event(event) and one.strikes(self.clock.now())

    def strikes_application(self, one: ActiveFault, sub_app_id: int | None) -> bool:
        return one.scope.fits_application(sub_app_id) and one.strikes(self.clock.now())

    def strikes_call(self, one: ActiveFault, sub_app_id: int | None, action: str, file_id: str | None) -> bool:
        return one.scope.fits_call(sub_app_id, action, file_id) and one.strikes(self.clock.now())

    # --- what they did

    def fired(
        self,
        one: ActiveFault,
        did: str,
        event: Event | None,
        sub_app_id: int | None = None,
    ) -> None:
        one.fired += 1
        if event is not None:
            self.mark(one, did, event)
        else:
            self.journal.note("fault", sub_app_id=sub_app_id, detail=_detail(one, did))

    def mark(self, one: ActiveFault, did: str, event: Event) -> None:
        """Write into an event's timeline what came to it from a fault that has fired."""
        self.events.note_fault(event, _detail(one, did))

    # --- what they hold back

    def after(self, seconds: float, call: Callable[[], None], what: str) -> Timer:
        def ring() -> None:
            self._timers.discard(timer)
            call()

        clock = self.clock
        timer = clock.at(clock.now() + seconds, ring, what)
        self._timers.add(timer)
        return timer


class FaultContext:
    """A fault and what it strikes at this moment."""

    def __init__(self, faults: FaultRegistry, one: ActiveFault) -> None:
        self.faults = faults
        self.one = one

    @property
    def random(self) -> Random:
        return self.one.random

    def tell(self, did: str, event: Event | None = None, sub_app_id: int | None = None) -> None:
        """Write down what the fault did, in the event's timeline where there is one."""
        self.faults.fired(self.one, did, event, sub_app_id)

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Call *call* after *seconds* of the clock, unless the account ends before."""
        self.faults.after(seconds, call, f"{self.one.id} ({self.one.fault.name}) goes on")


def _detail(one: ActiveFault, did: str) -> dict[str, str]:
    return {"id": one.id, "fault": one.fault.name, "did": did}
