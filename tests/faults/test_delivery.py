"""Delivery faults on events of an account without a server: many faults, many copies, events held back."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from mockvod.engine.clock import Clock
from mockvod.engine.events import Event, Events
from mockvod.engine.hooks import Hooks
from mockvod.engine.journal import Journal
from mockvod.faults.base import Fault
from mockvod.faults.delivery import COPIES_MOST, Burst, Delay, Drop, Duplicate, Reorder
from mockvod.faults.registry import FAULTS_MOST, FaultRegistry, TooManyFaults
from mockvod.faults.rules import Scope, When
from mockvod.settings import AccountSettings
from tests.limits import journal_limits


class Bench:
    """A frozen clock, events and faults. What passes all faults lands in `landed`."""

    def __init__(self, **settings: Any) -> None:
        self.settings = AccountSettings(**settings)
        self.clock = Clock()
        self.journal = Journal(self.clock, lambda: journal_limits(100_000))
        self.events = Events(self.journal, lambda: self.settings)
        self.hooks = Hooks()
        self.faults = FaultRegistry(self.hooks, self.clock, self.events, self.journal, 7)
        self.landed: list[Event] = []

    def add(self, *faults: Fault, when: When | None = None) -> None:
        for fault in faults:
            self.faults.add(fault, when=when)

    def emit(self) -> Event:
        event = self.events.create(None, "FileDeleted", b'"EventType":"FileDeleted"}')
        assert self.hooks.delivery is not None
        self.hooks.delivery.arrive(None, event, self.land)
        return event

    def land(self, event: Event) -> None:
        self.events.note(event, "queued")
        self.landed.append(event)

    def fired(self) -> list[dict[str, Any]]:
        return [entry.detail for entry in self.journal.since(0) if entry.what == "fault"]


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = Bench()
    await bench.clock.freeze()
    yield bench
    bench.faults.close()


@pytest.mark.parametrize("fault", [Delay(seconds=0), Reorder(count=1), Duplicate(copies=1)])
async def test_any_number_of_faults_may_follow_each_other(bench: Bench, fault: Fault) -> None:
    bench.add(*[fault] * (FAULTS_MOST - 1), Drop())
    event = bench.emit()
    assert (event.state, bench.landed) == ("dropped", [])


async def test_more_faults_than_an_account_may_have_are_refused(bench: Bench) -> None:
    bench.add(*[Drop()] * (FAULTS_MOST - 1))
    with pytest.raises(TooManyFaults, match="an account has at most 200 active faults: remove some first"):
        bench.faults.add_recipe("out-of-order")
    bench.add(Drop())
    with pytest.raises(TooManyFaults):
        bench.faults.add(Drop())
    assert len(list(bench.faults)) == FAULTS_MOST


async def test_an_event_arrives_before_its_copies_and_the_copies_in_their_order(bench: Bench) -> None:
    bench.add(Duplicate(copies=2), Duplicate(copies=1))
    bench.emit()
    assert [event.number for event in bench.landed] == [1, 4, 2, 5, 3, 6]


async def test_copies_of_copies_are_limited_and_the_journal_says_what_was_not_created(bench: Bench) -> None:
    bench.add(*[Duplicate(copies=30)] * 4)
    bench.emit()
    assert len(bench.landed) == 1 + COPIES_MOST
    assert any("copies were not created" in detail["message"] for detail in bench.fired())


async def test_copies_respect_the_limit_on_pending_bytes(bench: Bench) -> None:
    bench.settings = AccountSettings(pending_bytes=1024)
    bench.add(Duplicate(copies=1000))
    event = bench.emit()
    assert 1 < len(bench.landed) < 100
    assert bench.events.pending_bytes <= 1024
    assert "copies were not created" in event.timeline()[0].detail["message"]


@pytest.mark.parametrize("kind", [Reorder, Burst])
async def test_no_timer_is_left_of_groups_that_were_full(bench: Bench, kind: type[Reorder | Burst]) -> None:
    bench.add(kind(count=2))
    for _ in range(100):
        bench.emit()
    assert len(bench.landed) == 100
    assert bench.clock.waiting() == []
    assert not bench.faults._context._timers


async def test_events_held_back_continue_when_the_fault_is_removed(bench: Bench) -> None:
    bench.add(Burst(count=10))
    first, second = bench.emit(), bench.emit()
    bench.faults.clear()
    assert bench.landed == [first, second]
    assert bench.clock.waiting() == []


async def test_a_removed_fault_no_longer_affects_events_that_others_have_delayed(bench: Bench) -> None:
    bench.add(Delay(seconds=5), Drop())
    event = bench.emit()
    bench.faults.remove("flt_000002")
    await bench.clock.advance(5)
    assert bench.landed == [event]


async def test_held_events_end_with_the_registry(bench: Bench) -> None:
    bench.add(Delay(seconds=5), Burst(count=2), when=When("nth", 1))
    bench.emit()
    bench.emit()
    bench.faults.close()
    await bench.clock.advance(1000)
    assert bench.landed == []


async def test_scopes_and_rules_are_those_of_each_fault(bench: Bench) -> None:
    bench.faults.add(Drop(), Scope(event_type="NewFileUpload"))
    bench.faults.add(Drop(), when=When("nth", 2))
    events = [bench.emit() for _ in range(3)]
    assert bench.landed == [events[0], events[2]]
    assert [active.seen for active in bench.faults] == [0, 3]
