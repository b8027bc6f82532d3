"""When a fault fires, and for what."""

from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Final, Protocol

from mockvod.engine.events import Event


class Rule(Protocol):
    """When a fault fires."""

    def applies(self, count: int, random: Random, elapsed: float) -> bool:
        """Whether it fires now.

        *count* is the 1-based number of matching events or calls so far, *elapsed* the seconds of the clock since the
        fault was added.
        """


@dataclass(frozen=True, slots=True)
class Always:
    value: bool = True

    def applies(self, count: int, random: Random, elapsed: float) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Probability:
    value: float

    def applies(self, count: int, random: Random, elapsed: float) -> bool:
        return random.random() < self.value


@dataclass(frozen=True, slots=True)
class Nth:
    value: int

    def applies(self, count: int, random: Random, elapsed: float) -> bool:
        return count == self.value


@dataclass(frozen=True, slots=True)
class First:
    value: int

    def applies(self, count: int, random: Random, elapsed: float) -> bool:
        return count <= self.value


@dataclass(frozen=True, slots=True)
class Every:
    value: int

    def applies(self, count: int, random: Random, elapsed: float) -> bool:
        return count % self.value == 0


@dataclass(frozen=True, slots=True)
class Until:
    value: float
    """Seconds of the clock since the fault was added."""

    def applies(self, count: int, random: Random, elapsed: float) -> bool:
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
    """What a fault may apply to; a field that is None matches everything."""

    sub_app_id: int | None = None
    """0 is the default application."""
    event_type: str | None = None
    action: str | None = None
    file_id: str | None = None

    def matches_application(self, sub_app_id: int | None) -> bool:
        return self.sub_app_id is None or self.sub_app_id == (sub_app_id or 0)

    def matches_event(self, event: Event) -> bool:
        if not self.matches_application(event.sub_app_id) or self.event_type not in {None, event.event_type}:
            return False
        return self.file_id is None or self.file_id == _file_id(event)

    def matches_call(self, sub_app_id: int | None, action: str | None, file_id: str | None) -> bool:
        """*action* is None for a job, which has a file but is no call."""
        return (
            self.matches_application(sub_app_id) and self.action in {None, action} and self.file_id in {None, file_id}
        )


@lru_cache(maxsize=1)  # every fault with a FileId in its scope looks at the same event
def _file_id(event: Event) -> object:
    return event.structure().get("FileId")
