"""At least once, whatever faults do: thousands of runs in which an orderly consumer meets all of them."""

import asyncio
import heapq
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import count
from random import Random
from typing import Any

import pytest

from mockvod.app import Running
from mockvod.engine.events import TERMINAL, Event
from mockvod.engine.queue import NO_LEASES, EventQueue, Leases, Outcome
from mockvod.faults.api import Plan
from mockvod.faults.delivery import DELIVERY
from mockvod.faults.queue import QUEUE
from mockvod.faults.recipes import RECIPES
from mockvod.faults.rules import When
from mockvod.http.control.contract import entry_view
from mockvod.service.application import Application
from mockvod.service.world import Account
from mockvod.testing.history import History, check, check_record, may_come_again
from mockvod.wire.errors import ApiError

Disturb = Callable[[Account, Random], None]

RULES: tuple[When, ...] = (
    When(),
    When("probability", 0.3),
    When("nth", 2),
    When("first", 3),
    When("every", 3),
    When("until", 20.0),
)
ROUNDS = 200
"""Leases after which an orderly consumer has got everything, or never will."""
PULLS = 10
"""Most in a row, because an event that comes back at once may do so for ever while the clock stands still."""


def all_at_once(account: Account, _: Random) -> None:
    for fault in (*DELIVERY, *QUEUE):
        account.life.faults.add(fault(), when=When("probability", 0.2))


def some_by_any_rule(account: Account, random: Random) -> None:
    """Not `always` those under which nothing could ever be confirmed."""
    hopeless = {"lose-confirm", "stale-handle", "empty-pull", "redeliver-early"}
    for fault in random.sample((*DELIVERY, *QUEUE), 4):
        rule = random.choice(RULES[1:] if fault.name in hopeless else RULES)
        account.life.faults.add(fault(), when=rule)


def recipe(name: str) -> Disturb:
    def disturb(account: Account, _: Random) -> None:
        account.life.faults.add_recipe(name)

    return disturb


class Run:
    """One run: events come while a consumer pulls, confirms what it got, and tries again where that failed."""

    def __init__(self, account: Account, seed: int) -> None:
        self.account = account
        self.application: Application = account.life.application()
        self.random = Random(seed)
        self.enqueued: list[str] = []
        self.delivered: list[str] = []

    async def whole(self, disturb: Disturb) -> tuple[History, list[dict[str, Any]]]:
        """What the journal tells in the end, when the consumer had every chance."""
        await self.account.life.clock.freeze()
        disturb(self.account, self.random)
        for _ in range(self.random.randint(2, 5)):
            self.emit()
            await self.consume()
            await self.account.life.clock.advance(self.random.choice([0.0, 0.5, 10.0]))
        for _ in range(ROUNDS):
            if all(event.state in TERMINAL for event in self.account.life.events):
                break
            await self.account.life.clock.advance(30)
            await self.consume()
        entries = [entry_view(entry).model_dump(exclude_none=True) for entry in self.account.life.journal.since(0)]
        return check(entries), entries

    def emit(self) -> None:
        for _ in range(self.random.randint(0, 3)):
            self.enqueued.append(self.application.emit("FileDeleted", {"FileIdSet": []}).id)

    async def consume(self) -> None:
        for _ in range(PULLS):
            if not (batch := await self.pull()):
                break
            await self.confirm([leased.handle for leased in batch])

    async def pull(self) -> Leases:
        planned = await self.planned("PullEvents")
        if planned is None:
            return NO_LEASES
        with self.account.life.clock.busy():
            hook, queue = self.account.life.hooks.queue, self.application.queue
            batch = await (queue.pull(16, hold=0) if hook is None else hook.pull(queue, None, 16, 0))
        self.delivered += [leased.event.id for leased in batch]
        return NO_LEASES if planned.changes is not None else batch

    async def confirm(self, handles: Sequence[str]) -> None:
        """Confirm all; twice where the answer is an error, and one by one where a handle is refused."""
        if await self.planned("ConfirmEvents") is None:
            return
        for _ in range(2):
            with suppress(ApiError):
                if Outcome.UNKNOWN in self.application.confirm(handles):
                    for handle in handles:
                        with suppress(ApiError):
                            self.application.confirm([handle])
                break

    async def planned(self, action: str) -> Plan | None:
        """What faults of the API make of a call; None where it is not carried out."""
        if (hook := self.account.life.hooks.api) is None:
            return Plan(action)
        planning = asyncio.create_task(hook.plan(None, action, None))
        while not planning.done():
            await self.account.life.clock.advance(0.2)
        try:
            return planning.result() if planning.result().done else None
        except ApiError:
            return None


Runs = Callable[[Disturb, int], Any]


@pytest.fixture
def run(running: Running) -> Callable[[Disturb, int], Any]:
    world, numbers = running.world, count(1)

    async def one(disturb: Disturb, seed: int) -> tuple[Run, History, list[dict[str, Any]]]:
        number = next(numbers)
        account = world.add_account(
            secret_id=f"run-{number}", secret_key="key", sub_app_id=number, seed=seed, changes={"retention": 40_000.0}
        )
        run = Run(account, seed)
        reported = run, *await run.whole(disturb)
        await world.delete_account(account)
        return reported

    return one


MANNERS: dict[str, tuple[Disturb, int]] = {
    "all at once": (all_at_once, 700),
    "some by any rule": (some_by_any_rule, 700),
    **{name: (recipe(name), 120) for name in RECIPES},
}


@pytest.mark.parametrize("manner", MANNERS)
async def test_an_orderly_consumer_loses_nothing(run: Runs, manner: str) -> None:
    disturb, times = MANNERS[manner]
    for seed in range(times):
        done, history, entries = await run(disturb, seed)
        assert history.ok, f"{manner}, seed {seed}: {history}"
        assert not history.unfinished, f"{manner}, seed {seed}: {history}"
        gone = {str(oddity.event) for oddity in history.given_up}
        own = check_record(
            {*done.enqueued, *done.delivered} - gone | set(done.delivered),
            done.delivered,
            again=may_come_again(entries),
        )
        assert own.ok, f"{manner}, seed {seed}: {own}"


async def test_the_same_seed_gives_the_same_run(run: Runs) -> None:
    def reported(entries: list[dict[str, Any]]) -> list[Any]:
        return [(entry["what"], entry.get("event"), entry.get("event_handle"), entry.get("did")) for entry in entries]

    (_, _, one), (_, _, other), (_, _, third) = [await run(all_at_once, seed) for seed in (7, 7, 8)]
    assert reported(one) == reported(other)
    assert reported(one) != reported(third)


async def test_every_fault_of_events_and_queues_fires_in_these_runs(run: Runs) -> None:
    fired = Counter[str]()
    recovered = dropped = 0
    for seed in range(100):
        done, history, _ = await run(all_at_once, seed)
        fired.update({one.fault.name: one.fired for one in done.account.life.faults})
        recovered += len(history.recovered)
        dropped += len(history.given_up)
    assert {name for name, times in fired.items() if times > 5} == {fault.name for fault in (*DELIVERY, *QUEUE)} - {
        "early"
    }
    assert recovered > 20
    assert dropped > 20


# --- what a broken queue would show


def forget_what_arrives(patch: pytest.MonkeyPatch) -> None:
    """Every fifth event is written down and kept nowhere."""
    put, calls = EventQueue.put, count(1)

    def forgetting(queue: EventQueue, event: Event, detail: object = None) -> None:
        put(queue, event, detail)
        if next(calls) % 5 == 0:
            queue._fresh.pop()

    patch.setattr(EventQueue, "put", forgetting)


def forget_what_is_confirmed(patch: pytest.MonkeyPatch) -> None:
    """Every fifth confirm is answered with success; its first event is neither confirmed nor comes again."""
    confirm, calls = EventQueue.confirm, count(1)

    def confirmed(queue: EventQueue, handles: Sequence[str]) -> list[Outcome]:
        if next(calls) % 5 == 0 and handles and queue.event_of(handles[0]) is not None:
            queue._take(handles[0])
        return confirm(queue, handles)

    patch.setattr(EventQueue, "confirm", confirmed)


def forget_what_comes_back(patch: pytest.MonkeyPatch) -> None:
    """What comes back before its lease is over is gone."""

    def end_lease(queue: EventQueue, handle: str) -> None:
        queue._take(handle)

    patch.setattr(EventQueue, "end_lease", end_lease)


def hand_out_twice(patch: pytest.MonkeyPatch) -> None:
    """What one pull got the next one gets too."""
    lease = EventQueue._lease

    def leased(queue: EventQueue, limit: int, now: float) -> Leases:
        batch = lease(queue, limit, now)
        if len(batch) > 2:
            heapq.heappush(queue._returned, (batch.events[0].order, batch.events[0]))
        return batch

    patch.setattr(EventQueue, "_lease", leased)


def confirm_without_a_word(patch: pytest.MonkeyPatch) -> None:
    """A confirm is answered with success, and the event comes again though no fault says so."""
    confirm, calls = EventQueue.confirm, count(1)

    def confirmed(queue: EventQueue, handles: Sequence[str]) -> list[Outcome]:
        events = [queue.event_of(handle) for handle in handles]
        outcomes = confirm(queue, handles)
        if next(calls) % 5 == 0 and events and events[0] is not None:
            queue._fresh.append(events[0])
        return outcomes

    patch.setattr(EventQueue, "confirm", confirmed)


@pytest.mark.parametrize(
    ("broken", "kind"),
    [
        (forget_what_arrives, "lost"),
        (forget_what_is_confirmed, "unfinished"),
        (forget_what_comes_back, "unfinished"),
        (hand_out_twice, "duplicated"),
        (confirm_without_a_word, "duplicated"),
    ],
)
async def test_a_queue_that_loses_or_duplicates_is_detected_among_faults(
    run: Runs, monkeypatch: pytest.MonkeyPatch, broken: Callable[[pytest.MonkeyPatch], None], kind: str
) -> None:
    broken(monkeypatch)
    found = Counter[str]()
    for seed in range(20):
        _, history, _ = await run(all_at_once, seed)
        found.update(kind for kind in ("lost", "unfinished", "duplicated", "unexpected") if getattr(history, kind))
    assert found[kind] > 1, found
