"""The faults in force for an account."""

from collections.abc import Callable, Iterator
from random import Random
from typing import TYPE_CHECKING, Any

from mockvod.vod.clock import Timer
from mockvod.vod.events import Event

if TYPE_CHECKING:
    from mockvod.vod.application import Application
    from mockvod.vod.faults.base import Fault, InForce
    from mockvod.vod.faults.delivery import Pen
    from mockvod.vod.faults.rules import Scope, When
    from mockvod.vod.world import Account


class Faults:
    """What misbehaves, in the order in which it was put in force; lasts until a reset.

    Each fault draws from random numbers of its own, which come from the account's seed and the fault's number: the
    same faults and calls fire the same way again. The four groups are empty tuples while nothing misbehaves, so that
    looking there is all that an orderly account pays.
    """

    def __init__(self, account: "Account") -> None:
        self.account = account
        self.delivery: tuple[InForce, ...] = ()
        self.queue: tuple[InForce, ...] = ()
        self.api: tuple[InForce, ...] = ()
        self.callback: tuple[InForce, ...] = ()
        self._all: dict[str, InForce] = {}
        self._last = 0
        self._from_settings: list[InForce] = []
        self._timers: set[Timer] = set()
        self._pens: dict[tuple[InForce, int | None], Pen] = {}

    # --- putting in force

    def put(
        self,
        fault: "Fault",
        scope: "Scope | None" = None,
        when: "When | None" = None,
        recipe: str | None = None,
    ) -> "InForce":
        """Let *fault* strike everybody that *scope* does not leave out, always when *when* does not say otherwise."""
        from mockvod.vod.faults.base import InForce  # imported with the first fault, as everywhere
        from mockvod.vod.faults.rules import Always, Scope, name_of

        scope, when = scope or Scope(), when or Always()
        self._last += 1
        random = Random(f"{self.account.seed}/faults/{self._last}")
        now = self.account.clock.now()
        one = InForce(self._last, fault, scope, when, random=random, since=now, recipe=recipe)
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
            "seed": self.account.seed,
        }
        self.account.journal.note("fault_set", detail=detail)
        return one

    def put_recipe(self, name: str, scope: "Scope | None" = None) -> "list[InForce]":
        from mockvod.vod.faults.recipes import RECIPES

        return [self.put(fault, scope, when, recipe=name) for fault, when in RECIPES[name].faults]

    def follow(self, setting: str) -> None:
        """Have the recipes of the setting `faults` in force, and no longer those that it named before."""
        for one in self._from_settings:
            self.remove(one.id)
        self._from_settings = [one for name in setting.split(",") if name for one in self.put_recipe(name)]

    def remove(self, fault_id: str) -> "InForce | None":
        """Let the fault be over; what it held back goes on. None when there is none of this id."""
        from mockvod.vod.faults.delivery import Holding

        one = self._all.pop(fault_id, None)
        if one is not None:
            self._group()
            self.account.journal.note("fault_removed", detail={"id": one.id, "fault": one.fault.name})
            for key in [key for key in self._pens if key[0] is one]:
                if isinstance(one.fault, Holding):
                    self._pens.pop(key).let_go(one.fault.order(one))
        return one

    def clear(self) -> "list[InForce]":
        """Let all be over; answers which they were."""
        return [one for one in list(self) if self.remove(one.id)]

    def close(self) -> None:
        """The account ends: nothing goes on that a fault has held back."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self._pens.clear()

    def __iter__(self) -> "Iterator[InForce]":
        return iter(self._all.values())

    def _group(self) -> None:
        by_group: dict[str, list[InForce]] = {
            "delivery": [],
            "queue": [],
            "api": [],
            "callback": [],
        }
        for one in self:
            by_group[one.fault.group].append(one)
        self.delivery, self.queue, self.api, self.callback = map(tuple, by_group.values())

    # --- whom they strike

    def strikes_event(self, one: "InForce", event: Event) -> bool:
        return one.scope.fits_event(event) and one.strikes(self.account.clock.now())

    def strikes_application(self, one: "InForce", application: "Application") -> bool:
        return one.scope.fits_application(application.sub_app_id) and one.strikes(self.account.clock.now())

    def strikes_call(self, one: "InForce", sub_app_id: int | None, action: str, file_id: str | None) -> bool:
        return one.scope.fits_call(sub_app_id, action, file_id) and one.strikes(self.account.clock.now())

    # --- what they did

    def fired(
        self,
        one: "InForce",
        did: str,
        event: Event | None,
        sub_app_id: int | None = None,
    ) -> None:
        one.fired += 1
        if event is not None:
            self.mark(one, did, event)
        else:
            self.account.journal.note("fault", sub_app_id=sub_app_id, detail=_detail(one, did))

    def mark(self, one: "InForce", did: str, event: Event) -> None:
        """Write into an event's timeline what came to it from a fault that has fired."""
        self.account.events.note_fault(event, _detail(one, did))

    # --- what they hold back

    def after(self, seconds: float, call: Callable[[], None], what: str) -> Timer:
        def ring() -> None:
            self._timers.discard(timer)
            call()

        clock = self.account.clock
        timer = clock.at(clock.now() + seconds, ring, what)
        self._timers.add(timer)
        return timer

    def pen(self, one: "InForce", application: "Application") -> "Pen":
        """Where *one* holds back events of *application*."""
        from mockvod.vod.faults.delivery import Pen

        return self._pens.setdefault((one, application.sub_app_id), Pen())


def _detail(one: "InForce", did: str) -> dict[str, str]:
    return {"id": one.id, "fault": one.fault.name, "did": did}
