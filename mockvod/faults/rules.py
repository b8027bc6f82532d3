"""Whom a fault strikes, and when."""

from dataclasses import dataclass
from random import Random
from typing import Final, Protocol

from mockvod.engine.events import Event


class Rule(Protocol):
    """When a fault strikes. *count* is the how-manieth thing of its scope this is, from 1 on."""

    def holds(self, count: int, random: Random, elapsed: float) -> bool:
        """Whether it strikes now, *elapsed* seconds of the clock after it was put in force."""


@dataclass(frozen=True, slots=True)
class Always:
    value: bool = True

    def holds(self, count: int, random: Random, elapsed: float) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Probability:
    value: float

    def holds(self, count: int, random: Random, elapsed: float) -> bool:
        return random.random() < self.value


@dataclass(frozen=True, slots=True)
class Nth:
    value: int

    def holds(self, count: int, random: Random, elapsed: float) -> bool:
        return count == self.value


@dataclass(frozen=True, slots=True)
class First:
    value: int

    def holds(self, count: int, random: Random, elapsed: float) -> bool:
        return count <= self.value


@dataclass(frozen=True, slots=True)
class Every:
    value: int

    def holds(self, count: int, random: Random, elapsed: float) -> bool:
        return count % self.value == 0


@dataclass(frozen=True, slots=True)
class Until:
    value: float
    """Seconds of the clock from the moment on at which the fault was put in force."""

    def holds(self, count: int, random: Random, elapsed: float) -> bool:
        return elapsed < self.value


When = Always | Probability | Nth | First | Every | Until
RULES: Final[dict[str, type[When]]] = {
    "always": Always,
    "probability": Probability,
    "nth": Nth,
    "first": First,
    "every": Every,
    "until": Until,
}


def name_of(rule: When) -> str:
    return next(name for name, kind in RULES.items() if isinstance(rule, kind))


@dataclass(frozen=True, slots=True)
class Scope:
    """Whom a fault may strike; what is None does not matter."""

    sub_app_id: int | None = None
    """0 is the default application."""
    event_type: str | None = None
    action: str | None = None
    file_id: str | None = None

    def fits_application(self, sub_app_id: int | None) -> bool:
        return self.sub_app_id is None or self.sub_app_id == (sub_app_id or 0)

    def fits_event(self, event: Event) -> bool:
        if not self.fits_application(event.sub_app_id) or self.event_type not in {None, event.event_type}:
            return False
        return self.file_id is None or event.structure().get("FileId") == self.file_id

    def fits_call(self, sub_app_id: int | None, action: str, file_id: str | None) -> bool:
        return self.fits_application(sub_app_id) and self.action in {None, action} and self.file_id in {None, file_id}
