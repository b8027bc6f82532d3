"""The state of an account as the diagnosis sees it, and how its findings show it."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import islice
from typing import Any, Final, NamedTuple

from mockvod.engine.consumers import Puller, Refusal
from mockvod.insight.callbacks import Surroundings
from mockvod.insight.evidence import EventHistory, Evidence, Finding, Severity
from mockvod.service.application import Application
from mockvod.service.world import Account

SHOWN: Final = 5
"""Most callers, faults and so on that one finding names; it counts the others."""


class Place(NamedTuple):
    """An application of an account."""

    account: Account
    application: Application


class View:
    """An account's current life: its journal, its pollers, and the calls that were refused."""

    def __init__(self, evidence: Evidence, surroundings: Surroundings) -> None:
        self.evidence = evidence
        self.surroundings = surroundings
        self.account = evidence.account
        self.world = evidence.account.world
        self.clock = evidence.account.life.clock
        self.applications = evidence.applications
        self.began = evidence.account.life.started_at

    def state(self, number: int) -> str | None:
        event = self.account.life.events.find(number)
        return None if event is None else event.state

    def events(self, application: Application, *states: str) -> dict[int, EventHistory]:
        """The events of *application* that are in one of *states*."""
        return {n: one for n, one in self.evidence.of(application).items() if self.state(n) in states}

    def pullers(self, application: Application) -> list[Puller]:
        """Who has polled *application* since the account's life began, the most recent first."""
        return [one for one in application.pulls.pullers() if one.last_seen >= self.began]

    @cached_property
    def misdirected_polls(self) -> list[tuple[Place, Place]]:
        """Applications whose polls found no event, each with one whose events no client polls. At most SHOWN.

        Both are in this account, or one of them is in the default account: that is where unknown SecretIds lead. No
        other pairs, because accounts with their own SecretId belong to other tests.
        """
        mine = [Place(self.account, one) for one in self.account.life.applications()]
        default = self.world.default
        others = [default] if self.account is not default else self.world.accounts()[1:]
        elsewhere = [Place(account, one) for account in others for one in account.life.applications()]
        return list(islice(self._pairs(mine, mine), SHOWN)) or list(
            islice((*self._pairs(mine, elsewhere), *self._pairs(elsewhere, mine)), SHOWN)
        )

    def _pairs(self, polled: Sequence[Place], holding: Sequence[Place]) -> Iterator[tuple[Place, Place]]:
        meant = set(map(id, self.applications))
        holders = [one for one in holding if self._waits_unpolled(one.application)]
        for place in polled if holders else ():
            if place.application.queue.visible or not any(one.empty for one in self.pullers(place.application)):
                continue
            for holder in holders:
                if holder is not place and (id(place.application) in meant or id(holder.application) in meant):
                    yield place, holder

    def _waits_unpolled(self, application: Application) -> bool:
        return bool(application.queue.visible) and application.mode == "PULL" and not self.pullers(application)

    def refusals(self, kind: str) -> list[Refusal]:
        """Refused calls of this account, and those with a SecretId that belongs to no account."""
        return [
            one
            for one in self.world.refusals.since(self.began)
            if one.kind == kind and self._may_be_mine(one.caller.secret_id)
        ]

    def _may_be_mine(self, secret_id: str) -> bool:
        owner = self.world.declared(secret_id)
        return owner is self.account if owner is not None else secret_id not in self.world.deleted


def of(application: Application, code: str, severity: Severity, message: str, **evidence: Any) -> Finding:
    """A finding about *application*."""
    return Finding(code, severity, message, {"sub_app_id": application.sub_app_id, **evidence})


def callers(pullers: Sequence[Puller], counter: str) -> dict[str, Any]:
    """Who polled, how often, and the value of *counter*."""
    rows = [{**one.caller._asdict(), "pulls": one.pulls, counter: getattr(one, counter)} for one in pullers[:SHOWN]]
    return {"callers": rows}
