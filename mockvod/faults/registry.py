"""The active faults of one life of an account."""

from collections.abc import Iterator
from random import Random
from typing import Any, Final

from mockvod.engine.clock import Clock
from mockvod.engine.events import Events
from mockvod.engine.hooks import Hooks
from mockvod.engine.journal import Journal
from mockvod.faults.base import ActiveFault, Fault, FaultContext
from mockvod.faults.rules import Scope, When

FAULTS_MOST: Final = 200
MODULES: Final = ("mockvod.faults.table", "mockvod.faults.recipes")
"""What the first fault needs. It takes 70 ms to import: `World.load` does it in a thread."""


class TooManyFaults(Exception):
    """Raised when an account would have more than FAULTS_MOST active faults."""


class FaultRegistry:
    """The active faults, in the order in which they were added. They fill the places of `Hooks`.

    Each fault has its own random numbers, derived from the account's seed and the fault's number: the same faults and
    calls give the same run.
    """

    def __init__(self, hooks: Hooks, clock: Clock, events: Events, journal: Journal, seed: int | str) -> None:
        self._hooks = hooks
        self._context = FaultContext(clock, events, journal)
        self._seed = seed
        self._active: dict[str, ActiveFault] = {}
        self._last_number = 0
        self._from_settings: list[ActiveFault] = []

    def __iter__(self) -> Iterator[ActiveFault]:
        return iter(self._active.values())

    def add(self, fault: Fault, scope: Scope | None = None, when: When | None = None) -> ActiveFault:
        """Activate *fault* for everything in *scope* (default: all), whenever *when* applies (default: always).

        Raises TooManyFaults.
        """
        self._check_room(1)
        return self._activate(fault, scope or Scope(), when or When())

    def add_recipe(self, name: str, scope: Scope | None = None) -> list[ActiveFault]:
        """Activate all faults of a recipe, or raise TooManyFaults."""
        self._check_room(len(_recipe(name)))
        return self._activate_recipe(name, scope or Scope())

    def follow(self, recipes: str) -> None:
        """Activate the recipes of the setting `faults`, in place of those of its last value."""
        for active in self._from_settings:
            self.remove(active.id)
        names = dict.fromkeys(name for name in recipes.split(",") if name)
        self._from_settings = [active for name in names for active in self._activate_recipe(name, Scope())]

    def remove(self, fault_id: str) -> ActiveFault | None:
        """End a fault and release what it holds back. None if no active fault has this id."""
        active = self._active.pop(fault_id, None)
        if active is not None:
            active.removed = True
            self._fill_hooks()
            self._context.journal.note("fault_removed", detail={"id": active.id, "fault": active.fault.name})
            active.fault.release(active)
        return active

    def clear(self) -> list[ActiveFault]:
        """Remove all faults; returns them."""
        return [active for active in list(self) if self.remove(active.id)]

    def discard(self, sub_app_id: int | None) -> None:
        """Forget what faults hold back of an application: it was reset."""
        self._context.discard(sub_app_id)
        for active in self:
            active.fault.discard(active, sub_app_id)

    def close(self) -> None:
        """End with the account's life: what faults hold back is discarded."""
        self._context.close()

    def _activate(self, fault: Fault, scope: Scope, when: When, recipe: str | None = None) -> ActiveFault:
        self._last_number += 1
        fault_id, random = f"flt_{self._last_number:06d}", Random(f"{self._seed}/faults/{self._last_number}")
        now = self._context.clock.now()
        active = ActiveFault(self._context, fault_id, fault, scope, when, random, recipe, since=now)
        self._active[active.id] = active
        self._fill_hooks()
        detail: dict[str, Any] = {"id": active.id, "fault": fault.name, **({"recipe": recipe} if recipe else {})}
        detail |= {"parameters": fault.parameters(), "when": {when.rule: when.value}, "seed": self._seed}
        self._context.journal.note("fault_set", detail=detail)
        return active

    def _activate_recipe(self, name: str, scope: Scope) -> list[ActiveFault]:
        return [self._activate(fault, scope, when, recipe=name) for fault, when in _recipe(name)]

    def _check_room(self, count: int) -> None:
        if len(self._active) + count > FAULTS_MOST:
            raise TooManyFaults(f"an account has at most {FAULTS_MOST} active faults: remove some first")

    def _fill_hooks(self) -> None:
        from mockvod.faults.table import HOOKS  # noqa: PLC0415 - see MODULES

        for group, hook in HOOKS.items():
            faults = [active for active in self if active.fault.group == group]
            setattr(self._hooks, group, hook(faults) if faults else None)


def _recipe(name: str) -> tuple[tuple[Fault, When], ...]:
    from mockvod.faults.recipes import RECIPES  # noqa: PLC0415 - see MODULES

    return RECIPES[name].faults
