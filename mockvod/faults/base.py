"""A fault, and what it is in force as."""

from abc import ABC
from dataclasses import dataclass, fields
from random import Random
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from mockvod.faults.rules import Scope, When
from mockvod.settings import WHOLE

Group = Literal["delivery", "queue", "api", "callback"]

Several = Annotated[int, Field(ge=1, le=1000), WHOLE]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True)
class Fault(ABC):
    """A misbehaviour: what it does to what passes by. Its fields are its parameters."""

    name: ClassVar[str]
    group: ClassVar[Group]
    scoped_by: ClassVar[tuple[str, ...]]
    """What its scope can name."""

    @classmethod
    def words(cls) -> str:
        """What it does, in a line."""
        return (cls.__doc__ or "").partition("\n")[0]

    @classmethod
    def hook(cls, faults: Any) -> Any:
        """What stands in its group's place of `Hooks` while such a fault is in force; it comes with the fault."""
        raise NotImplementedError

    def removed(self, faults: Any, one: "ActiveFault") -> None:  # noqa: B027 - most faults hold nothing back
        """The fault is over: what it held back goes on."""

    def parameters(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


class ActiveFault:
    """A fault since it was put in force: its id, whom and when it strikes, its random numbers, how often it did."""

    __slots__ = ("fault", "fired", "memory", "number", "random", "recipe", "scope", "seen", "since", "when")

    def __init__(
        self, number: int, fault: Fault, scope: Scope, when: When, *, random: Random, since: float, recipe: str | None
    ) -> None:
        self.number = number
        self.fault = fault
        self.scope = scope
        self.when = when
        self.random = random
        self.since = since
        self.recipe = recipe
        self.seen = 0
        """How many things of its scope have passed by."""
        self.fired = 0
        """How many times it did something to one."""
        self.memory: dict[Any, int] = {}
        """What the fault must remember from one thing to the next."""

    @property
    def id(self) -> str:
        return f"flt_{self.number:06d}"

    def strikes(self, now: float) -> bool:
        """Whether the rule holds for one more thing of its scope."""
        self.seen += 1
        return self.when.holds(self.seen, self.random, now - self.since)


def shuffled(items: list[Any], random: Random) -> list[Any]:
    """*items* in another order than they have, where there is another."""
    mixed = list(items)
    random.shuffle(mixed)
    return mixed if mixed != items else mixed[1:] + mixed[:1]
