"""The queue against a model of it: whatever clients and the clock do, no event is lost, doubled or confirmed twice."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from random import Random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from mockvod.engine.clock import Clock
from mockvod.engine.events import Event, Events
from mockvod.engine.journal import Journal
from mockvod.engine.queue import EventQueue, Leases, Outcome
from mockvod.settings import AccountSettings
from tests.limits import journal_limits

LEASE, RETENTION, LIMIT = 30.0, 4 * 86400.0, 16


@dataclass
class Known:
    """What the model knows of one event."""

    event: Event
    arrived_at: float
    state: str = "queued"
    handle: str = ""
    """The latest under which it was pulled."""


@dataclass(frozen=True)
class Lease:
    """What the model knows of one handle."""

    known: Known
    leased_at: float


class QueueMachine(RuleBasedStateMachine):
    """Emits, pulls, confirms and moves the clock, and compares every answer with what a list and a dict would say."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self.clock = Clock()
        self.runner.run(self.clock.freeze())
        self.known: list[Known] = []
        self.leases: dict[str, Lease] = {}

    @initialize(bad_handle=st.sampled_from(["skip", "refuse"]), repeated=st.sampled_from(["accept", "refuse"]))
    def begin(self, bad_handle: str, repeated: str) -> None:
        self.settings = AccountSettings.model_validate({"bad_handle": bad_handle, "repeated_confirm": repeated})
        self.events = Events(Journal(self.clock, lambda: journal_limits(1000)), lambda: self.settings)
        self.queue = EventQueue("the queue", self.clock, self.events, lambda: self.settings, Random(7))

    def teardown(self) -> None:
        self.runner.close()

    # What the model expects

    def lasts(self, lease: Lease) -> bool:
        return self.clock.now() < lease.leased_at + LEASE

    def outlook(self, handle: str) -> Outcome:
        lease = self.leases.get(handle)
        if lease is None or not self.lasts(lease):
            return Outcome.UNKNOWN
        if lease.known.state == "leased":
            return Outcome.CONFIRMED
        return Outcome.REPEATED if self.settings.repeated_confirm == "accept" else Outcome.UNKNOWN

    def in_state(self, state: str) -> list[Known]:
        return [known for known in self.known if known.state == state]

    # What can happen

    @rule(count=st.integers(1, 20))
    def emit(self, count: int) -> None:
        for _ in range(count):
            event = self.events.create(None, "FileUploaded", b"}")
            self.queue.put(event)
            self.known.append(Known(event, self.clock.now()))

    @rule()
    def pull(self) -> None:
        batch = self.runner.run(self.pulled())
        expected = self.in_state("queued")[:LIMIT]
        assert [leased.event for leased in batch] == [known.event for known in expected]
        for leased, known in zip(batch, expected, strict=True):
            assert leased.handle not in self.leases
            self.leases[leased.handle] = Lease(known, self.clock.now())
            known.state, known.handle = "leased", leased.handle

    async def pulled(self) -> Leases:
        with self.clock.busy():
            return await self.queue.pull(LIMIT, hold=0)

    @precondition(lambda self: self.leases)
    @rule(places=st.lists(st.integers(0, 40), min_size=1, max_size=LIMIT), strangers=st.sampled_from([0, 0, 0, 1]))
    def confirm(self, places: list[int], strangers: int) -> None:
        """Confirm some of the latest handles, some of them again or too late; now and then with one of nobody's."""
        latest = list(self.leases)[::-1]
        handles = [latest[place % len(latest)] for place in places] + ["EventHandle.N"] * strangers
        expected = [self.outlook(handle) for handle in handles]
        assert self.queue.confirm(handles) == expected
        if self.settings.bad_handle == "refuse" and Outcome.UNKNOWN in expected:
            return
        for handle, outcome in zip(handles, expected, strict=True):
            if outcome is Outcome.CONFIRMED:
                self.leases[handle].known.state = "confirmed"

    @rule(
        seconds=st.one_of(
            st.floats(0, 2 * LEASE),
            st.sampled_from([0.0, 0.1, 10.0, 29.9, LEASE, 30.1, RETENTION / 2, RETENTION - LEASE, RETENTION]),
        )
    )
    def advance(self, seconds: float) -> None:
        self.runner.run(self.clock.advance(seconds))
        for known in self.in_state("leased"):
            if not self.lasts(self.leases[known.handle]):
                known.state = "queued"
        for known in self.in_state("queued"):
            if known.arrived_at + RETENTION <= self.clock.now():
                known.state = "expired"

    # What always holds

    @invariant()
    def every_event_is_where_the_model_has_it(self) -> None:
        assert [known.event.state for known in self.known] == [known.state for known in self.known]

    @invariant()
    def the_counts_are_right(self) -> None:
        if self.known:
            counts = Counter(known.state for known in self.known)
            assert {state: count for state, count in self.events.counts.items() if count} == counts
            assert (self.queue.visible, self.queue.leased) == (counts["queued"], counts["leased"])

    @invariant()
    def the_clock_waits_for_nobody(self) -> None:
        assert self.clock._busy == 0


TestQueueModel = QueueMachine.TestCase
TestQueueModel.settings = settings(max_examples=100, stateful_step_count=30)
