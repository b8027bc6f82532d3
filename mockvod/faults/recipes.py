"""Recipes: sets of faults that imitate real incidents."""

from dataclasses import dataclass
from typing import Final

from mockvod.faults.api import HttpStatus, Latency, Reset, Throttle, Truncated
from mockvod.faults.base import Fault
from mockvod.faults.callback import CloseMidway, Repeat, SlowSending
from mockvod.faults.delivery import Delay, Duplicate, Early, Reorder
from mockvod.faults.queue import FailConfirm, LoseConfirm, RedeliverEarly, SwapOrder
from mockvod.faults.rules import When


@dataclass(frozen=True, slots=True)
class Recipe:
    """Faults that are added together."""

    summary: str
    faults: tuple[tuple[Fault, When], ...]


RECIPES: Final[dict[str, Recipe]] = {
    "duplicate-storm": Recipe(
        "A deployment of the service goes wrong and sends everything several times.",
        (
            (Duplicate(copies=2), When()),
            (RedeliverEarly(after=1.0), When("probability", 0.3)),
            (Repeat(), When("probability", 0.5)),
        ),
    ),
    "out-of-order": Recipe(
        "Events overtake each other, and the call that caused them.",
        ((Reorder(count=4, seconds=1.0), When()), (SwapOrder(), When()), (Early(), When("probability", 0.5))),
    ),
    "flaky-network": Recipe(
        "Connections break, gateways respond instead of the service, responses get lost.",
        (
            (Latency(seconds=0.1, distribution="lognormal", at_most=5.0), When()),
            (Reset(), When("probability", 0.05)),
            (Reset(done=True), When("probability", 0.05)),
            (HttpStatus(status=502), When("probability", 0.05)),
            (Truncated(), When("probability", 0.05)),
            (CloseMidway(), When("probability", 0.2)),
        ),
    ),
    "lost-confirm": Recipe(
        "Confirmations or the responses to them get lost.",
        ((LoseConfirm(), When("every", 2)), (FailConfirm(), When("every", 3))),
    ),
    "slow-vendor": Recipe(
        "The service is overloaded: events, responses and callbacks are late.",
        (
            (Delay(seconds=5.0, distribution="lognormal", at_most=120.0), When()),
            (Latency(seconds=0.5, distribution="lognormal", at_most=10.0), When()),
            (SlowSending(seconds=2.0), When("probability", 0.2)),
        ),
    ),
    "throttled": Recipe(
        "Other clients use up the account's quota: five calls of an action per second succeed.",
        ((Throttle(rate=5), When()),),
    ),
}
