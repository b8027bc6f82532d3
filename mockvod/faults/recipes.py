"""Recipes: faults that belong together, for incidents that really happen."""

from typing import Final

from mockvod.faults.api import HttpStatus, Latency, Reset, Throttle, Truncated
from mockvod.faults.callback import CloseMidway, Repeat, SlowSending
from mockvod.faults.delivery import Delay, Duplicate, Early, Reorder
from mockvod.faults.queue import FailConfirm, LoseConfirm, RedeliverEarly, SwapOrder
from mockvod.faults.registry import Recipe
from mockvod.faults.rules import Always, Every, Probability

RECIPES: Final[dict[str, Recipe]] = {
    "duplicate-storm": Recipe(
        "A deployment of the service goes wrong and sends everything several times.",
        (
            (Duplicate(copies=2), Always()),
            (RedeliverEarly(after=1.0), Probability(0.3)),
            (Repeat(), Probability(0.5)),
        ),
    ),
    "out-of-order": Recipe(
        "Events overtake each other, and the call that caused them.",
        ((Reorder(count=4, seconds=1.0), Always()), (SwapOrder(), Always()), (Early(), Probability(0.5))),
    ),
    "flaky-network": Recipe(
        "Connections break, gateways respond instead of the service, responses get lost.",
        (
            (Latency(seconds=0.1, distribution="lognormal", at_most=5.0), Always()),
            (Reset(), Probability(0.05)),
            (Reset(done=True), Probability(0.05)),
            (HttpStatus(status=502), Probability(0.05)),
            (Truncated(), Probability(0.05)),
            (CloseMidway(), Probability(0.2)),
        ),
    ),
    "lost-confirm": Recipe(
        "Confirmations or the responses to them get lost.",
        ((LoseConfirm(), Every(2)), (FailConfirm(), Every(3))),
    ),
    "slow-vendor": Recipe(
        "The service is overloaded: events, responses and callbacks are late.",
        (
            (Delay(seconds=5.0, distribution="lognormal", at_most=120.0), Always()),
            (Latency(seconds=0.5, distribution="lognormal", at_most=10.0), Always()),
            (SlowSending(seconds=2.0), Probability(0.2)),
        ),
    ),
    "throttled": Recipe(
        "Other clients use up the account's quota: five calls of an action per second succeed.",
        ((Throttle(rate=5), Always()),),
    ),
}
