"""When a fault fires, and for what."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Any, Final

from mockvod.engine.events import Event

# Of each rule its value, the 1-based number of matching events or calls so far, random numbers, and the seconds of the
# clock since the fault was added.
RULES: Final[dict[str, Callable[[Any, int, Random, float], bool]]] = {
    "always": lambda _, __, ___, ____: True,
    "probability": lambda value, _, random, __: random.random() < value,
    "nth": lambda value, count, _, __: count == value,
    "first": lambda value, count, _, __: count <= value,
    "every": lambda value, count, _, __: count % value == 0,
    "until": lambda value, _, __, elapsed: elapsed < value,
}


@dataclass(frozen=True, slots=True)
class When:
    """A rule and its value: `When("nth", 3)`."""

    rule: str = "always"
    value: float = True

    def applies(self, count: int, random: Random, elapsed: float) -> bool:
        """Whether the fault fires now; the arguments are those of RULES."""
        return RULES[self.rule](self.value, count, random, elapsed)


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
        """*action* is None for a job, which has a file but is not a call."""
        return (
            self.matches_application(sub_app_id) and self.action in {None, action} and self.file_id in {None, file_id}
        )


@lru_cache(maxsize=1)  # every fault with a FileId in its scope looks at the same event
def _file_id(event: Event) -> object:
    return event.structure().get("FileId")
